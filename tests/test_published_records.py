"""Hook requests and Bundles published by other projects: none has a block, so none may get a card or a code.

The files are not part of this project; each test is skipped where they are not beside it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from cds_service.resources import schema

PUBLISHED = Path(__file__).parents[2] / "shared" / "data" / "fhir"
SERVICES = {"order-sign": "paravertebral-order-sign", "encounter-discharge": "paravertebral-encounter-discharge"}


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def hook_requests() -> list[Any]:
    folders = ("inferno-crd", "inferno_fixtures", "inferno_prefetch", "crd_ig_examples")
    paths = sorted(path for folder in folders for path in (PUBLISHED / folder).glob("*.json"))
    found = [(path, load(path)) for path in paths]
    calls = [pytest.param(body, id=path.name) for path, body in found if isinstance(body, dict) and "hook" in body]
    return calls or [pytest.param(None, marks=pytest.mark.skip(reason="published requests are not here"))]


def bundles() -> list[Any]:
    paths = sorted(path for folder in ("synthea", "clinosim", "pas") for path in (PUBLISHED / folder).glob("*.json"))
    found = [pytest.param(path, id=path.name) for path in paths if load(path).get("resourceType") == "Bundle"]
    return found or [pytest.param(None, marks=pytest.mark.skip(reason="published Bundles are not here"))]


@pytest.mark.parametrize("body", hook_requests())
def test_a_published_request_is_answered_without_a_card_or_refused_with_the_reason(
    body: dict[str, Any], client: FlaskClient
) -> None:
    service = SERVICES.get(body["hook"], SERVICES["order-sign"])
    answer = client.post(f"/cds-services/{service}", json=body)
    if answer.status_code == 200:
        Draft202012Validator(schema("response")).validate(answer.json)
        assert answer.json == {"cards": []}
    else:
        assert 400 <= answer.status_code < 500
        assert answer.json["resourceType"] == "OperationOutcome"
        assert all(issue["details"]["text"] for issue in answer.json["issue"])
    assert (answer.status_code == 200) or body["hook"] != "order-sign"


@pytest.mark.parametrize("path", bundles())
def test_a_published_bundle_without_a_block_gets_no_code(path: Path, client: FlaskClient) -> None:
    answer = client.post("/assessments", json=load(path))
    assert answer.status_code == 200, answer.text
    Draft202012Validator(schema("assessment")).validate(answer.json)
    for assessment in answer.json["assessments"]:
        assert assessment["blocks"] == []
        assert assessment["expectedLines"] == []
        assert assessment["findings"] == []
