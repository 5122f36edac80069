"""Feedback on cards in a SQL database: rows are only ever added.

Nothing is unique but the row number: clients send the same card several times, with other outcomes
(accepted, then overridden), and each is a fact worth keeping.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    make_url,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateTable

from cds_service.store.model import Feedback, KeptFeedback, StoreUnavailableError

_TIMEOUT_S = 3
"""How long a request may wait for the database."""

# Text without a length: vendors' ids run to hundreds of characters.
_FEEDBACK = Table(
    "feedback",
    MetaData(),
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("received_at", Text, nullable=False),
    Column("service_id", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("outcome_timestamp", Text, nullable=False),
    Column("accepted_suggestions", JSON, nullable=False),
    Column("reason_code", Text),
    Column("reason_system", Text),
    Column("reason_display", Text),
    Column("user_comment", Text),
)


class FeedbackStore:
    """The feedback rows of one database.

    Cheap to make: the database is opened on first use, so that one that is down keeps nobody from starting.
    Safe to share between threads.

    Args:
        url: an SQLAlchemy address, `sqlite:///file.db` or `postgresql+psycopg://...`. The folder of a SQLite
            file is made where it is missing, readable by its owner only.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._ready = False

    def keep(self, service_id: str, entries: Iterable[Feedback]) -> None:
        """Add `entries`, all or none; they are committed when this returns.

        Raises:
            StoreUnavailableError: nothing was kept.
        """
        received = datetime.now(UTC).isoformat()
        rows = [_row(service_id, received, entry) for entry in entries]
        if not rows:
            return
        with self._transaction() as connection:
            connection.execute(_FEEDBACK.insert(), rows)

    def entries(self) -> tuple[KeptFeedback, ...]:
        """Return everything kept, oldest first.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        with self._transaction() as connection:
            rows = connection.execute(_FEEDBACK.select().order_by(_FEEDBACK.c.id)).mappings().all()
        return tuple(_kept(row) for row in rows)

    def check(self) -> str | None:
        """Return None where the database answers, else why not, in words."""
        try:
            with self._transaction() as connection:
                connection.execute(_FEEDBACK.select().limit(1))
        except StoreUnavailableError as error:
            return str(error)
        return None

    def close(self) -> None:
        """Close the connections. The store opens again on next use."""
        with self._lock:
            if engine := self.__dict__.pop("_engine", None):
                engine.dispose()
            self._ready = False

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            self._prepare()
            with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError, ImportError) as error:
            # The database's own message may hold values or an address with a password: its kind must do.
            raise StoreUnavailableError(f"the feedback database is not available ({type(error).__name__})") from error

    def _prepare(self) -> None:
        with self._lock:
            if not self._ready:
                _create(self._engine)
                self._ready = True

    @cached_property
    def _engine(self) -> Engine:
        return _open(self._url)


def _open(url: str) -> Engine:
    address = make_url(url)
    options: dict[str, Any] = {"hide_parameters": True}
    if address.get_backend_name() != "sqlite":
        options |= {"pool_pre_ping": True, "pool_timeout": _TIMEOUT_S, "connect_args": {"connect_timeout": _TIMEOUT_S}}
        return create_engine(address, **options)
    if address.database and address.database != ":memory:":
        Path(address.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(address, connect_args={"timeout": _TIMEOUT_S}, **options)
    event.listen(engine, "connect", _write_ahead)
    return engine


def _write_ahead(connection: Any, _record: object) -> None:
    # Readers and the writer do not wait for each other; several workers share the file.
    connection.execute("PRAGMA journal_mode=WAL").close()


def _create(engine: Engine) -> None:
    try:
        with engine.begin() as connection:
            connection.execute(CreateTable(_FEEDBACK, if_not_exists=True))
    except SQLAlchemyError:
        # Two workers that start together can both try; the one that loses finds the table there.
        if not inspect(engine).has_table(_FEEDBACK.name):
            raise


def _row(service_id: str, received: str, entry: Feedback) -> dict[str, Any]:
    return {
        "received_at": received,
        "service_id": service_id,
        "card": _storable(entry.card),
        "outcome": entry.outcome,
        "outcome_timestamp": _storable(entry.outcome_timestamp),
        "accepted_suggestions": [_storable(suggestion) for suggestion in entry.accepted_suggestions],
        "reason_code": _storable(entry.reason_code),
        "reason_system": _storable(entry.reason_system),
        "reason_display": _storable(entry.reason_display),
        "user_comment": _storable(entry.user_comment),
    }


def _storable(text: str | None) -> str | None:
    # PostgreSQL has no NUL in text; losing that character is better than losing the feedback.
    return text and text.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _kept(row: Any) -> KeptFeedback:
    return KeptFeedback(
        service_id=row["service_id"],
        received_at=datetime.fromisoformat(row["received_at"]),
        feedback=Feedback(
            card=row["card"],
            outcome=row["outcome"],
            outcome_timestamp=row["outcome_timestamp"],
            accepted_suggestions=tuple(row["accepted_suggestions"]),
            reason_code=row["reason_code"],
            reason_system=row["reason_system"],
            reason_display=row["reason_display"],
            user_comment=row["user_comment"],
        ),
    )
