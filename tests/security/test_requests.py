"""Whole requests: what is too much is left out and said, and no shape of a record costs more than its size."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.chart import bounds
from cds_service.chart.narrative.effort import MOST_CHARACTERS
from cds_service.pipeline import Pipeline, TooMuchError
from cds_service.resources import cases_folder
from cds_service.review.assessment import Assessment
from tests.security.cost import assert_linear

Json = dict[str, Any]

_REQUEST: Json = json.loads(
    (cases_folder() / "thoracotomy-addon-three-units" / "encounter-discharge.json").read_text("utf-8")
)
_PATIENT, _ENCOUNTER = (_REQUEST["context"][name] for name in ("patientId", "encounterId"))
_CODES = ("64461", "64462", "64463", "64490", "64493", "64520", "64420", "64479", "62320", "20552", "64486", "64415")


def _first(key: str) -> Json:
    value = _REQUEST["prefetch"][key]
    found: Json = value["entry"][0]["resource"] if value["resourceType"] == "Bundle" else value
    return copy.deepcopy(found)


_PROCEDURE, _CLAIM = _first("procedures"), _first("claims")
_PROCEDURE["code"] = {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "64461"}]}


def _bundle(resources: list[Json]) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in resources]}


def _note(place: int, text: str, **members: Any) -> Json:
    data = base64.b64encode(text.encode()).decode()
    return {
        "resourceType": "DocumentReference",
        "id": f"n{place}",
        "status": "current",
        "subject": {"reference": f"Patient/{_PATIENT}"},
        "context": {"encounter": [{"reference": f"Encounter/{_ENCOUNTER}"}]},
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
        **members,
    }


def _item(place: int, code: str = "64461") -> Json:
    coded = {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": code}]}
    return {**_CLAIM["item"][0], "sequence": place + 1, "productOrService": coded}


def _claim(items: list[Json], **members: Any) -> Json:
    return {**_CLAIM, "item": items, **members}


def _diagnoses(number: int) -> list[Json]:
    coding = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "S22.41XA"}
    return [{"sequence": 1, "diagnosisCodeableConcept": {"coding": [coding]}} for _ in range(number)]


def _appends(place: int) -> Json:
    return {"relatesTo": [{"code": "appends", "target": {"reference": f"DocumentReference/n{place}"}}]}


def _day(place: int) -> str:
    return (date(2000, 1, 1) + timedelta(days=place)).isoformat()


_SHAPES: dict[str, tuple[str, Callable[[int], list[Json]]]] = {
    "procedures": ("procedures", lambda n: [{**_PROCEDURE, "id": f"p{i}"} for i in range(n)]),
    "one-procedure-again-and-again": ("procedures", lambda n: [_PROCEDURE] * n),
    "procedures-on-days-of-their-own": (
        "procedures",
        lambda n: [{**_PROCEDURE, "id": f"p{i}", "performedDateTime": _day(i)} for i in range(n)],
    ),
    "annotations": (
        "procedures",
        lambda n: [{**_PROCEDURE, "note": [{"text": f"PVB right T4 {i}"} for i in range(n)]}],
    ),
    "people-contained": (
        "procedures",
        lambda n: [
            {
                **_PROCEDURE,
                "contained": [{"resourceType": "Practitioner", "id": f"p{i}"} for i in range(n)],
                "performer": [{"actor": {"reference": f"#p{i}"}} for i in range(n)],
            }
        ],
    ),
    "codes-of-one-procedure": (
        "procedures",
        lambda n: [{**_PROCEDURE, "code": {"coding": [{"code": _CODES[i % len(_CODES)]} for i in range(n)]}}],
    ),
    "lines-of-one-code": ("claims", lambda n: [_claim([_item(i) for i in range(n)])]),
    "lines-of-many-codes": (
        "claims",
        lambda n: [_claim([_item(i, str(10000 + 37 * i)) for i in range(n)] + [_item(n)])],
    ),
    "claims": ("claims", lambda n: [{**_claim([_item(0)]), "id": f"c{i}"} for i in range(n)]),
    "codes-of-one-line": (
        "claims",
        lambda n: [
            _claim([{**_item(0), "productOrService": {"coding": [{"code": str(10000 + i)} for i in range(n)]}}])
        ],
    ),
    "diagnoses": (
        "claims",
        lambda n: [
            _claim([{**_item(i), "diagnosisSequence": [1] * 20} for i in range(n // 10)], diagnosis=_diagnoses(n))
        ],
    ),
    "notes": ("documents", lambda n: [_note(i, f"Right PVB at T4 was performed. {i}") for i in range(n)]),
    "addenda": ("documents", lambda n: [_note(i, f"Addendum {i}: the side is left, not right. PVB") for i in range(n)]),
    "addenda-to-addenda": ("documents", lambda n: [_note(i, f"PVB {i}", **_appends(i + 1)) for i in range(n)]),
    "corrections-in-one-note": (
        "documents",
        lambda n: [_note(0, f"{n} PVB at T4. Addendum: " + "side is left, not right. " * n)],
    ),
    "attachments-of-one-document": (
        "documents",
        lambda n: [{**_note(0, "x"), "content": [_note(0, f"PVB {i} w{i}")["content"][0] for i in range(n)]}],
    ),
    "blocks-in-one-note": (
        "documents",
        lambda n: [_note(0, f"{n}. " + "Right PVB at T4, left ESP block at T5 with 5 mL ropivacaine.\n" * n)],
    ),
}


def _with(key: str, resources: list[Json]) -> Json:
    return {**_REQUEST, "prefetch": {**_REQUEST["prefetch"], key: _bundle(resources)}}


def _review(pipeline: Pipeline, request: Json) -> tuple[Assessment, ...]:
    return pipeline.review_request(request["hook"], request["context"], request.get("prefetch"))


@pytest.mark.parametrize(("key", "shape"), _SHAPES.values(), ids=_SHAPES)
def test_time_is_in_proportion_to_the_record(pipeline: Pipeline, key: str, shape: Callable[[int], list[Json]]) -> None:
    assert_linear(lambda size: _with(key, shape(size)), lambda request: _review(pipeline, request), 900)


@pytest.mark.parametrize(
    ("key", "resources", "reason"),
    [
        pytest.param(
            "claims",
            [_claim([_item(i, "99213") for i in range(bounds.MOST_LINES)] + [_item(0)])],
            bounds.MANY_LINES,
            id="lines",
        ),
        pytest.param("claims", [_claim([_item(i) for i in range(201)])], bounds.MANY_LINES, id="block-lines"),
        pytest.param("claims", [_claim([_item(0)], diagnosis=_diagnoses(201))], bounds.MANY_LINES, id="diagnoses"),
        pytest.param("documents", [_note(i, f"{i} " + "PVB " * 49_000) for i in range(6)], bounds.MUCH_TEXT, id="text"),
        pytest.param(
            "procedures",
            [{**_PROCEDURE, "id": f"p{i}"} for i in range(bounds.MOST_ACCOUNTS + 1)],
            bounds.MANY_ACCOUNTS,
            id="accounts",
        ),
    ],
)
def test_what_is_too_much_is_said(pipeline: Pipeline, key: str, resources: list[Json], reason: str) -> None:
    (found,) = _review(pipeline, _with(key, resources))
    assert any(reason in each.reason for each in found.not_checked)


@pytest.mark.parametrize(
    ("key", "resources"),
    [
        pytest.param(
            "claims",
            [_claim([_item(i, "99213") for i in range(bounds.MOST_LINES - 200)] + [_item(i) for i in range(200)])],
            id="lines",
        ),
        pytest.param("claims", [_claim([_item(0)], diagnosis=_diagnoses(200))], id="diagnoses"),
        pytest.param("documents", [_note(i, f"PVB {i}. " + "Home. " * 30_000) for i in range(2)], id="text"),
    ],
)
def test_what_is_just_within_the_limits_is_judged(pipeline: Pipeline, key: str, resources: list[Json]) -> None:
    (found,) = _review(pipeline, _with(key, resources))
    told = " ".join(each.reason for each in found.not_checked)
    assert bounds.MANY_LINES not in told
    assert bounds.MUCH_TEXT not in told


def test_a_claim_too_large_to_judge_is_not_clean(pipeline: Pipeline) -> None:
    """Nothing is done to it, no line is missed, and it does not pass for a record without a block either."""
    request = _with("claims", [_claim([_item(i) for i in range(5000)])])
    request["prefetch"] |= {"procedures": None, "documents": None}
    (found,) = _review(pipeline, request)
    assert not found.findings
    assert any(bounds.MANY_LINES in each.reason for each in found.not_checked)


def test_notes_of_a_block_are_read_before_others(pipeline: Pipeline) -> None:
    others = [_note(i, f"{i} " + "All is well. " * 15_000) for i in range(7)]
    told = _note(9, "Right paravertebral block at T4 with 20 mL ropivacaine 0.5% under ultrasound.")
    (found,) = _review(pipeline, _with("documents", [*others, told]))
    assert sum(len("All is well. " * 15_000) for _ in others) > MOST_CHARACTERS
    assert any(piece.reference == "DocumentReference/n9" for block in found.blocks for piece in block.evidence)


def test_more_orders_than_are_signed_together_are_left_out(pipeline: Pipeline) -> None:
    request: Json = json.loads(next(cases_folder().glob("*/order-sign.json")).read_text("utf-8"))
    draft = request["context"]["draftOrders"]["entry"][0]["resource"]
    drafts = [{"resource": {**draft, "id": f"o{i}"}} for i in range(bounds.MOST_ORDERS + 1)]
    request["context"]["draftOrders"]["entry"] = drafts
    (found,) = _review(pipeline, request)
    assert [each.reason for each in found.not_checked if bounds.MANY_ORDERS in each.reason]


@pytest.mark.parametrize(
    "resources",
    [
        pytest.param(
            [
                {**_PROCEDURE, "id": f"p{i}", "encounter": {"reference": f"Encounter/e{i}"}}
                for i in range(bounds.MOST_ENCOUNTERS + 1)
            ],
            id="encounters",
        ),
        pytest.param([_note(i, f"{i} " + "PVB " * 49_000) for i in range(6)], id="text"),
    ],
)
def test_more_than_is_assessed_at_once_is_refused(
    pipeline: Pipeline, client: FlaskClient, resources: list[Json]
) -> None:
    """413 rather than part of an answer: an encounter that is left out would read as clean."""
    with pytest.raises(TooMuchError):
        pipeline.review_bundle(_bundle(resources))
    answer = client.post("/assessments", json=_bundle(resources))
    assert answer.status_code == 413
    assert answer.get_json()["resourceType"] == "OperationOutcome"
