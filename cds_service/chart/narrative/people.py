"""Reads who did a block and who asked for it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cds_service.chart.narrative.answers import Answer, answer, field_value
from cds_service.chart.narrative.assertion import Assertion, assess
from cds_service.chart.narrative.document import Document, span_of
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.lexicon import Mention
from cds_service.chart.narrative.reading import Said

_BYSTANDER = re.compile(r"\b(?:request of|for|per|with|from|by|to|of)\s(?:the\s|our\s|an?\s)?(?:[a-z]+\s){0,1}\Z")
"""Before "the surgeon": words that make somebody else the one who acts, "performed for the surgeon"."""
_DOER = re.compile(r"(?:perform|plac|administer|inject|insert)ed by|proceduralist|operator|done by")
_ANESTHESIA_TEAM = re.compile(
    r"\b(?:ana?esthesiolog\w*|ana?esthetists?|crna|aps|(?:acute )?pain (?:service|team)|"
    r"ana?esthesia (?:team|service|provider))\b|\bby ana?esthesia\b"
)
_OPERATIVE_REPORT = re.compile(
    r"(?<!pre)(?<!pre[ -])(?<!post)(?<!post[ -])\b(?:operative|operation|op) (?:report|note|record)\b|"
    r"\b(?:report|record) of operation\b"
)
_HEAD = 160
"""Characters in which a text says what it is."""
_I_DID = re.compile(
    r"\b(?:i|we) (?:then |also |next |have )?(?:perform|plac|inject|administ|did\b|gave\b|infiltrat|carried out)"
)
_REACH = 120
"""Characters after "the surgeon performed" within which what was performed is named."""


def by_surgeon(document: Document, mentions: Iterable[tuple[int, Mention, Assertion]]) -> Said[bool] | None:
    """Return whether the operating surgeon did the block, None where nothing says so.

    `mentions` are those of the surgeon that belong to the block: sentence, mention, and how it is meant.
    """
    for index, mention, meant in mentions:
        if _does_block(document, index, mention):
            return Said(meant is not Assertion.NEGATED, span_of(mention))
    return None


def told_by_surgeon(document: Document, index: int) -> bool:
    """Return whether the author of a report of an operation, who is its surgeon, tells what he did himself."""
    if not _OPERATIVE_REPORT.search(document.folded, 0, _HEAD):
        return False
    return _I_DID.search(document.folded, document.sentence(index).start, document.sentence(index).end) is not None


def within_operation(document: Document, index: int) -> bool:
    """Return whether sentence `index` tells of something done between the cut and the closure of an operation.

    Whoever else did it there would be named: the report of an operation is the surgeon's own.
    """
    if _ANESTHESIA_TEAM.search(document.folded, document.sentence(index).start, document.sentence(index).end):
        return False
    opened, closed = document.operated
    return opened is not None and closed is not None and opened < index <= closed


def _does_block(document: Document, index: int, mention: Mention) -> bool:
    """Return whether the words mean the doer of the block: the role in its field, the act, or the block done by him."""
    if mention.value == "role":
        return _is_doer(document, index, mention)
    if mention.value == "acts":
        return _acts_on_block(document, index, mention)
    if mention.value == "done-by":
        return _is_block_done(document, index, mention)
    if mention.value == "sight" and document.kinds.get("guidance") and _is_imaged(document):
        return False
    return document.has(index, "technique", "generic", "injection")


def _is_doer(document: Document, index: int, mention: Mention) -> bool:
    """Return whether "surgeon" is what the field "Performed by" holds."""
    if not index or document.sentence(index - 1).section != HEADING:
        return False
    heading, value = document.sentence(index - 1), document.sentence(index)
    before = document.folded[value.start : mention.start]
    return not re.search(r"[a-z]{2}", before.replace("the", "")) and bool(
        _DOER.search(document.folded, heading.start, heading.end)
    )


def _acts_on_block(document: Document, index: int, mention: Mention) -> bool:
    """Return whether what the surgeon performed, named next, is a block: not "the surgeon did a mastectomy"."""
    if _BYSTANDER.search(document.folded, max(mention.start - 40, 0), mention.start):
        return False
    nearest = min(
        (
            other
            for other in document.of(index, "technique", "generic", "operation")
            if mention.end <= other.start < mention.end + _REACH
        ),
        key=lambda other: other.start,
        default=None,
    )
    return nearest is not None and nearest.kind != "operation"


def _is_block_done(document: Document, index: int, mention: Mention) -> bool:
    """Return whether what was done by the surgeon is the block and not the operation named nearer."""
    named = [
        other
        for other in document.of(index, "technique", "generic", "injection", "operation")
        if other.end <= mention.start or other.start < mention.end
    ]
    if not named:
        return document.has(index, "technique", "generic", "injection")
    return max(named, key=lambda other: other.start).kind != "operation"


def _is_imaged(document: Document) -> bool:
    """Return whether an image guided the needle: "direct visualization" is then that of its tip."""
    return any(
        other.value in {"ultrasound", "fluoroscopy", "ct"} and assess(document, at, other) is Assertion.AFFIRMED
        for at, other in document.all("guidance")
    )


def requested(document: Document) -> Said[bool] | None:
    """Return True where the note says that somebody asked for the block; None otherwise.

    "Requested by surgeon: No" is None and not False: an order beside the note may still say who did.
    """
    for index, mention in document.all("requested"):
        if document.sentence(index).section != "history" and _asks(document, index, mention):
            return Said(True, span_of(mention))
    return None


def _asks(document: Document, index: int, mention: Mention) -> bool:
    """The patient's own request is not the surgeon's."""
    sentence = document.sentence(index)
    around = document.folded[sentence.start : sentence.end]
    if re.search(r"patient(?:'s)? (?:has |had )?(?:request|ask)|request of (?:the )?patient|patient's request", around):
        return False
    if sentence.section == HEADING and not re.search(r"[a-z]{2}", field_value(document, index)):
        return False
    if answer(document, index, mention) in {Answer.NO, Answer.BLANK}:
        return False
    return assess(document, index, mention) not in {Assertion.NEGATED, Assertion.HISTORICAL}
