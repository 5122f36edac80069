"""Removes what is older than the site wants to keep."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Column, ColumnElement, Table, delete, select

from cds_service.store.database import Database
from cds_service.store.model import Retention, time_text
from cds_service.store.schema import AUDIT, FEEDBACK, GIVEN_CARD, TOKEN_IDS
from cds_service.store.tokens import oldest_kept

_AT_ONCE: Final = 5000
"""Rows of one transaction, so that nobody who wants to write waits for long."""
_EVERY_S: Final = 6 * 3600


def prune(database: Database, retention: Retention, now: datetime | None = None) -> Mapping[str, int]:
    """Remove what `retention` no longer keeps; return the number of rows removed, by what they were.

    Raises:
        StoreUnavailableError: the database does not answer; what was removed before stays removed.
    """
    now = now or datetime.now(UTC)
    return {
        "feedback": _remove(
            database, FEEDBACK, FEEDBACK.c.id, _older(FEEDBACK.c.received_at, retention.feedback_days, now)
        ),
        "cards": _remove(
            database, GIVEN_CARD, GIVEN_CARD.c.card, _older(GIVEN_CARD.c.given_at, retention.cards_days, now)
        ),
        "audit": _remove(database, AUDIT, AUDIT.c.id, _older(AUDIT.c.at, retention.audit_days, now)),
        "tokens": _remove(
            database, TOKEN_IDS, TOKEN_IDS.c.digest, TOKEN_IDS.c.expires_at < oldest_kept(now.timestamp())
        ),
    }


class NowAndThen:
    """Prunes a database when called, but at most every six hours in this process."""

    def __init__(self, database: Database, retention: Retention, now: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._retention = retention
        self._now = now
        self._next: float | None = None
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Prune if it is time. Raises `StoreUnavailableError` as `prune`."""
        with self._lock:
            if self._next is not None and self._now() < self._next:
                return
            self._next = self._now() + _EVERY_S
        prune(self._database, self._retention)


def _older(column: Column[str], days: int, now: datetime) -> ColumnElement[bool] | None:
    return column < time_text(now - timedelta(days=days)) if days else None


def _remove(database: Database, table: Table, key: Column[str] | Column[int], old: ColumnElement[bool] | None) -> int:
    removed = 0
    while old is not None:
        some = select(key).where(old).limit(_AT_ONCE)
        with database.writing(durable=False) as connection:
            count = connection.execute(delete(table).where(key.in_(some))).rowcount
        removed += count
        if count < _AT_ONCE:
            break
    return removed
