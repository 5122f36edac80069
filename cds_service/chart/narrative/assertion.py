"""Decides what a note says of a mention: that it is so, is not so, is planned, was long ago, or is about others.

The ConText algorithm (Harkema et al., J Biomed Inform 2009;42:839): trigger phrases point forward or backward, up to a
number of words, and stop at terminators. Triggers and terminators are data (`lexicon/assertion.toml`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum

from cds_service.chart.narrative.document import Document
from cds_service.chart.narrative.lexicon import Mention


class Assertion(IntEnum):
    """How a mention is meant; where several hold, the higher one counts."""

    AFFIRMED = 0
    PLANNED = 1
    HISTORICAL = 2
    NEGATED = 3
    OTHER = 4


_VALUES = {
    "planned": Assertion.PLANNED,
    "historical": Assertion.HISTORICAL,
    "negated": Assertion.NEGATED,
    "other": Assertion.OTHER,
}
_SUBJECTS = frozenset({"technique", "guidance", "continuous", "element", "drug"})
"""Kinds a backward trigger speaks of: it means the nearest one before it, and those joined to that by "and"."""
_BESIDE_A_BLOCK = frozenset({"technique", "continuous", "element"})
"""A block goes on past its drug and its guidance: "a digital block with lidocaine was not needed"."""
_AIMS = frozenset({"weak", "place"})
"""Attributes of names that a date after them does not stop at: "RFA of the L3 and L4 medial branches in 2024"."""
_DONE = frozenset({"performed", "placed", "done", "completed", "injected"})
_OBJECTS = _SUBJECTS | {"generic", "anesthesia"}
_OBJECT_REACH = 25
_OF_ITS_AMOUNT = re.compile(r"\b(?:amount|volume|dose|dosage|concentration|strength|lot)\b")
"""What may be unrecorded of a drug that was given all the same."""
_BESIDE = 3
"""Characters between what was called off and a bare participle: "consent refused"."""
_JOINS = frozenset({"", "and", "or", ",", "/", "&", "nor", ", and", ", or"})


def assess(document: Document, index: int, mention: Mention) -> Assertion:
    """Return how the sentence `index` means `mention`."""
    if not document.has(index, "trigger"):
        return Assertion.AFFIRMED
    return max(_readings(document, index, mention), default=Assertion.AFFIRMED)


def negation(document: Document, index: int, mention: Mention) -> Mention | None:
    """Return the trigger that negates `mention`, if one does."""
    for trigger in document.of(index, "trigger"):
        if trigger.value == "negated" and _applies(document, index, trigger, mention):
            return trigger
    return None


def _readings(document: Document, index: int, mention: Mention) -> Iterator[Assertion]:
    for trigger in document.of(index, "trigger"):
        if trigger.concept.attributes.get("technique_only") and mention.kind != "technique":
            continue
        if _applies(document, index, trigger, mention):
            yield _VALUES[trigger.value]


def _applies(document: Document, index: int, trigger: Mention, mention: Mention) -> bool:
    direction = trigger.concept.attributes["direction"]
    if trigger.end <= mention.start and direction != "backward":
        return _reaches_forward(document, index, trigger, mention)
    if trigger.start >= mention.end and direction != "forward":
        return _reaches_back(document, index, trigger, mention)
    return False


def _reaches_forward(document: Document, index: int, trigger: Mention, mention: Mention) -> bool:
    between = document.folded[trigger.end : mention.start]
    past = "then" if trigger.concept.attributes.get("past_then") else ""
    if _terminated(document, index, trigger.end, mention.start, past) or (
        ":" in between and trigger.value == "negated"
    ):
        return False
    limit = trigger.concept.attributes.get("words")
    if limit is not None and len(between.split()) > limit:
        return False
    if limit is not None and trigger.value == "planned" and "," in between:
        return False
    if trigger.value == "negated" and "," in between:
        listed = trigger.end + between.rindex(",")  # "no pain or heme, images saved": its "or" has been before
        return " or " in document.folded[listed : document.sentence(index).end]
    if trigger.concept.attributes.get("single"):
        return not any(trigger.end <= other.start < mention.start for other in document.of(index, "technique"))
    return not (trigger.value == "negated" and "(" in between)


def _reaches_back(document: Document, index: int, trigger: Mention, mention: Mention) -> bool:
    if trigger.concept.attributes.get("calls_off"):
        if mention.kind == "technique":
            return _is_called_off(document, index, trigger, mention)
        if trigger.start - mention.end > _BESIDE and not _is_passive(document, trigger):
            return False
    if _terminated(document, index, mention.end, trigger.start) or _is_of_the_reason(document, trigger, mention):
        return False
    if mention.kind == "drug" and _OF_ITS_AMOUNT.search(document.folded, mention.end, trigger.start):
        return False
    end = mention.end
    for other in _subjects(document, index, trigger, mention):
        if other.start >= end and other.end <= trigger.start:
            if document.folded[end : other.start].strip() not in _JOINS:
                return False
            end = other.end
    return True


def _subjects(document: Document, index: int, trigger: Mention, mention: Mention) -> Iterator[Mention]:
    """Yield what a trigger may speak of instead of a mention before it; a month or a year dates the whole clause."""
    kinds = _BESIDE_A_BLOCK if mention.kind == "technique" else _SUBJECTS
    past = trigger.value == "historical" and mention.kind == "technique"
    if past and document.folded.startswith("in ", trigger.start):
        kinds = frozenset({"technique"})
    for other in document.of(index, *kinds):
        if not (past and other.concept.attributes.keys() & _AIMS):
            yield other


def _is_called_off(document: Document, index: int, trigger: Mention, mention: Mention) -> bool:
    """A block is called off even past a "but"; not where it was done first, or where something else is declined."""
    for other in document.mentions[index]:
        between = mention.end <= other.start and other.end <= trigger.start
        if between and (_is_what_failed(other) or document.folded[other.start : other.end] in _DONE):
            return False
    if _is_passive(document, trigger):
        return True
    return not any(
        other.kind in _OBJECTS and 0 <= other.start - trigger.end <= _OBJECT_REACH for other in document.mentions[index]
    )


def _is_what_failed(other: Mention) -> bool:
    """Whether words between a block and "without success" are what had none: another block, or care tried before."""
    return other.kind == "technique" or (other.kind, other.value) == ("element", "conservative-treatment")


def _is_passive(document: Document, trigger: Mention) -> bool:
    return document.folded[max(trigger.start - 6, 0) : trigger.start].endswith(("was ", "were ", "been ", "be "))


def _is_of_the_reason(document: Document, trigger: Mention, mention: Mention) -> bool:
    """Whether what is past is the reason of a block: "TAP block for pain of the wound (laparotomy yesterday)"."""
    before, _, within = document.folded[mention.end : trigger.start].rpartition("(")
    past = trigger.value == "historical" and ")" not in within and " for " in before
    return past and bool(within.strip()) and _DONE.isdisjoint(within.split())


def _terminated(document: Document, index: int, start: int, end: int, past: str = "") -> bool:
    """Return whether a terminator other than `past` stands between two places."""
    return any(
        start <= word.start and word.end <= end and document.folded[word.start : word.end] != past
        for word in document.of(index, "terminator")
    )
