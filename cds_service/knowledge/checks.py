"""What a schema cannot see: ids that resolve, dates that fit together, codes and families that belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import Any, Protocol

from cds_service.knowledge.build import (
    ProfileRules,
    RequirementGroup,
    build_diagnoses,
    build_position,
    build_requirements,
)
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.files import Entry, Files, schema_of
from cds_service.knowledge.model import Code, Family, Scheme

UNDOCUMENTED_ROLES = frozenset({"imaging", "anesthesia", "follow-up", "unlisted"})
"""Roles of codes that stand beside a block, or for any procedure, and need no documentation family of their own."""
SCHEME_MEMBERS: Mapping[str, frozenset[str]] = {
    "first-and-further-once": frozenset({"add_on"}),
    "first-and-each-further": frozenset({"add_on"}),
    "first-second-further": frozenset({"add_on", "further"}),
    "per-side": frozenset(),
    "one-or-both-sides": frozenset({"both_sides"}),
    "once": frozenset(),
    "few-or-many": frozenset({"many", "few"}),
    "either": frozenset({"many"}),
    "unlisted": frozenset(),
}
"""The members a counting strategy needs beside its primary."""
REFERRING = frozenset({"either"})
"""The strategies that refer a block to the codes of another family."""
_MEMBERS = frozenset().union(*SCHEME_MEMBERS.values())
PARAMETERS = frozenset(schema_of("profiles")["$defs"]["parameters"]["properties"])
"""The parameters of a profile; the default profile has a value for each."""


class Period(Protocol):
    """Anything that holds from a day, to a day or without end."""

    @property
    def valid_from(self) -> date:
        """The first day."""

    @property
    def valid_to(self) -> date | None:
        """The last day, None while it holds."""


@dataclass(frozen=True)
class Whole:
    """Everything that was read, for checks that look across files."""

    files: Files
    codes: Mapping[str, Code]
    families: Mapping[str, Family]
    rules: Mapping[str, ProfileRules]

    def fail(self, document: str, key: str, place: str, problem: str) -> KnowledgeError:
        """Return the error for an entry of a document, naming the file the entry came from."""
        return KnowledgeError(self.files.entries(document)[key].file, f"{key}{place}", problem)


def check(
    files: Files, codes: Mapping[str, Code], families: Mapping[str, Family], rules: Mapping[str, ProfileRules]
) -> None:
    """Check the knowledge as a whole. Raises `KnowledgeError` for the first thing wrong."""
    whole = Whole(files, codes, families, rules)
    steps: tuple[Callable[[Whole], None], ...] = (
        _check_sources,
        _check_codes,
        _check_references,
        _check_families,
        _check_documentation,
        _check_profiles,
        _check_ranges,
        _check_diagnoses,
        _check_positions,
    )
    for step in steps:
        step(whole)


def _check_sources(whole: Whole) -> None:
    known = whole.files.entries("sources")
    for document, entries in whole.files.documents.items():
        for key, entry in entries.items():
            for place, source in _cited(entry.value):
                if source not in known:
                    raise whole.fail(document, key, place, f"no source '{source}' in sources.toml")


def _cited(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield every source id under `value` with its place."""
    if isinstance(value, list):
        for index, member in enumerate(value):
            yield from _cited(member, f"{place}.{index}")
    elif isinstance(value, dict):
        for name, member in value.items():
            if name in ("sources", "source"):
                yield from ((f"{place}.{name}", id_) for id_ in ([member] if isinstance(member, str) else member))
            else:
                yield from _cited(member, f"{place}.{name}")


def _check_codes(whole: Whole) -> None:
    for code in whole.codes.values():
        _check_period(whole, "codes", code.code, "", code)
        _check_code_family(whole, code)
        if code.role == "add-on" and not code.primaries & whole.codes.keys():
            raise whole.fail("codes", code.code, ".role", "an add-on needs a primary in an addon table and codes.toml")


def _check_code_family(whole: Whole, code: Code) -> None:
    if code.family is None and code.role not in UNDOCUMENTED_ROLES:
        raise whole.fail("codes", code.code, "", f"a code of role {code.role} needs a family")
    if code.family is not None and code.family not in whole.families:
        raise whole.fail("codes", code.code, ".family", f"no family '{code.family}' in families.toml")
    if code.family is not None and code.continuous is None:
        raise whole.fail("codes", code.code, "", "a code of a family says whether it is continuous")


