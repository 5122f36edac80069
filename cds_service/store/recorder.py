"""Rows that may wait and may be lost: written in the background, in batches, so that no hook waits for them."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Table
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from cds_service.store.database import Database
from cds_service.store.model import StoreUnavailableError

MOST_WAITING: Final = 10_000
"""Rows that wait at most; more are lost. About 10 MB, and a minute of a busy worker."""

_BATCH: Final = 500
_log = logging.getLogger(__name__)

Row = Mapping[str, Any]


class Recorder:
    """Takes rows without waiting and writes them a moment later. Safe to share between threads, and to fork unused.

    A thread runs only while rows wait: started by the first, it sleeps, writes all there are and ends. So the end of
    the process waits for the last rows, and nothing needs to be closed. Rows of a process that is killed are lost,
    as are those that do not fit while the database is down (the log says how many), or that still wait for it at the
    end.

    Args:
        database: where they are written.
        delay_s: how long a row waits for others to be written with.
        pause_s: how long nothing is tried after the database did not answer.
        afterwards: called after each successful writing, in the background.
    """

    def __init__(
        self,
        database: Database,
        *,
        delay_s: float = 0.5,
        pause_s: float = 10.0,
        most: int = MOST_WAITING,
        afterwards: Callable[[], None] | None = None,
    ) -> None:
        self._database = database
        self._delay_s = delay_s
        self._pause_s = pause_s
        self._most = most
        self._afterwards = afterwards
        self._waiting: deque[tuple[Table, Row]] = deque()
        self._lost = 0
        self._not_before = 0.0
        self._scheduled = False
        self._state = threading.Lock()
        self._writing = threading.Lock()

    def put(self, table: Table, row: Row) -> None:
        """Take one row for `table`. Costs microseconds; never waits and never fails."""
        with self._state:
            if len(self._waiting) >= self._most:
                self._lost += 1
            else:
                self._waiting.append((table, row))
            if self._scheduled or time.monotonic() < self._not_before:
                return
            self._scheduled = True
        # Not a daemon: Python waits for it at the end.
        threading.Thread(target=self._run, name="recorder", daemon=False).start()

    def flush(self) -> bool:
        """Write what waits, now and in this thread; return whether all of it was written."""
        with self._writing:
            while batch := self._next_batch():
                try:
                    self._write(batch)
                except StoreUnavailableError as error:
                    self._failed(batch, error)
                    return False
        if self._afterwards is not None:
            self._afterwards()
        return True

    def _run(self) -> None:
        time.sleep(self._delay_s)
        with self._state:
            self._scheduled = False
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - a thread of the background has nobody else to tell
            _log.error("writing in the background failed: %s", type(error).__qualname__)

    def _next_batch(self) -> list[tuple[Table, Row]]:
        with self._state:
            return [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]

    def _write(self, batch: list[tuple[Table, Row]]) -> None:
        rows: dict[Table, list[Row]] = {}
        for table, row in batch:
            rows.setdefault(table, []).append(row)
        with self._database.writing(durable=False) as connection:
            for table, of_table in rows.items():
                connection.execute(self._database.insert_new(table), of_table)

    def _failed(self, batch: list[tuple[Table, Row]], error: StoreUnavailableError) -> None:
        with self._state:
            if _may_work_later(error):
                room = max(0, self._most - len(self._waiting))
                self._waiting.extendleft(reversed(batch[:room]))
                self._lost += len(batch) - len(batch[:room])
            else:
                self._lost += len(batch)
            lost, self._lost, waiting = self._lost, 0, len(self._waiting)
            self._not_before = time.monotonic() + self._pause_s
        _log.warning("%s: %d rows of cards and audit wait, %d are lost", error, waiting, lost)


def _may_work_later(error: StoreUnavailableError) -> bool:
    """Whether the database was at fault, not a row; rows it refuses would be refused for ever."""
    return isinstance(error.__cause__, OperationalError | InterfaceError | PoolTimeoutError | OSError)
