"""Measure what a request costs, beside a peer and the floor, in one run. `make bench` starts it.

Figures are CPU time: user plus system time of all processes of the server, which is pinned to one core, divided by the
number of requests; the load comes from another core, over eight kept connections. Answers are checked: a figure for
wrong answers would be worth nothing.

Exit status: 0 measured, 1 something answered wrongly or could not be measured (said below the tables).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from bench import charts
from bench.load import Answers, fire, message
from bench.server import Running, Subject, pin_client, running

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
MARKS = ("<!-- measured: begin -->", "<!-- measured: end -->")
BIN = Path(sys.executable).parent
PEER_PYTHON = ROOT / "bench" / ".venv-healthchain" / "bin" / "python"

SERVICE = Subject(
    "this service",
    (str(BIN / "cds-service"), "serve", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1"),
    {
        "order-sign": "/cds-services/paravertebral-order-sign",
        "encounter-discharge": "/cds-services/paravertebral-encounter-discharge",
    },
    "/readyz",
)
PEERS = (
    Subject(
        "HealthChain 0.16.1, no rules",
        (str(PEER_PYTHON), str(ROOT / "bench" / "healthchain_app.py"), "{port}"),
        {"order-sign": "/cds/cds-services/order-sign"},
        "/health",
    ),
    Subject(
        "Flask JSON echo on granian",
        (str(BIN / "granian"), "--interface", "wsgi", "--no-ws", "--port", "{port}", "bench.echo_app:app"),
        {"order-sign": "/echo"},
        "/",
    ),
)

COLUMNS = ("no block in it", "block, all content new", "same chart again")
BUDGETS = {"order-sign": (0.5, 1.5, 0.75), "discharge": (0.6, 2.5, 1.0), "long-stay": (3.0, 8.0, 3.0)}
BUDGET_P99, BUDGET_START, BUDGET_MEMORY = 20.0, 0.6, 80.0

Bodies = Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Figure:
    """One cell: milliseconds of CPU for a request, and of waiting for the answer of 99 in 100."""

    cpu: float
    p99: float
    requests: int


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a server needs before and beside its requests: seconds to the first answer, megabytes of a worker."""

    start: float
    memory: float


def no_block(kind: charts.Kind, chance: random.Random) -> Bodies:
    """Yield requests without a block, each with content of its own."""
    while True:
        yield charts.body(kind.build(chance, block=False))


def all_new(kind: charts.Kind, chance: random.Random) -> Bodies:
    """Yield requests with a block, each with content of its own."""
    while True:
        yield charts.body(kind.build(chance, block=True))


def same_again(kind: charts.Kind, chance: random.Random) -> Bodies:
    """Yield one chart with a block over and over, as a client does whose hook fires again."""
    request = kind.build(chance, block=True)
    while True:
        yield charts.body(charts.fired_again(request, chance))


SOURCES: tuple[Callable[[charts.Kind, random.Random], Bodies], ...] = (no_block, all_new, same_again)


