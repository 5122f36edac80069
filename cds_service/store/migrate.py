"""Brings a database to the tables this version needs, by the steps of `cds_service/store/migrations/`.

Several processes may try at once: one works, under a lock of the database, and the others find it done. A database
that is up to date costs one query, and Alembic is not even loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from sqlalchemy import Connection, inspect, select

from cds_service.store.model import NewerDatabaseError
from cds_service.store.schema import FEEDBACK, VERSION

REVISIONS: Final = ("0001", "0002")
"""All steps, oldest first. The last is what this version needs."""

_ADOPTED: Final = "0001"
_LOCK: Final = 0x63_64_73  # "cds"
_ALEMBIC: Final = Lock()
"""Alembic keeps what it works on in globals of its modules: two databases of one process are upgraded in turn."""


@dataclass(frozen=True, slots=True)
class Status:
    """How far a database is: its revision, None where it has no tables yet, and the steps still to do."""

    revision: str | None
    pending: tuple[str, ...]


def status(connection: Connection) -> Status:
    """Return how far the database is.

    Raises:
        NewerDatabaseError: it was made by a version of the service that knows steps this one does not.
    """
    revision = _revision(connection)
    if revision is None:
        return Status(None, REVISIONS)
    if revision not in REVISIONS:
        raise NewerDatabaseError(
            f"the database is at revision {revision} and this version of the service knows {REVISIONS[-1]}: "
            "run the newer version, or set CDS_DATABASE_URL to another database"
        )
    return Status(revision, REVISIONS[REVISIONS.index(revision) + 1 :])


def migrate(connection: Connection) -> Status:
    """Take the steps that are still to do, in the transaction of `connection`, and return what was found before.

    A database of a version without migrations is taken over as it is: all rows stay.

    Raises:
        NewerDatabaseError: as `status`; nothing was changed.
    """
    if connection.dialect.name == "postgresql":
        # SQLite's transactions that write come one after the other anyway. Held until the transaction ends, and with
        # more patience than a request has: a step over many rows takes what it takes.
        connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    found = status(connection)
    if found.pending:
        _upgrade(connection, adopted=found.revision == _ADOPTED and not inspect(connection).has_table(VERSION.name))
    return found


def _upgrade(connection: Connection, *, adopted: bool) -> None:
    from alembic import command  # noqa: PLC0415 - 0.1 s and 10 MB that only a database out of date needs
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with _ALEMBIC:
        if adopted:
            command.stamp(config, _ADOPTED)
        command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    tables = inspect(connection)
    if tables.has_table(VERSION.name):
        revision: str | None = connection.execute(select(VERSION.c.version_num)).scalar()
        return revision
    return _ADOPTED if tables.has_table(FEEDBACK.name) else None
