"""Corrections: what an addendum says was wrong in the note it belongs to, and what was right instead.

An addendum is a part of a text under such a heading, or a document that appends another or was amended. It corrects
only where it says so ("left, not right", "level corrected to T6"); a value it merely states otherwise stays a question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice, pairwise
from typing import Final

from cds_service.chart.bounds import MOST_CORRECTIONS
from cds_service.chart.evidence import block_from
from cds_service.chart.model import Block, Contradiction, Evidence, Fact, Origin, Side, Site
from cds_service.chart.narrative.folding import fold
from cds_service.chart.narrative.levels import Form, find_levels
from cds_service.chart.narrative.reading import Span, Status
from cds_service.chart.notes import Note

_HEADING: Final = re.compile(
    r"(?:\A|\n|(?<=[.;!] ))[ *#>\-=_\[(]{0,8}(?:late |signed |physician |provider )?"
    r"(?:addend(?:um|a)|amendment|amended|correction|corrected|erratum|late entry)\b"
)
_BODY: Final = re.compile(r"\n[ *#>\-=_]{0,8}(?:original|previous|prior) (?:note|report|text|document)\b")
_SENTENCE: Final = re.compile(r"(?:[^.;!?\n]|\.(?=\d))+")
_SIDE: Final = re.compile(r"\b(?:(?P<right>right|rt)|(?P<left>left|lt)|(?P<both>bilateral(?:ly)?|both sides))\b")
_NOT_A_SIDE: Final = re.compile(r"\A(?:\s(?:in place|after|away|now|before|the)\b)")
_REJECTED_BEFORE: Final = re.compile(
    r"(?:\bnot|\binstead of|\brather than|\b(?:correct|chang|amend|revis)\w{0,4}(?: \w+){0,2} from|\bfrom(?= )|"
    r"\b(?:documented|recorded|stated|noted|written|entered|dictated|charted|listed|reported|labell?ed|marked|said|read)"
    r"(?: (?:incorrectly|erroneously|mistakenly|in error|wrongly|by mistake))? as|"
    r"\b(?:erroneous(?:ly)?|incorrect(?:ly)?|mistaken(?:ly)?|wrong(?:ly)?)"
    r"(?: (?:states?|stated|says?|said|reads?|lists?|documented|recorded|wrote|noted|dictated))?|"
    r"\bdocumentation of)(?: (?:the|on|at|in|for|a))*\s?[\"']?\Z"
)
_REJECTED_AFTER: Final = re.compile(
    r"\A[\"']?(?:[ \-](?:sided?|level|is|was|were|are|has been|had been|documented|recorded|entered|noted|stated|"
    r"dictated|above|in|the|note|title|body)){0,6} "
    r"(?:incorrect(?:ly)?|wrong(?:ly)?|erroneous(?:ly)?|(?:in|an) error|(?:a|by) mistake|mistaken(?:ly)?|"
    r"not correct|a typo\w*)"
)
_CORRECTED_TO: Final = re.compile(
    r"(?:\b(?:correct(?:ed|ion|s)?|changed?|amend(?:ed|s)?|revised?)\b(?: \w+){0,4}?(?: to| as|:)|"
    r"\bshould(?: have)? (?:be|been|read|say|said|stated?)(?: as)?|"
    r"\b(?:correct|actual|true|right) (?:side|laterality|levels?)(?: is| was| are| were|:)|\bcorrection:)"
    r"(?: (?:the|on|at|in|a|side|levels?))*\s?[\"']?\Z"
)
_TAKEN_BACK: Final = re.compile(
    r"\A(?:[ \-](?:levels?|injections?|blocks?|sites?|space|joint|nerve|one|on the (?:right|left)|right|left)){0,4}"
    r"[ ,](?:(?:was|were|is|has been|had been|could be) (?:not|never|in fact not|actually not)|wasn't|not) "
    r"(?:be )?(?:done|performed|made|given|injected|blocked|completed|carried out|attempted|reached)\b"
)
"""After a level that the note names and that was not injected: "the T6 injection was not done"."""
_ONLY: Final = re.compile(
    r"\bonly (?:one|a single|a|1|the|at|two|2) ?(?:injections?|levels?|sites?|blocks?|spaces?|joints?)?\b[^.;]{0,40}\Z"
)
"""Before the levels that are all there were: "only one injection was made, at T5"."""
_STATED: Final = re.compile(r"\b(?:side|laterality)(?: is| was|:|=)(?: the| on the)?\s?\Z")
_WRONG_SIDE: Final = re.compile(
    r"\b(?:wrong|incorrect|erroneous) (?:side|laterality)\b|"
    r"\b(?:side|laterality)(?: \w+){0,4} (?:wrong|incorrect|erroneous|error|mistake)\b"
)
_FROM_TO: Final = re.compile(r"\b(?:correct|chang|amend|revis)\w{0,4}(?: \w+){0,2} from (?:the |level |levels )?\Z")
_ABOUT_ELSE: Final = re.compile(
    r"\b(?:pain|ache|numb\w*|weak\w*|tingl\w*|complain\w*|symptom\w*|fractures?|x-?ray|mri|ct|consent|arm|leg|hip|knee|iv|"
    r"incision|tube|drain|surgery|operation|resection|ectomy)\b"
)
_ABOUT_IT: Final = re.compile(
    r"\b(?:sided?|laterality|levels?|blocks?|inject\w*|procedure|perform\w*|needle|catheter|note|document\w*|dictat\w*|pvb|"
    r"tpvb|espb?|above)\b"
)
"""A sentence about something else corrects nothing of the block, unless it names the block or the note as well."""
_REACH: Final = 90
"""Characters before and after a value in which what is said of it stands."""
_ONE_ANOTHER: Final = frozenset({Form.LEVEL, Form.RANGE})
_SIDES: Final = {"right": Side.RIGHT, "left": Side.LEFT, "both": Side.BILATERAL}


@dataclass(frozen=True, slots=True)
class Correction:
    """What one sentence of an addendum corrects; `said` are its words.

    `side`, `levels` or `block` (for its technique) is the right value, `rejected` what it says was wrong; levels may
    be taken back with none in their place. Where it does not say that it corrects (`firm` False), it is only another
    account.
    """

    said: Evidence
    side: Side | None = None
    levels: tuple[str, ...] = ()
    block: Block | None = None
    rejected: frozenset[str] = frozenset()
    firm: bool = True

    @property
    def element(self) -> str:
        """The documentation element it is about."""
        if self.block is not None:
            return "technique"
        return "laterality" if self.side is not None else "levels"


@dataclass(frozen=True)
class Corrections:
    """The corrections that hold for each note of an encounter, in the order they were written."""

    of: Mapping[int, tuple[Correction, ...]]

    def settle(self, note: Note, element: str) -> bool:
        """Return whether an addendum decides an element of a note."""
        return any(each.firm and each.element == element for each in self.of.get(id(note), ()))

    def apply(self, blocks: Sequence[tuple[Block, Status]], note: Note) -> list[Block]:
        """Return the blocks of a note with what its addenda correct, where it is clear which block is meant."""
        result = [block for block, _ in blocks]
        done = [place for place, (_, status) in enumerate(blocks) if status is Status.PERFORMED]
        for correction in self.of.get(id(note), ()):
            meant = _meant(result, done, correction)
            if correction.firm and meant is not None:
                result[meant] = _corrected(result[meant], correction)
        return result

    def open(self, blocks: Sequence[tuple[Block, Status]], note: Note) -> Iterator[Contradiction]:
        """Yield what an addendum says otherwise of a note without correcting it, or without saying of which block."""
        told = [block for block, _ in blocks]
        done = [place for place, (_, status) in enumerate(blocks) if status is Status.PERFORMED]
        sided = [each for each in self.of.get(id(note), ()) if each.side is not None]
        if any(each.firm and _meant(told, done, each) is not None for each in sided):
            return
        for correction in sided:
            sides = [told[place].side for place in done]
            other = next((s for s in sides if s is not None and s.value is not correction.side), None)
            if other is not None and correction.side is not None:
                facts = (Fact(other.value.value, other.evidence), Fact(correction.side.value, (correction.said,)))
                yield Contradiction(correction.element, facts)


def find_corrections(notes: Sequence[Note], amended: Mapping[str, frozenset[str]]) -> Corrections:
    """Return the corrections of each note.

    `amended` are the documents that append others, with those they append (`fhir.relations.amended`). An addendum that
    names no document corrects its own text, and where it is nothing but an addendum, the notes written before it.
    """
    found: dict[int, list[Correction]] = {id(note): [] for note in notes}
    addenda = 0
    for note in sorted(notes, key=lambda each: each.written or date.min):
        whole = note.place.reference in amended
        corrections = tuple(islice(_read(note, whole=whole), MOST_CORRECTIONS))
        of_others: tuple[Correction, ...] = ()
        if addenda < MOST_CORRECTIONS and (whole or _is_addendum(note)):
            addenda += 1
            of_others = (*_techniques(note), *corrections)
        found[id(note)] += corrections
        for other in notes if of_others else ():
            if other is not note and _amends(note, other, amended.get(note.place.reference, frozenset())):
                found[id(other)] += of_others
    return Corrections({key: tuple(value[:MOST_CORRECTIONS]) for key, value in found.items() if value})


def _amends(note: Note, other: Note, named: frozenset[str]) -> bool:
    """Return whether an addendum is one to another note."""
    if named:
        return other.place.reference in named
    if not _is_addendum(note):
        return False
    return note.written is None or other.written is None or other.written <= note.written


def _is_addendum(note: Note) -> bool:
    """Return whether a text is an addendum from its first word."""
    return _HEADING.match(fold(note.place.text[:200].lstrip())) is not None


def _techniques(note: Note) -> Iterator[Correction]:
    """Yield the technique an addendum puts in the place of another: "an erector spinae plane block, not a ..."."""
    blocks = [(block_from(reading, note.place, Origin.NOTE), reading.status) for reading in note.reading.blocks]
    right = [block for block, status in blocks if status is Status.PERFORMED]
    wrong = [block.technique for block, status in blocks if status is Status.NOT_DONE]
    if len(right) == 1 and len(wrong) == 1 and right[0].technique is not wrong[0]:
        yield Correction(right[0].evidence[0], block=right[0], rejected=frozenset({wrong[0].value}))


def _read(note: Note, *, whole: bool) -> Iterator[Correction]:
    folded = fold(note.place.text)
    if (
        not whole
        and "adden" not in folded
        and "correct" not in folded
        and "amend" not in folded
        and "late" not in folded
    ):
        return
    for start, end in [(0, len(folded))] if whole else _parts(folded):
        sentences = [Span(*match.span()) for match in _SENTENCE.finditer(folded, start, end)]
        for place, sentence in enumerate(sentences):
            beside = sentences[max(place - 1, 0) : place] + sentences[place + 1 : place + 2]
            yield from _of_sentence(note, folded, sentence, beside)


def _parts(folded: str) -> Iterator[tuple[int, int]]:
    """Yield the parts of a text that are addenda."""
    starts = [match.start() for match in _HEADING.finditer(folded)]
    for start, following in pairwise([*starts, len(folded)]):
        body = _BODY.search(folded, start, following)
        yield start, following if body is None else body.start()


def _of_sentence(note: Note, folded: str, sentence: Span, beside: Iterable[Span]) -> Iterator[Correction]:
    words = folded[sentence.start : sentence.end]
    if _ABOUT_ELSE.search(words) and not _ABOUT_IT.search(words):
        return
    said = note.place.evidence(_stripped(folded, sentence))
    sides = list(_sides(folded, sentence))
    right = {each.value for each in sides if each.kind != "rejected"}
    wrong = frozenset(each.value for each in sides if each.kind == "rejected")
    mistaken = not sides and _WRONG_SIDE.search(words) is not None
    if mistaken or (wrong and not right):
        others = [each for span in beside for each in _sides(folded, span)]
        right = {each.value for each in others if each.kind != "rejected"} - wrong
    if len(right) == 1 and (wrong or mistaken or any(each.kind == "corrected" for each in sides)):
        yield Correction(said, side=Side(next(iter(right))), rejected=wrong)
    elif len(right) == 1 and any(each.kind == "stated" for each in sides):
        yield Correction(said, side=Side(next(iter(right))), firm=False)
    levels = list(_levels(folded, sentence))
    right_levels = tuple(dict.fromkeys(each.value for each in levels if each.kind != "rejected"))
    wrong_levels = frozenset(each.value for each in levels if each.kind == "rejected")
    if wrong_levels or any(each.kind == "corrected" for each in levels):
        yield Correction(said, levels=right_levels, rejected=wrong_levels)


@dataclass(frozen=True, slots=True)
class _Value:
    value: str
    kind: str
    """"rejected", "corrected" (said to be right), "stated" or "named"."""


def _sides(folded: str, sentence: Span) -> Iterator[_Value]:
    reached = sentence.start
    for match in _SIDE.finditer(folded, sentence.start, sentence.end):
        after = folded[match.end() : min(match.end() + _REACH, sentence.end)]
        if not _NOT_A_SIDE.match(after):
            side = _SIDES[match.lastgroup or "both"]
            yield _Value(side.value, _kind(folded[reached : match.start()], after))
            reached = match.end()


def _levels(folded: str, sentence: Span) -> Iterator[_Value]:
    words = folded[sentence.start : sentence.end]
    reached = 0
    for found in find_levels(words):
        before, after = words[reached : found.start], words[found.end : found.end + _REACH]
        reached = found.end
        if found.form is Form.PAIR and _FROM_TO.search(before):
            yield _Value(found.levels[0], "rejected")
            yield _Value(found.levels[-1], "corrected")
            continue
        kind = "rejected" if _TAKEN_BACK.match(after) else "corrected" if _ONLY.search(before) else _kind(before, after)
        for name in found.levels if found.form in _ONE_ANOTHER else (found.name,):
            yield _Value(name, kind)


def _kind(before: str, after: str) -> str:
    before = before[-_REACH:]
    if _REJECTED_BEFORE.search(before) or _REJECTED_AFTER.match(after):
        return "rejected"
    if _CORRECTED_TO.search(before):
        return "corrected"
    return "stated" if _STATED.search(before) else "named"


def _stripped(folded: str, span: Span) -> Span:
    words = folded[span.start : span.end]
    start = span.start + len(words) - len(words.lstrip())
    return Span(start, max(start, span.start + len(words.rstrip())))


def _meant(blocks: Sequence[Block], done: Sequence[int], correction: Correction) -> int | None:
    """Return the block a correction is of: the only one done, or the only one that has what it rejects."""
    if len(done) == 1 and correction.block is None:
        return done[0]
    having = [place for place in done if not correction.rejected.isdisjoint(_values(blocks[place], correction.element))]
    return having[0] if len(having) == 1 else None


def _values(block: Block, element: str) -> frozenset[str]:
    if element == "technique":
        return frozenset({block.technique.value})
    if element == "laterality":
        return frozenset() if block.side is None else frozenset({block.side.value.value})
    return frozenset(site.level for site in block.sites if site.level)


def _corrected(block: Block, correction: Correction) -> Block:
    """Return a block with a correction, with the words of both."""
    if correction.block is not None:
        return replace(
            block,
            technique=correction.block.technique,
            plane=correction.block.plane,
            target=correction.block.target,
            method=correction.block.method,
            evidence=(*correction.block.evidence, *block.evidence),
        )
    if correction.side is not None:
        return _on_side(block, correction.side, correction.said)
    named = tuple(dict.fromkeys(site.level for site in block.sites if site.level))
    kept = tuple(level for level in named if level not in correction.rejected) if correction.rejected else ()
    levels = tuple(dict.fromkeys((*kept, *correction.levels)))
    if not levels or (correction.rejected.isdisjoint(named) and not correction.levels):
        return block  # none would be left, or what is taken back was not named
    if any("-" in level for level in levels) != any("-" in level for level in named or levels):
        return block  # joints for levels, or levels for joints: not of one kind
    evidence = {level: tuple(e for s in block.sites if s.level == level for e in s.evidence) for level in levels}
    sides = tuple(dict.fromkeys(site.side for site in block.sites)) or _one_sided(
        block.side.value if block.side else None
    )
    sites = tuple(Site(level, side, (correction.said, *evidence[level])) for level in levels for side in sides)
    return replace(block, sites=sites, site_count=None)


def _on_side(block: Block, side: Side, said: Evidence) -> Block:
    before = block.side.evidence if block.side is not None else ()
    levels: dict[str | None, tuple[Evidence, ...]] = {}
    for site in block.sites:
        levels[site.level] = tuple(dict.fromkeys((*levels.get(site.level, ()), *site.evidence)))
    sites = tuple(Site(level, one, (*found, said)) for level, found in levels.items() for one in _one_sided(side))
    return replace(block, side=Fact(side, (said, *before)), sites=sites)


def _one_sided(side: Side | None) -> tuple[Side | None, ...]:
    return (Side.RIGHT, Side.LEFT) if side is Side.BILATERAL else (side,)
