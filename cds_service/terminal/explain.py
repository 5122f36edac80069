"""The notes behind an assessment, with the words each fact was read from marked in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from cds_service.cards.wording import element_words
from cds_service.chart.model import Block, Evidence, Fact
from cds_service.review.assessment import Assessment, Element, ElementStatus
from cds_service.terminal.layout import heading, new_console, safe

NOTHING = "No words of a note stand behind this assessment."

_STYLES: Mapping[str, str] = {"said": "bold cyan", "documented": "green", "denied": "bold red"}
"""What marked words are for: a fact of the block, an element of the documentation, one denied or contradicted."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Words of a text, `text[start:end]`, and the names of what was read from them."""

    start: int
    end: int
    names: tuple[str, ...]
    kind: str


def print_explained(found: Sequence[Assessment]) -> None:
    """Print every text that evidence quotes, with its words marked and named: `[right|side]`."""
    console = new_console()
    for assessment in found:
        texts = marked_texts(assessment)
        console.print(heading("Read in"))
        if not texts:
            console.print(Text(f"  {NOTHING}", "dim"))
        for (reference, path), (text, marks) in texts.items():
            _print_text(console, f"{safe(reference)}  {safe(path)}", text, marks)


def marked_texts(assessment: Assessment) -> Mapping[tuple[str, str], tuple[str, tuple[Mark, ...]]]:
    """Return each quoted text by reference and path, with its marks in order; overlapping words are one mark."""
    texts: dict[tuple[str, str], str] = {}
    marks: dict[tuple[str, str], list[Mark]] = {}
    for mark, place, text in _marks(assessment):
        texts[place] = text
        marks.setdefault(place, []).append(mark)
    return {place: (texts[place], tuple(_joined(found))) for place, found in marks.items()}


def _marks(assessment: Assessment) -> Iterator[tuple[Mark, tuple[str, str], str]]:
    for name, kind, evidence in _told(assessment):
        for piece in evidence:
            if piece.text is not None and piece.start is not None and piece.end is not None:
                yield Mark(piece.start, piece.end, (name,), kind), (piece.reference, piece.path), piece.text


def _told(assessment: Assessment) -> Iterator[tuple[str, str, tuple[Evidence, ...]]]:
    for block in assessment.blocks:
        yield from ((name, "said", evidence) for name, evidence in _facts(block))
    for element in assessment.documentation:
        yield element_words(element.element).name, _kind(element), element.evidence
    for query in assessment.queries:
        yield "question", "denied", query.evidence


def _facts(block: Block) -> Iterator[tuple[str, tuple[Evidence, ...]]]:
    yield block.technique.value.replace("-", " "), block.evidence
    for site in block.sites:
        yield site.level or "site", site.evidence
    stated: tuple[tuple[str, Fact[Any] | None], ...] = (
        ("side", block.side),
        ("target", block.target),
        ("method", block.method),
        ("catheter", block.continuous),
        ("image", block.image_saved),
        ("purpose", block.purpose),
        ("request", block.requested),
        ("by the surgeon", block.performed_by_surgeon),
    )
    yield from ((name, fact.evidence) for name, fact in stated if fact is not None)
    yield from (("guidance", fact.evidence) for fact in block.guidance)
    if block.site_count is not None:
        yield "number", block.site_count.evidence


def _kind(element: Element) -> str:
    return "documented" if element.status is ElementStatus.DOCUMENTED else "denied"


def _joined(marks: Iterable[Mark]) -> Iterator[Mark]:
    """Yield the marks in order of the text, those that overlap as one with the names of all."""
    pending: Mark | None = None
    for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end)):
        if pending is None or mark.start >= pending.end:
            if pending is not None:
                yield pending
            pending = mark
        else:
            names = tuple(dict.fromkeys(pending.names + mark.names))
            kind = min(pending.kind, mark.kind, key=_weight)
            pending = Mark(pending.start, max(pending.end, mark.end), names, kind)
    if pending is not None:
        yield pending


def _weight(kind: str) -> int:
    """Return the rank of a kind where words are for several: what is against comes first."""
    return ("denied", "said", "documented").index(kind)


def _print_text(console: Console, title: str, text: str, marks: Sequence[Mark]) -> None:
    console.print(Text(f"  {title}", "dim"))
    shown = Text()
    position = 0
    for mark in marks:
        shown.append(_printable(text[position : mark.start]))
        shown.append("[", "dim")
        shown.append(_printable(text[mark.start : mark.end]), _STYLES[mark.kind])
        shown.append(f"|{', '.join(mark.names)}]", "dim")
        position = mark.end
    shown.append(_printable(text[position:]))
    console.print(shown, soft_wrap=True)


def _printable(text: str) -> str:
    """Return text with its line breaks and without other control characters: a record must not steer the terminal."""
    return "".join(char if char.isprintable() or char in "\n\t" else " " for char in text)
