"""Why a clinician sets a card aside: reasons with stable codes, a set for each kind of card.

Sites map these codes in their EHR and count them in feedback, so a code once given keeps its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping

SYSTEM = "https://paravertebral-cds.org/CodeSystem/override-reasons"
"""The code system of the reasons; independent of where the service is deployed."""

_DISPLAYS: Mapping[str, str] = {
    "record-incomplete": "The record does not show everything that was done",
    "record-misread": "The note or the procedure was read wrongly",
    "payer-requires-otherwise": "The payer wants it reported another way",
    "already-corrected": "Already corrected, or being corrected elsewhere",
    "documented-elsewhere": "It is documented in another place",
    "not-applicable": "It does not apply to this block",
    "cannot-be-determined": "It cannot be determined any more",
    "order-intended": "The order is as intended",
    "will-review-later": "Will review later",
    "not-responsible": "Someone else codes or documents this block",
    "not-my-patient": "Not my patient",
}

_SETS: Mapping[str, tuple[str, ...]] = {
    "suggested-codes": (
        "record-incomplete",
        "record-misread",
        "payer-requires-otherwise",
        "already-corrected",
        "will-review-later",
        "not-responsible",
        "not-my-patient",
    ),
    "suggested-orders": (
        "order-intended",
        "record-misread",
        "payer-requires-otherwise",
        "will-review-later",
        "not-my-patient",
    ),
    "missing-documentation": (
        "documented-elsewhere",
        "record-misread",
        "not-applicable",
        "already-corrected",
        "will-review-later",
        "not-responsible",
        "not-my-patient",
    ),
    "clarification": (
        "cannot-be-determined",
        "documented-elsewhere",
        "record-misread",
        "will-review-later",
        "not-responsible",
        "not-my-patient",
    ),
}


def override_reasons(kind: str) -> list[dict[str, str]]:
    """Return the CDS Hooks `overrideReasons` for a kind of card ("suggested-orders" for draft orders).

    Raises KeyError for an unknown kind.
    """
    return [{"code": code, "system": SYSTEM, "display": _DISPLAYS[code]} for code in _SETS[kind]]
