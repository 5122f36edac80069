"""A real FHIR server that is slow, refuses, breaks off, or dies: hooks are answered, and say what was not checked."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import pytest

from cds_service.cases import load_case
from cds_service.resources import cases_folder
from docker.seed_hapi import transaction
from tests.hapi.conftest import PATIENT
from tests.hapi.fhir_server import LocalFhirServer
from tests.hapi.proxy import CheckingProxy, Trouble
from tests.hapi.requests_of_an_ehr import TOKEN, cards, hook_of, lent
from tests.hapi.service import Service, running_service

pytestmark = pytest.mark.integration

CASE = load_case(cases_folder() / "wrong-side-on-claim")
HOOK = hook_of(CASE, "encounter-discharge")
NOTHING = HOOK.without(*HOOK.keys)
PROCEDURES = HOOK.without(*(key for key in HOOK.keys if key != "procedures"))
NEEDED = {"prefetch.procedures", "prefetch.claims", "prefetch.documents"}

DEADLINE_S = 4.0
"""Enough for a busy machine to answer in, and less than the proxy's slowness."""
PAUSE_S = 1.0
WRONG = "another-token-that-nobody-issued"


@pytest.fixture(scope="module")
def proxies(fhir_server: LocalFhirServer) -> Iterator[list[CheckingProxy]]:
    """A proxy for each test: what the service has learned of one does not hold for the next."""
    made = [CheckingProxy(fhir_server.base, TOKEN) for _ in range(16)]
    yield list(made)
    for proxy in made:
        proxy.close()


@pytest.fixture(scope="module")
def service(proxies: list[CheckingProxy], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    times = dict.fromkeys(("fhir_deadline_s", "fhir_connect_timeout_s", "fhir_read_timeout_s"), str(DEADLINE_S))
    pause = {"fhir_breaker_pause_s": str(PAUSE_S)}
    listed = " ".join(proxy.base for proxy in proxies)
    with running_service(tmp_path_factory.mktemp("troubled"), fhir_servers=listed, **times, **pause) as running:
        yield running


@pytest.fixture
def proxy(proxies: list[CheckingProxy]) -> CheckingProxy:
    return proxies.pop()


def reasons(answer: Any) -> set[str]:
    """Return what a 412 says of each key that would have been enough."""
    assert answer.status_code == 412
    issues = answer.json()["issue"]
    assert {issue["expression"][0] for issue in issues} == NEEDED
    return {issue["details"]["text"] for issue in issues}


def not_checked(answer: Any) -> dict[str, str]:
    """Return what the cards of an answer say was not read of each prefetch key."""
    found: dict[str, str] = {}
    for card in cards(answer):
        for keys, reason in re.findall(r"(?:Not checked|;)(?::)? ([a-z]+(?:, [a-z]+)*): ([^;\n]+)", card["detail"]):
            found.update(dict.fromkeys(keys.split(", "), reason))
    return found


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        pytest.param(Trouble.SLOW, "the FHIR server did not answer in time", id="slow"),
        pytest.param(Trouble.UNAUTHORIZED, "the FHIR server answered 401 (login)", id="401"),
        pytest.param(Trouble.BROKEN, "the FHIR server answered 500 (exception)", id="500"),
        pytest.param(Trouble.CUT, "the answer of the FHIR server broke off", id="cut"),
    ],
)
class TestTrouble:
    def test_of_one_search_leaves_the_rest_of_the_answer(
        self, trouble: Trouble, reason: str, service: Service, proxy: CheckingProxy
    ) -> None:
        proxy.trouble, proxy.where = trouble, "/Claim"
        began = time.monotonic()
        answer = service.call(HOOK.name, lent(NOTHING, proxy.base))
        assert time.monotonic() - began < DEADLINE_S + 2
        assert not_checked(answer) == {"claims": reason}

    def test_of_the_whole_server_leaves_what_was_sent_or_412(
        self, trouble: Trouble, reason: str, service: Service, proxy: CheckingProxy
    ) -> None:
        proxy.trouble = trouble
        answer = service.call(HOOK.name, lent(PROCEDURES, proxy.base))
        assert not_checked(answer).items() >= {"claims": reason, "documents": reason, "coverage": reason}.items()
        time.sleep(PAUSE_S + 0.2)
        # The one read that tries whether the server is back fails as the others did, or they wait for it.
        said = reasons(service.call(HOOK.name, lent(NOTHING, proxy.base)))
        assert all(reason in each or "left alone for a while" in each for each in said)


