"""Summaries that fit: shortened by meaning (fewer examples, fewer clauses), never inside a code.

CDS Hooks 2.0 wants a summary of fewer than 140 characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cds_service.cards.markdown import cut, plain
from cds_service.chart.model import Line
from cds_service.review.assessment import ExpectedLine

LIMIT = 139
"""The most characters a summary may have."""


def fitting(candidates: Iterable[str]) -> str:
    """Return the first of `candidates` (best first) that fits, else the last one cut at a word boundary.

    Blank candidates are passed over; "" where all are.
    """
    last = ""
    for candidate in filter(None, map(plain, candidates)):
        last = candidate
        if len(last) <= LIMIT:
            return last
    return cut(last, LIMIT)


def joined(items: Sequence[str], shown: int | None = None) -> str:
    """Return `items` as a list in words; with `shown` fewer than all, "A, B and 2 more"."""
    shown = len(items) if shown is None else max(1, shown)
    rest = len(items) - shown
    parts = [*items[:shown], f"{rest} more"] if rest > 0 else list(items)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def shrinking(items: Sequence[str]) -> Iterator[str]:
    """Yield `items` as a list in words, each time with one less of them named."""
    for shown in range(len(items), 0, -1):
        yield joined(items, shown)


def both_shrinking(first: Sequence[str], second: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the two lists in words, the second shrinking before the first: what to do matters most."""
    if not first or not second:
        return
    whole = joined(first)
    yield from ((whole, shorter) for shorter in shrinking(second))
    least = joined(second, 1)
    yield from ((shorter, least) for shorter in shrinking(first))


def units_text(units: float) -> str:
    """Return units as people write them: "×1", "×1.5"."""
    return f"×{units:g}"


def line_text(line: Line | ExpectedLine, *, modifiers: bool = True) -> str:
    """Return a line as a coder writes it: "64461-RT ×1", or "64461 ×1" with `modifiers` False."""
    parts = (line.code, *line.modifiers) if modifiers else (line.code,)
    return f"{'-'.join(parts)} {units_text(line.units)}"


def line_texts(lines: Iterable[Line | ExpectedLine], *, modifiers: bool = True) -> list[str]:
    """Return the lines in words, equal ones together: "64462 ×1 on 3 lines"."""
    return counted(line_text(line, modifiers=modifiers) for line in lines)


def counted(texts: Iterable[str]) -> list[str]:
    """Return the texts of lines, each once and with how many lines it stands for."""
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
    return [text if count == 1 else f"{text} on {count} lines" for text, count in counts.items()]
