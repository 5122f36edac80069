"""The demo: the real service, started once, and services that answer badly."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from click.testing import CliRunner

from cds_service import demo
from cds_service.cases import load_case
from cds_service.cli import main
from cds_service.resources import cases_folder

NAMES = ("addon-alone", "no-block-at-all", "order-addon-alone")
CASES = [load_case(cases_folder() / name) for name in NAMES]
ADDON_ALONE = CASES[0]


@pytest.fixture(scope="module")
def real_service(tmp_path_factory):
    state = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        # None of these may reach the service of the demo, and it keeps nothing where a service keeps its data.
        patch.setenv("CDS_PORT", "not a port")
        patch.setenv("CDS_KNOWLEDGE_DIR", "/no/such/folder")
        patch.setenv("XDG_STATE_HOME", str(state))
        patch.setenv("http_proxy", "http://127.0.0.1:1")
        with demo.running_service() as address:
            yield address
    assert list(state.iterdir()) == []
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{address}/healthz", timeout=5)


@pytest.fixture
def answering():
    """Return a function that starts a service which gives every hook request the same answer."""
    servers = []

    def start(status, body, ready=200):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self._answer(ready, b"{}")

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(status, body if isinstance(body, bytes) else json.dumps(body).encode())

            def _answer(self, code, content):
                self.send_response(code)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def run(*arguments):
    return CliRunner().invoke(main, ["demo", *arguments], env={"COLUMNS": "160"})


def chosen(*names):
    return [argument for name in names for argument in ("--case", name)]


def card(kind="suggested-codes", **members):
    return {
        "summary": "Report it.",
        "indicator": "warning",
        "extension": {"org.paravertebral-cds.card": {"kind": kind}},
        **members,
    }


def test_every_request_is_fired_and_answered_as_its_case_expects(real_service):
    answers = list(demo.fire(CASES, real_service))
    assert [(answer.case.id, answer.hook) for answer in answers] == [
        ("addon-alone", "encounter-discharge"),
        ("no-block-at-all", "order-sign"),
        ("no-block-at-all", "encounter-discharge"),
        ("order-addon-alone", "order-sign"),
    ]
    assert [answer.problem for answer in answers] == [None] * 4
    assert [answer.kinds for answer in answers] == [("suggested-codes",), (), (), ("suggested-codes",)]
    assert all(answer.status == 200 and answer.milliseconds > 0 for answer in answers)


def test_the_command_prints_cards_and_a_summary(real_service):
    result = run("--base-url", real_service, *chosen(*NAMES))
    assert result.exit_code == 0, result.output
    lines = [line.rstrip() for line in result.stdout.split("\n")]
    assert "Add-on charged without its primary" in lines
    for words in (
        "▲ Report 64461-RT ×1 and 64462-RT ×1; claim has 64462-RT ×1.  suggested-codes",
        "↳ Correct the claim: 64461-RT ×1 and 64462-RT ×1",
        "encounter-discharge · addon-alone · ",
        "no card: nothing to say",
        "Every request was answered as its case expects.",
    ):
        assert words in result.stdout
    figures = dict(line.rsplit(maxsplit=1) for line in lines if line.startswith(("Cases", "Requests", "Cards", "Answ")))
    assert figures == {
        "Cases": "3",
        "Requests": "4",
        "Cards: suggested-codes": "2",
        "Answered without a card": "2",
    }
    assert "Time per request, median" in result.stdout
    assert "\x1b" not in result.stdout


def test_the_command_starts_a_service_of_its_own(monkeypatch, real_service):
    def already_running():
        return _Running(real_service)

    monkeypatch.setattr("cds_service.commands.demo.running_service", already_running)
    result = run(*chosen("addon-alone"))
    assert result.exit_code == 0
    assert "addon-alone" in result.stdout


class _Running:
    def __init__(self, address):
        self.address = address

    def __enter__(self):
        return self.address

    def __exit__(self, *_):
        return None


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (500, {}, "status 500 in place of 200"),
        (412, {"resourceType": "OperationOutcome"}, "status 412 in place of 200"),
        (200, {"cards": []}, "cards: none; the case expects: suggested-codes"),
        (200, b"not JSON", "cards: none; the case expects: suggested-codes"),
        (200, [], "cards: none; the case expects: suggested-codes"),
        (200, {"cards": None}, "cards: none; the case expects: suggested-codes"),
        (200, {"cards": ["a", None]}, "cards: none; the case expects: suggested-codes"),
        (200, {"cards": [{}]}, "cards: unknown; the case expects: suggested-codes"),
        (200, {"cards": [{"extension": 5}]}, "cards: unknown; the case expects: suggested-codes"),
        (
            200,
            {"cards": [card(), card("clarification")]},
            "cards: suggested-codes, clarification; the case expects: suggested-codes",
        ),
        (200, {"cards": [card(), card()]}, "suggested-codes, suggested-codes; the case expects: suggested-codes"),
    ],
)
def test_an_answer_that_is_not_as_expected_is_named_and_is_1(answering, status, body, problem):
    result = run("--base-url", answering(status, body), *chosen("addon-alone"))
    assert result.exit_code == 1
    assert f"✗ {'cards: ' if problem.startswith('sugg') else ''}{problem}" in result.stdout
    assert "1 of 1 not as expected:" in result.stdout
    assert "addon-alone (encounter-discharge): " in result.stdout
    assert "as its case expects." not in result.stdout


def test_cards_as_expected_are_enough(answering):
    odd = card(summary="\x1b[2JReport\nit", suggestions=[{"label": "[red]Do[/red]"}, {}])
    result = run("--base-url", answering(200, {"cards": [odd]}), *chosen("addon-alone"))
    assert result.exit_code == 0
    assert "[red]Do[/red]" in result.stdout
    assert "\x1b" not in result.stdout


def test_no_answer_at_all_is_said():
    (answer,) = demo.fire([ADDON_ALONE], f"http://127.0.0.1:{_closed_port()}")
    assert (answer.status, answer.problem) == (None, "no answer")


def test_the_order_of_the_cards_counts():
    cards = (card("clarification"), card("suggested-codes"))
    answer = demo.Answer(ADDON_ALONE, "encounter-discharge", 200, 1.0, ("suggested-codes", "clarification"), cards)
    assert answer.problem
    assert replace(answer, cards=cards[::-1]).problem is None


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}", "nonsense", "ftp://example.org", "http://"])
def test_a_service_that_is_not_there_is_one_line(address):
    result = run("--base-url", address.format(port=_closed_port()))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: no service is ready at ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_service_that_is_not_ready_is_not_fired_at(answering):
    result = run("--base-url", answering(200, {"cards": []}, ready=503))
    assert (result.exit_code, result.stdout) == (1, "")


def test_an_unknown_case_is_2():
    result = run(*chosen("addon-alone", "no-such-case"))
    assert result.exit_code == 2
    assert "no case no-such-case; the cases are the folders of" in result.stderr


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "print('starting'); print('Error: no room', file=sys.stderr)",
            "the service stopped by itself: Error: no room",
        ),
        ("pass", "the service stopped by itself: it wrote nothing"),
        ("print('busy', flush=True); time.sleep(60)", "the service was not ready after 0.5 s: busy"),
    ],
)
def test_a_service_that_does_not_come_up_is_stopped_and_said(monkeypatch, tmp_path, code, message):
    script = tmp_path / "cds_service.py"
    script.write_text(f"import sys, time\n{code}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path) + os.pathsep + os.environ.get("PYTHONPATH", ""))
    monkeypatch.setattr(demo, "_START_WITHIN_S", 0.5 if "sleep" in code else 30)
    monkeypatch.chdir(tmp_path)
    started = []
    popen = demo.subprocess.Popen
    monkeypatch.setattr(demo.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])
    result = run(*chosen("addon-alone"))
    assert (result.exit_code, result.stderr) == (1, f"Error: {message}\n")
    assert started[0].poll() is not None
    assert started[0].args[0] == sys.executable


def _closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
