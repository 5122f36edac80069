"""Draft orders corrected: one change, one suggestion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cds_service.cards.claim_modifiers import CPT
from cds_service.cards.difference import Difference, likeness, replaceable, states_quantity
from cds_service.cards.resources import Json, bare_copy, begins_with, codings, mapping, objects
from cds_service.cards.summary import line_text
from cds_service.chart.model import Line, OrderFacts
from cds_service.review.assessment import ExpectedLine

_SHARED = (
    "instantiatesCanonical",
    "subject",
    "encounter",
    "requester",
    "performer",
    "performerType",
    "occurrenceDateTime",
    "occurrencePeriod",
    "authoredOn",
    "category",
    "priority",
    "reasonCode",
    "reasonReference",
    "insurance",
    "locationCode",
    "locationReference",
)
"""What an order for a further line shares with the order beside it."""


@dataclass(frozen=True)
class Change:
    """One suggested change: the words for it and its single CDS Hooks action."""

    label: str
    action: Json


def changes(orders: Sequence[OrderFacts], change: Difference) -> list[Change]:
    """Return a suggestion's content for each change of `orders` that a client can make.

    Left to the text of the card: an order without an id cannot be named by an update or a delete; one that is not
    valid, or has no code of its own but one it may be billed as, cannot be corrected, nor another code put beside it.
    """
    by_reference = {order.reference: order for order in orders}
    replaced = _replacements(change)
    gone = {id(line) for line, _ in replaced}
    come = {id(want) for _, want in replaced}
    rewritten = [(by_reference[line.reference], want) for line, want in (*change.wrong, *replaced)]
    found = [_update(order, want) for order, want in rewritten]
    found += [_create(want, orders) for want in change.lacking if id(want) not in come]
    found += [_delete(by_reference[line.reference]) for line in change.surplus if id(line) not in gone]
    return [one for one in found if one is not None]


def _replacements(change: Difference) -> list[tuple[Line, ExpectedLine]]:
    """Pair orders the record does not support with what it does support: a code of the same section each."""
    free = list(change.surplus)
    pairs = []
    for want in change.lacking:
        line = max(free, key=lambda line: likeness(line.code, want.code), default=None)
        if line is not None and replaceable(line.code, want.code):
            free.remove(line)
            pairs.append((line, want))
    return pairs


def _of_code(order: OrderFacts) -> bool:
    """Return whether the code is what was ordered, and not only what the order may be billed as (an extension)."""
    return order.resource.get("resourceType") == "ServiceRequest" and ".extension[" not in order.line.path


def _identified(order: OrderFacts) -> bool:
    return _of_code(order) and bool(order.resource.get("id"))


def _update(order: OrderFacts, want: ExpectedLine) -> Change | None:
    resource: Json = bare_copy(order.resource)
    old = order.line.code
    if not (order.valid and _identified(order)) or (old != want.code and not _recode(resource, old, want.code)):
        return None
    if states_quantity(order) or want.units != 1:
        resource["quantityQuantity"] = {**mapping(resource.get("quantityQuantity")), "value": want.units}
    text = line_text(want, modifiers=False)
    label = f"Order {want.code} instead of {old}" if old != want.code else f"Order {text}"
    before = line_text(order.line, modifiers=False)
    description = f"Change the draft order {before} to {text}. The rest of the order stays as it is."
    return Change(label, {"type": "update", "description": description, "resource": resource})


def _recode(resource: Json, old: str, new: str) -> bool:
    """Put `new` wherever the order's code says `old`; return whether it was found."""
    concepts = [resource.get("code"), *objects(resource.get("orderDetail"))]
    found = [_recode_concept(concept, old, new) for concept in concepts if isinstance(concept, dict)]
    return any(found)


def _recode_concept(concept: Json, old: str, new: str) -> bool:
    named = [coding for coding in codings(concept) if begins_with(coding.get("code"), old)]
    for coding in named:
        coding["code"] = coding["code"].replace(old, new, 1)  # modifiers behind it stay
        coding.pop("display", None)  # it describes the old code
    in_text = begins_with(concept.get("text"), old)
    if in_text:
        concept["text"] = new  # a title behind the old code would describe that one
    return in_text or bool(named)


def _create(want: ExpectedLine, orders: Sequence[OrderFacts]) -> Change | None:
    like = max(
        (order for order in orders if order.valid and _of_code(order)),
        key=lambda order: likeness(order.line.code, want.code),
        default=None,
    )
    if like is None or not isinstance(like.resource.get("subject"), Mapping):
        return None  # an order must say whom it is for
    shared = {name: bare_copy(like.resource[name]) for name in _SHARED if name in like.resource}
    resource: Json = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": like.resource.get("intent") or "order",
        "code": {"coding": [{"system": _system(like), "code": want.code}]},
        **shared,
    }
    if states_quantity(like) or want.units != 1:
        resource["quantityQuantity"] = {"value": want.units}
    text = line_text(want, modifiers=False)
    description = f"Add a draft order for {text}, for the same patient and requester as the order for {like.line.code}."
    return Change(
        f"Add an order for {text}", {"type": "create", "description": description, "resource": bare_copy(resource)}
    )


def _system(order: OrderFacts) -> str:
    """Return the system the order names for its procedure code, else CPT."""
    for coding in codings(order.resource.get("code")):
        if begins_with(coding.get("code"), order.line.code) and isinstance(coding.get("system"), str):
            return str(coding["system"])
    return CPT


def _delete(order: OrderFacts) -> Change | None:
    if not _identified(order):
        return None
    text = line_text(order.line, modifiers=False)
    action = {
        "type": "delete",
        "description": f"Remove the draft order for {text}.",
        "resourceId": f"ServiceRequest/{order.resource['id']}",
    }
    return Change(f"Remove the order for {text}", action)
