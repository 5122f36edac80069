"""Mistakes of other CDS Hooks software, each seen or read there, and a test that this service does not make it.

`DEFECTS` numbers them as they were collected in November 2026; the number is in the name of each test. Named are the
project and, where known, the version; each has its merits, and some may have mended it since.
"""

from __future__ import annotations

import copy
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.cases import Case, load_case
from cds_service.cli import COMMANDS
from cds_service.hooks.errors import register_error_handlers
from cds_service.hooks.request import HookRequest
from cds_service.hooks.response import Answer
from cds_service.hooks.routes import Protocol, create_blueprint
from cds_service.hooks.services import ORDER_SIGN_SERVICE, SERVICES, Service
from cds_service.resources import cases_folder
from cds_service.review import engine
from cds_service.review.assessment import Severity
from cds_service.review.rule import Rule
from cds_service.settings import SettingsError, load_settings, refuse_unsafe
from tests.hooks.signing import BASE, EHR, PATH, jwks, signed, token

ORDER_SIGN = "/cds-services/paravertebral-order-sign"
DISCHARGE = "/cds-services/paravertebral-encounter-discharge"
ROOT = Path(__file__).resolve().parent.parent

DEFECTS = {
    0: "HealthChain 0.16.1: a handler of order-sign sees neither draftOrders nor encounterId.",
    1: "HealthChain 0.16.1: of two services on one hook discovery lists one, which answers for both.",
    2: "HealthChain 0.16.1: a handler that fails, and a wrong hook, are answered 200 without cards, like a clean one.",
    3: "HealthChain 0.16.1: usage requirements are lost in silence, optional members have to be given, and a slow rule "
    "holds up every other call.",
    4: "AHRQ CDS Connect CQL services: one request without prefetch ends the process.",
    5: "AHRQ CDS Connect CQL services: 76 to 99 ms of every request go into building an index anew.",
    6: "A CDS Hooks library for Python: hooks are advertised and then fail, nulls are sent, members that are not known "
    "are errors, and a documented command does not exist.",
    7: "CRD reference implementation: what one request found is kept on a shared object and answers later ones.",
    8: "CRD reference implementation: the key of a token is fetched from wherever the token says, and kept; of aud, "
    "iss and jti only the presence is checked; by default tokens are not looked at.",
    9: "CRD reference implementation: discovery has tokens that are none.",
    10: "cqf-ruler: prefetch of which only a part was sent is taken as complete.",
    11: "sandbox-cds-services: errors show the stack as a page. Go SDK: feedback of another shape, discovery in an "
    "order of chance.",
    12: "fhir.resources 8.3 (R4B): any string is taken as the status or use of a Claim.",
}


def case(name: str = "thoracotomy-addon-three-units") -> Case:
    return load_case(cases_folder() / name)


def discharge(**members: Any) -> dict[str, Any]:
    return {**case().request("encounter-discharge"), **members}


def order_sign(**members: Any) -> dict[str, Any]:
    return {**case("order-addon-alone").request("order-sign"), **members}


def summaries(client: FlaskClient, address: str, body: dict[str, Any]) -> list[str]:
    answer = client.post(address, json=body)
    assert answer.status_code == 200, answer.text
    return [card["summary"] for card in answer.get_json()["cards"]]


def protocol(answer: Callable[[HookRequest], Answer], services: tuple[Service, ...] = SERVICES) -> FlaskClient:
    """Return a client of the protocol alone, with `answer` behind it."""
    app = Flask("protocol")
    register_error_handlers(app)
    made = Protocol(answer=answer, keep_feedback=lambda *_: None, assess=lambda *_: [], services=services)
    app.register_blueprint(create_blueprint(made))
    return app.test_client()


def whole(folder: Path, **options: Any) -> Flask:
    """Return a whole service of its own, which remembers no call of another test."""
    return create_app(load_settings(database_url=f"sqlite:///{folder / 'cds.db'}", **options))


