"""`cds-service doctor` before a real FHIR server and a real PostgreSQL: up, behind a token, and down."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from bench.postgresql import MISSING, LocalPostgresql, programs
from tests.hapi.conftest import missing
from tests.hapi.fhir_server import LocalFhirServer
from tests.hapi.proxy import CheckingProxy
from tests.hapi.service import environment, free_port

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def postgresql() -> Iterator[LocalPostgresql]:
    if programs() is None:
        missing(MISSING)
    server = LocalPostgresql()
    yield server
    server.close()


def command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cds_service", *arguments],
        env=environment(port=str(free_port()), **settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def doctor(**settings: str) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    """Return the exit code, and the checks of each kind."""
    done = command("doctor", "--format", "json", **settings)
    found: dict[str, list[dict[str, Any]]] = {}
    for check in json.loads(done.stdout)["checks"]:
        found.setdefault(check["kind"], []).append(check)
    return done.returncode, found


def states(checks: list[dict[str, Any]]) -> set[str]:
    return {check["state"] for check in checks}


def test_what_runs_works(fhir_server: LocalFhirServer, postgresql: LocalPostgresql) -> None:
    settings = {"database_url": postgresql.new_database(), "fhir_servers": fhir_server.base}
    assert command("db", "upgrade", **settings).returncode == 0
    code, checks = doctor(**settings)
    assert code == 0, checks
    (server,) = checks["FHIR server"]
    assert server["state"] == "works"
    assert "FHIR R4 (4.0.1)" in server["found"]
    assert states(checks["database"]) == {"works"}
    assert "up to date" in checks["database"][0]["found"]
    assert "takes a write, which was undone" in checks["database"][1]["found"]
    assert states(checks["clock"]) == {"works"}


def test_a_server_that_wants_a_token_works_and_an_empty_database_says_what_to_do(
    proxy: CheckingProxy, postgresql: LocalPostgresql
) -> None:
    code, checks = doctor(database_url=postgresql.new_database(), fhir_servers=proxy.base)
    assert code == 0, checks
    (server,) = checks["FHIR server"]
    assert "asks for a token (401)" in server["found"]
    assert [seen.path for seen in proxy.seen] == ["/fhir/metadata"]
    assert "db upgrade" in checks["database"][0]["toDo"]


def test_what_is_down_does_not_work(postgresql: LocalPostgresql) -> None:
    database = postgresql.new_database()
    postgresql.stop()
    try:
        code, checks = doctor(database_url=database, fhir_servers=f"http://127.0.0.1:{free_port()}/fhir")
    finally:
        postgresql.start()
    assert code == 1
    assert states(checks["FHIR server"]) == states(checks["database"]) == {"does not work"}
    assert "nothing listens there" in checks["database"][0]["found"]
    assert "cannot be reached" in checks["FHIR server"][0]["found"]
