"""`GET /openapi.json`: complete, valid, and true of what the service answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from schemathesis.specs.openapi.definitions import OPENAPI_31
from werkzeug.exceptions import HTTPException

from cds_service.app import create_app
from cds_service.cases import load_cases
from cds_service.resources import cases_folder
from cds_service.settings import load_settings
from tests.hooks.signing import BASE, EHR, jwks

REGISTRATION = json.dumps([{"issuer": EHR, "jwks": jwks("P-384")}])
JSON_WANTED = {"Accept": "application/json"}
CASES = load_cases(cases_folder())
NOT_PART_OF_IT = {"static", "pages.static"}
"""Files that belong to the pages."""


def make(folder: Path, **options: Any) -> Flask:
    return create_app(load_settings(database_url=f"sqlite:///{folder / 'cds.db'}", base_url=BASE, **options))


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return make(tmp_path_factory.mktemp("open"))


@pytest.fixture(scope="module")
def document(app):
    answer = app.test_client().get("/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    return answer.json


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    """The document of an installation with registered clients and a rate."""
    app = make(tmp_path_factory.mktemp("secured"), trusted_clients=REGISTRATION, rate_limit="600/minute")
    return app.test_client().get("/openapi.json").json


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def judge(document: dict[str, Any], path: str, method: str, status: int) -> Draft202012Validator:
    """The schema of a JSON answer, with its references resolved in the document."""
    return _validator(document, document["paths"][path][method]["responses"][str(status)])


def _validator(document: dict[str, Any], holder: dict[str, Any]) -> Draft202012Validator:
    resource = Resource(document, DRAFT202012)
    schema = {"$ref": "urn:doc#" + _pointer(document, holder["content"]["application/json"]["schema"])}
    return Draft202012Validator(schema, registry=Registry().with_resource("urn:doc", resource))


def _pointer(document: Any, wanted: Any, at: str = "") -> str:
    """The JSON pointer of the very object `wanted`, so that its own references are resolved in the document."""
    steps = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in steps:
        place = f"{at}/{str(name).replace('~', '~0').replace('/', '~1').replace('{', '%7B').replace('}', '%7D')}"
        if value is wanted:
            return place
        if found := _pointer(value, wanted, place):
            return found
    return ""


def test_it_is_an_openapi_document(document, secured):
    for each in (document, secured):
        Draft202012Validator(OPENAPI_31).validate(each)


def test_every_schema_is_one_and_every_reference_leads_somewhere(document):
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
        assert "$id" not in schema
    found = set(_references(document))
    assert {reference.removeprefix("#/components/schemas/") for reference in found} <= schemas.keys()


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)


def test_every_operation_of_the_document_is_a_route_of_the_application(app, document):
    routes = app.url_map.bind("localhost")
    for path, method, operation in operations(document):
        try:
            endpoint, _ = routes.match(path.replace("{", "").replace("}", ""), method=method.upper())
        except HTTPException:
            pytest.fail(f"{method} {path} is not there")
        assert operation["operationId"] in {endpoint.replace(".", "-"), path.rpartition("/")[2]}


def test_every_route_of_the_application_is_in_the_document(app, document):
    routes = app.url_map.bind("localhost")
    told = {
        (routes.match(path.replace("{", "").replace("}", ""), method=method.upper())[0], method.upper())
        for path, method, _ in operations(document)
    }
    there = {
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint not in NOT_PART_OF_IT
    }
    assert told == there


def test_every_service_of_discovery_is_in_the_document(app, document):
    ids = [service["id"] for service in app.test_client().get("/cds-services").json["services"]]
    assert {f"/cds-services/{each}" for each in ids} < document["paths"].keys()
    (parameter,) = document["paths"]["/cds-services/{id}/feedback"]["post"]["parameters"]
    assert parameter["schema"]["enum"] == ids


def test_operations_have_names_of_their_own(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)


def test_every_example_is_valid(document):
    seen = 0
    for _, _, operation in operations(document):
        for holder in (operation.get("requestBody"), *operation["responses"].values()):
            for example in (holder or {}).get("content", {}).get("application/json", {}).get("examples", {}).values():
                _validator(document, holder).validate(example["value"])
                seen += 1
    assert seen >= 8


def test_what_is_shown_is_what_is_answered(app, document):
    for path, method, operation in operations(document):
        asked = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("examples", {})
        for name, example in asked.items():
            if "{" not in path:
                answer = app.test_client().open(path, method=method, json=example["value"])
                shown = operation["responses"]["200"]["content"]["application/json"]["examples"][name]["value"]
                assert answer.json == shown


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_answers_to_every_case_are_as_described(app, document, case):
    client = app.test_client()
    for hook in case.hooks:
        path = f"/cds-services/paravertebral-{hook}"
        answer = client.post(path, json=case.request(hook))
        judge(document, path, "post", answer.status_code).validate(answer.json)
    answer = client.post("/assessments", json=case.bundle())
    judge(document, "/assessments", "post", answer.status_code).validate(answer.json)


@pytest.mark.parametrize("kind", ["code", "rule"])
def test_the_pages_are_as_described(app, document, kind):
    client = app.test_client()
    index = client.get(f"/{kind}s", headers=JSON_WANTED)
    judge(document, f"/{kind}s", "get", 200).validate(index.json)
    path = f"/{kind}s/{{{kind}}}"
    for entry in index.json[f"{kind}s"]:
        answer = client.get(f"/{kind}s/{entry.get('id') or entry['code']}", headers=JSON_WANTED)
        judge(document, path, "get", 200).validate(answer.json)
    answer = client.get(f"/{kind}s/nothing", headers=JSON_WANTED)
    judge(document, path, "get", answer.status_code).validate(answer.json)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/cds-services/paravertebral-order-sign", b"{", 400),
        ("/cds-services/paravertebral-encounter-discharge", b"", 400),
        ("/cds-services/paravertebral-order-sign", b" " * 10_485_761, 413),
        ("/cds-services/{id}/feedback", b"[]", 400),
        ("/assessments", b"{}", 400),
    ],
)
def test_refusals_are_as_described(app, document, path, body, status):
    answer = app.test_client().post(path.replace("{id}", "paravertebral-order-sign"), data=body)
    assert answer.status_code == status
    judge(document, path, "post", status).validate(answer.json)


def test_a_discharge_without_any_data_is_as_described(app, document):
    path = "/cds-services/paravertebral-encounter-discharge"
    context = {"userId": "Practitioner/1", "patientId": "p", "encounterId": "e"}
    answer = app.test_client().post(path, json={"hook": "encounter-discharge", "hookInstance": "i", "context": context})
    assert answer.status_code == 412
    judge(document, path, "post", 412).validate(answer.json)


def test_where_anyone_may_call_no_token_is_spoken_of(document):
    assert "securitySchemes" not in document["components"]
    for _, _, operation in operations(document):
        assert not {"401", "429"} & operation["responses"].keys()
        assert "security" not in operation


def test_with_registered_clients_what_needs_a_token_says_so(secured):
    assert secured["components"]["securitySchemes"]["client"]["scheme"] == "bearer"
    closed = {path for path, _, operation in operations(secured) if "security" in operation}
    assert closed == {"/metrics"} | {path for path, method, _ in operations(secured) if method == "post"}
    for path, _, operation in operations(secured):
        assert ("401" in operation["responses"]) is (path in closed)
        assert ("429" in operation["responses"]) is (path not in {"/healthz", "/readyz"})


def test_refusals_of_tokens_and_rates_are_as_described(tmp_path):
    app = make(tmp_path, trusted_clients=REGISTRATION, rate_limit="2/hour")
    client = app.test_client()
    document = client.get("/openapi.json").json
    answer = client.post("/assessments", json={})
    assert answer.status_code == 401
    described = document["paths"]["/assessments"]["post"]["responses"]["401"]
    assert described["headers"].keys() == {"WWW-Authenticate"} <= set(answer.headers.keys())
    judge(document, "/assessments", "post", 401).validate(answer.json)
    client.get("/cds-services")
    answer = client.get("/cds-services")
    assert answer.status_code == 429
    described = document["paths"]["/cds-services"]["get"]["responses"]["429"]
    assert described["headers"].keys() == {"Retry-After"} <= set(answer.headers.keys())
    judge(document, "/cds-services", "get", 429).validate(answer.json)


def test_it_is_open_where_discovery_is(tmp_path):
    app = make(tmp_path, trusted_clients=REGISTRATION, public="pages")
    assert app.test_client().get("/openapi.json").status_code == 401


def test_it_is_made_when_it_is_asked_for_not_at_start(tmp_path):
    code = (
        "from cds_service.app import create_app; from cds_service.settings import load_settings; "
        "from cds_service import resources; resources.cases_folder = None; "
        f"create_app(load_settings(database_url='sqlite:///{tmp_path}/cds.db'))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
