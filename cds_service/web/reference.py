"""What there is to tell people about a code or a rule, as plain data: the JSON of the pages, and what they show.

Members without a value are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from cds_service.cards.wording import element_words
from cds_service.knowledge.library import Knowledge
from cds_service.knowledge.model import Code, Position, Ptp
from cds_service.review.rule import Rule
from cds_service.review.rules import all_rules, page
from cds_service.web.billing import code_for_both_sides, fee_policy_json, modifiers_json, unknown_edits

Json = dict[str, Any]

NO_DESCRIPTOR = (
    "CPT descriptors are the copyright of the American Medical Association and are not shipped; "
    "a licensee supplies them with CDS_CPT_DESCRIPTORS. The words here are our own."
)
NOTHING_PUBLISHED = "Nothing published about this code was found; the default rules hold where no others are known."
ROLES: Mapping[str, str] = {
    "primary": "Primary code",
    "add-on": "Add-on code",
    "imaging": "Imaging guidance",
    "anesthesia": "Anesthesia",
    "follow-up": "Follow-up care",
    "unlisted": "Unlisted procedure",
}
# Medicare physician fee schedule, column "bilateral surgery".
_BILATERAL: Mapping[str, str] = {
    "0": "Medicare pays both sides as one: modifier 50 changes nothing.",
    "1": "Medicare pays both sides at 150 %: modifier 50.",
    "2": "Both sides are already in the payment: no modifier for the side.",
    "3": "Medicare pays each side in full.",
    "9": "Sides do not apply.",
}
# Medicare NCCI, MUE adjudication indicator.
_MAI: Mapping[int, str] = {
    1: "on one claim line",
    2: "on one day, whatever the reason: neither a modifier nor an appeal lifts it",
    3: "on one day; more can be paid on appeal where the record shows the need",
}
# Medicare NCCI, by the column this code stands in and the modifier indicator of the pair.
_PAIRS: Mapping[tuple[int, str], str] = {
    (2, "0"): "Not paid beside these codes; no modifier changes that.",
    (2, "1"): "Not paid beside these codes, unless it was a distinct service and a modifier says so.",
    (1, "0"): "These codes are not paid beside it; no modifier changes that.",
    (1, "1"): "These codes are not paid beside it, unless they were a distinct service and a modifier says so.",
}


def code_reference(knowledge: Knowledge, code: Code, descriptor: str | None = None) -> Json:
    """Return everything the knowledge tells people about `code`.

    `descriptor` is the licensed CPT descriptor, where the site has one. Edits are those of the newest edition loaded.
    """
    told = code.reference
    family = knowledge.families.get(code.family or "")
    return _stated(
        code=code.code,
        title=code.title,
        descriptor=descriptor,
        descriptorNote=None if descriptor else NO_DESCRIPTOR,
        role=code.role,
        family=_stated(id=family.id, title=family.title) if family else None,
        plain=code.plain,
        usedWhen=told.used_when,
        context=told.context,
        counts=code.counts,
        oncePerDay=code.once_per_day or None,
        sides=told.sides,
        bilateral=_bilateral(knowledge, code),
        modifiers=modifiers_json(knowledge, code),
        imaging=told.imaging,
        documentation=told.documentation,
        elements=_elements(knowledge, code),
        examples=list(told.examples),
        primaries=_known_first(knowledge, code.primaries),
        related=[_named(knowledge, other) for other in told.related],
        placesOfService=[_term(knowledge, term) for term in told.places_of_service],
        taxonomies=[_term(knowledge, term) for term in told.taxonomies],
        dailyLimit=_daily_limit(knowledge, code.code),
        pairs=_pairs(knowledge, code.code),
        unknownEdits=unknown_edits(knowledge, code.code),
        payment=fee_policy_json(knowledge, code.code),
        positions=_positions(knowledge, code),
        rules=[{"id": rule.id, "title": rule.title} for rule in all_rules() if code.family in rule.families],
        validFrom=code.valid_from.isoformat(),
        validTo=code.valid_to.isoformat() if code.valid_to else None,
        sources=sources_json(knowledge, code.sources),
    )


def rule_reference(knowledge: Knowledge, rule: Rule) -> Json:
    """Return the page of `rule` (Markdown, its first line left out) and its metadata."""
    _, _, body = page(rule).partition("\n")
    return _stated(
        id=rule.id,
        title=rule.title,
        severity=rule.severity.value,
        families=[_stated(id=name, title=knowledge.families[name].title) for name in rule.families],
        forOrders=rule.for_orders,
        page=body.strip(),
        sources=sources_json(knowledge, rule.sources),
    )


def codes_by_role(knowledge: Knowledge) -> list[tuple[str, list[Code]]]:
    """Return the codes under the name of their role, roles and codes in a fixed order."""
    codes = sorted(knowledge.codes.values(), key=lambda code: code.code)
    groups = ((name, [code for code in codes if code.role == role]) for role, name in ROLES.items())
    return [(name, found) for name, found in groups if found]


def sources_json(knowledge: Knowledge, ids: Iterable[str]) -> list[Json]:
    """Return sources in the form the assessment cites them in."""
    found = (knowledge.sources[id_] for id_ in dict.fromkeys(ids))
    return [_stated(source=s.id, title=s.title, publisher=s.publisher, date=s.published, url=s.url) for s in found]


def _elements(knowledge: Knowledge, code: Code) -> list[Json]:
    if code.family is None:
        return []
    requirements = knowledge.on(date.max).requirements(code.family, continuous=bool(code.continuous))
    return [
        {"element": r.element, "name": element_words(r.element).name, "requirement": r.level, "when": r.when}
        for r in requirements
    ]


def _bilateral(knowledge: Knowledge, code: Code) -> Json | None:
    if code.bilateral is None:
        return None
    meaning = _BILATERAL.get(code.bilateral)
    if other := code_for_both_sides(knowledge, code):
        meaning = f"Both sides are another code, {other}; it takes the place of modifier 50."
    return _stated(indicator=code.bilateral, meaning=meaning)


def _daily_limit(knowledge: Knowledge, code: str) -> Json | None:
    table = next((table for table in reversed(knowledge.tables.mue) if code in table.rows), None)
    if table is None:
        return None
    edit = table.rows[code]
    return _stated(
        units=edit.units,
        adjudication=edit.mai,
        meaning=_MAI.get(edit.mai),
        edition=edit.edition,
        sources=sources_json(knowledge, [edit.source]),
    )


def _pairs(knowledge: Knowledge, code: str) -> Json | None:
    """Return the procedure-to-procedure edits of `code`: codes with a page first, anesthesia codes as a number."""
    table = next((table for table in reversed(knowledge.tables.ptp) if code in table.codes), None)
    if table is None:
        return None
    groups: dict[tuple[int, str], list[str]] = {}
    for pair in table.rows.values():
        if code in (pair.column1, pair.column2):
            other, column = _other(pair, code)
            groups.setdefault((column, pair.indicator), []).append(other)
    anesthesia = knowledge.on(table.valid_to).is_anesthesia
    return {
        "edition": table.edition,
        "count": sum(map(len, groups.values())),
        "groups": [
            _stated(
                column=column,
                indicator=indicator,
                meaning=_PAIRS.get((column, indicator)),
                codes=_known_first(knowledge, (other for other in others if not anesthesia(other))),
                anesthesiaCodes=sum(map(anesthesia, others)) or None,
            )
            for (column, indicator), others in sorted(groups.items(), reverse=True)
        ],
        "sources": sources_json(knowledge, [table.source]),
    }


def _known_first(knowledge: Knowledge, codes: Iterable[str]) -> list[str]:
    """Return codes in order, those with a page of their own before the others."""
    return sorted(codes, key=lambda code: (code not in knowledge.codes, code))


def _positions(knowledge: Knowledge, code: Code) -> list[Json]:
    """Return what each payer has published, and of each other payer that nothing was found.

    Of codes beside a block (imaging, anesthesia) only payers with something published are named.
    """
    return [
        _stated(
            profile=payer,
            title=knowledge.profiles[payer].title,
            statements=[_position(knowledge, one) for one in found],
            note=None if found else NOTHING_PUBLISHED,
        )
        for payer, found in knowledge.positions_on(code).items()
        if found or code.is_block
    ]


def _position(knowledge: Knowledge, one: Position) -> Json:
    return _stated(
        statement=one.statement,
        validFrom=one.valid_from.isoformat(),
        validTo=one.valid_to.isoformat() if one.valid_to else None,
        sources=sources_json(knowledge, one.sources),
    )


def _other(pair: Ptp, code: str) -> tuple[str, int]:
    return (pair.column2, 1) if pair.column1 == code else (pair.column1, 2)


def _named(knowledge: Knowledge, code: str) -> Json:
    known = knowledge.codes.get(code)
    return _stated(code=code, title=known.title if known else None)


def _term(knowledge: Knowledge, code: str) -> Json:
    return {"code": code, "title": knowledge.terms[code].title}


def _stated(**members: Any) -> Json:
    return {name: value for name, value in members.items() if value not in (None, "", [])}
