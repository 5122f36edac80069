"""Orders: the drafts being signed, and the request behind a block that was done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cds_service.chart import terms
from cds_service.chart.body_sites import other_side, side_of, side_word, sites_of
from cds_service.chart.evidence import Place, Places, block_from
from cds_service.chart.model import Block, Contradiction, Evidence, Fact, Line, OrderFacts, Origin, Side
from cds_service.chart.narrative.reader import mentions_block, read
from cds_service.chart.narrative.reading import Status
from cds_service.chart.vocabulary import CodeMeaning, Vocabulary
from cds_service.fhir.coding import BillingOptions, CodedValue, billing_options, cpt_codes
from cds_service.fhir.reading import concept_text, first_date, member, numbered, quantity, text
from cds_service.fhir.record import Entry
from cds_service.fhir.validate import problem

_WITHDRAWN = frozenset({"entered-in-error", "revoked"})
_SIDE_ALONE = re.compile(r"(?:(?:side|laterality)\W{1,3})?([a-z]{2,9})(?: sides?)?\W*\Z", re.IGNORECASE)
_NAMED = frozenset({Status.PERFORMED})
"""How the words of an order are read that say plainly what is ordered."""
_ORDERED = _NAMED | {Status.PLANNED}
"""An order is a plan, whatever tense it is written in; a block of the past or one not to be done is not ordered."""


def is_block_order(order: Entry, vocabulary: Vocabulary) -> bool:
    """Return whether a ServiceRequest orders a block, by its code or its words."""
    return _asks(order) and (bool(_meanings(order, vocabulary)) or bool(_worded(order, vocabulary)))


def order_facts(order: Entry, vocabulary: Vocabulary) -> OrderFacts | None:
    """Return a draft order as a line, where it carries the code of a block or of imaging beside one.

    An unlisted code counts where the order's words name a block.
    """
    if not _asks(order):
        return None
    for code in _codes(order):
        value = code.value
        if _is_judged(value.code, order, vocabulary):
            amount = quantity(order.resource.get("quantityQuantity"))
            line = Line(
                code=value.code,
                units=amount.value if amount else float(value.units or 1),
                modifiers=(),
                reference=order.reference,
                path=code.concept,
                service_date=None,
            )
            return OrderFacts(order.reference, order.resource, line, valid=problem(order.resource) is None)
    return None


def _is_judged(code: str, order: Entry, vocabulary: Vocabulary) -> bool:
    if code in vocabulary.unlisted_codes:
        return bool(_worded(order, vocabulary))
    return code in vocabulary.block_codes or code in vocabulary.companion_codes


def ordered_blocks(order: Entry, vocabulary: Vocabulary) -> tuple[Block, ...]:
    """Return the blocks a draft order asks for: by its words where they name a technique, else by its code."""
    if not _asks(order):
        return ()
    meanings = _meanings(order, vocabulary)
    blocks = _worded(order, vocabulary) or [_coded(order, *coded) for coded in meanings[:1]]
    return tuple(_completed(block, order, tuple(code.value.code for code, _ in meanings)) for block in blocks)


def side_disputes(order: Entry, vocabulary: Vocabulary) -> Iterator[Contradiction]:
    """Yield what the words of a draft order and its body site or details say differently of the side."""
    if _asks(order):
        stated = side_of(order) or _detailed_side(order)
        for block in _worded(order, vocabulary):
            if (dispute := other_side(block.side, stated)) is not None:
                yield dispute


def request_of(
    order: Entry, vocabulary: Vocabulary, performers: frozenset[str], requester: str | None
) -> Fact[bool] | None:
    """Return the request an order of the record is for a block: somebody else asked whoever did it.

    Where nobody is named who did it, it may have been the one who asked.
    """
    if requester is None or not performers or requester in performers:
        return None
    if not (is_block_order(order, vocabulary) or _billed_as_block(order, vocabulary)):
        return None
    display = text(member(order.resource, "requester", "display"))
    return Fact(True, (Evidence(order.reference, "requester", display or requester),))


def _asks(order: Entry) -> bool:
    """Return whether it is an order to do something: not withdrawn, and not an order against it."""
    resource = order.resource
    withdrawn = text(resource.get("status")) in _WITHDRAWN or resource.get("doNotPerform") is True
    return order.type == "ServiceRequest" and not withdrawn


@dataclass(frozen=True, slots=True)
class _Code:
    """A CPT code of an order, and the path of the concept it stands in."""

    concept: str
    value: CodedValue

    def evidence(self, order: Entry) -> Evidence:
        return Evidence(order.reference, f"{self.concept}.{self.value.path}", self.value.code)


def _codes(order: Entry) -> Iterator[_Code]:
    """Yield the CPT codes of an order: its own, else the one it may be billed as.

    Several billing options are possibilities, and which of them it will be is not stated: none is the order's code.
    """
    own: dict[str, _Code] = {}
    for code in _own_codes(order):
        own.setdefault(code.value.code, code)
    if own:
        yield from own.values()
        return
    options = billing_options(order.resource.get("code"))
    if options and all(values for _, values in options) and len(_possible(options)) == 1:
        concept, values = options[0]
        yield _Code(f"code.{concept}", values[0])


def _own_codes(order: Entry) -> Iterator[_Code]:
    for value in cpt_codes(order.resource.get("code")):
        yield _Code("code", value)
    for place, detail in numbered(order.resource.get("orderDetail")):
        for value in cpt_codes(detail):
            yield _Code(f"orderDetail[{place}]", value)


def _billed_as_block(order: Entry, vocabulary: Vocabulary) -> bool:
    """Return whether an order will be billed as a block, whichever of its billing options it is."""
    options = billing_options(order.resource.get("code")) if _asks(order) else ()
    return (
        bool(options) and all(values for _, values in options) and _possible(options) <= vocabulary.block_codes.keys()
    )


def _possible(options: BillingOptions) -> set[str]:
    return {value.code for _, values in options for value in values}


def _meanings(order: Entry, vocabulary: Vocabulary) -> list[tuple[_Code, CodeMeaning]]:
    known = vocabulary.block_codes
    return [(code, known[code.value.code]) for code in _codes(order) if code.value.code in known]


def _worded(order: Entry, vocabulary: Vocabulary) -> list[Block]:
    """Return the blocks the order's own words name."""
    texts = list(_texts(order))
    if not texts or not any(mentions_block(place.text) for place in texts):
        return []
    place = Places.joined(texts)
    # What has no code of a block may be for one to come: "MRI before facet injections", "consult for a PVB".
    meant = _ORDERED if _meanings(order, vocabulary) else _NAMED
    return [block_from(each, place, Origin.ORDER) for each in read(place.text).blocks if each.status in meant]


