"""Factories for charts and cases: a case is said in a line or two, and judged with the real knowledge."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date

import pytest

from cds_service.chart.model import (
    AnesthesiaType,
    Block,
    Chart,
    ClaimFacts,
    Contradiction,
    DiagnosisFacts,
    Evidence,
    Fact,
    Guidance,
    Line,
    NotesState,
    Operation,
    OrderFacts,
    Origin,
    PastSession,
    Purpose,
    Side,
    Site,
    SiteCount,
    Technique,
)
from cds_service.fhir.coding import ICD_10_CM, SNOMED
from cds_service.knowledge.library import Knowledge, load
from cds_service.review import engine
from cds_service.review.assessment import Finding
from cds_service.review.case import Case
from cds_service.review.rules import all_rules, find_rule

DAY = date(2026, 3, 2)
_LINE = re.compile(r"(?P<name>[0-9A-Z-]+?)(?: x(?P<units>[\d.]+))?(?: @(?P<day>[\d-]+))?")


def words(quote: str) -> tuple[Evidence, ...]:
    """Return evidence from a note with these words."""
    return (Evidence("DocumentReference/note", "content[0].attachment", quote, 0, len(quote)),)


def fact(value, quote=None):
    """Return a fact with its words, None for None."""
    return None if value is None else Fact(value, words(quote or str(value)))


def as_day(day: date | str | None) -> date | None:
    return date.fromisoformat(day) if isinstance(day, str) else day


def read_line(text: str, number: int, claim: str) -> Line:
    """Read "64462-RT-59 x3 @2026-03-03" as a claim line: modifiers, units (1) and date (none)."""
    match = _LINE.fullmatch(text)
    assert match, text
    code, *modifiers = match["name"].split("-")
    day = date.fromisoformat(match["day"]) if match["day"] else None
    return Line(code, float(match["units"] or 1), tuple(modifiers), claim, f"item[{number}]", day)


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return load()


@pytest.fixture(scope="session")
def make_block() -> Callable[..., Block]:
    """Return a factory of performed blocks: `make_block("T4 T5", "right")` is a paravertebral injection."""

    def build(
        levels: str = "T4",
        side: str | None = "right",
        technique: str = "paravertebral",
        *,
        left: str | None = None,
        region: str | None = "thoracic",
        plane: str | None = None,
        target: str | None = None,
        method: str | None = None,
        count: tuple[int, int | None] | None = None,
        catheter: bool | None = None,
        guidance: Iterable[str] = (),
        image: bool | None = None,
        purpose: str | None = None,
        requested: bool | None = None,
        surgeon: bool | None = None,
        performers: Iterable[str] = (),
        day: date | str | None = DAY,
    ) -> Block:
        injected = {"right": (Side.RIGHT,), "left": (Side.LEFT,), "bilateral": (Side.RIGHT, Side.LEFT), None: (None,)}
        per_side = dict.fromkeys(injected[side], levels)
        if left is not None:
            per_side[Side.LEFT] = left
        sites = tuple(
            Site(level.replace("_", " "), one, words(level))
            for one, names in per_side.items()
            for level in names.split()
        )
        return Block(
            technique=Technique(technique),
            evidence=words(f"{technique} block"),
            origins=frozenset({Origin.NOTE}),
            region=region,
            plane=fact(plane),
            target=fact(target),
            method=fact(method),
            sites=sites,
            site_count=SiteCount(*count, words("sites")) if count else None,
            side=fact(Side(side)) if side else None,
            continuous=fact(catheter, "catheter"),
            guidance=tuple(fact(Guidance(name)) for name in guidance),
            image_saved=fact(image, "image saved"),
            purpose=fact(Purpose(purpose)) if purpose else None,
            performed_by_surgeon=fact(surgeon, "by the surgeon"),
            performers=tuple(performers),
            requested=fact(requested, "asked for by the surgeon"),
            service_date=as_day(day),
        )

    return build


@pytest.fixture
def make_case(knowledge: Knowledge, make_block: Callable[..., Block]) -> Callable[..., Case]:
    """Return a factory of cases: `make_case(make_block("T4 T5"), claim="64461-RT, 64462-RT x3")`.

    `claim` None: no Claim at all; `second_claim` is another one, `provider` and `second_provider` are whose they are.
    `orders` are draft orders instead of a Claim. `diagnoses` are those of the Claim
    ("S22.41XA G89.18"; "?" one without a code, "snomed:1" one of SNOMED CT), `points` what each of its lines points to,
    `conditions` those of the encounter. `profile` may be a dict of parameters
    laid over the default profile.
    """

    def build(
        *blocks: Block,
        claim: str | None = "",
        provider: str | None = None,
        second_claim: str | None = None,
        second_provider: str | None = None,
        orders: str | None = None,
        day: date | str = DAY,
        profile: str = "default",
        notes: str = "read",
        not_done: Iterable[Block] = (),
        anesthesia: str | None = None,
        operation: bool = False,
        contradictions: Iterable[str] = (),
        not_read: Iterable[str] = (),
        claims_known: bool = False,
        parameters: dict[str, str] | None = None,
        diagnoses: str = "",
        points: Iterable[str] = (),
        conditions: str = "",
        history: Iterable[PastSession] = (),
        own_knowledge: Knowledge | None = None,
    ) -> Case:
        chart = Chart(
            encounter="Encounter/1",
            date_of_service=as_day(day),
            blocks=tuple(blocks),
            not_done=tuple(not_done),
            anesthesia=(fact(AnesthesiaType(anesthesia)),) if anesthesia else (),
            anesthesia_records=(fact(AnesthesiaType(anesthesia)),) if anesthesia else (),
            operations=(Operation("Procedure/op", ("32480",), "lobectomy", day, (), words("lobectomy")),)
            if operation
            else (),
            conditions=_diagnoses(conditions, "Condition/{}", "code"),
            claims=(
                *_claims(claim, diagnoses, points, provider=provider),
                *_claims(second_claim, reference="Claim/2", provider=second_provider),
            )
            if orders is None
            else (),
            claims_known=claims_known,
            orders=_orders(orders),
            history=tuple(history),
            contradictions=tuple(Contradiction(name, (fact("one"), fact("other"))) for name in contradictions),
            notes=NotesState(notes),
            not_read=tuple((subject, "could not be read") for subject in not_read),
        )
        known = own_knowledge or (_with_parameters(knowledge, parameters) if parameters else knowledge)
        case, _ = engine.build_case(chart, known.on(as_day(day), profile), as_day(day))
        return case

    return build


def _claims(
    claim: str | None,
    diagnoses: str = "",
    points: Iterable[str] = (),
    *,
    reference: str = "Claim/1",
    provider: str | None = None,
) -> tuple[ClaimFacts, ...]:
    if claim is None:
        return ()
    texts = [text.strip() for text in claim.split(",") if text.strip()]
    pointed = dict(enumerate(points))
    lines = tuple(
        replace(read_line(text, number, reference), diagnoses=tuple(pointed.get(number, "").split()))
        for number, text in enumerate(texts)
    )
    known = _diagnoses(diagnoses, reference, "diagnosis[{}]")
    resource = {"resourceType": "Claim", "id": reference.rpartition("/")[2]}
    return (ClaimFacts(reference, resource, lines, "professional", provider, diagnoses=known),)


def _diagnoses(words: str, reference: str, path: str) -> tuple[DiagnosisFacts, ...]:
    """Read "S22.41XA snomed:1 ?" as diagnoses, in the order written; codes joined by "+" are of one diagnosis."""
    facts = []
    for number, word in enumerate(words.split()):
        for one in word.split("+"):
            where = Evidence(reference.format(number), f"{path.format(number)}.coding[0].code", one)
            system = SNOMED if one.startswith("snomed:") else ICD_10_CM
            known = one != "?"
            facts.append(DiagnosisFacts(where, one if known else None, system if known else None, number + 1))
    return tuple(facts)


def _orders(orders: str | None) -> tuple[OrderFacts, ...]:
    names = [name.strip() for name in (orders or "").split(",") if name.strip()]
    lines = [replace(read_line(name, n, f"ServiceRequest/{n}"), path="code") for n, name in enumerate(names)]
    return tuple(OrderFacts(line.reference, {"resourceType": "ServiceRequest"}, line) for line in lines)


def _with_parameters(knowledge: Knowledge, parameters: dict[str, str]) -> Knowledge:
    """Return the knowledge as a site would have it that laid these parameters over the default profile."""
    rules = knowledge.rules["default"]
    changed = {
        name: tuple(replace(dated, value=parameters[name]) if name in parameters else dated for dated in values)
        for name, values in rules.parameters.items()
    }
    return replace(knowledge, rules={**knowledge.rules, "default": replace(rules, parameters=changed)})


@pytest.fixture
def every_finding() -> Callable[[Case], list[Finding]]:
    """Return a function that runs every rule on a case, as the engine would."""

    def run(case: Case) -> list[Finding]:
        rules = [rule for rule in all_rules() if rule.for_orders or not case.ordered]
        return [finding for rule in rules for finding in rule.findings(case)]

    return run


@pytest.fixture
def found(every_finding) -> Callable[[Case], dict[str, list[str]]]:
    """Return a function that runs every rule on a case: rule id to messages."""

    def run(case: Case) -> dict[str, list[str]]:
        said: dict[str, list[str]] = {}
        for finding in every_finding(case):
            said.setdefault(finding.rule, []).append(finding.message)
        return said

    return run


@pytest.fixture
def judge(make_case, make_block):
    """Return a function that runs one rule: `judge("catheter-code", {"catheter": True}, claim="64461-RT")`.

    Each block is a dict of `make_block` arguments; {} is one paravertebral injection at T4 on the right.
    """

    def run(rule_id: str, *blocks: dict, not_done: Iterable[dict] = (), **options):
        case = make_case(
            *(make_block(**block) for block in blocks), not_done=[make_block(**block) for block in not_done], **options
        )
        rule = find_rule(rule_id)
        assert rule is not None
        return [] if case.ordered and not rule.for_orders else list(rule.findings(case))

    return run
