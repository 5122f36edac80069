"""The record of one patient as a hook request or a Bundle brought it.

Resources stay the plain dictionaries they arrived as: real clients send resources that strict models
refuse (no `intent`, `coding: [{}]`, ids over 64 characters), and most of them are never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from cds_service.fhir.reading import items
from cds_service.fhir.references import contained_id, index_keys, reference_id

Resource = Mapping[str, Any]
"""One FHIR R4 resource in its JSON form. Read it tolerantly: any member may be missing or of a wrong type."""


class PrefetchKey(StrEnum):
    """The prefetch keys of the service contract, in the order of discovery."""

    PATIENT = "patient"
    ENCOUNTER = "encounter"
    COVERAGE = "coverage"
    PROCEDURES = "procedures"
    CLAIMS = "claims"
    DOCUMENTS = "documents"
    MEDICATIONS = "medications"
    OBSERVATIONS = "observations"
    CONDITIONS = "conditions"
    ORDERS = "orders"


class KeyState(StrEnum):
    """What is known of one kind of data. The four are never mixed up: unknown is not none."""

    ABSENT = "absent"
    """The client did not send it, and it was not fetched."""
    NONE = "none"
    """The client looked and there is none (`null` or an empty searchset)."""
    FAILED = "failed"
    """The client, or our own read, tried and failed (OperationOutcome); not tried again."""
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource with the identity it can be referred to by.

    `reference` is what evidence and findings name: `Type/id` where there is an id, else the `fullUrl`,
    else `Type` alone. Contained resources are listed too, as `Type/id#contained-id`.
    """

    resource: Resource
    reference: str
    full_url: str | None = None

    @property
    def type(self) -> str:
        """The FHIR resource type, or "" where the resource does not say."""
        value = self.resource.get("resourceType")
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Unread:
    """Something in the record that could not be read, said aloud later as `notChecked`."""

    subject: str
    """What it is about: a prefetch key ("documents") or a reference ("Claim/7")."""
    reason: str
    """Why, in words a person can act on; no patient data."""


@dataclass(frozen=True, slots=True)
class Partial:
    """A Bundle that lacks something, and why: no patient data in the reason."""

    resource: Resource
    reason: str


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """An attachment that came without its content: the reference of its document, its address and stated type."""

    document: str
    address: str
    content_type: str | None = None


@dataclass(frozen=True)
class Record:
    """Everything one request told about one patient.

    `encounter_id` is the encounter the request is about (None when it names none).
    `draft_orders` are the entries of `context.draftOrders`; they are not among `entries`.
    `states` has every `PrefetchKey`. `unfetched` tells for addresses of attachments why they could not be read.
    """

    entries: tuple[Entry, ...]
    states: Mapping[PrefetchKey, KeyState]
    patient_id: str | None = None
    encounter_id: str | None = None
    draft_orders: tuple[Entry, ...] = ()
    unread: tuple[Unread, ...] = ()
    unfetched: Mapping[str, str] = field(default_factory=dict)
    _index: Mapping[str, Entry] = field(default_factory=dict, repr=False, compare=False)
    _inside: dict[int, tuple[Resource, Mapping[str, Resource]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """By the identity of a resource: itself, so that it lives as long, and what it contains by local id."""

    def of_type(self, resource_type: str) -> tuple[Entry, ...]:
        """Return the entries of one FHIR type, in the order they came."""
        return tuple(entry for entry in self.entries if entry.type == resource_type)

    def resolve(self, reference: object, base: Entry | None = None) -> Entry | None:
        """Return the entry a FHIR `Reference` (or its string) points to, or None.

        Understands relative (`Claim/1`), versioned (`Claim/1/_history/2`), absolute (`https://.../Claim/1`),
        `urn:uuid:` and, with `base` (the entry that holds the reference), contained (`#c1`) references.
        """
        local = contained_id(reference)
        if local is not None:
            return None if base is None else self._contained(local, base)
        found = (self._index.get(key) for key in index_keys(reference))
        return next((entry for entry in found if entry is not None), None)

    def identity(self, reference: object, base: Entry | None = None) -> str | None:
        """Return what a reference names: the `reference` of its entry, else its own normal form, else None."""
        entry = self.resolve(reference, base)
        return reference_id(reference) if entry is None else entry.reference

    def _contained(self, local: str, base: Entry) -> Entry | None:
        """Look in the resource itself, so that it also works for resources without an id and for draft orders."""
        outer, inside, _ = base.reference.partition("#")
        holder = self._index.get(outer) if inside else base
        if holder is None or not local:
            return holder
        resource = self._contained_in(holder.resource).get(local)
        return None if resource is None else Entry(resource, f"{holder.reference}#{local}")

    def _contained_in(self, holder: Resource) -> Mapping[str, Resource]:
        """Return what a resource contains by local id, listed once for all references to it."""
        if id(holder) not in self._inside:
            found: dict[str, Resource] = {}
            for resource in items(holder.get("contained")):
                name = resource.get("id")
                if isinstance(name, str):
                    found.setdefault(name, resource)
                    found.setdefault(name.removeprefix("#"), resource)
            self._inside[id(holder)] = holder, found
        return self._inside[id(holder)][1]


class RecordSource(Protocol):
    """Where data that the client did not send can be read."""

    def read(
        self, keys: Sequence[PrefetchKey], pages: Mapping[PrefetchKey, Resource] | None = None
    ) -> Mapping[PrefetchKey, Resource | Partial | Unread]:
        """Return what each key would have held: a resource, a Bundle, or an `Unread` where reading failed.

        `pages` are Bundles the client sent that have a next page; they come back completed as far as that was
        possible. A key that cannot be asked for (its query needs an encounter, and none is known) is left out of the
        answer. Never raises.
        """
        ...

    def files(self, wanted: Sequence[AttachedFile]) -> Mapping[str, Resource | Unread]:
        """Return the content of attachments by address: a Binary resource with an id, or an `Unread`. Never raises."""
        ...
