"""Write `docs/conformance.csv`: what CDS Hooks asks of a service, the tests that prove it, and how they ended.

    python -m tools.build_conformance [--check]

The rows are those of `tests/conformance/requirements.toml`; the tests are those marked with their ids, and are run.
With `--check` nothing is written, and the exit code is 1 where the table on disk is not the one that would be written.
It is also 1 where a test of a requirement fails.
"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "conformance.csv"
SOURCE = ROOT / "tests" / "conformance" / "requirements.toml"

COLUMNS = ("id", "level", "version", "section", "inferno", "applies", "requirement", "tests", "result", "reason")
LEVELS = ("SHALL", "SHALL NOT", "SHOULD", "SHOULD NOT", "MAY", "stated", "practice")
MUST = ("SHALL", "SHALL NOT")
VERSION = "2.0.1"

_MARK = "mark.conformance("


@dataclass(frozen=True)
class Requirement:
    """One duty.

    `applies` is "yes", "partly" or "no"; `met` is False where the service does otherwise on purpose; both need a
    `reason`. `section` is an address.
    """

    id: str
    level: str
    text: str
    section: str
    version: str = VERSION
    inferno: tuple[int, ...] = ()
    applies: str = "yes"
    met: bool = True
    reason: str = ""

    @property
    def needs_tests(self) -> bool:
        """Whether there has to be a test: not for what does not apply, or is not met on purpose."""
        return self.applies != "no" and self.met


@dataclass(frozen=True)
class Proof:
    """A test, the ids it is marked with, and how it ended ("not run" where tests were only collected)."""

    test: str
    requirements: frozenset[str]
    outcome: str


def requirements(path: Path = SOURCE) -> tuple[Requirement, ...]:
    """Return the requirements of a file, in its order.

    Raises:
        ValueError: one is not as it has to be.
    """
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    found = tuple(_requirement(members, document["pages"]) for members in document["requirement"])
    twice = [name for name, count in Counter(each.id for each in found).items() if count > 1]
    if twice:
        raise ValueError(f"ids that are there twice: {', '.join(twice)}")
    return found


def _requirement(members: Mapping[str, Any], pages: Mapping[str, str]) -> Requirement:
    version = members.get("version", VERSION)
    address = f"{pages[version]}#{members['section']}"
    numbers = tuple(members.get("inferno", ()))
    made = Requirement(**{**members, "section": address, "version": version, "inferno": numbers})
    if made.level not in LEVELS or made.applies not in ("yes", "partly", "no"):
        raise ValueError(f"{made.id}: level or applies is none of those there are")
    if bool(made.reason) != (made.applies != "yes" or not made.met):
        raise ValueError(f"{made.id}: a reason is for what applies partly, not at all, or is not met")
    return made


def marked_files(folder: Path = ROOT / "tests") -> list[str]:
    """Return the files of tests that hold the marker, so that nothing else has to be collected."""
    files = (path for path in sorted(folder.rglob("test_*.py")) if _MARK in path.read_text(encoding="utf-8"))
    return [str(path.relative_to(ROOT)) for path in files]


def proofs(*, run: bool) -> tuple[Proof, ...]:
    """Return the marked tests, run or only collected.

    Raises:
        RuntimeError: they could not be collected.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "conformance", f"--conformance-report={report}"]
        command += ["-p", "tests.conformance.plugin", "-p", "no:cacheprovider", "-p", "no:xdist"]
        command += [] if run else ["--collect-only"]
        # A worker of a parallel run must not look like one to the pytest it starts.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(
            [*command, *marked_files()], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if not report.exists() or done.returncode not in (0, 1):
            raise RuntimeError(f"the tests cannot be collected:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
        if run:
            *_, said = done.stdout.strip().splitlines()
            print(*(line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))), said, sep="\n")
        found = json.loads(report.read_text(encoding="utf-8"))
    return tuple(Proof(test, frozenset(members["requirements"]), members["outcome"]) for test, members in found.items())


def problems(wanted: Iterable[Requirement], found: Iterable[Proof]) -> list[str]:
    """Return what does not fit: a mark with an unknown id, a requirement without a test, a test of what has none."""
    known = {each.id: each for each in wanted}
    marks = [(proof.test, name) for proof in found for name in sorted(proof.requirements)]
    unknown = [f"{test} is marked with {name}, which is no requirement" for test, name in marks if name not in known]
    needless = [
        f"{test} is marked with {name}, which is said not to apply or not to be met"
        for test, name in marks
        if name in known and not known[name].needs_tests
    ]
    proven = {name for _, name in marks}
    open_ones = [each.id for each in known.values() if each.needs_tests and each.id not in proven]
    return unknown + needless + [f"{name} has no test" for name in open_ones]


def rows(wanted: Iterable[Requirement], found: Collection[Proof]) -> list[dict[str, str]]:
    """Return the rows of the table."""
    return [_row(each, sorted((p for p in found if each.id in p.requirements), key=_by_test)) for each in wanted]


def _by_test(proof: Proof) -> str:
    return proof.test


def _row(requirement: Requirement, own: Sequence[Proof]) -> dict[str, str]:
    return {
        "id": requirement.id,
        "level": requirement.level,
        "version": requirement.version,
        "section": requirement.section,
        "inferno": " ".join(map(str, requirement.inferno)),
        "applies": requirement.applies,
        "requirement": requirement.text,
        "tests": "; ".join(proof.test for proof in own),
        "result": _result(requirement, {proof.outcome for proof in own}),
        "reason": requirement.reason,
    }


def _result(requirement: Requirement, outcomes: Collection[str]) -> str:
    if requirement.applies == "no":
        return "not applicable"
    if not requirement.met:
        return "not met"
    return next((one for one in ("failed", "not run", "skipped", "passed") if one in outcomes), "no test")


def to_csv(table: Iterable[Mapping[str, str]]) -> str:
    """Return the table as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


def read_csv(path: Path = TABLE) -> list[dict[str, str]]:
    """Return the rows of the table on disk."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main(arguments: list[str]) -> int:
    """Run the tests, and write the table or with `--check` compare it."""
    wanted, found = requirements(), proofs(run=True)
    faults = problems(wanted, found)
    table = rows(wanted, found)
    faults += [f"{row['id']}: {row['result']}" for row in table if row["result"] in ("failed", "skipped", "no test")]
    if "--check" not in arguments:
        TABLE.write_text(to_csv(table), encoding="utf-8")
    elif not TABLE.exists() or TABLE.read_text(encoding="utf-8") != to_csv(table):
        faults.append(f"{TABLE.relative_to(ROOT)} is not up to date")
    counts = Counter(row["result"] for row in table)
    print("\n".join(faults) or ", ".join(f"{count} {result}" for result, count in counts.items()))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
