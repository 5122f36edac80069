"""One GET to a FHIR server, come what may: a whole answer in time and of a sane size, or a reason why not.

A reason holds no address, no token and nothing of the answer: all of these are secrets.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Final
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import DecodeError, HTTPError

from cds_service.connections import running
from cds_service.fhir.breaker import Breaker
from cds_service.fhir.connection import AddressRefusedError, Call, new_session, route
from cds_service.fhir.servers import Network

TOO_LATE: Final = "the FHIR server did not answer in time"
UNREACHABLE: Final = "the FHIR server could not be reached"
BROKE_OFF: Final = "the answer of the FHIR server broke off"
TOO_LARGE: Final = "the answer of the FHIR server is too large"
NOT_FHIR: Final = "the answer of the FHIR server is not FHIR JSON"
REFUSED: Final = "the address of the FHIR server is not one that may be connected to"
LEFT_ALONE: Final = "the FHIR server did not answer lately and is left alone for a while"

_CHUNK: Final = 64 * 1024
_BUSY: Final = frozenset({429, 503})
_FIRST_PAUSE_S: Final = 0.1
_CHANCE: Final = random.SystemRandom()


class NotFetched(Exception):  # noqa: N818 - not an error but an answer, which becomes an `Unread`
    """Why something could not be had, in words a person can act on."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, how often and how much is read; times in seconds.

    `deadline` holds for all reads of one hook together, `connect` and `read` for each wait on the network. `parallel`
    reads run at a time in this process, `retries` follow on a busy server (429, 503). `pages` and `resources` are per
    prefetch key, `attachments` and `hook_bytes` per hook, `answer_bytes` per answer. After `failures` calls in a row
    without an answer a server is left alone for `pause`.
    """

    deadline: float = 3.0
    # A lost packet of a new connection is sent again after a second (RFC 6298, 2.1): one may be lost.
    connect: float = 1.5
    read: float = 2.0
    parallel: int = 16
    retries: int = 2
    pages: int = 5
    resources: int = 500
    attachments: int = 20
    answer_bytes: int = 8 * 1024 * 1024
    hook_bytes: int = 32 * 1024 * 1024
    failures: int = 5
    pause: float = 30.0


class Allowance:
    """How long and how much one hook may still read. Safe to share between threads."""

    def __init__(self, limits: Limits) -> None:
        self.end = time.monotonic() + limits.deadline
        self._bytes = limits.hook_bytes
        self._lock = Lock()

    @property
    def remaining(self) -> float:
        """Seconds left; never below zero."""
        return max(0.0, self.end - time.monotonic())

    def spend(self, size: int) -> None:
        """Take `size` bytes off. Raises `NotFetched` where there are not so many left, or no time."""
        with self._lock:
            self._bytes -= size
            if self._bytes < 0:
                raise NotFetched("the answers of the FHIR server are too large together")
        if not self.remaining:
            raise NotFetched(TOO_LATE)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. `content_type` is in lower case, without parameters, "" where none is stated."""

    status: int
    content_type: str
    body: bytes
    retry_after: str | None = None