class Bench:
    """One run: how long a figure is measured, and what went wrong on the way."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.problems: list[str] = []

    def service(self) -> tuple[dict[tuple[str, str], Figure], Footprint] | None:
        """Measure every request in its three ways; None when the service could not be measured."""
        figures: dict[tuple[str, str], Figure] = {}

        def measure(server: Running) -> None:
            for kind in charts.KINDS:
                for column, source in zip(COLUMNS, SOURCES, strict=True):
                    bodies = source(kind, _chance(f"{kind.id} {column}"))
                    expected = _without_cards if source is no_block else _with_cards
                    what = f"{kind.title}, {column}"
                    figures[kind.id, column] = self._figure(server, SERVICE.path[kind.hook], bodies, what, expected)

        footprint = self._run(SERVICE, measure)
        return None if footprint is None else (figures, footprint)

    def peer(self, subject: Subject) -> tuple[Figure, Footprint] | None:
        """Measure the order-sign request at another server; None when it could not be measured."""
        figures: list[Figure] = []

        def measure(server: Running) -> None:
            bodies = all_new(charts.KINDS[0], _chance("peer"))
            figures.append(self._figure(server, subject.path["order-sign"], bodies, subject.name, _anything))

        footprint = self._run(subject, measure)
        return None if footprint is None else (figures[0], footprint)

    def _run(self, subject: Subject, measure: Callable[[Running], None]) -> Footprint | None:
        """Start a server three times, measure it the last time, and return what it needed."""
        with tempfile.TemporaryDirectory() as folder:
            environment = {
                "CDS_DATABASE_URL": f"sqlite:///{folder}/cds.db",
                "PYTHONPATH": str(ROOT),
                "PYTHONDONTWRITEBYTECODE": "",
            }
            starts = []
            try:
                for _ in range(2):
                    with running(subject, environment) as server:
                        starts.append(server.start_seconds)
                with running(subject, environment) as server:
                    starts.append(server.start_seconds)
                    measure(server)
                    return Footprint(statistics.median(starts), server.worker_megabytes())
            except (OSError, RuntimeError, ValueError) as error:
                self.problems.append(f"{subject.name} could not be measured: {error}")
                return None

    def _figure(
        self, server: Running, path: str, bodies: Bodies, what: str, expected: Callable[[bytes], bool]
    ) -> Figure:
        """Warm up, estimate the cost, then measure as many requests as fill the time."""
        _spend(server, path, bodies, 100)
        estimate, _ = _spend(server, path, bodies, 200)
        count = max(300, min(6000, int(self.seconds / max(estimate / 200, 1e-4))))
        cpu, answers = _spend(server, path, bodies, count)
        self._check(answers, what, expected)
        figure = Figure(cpu * 1000 / count, answers.percentile(0.99) * 1000, count)
        print(f"  {what}: {figure.cpu:.2f} ms CPU, p99 {figure.p99:.1f} ms, {count} requests", file=sys.stderr)
        return figure

    def _check(self, answers: Answers, what: str, expected: Callable[[bytes], bool]) -> None:
        if set(answers.statuses) != {200}:
            self.problems.append(f"{what}: status {answers.statuses}, for example {answers.bodies[0][:300]!r}")
        elif wrong := [body for body in answers.bodies if not expected(body)]:
            self.problems.append(f"{what}: {len(wrong)} answers were not as expected, for example {wrong[0][:300]!r}")


def _chance(seed: str) -> random.Random:
    """Return chance that repeats itself: every run measures the same requests."""
    return random.Random(seed)  # nosec B311 # noqa: S311 - no secret is made of it


def _spend(server: Running, path: str, bodies: Bodies, count: int) -> tuple[float, Answers]:
    """Send `count` requests; return the CPU seconds they took and the answers. Requests are built beforehand."""
    messages = [message(path, next(bodies)) for _ in range(count)]
    before = server.cpu_seconds()
    answers = fire(server.port, messages)
    return server.cpu_seconds() - before, answers


def _with_cards(body: bytes) -> bool:
    return bool(json.loads(body).get("cards"))


def _without_cards(body: bytes) -> bool:
    return bool(json.loads(body) == {"cards": []})


def _anything(_: bytes) -> bool:
    return True


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def service_table(figures: dict[tuple[str, str], Figure]) -> list[str]:
    """Return the table of CPU milliseconds for a request, each beside its budget."""
    lines = [_row("CPU ms per request (budget)", *COLUMNS, "worst p99"), "|---" + "|---:" * 4 + "|"]
    for kind in charts.KINDS:
        row = [figures[kind.id, column] for column in COLUMNS]
        cells = [f"{figure.cpu:.2f} (≤ {most:g})" for figure, most in zip(row, BUDGETS[kind.id], strict=True)]
        lines.append(_row(kind.title, *cells, f"{max(f.p99 for f in row):.1f} ms (≤ {BUDGET_P99:g})"))
    return lines


def peer_table(rows: Sequence[tuple[str, Figure, Footprint]]) -> list[str]:
    """Return the table that sets the service beside its peers, on the same order-sign request."""
    head = ("order-sign, all content new", "CPU ms", "p99 ms", "start s", "MB a worker")
    lines = [_row(*head), "|---" + "|---:" * 4 + "|"]
    for name, figure, needs in rows:
        lines.append(_row(name, f"{figure.cpu:.2f}", f"{figure.p99:.1f}", f"{needs.start:.2f}", f"{needs.memory:.0f}"))
    return lines


def circumstances(pinned: bool, seconds: float) -> list[str]:
    """Return what a reader needs to judge or repeat the figures."""
    names = ("granian", "flask", "orjson", "fhir.resources")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    cores = f"{os.cpu_count()} cores" + ("" if pinned else " (one only: load and server shared it)")
    return [
        f"- Measured {datetime.now(UTC):%Y-%m-%d}: `make bench ARGS=--write`, {seconds:g} s a figure, 8 connections.",
        f"- Machine: {_processor()}, {cores}, {platform.system()} {platform.release().split('-')[0]}.",
        f"- Python {platform.python_version()}, {versions}; peer: {_peer_versions()}.",
    ]


def circumstances_of_reading(peer: str) -> list[str]:
    """Return the same for figures of the note reader alone, beside a `peer` of the given version."""
    return [
        f"- Measured {datetime.now(UTC):%Y-%m-%d}: `make bench ARGS=--write`, one process, every text read once.",
        f"- Machine: {_processor()}, {platform.system()}; Python {platform.python_version()}; peer: {peer}.",
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _peer_versions() -> str:
    if not PEER_PYTHON.exists():
        return "not installed"
    question = (
        "from importlib.metadata import version\n"
        "print(*(f'{name} {version(name)}' for name in ('healthchain', 'uvicorn', 'fastapi')), sep=', ')"
    )
    return subprocess.run([PEER_PYTHON, "-c", question], capture_output=True, text=True, check=True).stdout.strip()


def write(lines: Sequence[str], marks: tuple[str, str] = MARKS) -> None:
    """Put `lines` between the marks of docs/performance.md. Raises ValueError where the page has no marks."""
    begin, end = marks
    text = PAGE.read_text("utf-8")
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"{PAGE.name} has no place for the figures: {begin} {end}")
    PAGE.write_text("\n".join([before + begin, *lines, end + after]), "utf-8")


def report(bench: Bench, pinned: bool) -> list[str]:
    """Measure everything and return the lines of the report."""
    lines: list[str] = [*circumstances(pinned, bench.seconds), ""]
    rows: list[tuple[str, Figure, Footprint]] = []
    if measured := bench.service():
        figures, needs = measured
        lines += [*service_table(figures), "", _footprint(needs), ""]
        rows.append((SERVICE.name, figures["order-sign", COLUMNS[1]], needs))
    rows += [(subject.name, *beside) for subject in PEERS if (beside := bench.peer(subject))]
    return [*lines, *peer_table(rows)]


def _footprint(needs: Footprint) -> str:
    return (
        f"Start to first answer {needs.start:.2f} s (≤ {BUDGET_START:g}); "
        f"{needs.memory:.0f} MB a worker after the load (≤ {BUDGET_MEMORY:g})."
    )


def main() -> int:
    """Run the measurement and return the exit status."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("--write", action="store_true", help="put the figures into docs/performance.md")
    parser.add_argument("--seconds", type=float, default=2.0, help="CPU seconds spent on a figure (default 2)")
    options = parser.parse_args()

    pinned = pin_client()
    bench = Bench(options.seconds)
    lines = report(bench, pinned)
    print("\n".join(lines))
    for problem in bench.problems:
        print(f"\nPROBLEM {problem}")
    if bench.problems:
        return 1
    if options.write:
        write(lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
