"""The cards that were given, so that feedback, which names only a uuid, can be counted by rule.

The uuid is a SHA-1 over the card's content and the references of encounter and patient. It cannot be turned back into
them, but who holds a guess of all that went in can confirm it; the rows are pseudonymous, not anonymous.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from cds_service.store.model import GivenCard, time_text
from cds_service.store.recorder import Recorder
from cds_service.store.schema import GIVEN_CARD

_MOST_AT_ONCE: Final = 500
"""Values in one query; SQLite has a limit."""


class GivenCards:
    """Remembers given cards, in the background: a card may be lost, and feedback on it is kept all the same."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def remember(self, card: GivenCard) -> None:
        """Remember `card`, unless its uuid is known. Never waits and never fails."""
        self._recorder.put(GIVEN_CARD, asdict(card) | {"given_at": time_text(datetime.now(UTC))})


def known_cards(connection: Connection, uuids: Collection[str]) -> dict[str, GivenCard]:
    """Return the cards that are remembered, by uuid."""
    found: dict[str, GivenCard] = {}
    for some in _portions(sorted(uuids)):
        rows = connection.execute(select(GIVEN_CARD).where(GIVEN_CARD.c.card.in_(some))).mappings()
        found.update((row["card"], given_card(row)) for row in rows)
    return found


def given_card(row: Any) -> GivenCard:
    """Return the card of a row with the columns of a card."""
    return GivenCard(
        card=row["card"],
        service_id=row["service_id"],
        kind=row["kind"],
        rules=tuple(row["rules"]),
        elements=tuple(row["elements"]),
        knowledge_version=row["knowledge_version"],
        profile=row["profile"],
    )


def _portions(uuids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(uuids), _MOST_AT_ONCE):
        yield uuids[start : start + _MOST_AT_ONCE]
