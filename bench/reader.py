"""Measure what reading a note costs, here and with medspaCy, on the same texts in one run. `make bench` starts it.

Figures are CPU time of one process; every text is read once only and has content of its own, so that no cache helps.
medspaCy runs in an environment of its own (`bench/requirements-medspacy.txt`); where that is not there, it is left out.

Exit status: 0 measured, 1 a note was not read as it should be, or the peer failed.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import charts
from bench.run import circumstances_of_reading, write
from cds_service.chart.narrative.lexicon import shipped_tables
from cds_service.chart.narrative.reader import read

ROOT = Path(__file__).resolve().parent.parent
MARKS = ("<!-- reader: begin -->", "<!-- reader: end -->")
PEER_PYTHON = ROOT / "bench" / ".venv-medspacy" / "bin" / "python"

SHORT = "2 kB, a procedure note"
MIXED = "100 kB, one procedure note among other notes"
DENSE = "100 kB of procedure notes"
BUDGETS = {SHORT: 1.0, MIXED: 25.0, DENSE: 25.0}
_LONG = 100_000
_WARM_UP = 5
_NUMBERS = {SHORT: 300, MIXED: 10, DENSE: 10}


def texts() -> dict[str, list[str]]:
    """Return the texts of each kind, the warm-up first; the same in every run."""
    chance = random.Random("reader")  # nosec B311 # noqa: S311 - no secret is made of it

    def note(template: str) -> str:
        return charts.note(template, chance)

    def long(first: str, others: str) -> str:
        return "\n".join([note(first), *(note(others) for _ in range(60))])[:_LONG]

    return {
        SHORT: [note(charts.BLOCK_NOTE) for _ in range(_WARM_UP + _NUMBERS[SHORT])],
        MIXED: [long(charts.BLOCK_NOTE, charts.OTHER_NOTE) for _ in range(_WARM_UP + _NUMBERS[MIXED])],
        DENSE: [long(charts.BLOCK_NOTE, charts.BLOCK_NOTE) for _ in range(_WARM_UP + _NUMBERS[DENSE])],
    }


def targets() -> list[str]:
    """Return the plain names of techniques in the lexicon, for the target rules of the peer."""
    named = (table for table in shipped_tables() if table["kind"] == "technique")
    phrases = {phrase for table in named for phrase in table["phrases"]}
    return sorted(phrase for phrase in phrases if phrase.replace(" ", "").isalnum())


def measure(found: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Return the milliseconds of CPU this reader takes for a text of each kind.

    Raises ValueError where no block is read: a figure for wrong answers would be worth nothing.
    """
    milliseconds = {}
    for name, notes in found.items():
        for text in notes[:_WARM_UP]:
            read(text)
        start = time.process_time()
        readings = [read(text) for text in notes[_WARM_UP:]]
        milliseconds[name] = (time.process_time() - start) * 1000 / len(readings)
        if not all(reading.blocks for reading in readings):
            raise ValueError(f"no block was read in a text of {name}")
    return milliseconds


def measure_peer(found: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, float]] | None:
    """Return the version of the peer and its milliseconds; None where it is not installed."""
    if not PEER_PYTHON.exists():
        return None
    script = str(ROOT / "bench" / "medspacy_reader.py")
    asked = json.dumps({"targets": targets(), "texts": found})
    done = subprocess.run([PEER_PYTHON, script], input=asked, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    return answer["version"], answer["ms"]


def report(own: Mapping[str, float], peer: tuple[str, Mapping[str, float]] | None) -> list[str]:
    """Return the lines of the report."""
    version, theirs = peer or ("medspaCy is not installed", {})
    lines = [*circumstances_of_reading(version), ""]
    lines += [
        "| CPU ms per text, content never seen before | this reader (budget) | medspaCy | times |",
        "|---|---:|---:|---:|",
    ]
    for name, cost in own.items():
        beside = (f"{theirs[name]:.1f}", f"{theirs[name] / cost:.0f}") if name in theirs else ("–", "–")
        lines.append(f"| {name} | {cost:.2f} (≤ {BUDGETS[name]:g}) | {beside[0]} | {beside[1]} |")
    return lines


def main() -> int:
    """Run the measurement and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.reader", description=__doc__.split("\n\n")[0])
    parser.add_argument("--write", action="store_true", help="put the figures into docs/performance.md")
    options = parser.parse_args()
    found = texts()
    try:
        lines = report(measure(found), measure_peer(found))
    except (ValueError, subprocess.CalledProcessError) as error:
        print(f"PROBLEM {error}", getattr(error, "stderr", ""), file=sys.stderr)
        return 1
    print("\n".join(lines))
    if options.write:
        write(lines, MARKS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
