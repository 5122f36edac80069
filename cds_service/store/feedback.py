"""Feedback on cards in a SQL database: rows are only ever added.

Nothing is unique but the row number: clients send the same card several times, with other outcomes
(accepted, then overridden), and each is a fact worth keeping.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from cds_service.store.database import Database
from cds_service.store.model import Feedback, KeptFeedback
from cds_service.store.schema import FEEDBACK


class FeedbackStore:
    """The feedback of one database. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, service_id: str, entries: Iterable[Feedback]) -> None:
        """Add `entries`, all or none; they are committed when this returns.

        Raises:
            StoreUnavailableError: nothing was kept.
        """
        received = datetime.now(UTC).isoformat()
        rows = [_row(service_id, received, entry) for entry in entries]
        if not rows:
            return
        with self._database.writing() as connection:
            connection.execute(FEEDBACK.insert(), rows)

    def entries(self) -> tuple[KeptFeedback, ...]:
        """Return everything kept, oldest first.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        with self._database.reading() as connection:
            rows = connection.execute(FEEDBACK.select().order_by(FEEDBACK.c.id)).mappings().all()
        return tuple(_kept(row) for row in rows)


def _row(service_id: str, received: str, entry: Feedback) -> dict[str, Any]:
    return {
        "received_at": received,
        "service_id": service_id,
        "card": _storable(entry.card),
        "outcome": entry.outcome,
        "outcome_timestamp": _storable(entry.outcome_timestamp),
        "accepted_suggestions": [_storable(suggestion) for suggestion in entry.accepted_suggestions],
        "reason_code": _storable(entry.reason_code),
        "reason_system": _storable(entry.reason_system),
        "reason_display": _storable(entry.reason_display),
        "user_comment": _storable(entry.user_comment),
    }


def _storable(text: str | None) -> str | None:
    # PostgreSQL has no NUL in text; losing that character is better than losing the feedback.
    return text and text.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _kept(row: Any) -> KeptFeedback:
    return KeptFeedback(
        service_id=row["service_id"],
        received_at=datetime.fromisoformat(row["received_at"]),
        feedback=Feedback(
            card=row["card"],
            outcome=row["outcome"],
            outcome_timestamp=row["outcome_timestamp"],
            accepted_suggestions=tuple(row["accepted_suggestions"]),
            reason_code=row["reason_code"],
            reason_system=row["reason_system"],
            reason_display=row["reason_display"],
            user_comment=row["user_comment"],
        ),
    )
