"""The cases, fired over HTTP at a running service, each answer held against what its case expects."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests

from cds_service.cards.frame import EXTENSION
from cds_service.cases import Case
from cds_service.hooks.services import SERVICES

_START_WITHIN_S = 30
_STOP_WITHIN_S = 15
_REQUEST_WITHIN_S = 30
_POLL_S = 0.02

_SERVICE_IDS: Mapping[str, str] = {service.hook: service.id for service in SERVICES}


class ServiceNotReadyError(Exception):
    """The service could not be started, or does not say that it is ready. The message is one line."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered to one hook request of one case.

    `status` is the HTTP status, None where there was no answer at all. `milliseconds` is the time on the wire and in
    the service. `expected` are the kinds of card the case expects, in order.
    """

    case: Case
    hook: str
    status: int | None
    milliseconds: float
    expected: tuple[str, ...]
    cards: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the cards, in their order."""
        return tuple(kind_of(card) for card in self.cards)

    @property
    def problem(self) -> str | None:
        """What is not as the case expects, in one line; None where all is."""
        if self.status is None:
            return "no answer"
        if self.status != HTTPStatus.OK:
            return f"status {self.status} in place of 200"
        if self.kinds != self.expected:
            return f"cards: {_named(self.kinds)}; the case expects: {_named(self.expected)}"
        return None


def kind_of(card: Mapping[str, Any]) -> str:
    """Return the kind of a card ("suggested-codes"), "unknown" where it does not say."""
    extension = card.get("extension")
    about = extension.get(EXTENSION) if isinstance(extension, Mapping) else None
    return str(about.get("kind", "unknown")) if isinstance(about, Mapping) else "unknown"


def requests_of(cases: Iterable[Case]) -> list[tuple[Case, str]]:
    """Return every hook request there is to fire."""
    return [(case, hook) for case in cases for hook in case.hooks]


def fire(cases: Iterable[Case], base_url: str) -> Iterator[Answer]:
    """Fire every hook request of `cases` at the service at `base_url`, one after the other."""
    with requests.Session() as session:
        session.trust_env = False  # neither a proxy nor credentials of a .netrc belong to a demo
        for case, hook in requests_of(cases):
            yield _fire(session, case, hook, base_url)


def _fire(session: requests.Session, case: Case, hook: str, base_url: str) -> Answer:
    body = case.request(hook)
    expected = case.expected(hook).cards
    started = time.perf_counter()
    try:
        address = f"{base_url.rstrip('/')}/cds-services/{_SERVICE_IDS[hook]}"
        response = session.post(address, json=body, timeout=_REQUEST_WITHIN_S)
    except requests.RequestException:
        return Answer(case, hook, None, _milliseconds(started), expected)
    return Answer(case, hook, response.status_code, _milliseconds(started), expected, _cards(response))


def _cards(response: requests.Response) -> tuple[Mapping[str, Any], ...]:
    try:
        document = response.json()
    except requests.JSONDecodeError:
        return ()
    cards = document.get("cards") if isinstance(document, Mapping) else None
    return tuple(card for card in cards if isinstance(card, Mapping)) if isinstance(cards, list) else ()


def _milliseconds(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _named(kinds: Iterable[str]) -> str:
    return ", ".join(kinds) or "none"


@contextmanager
def running_service() -> Iterator[str]:
    """Run the real service, with nothing but its defaults, and yield its address; it is gone afterwards.

    It listens on a free port of loopback and keeps its database in a folder of its own.

    Raises:
        ServiceNotReadyError: it stopped by itself or was not ready in time; says the last line it wrote.
    """
    with tempfile.TemporaryDirectory(prefix="cds-demo-") as folder:
        log = Path(folder) / "log"
        port = _free_port()
        with log.open("wb") as output:
            process = _start(port, Path(folder), output)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_ready(address, process, log)
            yield address
        finally:
            _stop(process)


def check_ready(base_url: str) -> None:
    """Do nothing where the service at `base_url` is ready. Raises `ServiceNotReadyError` where it is not."""
    if not _is_ready(base_url.rstrip("/")):
        raise ServiceNotReadyError(f"no service is ready at {base_url} (GET /readyz)")


def _start(port: int, folder: Path, output: Any) -> subprocess.Popen[bytes]:
    own = {"CDS_HOST": "127.0.0.1", "CDS_PORT": str(port), "CDS_DATABASE_URL": f"sqlite:///{folder / 'demo.db'}"}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    return subprocess.Popen(
        [sys.executable, "-m", "cds_service", "serve"],
        env=inherited | own,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,  # Ctrl-C is for the demo, which then stops the service itself
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_WITHIN_S
    while not _is_ready(address):
        if process.poll() is not None:
            raise ServiceNotReadyError(f"the service stopped by itself: {_last_line(log)}")
        if time.monotonic() > deadline:
            raise ServiceNotReadyError(f"the service was not ready after {_START_WITHIN_S} s: {_last_line(log)}")
        time.sleep(_POLL_S)


def _is_ready(address: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(f"{address}/readyz", timeout=5).status_code == HTTPStatus.OK
        except requests.RequestException:
            return False


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
