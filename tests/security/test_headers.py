"""Headers that every answer has, whatever it is."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

HOOK = "/cds-services/paravertebral-order-sign"


@pytest.mark.parametrize(
    ("method", "address"),
    [
        pytest.param("GET", "/cds-services", id="discovery"),
        pytest.param("POST", HOOK, id="hook-refused"),
        pytest.param("POST", "/assessments", id="assessment-refused"),
        pytest.param("POST", f"{HOOK}/feedback", id="feedback-refused"),
        pytest.param("GET", "/codes/<script>", id="not-found"),
        pytest.param("DELETE", "/cds-services", id="not-allowed"),
        pytest.param("GET", "/openapi.json", id="openapi"),
        pytest.param("GET", "/metrics", id="metrics"),
        pytest.param("GET", "/healthz", id="health"),
        pytest.param("GET", "/codes", id="page"),
    ],
)
def test_nobody_guesses_another_content_type(client: FlaskClient, method: str, address: str) -> None:
    assert client.open(address, method=method).headers["X-Content-Type-Options"] == "nosniff"


def test_answers_about_patients_are_not_cached(client: FlaskClient) -> None:
    answer = client.post("/assessments", json={"resourceType": "Bundle", "type": "collection"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
