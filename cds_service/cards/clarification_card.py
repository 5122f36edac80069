"""The card that asks: where the record is ambiguous, the clinician knows and the service does not guess."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.cards.drafts import Draft, drafts, drafts_text, named
from cds_service.cards.frame import Content, code_behind, first_fitting, paragraphs
from cds_service.cards.markdown import collapsed, escaped, quoted, telling
from cds_service.cards.summary import fitting
from cds_service.chart.model import Evidence
from cds_service.review.assessment import Assessment, Query

KIND = "clarification"

_RICHNESS = ((3, 3, 300), (3, 2, 200), (2, 1, 150), (1, 1, 120))
"""Detail from rich to terse: questions shown, quotes for each, characters of question and of each option."""

_OPTIONS_SHOWN = 8


def clarification_content(assessment: Assessment) -> Content | None:
    """Return the card's content, or None where there is no question.

    Question and options are put as the review words them: neutral, all options alike, none marked.
    """
    queries = [query for query in assessment.queries if collapsed(query.question)]
    if not queries:
        return None
    evidence = [piece for query in queries for piece in query.evidence]
    about = named(drafts(assessment), evidence)
    return Content(
        kind=KIND,
        topic="claim",
        reasons=KIND,
        summary=fitting([queries[0].question]),
        warning=False,
        detail=_detail(queries, _unquoted(about, evidence)),
        rules=tuple(dict.fromkeys(query.rule for query in queries if query.rule)),
        code=code_behind(assessment),
        drafts=about,
    )


def _unquoted(about: Sequence[Draft], evidence: Sequence[Evidence]) -> list[Draft]:
    """Return the draft orders whose own words are not quoted with the question."""
    quoted_orders = {piece.reference for piece in telling(evidence, len(evidence))}
    return [draft for draft in about if draft.reference not in quoted_orders]


def _detail(queries: Sequence[Query], about: Sequence[Draft]) -> str:
    orders = drafts_text(about)
    return first_fitting(
        paragraphs([*(part for query in queries[:shown] for part in _asked(query, quotes, limit)), orders])
        for shown, quotes, limit in _RICHNESS
    )


def _asked(query: Query, quotes: int, limit: int) -> list[str]:
    options = [escaped(option, limit) for option in query.options if collapsed(option)]
    bullets = "\n".join(f"- {option}" for option in options[:_OPTIONS_SHOWN])
    return [escaped(query.question, limit), bullets, *map(quoted, telling(query.evidence, quotes))]
