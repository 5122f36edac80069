"""A real FHIR server with all cases in it, the proxy before it, and the real service beside them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from docker.seed_hapi import transaction
from tests.hapi.fhir_server import MISSING, LocalFhirServer, programs
from tests.hapi.proxy import CheckingProxy
from tests.hapi.requests_of_an_ehr import CASES, TOKEN
from tests.hapi.service import Service, running_service

PATIENT = {
    "fhir_deadline_s": "30",
    "fhir_connect_timeout_s": "10",
    "fhir_read_timeout_s": "30",
    "fhir_max_pages": "50",
}
"""Settings for tests of what is read: a busy machine must not change that."""


def missing(reason: str) -> NoReturn:
    """Skip the test and say why; where everything is to be tested, fail."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def new_fhir_server() -> Iterator[Callable[[], LocalFhirServer]]:
    """Start FHIR servers that hold nothing; all are gone at the end."""
    if not programs():
        missing(MISSING)
    started: list[LocalFhirServer] = []

    def start() -> LocalFhirServer:
        started.append(LocalFhirServer())
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture(scope="session")
def fhir_server(new_fhir_server: Callable[[], LocalFhirServer]) -> LocalFhirServer:
    """The FHIR server that holds the cases."""
    server = new_fhir_server()
    for case in CASES:
        server.load(transaction(case.bundle(), case.id))
    return server


@pytest.fixture(scope="session")
def _proxy(fhir_server: LocalFhirServer) -> Iterator[CheckingProxy]:
    proxy = CheckingProxy(fhir_server.base, TOKEN)
    yield proxy
    proxy.close()


@pytest.fixture
def proxy(_proxy: CheckingProxy) -> CheckingProxy:
    """The proxy before the FHIR server, that has not seen anything yet."""
    _proxy.reset()
    return _proxy


@pytest.fixture(scope="session")
def service(_proxy: CheckingProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service, with the proxy as the one FHIR server it may ask."""
    with running_service(tmp_path_factory.mktemp("service"), fhir_servers=_proxy.base, **PATIENT) as running:
        yield running
