"""Reads the fields of a form: "Consent: signed", "[x] none [ ] bleeding", "Volume (mL): 30"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.chart.model import FIRST_BLOCK
from cds_service.chart.narrative.document import Document
from cds_service.chart.narrative.layout import HEADING, Section, field_element
from cds_service.chart.narrative.measures import first_duration, score_of, tells_result
from cds_service.chart.narrative.reading import Span, StatementReading

_FIELDS = {
    "indication": "indication",
    "diagnosis": "diagnosis",
    "purpose": "purpose",
    "consent": "consent",
    "time-out": "time-out",
    "requester": "requesting-provider",
    "provider": "performing-provider",
    "monitoring": "monitoring",
    "asepsis": "asepsis",
    "position": "position",
    "needle": "needle",
    "aspiration": "aspiration",
    "contrast": "contrast",
    "complications": "complications",
    "response": "response",
    "plan": "post-procedure-plan",
    "disposition": "post-procedure-plan",
    "pain-before": "pain-score-before",
    "pain-after": "pain-score-after",
}
_BLANK = re.compile(
    r"[\s*_.\-\[\](){}#?:,/%☐□]*(?:n/?a|tbd|pending|unknown|not (?:documented|recorded|stated|specified|entered|"
    r"applicable|assessed|done|given)|(?:see|refer to|as per) [a-z /]{2,40}|none "
    r"(?:recorded|documented|entered)|to be (?:determined|completed|entered|obtained)|"
    r"(?:select|choose|enter|insert|pick)\b.*|\[?(?:blank|\w+ here)\]?|x{3,})?[\s*_.\-\[\](){}#?:,/]*\Z"
)
_BOX = re.compile(r"(?:[\[(](?P<mark>[ _x*✓]{0,3})[\])]|(?P<sign>[☐☑☒✓✔□■])) {0,2}")
_EMPTY_BOX = frozenset("☐□")
_NO = re.compile(
    r"[\s*\-]*(?:no\b(?!\s?\.?\s?\d)|not\b|none\b|unable|declined|refused|unobtainable|deferred|waived(?!.*emergen)|unsigned|nil\b|n\b)"
)
_THEN = re.compile(r"\b(?:post|after)")
_NOT_YET = re.compile(r"[\s*\-]*(?:will be|to be|await|too early|not yet|pending|deferred)")
_ACTS = frozenset({"consent", "time-out"})
_UNDONE = re.compile(r"[\s*\-]*not (?:done|obtained|performed|given|signed|held|called)\b")
_NOT_DONE = re.compile(r"[\s*\-]*not\b")
"""An aspiration is documented by any result, "no blood" or "none" among them, and only denied as an act."""
_CALM = re.compile(
    r"[\s*\-]*(?:none|no\b|nil|0\b|zero|denied|denies|without|negative|neg\b|absent|n\b|uneventful|there were no)"
)
WHY_NO_CONTRAST = re.compile(
    r"allerg|anaphyla|hives|iodin|reaction|renal|kidney|creatinine|egfr|pregnan|urticaria|intoleran|refus|shortage|thyro"
    r"|(?:\bno|without|lack of) (?:imaging|fluoro|x-?ray|radiograph)|loss of resistance (?:only|alone)"
)
"""Reasons for giving none: with one of them the element is documented."""
_BACKGROUND = frozenset({"conservative-treatment", "functional-scale", "image-record", "prior-block-response"})
_KEPT = re.compile(
    r"\A\W*in\b|\b(?:yes|y|saved|stored|archived|retained|kept|"
    r"pacs|printed|sent|uploaded|recorded|filed|in (?:the )?chart)\b"
)
_STOP = re.compile(r"\.\s|;")
_SEVERITY = re.compile(r"\b(?:minimal|mild|moderate|severe|crippling|complete)\b")
_FIELD_SCORE = re.compile(r"(?<![*_/\d.])(?:10|[0-9])(?![\d.])")
_UNIT_IN_NAME = re.compile(r"[(\s](mls?|cc|mg)\b")
_VOLUME = re.compile(r"\b(vol(?:ume)?|total vol(?:ume)?)\b")
_BARE_NUMBER = re.compile(r"\d{1,3}(?:[.,]\d{1,2})?")
_LONGEST_BLANK = 80


def is_blank(folded: str) -> bool:
    """Return whether a field's value says nothing: empty, "***", "[ ]", "N/A", "pending"."""
    return len(folded) <= _LONGEST_BLANK and _BLANK.match(folded) is not None


