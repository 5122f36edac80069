"""The audit line, from the whole application: who, what, when, how it was answered, and nothing of the patient."""

from __future__ import annotations

import json
import logging
import re
import time
from types import SimpleNamespace

import pytest
from flask import g
from sqlalchemy import create_engine, select
from sqlalchemy.exc import OperationalError

from cds_service.app import create_app
from cds_service.audit import LOGGER
from cds_service.cases import load_case
from cds_service.resources import cases_folder
from cds_service.settings import Settings
from cds_service.store.schema import AUDIT, FEEDBACK, GIVEN_CARD

DISCHARGE = "paravertebral-encounter-discharge"
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"


@pytest.fixture
def settings(tmp_path):
    return Settings(database_url=f"sqlite:///{tmp_path / 'cds-service.db'}", audit_database=True)


@pytest.fixture
def client(settings):
    return create_app(settings).test_client()


@pytest.fixture
def lines(caplog):
    """The audit lines so far."""
    caplog.set_level(logging.INFO, logger=LOGGER)
    return lambda: [json.loads(record.message) for record in caplog.records if record.name == LOGGER]


@pytest.fixture
def body():
    """A discharge that is answered with cards."""
    case = load_case(cases_folder() / "thoracotomy-addon-three-units")
    return case.request("encounter-discharge") | {"hookInstance": INSTANCE}


def _rows(settings, table, expected):
    """The rows of `table`, once there are as many as expected: they are written a moment after the answer."""
    engine = create_engine(settings.database_url)
    deadline = time.monotonic() + 20
    while True:
        try:
            with engine.connect() as connection:
                rows = connection.execute(select(table)).mappings().all()
        except OperationalError:  # not there yet
            rows = []
        if len(rows) >= expected or time.monotonic() > deadline:
            engine.dispose()
            return rows
        time.sleep(0.05)


def test_a_hook_is_told_of_in_the_log_and_in_the_database(client, settings, lines, body):
    cards = client.post(f"/cds-services/{DISCHARGE}", json=body).get_json()["cards"]
    (line,) = lines()
    about = [card["extension"]["org.paravertebral-cds.card"] for card in cards]
    rules = list(dict.fromkeys(rule for card in about for rule in card["rules"]))
    assert rules
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", line.pop("at"))
    assert 0 < line.pop("ms") < 60_000
    assert re.fullmatch(r"\d{4}Q\d-[0-9a-f]{10}", line.pop("knowledge"))
    assert line == {
        "audit": "hook",
        "service": DISCHARGE,
        "hookInstance": INSTANCE,
        "status": 200,
        "cards": [card["kind"] for card in about],
        "rules": rules,
    }
    (row,) = _rows(settings, AUDIT, 1)
    assert (row["call"], row["service_id"], row["hook_instance"], row["status"], row["kinds"], row["rules"]) == (
        "hook",
        DISCHARGE,
        INSTANCE,
        200,
        line["cards"],
        rules,
    )


def test_a_card_and_the_feedback_on_it_are_joined(client, settings, body):
    cards = client.post(f"/cds-services/{DISCHARGE}", json=body).get_json()["cards"]
    given = _rows(settings, GIVEN_CARD, len(cards))
    assert {row["card"] for row in given} == {card["uuid"] for card in cards}
    entry = {"card": cards[0]["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:00:00Z"}
    for _ in range(2):
        assert client.post(f"/cds-services/{DISCHARGE}/feedback", json={"feedback": [entry]}).status_code == 200
    (row,) = _rows(settings, FEEDBACK, 1)
    about = cards[0]["extension"]["org.paravertebral-cds.card"]
    assert (row["kind"], row["rules"], row["elements"]) == (about["kind"], about["rules"], about.get("elements", []))
    assert row["knowledge_version"]
    assert row["profile"]


@pytest.mark.parametrize(
    ("path", "sent", "told"),
    [
        pytest.param(
            f"/cds-services/{DISCHARGE}", {"hook": "order-sign"}, ("hook", DISCHARGE, 400), id="a bad hook call"
        ),
        pytest.param("/cds-services/made-up", {}, ("hook", None, 404), id="no such service: its name is not repeated"),
        pytest.param(f"/cds-services/{DISCHARGE}/feedback", {}, ("feedback", DISCHARGE, 400), id="bad feedback"),
        pytest.param("/assessments", {"resourceType": "Bundle"}, ("assessment", None, 200), id="an assessment"),
        pytest.param("/assessments", {}, ("assessment", None, 400), id="no Bundle"),
    ],
)
def test_every_call_with_data_is_told_of_however_it_is_answered(client, lines, path, sent, told):
    client.post(path, json=sent)
    (line,) = lines()
    assert (line["audit"], line.get("service"), line["status"]) == told


@pytest.mark.parametrize("path", ["/cds-services", "/healthz", "/rules", "/nothing"])
def test_calls_without_data_are_not(client, lines, path):
    client.get(path)
    client.options(f"/cds-services/{DISCHARGE}")
    assert lines() == []


def test_a_hook_instance_that_is_no_uuid_is_not_repeated(client, lines, body):
    client.post(f"/cds-services/{DISCHARGE}", json=body | {"hookInstance": "Jane Doe"})
    assert "hookInstance" not in lines()[0]


def test_who_called_is_told(settings, lines, body):
    app = create_app(settings)

    @app.before_request
    def trust():
        g.caller = SimpleNamespace(issuer="https://ehr.example.org", tenant="w\x00ard\n")

    app.test_client().post(f"/cds-services/{DISCHARGE}", json=body)
    assert lines()[0]["client"] == "https://ehr.example.org ward"


def test_a_call_that_is_refused_before_it_is_read_is_told_of(settings, lines, body):
    app = create_app(settings)
    app.before_request(lambda: ("", 401))
    app.test_client().post(f"/cds-services/{DISCHARGE}", json=body)
    assert (lines()[0]["status"], lines()[0]["cards"]) == (401, [])


def test_nothing_of_the_record_is_told_or_kept(client, settings, lines, body):
    planted = "MARKER-7f3a"

    def mark(value, key=""):
        if isinstance(value, dict):
            return {name: mark(member, name) for name, member in value.items()}
        if isinstance(value, list):
            return [mark(member, key) for member in value]
        return f"{planted} {value}" if key in {"family", "given", "text", "display", "mrn"} else value

    marked = json.dumps(mark(body)).replace(body["context"]["encounterId"], f"{planted}-e")
    marked = marked.replace(body["context"]["patientId"], f"{planted}-p")
    response = client.post(f"/cds-services/{DISCHARGE}", data=marked, content_type="application/json")
    assert response.status_code == 200
    cards = response.get_json()["cards"]
    kept = [*_rows(settings, GIVEN_CARD, len(cards)), *_rows(settings, AUDIT, 1)]
    assert len(kept) == len(cards) + 1
    assert planted in marked
    assert planted not in json.dumps(lines()) + str(kept)


def test_the_database_has_no_trail_unless_the_site_wants_it(settings, lines, body):
    client = create_app(settings.model_copy(update={"audit_database": False})).test_client()
    cards = client.post(f"/cds-services/{DISCHARGE}", json=body).get_json()["cards"]
    assert len(_rows(settings, GIVEN_CARD, len(cards))) == len(cards)
    assert _rows(settings, AUDIT, 0) == []
    assert len(lines()) == 1
