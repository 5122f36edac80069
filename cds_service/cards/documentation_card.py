"""The card that says what the note does not show yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cds_service.cards import wording
from cds_service.cards.difference import only_ordered
from cds_service.cards.frame import Content, code_behind, first_fitting, paragraphs, sources_text
from cds_service.cards.markdown import escaped, quoted, telling
from cds_service.cards.summary import fitting, joined, shrinking
from cds_service.review.assessment import Assessment, Element, ElementStatus

KIND = "missing-documentation"

_OPEN = (ElementStatus.MISSING, ElementStatus.CONTRADICTED)
_SOURCES_SHOWN = 2
_INLINE_QUOTE = 80
_RICHNESS = ((99, 2), (99, 0), (10, 0))
"""Detail from rich to terse: elements explained, quotes for each contradiction."""


def documentation_content(assessment: Assessment) -> Content | None:
    """Return the card's content, or None where nothing required is missing or contradicted.

    A block that is only ordered has no note yet, so nothing can be missing from it.
    """
    if only_ordered(assessment):
        return None
    needed = [e for e in assessment.documentation if e.requirement == "required" and e.status in _OPEN]
    elements = list({element.element: element for element in needed}.values())
    if not elements:
        return None
    return Content(
        kind=KIND,
        topic="guideline",
        reasons=KIND,
        summary=fitting(_summaries(assessment, elements)),
        warning=True,
        detail=_detail(assessment, elements),
        elements=tuple(element.element for element in elements),
        code=code_behind(assessment),
    )


def _names(elements: Iterable[Element], status: ElementStatus) -> list[str]:
    return [wording.element_words(e.element).name for e in elements if e.status is status]


def _summaries(assessment: Assessment, elements: Sequence[Element]) -> Iterator[str]:
    missing = _names(elements, ElementStatus.MISSING)
    torn = _names(elements, ElementStatus.CONTRADICTED)
    block = f"the {wording.block_name(assessment.blocks)}"
    if not missing:
        yield from (f"The record disagrees with itself on {names} of {block}." for names in shrinking(torn))
        return
    disagreeing = f"; the record disagrees on {joined(torn, 2)}" if torn else ""
    yield from (f"Note lacks {names} for {block}{disagreeing}." for names in shrinking(missing))
    yield f"Note lacks {len(missing)} required elements for {block}."


def _detail(assessment: Assessment, elements: Sequence[Element]) -> str:
    block = wording.block_name(assessment.blocks) + wording.on_day(assessment.date_of_service)
    missing = [element for element in elements if element.status is ElementStatus.MISSING]
    torn = [element for element in elements if element.status is ElementStatus.CONTRADICTED]
    return first_fitting(
        paragraphs(
            [
                _missing_text(block, missing, shown, quotes),
                *(part for element in torn[:shown] for part in _torn_text(element, quotes)),
                wording.ADDENDUM if missing else "",
                sources_text((source for e in elements for source in e.citations), _SOURCES_SHOWN),
            ]
        )
        for shown, quotes in _RICHNESS
    )


def _missing_text(block: str, missing: Sequence[Element], shown: int, quotes: int) -> str:
    """Return what is missing as a list; a complete note states each, whatever the answer is."""
    if not missing:
        return ""
    bullets = [_bullet(element, quotes) for element in missing[:shown]]
    if len(missing) > shown:
        bullets.append(f"- {len(missing) - shown} more")
    return "\n".join(
        [f"Required for the {block}, and not established by the note. A complete note states:\n", *bullets]
    )


def _bullet(element: Element, quotes: int) -> str:
    """Return the element with what a complete note states, and what this note has instead ("could not be obtained")."""
    words = wording.element_words(element.element)
    said = [f"“{escaped(piece.words or '', _INLINE_QUOTE)}”" for piece in telling(element.evidence, min(quotes, 1))]
    return f"- {escaped(words.name)}: {escaped(words.complete)}" + "".join(
        f" (the note has: {quote})" for quote in said
    )


def _torn_text(element: Element, quotes: int) -> Iterator[str]:
    name = escaped(wording.element_words(element.element).name)
    found = telling(element.evidence, quotes)
    yield f"On {name} {wording.DISAGREES}{':' if found else '.'}"
    yield from map(quoted, found)
