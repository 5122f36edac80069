"""From the entries of the files to the types of the model. Shapes have been checked; meanings are checked after."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cds_service.knowledge.files import Entry
from cds_service.knowledge.model import (
    Code,
    Continuation,
    DiagnosisGroup,
    Family,
    Joint,
    Position,
    Reference,
    Scheme,
    Source,
    Term,
)
from cds_service.knowledge.tables import Tables

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dated:
    """A value of a parameter and the days it holds for."""

    value: str
    valid_from: date
    valid_to: date | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoverageWords:
    """The words that choose a profile, in what is left without `ignore`.

    One of the phrases of `any` is there, or one of the whole `names`, and none of the phrases of `none`.
    """

    any: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimForm:
    """The Claims a profile is for instead of the one it extends: of one of `kinds`, any place named one of `places`."""

    kinds: tuple[str, ...]
    places: tuple[str, ...]

    def fits(self, kind: str | None, places: Collection[str]) -> bool:
        """Return whether a Claim of this kind and these places is such a one; what is not stated does not fit."""
        return kind in self.kinds and bool(places) and all(place in self.places for place in places)


@dataclass(frozen=True, slots=True)
class ProfileRules:
    """A profile as written: its own values by date, without those of the profile it extends."""

    id: str
    title: str
    extends: str | None
    coverage: CoverageWords
    claim: ClaimForm | None
    parameters: Mapping[str, tuple[Dated, ...]]


@dataclass(frozen=True, slots=True)
class RequirementGroup:
    """Elements asked for together; `profile` None for every payer, no dates for every day."""

    elements: tuple[str, ...]
    level: str
    when: str
    profile: str | None
    valid_from: date
    valid_to: date | None
    sources: tuple[str, ...]

    def in_force(self, day: date) -> bool:
        """Return whether the elements are asked for on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class AnesthesiaRange:
    """Codes from `first` to `last`, both included, that are anesthesia for an operation."""

    first: str
    last: str
    excepted: frozenset[str]
    valid_from: date
    valid_to: date | None
    sources: tuple[str, ...]

    def holds(self, code: str, day: date) -> bool:
        """Return whether `code` is anesthesia for an operation on `day`."""
        in_force = self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)
        # A CPT anesthesia code is five digits; comparing text alone would let "0213T" into 00100-01999.
        in_range = len(code) == len(self.first) and code.isdigit() and self.first <= code <= self.last
        return in_force and in_range and code not in self.excepted


def build_source(id_: str, raw: Raw) -> Source:
    """Return a source from its entry."""
    return Source(id_, raw["title"], raw["publisher"], raw["published"], raw.get("url"))


def build_term(code: str, raw: Raw) -> Term:
    """Return a place of service or a taxonomy from its entry."""
    return Term(code, raw["title"], raw["kind"], tuple(raw["sources"]))


def build_code(code: str, raw: Raw, tables: Tables) -> Code:
    """Return a code from its entry, with its primaries and bilateral indicator from the CMS tables."""
    return Code(
        code=code,
        title=raw["title"],
        role=raw["role"],
        family=raw.get("family"),
        valid_from=date.fromisoformat(raw["from"]),
        valid_to=_end(raw),
        sources=tuple(raw["sources"]),
        plain=raw["plain"],
        counts=raw["counts"],
        primaries=tables.primaries.get(code, frozenset()),
        bilateral=tables.bilateral.get(code),
        inherently_bilateral=raw.get("inherently_bilateral", False),
        continuous=raw.get("continuous"),
        once_per_day=raw.get("once_per_day", False),
        imaging_included=raw.get("imaging_included", False),
        guidance=raw.get("guidance"),
        image_required=raw.get("image_required", False),
        reference=_reference(raw),
    )


def _reference(raw: Raw) -> Reference:
    return Reference(
        used_when=raw.get("used_when", ""),
        context=raw.get("context", ""),
        sides=raw.get("sides", ""),
        imaging=raw.get("imaging", ""),
        documentation=raw.get("documentation", ""),
        examples=tuple(raw.get("examples", ())),
        related=tuple(raw.get("related", ())),
        places_of_service=tuple(raw.get("places_of_service", ())),
        taxonomies=tuple(raw.get("taxonomies", ())),
    )