def _check_references(whole: Whole) -> None:
    terms = whole.files.entries("terms")
    for code in whole.codes.values():
        reference = code.reference
        _check_known(whole, code.code, "related", reference.related, whole.codes.keys(), "codes.toml")
        _check_known(whole, code.code, "places_of_service", reference.places_of_service, terms, "terms.toml")
        _check_known(whole, code.code, "taxonomies", reference.taxonomies, terms, "terms.toml")


def _check_known(whole: Whole, key: str, member: str, ids: Iterable[str], known: Iterable[str], file: str) -> None:
    known = set(known)
    for id_ in ids:
        if id_ not in known:
            raise whole.fail("codes", key, f".{member}", f"no '{id_}' in {file}")


def _check_families(whole: Whole) -> None:
    documented = whole.files.entries("documentation")
    for family in whole.families.values():
        if family.id not in documented:
            raise whole.fail("families", family.id, "", "documentation.toml says nothing of it")
        for code in family.imaging_codes:
            if code not in whole.codes or whole.codes[code].role != "imaging":
                raise whole.fail("families", family.id, ".imaging_codes", f"'{code}' is no imaging code of codes.toml")
        _check_continuation(whole, family)
        _check_schemes(whole, family, "injection", family.injections)
        _check_schemes(whole, family, "infusion", family.infusions)


def _check_schemes(whole: Whole, family: Family, kind: str, schemes: Sequence[Scheme]) -> None:
    for _, alike in groupby(sorted(schemes, key=_conditions), key=_conditions):
        _check_periods(whole, "families", family.id, f".{kind}", sorted(alike, key=lambda scheme: scheme.valid_from))
    for scheme in schemes:
        place = f".{kind} from {scheme.valid_from}"
        members = {name for name in _MEMBERS if getattr(scheme, name)}
        if members != SCHEME_MEMBERS[scheme.counting]:
            needed = ", ".join(("primary", *sorted(SCHEME_MEMBERS[scheme.counting])))
            raise whole.fail("families", family.id, place, f"{scheme.counting} takes the members: {needed}")
        for code in scheme.codes:
            _check_scheme_code(whole, family, place, scheme, code)


def _check_scheme_code(whole: Whole, family: Family, place: str, scheme: Scheme, name: str) -> None:
    code = whole.codes.get(name)
    if code is None:
        raise whole.fail("families", family.id, place, f"no code '{name}' in codes.toml")
    if code.family not in (family.id, None) and scheme.counting not in REFERRING:
        raise whole.fail("families", family.id, place, f"{name} belongs to the family {code.family}")
    if not code.valid_on(scheme.valid_from) or not code.valid_on(scheme.valid_to or code.valid_to or date.max):
        raise whole.fail("families", family.id, place, f"{name} is not valid on every day of the scheme")
    if name in (scheme.add_on, scheme.further) and scheme.primary not in code.primaries:
        raise whole.fail("families", family.id, place, f"{name} is no add-on of {scheme.primary}")


def _conditions(scheme: Scheme) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return scheme.guidance, scheme.methods


def _check_continuation(whole: Whole, family: Family) -> None:
    if family.continues is None:
        return
    if family.continues.family not in whole.families:
        raise whole.fail("families", family.id, ".continues.family", f"no family '{family.continues.family}'")
    for joint in (family.continues.last, family.continues.first):
        if joint not in whole.files.entries("joints"):
            raise whole.fail("families", family.id, ".continues", f"no joint '{joint}' in joints.toml")


def _check_documentation(whole: Whole) -> None:
    for key, entry in whole.files.entries("documentation").items():
        if key not in whole.families:
            raise whole.fail("documentation", key, "", f"no family '{key}' in families.toml")
        groups = build_requirements(entry.value)
        for index, group in enumerate(groups):
            if group.profile is not None and group.profile not in whole.rules:
                problem = f"no profile '{group.profile}' in profiles.toml"
                raise whole.fail("documentation", key, f".{index}.profile", problem)
        for (_, element), asked in _by_element(groups).items():
            _check_periods(whole, "documentation", key, f".{element}", asked)


def _by_element(groups: Iterable[RequirementGroup]) -> Mapping[tuple[str | None, str], list[RequirementGroup]]:
    """Return the groups that ask for each element, by profile and element, in order of their start."""
    found: dict[tuple[str | None, str], list[RequirementGroup]] = {}
    for group in sorted(groups, key=lambda group: group.valid_from):
        for element in group.elements:
            found.setdefault((group.profile, element), []).append(group)
    return found


