"""FHIR servers that fail while a hook waits for them, with real processes: the hook must answer, in time and cheaply.

`python -m bench.faults` runs every fault and prints a table; `--write` puts it into docs/reliability.md. Each is
a FHIR server in a process of its own (`bench/fhir_faults.py`), some of them killed in the middle of a call. The service
is called twice with part of the record, and twice with nothing of it, which is answered by 412 where nothing can be
read. The second call of each pair shows what a server costs that is known to be dead: its connections are counted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.service import ROOT, Answer, Service, send
from cds_service.fhir.bundle import RESOURCE_TYPES
from cds_service.fhir.exchange import Limits
from cds_service.resources import cases_folder

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"

SERVICE = "/cds-services/paravertebral-encounter-discharge"
REQUEST: dict[str, Any] = json.loads(
    (cases_folder() / "thoracotomy-addon-three-units" / "encounter-discharge.json").read_text("utf-8")
)
KEPT = ("patient", "encounter", "procedures", "claims", "documents")
"""Prefetch keys of the calls that send part of the record; the others have to be read."""
READ = tuple(key.value for key in RESOURCE_TYPES if key.value not in KEPT)
"""Those others: as many as there are failures after which a server is left alone."""

AT_ONCE = 20
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Fault:
    """How a FHIR server fails: what it does (`fhir_faults.ANSWERS`), and when it is killed, if it is."""

    name: str
    answer: str
    killed: str = ""
    """"before" the call, or "during" it."""


FAULTS = (
    Fault("none", "whole"),
    Fault("killed before the call", "whole", "before"),
    Fault("killed while the hook waits", "hang", "during"),
    Fault("killed while it sends", "drip", "during"),
    Fault("accepts, never answers", "hang"),
    Fault("a byte of the body a second", "drip"),
    Fault("a byte of a header a second", "drip_headers"),
    Fault("a gigabyte", "gigabyte"),
    Fault("a gigabyte, packed", "packed_gigabyte"),
    Fault("closes in the middle", "broken_off"),
    Fault("closes at once", "reset"),
    Fault("headers without end", "endless_headers"),
    Fault("a header without end", "endless_header"),
    Fault("redirects in a circle", "redirects"),
)


class FaultyServer:
    """A FHIR server with a fault, in a process of its own. Call `kill` at the end."""

    def __init__(self, answer: str, folder: Path) -> None:
        record = folder / "record.json"
        record.write_text(json.dumps({RESOURCE_TYPES[key]: REQUEST["prefetch"].get(key) for key in RESOURCE_TYPES}))
        self._counts = folder / "connections"
        self._counts.write_bytes(b"")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.fhir_faults", answer, str(record), str(self._counts)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        said = self._process.stdout.readline() if self._process.stdout else ""
        self.base = f"http://127.0.0.1:{int(said)}/fhir"

    def connections(self) -> int:
        """Return how many connections it was ever sent."""
        return self._counts.stat().st_size

    def kill(self) -> None:
        """Kill it (SIGKILL)."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two calls, one after the other, and the connections to the FHIR server that each led to."""

    first: Answer
    first_connections: int
    second: Answer
    second_connections: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a fault: calls with part of the record, calls with nothing of it, memory of the worker."""

    fault: Fault
    part: Pair
    nothing: Pair
    grown_megabytes: float


def start(database: Path, deadline: float = Limits().deadline) -> Service:
    """Start the service with one worker, so that there is one circuit breaker for each server."""
    environment = {"CDS_DATABASE_URL": f"sqlite:///{database}", "CDS_FHIR_DEADLINE_S": str(deadline)}
    return Service(environment, workers=1)


def request(base: str, keys: tuple[str, ...], **members: object) -> dict[str, Any]:
    """Return the hook request with these prefetch keys only, for the FHIR server at `base`."""
    prefetch = {key: value for key, value in REQUEST["prefetch"].items() if key in keys}
    return {**REQUEST, "prefetch": prefetch, "fhirServer": base, **members}


def run(service: Service, fault: Fault) -> Outcome:
    """Let `fault` happen to calls with part of the record, and to calls with nothing of it."""
    send(service.port, "POST", SERVICE, request("http://127.0.0.1:9/fhir", tuple(REQUEST["prefetch"])))  # warms up
    before = service.forget_peak()
    part, nothing = (_pair(service, fault, keys) for keys in (KEPT, ()))
    return Outcome(fault, part, nothing, service.peak() - before)


def _pair(service: Service, fault: Fault, keys: tuple[str, ...]) -> Pair:
    """Let the fault happen; again where a machine that stood still let the deadline pass before anything was sent."""
    for _ in range(_TRIES):
        pair = _try(service, fault, keys)
        if pair.first_connections or fault.killed == "before":
            break
    return pair


def _try(service: Service, fault: Fault, keys: tuple[str, ...]) -> Pair:
    with _faulty(fault.answer) as server:
        if fault.killed == "before":
            server.kill()
        with _killed_when_called(server) if fault.killed == "during" else contextlib.nullcontext():
            first = send(service.port, "POST", SERVICE, request(server.base, keys))
        opened = server.connections()
        second = send(service.port, "POST", SERVICE, request(server.base, keys))
        return Pair(first, opened, second, server.connections() - opened)


@contextlib.contextmanager
def _faulty(answer: str) -> Iterator[FaultyServer]:
    with tempfile.TemporaryDirectory() as folder:
        server = FaultyServer(answer, Path(folder))
        try:
            yield server
        finally:
            server.kill()


@contextlib.contextmanager
def _killed_when_called(server: FaultyServer) -> Iterator[None]:
    """Kill the server a moment after a connection to it was opened, or at the end where none was."""
    over = threading.Event()

    def kill() -> None:
        while not server.connections() and not over.wait(0.01):
            pass
        over.wait(0.3)
        server.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@dataclass(frozen=True, slots=True)
class Crowd:
    """Calls at once that wait for a server that hangs, and calls meanwhile that need none."""

    waiting: list[Answer]
    connections: int
    meanwhile: list[Answer]


def crowd(service: Service) -> Crowd:
    """Send more calls at once than there are threads to a server that hangs, and others that need no server."""
    with _faulty("hang") as server, ThreadPoolExecutor(AT_ONCE) as callers:
        waiting = [
            callers.submit(send, service.port, "POST", SERVICE, request(server.base, KEPT)) for _ in range(AT_ONCE)
        ]
        time.sleep(0.2)
        whole = request(server.base, tuple(REQUEST["prefetch"]))
        meanwhile = [send(service.port, "POST", SERVICE, whole) for _ in range(5)]
        return Crowd([call.result() for call in waiting], server.connections(), meanwhile)


def flood(service: Service) -> tuple[list[Answer], float]:
    """Send calls at once to a server that sends gigabytes; return the answers, and the MB the worker grew by."""
    before = service.forget_peak()
    with _faulty("gigabyte") as server, ThreadPoolExecutor(AT_ONCE) as callers:
        calls = [callers.submit(send, service.port, "POST", SERVICE, request(server.base, ())) for _ in range(AT_ONCE)]
        answers = [call.result() for call in calls]
    return answers, service.peak() - before


HEAD = """
| fault | part sent: answer, ms (connections) | again | nothing sent: answer, ms (connections) | again | memory, MB |
|---|---:|---:|---:|---:|---:|
""".lstrip()


def line(outcome: Outcome) -> str:
    """Return the line of the table for a fault."""

    def said(answer: Answer, connections: int) -> str:
        return f"{answer.status}, {answer.milliseconds:.0f} ({connections})"

    cells = [outcome.fault.name]
    for pair in (outcome.part, outcome.nothing):
        cells += [said(pair.first, pair.first_connections), said(pair.second, pair.second_connections)]
    return f"| {' | '.join(cells)} | +{max(outcome.grown_megabytes, 0):.0f} |\n"


def wrong(outcome: Outcome, deadline: float) -> list[str]:
    """Return what is not as it has to be: an answer other than 200 or 412, or one after the deadline."""
    told: list[str] = []
    allowed = {"part": (200,), "nothing": (200,) if outcome.fault.name == "none" else (412,)}
    for name, pair in {"part": outcome.part, "nothing": outcome.nothing}.items():
        for answer in (pair.first, pair.second):
            if answer.status not in allowed[name]:
                told.append(f"{outcome.fault.name}: {name} sent: answered {answer.status}")
            if answer.milliseconds > deadline * 1000 + 1000:  # a machine that is busy with the gigabytes
                told.append(f"{outcome.fault.name}: {name} sent: {answer.milliseconds:.0f} ms")
    return told


def measured(deadline: float) -> tuple[str, list[str]]:
    """Return the table of all faults with the line below it, and what was wrong; prints while it runs."""
    table, complaints = HEAD, []
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        service = start(Path(folder) / "cds.db", deadline)
        stack.callback(service.stop)
        for fault in FAULTS:
            outcome = run(service, fault)
            complaints += wrong(outcome, deadline)
            table += line(outcome)
            print(line(outcome), end="", flush=True)
        many = crowd(service)
        flooded, grown = flood(service)
    slowest = max(answer.milliseconds for answer in many.waiting)
    meanwhile = max(answer.milliseconds for answer in many.meanwhile)
    statuses: Mapping[str, set[int]] = {
        "waiting": {answer.status for answer in many.waiting},
        "meanwhile": {answer.status for answer in many.meanwhile},
    }
    complaints += [f"{name}: answered {found}" for name, found in statuses.items() if found != {200}]
    complaints += [f"gigabytes at once: answered {answer.status}" for answer in flooded if answer.status != 412]
    below = (
        f"\n{AT_ONCE} calls at once for a server that never answers: all answered with 200 within {slowest:.0f} ms,\n"
        f"over {many.connections} connections; calls meanwhile that needed no server within {meanwhile:.0f} ms.\n"
        f"{AT_ONCE} calls at once for a server that sends gigabytes: all answered with 412; the worker grew by\n"
        f"{grown:.0f} MB.\n"
    )
    print(below)
    return table + below, complaints


def main() -> None:
    """Run every fault and print the table."""
    parser = argparse.ArgumentParser(description="FHIR servers that fail while a hook waits, with real processes.")
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    arguments = parser.parse_args()
    deadline = Limits().deadline
    table, complaints = measured(deadline)
    print("\n".join(complaints))
    if arguments.write and not complaints:
        page = PAGE.read_text(encoding="utf-8")
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        said = f"Measured {datetime.now(UTC).date()}, one worker, {deadline:g} s for all reads of a hook.\n\n"
        PAGE.write_text(f"{before}{BEGIN}\n{said}{table}{END}{after}", encoding="utf-8")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
