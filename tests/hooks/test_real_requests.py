"""Requests of the Inferno CRD test kit and the CRD guide: each is read, or refused for a reason that can be named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDERS = ("inferno-crd", "inferno_fixtures", "inferno_prefetch", "crd_ig_examples")
ROOT = Path(__file__).parents[3] / "shared" / "data" / "fhir"


def _requests() -> list[Any]:
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).glob("*.json"))]
    documents = [(file, json.loads(file.read_text(encoding="utf-8"))) for file in files]
    return [
        pytest.param(document, id=f"{file.parent.name}/{file.stem}")
        for file, document in documents
        if isinstance(document, dict) and "hookInstance" in document
    ]


@pytest.mark.parametrize("document", _requests())
@pytest.mark.parametrize("service", ["order-sign", "encounter-discharge"])
def test_a_real_request_is_read_by_the_service_of_its_hook_and_by_no_other(shared_client, document, service):
    response = shared_client.post(f"/cds-services/paravertebral-{service}", json=document)
    if document["hook"] == service:
        assert (response.status_code, response.get_json()) == (200, {"cards": []})
    else:
        assert response.status_code == 400
        assert ["hook"] in [issue["expression"] for issue in response.get_json()["issue"]]
