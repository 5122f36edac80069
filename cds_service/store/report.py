"""What became of the cards: how many were given, accepted and overridden, by kind and rule, and why overridden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Final

from sqlalchemy import Column, Connection, RowMapping, Table

from cds_service.store.cards import given_card, known_cards
from cds_service.store.database import Database
from cds_service.store.feedback import kept_feedback
from cds_service.store.model import GivenCard, KeptFeedback, time_text
from cds_service.store.schema import FEEDBACK, GIVEN_CARD

UNKNOWN: Final = "unknown"
"""The kind of cards that are not remembered."""
NO_REASON: Final = "none-stated"


@dataclass(slots=True)
class Tally:
    """The cards of one kind that name one rule; of all rules where `rule` is None.

    A card counts once, with its last outcome, however often it was answered. `given` are those remembered.
    `unanswered` were given and not answered. `reasons` counts the codes of those overridden.
    """

    kind: str
    rule: str | None
    given: int = 0
    accepted: int = 0
    overridden: int = 0
    unanswered: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def acceptance(self) -> float | None:
        """The share of answered cards that were accepted; None where none was answered."""
        answered = self.accepted + self.overridden
        return self.accepted / answered if answered else None


@dataclass(frozen=True, slots=True)
class Report:
    """The tallies since a day (None: since the beginning), in the order of kind and rule, each kind's total first."""

    since: date | None
    tallies: tuple[Tally, ...]


def report(database: Database, since: date | None = None) -> Report:
    """Return what became of the cards that were given or answered on `since` (UTC) or later.

    Raises:
        StoreUnavailableError: the database does not answer.
    """
    start = time_text(datetime.combine(since, time(), UTC)) if since else None
    with database.reading() as connection:
        given = {row["card"]: given_card(row) for row in _rows(connection, GIVEN_CARD, GIVEN_CARD.c.given_at, start)}
        answers = _last(map(kept_feedback, _rows(connection, FEEDBACK, FEEDBACK.c.received_at, start)))
        # Feedback may come before the card is written, and to cards that were given earlier.
        unknown = {uuid for uuid, answer in answers.items() if answer.card is None} - given.keys()
        known = given | known_cards(connection, unknown)
    return Report(since, tuple(_tallies(given, known, answers)))


def _rows(connection: Connection, table: Table, at: Column[str], start: str | None) -> Sequence[RowMapping]:
    query = table.select().order_by(*table.primary_key)
    return connection.execute(query.where(at >= start) if start else query).mappings().all()


def _last(kept: Iterable[KeptFeedback]) -> dict[str, KeptFeedback]:
    """Return the last answer to each card, by when the client says it was given: deliveries may come out of order."""
    return {row.feedback.card: row for row in sorted(kept, key=_when)}


def _when(row: KeptFeedback) -> datetime:
    try:
        stated = datetime.fromisoformat(row.feedback.outcome_timestamp)
    except ValueError:
        return row.received_at
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)


def _tallies(
    given: Mapping[str, GivenCard], known: Mapping[str, GivenCard], answers: Mapping[str, KeptFeedback]
) -> list[Tally]:
    tallies: dict[tuple[str, str | None], Tally] = {}
    for uuid in given.keys() | answers.keys():
        answer = answers.get(uuid)
        card = known.get(uuid) or (answer.card if answer else None)
        for rule in (None, *dict.fromkeys(card.rules if card else ())):
            kind = card.kind if card else UNKNOWN
            _count(tallies.setdefault((kind, rule), Tally(kind, rule)), uuid in given, answer)
    return [tallies[key] for key in sorted(tallies, key=lambda key: (key[0] == UNKNOWN, key[0], key[1] or ""))]


def _count(tally: Tally, given: bool, answer: KeptFeedback | None) -> None:
    tally.given += given
    if answer is None:
        tally.unanswered += 1
    elif answer.feedback.outcome == "accepted":
        tally.accepted += 1
    else:
        tally.overridden += 1
        tally.reasons[answer.feedback.reason_code or NO_REASON] += 1
