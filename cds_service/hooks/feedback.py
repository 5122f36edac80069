"""Feedback on cards, as clients send it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cds_service.hooks.outcome import Issue, ProtocolError
from cds_service.hooks.validation import Validator, read_json_object
from cds_service.store.model import Feedback

_MOST_ENTRIES: Final = 1000
_MOST_SUGGESTIONS: Final = 100
"""Accepted suggestions of one card, which has a few."""
_LONGEST_NAME: Final = 1000
"""Characters of a card's id, a suggestion's id or a time: a uuid has 36."""
_LONGEST_WORDS: Final = 10_000
"""Characters of what somebody wrote, and of the parts of a reason."""


class FeedbackReader:
    """Reads feedback bodies; built once at start."""

    def __init__(self) -> None:
        self._validator = Validator("feedback")

    def read(self, body: bytes) -> list[Feedback]:
        """Return the feedback in `body`, in order.

        Raises:
            ProtocolError: 400; the body is not JSON or lacks a required member. 413; it has more feedback, or longer
                texts, than anybody gives: nothing of it is kept.
        """
        document = read_json_object(body)
        _check_number(document.get("feedback"))
        self._validator.require(document)
        found = [_feedback(entry) for entry in document["feedback"]]
        for place, entry in enumerate(found):
            _check_texts(entry, place)
        return found


def _check_number(entries: object) -> None:
    """Raise where there is too much to look at one by one."""
    if not isinstance(entries, list):
        return
    if len(entries) > _MOST_ENTRIES:
        raise _too_long(f"There are more than {_MOST_ENTRIES} pieces of feedback in one call.", "feedback")
    for place, entry in enumerate(entries):
        accepted = entry.get("acceptedSuggestions") if isinstance(entry, dict) else None
        if isinstance(accepted, list) and len(accepted) > _MOST_SUGGESTIONS:
            name = f"feedback[{place}].acceptedSuggestions"
            raise _too_long(f"{name} has more than {_MOST_SUGGESTIONS} members.", name)


def _check_texts(entry: Feedback, place: int) -> None:
    names = (entry.card, entry.outcome_timestamp, *entry.accepted_suggestions)
    words = (entry.reason_code, entry.reason_system, entry.reason_display, entry.user_comment)
    if any(len(name) > _LONGEST_NAME for name in names) or any(word and len(word) > _LONGEST_WORDS for word in words):
        raise _too_long(f"feedback[{place}] has a text that is too long.", f"feedback[{place}]")


def _too_long(text: str, expression: str) -> ProtocolError:
    return ProtocolError(413, Issue("too-long", text, expression))


def _feedback(entry: Mapping[str, Any]) -> Feedback:
    override = entry.get("overrideReason") or {}
    reason = override.get("reason") or {}
    if isinstance(reason, str):  # the shape of an early draft, still sent
        reason = {"code": reason}
    return Feedback(
        card=entry["card"],
        outcome=entry["outcome"],
        outcome_timestamp=entry["outcomeTimestamp"],
        accepted_suggestions=tuple(accepted["id"] for accepted in entry.get("acceptedSuggestions") or ()),
        reason_code=reason.get("code") or None,
        reason_system=reason.get("system") or None,
        reason_display=reason.get("display") or None,
        user_comment=override.get("userComment") or None,
    )