class Exchange:
    """Sends reads to FHIR servers over kept connections; one for the process, safe to share between threads."""

    def __init__(self, limits: Limits, networks: tuple[Network, ...] = ()) -> None:
        self._limits = limits
        self._networks = networks
        self._session = new_session(limits.parallel)
        self._breakers: dict[str, Breaker] = {}
        self._lock = Lock()

    def new_call(self) -> Call:
        """Return what a read is given, to be able to end it."""
        return Call(self._networks)

    def get(self, address: str, headers: Mapping[str, str], allowance: Allowance, call: Call) -> Reply:
        """Return the answer to a GET, whatever its status; a busy server is asked again where there is time.

        Raises:
            NotFetched: there is none.
        """
        breaker = self._breaker(address)
        for attempt in range(self._limits.retries + 1):
            if not allowance.remaining:
                raise NotFetched(TOO_LATE)
            if not breaker.allows():
                raise NotFetched(LEFT_ALONE)
            reply = self._counted(address, headers, allowance, call, breaker)
            pause = _pause(reply, attempt)
            if pause is None or attempt == self._limits.retries or pause >= allowance.remaining:
                break
            call.wait(pause)
        return reply

    def _breaker(self, address: str) -> Breaker:
        parts = urlsplit(address)
        with self._lock:
            # Only servers of the site's list come here, so the table stays small.
            made = Breaker(self._limits.failures, self._limits.pause)
            return self._breakers.setdefault(f"{parts.scheme}://{parts.netloc}", made)

    def _counted(
        self, address: str, headers: Mapping[str, str], allowance: Allowance, call: Call, breaker: Breaker
    ) -> Reply:
        """Return one answer; tell the breaker whether there was any."""
        try:
            with running(call):
                reply = self._once(address, headers, allowance)
        except AddressRefusedError:
            raise NotFetched(REFUSED) from None
        except (DecodeError, requests.exceptions.ContentDecodingError):
            breaker.answered()
            raise NotFetched(NOT_FHIR) from None
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            breaker.failed()
            late = isinstance(error, requests.Timeout | TimeoutError) or not allowance.remaining
            raise NotFetched(TOO_LATE if late else UNREACHABLE) from None
        except NotFetched as reason:
            if str(reason) in (TOO_LATE, BROKE_OFF):
                breaker.failed()
            else:
                breaker.answered()
            raise
        breaker.answered()
        return reply

    def _once(self, address: str, headers: Mapping[str, str], allowance: Allowance) -> Reply:
        remaining = max(allowance.remaining, 0.001)
        with self._session.get(
            address,
            headers=dict(headers),
            timeout=(min(self._limits.connect, remaining), min(self._limits.read, remaining)),
            allow_redirects=False,
            stream=True,
            **route(address, urlsplit(address).hostname or ""),
        ) as answer:
            return Reply(
                answer.status_code,
                answer.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
                self._body(answer, allowance),
                answer.headers.get("Retry-After"),
            )

    def _body(self, answer: requests.Response, allowance: Allowance) -> bytes:
        """Return the body, unpacked, as it comes in; it is dropped at the first byte too many or too late."""
        announced = answer.headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced) > self._limits.answer_bytes:
            raise NotFetched(TOO_LARGE)
        body = bytearray()
        try:
            while chunk := answer.raw.read1(_CHUNK, decode_content=True):
                body += chunk
                if len(body) > self._limits.answer_bytes:
                    raise NotFetched(TOO_LARGE)
                allowance.spend(len(chunk))
        except DecodeError:
            raise
        except (HTTPError, OSError, ValueError) as error:
            late = isinstance(error, TimeoutError) or "timed out" in str(error) or not allowance.remaining
            raise NotFetched(TOO_LATE if late else BROKE_OFF) from None
        # A read that was ended from outside looks like the end of the body.
        allowance.spend(0)
        return bytes(body)


def _pause(reply: Reply, attempt: int) -> float | None:
    """Return how long to wait before asking again, or None where that is not to be done.

    What the server asks for (RFC 9110, 10.2.3: seconds or a date), else twice as long each time; with a little chance
    on top, so that not all clients come back at once.
    """
    if reply.status not in _BUSY:
        return None
    asked = _seconds(reply.retry_after)
    least = _FIRST_PAUSE_S * 2**attempt if asked is None else asked
    return least + _CHANCE.uniform(0, _FIRST_PAUSE_S)


def _seconds(retry_after: str | None) -> float | None:
    written = (retry_after or "").strip()
    if written.isdecimal() and written.isascii():
        return float(written[:9])
    try:
        day = parsedate_to_datetime(written)
    except ValueError:
        return None
    day = day if day.tzinfo is not None else day.replace(tzinfo=UTC)
    return max(0.0, (day - datetime.now(UTC)).total_seconds())
