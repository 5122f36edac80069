"""The pipeline as a whole: whatever JSON comes in, an assessment or a documented refusal comes out."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cds_service.cases import load_cases
from cds_service.fhir.record import PrefetchKey
from cds_service.knowledge.errors import KnowledgeError
from cds_service.pipeline import NothingToJudgeError, Pipeline
from cds_service.resources import cases_folder, schema
from cds_service.review.serialize import to_json

CASES = load_cases(cases_folder())
BUNDLES = [case.bundle() for case in CASES]
REQUESTS = [case.request(hook) for case in CASES for hook in case.hooks]
ASSESSMENTS = Draft202012Validator(schema("assessment"))

# The pipeline fixture keeps nothing of a request, so that it may serve every example.
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.sampled_from(
        ["64461", "64462-RT x3", "Encounter/1", "#", "#c", "urn:uuid:x", "Patient/other", "2026-02-30", "2026", "right"]
    ),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
TYPES = [
    "Procedure",
    "Claim",
    "DocumentReference",
    "ServiceRequest",
    "MedicationAdministration",
    "Coverage",
    "Encounter",
]
NAMES = (
    "id status code text coding system display subject patient encounter context reference period start item encounter "
    "productOrService modifier quantity value servicedDate content attachment data contentType url note bodySite "
    "performer actor function performedDateTime payor class order type use provider requester reasonCode category "
    "contained medicationCodeableConcept medicationReference dosage dose route date doNotPerform"
)
MEMBERS = NAMES.split()
MEMBER_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=5)),
    max_leaves=20,
)
RESOURCES = st.builds(
    lambda kind, members: {"resourceType": kind, **members},
    st.sampled_from(TYPES) | JSON,
    st.dictionaries(st.sampled_from(MEMBERS), MEMBER_VALUES, max_size=8),
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every (container, key) below a JSON value."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from places(value[key])


@st.composite
def mutated(draw: st.DrawFn, originals: list[Any]) -> Any:
    """Return a copy of one of the originals with a few of its members replaced or taken out."""
    value = copy.deepcopy(originals[draw(st.integers(0, len(originals) - 1))])
    for _ in range(draw(st.integers(1, 4))):
        found = list(places(value))
        if not found:
            break
        container, key = found[draw(st.integers(0, len(found) - 1))]
        if isinstance(container, dict) and draw(st.booleans()):
            del container[key]
        else:
            container[key] = draw(JSON)
    return value


@given(bundle=mutated(BUNDLES))
@FUZZ
def test_a_mutated_bundle_is_judged(pipeline: Pipeline, bundle: dict[str, Any]) -> None:
    found = pipeline.review_bundle(bundle)
    ASSESSMENTS.validate({"assessments": [to_json(assessment) for assessment in found]})


@pytest.mark.parametrize("wrong", [[], {"code": []}, True, "\n"], ids=repr)
@pytest.mark.parametrize("name", ["catheter-beside-anesthesia", "intercostal-with-stored-image", "order-addon-alone"])
def test_a_wrong_type_anywhere_is_read_over(name: str, wrong: Any, pipeline: Pipeline) -> None:
    case = next(case for case in CASES if case.id == name)
    request = case.request(case.hooks[0])
    for container, key in list(places(request["prefetch"])) + list(places(request["context"])):
        right, container[key] = container[key], wrong
        review(pipeline, request["hook"], request["context"], request["prefetch"])
        container[key] = right


@given(resources=st.lists(RESOURCES, max_size=4))
@FUZZ
def test_any_resources_are_judged(pipeline: Pipeline, resources: list[Any]) -> None:
    entries = [{"resource": resource} for resource in resources]
    found = pipeline.review_bundle({"resourceType": "Bundle", "type": "collection", "entry": entries})
    ASSESSMENTS.validate({"assessments": [to_json(assessment) for assessment in found]})


@given(bundle=JSON)
@FUZZ
def test_any_json_is_taken_for_a_bundle(pipeline: Pipeline, bundle: Any) -> None:
    pipeline.review_bundle(bundle)


@given(request=mutated(REQUESTS))
@FUZZ
def test_a_mutated_request_is_judged_or_refused_as_documented(pipeline: Pipeline, request: Any) -> None:
    review(pipeline, request.get("hook"), request.get("context"), request.get("prefetch"))


@given(
    hook=st.sampled_from(["order-sign", "encounter-discharge"]),
    encounter=st.sampled_from([None, "1", "Encounter/1", "urn:uuid:1", ""]),
    resources=st.dictionaries(st.sampled_from(list(PrefetchKey)), st.lists(RESOURCES, max_size=2), max_size=4),
    drafts=st.lists(RESOURCES, max_size=3),
)
@FUZZ
def test_a_request_of_any_resources_is_judged_or_refused_as_documented(
    pipeline: Pipeline, hook: str, encounter: Any, resources: dict[str, list[Any]], drafts: list[Any]
) -> None:
    context = {"patientId": "1", "encounterId": encounter, "draftOrders": as_bundle(drafts)}
    review(pipeline, hook, context, {key: as_bundle(found) for key, found in resources.items()})


def as_bundle(resources: list[Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in resources]}


def review(pipeline: Pipeline, hook: Any, context: Any, prefetch: Any) -> None:
    try:
        found = pipeline.review_request(hook, context, prefetch)
    except NothingToJudgeError:
        assert hook != "order-sign"
    else:
        ASSESSMENTS.validate({"assessments": [to_json(assessment) for assessment in found]})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_case_is_serialized_as_the_schema_says(case: Any, pipeline: Pipeline) -> None:
    found = [to_json(assessment) for assessment in pipeline.review_bundle(case.bundle())]
    ASSESSMENTS.validate({"assessments": found})
    assert json.loads(json.dumps(found)) == found
    quotes = [evidence for evidence in evidence_of(found) if "start" in evidence]
    assert all(len(each["quote"]) == each["end"] - each["start"] for each in quotes)


def evidence_of(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield from value.get("evidence", ())
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from evidence_of(inner)


def test_a_case_changes_nothing_it_was_given(pipeline: Pipeline) -> None:
    for bundle in BUNDLES:
        before = copy.deepcopy(bundle)
        pipeline.review_bundle(bundle)
        assert bundle == before


def test_an_unknown_profile_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(KnowledgeError, match="no such profile"):
        pipeline.review_bundle(BUNDLES[0], profile="nobody")


def test_a_discharge_without_anything_to_judge_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(NothingToJudgeError) as refusal:
        pipeline.review_request("encounter-discharge", {"patientId": "1", "encounterId": "1"}, {})
    assert refusal.value.keys == ("procedures", "claims", "documents")


@pytest.mark.parametrize("key", ["procedures", "claims", "documents"])
def test_one_kind_of_data_looked_for_is_enough_at_discharge(key: str, pipeline: Pipeline) -> None:
    assert pipeline.review_request("encounter-discharge", {"patientId": "1", "encounterId": "1"}, {key: None}) == ()


@pytest.mark.parametrize("text", ["", "   ", "\ud800 broken", "Right T4 paravertebral block.", "x" * (2 * 1024 * 1024)])
def test_any_note_gives_an_assessment(text: str, pipeline: Pipeline) -> None:
    ASSESSMENTS.validate({"assessments": [to_json(pipeline.review_note(text, day=date(2026, 3, 2)))]})


def test_the_day_given_stands_over_the_record(pipeline: Pipeline) -> None:
    found = pipeline.review_note("03/02/2026. Right T4 paravertebral block.", day=date(2017, 5, 1))
    assert found.date_of_service == date(2017, 5, 1)


MIXED = (
    "Right thoracic paravertebral catheter placed at T5 under ultrasound and secured. "
    "Left thoracic paravertebral block at T5, single shot, 15 mL ropivacaine 0.5%."
)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (MIXED, ["64463-RT x1", "64461-LT x1"]),
        ("Bilateral T4 PVB: catheter on the right, single injection on the left.", ["64463-RT x1", "64461-LT x1"]),
        ("Right T5 paravertebral catheter and left T5 single-shot block.", ["64463-RT x1", "64461-LT x1"]),
        (
            "Right: PVB catheter at T4, secured.\nLeft: PVB single shot at T4 and T6.",
            ["64463-RT x1", "64461-LT x1", "64462-LT x1"],
        ),
        ("ESP blocks T5: left catheter, right single shot.", ["64467-LT x1", "64466-RT x1"]),
        (
            "Serratus plane blocks on both sides. Catheter on the left, single shot on the right.",
            ["64467-LT x1", "64466-RT x1"],
        ),
        (
            "Right T5 paravertebral catheter placed, infusion started. Left T5 paravertebral block, 20 mL ropivacaine.",
            ["64463-RT x1", "64461-LT x1"],
        ),
        ("Bilateral PVBs T5, catheter on the right.", ["64463-RT x1", "64461-LT x1"]),
        # An edit with indicator 0 keeps the single block of the abdomen from standing beside the catheter.
        ("TAP blocks: a single injection on the right and a catheter on the left.", ["64487-LT x1"]),
    ],
)
def test_a_catheter_on_one_side_and_a_single_injection_on_the_other_are_two_blocks(
    text: str, lines: list[str], pipeline: Pipeline
) -> None:
    found = pipeline.review_note(text)
    assert [f"{line.code}-{'-'.join(line.modifiers)} x{line.units}" for line in found.expected_lines] == lines
    assert found.queries == ()


@pytest.mark.parametrize(
    "text",
    [
        "Bilateral paravertebral catheters at T5, secured. On the right a single shot was given as well.",
        "Paravertebral blocks at T5 on both sides: catheter and single shot.",
        "Right and left paravertebral blocks T5. Catheter threaded. Single shot, 15 mL.",
        "Paravertebral blocks right and left at T5; single shot or catheter as the side allowed.",
    ],
)
def test_a_catheter_and_a_single_injection_are_a_question_where_the_sides_are_not_told(
    text: str, pipeline: Pipeline
) -> None:
    found = pipeline.review_note(text)
    assert found.expected_lines == ()
    assert not found.correctable
    assert [query.options[:2] for query in found.queries] == [("catheter", "single injection")]
    assert len({evidence.quote for evidence in found.queries[0].evidence}) == 2


@pytest.mark.parametrize(
    "text",
    [
        "Bilateral thoracic paravertebral catheters at T5, secured, infusion started.",
        "Right paravertebral catheter at T5; a single injection of 15 mL was given first, then the catheter threaded.",
        "Paravertebral blocks T5. Right: catheter threaded 5 cm. Left: 4 cm in the space, secured.",
        "Right paravertebral catheter at T5. The procedure was repeated on the left.",
        "Right T5 paravertebral catheter placed. The same was done on the left.",
    ],
)
def test_a_catheter_alone_is_no_question(text: str, pipeline: Pipeline) -> None:
    found = pipeline.review_note(text)
    assert [line.code for line in found.expected_lines] == ["64463"]
    assert found.queries == ()
