"""Reads what led to a block for chronic pain: disability scales, treatment tried, earlier blocks and their result."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from cds_service.chart.model import FIRST_BLOCK
from cds_service.chart.narrative.assertion import Assertion, assess
from cds_service.chart.narrative.document import Document, span_of
from cds_service.chart.narrative.fields import is_blank
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.lexicon import Mention
from cds_service.chart.narrative.measures import durations, score_after, tells_result
from cds_service.chart.narrative.reading import Span, StatementReading

_REACH = 60
"""Characters after the name of a scale, or before a treatment, that a score or duration can stand in."""
_UNFILLED = re.compile(r"[\s:=(]{0,4}(?:\*\*|__|\[ ?\]|n/?a\b|tbd\b|pending|deferred|\Z)")
_TO_COME = re.compile(
    r"\b(?:will|shall|to be|must|should|requires?|criteri\w+|policy|goal|target|at least|if|repeat|obtain|"
    r"would|needs?|check|next (?:visit|time)|"
    r"(?:not|never) (?:been )?(?:\w+ )?(?:applicable|completed|done|collected|obtained|recorded|filled|"
    r"performed|available|used))\b"
)
_ABOUT = re.compile(r"\b(?:policy|criteri\w+|must|payer|insur\w+ requires|guidelines?|medicare requires)\b")
_TODAY = re.compile(
    r"\btoday\b|\bthis (?:is|was|block|injection|procedure)\b|\bmin(?:ute)?s?\b|\bnow\b|in (?:pacu|recovery)"
)
_PAST = re.compile(
    r"\bago\b|last (?:week|month|year)|\bin (?:january|february|march|april|may|june|july|august|september|october|"
    r"november|december)\b|\bon \d{1,2}/\d{1,2}|"
    r"(?:jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d|\bon \d{1,2} [a-z]{3}|\bgave\b|had given|at that time"
)
_GOES_ON = re.compile(r"(?:it|they|this|that|these|those|which|both|each|result|relief|she|he|pt|the patient)\b")
_IF = re.compile(r"\b(?:if|unless|until|must|should|goal|criteri\w+|policy|require[sd]?|expect\w*|hop(?:e|es|ing))\b")
_DIAGNOSTIC = re.compile(r"\b(?:diagnos\w+|diag|dx|comparative|confirmatory)\b")


def of_scales(document: Document) -> Iterator[StatementReading]:
    """Yield the disability scales a note gives, with the score where it stands beside the name."""
    for index, mention in document.all("scale"):
        sentence = document.sentence(index)
        if sentence.section == HEADING:
            continue  # read with its field
        if _ABOUT.search(document.folded, sentence.start, sentence.end):
            continue
        score = score_after(document.folded, mention.end, min(mention.end + _REACH, sentence.end))
        if score is not None and not _TO_COME.search(document.folded, sentence.start, mention.start):
            yield StatementReading("functional-scale", True, Span(mention.start, score[1]), score[0])
        elif assess(document, index, mention) is Assertion.NEGATED:
            yield StatementReading("functional-scale", False, span_of(mention))
        elif not _is_open(document, index, mention):
            yield StatementReading("functional-scale", True, span_of(mention))


def _is_open(document: Document, index: int, mention: Mention) -> bool:
    """Return whether a scale is only named: its blank is not filled in, or it is still to be asked for."""
    sentence = document.sentence(index)
    return bool(
        _UNFILLED.match(document.folded, mention.end, sentence.end)
        or _TO_COME.search(document.folded, sentence.start, sentence.end)
    )


def duration(document: Document, index: int, mention: Mention) -> str | None:
    """Return for how long a treatment was tried, where its sentence says so near it: "12 weeks"."""
    sentence = document.sentence(index)
    low, high = max(sentence.start, mention.start - _REACH), min(sentence.end, mention.end + _REACH)
    near = [
        (max(start - mention.end, mention.start - end), length)
        for start, end, length in durations(document.folded, low, high)
    ]
    return min(near)[1] if near else None


def of_earlier_blocks(document: Document) -> dict[int, StatementReading]:
    """Return, by the index of the sentence, what a note tells of the result of earlier blocks."""
    found: dict[int, StatementReading] = {}
    later = any(other.value == "second" for _, other in document.all("block-order"))
    for index, mention in document.all("earlier-block"):
        for at in _result_sentences(document, index, mention, later=later):
            found.setdefault(at, StatementReading("prior-block-response", True, _told(document, at, mention)))
    return found


def _result_sentences(document: Document, index: int, mention: Mention, *, later: bool) -> Iterator[int]:
    """Yield the sentence of an earlier block, or the one after it, where it tells the result.

    `later`: the note numbers a later block than the first.
    """
    sentence = document.sentence(index)
    if sentence.section == "plan" or _is_of_today(document, index, mention, later=later):
        return
    if _IF.search(document.folded, sentence.start, mention.start) or _is_planned(document, index, mention):
        return
    if sentence.section != HEADING and _has_result(document, sentence.start, sentence.end):
        yield index
    if index + 1 < len(document.layout.sentences):
        following = document.sentence(index + 1)
        goes_on = sentence.section == HEADING or _GOES_ON.match(document.folded, following.start)
        told = following.section not in {HEADING, "plan"} and goes_on
        if told and _has_result(document, following.start, following.end):
            yield index + 1


def _has_result(document: Document, start: int, end: int) -> bool:
    words = document.folded[start:end]
    return tells_result(words) and not is_blank(words)


def _is_planned(document: Document, index: int, mention: Mention) -> bool:
    return assess(document, index, mention) is Assertion.PLANNED


def _is_of_today(document: Document, index: int, mention: Mention, *, later: bool) -> bool:
    """Return whether "the first block" is the one the note tells of: nothing places it in the past."""
    if mention.value == "before":
        return False
    sentence = document.sentence(index)
    if _TODAY.search(document.folded, sentence.start, sentence.end):
        return True
    if mention.value == "ordinal" and later:
        return False
    return not _PAST.search(document.folded, sentence.start, sentence.end)


def _told(document: Document, at: int, mention: Mention) -> Span:
    sentence = document.sentence(at)
    if sentence.start <= mention.start:
        return Span(mention.start, sentence.end)
    return Span(sentence.start, sentence.end)


def _is_present(document: Document, index: int, mention: Mention) -> bool:
    """Return whether a numbered block is the one the note tells of: not one planned, and not one of another day."""
    if document.has(index, "today"):
        return True
    meant = assess(document, index, mention)
    return document.sentence(index).section != "plan" and meant in {Assertion.AFFIRMED, Assertion.NEGATED}


def of_order(document: Document, told: bool, earlier: Container[int]) -> Iterator[StatementReading]:
    """Yield which block of a series this one is; a first one has no earlier result, which denies that element.

    `told`: the note says something of earlier blocks, in the sentences `earlier` or in a field.
    """
    for index, mention in document.all("block-order"):
        if index in earlier or not _is_present(document, index, mention):
            continue
        if mention.value in {"first", "second"} and _DIAGNOSTIC.search(document.folded, mention.start, mention.end):
            yield StatementReading("purpose", True, span_of(mention), f"{mention.value} diagnostic block")
        if mention.value in {"first", "none"} and not told:
            yield StatementReading("prior-block-response", False, span_of(mention), FIRST_BLOCK)
