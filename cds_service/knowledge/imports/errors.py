"""Why an import was refused: the file as a whole, or rows of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class RefusedError(ValueError):
    """A file, or a request, that cannot be imported. The text is always a single line."""

    def __init__(self, problem: str) -> None:
        super().__init__(" ".join(problem.split()))


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot be understood: where it is ("f1.txt, line 12") and why."""

    place: str
    reason: str


class MalformedError(ValueError):
    """Rows that cannot be understood; nothing of the file is taken. `count` is all of them, `problems` the first."""

    def __init__(self, problems: Sequence[Problem], count: int) -> None:
        super().__init__(f"{count} rows cannot be understood")
        self.problems = tuple(problems)
        self.count = count


class RowError(ValueError):
    """What is the matter with one row; the reader of the file adds where."""
