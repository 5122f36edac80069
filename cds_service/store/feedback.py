"""Feedback on cards: rows are only ever added, each piece of feedback once.

A client that does not see the answer delivers again, with the same content, and one row stays. Another outcome for the
same card, or the same at another time, is another fact and another row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from cds_service.store.cards import given_card, known_cards
from cds_service.store.database import Database
from cds_service.store.model import Feedback, GivenCard, KeptFeedback, time_text
from cds_service.store.schema import FEEDBACK

FREE_TEXT: Final = "free-text"
"""Kept in place of a reason's code that is none."""

_CODE = re.compile(r"\S{1,100}")


class FeedbackStore:
    """The feedback of one database. Safe to share between threads.

    Args:
        database: where it is kept.
        comments: whether to keep what people wrote: comments, and the words of reasons. They may tell of patients.
    """

    def __init__(self, database: Database, *, comments: bool = False) -> None:
        self._database = database
        self._comments = comments

    def keep(self, service_id: str, entries: Iterable[Feedback]) -> None:
        """Add `entries` that are not there yet, all or none; they are committed when this returns.

        Raises:
            StoreUnavailableError: nothing was kept.
        """
        received = time_text(datetime.now(UTC))
        kept = [_storable(entry if self._comments else _without_words(entry)) for entry in entries]
        if not kept:
            return
        with self._database.writing() as connection:
            cards = known_cards(connection, {entry.card for entry in kept})
            rows = [_row(service_id, received, entry, cards.get(entry.card)) for entry in kept]
            connection.execute(self._database.insert_new(FEEDBACK), rows)

    def entries(self) -> tuple[KeptFeedback, ...]:
        """Return everything kept, oldest first.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        with self._database.reading() as connection:
            rows = connection.execute(FEEDBACK.select().order_by(FEEDBACK.c.id)).mappings().all()
        return tuple(kept_feedback(row) for row in rows)


def kept_feedback(row: Any) -> KeptFeedback:
    """Return what a row of the table says."""
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
        card=None if row["kind"] is None else given_card(row),
    )


def _without_words(entry: Feedback) -> Feedback:
    code = entry.reason_code and (entry.reason_code if _CODE.fullmatch(entry.reason_code) else FREE_TEXT)
    system = entry.reason_system if entry.reason_system and _CODE.fullmatch(entry.reason_system) else None
    return replace(entry, reason_code=code, reason_system=system, reason_display=None, user_comment=None)


def _storable(entry: Feedback) -> Feedback:
    return Feedback(
        card=_text(entry.card),
        outcome=entry.outcome,
        outcome_timestamp=_text(entry.outcome_timestamp),
        accepted_suggestions=tuple(map(_text, entry.accepted_suggestions)),
        reason_code=_text(entry.reason_code),
        reason_system=_text(entry.reason_system),
        reason_display=_text(entry.reason_display),
        user_comment=_text(entry.user_comment),
    )


def _text(text: Any) -> Any:
    # PostgreSQL has no NUL in text; losing that character is better than losing the feedback.
    return text and text.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _row(service_id: str, received: str, entry: Feedback, card: GivenCard | None) -> dict[str, Any]:
    content = {
        "service_id": service_id,
        "card": entry.card,
        "outcome": entry.outcome,
        "outcome_timestamp": entry.outcome_timestamp,
        "accepted_suggestions": list(entry.accepted_suggestions),
        "reason_code": entry.reason_code,
        "reason_system": entry.reason_system,
        "reason_display": entry.reason_display,
        "user_comment": entry.user_comment,
    }
    digest = sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return content | {"received_at": received, "digest": digest} | _answered(card)


def _answered(card: GivenCard | None) -> dict[str, Any]:
    return {
        "kind": card and card.kind,
        "rules": card and list(card.rules),
        "elements": card and list(card.elements),
        "knowledge_version": card and card.knowledge_version,
        "profile": card and card.profile,
    }
