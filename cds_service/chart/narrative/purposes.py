"""Reads the pain of an operation as what a block is for: "analgesia after sternotomy", "mastectomy pain"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from cds_service.chart.narrative.document import Document
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.lexicon import Mention

_ITS_PAIN = re.compile(r"[\s\-](?:bar |related )?(?:analges|pain)")
_PAIN_OF = re.compile(
    r"(?<!history of )\b(?:analgesia|pain|discomfort)(?: (?:control|relief|management))? (?:after|following|for) "
    r"(?:[a-z'\-]+ ){0,4}\Z"
)
_REACH = 50
"""Characters before an operation in which its pain is named."""


class PainOfOperation(NamedTuple):
    """An operation whose pain is named in sentence `at`; `said_before`: as in "pain after the operation"."""

    at: int
    mention: Mention
    said_before: bool


def pain_of_operations(document: Document) -> Iterator[PainOfOperation]:
    """Yield the operations whose pain the text names, with the sentence they stand in."""
    for index, mention in document.all("operation"):
        if document.sentence(index).section == HEADING:
            continue
        before = _PAIN_OF.search(document.folded, max(mention.start - _REACH, 0), mention.start) is not None
        if before or _ITS_PAIN.match(document.folded, mention.end):
            yield PainOfOperation(index, mention, before)
