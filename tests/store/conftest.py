"""The databases of the store's tests: a SQLite file, and a real PostgreSQL server where the machine has one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.postgresql import MISSING, LocalPostgresql, programs
from cds_service.store.database import Database


@pytest.fixture(scope="session")
def postgresql() -> Iterator[LocalPostgresql]:
    """A PostgreSQL server of our own."""
    if programs() is None:
        pytest.skip(MISSING)
    server = LocalPostgresql()
    yield server
    server.close()


@pytest.fixture
def new_postgresql(postgresql: LocalPostgresql) -> str:
    """The address of an empty database on the server."""
    return postgresql.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with nothing in it, of each kind."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("new_postgresql"))
    return f"sqlite:///{tmp_path / 'state' / 'cds-service.db'}"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()