def build_family(id_: str, raw: Raw) -> Family:
    """Return a family with all its schemes; the day in force is chosen later."""
    return Family(
        id=id_,
        title=raw["title"],
        technique=raw["technique"],
        regions=tuple(raw["regions"]),
        injection=None,
        infusion=None,
        imaging_included=False,
        imaging_codes=tuple(raw["imaging_codes"]),
        sources=tuple(raw["sources"]),
        levels=tuple(raw.get("levels", ())),
        planes=tuple(raw.get("planes", ())),
        targets=tuple(raw.get("targets", ())),
        counts=raw.get("counts", "site"),
        continues=Continuation(**raw["continues"]) if "continues" in raw else None,
        diagnostic_modifier=raw.get("diagnostic_modifier"),
        injections=_schemes(raw.get("injection", ())),
        infusions=_schemes(raw.get("infusion", ())),
    )


def _schemes(raws: Sequence[Raw]) -> tuple[Scheme, ...]:
    schemes = (
        Scheme(
            counting=raw["counting"],
            primary=raw["primary"],
            valid_from=date.fromisoformat(raw["from"]),
            valid_to=_end(raw),
            sources=tuple(raw["sources"]),
            add_on=raw.get("add_on"),
            further=raw.get("further"),
            both_sides=raw.get("both_sides"),
            many=raw.get("many"),
            few=raw.get("few"),
            guidance=tuple(raw.get("guidance", ())),
            methods=tuple(raw.get("methods", ())),
        )
        for raw in raws
    )
    return tuple(sorted(schemes, key=lambda scheme: (not scheme.conditional, scheme.valid_from)))


def build_joint(id_: str, raw: Raw) -> Joint:
    """Return a facet joint from its entry."""
    return Joint(id_, tuple(frozenset(nerves) for nerves in raw["nerves"]), tuple(raw["sources"]))


def build_requirements(raws: Sequence[Raw]) -> tuple[RequirementGroup, ...]:
    """Return the groups of one family's documentation, in the order written."""
    return tuple(
        RequirementGroup(
            elements=tuple(raw["elements"]),
            level=raw["level"],
            when=raw["when"],
            profile=raw.get("profile"),
            valid_from=date.fromisoformat(raw["from"]) if "from" in raw else date.min,
            valid_to=_end(raw),
            sources=tuple(raw["sources"]),
        )
        for raw in raws
    )


def build_diagnoses(id_: str, raw: Raw) -> tuple[DiagnosisGroup, ...]:
    """Return a group of diagnoses once for each of its lists, oldest first."""
    groups = (
        DiagnosisGroup(
            id=id_,
            title=raw["title"],
            kind=raw["kind"],
            profile=raw.get("profile"),
            families=tuple(raw["families"]),
            codes=tuple(listed["codes"]),
            valid_from=date.fromisoformat(listed["from"]),
            valid_to=_end(listed),
            sources=tuple(listed["sources"]),
            note=raw.get("note", ""),
        )
        for listed in raw["lists"]
    )
    return tuple(sorted(groups, key=lambda group: group.valid_from))


def build_profile(id_: str, raw: Raw) -> ProfileRules:
    """Return a profile as written, the values of each parameter oldest first."""
    coverage = CoverageWords(**{name: tuple(phrases) for name, phrases in raw.get("coverage", {}).items()})
    claim = ClaimForm(tuple(raw["claim"]["kinds"]), tuple(raw["claim"]["places"])) if "claim" in raw else None
    parameters = {name: _dated(values) for name, values in raw["parameters"].items()}
    return ProfileRules(id_, raw["title"], raw.get("extends"), coverage, claim, parameters)


def build_position(id_: str, raw: Raw) -> Position:
    """Return what a payer has published from its entry."""
    return Position(
        id=id_,
        profile=raw["profile"],
        codes=tuple(raw.get("codes", ())),
        families=tuple(raw.get("families", ())),
        statement=raw["statement"],
        valid_from=date.fromisoformat(raw["from"]),
        valid_to=_end(raw),
        sources=tuple(raw["sources"]),
    )


def _dated(raws: Sequence[Raw]) -> tuple[Dated, ...]:
    values = (Dated(raw["value"], date.fromisoformat(raw["from"]), _end(raw), tuple(raw["sources"])) for raw in raws)
    return tuple(sorted(values, key=lambda value: value.valid_from))


def build_range(entry: Entry) -> AnesthesiaRange:
    """Return a range of anesthesia codes from its entry."""
    raw = entry.value
    excepted = frozenset(raw.get("except", ()))
    start = date.fromisoformat(raw["from"])
    return AnesthesiaRange(raw["first"], raw["last"], excepted, start, _end(raw), tuple(raw["sources"]))


def _end(raw: Raw) -> date | None:
    return date.fromisoformat(raw["to"]) if "to" in raw else None
