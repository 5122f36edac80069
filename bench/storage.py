"""Storage under faults, with real processes: feedback that was acknowledged must be found, once, and hooks must answer.

`python -m bench.storage` runs every scenario and prints a table; `--write` puts it into docs/reliability.md. A scenario
starts the service with four workers, posts feedback from three connections and hooks from a fourth, lets its fault
happen meanwhile, and counts in the database afterwards. Feedback that was refused, or whose answer was lost with a
worker, is delivered again, as a client would.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select

from bench.postgresql import LocalPostgresql, programs
from bench.service import Service
from cds_service.resources import cases_folder
from cds_service.store.schema import FEEDBACK

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- storage: begin -->", "<!-- storage: end -->"

SERVICE = "/cds-services/paravertebral-encounter-discharge"
WORKERS = 4
SENDERS = 3
FULL_AT = 400_000
"""Bytes a file may have where the disk is said to be full."""


@dataclass
class Tally:
    """What happened in a scenario."""

    scenario: str
    acknowledged: set[str] = field(default_factory=set)
    refused: int = 0
    """Answers 503."""
    cut: int = 0
    """Connections that ended without an answer."""
    odd: list[int] = field(default_factory=list)
    """Any other status."""
    hooks: int = 0
    slowest_hook_ms: float = 0.0
    rows: int = 0
    lost: set[str] = field(default_factory=set)
    twice: int = 0
    happened: int = 0
    """How often the fault happened."""


def start(url: str, most_bytes: int | None = None) -> Service:
    """Start the service on the database at `url`; `most_bytes` is the largest file it may write, None for any."""
    return Service({"CDS_DATABASE_URL": url, "CDS_AUDIT_DATABASE": "true"}, WORKERS, most_bytes)


class Client:
    """One connection that is opened again where it was cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, document: Any) -> int | None:
        """Return the status, or None where the connection ended without an answer."""
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
            self._connection.request("POST", path, json.dumps(document), {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return None
        return response.status

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


Fault = Callable[[Service, float], int]
"""Lets the fault happen for some seconds and returns how often it did."""


def run(scenario: str, url: str, fault: Fault, seconds: float, most_bytes: int | None = None) -> Tally:
    """Run one scenario against the database at `url` and return what happened."""
    tally = Tally(scenario)
    service = start(url, most_bytes)
    stop = threading.Event()
    threads = [threading.Thread(target=_send, args=(tally, service.port, stop)) for _ in range(SENDERS)]
    threads.append(threading.Thread(target=_call, args=(tally, service.port, stop)))
    try:
        for thread in threads:
            thread.start()
        tally.happened = fault(service, seconds)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        service.stop()
    _count(tally, url)
    return tally


_lock = threading.Lock()
_numbers = itertools.count()


def _send(tally: Tally, port: int, stop: threading.Event) -> None:
    client = Client(port)
    while not stop.is_set():
        card = f"card-{next(_numbers)}"
        entry = {"card": card, "outcome": "overridden", "outcomeTimestamp": datetime.now(UTC).isoformat()}
        while not stop.is_set():
            status = client.post(f"{SERVICE}/feedback", {"feedback": [entry]})
            with _lock:
                if status == 200:
                    tally.acknowledged.add(card)
                elif status == 503:
                    tally.refused += 1
                elif status is None:
                    tally.cut += 1
                else:
                    tally.odd.append(status)
            if status == 200:
                break
            time.sleep(0.02)
    client.close()


def _call(tally: Tally, port: int, stop: threading.Event) -> None:
    body = json.loads((cases_folder() / "thoracotomy-addon-three-units" / "encounter-discharge.json").read_text())
    client = Client(port)
    for number in itertools.count():
        if stop.is_set():
            break
        body["prefetch"]["patient"]["id"] = f"p{number}"  # content of its own, so that it is judged anew
        body["hookInstance"] = f"00000000-0000-4000-8000-{number:012d}"
        began = time.perf_counter()
        status = client.post(SERVICE, body)
        with _lock:
            if status == 200:
                tally.hooks += 1
                tally.slowest_hook_ms = max(tally.slowest_hook_ms, (time.perf_counter() - began) * 1000)
            elif status is None:
                tally.cut += 1
            else:
                tally.odd.append(status)
        time.sleep(0.01)
    client.close()


def _count(tally: Tally, url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        cards = connection.execute(select(FEEDBACK.c.card)).scalars().all()
    engine.dispose()
    tally.rows = len(cards)
    tally.lost = tally.acknowledged - set(cards)
    tally.twice = len(cards) - len(set(cards))


def nothing(_: Service, seconds: float) -> int:
    """No fault, for comparison."""
    time.sleep(seconds)
    return 0


def kill_workers(service: Service, seconds: float) -> int:
    """Kill the oldest worker (SIGKILL) every one and a half seconds; the server starts another.

    The oldest, because Granian takes a worker that dies twice within 5.5 seconds for one that cannot live, and ends.
    """
    killed = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(1.5)
        os.kill(min(service.workers(), key=_started), signal.SIGKILL)
        killed += 1
    time.sleep(1.5)
    return killed


def _started(pid: int) -> int:
    """Return when a process was started, in clock ticks since the machine was."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def locked(path: Path) -> Fault:
    """Hold the lock of the SQLite file at `path` for most of the time."""

    def fault(_: Service, seconds: float) -> int:
        time.sleep(1)
        connection = sqlite3.connect(path, isolation_level=None, timeout=10)
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")
        connection.close()
        time.sleep(1.5)
        return 1

    return fault


def stopped(server: LocalPostgresql) -> Fault:
    """Stop the PostgreSQL server, and start it again."""

    def fault(_: Service, seconds: float) -> int:
        time.sleep(1)
        server.stop()
        time.sleep(seconds / 2)
        server.start()
        time.sleep(seconds / 2)
        return 1

    return fault


@contextmanager
def scenarios(seconds: float) -> Iterator[Iterator[Tally]]:
    """Give the tallies of all scenarios, one after the other; those of PostgreSQL where it is installed."""
    server = LocalPostgresql() if programs() else None
    with tempfile.TemporaryDirectory() as folder:
        try:
            yield _scenarios(Path(folder), server, seconds)
        finally:
            if server is not None:
                server.close()


def _scenarios(folder: Path, server: LocalPostgresql | None, seconds: float) -> Iterator[Tally]:
    def sqlite(name: str) -> tuple[Path, str]:
        path = folder / f"{name}.db"
        return path, f"sqlite:///{path}"

    yield run("SQLite, no fault", sqlite("calm")[1], nothing, seconds)
    yield run("SQLite, workers killed", sqlite("killed")[1], kill_workers, seconds)
    path, url = sqlite("locked")
    yield run("SQLite, locked by another program", url, locked(path), seconds)
    yield run("SQLite, disk full", sqlite("full")[1], nothing, seconds, FULL_AT)
    if server is not None:
        yield run("PostgreSQL, no fault", server.new_database(), nothing, seconds)
        yield run("PostgreSQL, workers killed", server.new_database(), kill_workers, seconds)
        yield run("PostgreSQL, crashed and started again", server.new_database(), stopped(server), seconds)


HEAD = """
| scenario | faults | acknowledged | refused (503) | cut off | found | lost | twice | hooks | slowest hook, ms |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
""".lstrip()


def line(tally: Tally) -> str:
    """Return the line of the table for a scenario."""
    cells = [
        tally.scenario, tally.happened, len(tally.acknowledged), tally.refused, tally.cut, tally.rows,
        len(tally.lost), tally.twice, tally.hooks, round(tally.slowest_hook_ms),
    ]  # fmt: skip
    return f"| {' | '.join(str(cell) for cell in cells)} |\n"


def main() -> None:
    """Run every scenario and print the table."""
    parser = argparse.ArgumentParser(description="Storage under faults, with real processes.")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each fault goes on")
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    arguments = parser.parse_args()
    table = HEAD
    wrong = 0
    with scenarios(arguments.seconds) as tallies:
        for tally in tallies:
            table += line(tally)
            wrong += len(tally.lost) + tally.twice + len(tally.odd)
            print(line(tally), end="", flush=True)
            if tally.odd:
                print(f"other answers: {sorted(set(tally.odd))}")
    if arguments.write and not wrong:
        page = PAGE.read_text(encoding="utf-8")
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        measured = f"Measured {datetime.now(UTC).date()}, {arguments.seconds:g} s a scenario, {WORKERS} workers.\n\n"
        PAGE.write_text(f"{before}{BEGIN}\n{measured}{table}{END}{after}", encoding="utf-8")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