@dataclass(frozen=True)
class Lent:
    """A token as an EHR lends it, why it does not help, and whether the server is asked at all."""

    token: str | None
    reason: str
    asked: bool
    changes: dict[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Lent(WRONG, "the FHIR server answered 401 (login)", True), id="wrong"),
        pytest.param(Lent(None, "the FHIR server answered 401 (login)", True), id="none"),
        pytest.param(Lent(TOKEN, "the access token has expired", False, {"expires_in": 0}), id="expired"),
        pytest.param(
            Lent(TOKEN, "the access token is for another patient", False, {"patient": "somebody-else"}),
            id="for-another-patient",
        ),
    ],
)
def test_a_token_that_does_not_open_is_told_and_not_logged(case: Lent, service: Service, proxy: CheckingProxy) -> None:
    said = reasons(service.call(HOOK.name, lent(NOTHING, proxy.base, case.token, **case.changes)))
    assert all(case.reason in each for each in said)
    answer = service.call(HOOK.name, lent(PROCEDURES, proxy.base, case.token, **case.changes))
    assert not_checked(answer)["claims"] == case.reason
    assert bool(proxy.seen) is case.asked
    assert not any(seen.authorized for seen in proxy.seen)
    for secret in (TOKEN, WRONG, CASE.id):
        assert secret not in service.log()
        assert secret == CASE.id or secret not in answer.text


def test_a_dead_server_is_left_alone_and_taken_up_again(service: Service, proxy: CheckingProxy) -> None:
    proxy.trouble = Trouble.CUT
    reasons(service.call(HOOK.name, lent(NOTHING, proxy.base)))
    proxy.reset()
    assert all("left alone" in each for each in reasons(service.call(HOOK.name, lent(NOTHING, proxy.base))))
    assert proxy.seen == []
    time.sleep(PAUSE_S + 0.2)
    service.call(HOOK.name, lent(NOTHING, proxy.base))  # one read of it tries; the others may still be held back
    assert cards(service.call(HOOK.name, lent(NOTHING, proxy.base))) == cards(service.call(HOOK.name, HOOK.full))


@dataclass(frozen=True)
class Shot:
    """One call of a load, by the clock."""

    began: float
    ended: float
    answer: Any


class Load:
    """Hooks, fired one after the other by some threads, with all answers kept."""

    def __init__(self, service: Service, body: dict[str, Any], threads: int = 3) -> None:
        self.answers: list[Shot] = []
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._fire, args=(service, body)) for _ in range(threads)]

    def _fire(self, service: Service, body: dict[str, Any]) -> None:
        while not self._stopped.is_set():
            began = time.monotonic()
            answer = service.call(HOOK.name, body)
            self.answers.append(Shot(began, time.monotonic(), answer))

    def wait_for(self, answers: int) -> None:
        """Wait until there are so many answers."""
        until = time.monotonic() + 60
        while len(self.answers) < answers:
            assert time.monotonic() < until, f"{len(self.answers)} answers in a minute"
            time.sleep(0.05)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture(scope="module")
def mortal(new_fhir_server: Callable[[], LocalFhirServer]) -> LocalFhirServer:
    """A FHIR server with the one case in it, to be killed."""
    server = new_fhir_server()
    server.load(transaction(CASE.bundle(), CASE.id))
    return server


def test_a_server_killed_under_load_costs_its_data_and_no_answer(
    mortal: LocalFhirServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    body = lent(PROCEDURES, mortal.base, None)
    with running_service(tmp_path_factory.mktemp("killed"), fhir_servers=mortal.base, **PATIENT) as service:
        expected = cards(service.call(HOOK.name, HOOK.full))
        assert cards(service.call(HOOK.name, body)) == expected
        with Load(service, body) as load:
            load.wait_for(6)
            killed = time.monotonic()
            mortal.kill()
            load.wait_for(len(load.answers) + 30)
        assert {shot.answer.status_code for shot in load.answers} == {200}
        for shot in load.answers:
            if shot.ended < killed:
                assert cards(shot.answer) == expected, not_checked(shot.answer)
        last = load.answers[-10:]
        assert all(shot.ended - shot.began < 5 for shot in last), "the dead server holds up the calls"
        assert all("left alone for a while" in not_checked(shot.answer)["claims"] for shot in last)
        assert "Traceback" not in service.log()
