"""What the page of a code tells of its claim line: the modifiers it may carry and Medicare's payment policy.

Everything is worked out from the tables and profiles, so that the page cannot say other than the review does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from cds_service.knowledge.library import Knowledge
from cds_service.knowledge.model import Code, FeePolicy
from cds_service.knowledge.tables import KINDS

Json = dict[str, Any]

# Medicare physician fee schedule, in our words: the columns "status code", "global days" and "multiple procedure".
_STATUS: Mapping[str, str] = {
    "A": "Paid by the fee schedule.",
    "C": "Has no price in the fee schedule: the Medicare contractor sets it, or does not cover the code.",
    "J": "Paid as anesthesia, from its base units, not by the fee schedule.",
}
_GLOBAL_DAYS: Mapping[str, str] = {
    "000": "The fee covers the day itself.",
    "010": "The fee covers the day itself and the ten days after it.",
    "ZZZ": "An add-on: the days its primary covers hold for it.",
    "XXX": "The fee covers no days of care.",
    "YYY": "The Medicare contractor decides which days the fee covers.",
}
_MULTIPLE: Mapping[str, str] = {
    "0": "Beside other procedures of the day it is paid in full.",
    "2": "Beside other procedures of the day all but the dearest are paid at a lower rate.",
}
_BILATERAL = "1"
_READING_AND_EQUIPMENT = "1"


def modifiers_json(knowledge: Knowledge, code: Code) -> list[Json]:
    """Return the modifiers a line of `code` may carry, and when, in the order they stand on a line."""
    return [{"modifier": modifier, "when": when} for modifier, when in _modifiers(knowledge, code)]


def _modifiers(knowledge: Knowledge, code: Code) -> Iterator[tuple[str, str]]:
    if code.bilateral == _BILATERAL:
        yield "RT", "The right side was treated."
        yield "LT", "The left side was treated."
        if not code_for_both_sides(knowledge, code):
            yield "50", _both_sides(code)
    if code.role == "primary" and code.family is not None:
        names = knowledge.on(date.max).parameter("distinct_modifiers").replace(" ", ", ")
        yield names, _distinct(knowledge, code)
    yield from _diagnostic(knowledge, code)
    policy = _policy(knowledge, code.code)
    if policy is not None and policy.pctc == _READING_AND_EQUIPMENT:
        yield "26", "The clinician guides and reads; the equipment is the hospital's."
        yield "TC", "The equipment and its staff alone."


def code_for_both_sides(knowledge: Knowledge, code: Code) -> str | None:
    """Return the other code both sides are (64468 for 64466), whatever the indicator says of modifier 50."""
    schemes = knowledge.schemes(code.family or "")
    return next((scheme.both_sides for scheme in schemes if scheme.both_sides and scheme.primary == code.code), None)


def _both_sides(code: Code) -> str:
    if code.role == "add-on":
        return "Both sides were treated, and the payer takes an add-on in this form: one line, one unit."
    return "Both sides were treated: one line, one unit."


def _distinct(knowledge: Knowledge, code: Code) -> str:
    another = (
        "a service that was distinct from another of the same day, where the edits allow it and the record shows it"
    )
    if not knowledge.on(date.max).bundled_into_anesthesia(code.code):
        return f"For {another}."
    return (
        "Beside the anesthesia of an operation, where the block was asked for, was for pain afterwards and was not the "
        f"anesthetic; and for {another}."
    )


def _diagnostic(knowledge: Knowledge, code: Code) -> Iterator[tuple[str, str]]:
    """Yield the modifier of diagnostic lines with the payers that want one themselves, not by a profile they extend."""
    family = knowledge.families.get(code.family or "")
    if family is None or not family.diagnostic_modifier:
        return
    payers: dict[str, list[str]] = {}
    for rules in knowledge.rules.values():
        values = rules.parameters.get("diagnostic_facet_modifier", ())
        if values and values[-1].value != "none":
            payers.setdefault(values[-1].value, []).append(rules.title)
    for modifier, titles in payers.items():
        yield modifier, f"The block was diagnostic, and the payer is: {', '.join(titles)}."


def fee_policy_json(knowledge: Knowledge, code: str) -> Json | None:
    """Return what the newest fee schedule with `code` says of its payment; None where no loaded one has it.

    The meanings of single indicators, by the name of the column, are in `meanings`; an indicator without one is left
    to its letter or figure.
    """
    policy = _policy(knowledge, code)
    if policy is None:
        return None
    meanings = (
        _STATUS.get(policy.status),
        _GLOBAL_DAYS.get(policy.global_days),
        _MULTIPLE.get(policy.multiple),
    )
    source = knowledge.sources[policy.source]
    return {
        "status": policy.status,
        "globalDays": policy.global_days,
        "multiple": policy.multiple,
        "assistant": policy.assistant,
        "professionalTechnical": policy.pctc,
        "meanings": [meaning for meaning in meanings if meaning],
        "edition": policy.edition,
        "source": source.id,
    }


def unknown_edits(knowledge: Knowledge, code: str) -> list[str]:
    """Return a sentence for each kind of Medicare edit no loaded edition holds for `code`: silence is not *none*."""
    has_units = any(code in table.rows for table in knowledge.tables.mue)
    has_pairs = any(code in table.codes for table in knowledge.tables.ptp)
    missing = [kind for kind, there in (("mue", has_units), ("ptp", has_pairs)) if not there]
    return [f"The loaded {KINDS[kind]} do not have {code}: that there is none is not known." for kind in missing]


def _policy(knowledge: Knowledge, code: str) -> FeePolicy | None:
    tables = reversed(knowledge.tables.mpfs)
    return next((table.policies[code] for table in tables if code in table.policies), None)