def _check_profiles(whole: Whole) -> None:
    if "default" not in whole.rules:
        raise KnowledgeError("profiles.toml", "default", "the default profile is missing")
    missing = PARAMETERS - whole.rules["default"].parameters.keys()
    if missing:
        raise whole.fail("profiles", "default", ".parameters", f"has no {', '.join(sorted(missing))}")
    for rules in whole.rules.values():
        _check_line(whole, rules)
        for name, values in rules.parameters.items():
            _check_periods(whole, "profiles", rules.id, f".parameters.{name}", values)
            _check_no_gaps(whole, rules.id, f".parameters.{name}", values)


def _check_line(whole: Whole, rules: ProfileRules) -> None:
    """Check that following `extends` ends, at the default profile."""
    seen = {rules.id}
    while rules.extends is not None:
        if rules.extends not in whole.rules:
            raise whole.fail("profiles", rules.id, ".extends", f"no profile '{rules.extends}' in profiles.toml")
        if rules.extends in seen:
            raise whole.fail("profiles", rules.id, ".extends", f"'{rules.extends}' extends this profile in turn")
        rules = whole.rules[rules.extends]
        seen.add(rules.id)
    if rules.id != "default":
        raise whole.fail("profiles", rules.id, "", "a profile extends 'default', or one that does")


def _check_no_gaps(whole: Whole, key: str, place: str, values: Sequence[Period]) -> None:
    """A parameter always has a value: an unstated one would have to be guessed."""
    for earlier, later in pairwise(values):
        if earlier.valid_to is not None and earlier.valid_to + timedelta(days=1) != later.valid_from:
            raise whole.fail("profiles", key, place, f"has no value between {earlier.valid_to} and {later.valid_from}")
    if values[-1].valid_to is not None:
        raise whole.fail("profiles", key, place, f"has no value after {values[-1].valid_to}")


def _check_ranges(whole: Whole) -> None:
    for key, entry in whole.files.entries("anesthesia").items():
        if entry.value["last"] < entry.value["first"]:
            raise whole.fail("anesthesia", key, ".last", "lies before first")
        _check_order(whole, key, entry)


def _check_diagnoses(whole: Whole) -> None:
    for key, entry in whole.files.entries("diagnoses").items():
        groups = build_diagnoses(key, entry.value)
        profile = groups[0].profile
        if profile is not None and profile not in whole.rules:
            raise whole.fail("diagnoses", key, ".profile", f"no profile '{profile}' in profiles.toml")
        for family in groups[0].families:
            if family not in whole.families:
                raise whole.fail("diagnoses", key, ".families", f"no family '{family}' in families.toml")
        _check_periods(whole, "diagnoses", key, ".lists", groups)
        for span in (span for group in groups for span in group.codes):
            first, _, last = span.partition("-")
            if last and (len(first) != len(last) or last < first):
                raise whole.fail("diagnoses", key, ".lists", f"'{span}' is no range of codes of equal length")


def _check_positions(whole: Whole) -> None:
    for key, entry in whole.files.entries("positions").items():
        position = build_position(key, entry.value)
        if position.profile not in whole.rules:
            raise whole.fail("positions", key, ".profile", f"no profile '{position.profile}' in profiles.toml")
        for code in position.codes:
            if code not in whole.codes:
                raise whole.fail("positions", key, ".codes", f"no code '{code}' in codes.toml")
        for family in position.families:
            if family not in whole.families:
                raise whole.fail("positions", key, ".families", f"no family '{family}' in families.toml")
        _check_period(whole, "positions", key, "", position)


def _check_order(whole: Whole, key: str, entry: Entry) -> None:
    if entry.value.get("to", entry.value["from"]) < entry.value["from"]:
        raise whole.fail("anesthesia", key, ".to", "ends before it starts")


def _check_period(whole: Whole, document: str, key: str, place: str, period: Period) -> None:
    if period.valid_to is not None and period.valid_to < period.valid_from:
        raise whole.fail(
            document, key, f"{place}.to", f"ends ({period.valid_to}) before it starts ({period.valid_from})"
        )


def _check_periods(whole: Whole, document: str, key: str, place: str, periods: Sequence[Period]) -> None:
    """Check that periods in order of their start end after they start and do not overlap."""
    for period in periods:
        _check_period(whole, document, key, place, period)
    for earlier, later in pairwise(periods):
        if earlier.valid_to is None or later.valid_from <= earlier.valid_to:
            end = earlier.valid_to or "no last day"
            raise whole.fail(
                document,
                key,
                place,
                f"the one from {later.valid_from} overlaps the one from {earlier.valid_from} ({end})",
            )
