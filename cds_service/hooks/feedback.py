"""Feedback on cards, as clients send it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.hooks.validation import Validator, read_json_object
from cds_service.store.model import Feedback


class FeedbackReader:
    """Reads feedback bodies; built once at start."""

    def __init__(self) -> None:
        self._validator = Validator("feedback")

    def read(self, body: bytes) -> list[Feedback]:
        """Return the feedback in `body`, in order.

        Raises:
            ProtocolError: 400; the body is not JSON or lacks a required member.
        """
        document = read_json_object(body)
        self._validator.require(document)
        return [_feedback(entry) for entry in document["feedback"]]


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
