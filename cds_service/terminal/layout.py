"""The few building blocks of terminal output."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cds_service.cards.markdown import collapsed, cut, telling
from cds_service.chart.model import Evidence
from cds_service.knowledge.model import Source

QUOTE_LIMIT = 100


class Bullet(NamedTuple):
    """One entry of a list: its mark, the style of the mark, and what it says."""

    mark: str
    style: str
    body: RenderableType


def new_console(*, stderr: bool = False) -> Console:
    """Return a console that shows text as it is: no markup, no emoji names, no guessed highlights."""
    return Console(markup=False, emoji=False, highlight=False, stderr=stderr)


def heading(text: str, aside: str = "") -> Text:
    """Return the heading of a section, after an empty line."""
    return Text.assemble("\n", (text, "bold"), (f"  {aside}" if aside else "", "dim"))


def bullets(entries: Iterable[Bullet], indent: int = 2) -> RenderableType:
    """Return a list whose entries wrap beside their marks."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for entry in entries:
        grid.add_row(Text(entry.mark, entry.style), entry.body)
    return Padding(grid, (0, 0, 0, indent), expand=False)


def stacked(*lines: Text | None) -> Text:
    """Return the lines that are there, below each other."""
    return Text("\n").join(line for line in lines if line is not None and line.plain)


def safe(text: str, limit: int | None = None) -> str:
    """Return record text on one line without control characters: a record must not steer the terminal."""
    line = collapsed(text)
    return line if limit is None else cut(line, limit)


def quotes(evidence: Iterable[Evidence], most: int = 2) -> Text:
    """Return at most `most` telling quotes, a line for each resource they are from; empty where none tells."""
    by_reference: dict[str, list[str]] = {}
    for piece in telling(evidence, most):
        by_reference.setdefault(piece.reference, []).append(quote(piece))
    lines = (
        Text.assemble((" ".join(found), "italic"), (f"  {safe(reference)}", "dim"))
        for reference, found in by_reference.items()
    )
    return stacked(*lines)


def quote(piece: Evidence) -> str:
    """Return the record's words in quotation marks."""
    return f"“{safe(piece.words or '', QUOTE_LIMIT)}”"


def sources_line(sources: Iterable[Source], label: str = "Source") -> Text:
    """Return a dimmed line that names sources with publisher and date; empty where there is none."""
    named = [f"{source.title} ({source.publisher}, {source.published})" for source in dict.fromkeys(sources)]
    return Text(f"{label}: {'; '.join(named)}" if named else "", "dim")


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return "1 finding" or "2 findings"."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
