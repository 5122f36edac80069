"""From assessments to CDS Hooks cards: few, short, true, and none where there is nothing to say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from cds_service.cards.clarification_card import clarification_content
from cds_service.cards.codes_card import codes_content
from cds_service.cards.documentation_card import documentation_content
from cds_service.cards.frame import Content, Service, card
from cds_service.cards.resources import Json
from cds_service.cards.wording import DEFAULT_LABEL
from cds_service.review.assessment import Assessment

MOST_CARDS = 3
"""More than three at once are not read."""

KINDS = ("suggested-codes", "missing-documentation", "clarification")
"""The kinds of cards, the most important first."""


def build(
    assessments: Sequence[Assessment],
    hook: str,
    base_url: str,
    label: str = DEFAULT_LABEL,
    *,
    kinds: Collection[str] = KINDS,
    most: int = MOST_CARDS,
) -> list[Json]:
    """Return the cards for the assessments of one request, ready for JSON; at most three, most important first.

    `hook` is the CDS Hooks hook answered ("order-sign", "encounter-discharge"): at order-sign no change of a Claim
    is offered. `base_url` is the absolute address of this service, for links. `label` says who is speaking. `kinds`
    are those of `KINDS` that are wanted, `most` is how many cards are.
    No member of a card is null, "", [] or {}.
    """
    service = Service(base_url, label)
    said = [(content, assessment) for assessment in assessments for content in _contents(assessment, hook, kinds)]
    said.sort(key=lambda pair: (KINDS.index(pair[0].kind), not pair[0].warning))
    told = said[: min(most, MOST_CARDS)]
    cards = {made["uuid"]: made for made in (card(content, of, service) for content, of in told)}
    return list(cards.values())


def _contents(assessment: Assessment, hook: str, kinds: Collection[str]) -> Iterator[Content]:
    found = (codes_content(assessment, hook), documentation_content(assessment), clarification_content(assessment))
    yield from (content for content in found if content is not None and content.kind in kinds)
