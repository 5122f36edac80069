"""The clock: how far it is from that of a server. Tokens are good for minutes, and it says which day is today."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import requests

from cds_service.checkup.check import Check, absent, fails, works
from cds_service.settings import Settings

KIND: Final = "clock"
_WAIT_S: Final = 2.0
_USUAL_S: Final = 30
"""What may be between two clocks where no client says how far its own may differ; as the default of a client."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How many seconds the clock of `server` is ahead of ours."""

    server: str
    ahead_s: float


def reading(server: str, date: str | None, asked_at: float) -> Reading | None:
    """Return what the `Date` of an answer says, None where it says nothing.

    Args:
        server: which one answered.
        date: the header (RFC 9110, 6.6.1), in whole seconds.
        asked_at: our clock when it was asked; the answer has just come.
    """
    try:
        said = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    if said.tzinfo is None:
        said = said.replace(tzinfo=UTC)
    return Reading(server, said.timestamp() + 0.5 - (asked_at + time.time()) / 2)


def check_clock(settings: Settings, readings: Iterable[Reading]) -> Iterator[Check]:
    """Yield how far our clock is from the one nearest to it.

    Args:
        settings: the clients, and how far their clocks may differ.
        readings: those of FHIR servers; where there are none, servers of key sets are asked.
    """
    found = list(readings) or list(_of_key_sets(settings))
    if not found:
        yield absent(KIND, "comparison", "no server answered whose clock this one could be compared with")
        return
    nearest = min(found, key=lambda each: abs(each.ahead_s))
    allowed = min((client.leeway_seconds for client in settings.trusted_clients), default=_USUAL_S)
    said = f"{abs(nearest.ahead_s):.0f} s {'behind' if nearest.ahead_s > 0 else 'ahead of'} that of {nearest.server}"
    if abs(nearest.ahead_s) <= max(allowed, 1):  # the header has whole seconds
        yield works(KIND, "comparison", said)
    else:
        to_do = "set the clocks by NTP: tokens are refused as expired or not yet valid, and days may be the wrong ones"
        yield fails(KIND, "comparison", f"{said}; {allowed} s are allowed", to_do)


def _of_key_sets(settings: Settings) -> Iterator[Reading]:
    for client in settings.trusted_clients:
        for address in filter(None, (client.jwks_url, *client.jku)):
            asked_at = time.time()
            try:
                with requests.get(address, timeout=_WAIT_S, allow_redirects=False, stream=True) as answer:
                    found = reading(f"the key set of {client.issuer}", answer.headers.get("Date"), asked_at)
            except (requests.RequestException, OSError, ValueError):
                continue
            if found is not None:
                yield found
                break
