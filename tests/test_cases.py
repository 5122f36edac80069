"""Every case of `fhir_fixtures/`, by every way in: over HTTP as cards, and through the pipeline as an assessment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from cds_service.cases import BUNDLE, Case, CaseExpectation, load_cases
from cds_service.chart.model import Block, Line
from cds_service.fhir.coding import cpt_codes, modifiers
from cds_service.fhir.formats.extract import extract
from cds_service.knowledge.library import Knowledge, load
from cds_service.pipeline import Pipeline
from cds_service.resources import cases_folder, schema
from cds_service.review.assessment import Assessment, ElementStatus, ExpectedLine
from cds_service.review.rules import all_rules
from cds_service.review.selection import select

CASES = load_cases(cases_folder())
CALLS = [pytest.param(case, hook, id=f"{case.id}-{hook}") for case in CASES for hook in case.hooks]
WAYS = [pytest.param(case, way, id=f"{case.id}-{way}") for case in CASES for way in (*case.hooks, BUNDLE)]

CODING_MODIFIERS = {"50", "RT", "LT", "59", "XE", "XP", "XS", "XU", "KX"}

LineKey = tuple[str, float, tuple[str, ...]]


def assessments_of(case: Case, way: str, pipeline: Pipeline) -> tuple[Assessment, ...]:
    if way == BUNDLE:
        return pipeline.review_bundle(case.bundle())
    request = case.request(way)
    return pipeline.review_request(way, request["context"], request.get("prefetch"))


def cards_of(case: Case, hook: str, client: FlaskClient) -> list[dict[str, Any]]:
    answer = client.post(f"/cds-services/paravertebral-{hook}", json=case.request(hook))
    assert answer.status_code == 200, answer.text
    Draft202012Validator(schema("response")).validate(answer.json)
    cards: list[dict[str, Any]] = answer.json["cards"]
    return cards


def expected_keys(expected: CaseExpectation) -> Counter[LineKey]:
    return Counter((line.code, float(line.units), tuple(line.modifiers)) for line in expected.lines)


def key_of(line: ExpectedLine | Line) -> LineKey:
    return line.code, float(line.units), tuple(m for m in line.modifiers if m in CODING_MODIFIERS)


def site_names(block: Block) -> list[str]:
    return sorted(f"{site.level} {site.side.value}" if site.side else str(site.level) for site in block.sites)


@pytest.mark.parametrize(("case", "way"), WAYS)
def test_expected_lines(case: Case, way: str, pipeline: Pipeline) -> None:
    found = Counter(key_of(line) for a in assessments_of(case, way, pipeline) for line in a.expected_lines)
    assert found == expected_keys(case.expected(way))


@pytest.mark.parametrize(("case", "way"), WAYS)
def test_findings(case: Case, way: str, pipeline: Pipeline) -> None:
    expected = case.expected(way)
    found = {finding.rule for a in assessments_of(case, way, pipeline) for finding in a.findings}
    assert expected.findings <= found <= expected.findings | expected.findings_allowed


@pytest.mark.parametrize(("case", "way"), WAYS)
def test_blocks(case: Case, way: str, pipeline: Pipeline) -> None:
    expected = case.expected(way)
    found = [block for a in assessments_of(case, way, pipeline) for block in a.blocks]
    assert sorted(b.technique.value for b in found) == sorted(b.technique for b in expected.blocks)
    for block in expected.blocks:
        same = [b for b in found if b.technique.value == block.technique]
        if block.sites is not None:
            assert sorted(block.sites) in [site_names(b) for b in same]
        if block.continuous is not None:
            assert block.continuous in [bool(b.continuous and b.continuous.value) for b in same]


@pytest.mark.parametrize(("case", "way"), WAYS)
def test_documentation(case: Case, way: str, pipeline: Pipeline) -> None:
    expected = case.expected(way)
    required = [e for a in assessments_of(case, way, pipeline) for e in a.documentation if e.requirement == "required"]
    missing = {e.element for e in required if e.status is ElementStatus.MISSING}
    assert expected.missing <= missing <= expected.missing | expected.missing_allowed
    assert {e.element for e in required if e.status is ElementStatus.CONTRADICTED} == expected.contradicted


@pytest.mark.parametrize(("case", "way"), WAYS)
def test_questions_and_what_is_not_checked(case: Case, way: str, pipeline: Pipeline) -> None:
    expected = case.expected(way)
    found = assessments_of(case, way, pipeline)
    assert sum(len(a.queries) for a in found) == expected.queries
    assert expected.not_checked <= {item.rule for a in found for item in a.not_checked}
    if expected.date_of_service:
        assert {str(a.date_of_service) for a in found} == {expected.date_of_service}
    if found:
        assert {a.profile for a in found} == {case.profile}


@pytest.mark.parametrize(("case", "hook"), CALLS)
def test_cards(case: Case, hook: str, client: FlaskClient) -> None:
    expected = case.expected(hook)
    cards = cards_of(case, hook, client)
    kinds = [card["extension"]["org.paravertebral-cds.card"]["kind"] for card in cards]
    assert kinds == list(expected.cards), [card["summary"] for card in cards]
    for words in expected.summary_contains:
        assert any(words in card["summary"] for card in cards), [card["summary"] for card in cards]


@pytest.mark.parametrize(("case", "hook"), CALLS)
def test_every_suggested_resource_is_valid_and_every_summary_fits(case: Case, hook: str, client: FlaskClient) -> None:
    cards = cards_of(case, hook, client)
    assert not [path for card in cards for path in empty_members(card)]
    for card in cards:
        assert len(card["summary"]) <= 139
    for action in actions_of(cards):
        if "resource" in action:
            get_fhir_model_class(action["resource"]["resourceType"]).model_validate(action["resource"])


@pytest.mark.parametrize(("case", "hook"), CALLS)
def test_accepting_the_suggestions_yields_the_expected_lines(
    case: Case, hook: str, client: FlaskClient, pipeline: Pipeline
) -> None:
    actions = list(actions_of(cards_of(case, hook, client)))
    if not actions:
        return
    found = assessments_of(case, hook, pipeline)[0]
    expected = Counter((line.code, float(line.units), line.modifiers) for line in found.expected_lines)
    if found.orders:  # an order has no place for modifiers
        ordered = Counter((code, units, ()) for code, units, _ in expected.elements())
        assert Counter(orders_after(found, actions)) == ordered
    else:
        (action,) = actions
        assert Counter(claim_lines(action["resource"], found.judged_codes)) == expected


@pytest.mark.conformance("encounter-discharge-repeated")
@pytest.mark.parametrize(("case", "hook"), CALLS)
def test_a_hook_fired_again_says_the_same_with_the_same_uuids(case: Case, hook: str, client: FlaskClient) -> None:
    assert cards_of(case, hook, client) == cards_of(case, hook, client)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_assessments_follow_their_schema(case: Case, client: FlaskClient) -> None:
    answer = client.post("/assessments", json=case.bundle())
    assert answer.status_code == 200, answer.text
    Draft202012Validator(schema("assessment")).validate(answer.json)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_quote_is_the_records_own_words(case: Case, client: FlaskClient) -> None:
    notes = "\n".join(extract(file).text for file in case.note_files().values())
    answer = client.post("/assessments", json=case.bundle()).json
    for evidence in evidence_in(answer):
        if evidence["path"].endswith("attachment"):
            assert evidence["quote"] in notes
            assert len(evidence["quote"]) == evidence["end"] - evidence["start"]


def families_of(case: Case, pipeline: Pipeline, knowledge: Knowledge) -> Iterator[str]:
    """Yield the families of the blocks that the case tells of, as they are coded on their day."""
    for found in pipeline.review_bundle(case.bundle()):
        view = knowledge.on(found.date_of_service or date.max, found.profile)
        yield from (selection.family.id for selection in select(found.blocks, view, found.lines))


def test_every_family_has_cases(pipeline: Pipeline) -> None:
    knowledge = load()
    told = Counter(family for case in CASES for family in set(families_of(case, pipeline, knowledge)))
    assert {family: told[family] for family in knowledge.families if told[family] < 2} == {}


def test_every_rule_fires_in_a_case() -> None:
    fired = {rule for case in CASES for way in (*case.hooks, BUNDLE) for rule in case.expected(way).findings}
    assert {rule.id for rule in all_rules()} - fired == set()


def actions_of(cards: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for card in cards:
        for suggestion in card.get("suggestions", ()):
            yield from suggestion["actions"]


def claim_lines(claim: dict[str, Any], judged: frozenset[str]) -> Iterator[LineKey]:
    for item in claim.get("item", ()):
        for value in cpt_codes(item["productOrService"]):
            if value.code in judged:
                units = float(item.get("quantity", {}).get("value", 1))
                yield value.code, units, modifiers(item.get("modifier"))


def orders_after(found: Assessment, actions: list[dict[str, Any]]) -> Iterator[LineKey]:
    """Yield what is ordered once every action has been applied."""
    changed = {f"ServiceRequest/{a['resource']['id']}" for a in actions if a["type"] == "update"}
    deleted = {a["resourceId"] for a in actions if a["type"] == "delete"}
    kept = [order for order in found.orders if order.reference not in changed | deleted]
    resources = [*(order.resource for order in kept), *(a["resource"] for a in actions if "resource" in a)]
    for resource in resources:
        units = float(resource.get("quantityQuantity", {}).get("value", 1))
        yield cpt_codes(resource["code"])[0].code, units, ()


def empty_members(value: object, path: str = "") -> Iterator[str]:
    if value is None or value in ("", [], {}):
        yield path
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from empty_members(member, f"{path}.{name}")
    elif isinstance(value, list):
        for place, member in enumerate(value):
            yield from empty_members(member, f"{path}[{place}]")


def evidence_in(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if {"reference", "path"} <= set(value):
            yield value
        for member in value.values():
            yield from evidence_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from evidence_in(member)
