"""Pytest plugin that says which tests prove which requirement, and how they ended.

    python -m pytest -p tests.conformance.plugin --conformance-report=FILE

A test is marked `@pytest.mark.conformance("id", ...)` with ids of `requirements.toml`; so is a single row of a table,
by `pytest.param(..., marks=pytest.mark.conformance("id"))`. `tools/build_conformance.py` reads the report.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

MARKER = "conformance"
NOT_RUN = "not run"
_WORST_FIRST = ("failed", "passed", "skipped", NOT_RUN)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--conformance-report", type=Path, help="where to write which tests prove which requirement")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--conformance-report")
    if path is not None:
        config.pluginmanager.register(Recorder(path))


class Recorder:
    """Keeps what each marked test proves and how it ended; of a table without marked rows, all rows together."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._requirements: dict[str, set[str]] = defaultdict(set)
        self._tests_of: dict[str, set[str]] = defaultdict(set)
        self._outcomes: dict[str, set[str]] = defaultdict(set)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            for test, requirement in proofs(item):
                self._requirements[test].add(requirement)
                self._tests_of[item.nodeid].add(test)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:  # of setup and teardown only what went wrong
            for test in self._tests_of[report.nodeid]:
                self._outcomes[test].add(report.outcome)

    def pytest_sessionfinish(self) -> None:
        found = {
            test: {
                "requirements": sorted(requirements),
                "outcome": next(one for one in _WORST_FIRST if one in (self._outcomes[test] or {NOT_RUN})),
            }
            for test, requirements in self._requirements.items()
        }
        self._path.write_text(json.dumps(found), encoding="utf-8")


def proofs(item: pytest.Item) -> Iterator[tuple[str, str]]:
    """Yield (test, requirement) for each id an item is marked with; the test is the row only where that is marked."""
    row = getattr(item, "callspec", None)
    row_marks = [] if row is None else row.marks
    for mark in item.iter_markers(MARKER):
        test = item.nodeid if mark in row_marks else item.nodeid.partition("[")[0]
        for requirement in mark.args:
            yield test, requirement
