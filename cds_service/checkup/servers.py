"""The FHIR servers of the allow-list: each is asked for its CapabilityStatement, over the way that reads take."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_network
from threading import Timer
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import requests
from urllib3.exceptions import HTTPError

from cds_service.checkup.check import Check, absent, fails, without_secrets, works
from cds_service.checkup.clock import Reading, reading
from cds_service.connections import running
from cds_service.fhir.connection import AddressRefusedError, Call, new_session, route
from cds_service.fhir.servers import base_of
from cds_service.settings import Settings

KIND: Final = "FHIR server"
DEADLINE_S: Final = 10.0
"""Longer than any read: some servers build their CapabilityStatement when it is first asked for."""
_RELEASE: Final = "4.0."
_CHUNK: Final = 64 * 1024
_AT_A_TIME: Final = 8
_NEEDS_TOKEN: Final = frozenset({401, 403})
_STATUSES: Final[Mapping[int, str]] = {
    404: "correct the address in the list: it must be the base address, to which /metadata is added",
    429: "try again later: it is busy",
    503: "try again later: it is busy, or being started",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one server: the check, and its clock where it told the time."""

    check: Check
    clock: Reading | None = None


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes
    seconds: float
    clock: Reading | None


class _NoAnswerError(Exception):
    """Why a server gave no whole answer, and what to do about it."""

    def __init__(self, found: str, to_do: str) -> None:
        super().__init__(found)
        self.to_do = to_do


def ask_servers(settings: Settings) -> tuple[Answered, ...]:
    """Ask each FHIR server that calls may name, those of single clients among them."""
    listed = [
        *settings.fhir_servers,
        *(each for client in settings.trusted_clients for each in client.fhir_servers or ()),
    ]
    addresses = list({base_of(address) or address: address for address in listed}.values())
    if not addresses:
        if settings.fhir_servers_of() is None:
            return (Answered(absent(KIND, "list", "none: for trying, calls may name any server on loopback")),)
        return (Answered(absent(KIND, "list", "none: only what clients send with a call is read (CDS_FHIR_SERVERS)")),)
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return tuple(pool.map(lambda address: _ask(address, settings), addresses))


def _ask(address: str, settings: Settings) -> Answered:
    subject, base = without_secrets(address), base_of(address)
    if base is None:
        to_do = "give it an https address without user, query and '..': no request goes to this one"
        return Answered(fails(KIND, subject, "is not an address that is asked", to_do))
    try:
        reply = _get(base, subject, settings)
    except _NoAnswerError as error:
        return Answered(fails(KIND, subject, str(error), error.to_do))
    return Answered(_judged(subject, reply, settings), reply.clock)


def _judged(subject: str, reply: _Reply, settings: Settings) -> Check:
    way = f"{'https' if subject.startswith('https') else 'http on loopback'}, {reply.seconds:.1f} s"
    if reply.status in _NEEDS_TOKEN:
        return works(KIND, subject, f"answers ({way}), and asks for a token ({reply.status}): its version is not known")
    if reply.status != requests.codes.ok:
        to_do = "ask its operator; what redirects is not followed: list the address it leads to"
        return fails(KIND, subject, f"/metadata answers with status {reply.status}", _STATUSES.get(reply.status, to_do))
    statement = _statement(reply.body)
    if statement is None:
        return fails(KIND, subject, "/metadata gives no CapabilityStatement in FHIR JSON", _STATUSES[404])
    version = str(statement.get("fhirVersion"))[:20]
    if not version.startswith(_RELEASE):
        to_do = "list its base address for FHIR R4 (4.0): records of other versions cannot be read"
        return fails(KIND, subject, f"says it is FHIR {version}", to_do)
    slow = reply.seconds > settings.fhir_read_timeout_s
    to_do = "slow: if reads are as well, see CDS_FHIR_READ_TIMEOUT_S and CDS_FHIR_DEADLINE_S" if slow else ""
    return works(KIND, subject, f"answers ({way}), FHIR R4 ({version})", to_do)


def _statement(body: bytes) -> dict[str, Any] | None:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    is_one = isinstance(parsed, dict) and parsed.get("resourceType") == "CapabilityStatement"
    return parsed if is_one else None


def _get(base: str, subject: str, settings: Settings) -> _Reply:
    """Return the answer of `base`/metadata; raises `_NoAnswerError`."""
    call = Call(tuple(map(ip_network, settings.fhir_networks)))
    began, asked_at = time.monotonic(), time.time()
    ending = Timer(DEADLINE_S, call.end)
    ending.daemon = True
    ending.start()
    try:
        with running(call), new_session(1) as session, _sent(session, base, settings) as answer:
            clock = reading(subject, answer.headers.get("Date"), asked_at)
            body = _body(answer, settings.fhir_max_answer_bytes, began + DEADLINE_S)
            return _Reply(answer.status_code, body, time.monotonic() - began, clock)
    except AddressRefusedError:
        to_do = "add its network to CDS_FHIR_NETWORKS if it is the hospital's own"
        raise _NoAnswerError("its name leads to an address that is not public", to_do) from None
    except requests.exceptions.SSLError:
        to_do = "see that the certificate is for this name, and its issuer in REQUESTS_CA_BUNDLE"
        raise _NoAnswerError("its certificate is not trusted, or it speaks no TLS", to_do) from None
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        late = isinstance(error, requests.Timeout | TimeoutError) or time.monotonic() - began >= DEADLINE_S
        found = "does not answer in time" if late else "cannot be reached, or breaks off"
        to_do = "check its name, port, firewall and proxy (HTTPS_PROXY), and that it runs"
        raise _NoAnswerError(found, to_do) from None
    finally:
        ending.cancel()


def _sent(session: requests.Session, base: str, settings: Settings) -> requests.Response:
    return session.get(
        f"{base}/metadata",
        headers={"Accept": "application/fhir+json", "Accept-Encoding": "gzip"},
        timeout=(settings.fhir_connect_timeout_s, DEADLINE_S),
        allow_redirects=False,
        stream=True,
        **route(base, urlsplit(base).hostname or ""),
    )


def _body(answer: requests.Response, most: int, until: float) -> bytes:
    body = bytearray()
    while chunk := answer.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > most:
            to_do = "raise CDS_FHIR_MAX_ANSWER_BYTES if its other answers are as large"
            raise _NoAnswerError(f"its CapabilityStatement is larger than {most} bytes", to_do)
    if time.monotonic() > until:
        raise TimeoutError  # a call that was ended looks like the end of the body
    return bytes(body)
