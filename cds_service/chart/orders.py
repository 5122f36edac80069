"""Orders: the drafts being signed, and the request behind a block that was done."""

from __future__ import annotations

from dataclasses import replace

from cds_service.chart.body_sites import side_of, sites_of
from cds_service.chart.evidence import Place, block_from
from cds_service.chart.model import Block, Evidence, Fact, Line, OrderFacts, Origin, Side
from cds_service.chart.narrative.reader import mentions_block, read
from cds_service.chart.vocabulary import CodeMeaning, Vocabulary
from cds_service.fhir.coding import CodedValue, cpt_codes
from cds_service.fhir.reading import first_date, member, quantity, text
from cds_service.fhir.record import Entry
from cds_service.fhir.validate import problem

_WITHDRAWN = frozenset({"entered-in-error", "revoked"})


def is_block_order(order: Entry, vocabulary: Vocabulary) -> bool:
    """Return whether a ServiceRequest orders a block, by its code or its words."""
    return _asks(order) and (bool(_meanings(order, vocabulary)) or bool(_worded(order)))


def order_facts(order: Entry, vocabulary: Vocabulary) -> OrderFacts | None:
    """Return a draft order as a line, where it carries a block code or the code of imaging beside a block."""
    if not _asks(order):
        return None
    for value in cpt_codes(order.resource.get("code")):
        if value.code in vocabulary.block_codes or value.code in vocabulary.companion_codes:
            amount = quantity(order.resource.get("quantityQuantity"))
            line = Line(
                code=value.code,
                units=amount.value if amount else float(value.units or 1),
                modifiers=(),
                reference=order.reference,
                path="code",
                service_date=None,
            )
            return OrderFacts(order.reference, order.resource, line, valid=problem(order.resource) is None)
    return None


def ordered_blocks(order: Entry, vocabulary: Vocabulary) -> tuple[Block, ...]:
    """Return the blocks a draft order asks for: by its words where they name a technique, else by its code."""
    if not _asks(order):
        return ()
    meanings = _meanings(order, vocabulary)
    blocks = _worded(order) or [_coded(order, *coded) for coded in meanings[:1]]
    return tuple(_completed(block, order, tuple(value.code for value, _ in meanings)) for block in blocks)


def request_of(
    order: Entry, vocabulary: Vocabulary, performers: frozenset[str], requester: str | None
) -> Fact[bool] | None:
    """Return the request an order of the record is for a block: somebody else asked whoever did it.

    Where nobody is named who did it, it may have been the one who asked.
    """
    if requester is None or not performers or requester in performers or not is_block_order(order, vocabulary):
        return None
    display = text(member(order.resource, "requester", "display"))
    return Fact(True, (Evidence(order.reference, "requester", display or requester),))


def _asks(order: Entry) -> bool:
    """Return whether it is an order to do something: not withdrawn, and not an order against it."""
    resource = order.resource
    withdrawn = text(resource.get("status")) in _WITHDRAWN or resource.get("doNotPerform") is True
    return order.type == "ServiceRequest" and not withdrawn


def _meanings(order: Entry, vocabulary: Vocabulary) -> list[tuple[CodedValue, CodeMeaning]]:
    found = cpt_codes(order.resource.get("code"))
    return [(value, vocabulary.block_codes[value.code]) for value in found if value.code in vocabulary.block_codes]


def _worded(order: Entry) -> list[Block]:
    """Return the blocks the order's own words name; an order is a plan, whatever tense it is written in."""
    words = text(member(order.resource, "code", "text"))
    if words is None or not mentions_block(words):
        return []
    place = Place(order.reference, "code.text", words)
    return [block_from(reading, place, Origin.ORDER) for reading in read(words).blocks]


def _coded(order: Entry, value: CodedValue, meaning: CodeMeaning) -> Block:
    evidence = (Evidence(order.reference, f"code.{value.path}", value.code),)
    return Block(
        technique=meaning.technique,
        evidence=evidence,
        origins=frozenset({Origin.ORDER}),
        region=meaning.region,
        side=Fact(Side.BILATERAL, evidence) if meaning.bilateral else None,
        continuous=None if meaning.continuous is None else Fact(meaning.continuous, evidence),
    )


def _completed(block: Block, order: Entry, codes: tuple[str, ...]) -> Block:
    side = block.side or side_of(order)
    return replace(
        block,
        side=side,
        sites=block.sites or sites_of(order, side),
        reported_codes=codes,
        service_date=first_date(order.resource, "occurrenceDateTime", "occurrencePeriod"),
    )
