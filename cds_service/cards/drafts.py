"""The draft orders a card is about: what people call them, and how a client finds them.

Several orders are signed at once, and a card may concern one of them. Da Vinci CRD has its text name the order in
human terms, and an extension refer to it (https://hl7.org/fhir/us/davinci-crd/deviations.html, "Linking cards to
requests"); which order a card is about CDS Hooks itself does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cds_service.cards.difference import only_ordered
from cds_service.cards.markdown import escaped
from cds_service.cards.resources import Json
from cds_service.cards.summary import counted, joined, line_text
from cds_service.chart.model import Evidence, Line
from cds_service.fhir.reading import concept_text
from cds_service.review.assessment import Assessment

ASSOCIATED_RESOURCE: Final = "davinci-crd.associated-resource"
"""The extension of a card that refers to resources of the hook's context."""

_SHOWN = 8
_WORDS_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft order about a block: its line where it has a code, and its own words where it has any."""

    reference: str
    line: Line | None
    words: str | None

    def text(self) -> str:
        """Return what tells a person which order it is: `64461 ×1 (“Paravertebral block, right”)`."""
        code = escaped(line_text(self.line, modifiers=False)) if self.line else ""
        words = f"“{escaped(self.words, _WORDS_SHOWN)}”" if self.words else ""
        return f"{code} ({words})" if code and words else code or words


def drafts(assessment: Assessment) -> tuple[Draft, ...]:
    """Return the draft orders that were judged; none where it was judged what has been done."""
    if not only_ordered(assessment):
        return ()
    coded = [
        Draft(order.reference, order.line, concept_text(order.resource.get("code"))) for order in assessment.orders
    ]
    known = {draft.reference for draft in coded}
    worded = [
        Draft(piece.reference, None, piece.text or piece.quote)
        for block in assessment.blocks
        for piece in block.evidence
        if piece.reference not in known
    ]
    return (*coded, *dict.fromkeys(worded))


def named(among: Sequence[Draft], evidence: Iterable[Evidence]) -> tuple[Draft, ...]:
    """Return those of `among` that `evidence` was read from; all where it was read from none of them."""
    references = {piece.reference for piece in evidence}
    return tuple(draft for draft in among if draft.reference in references) or tuple(among)


def drafts_text(about: Iterable[Draft]) -> str:
    """Return a sentence that names the orders, "" where there are none."""
    texts = counted(draft.text() for draft in about)
    return f"In the draft orders: {joined(texts, _SHOWN)}." if texts else ""


def associated(about: Iterable[Draft]) -> list[Json]:
    """Return the local references to the orders; one without an id cannot be referred to."""
    references = dict.fromkeys(draft.reference for draft in about)
    return [{"reference": reference} for reference in references if reference.startswith("ServiceRequest/")]
