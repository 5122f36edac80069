"""Feedback as plain data, apart from the database so that reading a request does not load the SQL library."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


class StoreUnavailableError(RuntimeError):
    """The database did not take or give the data; nothing was kept. Trying again later may work."""


class NewerDatabaseError(StoreUnavailableError):
    """The database was made by a newer version of the service. The message says what to do, in one line."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a clinician did with one card.

    `outcome`: "accepted" | "overridden". `accepted_suggestions` are suggestion uuids. `outcome_timestamp` is kept
    as the client sent it. `user_comment` is free text that may tell of the patient: kept, never logged or shown.
    """

    card: str
    outcome: str
    outcome_timestamp: str
    accepted_suggestions: tuple[str, ...] = ()
    reason_code: str | None = None
    reason_system: str | None = None
    reason_display: str | None = None
    user_comment: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KeptFeedback:
    """One row of the store: the feedback, the service it came to and when (UTC)."""

    service_id: str
    received_at: datetime
    feedback: Feedback
