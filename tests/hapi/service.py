"""The real service in a process of its own, and what the tests say to it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import requests

from cds_service.hooks.services import SERVICES

PATHS: Final[Mapping[str, str]] = {service.hook: f"/cds-services/{service.id}" for service in SERVICES}
_START_WITHIN_S: Final = 60


def environment(**settings: str) -> dict[str, str]:
    """Return this process's environment with `settings` (names without `CDS_`) in place of its own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("CDS_")}
    return kept | {f"CDS_{name.upper()}": value for name, value in settings.items()}


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Service:
    """A running service: where it is, and what it has written."""

    def __init__(self, base: str, log: Path) -> None:
        self.base = base
        self._log = log
        self._session = requests.Session()
        self._session.trust_env = False

    def call(self, hook: str, body: Mapping[str, Any], signed: str | None = None) -> requests.Response:
        """Return the answer to a hook request; `signed` is the JWT of the client."""
        headers = {"Authorization": f"Bearer {signed}"} if signed else {}
        return self._session.post(self.base + PATHS[hook], json=body, headers=headers, timeout=60)

    def templates(self, hook: str) -> dict[str, str]:
        """Return the prefetch templates that discovery has for a hook."""
        listed = self._session.get(f"{self.base}/cds-services", timeout=60).json()["services"]
        return next(dict(service["prefetch"]) for service in listed if service["hook"] == hook)

    def log(self) -> str:
        """Return all it has written so far."""
        return self._log.read_text("utf-8", "replace")

    def close(self) -> None:
        """Close the connections to it."""
        self._session.close()


@contextmanager
def running_service(folder: Path, **settings: str) -> Iterator[Service]:
    """Run `cds-service serve` with `settings` on a free port; its database and log are in `folder`."""
    port, log = free_port(), folder / "service.log"
    own = {"host": "127.0.0.1", "port": str(port), "database_url": f"sqlite:///{folder / 'cds.db'}"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cds_service", "serve"],
            env=environment(**{**own, **settings}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    service = Service(f"http://127.0.0.1:{port}", log)
    try:
        _wait_until_ready(service, process)
        yield service
    finally:
        service.close()
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(service: Service, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_WITHIN_S
    while time.monotonic() < until:
        assert process.poll() is None, f"the service stopped by itself: {service.log()[-2000:]}"
        try:
            if requests.get(f"{service.base}/readyz", timeout=5).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.05)
    raise AssertionError(f"the service was not ready within {_START_WITHIN_S} s: {service.log()[-2000:]}")
