"""Clocks that differ, and clocks that jump: who is taken, who is left alone, and for how long."""

from __future__ import annotations

import ast
import itertools
import json
import socket
import time
from pathlib import Path
from uuid import uuid4

import pytest

import cds_service
from bench import faults
from bench.service import send
from cds_service.app import create_app
from cds_service.hooks.clients import TrustedClient
from cds_service.hooks.jwks import FRESH_S, PAUSE_S, KeySource
from cds_service.hooks.limits import _Limiter
from cds_service.hooks.trust import NotTrustedError, Trust
from cds_service.settings import Settings
from cds_service.store.database import Database
from cds_service.store.tokens import KEEP_AFTER_EXPIRY_S, TokenIds
from tests.hooks.signing import BASE, EHR, NOW, PATH, jwks, token

HOUR = 3600
ORDER_SIGN = {
    "hook": "order-sign",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"userId": "Practitioner/1", "patientId": "p", "draftOrders": {"resourceType": "Bundle"}},
}


# The client's clock and ours


def verdict(ours: float, leeway: int, lifetime: int = 300, **claims: float) -> str:
    """What becomes of a token made at `NOW` where our clock is at `NOW` + `ours`."""
    client = TrustedClient.model_validate({"issuer": EHR, "jwks": jwks("P-384"), "leeway_seconds": leeway})
    trust = Trust([client], BASE, lambda *_: True, now=lambda: NOW + ours)
    made = token(exp=NOW + lifetime, **claims)
    try:
        trust.verify(f"Bearer {made.text()}", PATH)
    except NotTrustedError as reason:
        return str(reason).partition(";")[0]
    return "taken"


EXPIRED, FUTURE, NOT_YET = "exp has passed", "iat is in the future", "nbf is in the future"


@pytest.mark.parametrize(
    ("leeway", "ours", "expected"),
    [
        pytest.param(30, -HOUR, FUTURE, id="ours an hour behind"),
        pytest.param(30, -30.001, FUTURE, id="ours behind by more than the leeway"),
        pytest.param(30, -30, "taken", id="ours behind by the leeway"),
        pytest.param(30, 0, "taken", id="alike"),
        pytest.param(30, 329.999, "taken", id="expired within the leeway"),
        pytest.param(30, 330, EXPIRED, id="expired, and the leeway over"),
        pytest.param(30, HOUR, EXPIRED, id="ours an hour ahead"),
        pytest.param(0, -0.001, FUTURE, id="no leeway: ours behind by a millisecond"),
        pytest.param(0, 0, "taken", id="no leeway: alike"),
        pytest.param(0, 299.999, "taken", id="no leeway: about to expire"),
        pytest.param(0, 300, EXPIRED, id="no leeway: expired this moment"),
        pytest.param(300, -300, "taken", id="most leeway: five minutes behind"),
        pytest.param(300, -301, FUTURE, id="most leeway: more behind"),
        pytest.param(300, 599, "taken", id="most leeway: ten minutes ahead"),
        pytest.param(300, 600, EXPIRED, id="most leeway: more ahead"),
    ],
)
def test_a_clock_may_differ_by_the_leeway_and_no_more(leeway, ours, expected):
    assert verdict(ours, leeway) == expected


@pytest.mark.parametrize(
    ("from_now", "expected"), [(29.999, "taken"), (30, "taken"), (30.001, NOT_YET), (-HOUR, "taken")]
)
def test_so_may_the_time_from_which_a_token_is_valid(from_now, expected):
    assert verdict(0, 30, nbf=NOW + from_now) == expected


@pytest.mark.parametrize(
    ("theirs", "status"),
    [
        pytest.param(-HOUR, 401, id="theirs an hour behind"),
        pytest.param(-340, 401, id="expired for 40 s"),
        pytest.param(-320, 200, id="expired for 20 s"),
        pytest.param(0, 200, id="alike"),
        pytest.param(20, 200, id="20 s ahead"),
        pytest.param(40, 401, id="40 s ahead"),
        pytest.param(HOUR, 401, id="an hour ahead"),
    ],
)
def test_the_server_takes_tokens_of_clients_whose_clock_differs_a_little(start, theirs, status):
    service = _trusting(start)
    dated = int(time.time()) + theirs
    made = token(aud=BASE + PATH, iat=dated, exp=dated + 300, jti=str(uuid4()))
    answer = send(service.port, "POST", PATH, ORDER_SIGN, {"Authorization": f"Bearer {made.text()}"})
    assert answer.status == status


_started = []


def _trusting(start):
    if not _started:
        registration = json.dumps([{"issuer": EHR, "jwks": jwks("P-384")}])
        _started.append(start(trusted_clients=registration, base_url=BASE))
    return _started[0]