class Listening(ThreadingHTTPServer):
    """A real server that answers JSON by path and counts what it is asked."""

    daemon_threads = True

    def __init__(self, respond: Callable[[str], Any]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.respond = respond
        self.connections = 0
        self.asked: list[str] = []
        self.base = f"http://127.0.0.1:{self.server_port}"

    def process_request(self, *args: Any) -> None:
        self.connections += 1
        super().process_request(*args)


class Handler(BaseHTTPRequestHandler):
    server: Listening

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append(path)
        body = json.dumps(self.server.respond(path)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing: the test's output is not a server's log."""


@pytest.fixture
def listen() -> Iterator[Callable[[Callable[[str], Any]], Listening]]:
    started: list[tuple[Listening, Thread]] = []

    def start(respond: Callable[[str], Any]) -> Listening:
        server = Listening(respond)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        started.append((server, thread))
        return server

    yield start
    for server, thread in started:
        server.shutdown()
        thread.join()
        server.server_close()


# --- 0 ---------------------------------------------------------------------------------------------------------------


def test_0_context_members_reach_the_judgment() -> None:
    seen: list[HookRequest] = []
    body = order_sign()
    body["context"]["encounterId"] = "e1"
    assert protocol(lambda request: seen.append(request) or Answer()).post(ORDER_SIGN, json=body).status_code == 200
    assert dict(seen[0].context) == body["context"]
    assert set(body["context"]) == {"userId", "patientId", "encounterId", "draftOrders"}


def test_0_draft_orders_are_what_cards_are_about(client: FlaskClient) -> None:
    without = order_sign()
    without["context"]["draftOrders"]["entry"] = []
    assert summaries(client, ORDER_SIGN, order_sign())
    assert summaries(client, ORDER_SIGN, without) == []


# --- 1 ---------------------------------------------------------------------------------------------------------------


def test_1_two_services_on_one_hook_are_listed_and_answer_for_themselves() -> None:
    services = tuple(replace(ORDER_SIGN_SERVICE, id=name) for name in ("svc-a", "svc-b"))
    client = protocol(lambda request: Answer([{"summary": request.service_id}]), services)
    assert [each["id"] for each in client.get("/cds-services").get_json()["services"]] == ["svc-a", "svc-b"]
    for name in ("svc-a", "svc-b", "svc-a"):
        assert summaries(client, f"/cds-services/{name}", order_sign()) == [name]


# --- 2 ---------------------------------------------------------------------------------------------------------------


def failing(found: object) -> Iterator[Any]:
    yield from ()
    raise ValueError(f"about Jane Roe: {found}")


@pytest.fixture
def failing_rule(monkeypatch: pytest.MonkeyPatch) -> str:
    rules = (*engine.all_rules(), Rule("fails", "fails", Severity.INFO, (), failing))
    monkeypatch.setattr(engine, "all_rules", lambda: rules)
    return "fails"


def test_2_a_handler_that_fails_is_an_error_and_no_empty_answer() -> None:
    def fail(_: HookRequest) -> list[dict[str, Any]]:
        raise ValueError("about Jane Roe")

    answer = protocol(fail).post(DISCHARGE, json=discharge())
    assert (answer.status_code, answer.get_json()["resourceType"]) == (500, "OperationOutcome")


def test_2_a_rule_that_fails_does_not_make_a_record_look_clean(tmp_path: Path, failing_rule: str) -> None:
    answer = (
        whole(tmp_path).test_client().post(DISCHARGE, json=case("perfect-chart-default").request("encounter-discharge"))
    )
    assert answer.status_code == 500
    (issue,) = answer.get_json()["issue"]
    assert issue["code"] == "exception"
    assert f"{failing_rule}: The rule failed (error id " in issue["details"]["text"]
    assert "Jane" not in answer.text


def test_2_a_rule_that_fails_is_named_and_takes_no_other_down(tmp_path: Path, failing_rule: str) -> None:
    client = whole(tmp_path).test_client()
    assert summaries(client, DISCHARGE, discharge())
    (assessment,) = client.post("/assessments", json=case().bundle()).get_json()["assessments"]
    assert assessment["findings"]
    assert failing_rule in {one["rule"] for one in assessment["notChecked"]}


@pytest.mark.parametrize("hook", ["encounter-discharge", "patient-view", "", None])
def test_2_a_wrong_hook_is_an_error_and_no_empty_answer(client: FlaskClient, hook: str | None) -> None:
    answer = client.post(ORDER_SIGN, json=order_sign(hook=hook))
    assert (answer.status_code, answer.get_json()["resourceType"]) == (400, "OperationOutcome")


# --- 3 ---------------------------------------------------------------------------------------------------------------


def test_3_usage_requirements_reach_discovery() -> None:
    services = (replace(ORDER_SIGN_SERVICE, usage_requirements="Needs notes."),)
    (entry,) = protocol(lambda _: [], services).get("/cds-services").get_json()["services"]
    assert entry["usageRequirements"] == "Needs notes."


def test_3_a_misspelled_member_of_a_service_is_refused() -> None:
    with pytest.raises(TypeError, match="usageRequirements"):
        replace(ORDER_SIGN_SERVICE, usageRequirements="Needs notes.")  # type: ignore[call-arg]


def test_3_optional_members_of_cards_may_be_left_out(client: FlaskClient) -> None:
    links = [link for card in client.post(DISCHARGE, json=discharge()).get_json()["cards"] for link in card["links"]]
    assert links
    assert not any("autolaunchable" in link for link in links)


def test_3_a_slow_answer_holds_up_no_other() -> None:
    started, release = Event(), Event()

    def answer(request: HookRequest) -> Answer:
        if request.hook_instance == "slow":
            started.set()
            release.wait(10)
        return Answer()

    client = protocol(answer)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.application.test_client().post, DISCHARGE, json=discharge(hookInstance="slow"))
        assert started.wait(10)
        assert client.post(DISCHARGE, json=discharge(hookInstance="fast")).status_code == 200
        assert not slow.done()
        release.set()
        assert slow.result(10).status_code == 200


# --- 4 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefetch", [..., None, {}], ids=["no member", "null", "empty"])
def test_4_a_request_without_prefetch_is_answered_and_so_is_the_next(client: FlaskClient, prefetch: Any) -> None:
    body = discharge(prefetch=prefetch)
    if prefetch is ...:
        del body["prefetch"]
    answer = client.post(DISCHARGE, json=body)
    assert (answer.status_code, answer.get_json()["resourceType"]) == (412, "OperationOutcome")
    assert summaries(client, DISCHARGE, discharge())


# --- 5 ---------------------------------------------------------------------------------------------------------------


def test_5_requests_do_not_pay_for_what_is_built_once(client: FlaskClient) -> None:
    def milliseconds(patient: str) -> float:
        body = json.dumps(discharge()).replace(case().request("encounter-discharge")["context"]["patientId"], patient)
        began = time.thread_time()
        assert client.post(DISCHARGE, data=body).status_code == 200
        return 1000 * (time.thread_time() - began)

    # Each call is of another patient, so that none is answered from memory; time of this thread, not of the clock.
    assert statistics.median(milliseconds(f"patient-{uuid4()}") for _ in range(9)) < 40


# --- 6 ---------------------------------------------------------------------------------------------------------------


def test_6_every_hook_that_is_advertised_is_answered(client: FlaskClient) -> None:
    calls = {"order-sign": order_sign(), "encounter-discharge": discharge()}
    for service in client.get("/cds-services").get_json()["services"]:
        assert summaries(client, f"/cds-services/{service['id']}", calls[service["hook"]])


@pytest.mark.parametrize(
    ("address", "body"),
    [pytest.param(ORDER_SIGN, order_sign(), id="orders"), pytest.param(DISCHARGE, discharge(), id="discharge")],
)
def test_6_no_null_is_sent(client: FlaskClient, address: str, body: dict[str, Any]) -> None:
    answer = client.post(address, json=body)
    assert answer.get_json()["cards"]
    assert not re.search(r'[:\[,](null|""|\[\]|\{\})', answer.text)
    assert "null" not in client.get("/cds-services").text


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"context": {**discharge()["context"], "unknown": 1}}, id="context"),
        pytest.param({"unknown": {"a": [1]}}, id="request"),
        pytest.param(
            {
                "fhirServer": "https://fhir.example.org/r4",
                "fhirAuthorization": {
                    "access_token": "t",
                    "token_type": "Bearer",
                    "expires_in": 300,
                    "scope": "patient/*.read",
                    "subject": "us",
                    "patient": discharge()["context"]["patientId"],
                    "unknown": 1,
                },
            },
            id="fhirAuthorization.patient",
        ),
    ],
)
def test_6_members_that_are_not_known_are_borne(client: FlaskClient, members: dict[str, Any]) -> None:
    assert summaries(client, DISCHARGE, discharge(**members)) == summaries(client, DISCHARGE, discharge())


def test_6_every_command_that_is_documented_exists() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    named = {name for page in pages for name in re.findall(r"cds-service ([a-z]+)\b", page.read_text("utf-8"))}
    assert "serve" in named
    assert named - set(COMMANDS) == set()


# --- 7 ---------------------------------------------------------------------------------------------------------------

CALLS = [
    (DISCHARGE, discharge()),
    (DISCHARGE, case("perfect-chart-default").request("encounter-discharge")),
    (ORDER_SIGN, order_sign()),
    (ORDER_SIGN, case("order-correct").request("order-sign")),
    (DISCHARGE, discharge(prefetch={})),
]


def one_by_one(folder: Path) -> list[tuple[int, Any]]:
    """Return the answers of services that have answered nothing before."""
    found = []
    for number, (address, body) in enumerate(CALLS):
        (folder / str(number)).mkdir()
        answer = whole(folder / str(number)).test_client().post(address, json=body)
        found.append((answer.status_code, answer.get_json()))
    assert len({json.dumps(answer) for answer in found}) >= 4
    return found


def test_7_no_answer_depends_on_the_requests_before(tmp_path: Path) -> None:
    expected = one_by_one(tmp_path)
    client = whole(tmp_path).test_client()
    for turn in (0, 1, 2, 0, 3, 4, 1, 0, 4, 2):
        address, body = CALLS[turn]
        answer = client.post(address, json=body)
        assert (answer.status_code, answer.get_json()) == expected[turn]


def test_7_no_answer_depends_on_the_requests_beside(tmp_path: Path) -> None:
    expected = one_by_one(tmp_path)
    app = whole(tmp_path)

    def ask(turn: int) -> tuple[int, Any]:
        address, body = CALLS[turn % len(CALLS)]
        answer = app.test_client().post(address, json={**body, "hookInstance": str(uuid4())})
        return answer.status_code, answer.get_json()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(60))) == [expected[turn % len(CALLS)] for turn in range(60)]


# --- 8 ---------------------------------------------------------------------------------------------------------------


def trusting(folder: Path, **registration: Any) -> FlaskClient:
    clients = json.dumps([{"issuer": EHR, **registration}])
    return whole(folder, trusted_clients=clients, base_url=BASE).test_client()


def status(client: FlaskClient, header: dict[str, Any] | None = None, key: str = "P-384", **claims: Any) -> int:
    now = int(time.time())
    times = {"iat": now, "exp": now + 300, "jti": str(uuid4())}
    made = token(header=header, sign=signed(key), **{"aud": BASE + PATH, **times, **claims})
    answer = client.post(PATH, json=order_sign(), headers={"Authorization": f"Bearer {made.text()}"})
    return answer.status_code


@pytest.mark.parametrize("listed", [False, True], ids=["a client without jku", "a client with another jku"])
def test_8_no_connection_is_made_to_an_unlisted_jku_and_no_key_of_it_is_kept(
    tmp_path: Path, listen: Callable[..., Listening], listed: bool
) -> None:
    server = listen(lambda _: jwks("P-384 evil"))
    keys = {"jku": [f"{server.base}/listed"]} if listed else {}
    client = trusting(tmp_path, jwks=jwks("P-384"), **keys)
    for jku in (
        f"{server.base}/evil",
        f"{server.base}/listed/../evil",
        f"{server.base}/listed?",
        f"{server.base}/listed#",
    ):
        assert status(client, {"kid": "P-384 evil", "jku": jku}, "P-384 evil") == 401
    assert status(client, {"kid": "P-384 evil"}, "P-384 evil") == 401
    assert status(client) == 200
    assert (server.connections, server.asked) == (0, [])


def test_8_a_listed_jku_is_asked(tmp_path: Path, listen: Callable[..., Listening]) -> None:
    server = listen(lambda _: jwks("P-384"))
    client = trusting(tmp_path, jku=[f"{server.base}/listed"])
    assert status(client, {"jku": f"{server.base}/listed"}) == 200
    assert server.asked == ["/listed"]


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"aud": "https://elsewhere.example/cds-services/x"}, id="aud"),
        pytest.param({"iss": "https://elsewhere.example"}, id="iss"),
        pytest.param({"jti": "used"}, id="jti"),
    ],
)
def test_8_what_a_token_claims_is_checked(tmp_path: Path, claims: dict[str, Any]) -> None:
    client = trusting(tmp_path, jwks=jwks("P-384"))
    assert status(client, jti="used") == 200
    assert status(client, **claims) == 401


def test_8_beyond_this_machine_tokens_are_looked_at_by_default() -> None:
    with pytest.raises(SettingsError, match="CDS_TRUSTED_CLIENTS"):
        refuse_unsafe(load_settings(host="0.0.0.0", base_url=BASE))  # noqa: S104 - what is refused


# --- 9 ---------------------------------------------------------------------------------------------------------------


def test_9_tokens_in_discovery_are_fields_at_the_root_of_the_context(client: FlaskClient) -> None:
    tokens = re.findall(r"\{\{(.*?)\}\}", client.get("/cds-services").text)
    assert tokens
    assert set(tokens) <= {"context.userId", "context.patientId", "context.encounterId"}


# --- 10 --------------------------------------------------------------------------------------------------------------


def test_10_partial_prefetch_is_completed(tmp_path: Path, listen: Callable[..., Listening]) -> None:
    prefetch = discharge()["prefetch"]

    def respond(path: str) -> Any:
        kind = path.removeprefix("/fhir/").partition("/")[0]
        found = [entry["resource"] for entry in case().bundle()["entry"] if entry["resource"]["resourceType"] == kind]
        entries = [{"resource": resource} for resource in found]
        return found[0] if path.count("/") > 2 else {"resourceType": "Bundle", "type": "searchset", "entry": entries}

    server = listen(respond)
    client = whole(tmp_path, fhir_servers=f"{server.base}/fhir").test_client()
    expected = summaries(client, DISCHARGE, discharge())
    for sent in ("patient", "claims", "documents"):
        body = discharge(prefetch={sent: prefetch[sent]}, fhirServer=f"{server.base}/fhir")
        assert summaries(client, DISCHARGE, body) == expected, sent
    assert {"/fhir/Claim", "/fhir/Procedure", "/fhir/DocumentReference"} <= set(server.asked)


# --- 11 --------------------------------------------------------------------------------------------------------------


def test_11_an_error_shows_neither_stack_nor_page() -> None:
    def fail(_: HookRequest) -> list[dict[str, Any]]:
        raise ValueError("about Jane Roe")

    answer = protocol(fail).post(DISCHARGE, json=discharge())
    assert (answer.status_code, answer.mimetype) == (500, "application/json")
    for telling in ("<", "Traceback", ".py", "line ", "ValueError", "Jane"):
        assert telling not in answer.text


FEEDBACK = {"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-03-02T10:05:31Z"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"feedback": [FEEDBACK]}, 200, id="as specified"),
        pytest.param({"feedback": [FEEDBACK, {**FEEDBACK, "card": "d"}]}, 200, id="two"),
        pytest.param(FEEDBACK, 400, id="an entry alone"),
        pytest.param([FEEDBACK], 400, id="a list alone"),
        pytest.param({"feedback": FEEDBACK}, 400, id="no list"),
    ],
)
def test_11_feedback_has_the_shape_that_is_specified(client: FlaskClient, body: Any, expected: int) -> None:
    assert client.post(f"{DISCHARGE}/feedback", json=body).status_code == expected


def test_11_discovery_has_one_order() -> None:
    # With these two seeds sets of the ids, and their hashes, come in another order.
    code = (
        "from cds_service.app import create_app; from cds_service.settings import load_settings; "
        "app = create_app(load_settings(database_url='sqlite://')); print(app.test_client().get('/cds-services').text)"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(said) == 1
    ids = [service["id"] for service in json.loads(said.pop())["services"]]
    assert ids == [service.id for service in SERVICES]


# --- 12 --------------------------------------------------------------------------------------------------------------


def claim(**members: Any) -> dict[str, Any]:
    body = copy.deepcopy(discharge())
    for entry in body["prefetch"]["claims"]["entry"]:
        entry["resource"] |= members
    return body


def offers(client: FlaskClient, body: dict[str, Any]) -> tuple[bool, str]:
    """Return whether a change of the Claim is offered, and all that is said."""
    (card, *_) = client.post(DISCHARGE, json=body).get_json()["cards"]
    return "suggestions" in card, card["detail"]


@pytest.mark.parametrize(("member", "value"), [("status", "bogus"), ("use", "nonsense")])
def test_12_a_code_that_fhir_does_not_have_makes_a_claim_invalid(client: FlaskClient, member: str, value: str) -> None:
    assert offers(client, claim())[0]
    offered, said = offers(client, claim(**{member: value}))
    assert not offered
    assert f"{member} is not one of FHIR's codes" in said
    assert value not in said


def test_every_defect_has_a_test() -> None:
    tested = {int(name.split("_")[1]) for name in globals() if re.match(r"test_\d+_", name)}
    assert tested == set(DEFECTS)
