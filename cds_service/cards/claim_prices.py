"""Units of a Claim line, and the prices that follow from them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from cds_service.cards.resources import Json, mapping
from cds_service.chart.model import Line
from cds_service.review.assessment import ExpectedLine

_LARGEST: Final = 2**53


def set_units(item: Json, line: Line, want: ExpectedLine) -> bool:
    """Rewrite the quantity (and the price that follows from it) where it differs; return whether it did."""
    if line.units == want.units:
        if want.units != 1:
            item.setdefault("quantity", {"value": want.units})  # they were in words behind the code
        return False
    item["quantity"] = {**mapping(item.get("quantity")), "value": want.units}
    price = _price(item, want.units)
    if price is not None:
        item["net"] = {**mapping(item["unitPrice"]), "value": price}
    else:
        item.pop("net", None)  # a net nobody can recompute would be wrong
    return True


def _price(item: Json, units: int) -> float | None:
    """Return unit price x units x factor, or None where the item does not say (or its details make the price)."""
    unit_price = _number(mapping(item.get("unitPrice")).get("value"))
    factor = _number(item.get("factor", 1))
    if unit_price is None or factor is None or "detail" in item:
        return None
    return _plain_number(unit_price * units * factor)


def set_total(resource: Json) -> None:
    """Recompute the total where every line has a price in one currency, else leave it out."""
    if "total" not in resource:
        return
    nets = [mapping(mapping(item).get("net")) for item in resource["item"]]
    values = [_number(net.get("value")) for net in nets]
    known = [value for value in values if value is not None]
    currencies = {net.get("currency") for net in nets}
    if not nets or len(known) < len(nets) or len(currencies) != 1:
        del resource["total"]
        return
    total = _plain_number(sum(known, Decimal()))
    if total is None:
        del resource["total"]
    else:
        resource["total"] = {**mapping(resource["total"]), **nets[0], "value": total}


def _number(value: object) -> Decimal | None:
    return Decimal(str(value)) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None


def _plain_number(value: Decimal) -> float | None:
    """Return a number JSON can hold, None where it is beyond what is exact there: such a price is none."""
    if abs(value) > _LARGEST:
        return None
    return int(value) if value == value.to_integral_value() else float(value)