# Our clock jumps


class Clock:
    """A clock that can be set."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


@pytest.mark.parametrize("away", [HOUR, KEEP_AFTER_EXPIRY_S], ids=["an hour", "a day"])
def test_a_clock_that_runs_ahead_and_is_set_back_makes_no_used_token_good_again(tmp_path, away):
    clock = Clock(NOW + 10)
    used = TokenIds(Database(f"sqlite:///{tmp_path / 'cds.db'}"), clock)
    client = TrustedClient.model_validate({"issuer": EHR, "jwks": jwks("P-384")})
    trust = Trust([client], BASE, used.remember_token_id, now=clock)
    header = f"Bearer {token().text()}"
    assert trust.verify(header, PATH)
    clock.at += away
    for number in range(1001):  # enough for old ones to be removed
        used.remember_token_id(EHR, f"other-{number}", clock.at + 330)
    clock.at = NOW + 20
    with pytest.raises(NotTrustedError, match="used before"):
        trust.verify(header, PATH)


@pytest.mark.parametrize("jump", [-30 * 24 * HOUR, -HOUR, -1, 1, HOUR, 30 * 24 * HOUR])
def test_a_jump_locks_no_client_out_for_longer_than_its_window(monkeypatch, jump):
    clock = Clock(NOW)
    monkeypatch.setattr(time, "time", clock)
    limiter = _Limiter("3/minute")
    assert [limiter.wait("ehr") is None for _ in range(4)] == [True, True, True, False]
    clock.at += jump
    waits = [limiter.wait("ehr") for _ in range(4)]
    assert waits[-1] is not None
    assert 0 < waits[-1] <= 121
    clock.at += 120
    assert limiter.wait("ehr") is None


def test_a_dead_fhir_server_stays_left_alone_whatever_the_wall_clock_does(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        listener.settimeout(0.01)  # connections are taken by the system, and nobody answers
        base = f"http://127.0.0.1:{listener.getsockname()[1]}/fhir"
        settings = Settings(
            database_url=f"sqlite:///{tmp_path / 'cds.db'}", fhir_deadline_s=0.3, fhir_breaker_failures=1
        )
        client = create_app(settings).test_client()
        body = faults.request(base, faults.KEPT)
        real = time.time
        client.post(faults.SERVICE, json=body)
        assert _connections(listener) > 0
        for jump in (-30 * 24 * HOUR, -HOUR, HOUR, 30 * 24 * HOUR):
            monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
            assert client.post(faults.SERVICE, json=body).status_code == 200
        assert _connections(listener) == 0


def _connections(listener: socket.socket) -> int:
    for number in itertools.count():
        try:
            listener.accept()[0].close()
        except TimeoutError:
            return number
    raise AssertionError


def test_key_sets_are_read_again_by_the_clock_that_only_goes_forward(monkeypatch):
    reads = []

    def read() -> bytes:
        reads.append(1)
        return json.dumps(jwks("P-384")).encode()

    forward = Clock(1000.0)
    source = KeySource("test", read, clock=forward)
    for jump in (-HOUR, HOUR):
        monkeypatch.setattr(time, "time", lambda jump=jump: NOW + jump)
        assert source.find("P-384", "EC")
    assert len(reads) == 1
    forward.at += FRESH_S + PAUSE_S
    assert source.find("P-384", "EC")
    assert len(reads) == 2


# Who looks at the wall clock

WALL_CLOCK = {
    "audit.py": "when a call was",
    "checkup/clock.py": "how far it is from that of a server",
    "checkup/servers.py": "when a server was asked what its clock says",
    "commands/doctor.py": "which day is today",
    "commands/keys.py": "when a token is made",
    "commands/knowledge.py": "which day is today",
    "fhir/exchange.py": "a Retry-After that is a date; never longer than the deadline",
    "hooks/limits.py": "when to come back, as the windows of rates are counted",
    "hooks/trust.py": "whether a token is valid",
    "pipeline.py": "which day is today, in UTC",
    "store/cards.py": "when a card was given",
    "store/feedback.py": "when feedback was received",
    "store/prune.py": "how old rows are",
    "store/tokens.py": "which used tokens expired long ago",
}
"""What the wall clock is for. How long something takes is measured by `time.monotonic`."""


def test_only_dates_are_taken_from_the_wall_clock():
    package = Path(cds_service.__file__).parent
    found = {str(path.relative_to(package)) for path in package.rglob("*.py") if _looks_at_the_wall_clock(path)}
    assert found == set(WALL_CLOCK)


def _looks_at_the_wall_clock(path: Path) -> bool:
    asked = {("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}
    return any(
        (node.value.id, node.attr) in asked
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    )
