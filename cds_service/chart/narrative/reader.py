"""Reads a plain-text note: `read(text)` gives the blocks it tells of and what it documents, each with its words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.chart.narrative.assembly import assemble
from cds_service.chart.narrative.circumstances import anesthesia, operation, service_date
from cds_service.chart.narrative.document import prepare
from cds_service.chart.narrative.effort import current
from cds_service.chart.narrative.folding import LIMIT
from cds_service.chart.narrative.reading import NoteReading, StatementReading
from cds_service.chart.narrative.spacing import moved, without_spare
from cds_service.chart.narrative.statements import speaks_of_a_block, statements
from cds_service.chart.narrative.techniques import find_episodes
from cds_service.memory import Recent

_REMEMBERED = 512
_CHARACTERS = 1_000_000
"""Of the texts whose readings are kept, together. A reading takes several times the memory of its text."""
_recent: Recent[NoteReading | None] = Recent(_REMEMBERED, _CHARACTERS)

_WORDS = (
    "block", "injection", "catheter", "paraverteb", "para verteb", "para-verteb", "para\nverteb", "paraspin", "pvb",
    "pvnb", "epidural", "pecs", "intercostal", "radiofreq", "facet", "rhizotomy", "serratus", "ganglion", "branch",
    "sympathetic", "transforam", "neurotom", "denervat", "neurolysis", "plexus", "zygapoph", "trigger", "subcutan",
    "subderm", "intraderm", "thetized", "digital", "erector", "pector", "rectus", "abdominis", "lumborum", "iliaca",
    "adductor", "ipack", "tapb", "qlb", "ficb", "rsb", "gonb", "mbb", "tfesi", "under the skin", "beneath the skin",
)  # fmt: skip
"""Parts of words, one of which stands in every text that speaks of a block, whatever its capitals."""
_CAPITALS = (
    "ESP", "SAPB", "ICNB", "TAP", "QL", "ACB", "PENG", "GON", "RF", "ESI", "MBB", "SNRB", "TPI", "LSB", "TFE", "SGB",
    "PVC",
)  # fmt: skip
"""Abbreviations that in small letters are parts of other words."""


def mentions_block(text: str) -> bool:
    """Return whether `text` could speak of a regional block at all; False is certain, True is not."""
    text = text[:LIMIT]
    lower = text.lower()
    return any(word in lower for word in _WORDS) or any(word in text for word in _CAPITALS)


def read(text: str) -> NoteReading:
    """Return what a note says, every part with its span: `text[span.start:span.end]` are the deciding words.

    Takes any text, of which the first `LIMIT` characters are read, and never raises. The same text gives the same
    reading; recent readings are kept. Where the request has had more text read than it may (`effort`), it is empty.
    """
    return read_if_little(text) or NoteReading()


def read_if_little(text: str) -> NoteReading | None:
    """Return what `read` does, None where the request has had more text read than it may."""
    effort = current()
    return _remembered(text[:LIMIT]) if effort is None else effort.read(text[:LIMIT], _remembered)


def _remembered(text: str) -> NoteReading:
    known = _recent.get(text, None)
    if known is None:
        known = _read(text)
        _recent.put(text, known, len(text))
    return known


def _read(text: str) -> NoteReading:
    plain, places = without_spare(text)
    reading = _read_plain(plain)
    return reading if places is None else moved(reading, places)


def _read_plain(text: str) -> NoteReading:
    document = prepare(text)
    if not document.layout.sentences:
        return NoteReading()
    episodes = find_episodes(document)
    blocks = assemble(document, episodes)
    full = bool(episodes) or speaks_of_a_block(document)
    return NoteReading(
        blocks=tuple(block for block, _ in blocks),
        statements=tuple(_outermost(statements(document, blocks, full=full))),
        anesthesia=tuple(anesthesia(document)),
        operation=operation(document),
        service_date=service_date(document.folded),
    )


def _outermost(found: Iterable[StatementReading]) -> Iterator[StatementReading]:
    """Yield statements in order of the text, without those whose words are part of another that says the same."""
    reached: dict[tuple[str, bool, str | None], int] = {}
    for said in sorted(found, key=lambda said: (said.span.start, -said.span.end, said.element)):
        what = (said.element, said.affirmed, said.value)
        if said.span.end > reached.get(what, -1):
            reached[what] = said.span.end
            yield said
