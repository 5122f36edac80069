"""No cards never reads as all is well: an answer says, for the integration, what could not be read or judged."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.cases import load_case
from cds_service.hooks.response import NOT_CHECKED_EXTENSION
from cds_service.resources import cases_folder
from cds_service.review import engine
from cds_service.review.assessment import Severity
from cds_service.review.rule import Rule

ADDRESS = "/cds-services/paravertebral-encounter-discharge"
PERFECT = load_case(cases_folder() / "perfect-chart-default").request("encounter-discharge")
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
FAILED = "reading it failed"


def ask(client: FlaskClient, **prefetch: Any) -> dict[str, Any]:
    answer = client.post(ADDRESS, json={**PERFECT, "prefetch": {**PERFECT["prefetch"], **prefetch}})
    assert answer.status_code == 200
    return dict(answer.get_json())


def told(answer: dict[str, Any]) -> list[str]:
    return [gap["reason"] for gap in answer.get("extension", {}).get(NOT_CHECKED_EXTENSION, [])]


def test_a_chart_in_which_all_is_well_is_answered_with_nothing_else(client: FlaskClient) -> None:
    assert ask(client) == {"cards": []}


@pytest.mark.parametrize("key", ["documents", "observations", "medications", "conditions", "orders", "coverage"])
def test_a_key_that_could_not_be_read_is_named_where_there_is_no_card(client: FlaskClient, key: str) -> None:
    answer = ask(client, **{key: OUTCOME})
    assert answer["cards"] == []
    assert [reason for reason in told(answer) if reason.startswith(f"{key}: {FAILED}")]


@pytest.mark.parametrize("key", ["procedures", "claims"])
def test_a_key_that_could_not_be_read_is_named_beside_cards_as_well(client: FlaskClient, key: str) -> None:
    assert [reason for reason in told(ask(client, **{key: OUTCOME})) if reason.startswith(f"{key}: {FAILED}")]


def test_what_was_looked_for_and_not_found_is_an_answer(client: FlaskClient) -> None:
    assert "extension" not in ask(client, observations=None, orders=None)


def test_what_a_client_never_sends_is_not_told_every_time(client: FlaskClient) -> None:
    kept = {key: value for key, value in PERFECT["prefetch"].items() if key != "coverage"}
    answer = client.post(ADDRESS, json={**PERFECT, "prefetch": kept}).get_json()
    assert "extension" not in answer


def test_without_a_block_there_is_nothing_to_tell(client: FlaskClient) -> None:
    request = load_case(cases_folder() / "no-block-at-all").request("encounter-discharge")
    prefetch = {**request["prefetch"], "observations": OUTCOME}
    assert client.post(ADDRESS, json={**request, "prefetch": prefetch}).get_json() == {"cards": []}


def test_a_rule_that_failed_is_named_beside_the_cards_of_the_others(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> Any:
        raise ValueError("about Jane Roe")

    rules = (*engine.all_rules(), Rule("fails", "fails", Severity.INFO, (), fails))
    monkeypatch.setattr(engine, "all_rules", lambda: rules)
    request = load_case(cases_folder() / "thoracotomy-addon-three-units").request("encounter-discharge")
    answer = client.post(ADDRESS, json={**request, "context": {**request["context"], "userId": "Practitioner/other"}})
    assert answer.get_json()["cards"]
    (reason,) = told(answer.get_json())
    assert reason.startswith("The rule failed (error id ")
    assert "Jane" not in answer.text
