"""The database behind everything that is kept: one address, one pool of connections, its errors in plain words."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Insert, QueuePool, Table, create_engine, event, make_url, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from cds_service.store.migrate import Status, migrate, status
from cds_service.store.model import StoreUnavailableError
from cds_service.store.schema import TOKEN_IDS, TRIAL

WAIT_S: Final = 3
"""How long a request may wait for the database: to connect, and for a lock."""

_DURABLE: Final = "cds_durable"
_PAUSE_S: Final = 0.01
_PRIMARY_CODE: Final = 0xFF
"""The part of an error code of SQLite that says what it is (https://sqlite.org/rescode.html); the rest says why."""
_SLOW_S: Final = 1.0
_TOO_SLOW: Final = "the database does not answer in time"


class Database:
    """One database, opened on first use, so that one that is down keeps nobody from starting.

    Safe to share between threads, and to make before the process forks as long as it was not used. While it does not
    answer in time only one thread at a time waits for it; the others fail at once, and are free for hooks.

    Args:
        url: an SQLAlchemy address, `sqlite:///file.db` or `postgresql+psycopg://...`. The folder of a SQLite
            file is made where it is missing, readable by its owner only.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._ready = False
        self._slow = False
        self._probe = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection to read with.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        with self._guarded(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """Give a connection to write with; what was written is committed, all or none, when the block ends.

        Args:
            durable: whether a commit must outlive a loss of power. Without, it outlives only the process, and
                does not wait for the disk.

        Raises:
            StoreUnavailableError: nothing was written.
        """
        with self._guarded(), self._transaction(durable) as connection:
            yield connection

    def insert_new(self, table: Table) -> Insert:
        """Return an insert into `table` that passes over rows whose key is there already."""
        if self._engine.dialect.name == "sqlite":
            return sqlite.insert(table).on_conflict_do_nothing()
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - 15 ms of a start, with all its drivers

        return postgresql.insert(table).on_conflict_do_nothing()

    def check(self) -> str | None:
        """Return None where the database answers, else why not, in words."""
        try:
            with self.reading() as connection:
                connection.execute(select(TOKEN_IDS.c.digest).limit(1))
        except StoreUnavailableError as error:
            return str(error)
        return None

    def try_writing(self) -> None:
        """Write, and take it back: a row, or while the tables are not up to date a table.

        Raises:
            StoreUnavailableError: the database does not take it.
        """
        with self._errors_in_words(), self._engine.connect() as connection:
            connection.execution_options(**{_DURABLE: False})
            with connection.begin() as transaction:
                if status(connection).pending:
                    TRIAL.create(connection)
                else:
                    connection.execute(TOKEN_IDS.insert().values(digest="trial", expires_at=0))
                transaction.rollback()

    def close(self) -> None:
        """Close the connections. The database opens again on next use."""
        with self._lock:
            if engine := self.__dict__.pop("_engine", None):
                engine.dispose()
            self._ready = False

    def prepare(self) -> None:
        """Make the tables, or bring those there are up to date, unless that was done.

        Raises:
            NewerDatabaseError: the database is of a newer version of this service.
            StoreUnavailableError: the database does not answer.
        """
        with self._guarded():
            pass

    def status(self) -> Status:
        """Return how far the database is, without changing it. Raises as `prepare`."""
        with self._errors_in_words(), self._engine.begin() as connection:
            return status(connection)

    @contextmanager
    def _transaction(self, durable: bool) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            connection.execution_options(**{_DURABLE: durable})
            with connection.begin():
                yield connection

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Let the block use the prepared database, one thread at a time while it is slow."""
        probing = self._slow
        if probing and not self._probe.acquire(blocking=False):
            raise StoreUnavailableError(_TOO_SLOW)
        began = time.monotonic()
        try:
            with self._errors_in_words():
                self._prepare(probing)
                yield
            self._slow = False
        except StoreUnavailableError:
            self._slow = time.monotonic() - began > _SLOW_S
            raise
        finally:
            if probing:
                self._probe.release()

    @contextmanager
    def _errors_in_words(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError, ImportError) as error:
            # The database's own message may hold values or an address with a password: its kind must do.
            raise StoreUnavailableError(f"the database is not available ({type(error).__name__})") from error

    def _prepare(self, probing: bool) -> None:
        with self._lock:
            if self._ready:
                return
            if self._slow and not probing:  # found while this thread waited for the lock
                raise StoreUnavailableError(_TOO_SLOW)
            try:
                with self._engine.begin() as connection:
                    up_to_date = not status(connection).pending
                if not up_to_date:
                    with self._transaction(True) as connection:
                        migrate(connection)
            except OperationalError:
                self._slow = True  # for those who wait for the lock: they need not try one after the other
                raise
            self._ready = True

    @cached_property
    def _engine(self) -> Engine:
        return open_engine(self._url)


def open_engine(url: str) -> Engine:
    """Return the pool of connections to the database at `url`. Nothing is opened yet."""
    address = make_url(url)
    return _open_sqlite(url) if address.get_backend_name() == "sqlite" else _open_postgresql(url)


def _open_postgresql(url: str) -> Engine:
    limits = {
        "connect_timeout": WAIT_S,
        "tcp_user_timeout": WAIT_S * 1000,  # a server that vanishes without a word
        "prepare_threshold": None,  # connection poolers do not keep prepared statements
    }
    engine = create_engine(
        url, hide_parameters=True, pool_pre_ping=True, pool_timeout=WAIT_S, connect_args=limits, echo=False
    )
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _begin_postgresql(connection: Connection) -> None:
    durable = connection.get_execution_options().get(_DURABLE)
    if durable is None:
        return
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT_S}s'")
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{2 * WAIT_S}s'")
    if not durable:
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")


def _open_sqlite(url: str) -> Engine:
    address = make_url(url)
    options: dict[str, Any] = {"hide_parameters": True, "connect_args": {"timeout": WAIT_S}}
    name = address.database or ":memory:"
    if name == ":memory:":  # each connection to memory would see a database of its own
        options |= {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": WAIT_S}
        options["connect_args"]["check_same_thread"] = False
    elif not name.startswith("file:"):  # SQLite's own form, with options: whoever writes it has made the folder
        Path(name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(OSError):  # SQLite tries too, and says what is wrong
            # Its owner's alone whatever the folder and the umask; the files beside it take its mode.
            os.close(os.open(name, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_engine(address, **options)
    event.listen(engine, "connect", _connect_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _connect_sqlite(connection: Any, _record: object) -> None:
    # Transactions are begun below; left to itself the driver begins one only at the first change.
    connection.isolation_level = None
    _write_ahead(connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Have readers and the writer not wait for each other, as several workers share the file.

    That is kept in the file. Where it is new, SQLite does not wait for others who set it at the same moment, as it does
    otherwise, but says that the database is locked.
    """
    until = time.monotonic() + WAIT_S
    while True:
        try:
            return connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(_PAUSE_S)


def _begin_sqlite(connection: Connection) -> None:
    durable = connection.get_execution_options().get(_DURABLE)
    if durable is None:
        connection.exec_driver_sql("BEGIN")
        return
    # FULL waits for the disk at each commit: with NORMAL a loss of power would undo what was acknowledged.
    connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    # A transaction that first reads and then writes would fail at once, without waiting, where another wrote between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
