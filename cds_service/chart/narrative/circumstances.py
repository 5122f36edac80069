"""Reads what surrounds the block: the day, the operation of that day, and its anesthesia."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from cds_service.chart.model import AnesthesiaType
from cds_service.chart.narrative.assertion import Assertion, assess
from cds_service.chart.narrative.document import Document, span_of
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.lexicon import Mention
from cds_service.chart.narrative.reading import Said, Span

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_DATE = re.compile(
    r"(?<![0-9/\-])(?:(?P<iso>\d{4}-\d{1,2}-\d{1,2})|(?P<us>\d{1,2}[/\-]\d{1,2}[/\-](?:\d{4}|\d{2}))"
    r"|(?P<day>\d{1,2})(?:st|nd|rd|th)?[\s\-](?P<month>[a-z]{3,9})\.?,?[\s\-](?P<year>\d{4})"
    r"|(?P<month2>[a-z]{3,9})\.?\s(?P<day2>\d{1,2})(?:st|nd|rd|th)?,?\s(?P<year2>\d{4}))(?![0-9/])"
)
_DATED = re.compile(
    r"(?:date\s?(?:and\s?time\s?)?(?:of|/time of)?\s?(?:the\s)?(?:procedure|service|surgery|operation|"
    r"block|injection|placement|exam|visit|encounter)?|\bdos|"
    r"(?:procedure|service|block|surgery|operation) (?:date|performed on|done on)|performed on|"
    r"placed on)\s{0,2}(?:/time)?\s{0,2}[:\-]?\s{0,3}"
)
_NOT_THE_DAY = re.compile(r"\b(?:birth|admission|dictated|dictation|discharge|signed|transcri\w+)\s{0,2}:?\s{0,3}\Z")
_SAME_DAY = re.compile(
    r"\btoday\b|scheduled for|presenting for|presents for|undergo(?:ing)?\b|underwent|in (?:the )?pacu|"
    r"prior to (?:induction|surgery|incision)|before (?:induction|surgery|incision)"
    r"|preop|pre-op|\bpod\s?#?0\b|this morning|following induction|after induction|"
    r"surgical (?:procedure|case)|planned (?:procedure|surgery)|(?:postop|post-op)\w*\s(?:pain|analges)|"
    r"immediately after|at the end of"
)
_ANOTHER_DAY = re.compile(
    r"\bpod\s?#?[1-9]|post(?:-|\s)?op(?:erative)?\s(?:day|d)\s?#?(?:[1-9]|one|two|three)|yesterday|"
    r"last (?:week|month|year)|\bago\b|history of|\bh/o\b|"
    r"in (?:19|20)\d\d|previous|days? (?:after|post)|hospital day"
)
_BEFORE_OPERATION = re.compile(
    r"(?:\b(?:right|left|bilateral|robotic|robotic-assisted|partial|radical|modified|total|simple|open|"
    r"laparoscopic|rt|lt|r|l|video-assisted|assisted|muscle-sparing|muscle|sparing|"
    r"minimally|invasive|redo|elective|posterolateral|anterior|skin-sparing|nipple-sparing|upper|lower|"
    r"middle|lobe|thoracoscopic|uniportal|wedge)[\s\-]{1,2}){0,6}\Z"
)
_GENERAL_FOR_THE_BLOCK = re.compile(
    r"\b(?:for|during) (?:the )?(?:block|procedure|placement|injection|pvb|nerve block)|anxiolysis|"
    r"for comfort|procedural"
)
_NOT_AS = re.compile(
    r"\bnot (?:be )?(?:(?:used|given|intended|meant|serving|placed|performed) )?(?:as|for|to be) (?:the |an? )?\Z"
)
"""Before "the primary anesthetic": what the block was said not to be."""


def service_date(folded: str) -> Said[date] | None:
    """Return the date of service the text states as such: ISO, day-month-year in words, or US month/day/year."""
    for label in _DATED.finditer(folded):
        match = _DATE.match(folded, label.end())
        if match is None or _NOT_THE_DAY.search(folded, max(label.start() - 20, 0), label.start()):
            continue
        value = _date(match)
        if value is not None:
            return Said(value, Span(match.start(), match.end()))
    return None


def _date(match: re.Match[str]) -> date | None:
    try:
        if match["iso"]:
            year, month, day = map(int, match["iso"].split("-"))
        elif match["us"]:
            month, day, year = map(int, re.split(r"[/\-]", match["us"]))
        else:
            name = (match["month"] or match["month2"])[:3]
            month, day = _MONTHS.get(name, 0), int(match["day"] or match["day2"])
            year = int(match["year"] or match["year2"])
        return date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return None


def anesthesia(document: Document) -> Iterator[Said[AnesthesiaType]]:
    """Yield each anesthesia of the operation once, where the note first says it."""
    seen: set[AnesthesiaType] = set()
    for index, mention in document.all("anesthesia"):
        kind = AnesthesiaType(mention.value)
        if kind not in seen and _is_given(document, index, mention, kind):
            seen.add(kind)
            yield Said(kind, span_of(mention))


def _is_given(document: Document, index: int, mention: Mention, kind: AnesthesiaType) -> bool:
    section = document.sentence(index).section
    if section in {"history", "plan", HEADING}:
        return False
    words = document.folded[mention.start : mention.end]
    field = section == "anesthesia"
    if words in {"general", "spinal", "epidural", "gen", "sab", "gla"} and not field:
        return False
    if words in {"ga", "mac"} and not (field or document.text[mention.start : mention.end].isupper()):
        return False
    if words == "ga" and re.search(r"\d\s?\Z", document.folded[max(mention.start - 4, 0) : mention.start]):
        return False
    if kind is AnesthesiaType.SEDATION and not field and (words == "sedation" or _for_block(document, index)):
        return False
    return not _denied(document, index, mention)


def _for_block(document: Document, index: int) -> bool:
    sentence = document.sentence(index)
    return bool(_GENERAL_FOR_THE_BLOCK.search(document.folded, sentence.start, sentence.end))


def _denied(document: Document, index: int, mention: Mention) -> bool:
    """Negated, historical or planned for another day; "before induction of general anesthesia" is neither."""
    meant = assess(document, index, mention)
    if mention.value == "block-only" and _NOT_AS.search(document.folded, max(mention.start - 30, 0), mention.start):
        return True
    if meant is Assertion.NEGATED and mention.value == "block-only":
        return False
    return meant in {Assertion.NEGATED, Assertion.HISTORICAL, Assertion.OTHER}


def operation(document: Document) -> Said[str] | None:
    """Return the operation of the day in the note's words; None where it may have been another day."""
    another_day: dict[int, bool] = {}  # by the index of the sentence: it may name many operations
    same_day: dict[int, bool] = {}
    for index, mention in document.all("operation"):
        sentence = document.sentence(index)
        if index not in another_day:
            words = document.folded[sentence.start : sentence.end]
            another_day[index] = _ANOTHER_DAY.search(words) is not None
            same_day[index] = sentence.section in {"operation", "title"} or _SAME_DAY.search(words) is not None
        if sentence.section in {"history", "plan", "diagnosis", HEADING} or another_day[index]:
            continue
        if assess(document, index, mention) in {Assertion.NEGATED, Assertion.OTHER}:
            continue
        if same_day[index]:
            return _phrase(document, index, mention)
    return None


def _phrase(document: Document, index: int, mention: Mention) -> Said[str]:
    before = document.folded[max(mention.start - 80, 0) : mention.start]
    found = _BEFORE_OPERATION.search(before)
    start = mention.start - (len(before) - found.start()) if found else mention.start
    end = mention.end
    for further in document.of(index, "operation"):
        if further.start >= end and not document.folded[end : further.start].strip():
            end = further.end
    return Said(document.text[start:end], Span(start, end))
