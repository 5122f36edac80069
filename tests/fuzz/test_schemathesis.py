"""Requests that schemathesis makes up from `/openapi.json`: right ones, and wrong ones."""

from __future__ import annotations

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode, checks

from cds_service.app import create_app
from cds_service.settings import Settings

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
"""For each operation; more, and others every time, with for example FUZZ_EXAMPLES=2000 in the environment."""

WITH_A_BODY = (
    "POST /cds-services/paravertebral-order-sign",
    "POST /cds-services/paravertebral-encounter-discharge",
    "POST /cds-services/{id}/feedback",
    "POST /assessments",
)
WITHOUT = (
    "GET /cds-services",
    "GET /codes",
    "GET /codes/{code}",
    "GET /rules",
    "GET /rules/{rule}",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
)
"""Without /openapi.json, which schemathesis leaves out because it is the document itself."""

ACCEPTED = frozenset({200, 404, 412})
"""What may be answered to a request as described: 404 for a code nobody knows, 412 where no data came along."""

# Not negative_data_rejection: the contract is to read tolerantly, so what is not described may be sent all the same.
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    database = tmp_path_factory.mktemp("store") / "cds.db"
    app = create_app(Settings(database_url=f"sqlite:///{database}", base_url="http://localhost"))
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


def ask(api, operation: str, mode: GenerationMode, accepted: frozenset[int] | None = None) -> None:
    method, _, path = operation.partition(" ")

    @settings(
        max_examples=EXAMPLES,
        derandomize="FUZZ_EXAMPLES" not in os.environ,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=api[path][method].as_strategy(generation_mode=mode))
    def each(case: schemathesis.Case) -> None:
        answer = case.call_and_validate(checks=CHECKS)
        assert accepted is None or answer.status_code in accepted, answer.text

    each()


@pytest.mark.parametrize("operation", [*WITH_A_BODY, *WITHOUT])
def test_a_request_as_described_is_answered_as_described(api, operation):
    ask(api, operation, GenerationMode.POSITIVE, ACCEPTED)


@pytest.mark.parametrize("operation", WITH_A_BODY)
def test_any_other_request_is_answered_as_described_too(api, operation):
    ask(api, operation, GenerationMode.NEGATIVE)


def test_every_operation_is_asked(api):
    assert {found.ok().label for found in api.get_all_operations()} == {*WITH_A_BODY, *WITHOUT}
