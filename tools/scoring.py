"""What the scoring tools share: counting what was read right, and writing the generated parts of docs/accuracy.md."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"
PAGE = REPOSITORY / "docs" / "accuracy.md"


@dataclass
class Tally:
    """How many values were read right, read though not there, and there but not read."""

    right: int = 0
    extra: int = 0
    missed: int = 0

    def add(self, expected: Collection[str], read: Collection[str]) -> bool:
        """Count one note's values, each once, and return whether they are exactly the expected ones."""
        wanted, found = set(expected), set(read)
        self.right += len(wanted & found)
        self.extra += len(found - wanted)
        self.missed += len(wanted - found)
        return wanted == found

    @property
    def precision(self) -> float | None:
        """Right among those read, 0 to 1; None where nothing was read."""
        return _share(self.right, self.right + self.extra)

    @property
    def recall(self) -> float | None:
        """Read among those that are there, 0 to 1; None where there is nothing to read."""
        return _share(self.right, self.right + self.missed)

    def cells(self) -> tuple[str, ...]:
        """Return precision, recall and the three counts as table cells."""
        return (percent(self.precision), percent(self.recall), str(self.right), str(self.extra), str(self.missed))


def percent(share: float | None) -> str:
    """Return a share of 0 to 1 as whole percents, and a dash where there is none."""
    return "–" if share is None else f"{share:.0%}"


def percent_of(part: int, whole: int) -> str:
    """Return a part of a whole as percents."""
    return percent(_share(part, whole))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; the first and the last column hold words, those between hold figures."""
    columns = list(head)
    rule = ["---", *["---:"] * (len(columns) - 2), "---"]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows))


def named(ids: Iterable[str]) -> str:
    """Return ids for a sentence: sorted, as code; "none" where there are none."""
    return ", ".join(f"`{name}`" for name in sorted(ids)) or "none"


def rows_of(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a JSON Lines file."""
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def absent(*paths: Path) -> bool:
    """Say on stderr which files are not there, and return whether any is not."""
    gone = [path for path in paths if not path.is_file()]
    for path in gone:
        print(f"not scored: {path} is not there", file=sys.stderr)
    return bool(gone)


def stamp(command: str, version: str) -> str:
    """Return the line that says when, how and with which knowledge figures were measured."""
    return f"Measured {datetime.now(UTC).date()} by `{command}`, knowledge {version}."


def write_section(name: str, body: str, page: Path = PAGE) -> None:
    """Replace what stands between the markers `<!-- name: begin -->` and `<!-- name: end -->` of a page.

    Raises:
        ValueError: the page has no such markers.
    """
    text = page.read_text(encoding="utf-8")
    marked = re.compile(f"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)", re.DOTALL)
    changed, count = marked.subn(lambda match: f"{match[1]}{body}\n{match[2]}", text)
    if count != 1:
        raise ValueError(f"{page} has no section {name}")
    page.write_text(changed, encoding="utf-8")


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
