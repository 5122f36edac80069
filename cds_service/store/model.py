"""What is kept, as plain data, apart from the database so that reading a request does not load the SQL library."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime


class StoreUnavailableError(RuntimeError):
    """The database did not take or give the data; nothing was kept. Trying again later may work."""


class NewerDatabaseError(StoreUnavailableError):
    """The database was made by a newer version of the service. The message says what to do, in one line."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a clinician did with one card.

    `outcome`: "accepted" | "overridden". `accepted_suggestions` are suggestion uuids. `outcome_timestamp` is kept
    as the client sent it. `user_comment` is free text that may tell of the patient: never logged or shown, and kept
    only where the site wants it.
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
class GivenCard:
    """A card as far as it is remembered: what it was about, and nothing of the patient.

    `card` is its uuid; `rules` and `elements` are the ids that its extension names.
    """

    card: str
    service_id: str
    kind: str
    rules: tuple[str, ...]
    elements: tuple[str, ...]
    knowledge_version: str
    profile: str


@dataclass(frozen=True, slots=True)
class KeptFeedback:
    """One row of the store: the feedback, the service it came to, when (UTC), and the card it answers where known."""

    service_id: str
    received_at: datetime
    feedback: Feedback
    card: GivenCard | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One call that handed over a record or feedback; nothing of the patient.

    `call` is "hook", "feedback" or "assessment"; `client` who called, where that is known; `status` the HTTP status.
    `kinds` and `rules` are those of the cards in the answer.
    """

    at: datetime
    call: str
    status: int
    duration_ms: float
    knowledge_version: str
    service_id: str | None = None
    client: str | None = None
    hook_instance: str | None = None
    kinds: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days rows are kept; 0 is for good. Token ids go a day after their token has expired."""

    feedback_days: int = 0
    cards_days: int = 0
    audit_days: int = 0


def time_text(moment: datetime) -> str:
    """Return `moment` as it is written in the database: ISO 8601 in UTC with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
