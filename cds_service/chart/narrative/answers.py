"""Reads what a field of a form answers: "Catheter: no", "Image saved: [x] Yes [ ] No", "Depth: ____"."""

from __future__ import annotations

import re
from enum import StrEnum

from cds_service.chart.narrative.document import Document
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.lexicon import Mention

_TICK = r"(?:[\[(] ?[x*✓] ?[\])]|[☑☒✓✔■])"
_BOX_BEGINS = frozenset("[(☐☑☒✓✔□■")
_TICKED_BEFORE = re.compile(rf"{_TICK} {{0,2}}(\w+)")
_TICKED_AFTER = re.compile(rf"(\w+) {{0,2}}{_TICK}")
_BLANK = re.compile(r"(?:[\s*_.\-:]|\[ *\] *(?:yes|no)\b|(?:yes|no) *\[ *\]|\[ *\]|\( *\)|yes */ *no\b)*(?:n/?a\b|\Z)")
_COLON = re.compile(r"\s{0,2}[:?]{1,2}\s{0,2}")
_NO = re.compile(r"(?:no|none|n|not|never|nil|without)\b")
_YES = re.compile(r"(?:yes|y|placed|threaded|inserted|saved|stored|at|left|right|tunneled)\b|\d")


class Answer(StrEnum):
    """What a field holds."""

    YES = "yes"
    NO = "no"
    BLANK = "blank"
    TEXT = "text"
    NONE = "none"
    """The words are no field."""


def field_value(document: Document, index: int) -> str:
    """Return the folded words after the heading `index`, empty where there are none."""
    if index + 1 >= len(document.layout.sentences) or document.sentence(index + 1).section == HEADING:
        return ""
    following = document.sentence(index + 1)
    return document.folded[following.start : following.end]


def answer(document: Document, index: int, mention: Mention) -> Answer:
    """Return what the field that `mention` heads, in sentence `index`, answers; NONE where it heads none."""
    if document.sentence(index).section == HEADING:
        return _meaning(field_value(document, index))
    end = document.sentence(index).end
    colon = _COLON.match(document.folded, mention.end, end)
    return Answer.NONE if colon is None else _meaning(document.folded[colon.end() : end])


def _meaning(value: str) -> Answer:
    box_first = value.lstrip()[:1] in _BOX_BEGINS
    if ticked := (_TICKED_BEFORE if box_first else _TICKED_AFTER).search(value):
        return Answer.NO if _NO.match(ticked[1]) else Answer.YES
    if _BLANK.match(value):
        return Answer.BLANK
    if _NO.match(value):
        return Answer.NO
    return Answer.YES if _YES.match(value) else Answer.TEXT
