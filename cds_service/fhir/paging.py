"""The pages of a search, put together again (https://hl7.org/fhir/R4/http.html#paging)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cds_service.fhir.bundle import next_page
from cds_service.fhir.exchange import Limits, NotFetched
from cds_service.fhir.record import Partial, Resource
from cds_service.fhir.servers import within


def completed(first: Resource, get: Callable[[str], Resource], base: str, limits: Limits) -> Resource | Partial:
    """Return a Bundle with the entries of all its pages, as far as they can be had; what is no Bundle as it is.

    `get` reads a page, or raises `NotFetched`; it is asked only for addresses below `base`, each once.
    """
    if first.get("resourceType") != "Bundle":
        return first
    entries = _entries(first)
    reason: str | None = None
    page = first
    read: set[str] = set()
    try:
        while len(entries) <= limits.resources and (address := _next(page, base, read, limits.pages)) is not None:
            read.add(address)
            page = get(address)
            entries += _entries(page)
    except NotFetched as failure:
        reason = f"not all pages were read: {failure}"
    if len(entries) > limits.resources:
        reason = f"there are more than the {limits.resources} resources that are read"
    if reason is None and not read:
        return first
    whole = {name: value for name, value in first.items() if name not in ("entry", "link", "total")}
    whole["entry"] = entries[: limits.resources]
    return whole if reason is None else Partial(whole, reason)


def _next(page: Resource, base: str, read: set[str], most: int) -> str | None:
    """Return the address of the page after this one. Raises `NotFetched` where it is not to be read."""
    written = next_page(page)
    if written is None:
        return None
    address = within(base, written)
    if address is None:
        raise NotFetched("the next one is at an address that is not followed")
    if address in read:
        raise NotFetched("they lead in a circle")
    if len(read) + 1 >= most:
        raise NotFetched(f"there are more than {most}")
    return address


def _entries(bundle: Resource) -> list[Any]:
    found = bundle.get("entry")
    return list(found) if isinstance(found, list) else [] if found is None else [found]
