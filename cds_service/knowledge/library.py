"""The coding knowledge and what it says on a day, for a payer.

`load()` reads the files once; `Knowledge.on(day, profile)` gives the `View` the review asks.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from cds_service.knowledge.build import (
    AnesthesiaRange,
    CoverageWords,
    Dated,
    ProfileRules,
    RequirementGroup,
    build_code,
    build_diagnoses,
    build_family,
    build_joint,
    build_position,
    build_profile,
    build_range,
    build_requirements,
    build_source,
    build_term,
)
from cds_service.knowledge.checks import check
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.files import Files, read_files
from cds_service.knowledge.model import (
    Code,
    DiagnosisGroup,
    Family,
    Joint,
    Mue,
    Position,
    Profile,
    Ptp,
    Requirement,
    Scheme,
    Source,
    Term,
)
from cds_service.knowledge.tables import KINDS, MueTable, PtpTable, Table, Tables, build_tables

__all__ = ["DEFAULT_PROFILE", "Knowledge", "KnowledgeError", "View", "load"]

DEFAULT_PROFILE = "default"
AnyTable = TypeVar("AnyTable", bound=Table[Any])
Kind = Literal["ptp", "mue", "addon", "mpfs"]


@dataclass(frozen=True, eq=False)
class Knowledge:
    """Everything that was loaded, for any day and payer.

    `version` names the newest CMS edition and a digest of all files ("2026Q3-1a2b3c4d5e"). `families` and
    `profiles` show the newest values; ask a `View` for those of a day. `rules`, `groups`, `ranges`, `diagnoses` and
    `tables` are what views are made from.
    """

    version: str
    sources: Mapping[str, Source]
    terms: Mapping[str, Term]
    codes: Mapping[str, Code]
    families: Mapping[str, Family]
    joints: Mapping[str, Joint]
    profiles: Mapping[str, Profile]
    positions: Mapping[str, Position]
    rules: Mapping[str, ProfileRules]
    groups: Mapping[str, tuple[RequirementGroup, ...]]
    ranges: tuple[AnesthesiaRange, ...]
    diagnoses: Mapping[str, tuple[DiagnosisGroup, ...]]
    tables: Tables

    def on(self, day: date, profile: str = DEFAULT_PROFILE) -> View:
        """Return what holds on `day` for the payer of `profile`, an id of `profiles`.

        Raises `KnowledgeError` for an unknown profile.
        """
        return _view(self, day, profile)

    def profile_for(self, words: Iterable[str]) -> str:
        """Return the id of the profile for a Coverage, "default" where none is recognized.

        `words` are the codes and displays of *one* Coverage, in any case; of several coverages, give the one that
        pays first. Where two profiles other than the default match, neither is taken.
        """
        names = [_normal(word) for word in words]
        matches = [rules.id for rules in self.rules.values() if _matches(names, rules.coverage)]
        return matches[0] if len(matches) == 1 else DEFAULT_PROFILE

    def profile_of_claim(self, profile: str, kind: str | None, places: Collection[str]) -> str:
        """Return the profile that stands in for `profile` on a Claim of this kind at these places, else `profile`.

        `kind` is the claim type ("institutional"), `places` the CMS place of service codes of its lines.
        """
        forms = (
            rules.id
            for rules in self.rules.values()
            if rules.extends == profile and rules.claim and rules.claim.fits(kind, places)
        )
        return next(forms, profile)

    def positions_on(self, code: Code) -> Mapping[str, tuple[Position, ...]]:
        """Return what each payer has published about `code`, by profile; empty where nothing was found.

        Payers are the profiles a Coverage can choose.
        """
        payers = (rules.id for rules in self.rules.values() if rules.coverage.any)
        return {
            payer: tuple(one for one in self.positions.values() if one.profile == payer and one.about(code))
            for payer in payers
        }

    def schemes(self, family_id: str) -> tuple[Scheme, ...]:
        """Return every scheme of a family, of whatever day; none for an unknown family."""
        family = self.families.get(family_id)
        return (*family.injections, *family.infusions) if family else ()

    def lineage(self, profile: str) -> tuple[ProfileRules, ...]:
        """Return the rules of `profile` and of those it extends, nearest first."""
        chain: list[ProfileRules] = []
        name: str | None = profile
        while name is not None:
            chain.append(self.rules[name])
            name = chain[-1].extends
        return tuple(chain)


@dataclass(frozen=True, eq=False)
class View:
    """What the knowledge says on `day` for the payer of `profile` (its id)."""

    knowledge: Knowledge
    day: date
    profile: str

    def code(self, code: str) -> Code | None:
        """Return what is known of `code`, whether or not it is valid that day; None for a code not in the files.

        Its primaries and its bilateral indicator are those of the edition for the day (see `edition_gap`).
        """
        if code not in self._codes:
            self._codes[code] = self._of_the_day(self.knowledge.codes.get(code))
        return self._codes[code]

    def valid(self, code: str) -> bool | None:
        """Return whether `code` may be reported for a service that day; None for a code not in the files."""
        known = self.code(code)
        return None if known is None else known.valid_on(self.day)

    def family(self, family_id: str) -> Family | None:
        """Return a family with the schemes in force that day."""
        return self._families.get(family_id)

    def families_for(
        self, technique: str, region: str | None = None, plane: str | None = None, target: str | None = None
    ) -> tuple[Family, ...]:
        """Return the families a technique in a region ("thoracic") may be of.

        A region, plane or target of None (not stated) rules nothing out, and whoever asks must treat it as an open
        question; one that no family lists has none. A family that names the plane or target goes before those of any,
        and so does one that names the region.
        """
        families = [
            family
            for family in self._families.values()
            if family.technique == technique
            and (region is None or not family.regions or region in family.regions)
            and (plane is None or not family.planes or plane in family.planes)
            and (target is None or not family.targets or target in family.targets)
        ]
        named = [family for family in families if plane in family.planes or target in family.targets]
        of_region = [family for family in families if region in family.regions]
        return tuple(named or of_region or families)

    def family_for(
        self, technique: str, region: str | None = None, plane: str | None = None, target: str | None = None
    ) -> Family | None:
        """Return the one family of a technique (see `families_for`); None where there is none, or no single one."""
        families = self.families_for(technique, region, plane, target)
        return families[0] if len(families) == 1 else None

    def scheme(
        self, family: Family | str, continuous: bool, guidance: Collection[str] = (), method: str | None = None
    ) -> Scheme | None:
        """Return how lines of `family` are counted that day, for an infusion or an injection; None where no code is.

        `guidance` and `method` are what was used, as far as it is stated; schemes with conditions come first.
        """
        return next((scheme for scheme in self.schemes(family, continuous) if scheme.fits(guidance, method)), None)

    def schemes(self, family: Family | str, continuous: bool) -> tuple[Scheme, ...]:
        """Return every scheme of `family` in force that day, for infusions or injections; conditional ones first."""
        found = self.family(family if isinstance(family, str) else family.id)
        if found is None:
            return ()
        schemes = found.infusions if continuous else found.injections
        return tuple(scheme for scheme in schemes if scheme.in_force(self.day))

    def counts_joints(self, technique: str) -> bool:
        """Return whether units of a technique count facet joints."""
        return any(family.technique == technique and family.counts == "joint" for family in self._families.values())

    def requirements(self, family_id: str, continuous: bool) -> tuple[Requirement, ...]:
        """Return what the record of a block of a family must and should contain, each element once, in file order.

        Elements only an infusion needs are left out for an injection; the other conditions (`Requirement.when`) are
        for the caller to judge.
        """
        return tuple(
            requirement
            for requirement in self._requirements(family_id).values()
            if requirement.level != "none" and (continuous or requirement.when != "infusion")
        )

    def diagnosis_groups(self, family_id: str) -> tuple[DiagnosisGroup, ...]:
        """Return the groups of diagnoses for a family under the profile, each as in force that day.

        A day before the first list of a group has that list (its `valid_from` is later then); after the last, none.
        """
        profiles = {rules.id for rules in self.knowledge.lineage(self.profile)} | {None}
        return tuple(
            group
            for lists in self.knowledge.diagnoses.values()
            if family_id in lists[0].families and lists[0].profile in profiles
            if (group := _list_on(lists, self.day)) is not None
        )

    def mue(self, code: str) -> Mue | None:
        """Return the medically unlikely edit of `code` in the edition for the day (see `edition_gap`)."""
        table = self._mue_table
        return table.rows.get(code) if table else None

    def ptp(self, column1: str, column2: str) -> Ptp | None:
        """Return the pair in exactly this order, in the edition for the day (see `edition_gap`)."""
        table = self._ptp_table
        return table.rows.get((column1, column2)) if table else None

    def ptp_covers(self, code: str) -> bool:
        """Return whether the table holds any pair with `code`; without one, no pair does not mean no conflict."""
        table = self._ptp_table
        return table is not None and code in table.codes

    def bundled_into_anesthesia(self, code: str) -> bool:
        """Return whether the table pairs any anesthesia code with `code` in column 2, in a way a modifier may lift."""
        table = self._ptp_table
        return table is not None and any(
            self.is_anesthesia(column1) and table.rows[column1, code].indicator != "0"
            for column1 in table.columns1.get(code, ())
        )

    def edition_gap(self, kind: Kind, code: str | None = None) -> str | None:
        """Return a sentence where the day lies outside the quarter of the table used, None where it lies within.

        For a `code`, the table used is the nearest one that has it; a code in none gets a sentence of its own.
        """
        tables: tuple[Table[Any], ...] = getattr(self.knowledge.tables, kind)
        table = _nearest(tables, self.day, code)
        if not tables:
            return f"No table of {KINDS[kind]} is loaded."
        if table is None:
            return f"The loaded {KINDS[kind]} do not have {code}."
        if table.covers(self.day):
            return None
        return (
            f"The day of service {self.day} lies outside the loaded {KINDS[kind]} of {table.edition} "
            f"({table.valid_from} to {table.valid_to}); that edition was used all the same."
        )

    def is_anesthesia(self, code: str) -> bool:
        """Return whether `code` is the anesthesia for an operation."""
        return any(codes.holds(code, self.day) for codes in self.knowledge.ranges)

    def parameter(self, name: str) -> str:
        """Return the value of a profile parameter that day. Raises `KeyError` for a name no profile in line has."""
        return self._parameter(name).value

    def parameter_sources(self, name: str) -> tuple[Source, ...]:
        """Return where the value of a parameter comes from. Raises `KeyError` as `parameter` does."""
        return self.sources(self._parameter(name).sources)

    def source(self, source_id: str) -> Source:
        """Return a source by id. Raises `KeyError` for an unknown one."""
        return self.knowledge.sources[source_id]

    def sources(self, ids: Iterable[str]) -> tuple[Source, ...]:
        """Return sources by id, each once, in the order given. Raises `KeyError` for an unknown one."""
        return tuple(self.source(id_) for id_ in dict.fromkeys(ids))

    def _parameter(self, name: str) -> Dated:
        for rules in self.knowledge.lineage(self.profile):
            if name in rules.parameters:
                return _value_on(rules.parameters[name], self.day)
        raise KeyError(name)

    def _requirements(self, family_id: str) -> Mapping[str, Requirement]:
        """Return the requirements by element, those of nearer profiles over those of the profiles they extend."""
        groups = self.knowledge.groups.get(family_id, ())
        levels = [None, *(rules.id for rules in reversed(self.knowledge.lineage(self.profile)))]
        return {
            element: Requirement(element, group.level, group.when, group.sources)
            for level in levels
            for group in groups
            if group.profile == level and group.in_force(self.day)
            for element in group.elements
        }

    @cached_property
    def _families(self) -> Mapping[str, Family]:
        return {
            id_: _in_force(family, self.day, self.knowledge.codes) for id_, family in self.knowledge.families.items()
        }

    @cached_property
    def _codes(self) -> dict[str, Code | None]:
        return {}

    def _of_the_day(self, code: Code | None) -> Code | None:
        if code is None:
            return None
        addon = _nearest(self.knowledge.tables.addon, self.day, code.code)
        mpfs = _nearest(self.knowledge.tables.mpfs, self.day, code.code)
        primaries = addon.rows[code.code] if addon else code.primaries
        bilateral = mpfs.rows[code.code] if mpfs else code.bilateral
        if (primaries, bilateral) == (code.primaries, code.bilateral):
            return code
        return replace(code, primaries=primaries, bilateral=bilateral)

    @cached_property
    def _ptp_table(self) -> PtpTable | None:
        return _nearest(self.knowledge.tables.ptp, self.day)

    @cached_property
    def _mue_table(self) -> MueTable | None:
        return _nearest(self.knowledge.tables.mue, self.day)


def load(overlay: Path | None = None) -> Knowledge:
    """Return the shipped knowledge with the site's folder `overlay` laid over it.

    Raises `KnowledgeError` for the first thing wrong: a file that cannot be read, a shape its schema forbids, an id
    that does not resolve, dates that overlap.
    """
    files = read_files(overlay)
    tables = build_tables(files)
    codes = {code: build_code(code, entry.value, tables) for code, entry in files.entries("codes").items()}
    families = {id_: build_family(id_, entry.value) for id_, entry in files.entries("families").items()}
    rules = {id_: build_profile(id_, entry.value) for id_, entry in files.entries("profiles").items()}
    check(files, codes, families, rules)
    knowledge = Knowledge(
        version=f"{tables.newest_edition.replace(' ', '')}-{files.digest.hexdigest()[:10]}",
        sources={id_: build_source(id_, entry.value) for id_, entry in files.entries("sources").items()},
        terms={id_: build_term(id_, entry.value) for id_, entry in files.entries("terms").items()},
        codes=codes,
        families={id_: _in_force(family, date.max, codes) for id_, family in families.items()},
        joints={id_: build_joint(id_, entry.value) for id_, entry in files.entries("joints").items()},
        profiles={},
        positions={id_: build_position(id_, entry.value) for id_, entry in files.entries("positions").items()},
        rules=rules,
        groups=_groups(files),
        ranges=tuple(build_range(entry) for entry in files.entries("anesthesia").values()),
        diagnoses={id_: build_diagnoses(id_, entry.value) for id_, entry in files.entries("diagnoses").items()},
        tables=tables,
    )
    return replace(knowledge, profiles={id_: _profile(knowledge, id_) for id_ in rules})


def _groups(files: Files) -> Mapping[str, tuple[RequirementGroup, ...]]:
    return {id_: build_requirements(entry.value) for id_, entry in files.entries("documentation").items()}


def _profile(knowledge: Knowledge, id_: str) -> Profile:
    """Return a profile with its newest values, inherited ones included."""
    newest: dict[str, Dated] = {}
    for rules in reversed(knowledge.lineage(id_)):
        newest |= {name: values[-1] for name, values in rules.parameters.items()}
    return Profile(
        id_,
        knowledge.rules[id_].title,
        {name: value.value for name, value in newest.items()},
        {name: value.sources for name, value in newest.items()},
    )


@lru_cache(maxsize=512)
def _view(knowledge: Knowledge, day: date, profile: str) -> View:
    if profile not in knowledge.rules:
        raise KnowledgeError("profiles.toml", profile, f"no such profile; there are {', '.join(knowledge.rules)}")
    return View(knowledge, day, profile)


def _in_force(family: Family, day: date, codes: Mapping[str, Code]) -> Family:
    schemes = [scheme for scheme in (*family.injections, *family.infusions) if scheme.in_force(day)]
    own = [code for scheme in schemes if (code := codes[scheme.primary]).family == family.id]
    included = bool(own) and all(code.imaging_included for code in own)
    return replace(
        family,
        injection=_main(family.injections, day),
        infusion=_main(family.infusions, day),
        imaging_included=included,
    )


def _main(schemes: Iterable[Scheme], day: date) -> Scheme | None:
    """Return the scheme in force without conditions, or the first with them."""
    in_force = [scheme for scheme in schemes if scheme.in_force(day)]
    return next((scheme for scheme in in_force if not scheme.conditional), next(iter(in_force), None))


def _value_on(values: tuple[Dated, ...], day: date) -> Dated:
    """Return the value in force, the oldest for a day before all of them (values have no gaps, see `checks`)."""
    return next((value for value in reversed(values) if value.valid_from <= day), values[0])


def _list_on(lists: tuple[DiagnosisGroup, ...], day: date) -> DiagnosisGroup | None:
    """Return the list in force, the oldest for a day before all of them, None where the last has ended."""
    group = next((group for group in reversed(lists) if group.valid_from <= day), lists[0])
    return None if group.valid_to is not None and group.valid_to < day else group


def _nearest(tables: tuple[AnyTable, ...], day: date, code: str | None = None) -> AnyTable | None:
    """Return the edition for the day, else the one nearest to it, which `edition_gap` says aloud.

    For a `code`, only editions with a row of it count; None where there is none.
    """
    having = (table for table in tables if code is None or code in table.rows)
    return min(having, key=lambda table: table.days_from(day), default=None)


def _normal(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def _matches(names: Sequence[str], coverage: CoverageWords) -> bool:
    text = " ".join(f" {name} " for name in names)
    for phrase in coverage.ignore:
        text = text.replace(f" {phrase} ", "  ")
    named = any(name in coverage.names for name in names) or any(f" {p} " in text for p in coverage.any)
    return named and not any(f" {p} " in text for p in coverage.none)