def _texts(order: Entry) -> Iterator[Place]:
    """Yield the words of an order: what is ordered, then its details."""
    words = text(member(order.resource, "code", "text"))
    if words is not None:
        yield Place(order.reference, "code.text", words)
    else:
        yield from _displayed(order)
    for number, detail in numbered(order.resource.get("orderDetail")):
        words = text(detail.get("text"))
        if words is not None:
            yield Place(order.reference, f"orderDetail[{number}].text", words)


def _displayed(order: Entry) -> Iterator[Place]:
    """Yield the first words that a coding of the order shows."""
    for number, coding in numbered(member(order.resource, "code", "coding")):
        words = text(coding.get("display"))
        if words is not None:
            yield Place(order.reference, f"code.coding[{number}].display", words)
            return


def _coded(order: Entry, code: _Code, meaning: CodeMeaning) -> Block:
    evidence = (code.evidence(order),)
    return Block(
        technique=meaning.technique,
        evidence=evidence,
        origins=frozenset({Origin.ORDER}),
        region=meaning.region,
        side=Fact(Side.BILATERAL, evidence) if meaning.bilateral else None,
        continuous=None if meaning.continuous is None else Fact(meaning.continuous, evidence),
    )


def _detailed_side(order: Entry) -> Fact[Side] | None:
    """Return the one side that the details of an order state as such: coded, or in a word of its own."""
    found: list[Fact[Side]] = []
    for place, detail in numbered(order.resource.get("orderDetail")):
        words = concept_text(detail) or ""
        word = _SIDE_ALONE.match(words)
        side = terms.side(detail) or (side_word(word[1]) if word else None)
        if side is not None:
            found.append(Fact(side, (Evidence(order.reference, f"orderDetail[{place}]", words or None),)))
    return found[0] if len({fact.value for fact in found}) == 1 else None


def _completed(block: Block, order: Entry, codes: tuple[str, ...]) -> Block:
    side = block.side or side_of(order) or _detailed_side(order)
    return replace(
        block,
        side=side,
        sites=block.sites or sites_of(order, side),
        reported_codes=codes,
        service_date=first_date(order.resource, "occurrenceDateTime", "occurrencePeriod"),
    )
