"""How much a request may hold, and how many of them a client may send."""

from __future__ import annotations

import time
from collections.abc import Iterable, Set
from itertools import accumulate
from threading import Lock
from typing import Any, Final

from flask import Flask, Response, g, request

from cds_service.hooks.errors import outcome_response
from cds_service.hooks.outcome import Issue, ProtocolError

_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_ROUNDS: Final = 8
_BETWEEN: Final = ord("\\")
"""The letter between the brackets: opening ones are one less, closing ones one more."""
_ALIKE: Final = bytes.maketrans(b"{}", b"[]")


def check_depth(body: bytes, most: int) -> None:
    """Do nothing where the JSON of `body` has at most `most` values in one another.

    Looked at before parsing, so that nothing has to walk what is too deep. It need not be JSON.

    Raises:
        ProtocolError: 400.
    """
    # Every other piece between quotes is outside of strings; nothing here is a loop over each byte.
    outside = b"".join(body.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])
    brackets = outside.translate(_ALIKE, _NOT_BRACKETS)
    # Real bodies are gone after a few rounds, each of which takes the innermost level away; the rest is counted.
    rounds = min(_ROUNDS, most)
    for _ in range(rounds):
        brackets = brackets.replace(b"[]", b"")
    if any(level > most - rounds for level in accumulate(map(_BETWEEN.__sub__, brackets))):
        raise ProtocolError(400, Issue("structure", f"The body is nested more than {most} deep (CDS_MAX_JSON_DEPTH)."))


def check_resources(values: Iterable[Any], most: int) -> None:
    """Do nothing where `values` hold at most `most` FHIR resources together, those in Bundles and in others included.

    Raises:
        ProtocolError: 413.
    """
    left = list(values)
    found = 0
    while left:
        value = left.pop()
        if not isinstance(value, dict):
            continue
        found += 1
        if found > most:
            text = f"The request holds more than {most} FHIR resources (CDS_MAX_RESOURCES)."
            raise ProtocolError(413, Issue("too-costly", text))
        left += _parts(value.get("contained"))
        left += [item.get("resource") for item in _parts(value.get("entry")) if isinstance(item, dict)]


def limit_rate(app: Flask, rate: str, open_endpoints: Set[str]) -> None:
    """Let each client of `app` send no more than `rate`, such as "600/minute"; 429 to the one that does.

    A client is an authenticated issuer, else an address of the network. Counted in this process. To be called after
    whoever finds out who calls. `open_endpoints` are not counted, and preflights are not.
    """
    limiter = _Limiter(rate)

    @app.before_request
    def check() -> Response | None:
        if request.method == "OPTIONS" or request.endpoint in open_endpoints:
            return None
        caller = g.get("caller")
        wait = limiter.wait(request.remote_addr or "" if caller is None else caller.issuer)
        if wait is None:
            return None
        response = outcome_response(429, Issue("throttled", "There were too many requests; send it again later."))
        response.headers["Retry-After"] = str(wait)
        return response


class _Limiter:
    """Counts in a moving window; made at the first request, since it starts a thread that would not outlive a fork."""

    def __init__(self, rate: str) -> None:
        from limits import parse  # noqa: PLC0415 - only where a rate is set

        self._rate = parse(rate)
        self._lock = Lock()
        self._made: Any = None

    def wait(self, client: str) -> int | None:
        """Return None where one more is within the rate, else the seconds until it will be."""
        counts = self._counts()
        if counts.hit(self._rate, client):
            return None
        reset: float = counts.get_window_stats(self._rate, client).reset_time
        return max(1, int(reset - time.time()) + 1)

    def _counts(self) -> Any:
        from limits.storage import MemoryStorage  # noqa: PLC0415
        from limits.strategies import SlidingWindowCounterRateLimiter  # noqa: PLC0415

        with self._lock:
            self._made = self._made or SlidingWindowCounterRateLimiter(MemoryStorage())
            return self._made


def _parts(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
