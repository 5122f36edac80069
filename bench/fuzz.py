"""Wrong requests against a real server: never a 5xx, never an exception in the log, never an answer that does not come.

`python -m bench.fuzz` starts the production server, sends 20,000 real requests with broken bytes and 20,000 with broken
content over one connection that is kept alive, and prints a table; `--write` puts it into docs/reliability.md. The same
seed gives the same requests. `tests/fuzz/` sends such to the application itself in every run of the tests.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from bench.mutations import Call, feedback_call, real_calls, to_body, worse_bytes, worse_document

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- fuzz: begin -->", "<!-- fuzz: end -->"

SEED: Final = 20260302
BODIES: Final = 20_000
LARGEST: Final = 20_000
"""Bytes of the requests that are broken; larger ones only take longer."""
MOST_SECONDS: Final = 30.0
"""An answer that has not come by then never will."""
_HEADERS: Final = {"Content-Type": "application/json"}


@cache
def calls() -> tuple[Call, ...]:
    """Return the requests that are broken."""
    small = [call for call in real_calls() if len(call[1]) <= LARGEST]
    return (*small, *[feedback_call()] * (len(small) // 20))


@cache
def _documents() -> tuple[tuple[str, Any], ...]:
    return tuple((path, json.loads(body)) for path, body in calls())


def broken_bytes(seed: int, count: int) -> Iterator[Call]:
    """Yield `count` requests whose bytes are broken."""
    for number in range(count):
        chance = _chance(seed, number)
        path, body = chance.choice(calls())
        yield path, worse_bytes(chance, body)


def broken_documents(seed: int, count: int) -> Iterator[Call]:
    """Yield `count` requests that are JSON, or nearly, with something in them that should not be there."""
    for number in range(count):
        chance = _chance(seed, number)
        path, document = chance.choice(_documents())
        yield path, to_body(worse_document(chance, document))


def _chance(seed: int, number: int) -> Random:
    # Each request has a seed of its own, so that one of them can be made again.
    return Random(seed * 1_000_003 + number)  # nosec B311 # noqa: S311 - the same requests every time, no secret


@dataclass
class Tally:
    """What was answered to the requests of one kind."""

    kind: str
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    slowest_ms: float = 0.0
    faults: list[str] = field(default_factory=list)
    """Answers that must not be, and requests without one."""

    @property
    def sent(self) -> int:
        """How many requests were sent."""
        return self.statuses.total()


class Server:
    """The production server as a process of its own, with a database of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.log = folder / "log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
        environment |= {"CDS_DATABASE_URL": f"sqlite:///{folder / 'cds.db'}", "PYTHONPATH": str(ROOT)}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cds_service", "serve", "--port", str(self.port)],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        self._wait()

    def errors(self) -> list[str]:
        """Return what the log says of faults of the service."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if " ERROR " in line or "Traceback" in line or "panicked" in line]

    def stop(self) -> None:
        """Stop it as an operator does."""
        self.process.terminate()
        self.process.wait(20)

    def _wait(self) -> None:
        for _ in range(300):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.1)
            finally:
                connection.close()
        raise TimeoutError("the service did not start")


@contextmanager
def server() -> Iterator[Server]:
    """Start the server, and stop it at the end."""
    with tempfile.TemporaryDirectory() as folder:
        running = Server(Path(folder))
        try:
            yield running
        finally:
            running.stop()


Judge = Callable[[str, int, bytes], None]
"""Raises AssertionError where an answer (path, status, body) must not be."""


def send(kind: str, requests: Iterator[Call], port: int, judge: Judge) -> Tally:
    """Send `requests` one after the other over one connection, and return what was answered."""
    tally = Tally(kind)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=MOST_SECONDS)
    for number, (path, body) in enumerate(requests):
        began = time.perf_counter()
        try:
            connection.request("POST", path, body, _HEADERS)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            tally.faults.append(f"{number}: no answer ({type(error).__name__})")
            connection.close()
            continue
        seconds = time.perf_counter() - began
        tally.seconds += seconds
        tally.slowest_ms = max(tally.slowest_ms, seconds * 1000)
        tally.statuses[answer.status] += 1
        try:
            judge(path, answer.status, content)
        except AssertionError as error:
            tally.faults.append(f"{number}: {str(error)[:300]}")
    connection.close()
    return tally


def no_fault(_: str, status: int, body: bytes) -> None:
    """Do nothing where an answer is neither a fault of the service nor tells of one that was caught."""
    if status >= 500 or b"error id" in body or b"Traceback" in body:
        raise AssertionError(f"{status}: {body[:200]!r}")


HEAD = """
| requests | sent | 200 | 400 | 412 | 413 | other | 5xx | without an answer | seconds | slowest, ms |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
""".lstrip()


def line(tally: Tally) -> str:
    """Return the line of the table for the requests of one kind."""
    said = tally.statuses
    named = [said[status] for status in (200, 400, 412, 413)]
    failed = sum(count for status, count in said.items() if status >= 500)
    silent = sum("no answer" in fault for fault in tally.faults)
    other = tally.sent - sum(named) - failed
    cells = [
        tally.kind,
        tally.sent + silent,
        *named,
        other,
        failed,
        silent,
        round(tally.seconds),
        round(tally.slowest_ms),
    ]
    return f"| {' | '.join(str(cell) for cell in cells)} |\n"


def main() -> None:
    """Send everything and print the table."""
    parser = argparse.ArgumentParser(description="Wrong requests against a real server.")
    parser.add_argument("--bodies", type=int, default=BODIES, help="how many of each kind")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    arguments = parser.parse_args()
    table = HEAD
    wrong: list[str] = []
    with server() as running:
        for kind, made in (("broken bytes", broken_bytes), ("broken content", broken_documents)):
            tally = send(kind, made(arguments.seed, arguments.bodies), running.port, no_fault)
            table += line(tally)
            wrong += tally.faults
            print(line(tally), end="", flush=True)
        wrong += running.errors()
    print(*wrong[:20], sep="\n")
    if arguments.write and not wrong:
        page = PAGE.read_text(encoding="utf-8")
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        measured = f"Measured {datetime.now(UTC).date()}, seed {arguments.seed}, one worker.\n\n"
        PAGE.write_text(f"{before}{BEGIN}\n{measured}{table}{END}{after}", encoding="utf-8")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