def _chosen(value: str) -> str:
    """Return a field's value without the choices whose boxes are empty: "[x] none [ ] bleeding" says "none"."""
    boxes = list(_BOX.finditer(value))
    if not boxes:
        return value
    ends = [box.start() for box in boxes[1:]] + [len(value)]
    kept = [value[box.end() : end].strip() for box, end in zip(boxes, ends, strict=True) if _is_ticked(box)]
    return " ".join([value[: boxes[0].start()].strip(), *(choice or "yes" for choice in kept)]).strip()


def _is_ticked(box: re.Match[str]) -> bool:
    return box["sign"] not in _EMPTY_BOX if box["sign"] else bool((box["mark"] or "").strip(" _"))


def of_fields(document: Document) -> Iterator[StatementReading]:
    """Yield what the fields of a form say: nothing where they are blank or only have empty boxes."""
    for section in document.layout.sections:
        if section.kind == "agent" and (amount := _bare_amount(document, section)) is not None:
            yield amount
        element = (field_element(section.heading) or _FIELDS.get(section.kind)) if section.heading else None
        if element is None or section.kind == HEADING:
            continue
        start, end = _value_of(document, section)
        value = _chosen(document.folded[start:end])
        if element in _ACTS and _UNDONE.match(value):
            yield StatementReading(element, False, Span(start, end))
            continue
        if is_blank(value) or (element != "post-procedure-plan" and _NOT_YET.match(value)):
            continue
        yield from _field(element, value, Span(start, end))


def _bare_amount(document: Document, section: Section) -> StatementReading | None:
    """Return the amount of a field that has its unit in its name, or needs none: "Dose (mg): 100", "Vol: 20"."""
    unit = _UNIT_IN_NAME.search(section.heading) or _VOLUME.search(section.heading)
    start, end = _value_of(document, section)
    number = _BARE_NUMBER.fullmatch(document.folded, start, end)
    if unit is None or number is None:
        return None
    value = f"{number.group().replace(',', '.')} {'mg' if unit[1] == 'mg' else 'mL'}"
    return StatementReading("anesthetic-amount", True, Span(start, end), value)


def _value_of(document: Document, section: Section) -> tuple[int, int]:
    """Return the offsets of a section's first line of text."""
    start, end = section.start, section.end
    folded = document.folded
    while start < end and folded[start].isspace():
        start += 1
    stop = folded.find("\n", start, end)
    end = end if stop < 0 else stop
    while end > start and folded[end - 1] in " \n.;,|":
        end -= 1
    return start, end


def _field(element: str, value: str, span: Span) -> Iterator[StatementReading]:
    if element == "aspiration":
        if not _NOT_DONE.match(value):
            yield StatementReading(element, True, span)
    elif element == "complications":
        yield StatementReading(element, True, span, "none" if _CALM.match(value) else "occurred")
    elif element in _ACTS:
        yield StatementReading(element, not _NO.match(value), span)
    elif element == "contrast" and _NO.match(value):
        why = WHY_NO_CONTRAST.search(value) is not None
        yield StatementReading(element, why, span, "none")
    elif element in _BACKGROUND:
        yield from _background(element, value, span)
    elif element in {"pain-score-before", "pain-score-after"}:
        yield from _pain(element, value, span)
    elif not _NO.match(value):
        yield StatementReading(element, True, span)


def _background(element: str, value: str, span: Span) -> Iterator[StatementReading]:
    """Yield what a field of the history holds, or of the images: their mere names say nothing."""
    denied = _NO.match(value) is not None
    if element == "image-record":
        if denied or _KEPT.search(value):
            yield StatementReading(element, not denied, span)
    elif element == "prior-block-response":
        if tells_result(value):
            yield StatementReading(element, True, span)
        elif denied:
            yield StatementReading(element, False, span, FIRST_BLOCK)
    elif not denied and element == "functional-scale":
        score = score_of(_STOP.split(value, maxsplit=1)[0])
        if score is not None or _SEVERITY.search(value):
            yield StatementReading(element, True, span, score)
    elif not denied:
        yield StatementReading(element, True, span, first_duration(value))


def _pain(element: str, value: str, span: Span) -> Iterator[StatementReading]:
    """Yield the score of a field, and that after the block where it follows in the same one: "pre: 8  post: 2"."""
    then = _THEN.search(value) if element == "pain-score-before" else None
    first = _FIELD_SCORE.search(value, 0, then.start() if then else len(value))
    if first:
        yield StatementReading(element, True, span, first.group())
    after = _FIELD_SCORE.search(value, then.end()) if then else first
    if after and (then or element == "pain-score-after"):
        yield StatementReading("pain-score-after", True, span, after.group())
        yield StatementReading("response", True, span)
