"""Hook requests to records: every prefetch key in its state, missing ones fetched where that is possible."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from cds_service.fhir.bundle import FIRST_PAGE, RESOURCE_TYPES, Collector, entry_of, failure_reason, next_page
from cds_service.fhir.documents import unsent
from cds_service.fhir.reading import member, text
from cds_service.fhir.record import Entry, KeyState, Partial, PrefetchKey, Record, RecordSource, Resource, Unread
from cds_service.fhir.references import plain_id

# A client's own key is repeated only where it looks like a name: anything may stand there.
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")

_KEYS: Final[Mapping[str, PrefetchKey]] = {key.value: key for key in PrefetchKey}
_KNOWN_TYPES: Final = frozenset(RESOURCE_TYPES.values())
# Some clients put what was done (Procedure, Claim) among the draft orders: it is read as part of the record.
_RECORDED_TYPES: Final = _KNOWN_TYPES - {RESOURCE_TYPES[PrefetchKey.ORDERS]}


def from_prefetch(
    context: Mapping[str, Any],
    prefetch: Mapping[str, Any] | None,
    source: RecordSource | None = None,
    keys: Collection[PrefetchKey] = tuple(PrefetchKey),
) -> Record:
    """Return the record of one hook request.

    `context` is the hook's context (`patientId`, `encounterId`, `draftOrders` are read), `prefetch` the request's
    prefetch, `source` where keys the client left out are read from, None where no FHIR server may be used; of
    these only `keys` are read. Keys under names of the client's own are taken as well: clients configure them by hand,
    and a Procedure is a Procedure whatever it was sent as. Nothing is raised for anything that JSON can hold.
    """
    prefetch = prefetch if isinstance(prefetch, Mapping) else {}
    collector = Collector()
    states = dict.fromkeys(PrefetchKey, KeyState.ABSENT)
    paged = {} if source is None else {key: page for key, page in _paged(prefetch).items() if key in keys}
    for name, value in prefetch.items():
        key = _KEYS.get(name)
        if key in paged:
            continue
        state = _take(collector, name if _NAME.fullmatch(name) else "prefetch", value, key)
        if key is not None:
            states[key] = state
    drafts = _draft_orders(collector, member(context, "draftOrders"))
    for draft in drafts:
        if draft.type in _RECORDED_TYPES:
            collector.add(draft.resource, draft.full_url)
    if source is not None:
        _fetch(collector, states, source, keys, paged)
    for key, kind in RESOURCE_TYPES.items():
        if kind in collector.types:
            states[key] = KeyState.PRESENT
    members: dict[str, Any] = {
        "patient_id": plain_id(member(context, "patientId"), "Patient"),
        "encounter_id": plain_id(member(context, "encounterId"), "Encounter"),
        "draft_orders": drafts,
    }
    record = collector.freeze(states, **members)
    return (
        record
        if source is None or PrefetchKey.DOCUMENTS not in keys
        else _with_files(collector, record, source, members)
    )


def _paged(prefetch: Mapping[str, Any]) -> dict[PrefetchKey, Resource]:
    """Return the Bundles that are a first page: a client may leave it to the service to read the others."""
    named = ((key, prefetch.get(key.value)) for key in PrefetchKey)
    return {
        key: value
        for key, value in named
        if isinstance(value, Mapping) and value.get("resourceType") == "Bundle" and next_page(value) is not None
    }


def _fetch(
    collector: Collector,
    states: dict[PrefetchKey, KeyState],
    source: RecordSource,
    keys: Collection[PrefetchKey],
    paged: Mapping[PrefetchKey, Resource],
) -> None:
    """Read the keys the client left out. What it looked for itself (none, or failed) is not asked for again."""
    missing = tuple(
        key
        for key in PrefetchKey
        if key in keys
        and states[key] is KeyState.ABSENT
        and key not in paged
        and RESOURCE_TYPES[key] not in collector.types
    )
    if not missing and not paged:
        return
    for key, value in source.read(missing, paged).items():
        if isinstance(value, Unread):
            collector.report(value.subject, value.reason)
            states[key] = KeyState.FAILED
        elif isinstance(value, Partial):
            collector.report(key.value, value.reason)
            state = _take(collector, key.value, value.resource, key)
            states[key] = KeyState.FAILED if state is KeyState.NONE else state
        else:
            states[key] = _take(collector, key.value, value, key)


def _with_files(collector: Collector, record: Record, source: RecordSource, members: Mapping[str, Any]) -> Record:
    """Return the record with the content of its attachments, as far as it can be had; else with the reason."""
    wanted = {file.address: file for entry in record.entries for file in unsent(entry, record)}
    if not wanted:
        return record
    unfetched: dict[str, str] = {}
    for address, found in source.files(tuple(wanted.values())).items():
        if isinstance(found, Unread):
            unfetched[address] = found.reason
        else:
            collector.add(found)
    return collector.freeze(record.states, unfetched=unfetched, **members)


def _take(collector: Collector, subject: str, value: object, key: PrefetchKey | None) -> KeyState:
    """Add what one key holds, and return its state."""
    if value is None:
        return KeyState.NONE
    kind = text(value.get("resourceType")) if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or kind is None:
        collector.report(subject, "not a FHIR resource")
        return KeyState.FAILED
    if kind == "OperationOutcome":
        collector.report(subject, failure_reason(value))
        return KeyState.FAILED
    if kind == "Bundle":
        return _take_bundle(collector, subject, value, key)
    collector.add(value)
    return _state_by_type({kind}, key)


def _take_bundle(collector: Collector, subject: str, bundle: Mapping[str, Any], key: PrefetchKey | None) -> KeyState:
    tally = collector.add_bundle(subject, bundle)
    if tally.more_pages and (key is not None or not _KNOWN_TYPES.isdisjoint(tally.types)):
        collector.report(subject, FIRST_PAGE)
    if tally.types:
        return _state_by_type(tally.types, key)
    if tally.whole and not bundle.get("entry"):
        return KeyState.NONE
    if tally.whole:
        collector.report(subject, "no entry of it holds a resource")
    return KeyState.FAILED


def _state_by_type(types: set[str], key: PrefetchKey | None) -> KeyState:
    """Return PRESENT where the key's own type is there.

    Else it is a client's own name that happens to be one of ours (`medications` with Medication resources): the data
    we mean was not looked for, so it stays ABSENT and may be fetched.
    """
    return KeyState.PRESENT if key is not None and RESOURCE_TYPES[key] in types else KeyState.ABSENT


def _draft_orders(collector: Collector, value: object) -> tuple[Entry, ...]:
    """Return the resources of `context.draftOrders`, all of them: drafts may share a provisional id."""
    if value is None:
        return ()
    listed = value.get("entry", []) if isinstance(value, Mapping) else None
    if not isinstance(listed, list):
        collector.report("draftOrders", "not a FHIR Bundle")
        return ()
    return tuple(
        entry_of(item["resource"], text(item.get("fullUrl")))
        for item in listed
        if isinstance(item, Mapping) and isinstance(item.get("resource"), Mapping)
    )
