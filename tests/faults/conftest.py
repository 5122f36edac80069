"""The production server as a process of its own, once for all tests of a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.service import ROOT, Service

Start = Callable[..., Service]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start services, all stopped at the end: settings without their prefix; `path` is where Python looks first."""
    folder = tmp_path_factory.mktemp("service")
    started: list[Service] = []

    def begin(workers: int = 1, log: Path | None = None, path: Path | None = None, **settings: object) -> Service:
        settings = {"database_url": f"sqlite:///{folder / 'cds.db'}", **settings}
        environment = {f"CDS_{name.upper()}": str(value) for name, value in settings.items()}
        if path is not None:
            environment["PYTHONPATH"] = os.pathsep.join([str(path), str(ROOT)])
        started.append(Service(environment, workers, log=log))
        return started[-1]

    yield begin
    for service in started:
        service.stop()
