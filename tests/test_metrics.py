"""The figures for monitoring: what is counted, by whom it may be read, and that workers add up."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bench.storage import start
from cds_service import __version__
from cds_service.app import create_app
from cds_service.cases import load_case
from cds_service.knowledge.library import load
from cds_service.metrics import SHARED_FOLDER, Metrics, shared_by_workers
from cds_service.resources import cases_folder
from cds_service.settings import Settings

DISCHARGE = "paravertebral-encounter-discharge"
ORDER_SIGN = "paravertebral-order-sign"
FEEDBACK = {"feedback": [{"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-03-02T10:05:31Z"}]}
BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": []}


@pytest.fixture
def client(tmp_path):
    return create_app(Settings(database_url=f"sqlite:///{tmp_path / 'cds.db'}")).test_client()


@pytest.fixture(scope="module")
def body():
    """A discharge that is answered with cards."""
    return load_case(cases_folder() / "thoracotomy-addon-three-units").request("encounter-discharge")


def figure(name, *labels):
    return name, frozenset(labels)


def figures(text):
    """The samples of an exposition, by name and values of labels, to the number."""
    return {
        figure(sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def counted(client):
    return figures(client.get("/metrics").text)


def test_before_any_call_it_says_what_answers(client):
    (found,) = counted(client)
    assert found == figure("cds_build", __version__, load().version)


def test_a_hook_with_cards_counts_the_call_its_time_its_cards_and_their_rules(client, body):
    cards = client.post(f"/cds-services/{DISCHARGE}", json=body).get_json()["cards"]
    client.post(f"/cds-services/{DISCHARGE}", json=body)
    found = counted(client)
    assert found[figure("cds_calls_total", "hook", DISCHARGE, "200")] == 2
    assert found[figure("cds_call_seconds_count", "hook", DISCHARGE)] == 2
    assert found[figure("cds_call_seconds_bucket", "hook", DISCHARGE, "+Inf")] == 2
    assert 0 < found[figure("cds_call_seconds_sum", "hook", DISCHARGE)] < 60
    about = [card["extension"]["org.paravertebral-cds.card"] for card in cards]
    assert about
    for each in about:
        assert found[figure("cds_cards_total", DISCHARGE, each["kind"])] == 2
        for rule in each.get("rules", ()):
            assert found[figure("cds_card_rules_total", DISCHARGE, rule)] >= 2


@pytest.mark.parametrize(
    ("path", "sent", "labels"),
    [
        pytest.param(f"/cds-services/{ORDER_SIGN}", {"hook": "x"}, ("hook", ORDER_SIGN, "400"), id="refused"),
        pytest.param(f"/cds-services/{DISCHARGE}/feedback", FEEDBACK, ("feedback", DISCHARGE, "200"), id="feedback"),
        pytest.param("/assessments", BUNDLE, ("assessment", "", "200"), id="assessment"),
        pytest.param("/cds-services/jane-doe", {}, ("hook", "", "404"), id="a-service-somebody-made-up"),
        pytest.param("/cds-services/jane-doe/feedback", FEEDBACK, ("feedback", "", "404"), id="feedback-to-none"),
    ],
)
def test_each_call_counts_with_its_status_and_no_word_of_the_caller(client, path, sent, labels):
    client.post(path, json=sent)
    assert counted(client)[figure("cds_calls_total", *labels)] == 1
    assert "jane-doe" not in client.get("/metrics").text


@pytest.mark.parametrize("path", ["/cds-services", "/codes", "/healthz", "/metrics", "/nowhere"])
def test_what_hands_over_nothing_is_not_counted(client, path):
    client.get(path)
    assert len(counted(client)) == 1


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version="),
        ("*/*", "text/plain; version="),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text"),
        ("nonsense;;q=", "text/plain; version="),
    ],
)
def test_the_format_is_the_one_asked_for(client, accept, content_type):
    answer = client.get("/metrics", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.content_type.startswith(content_type)


def test_two_applications_of_a_process_count_apart(tmp_path, client, body):
    other = create_app(Settings(database_url=f"sqlite:///{tmp_path / 'other.db'}")).test_client()
    client.post(f"/cds-services/{DISCHARGE}", json=body)
    assert len(counted(other)) == 1


def test_a_count_that_cannot_be_written_costs_no_answer(client, body, monkeypatch, caplog):
    def full(self, call):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Metrics, "_count", full)
    assert client.post(f"/cds-services/{DISCHARGE}", json=body).status_code == 200
    assert "could not be counted (No space left on device)" in caplog.text


def test_the_folder_of_an_operator_is_left_as_it_is(monkeypatch, tmp_path):
    with shared_by_workers():
        own = os.environ[SHARED_FOLDER]
        assert os.path.isdir(own)  # noqa: PTH112 - it is text here
    assert SHARED_FOLDER not in os.environ
    assert not os.path.exists(own)  # noqa: PTH110
    monkeypatch.setenv(SHARED_FOLDER, str(tmp_path))
    with shared_by_workers():
        assert os.environ[SHARED_FOLDER] == str(tmp_path)
    assert tmp_path.is_dir()


# --- several workers -------------------------------------------------------------------------------------------------


@pytest.fixture
def service(tmp_path):
    started = start(f"sqlite:///{tmp_path / 'cds.db'}")
    yield started
    started.stop()


def ask(service, method, path, document=None):
    """A call on a connection of its own, so that any worker may get it."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    try:
        connection.request(method, path, document and json.dumps(document), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def total(service):
    status, text = ask(service, "GET", "/metrics")
    assert status == 200
    return figures(text).get(figure("cds_calls_total", "assessment", "", "200"), 0)


def test_workers_add_up_and_what_a_killed_one_counted_stays(service):
    calls = 24
    assert {ask(service, "POST", "/assessments", BUNDLE)[0] for _ in range(calls)} == {200}
    assert {total(service) for _ in range(12)} == {calls}

    before = set(service.workers())
    os.kill(min(before), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while len(set(service.workers()) - before) == 0 or len(service.workers()) < len(before):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert {ask(service, "POST", "/assessments", BUNDLE)[0] for _ in range(calls)} == {200}
    assert {total(service) for _ in range(12)} == {2 * calls}
