"""The shapes of the knowledge: codes, families, edits, profiles and sources, asked for on a day and for a payer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from. `published` is the date or edition as printed ("2024-07-01", "2026")."""

    id: str
    title: str
    publisher: str
    published: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """A code of the code pages with its name. `kind`: "place-of-service" | "taxonomy"."""

    code: str
    title: str
    kind: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """What the page of a code tells people. `places_of_service` and `taxonomies` are ids of `Term`s."""

    used_when: str = ""
    context: str = ""
    sides: str = ""
    imaging: str = ""
    documentation: str = ""
    examples: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    places_of_service: tuple[str, ...] = ()
    taxonomies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Code:
    """A procedure code in our own words (CPT descriptors are the AMA's and are not shipped).

    `role`: "primary" | "add-on" | "imaging" | "anesthesia" | "follow-up" | "unlisted".
    `counts`: what one unit counts, in words. `bilateral`: MPFS bilateral indicator ("0","1","2","3","9") or None.
    `inherently_bilateral`: both sides are one unit (64468). `valid_to` is the last valid day, None while valid.
    """

    code: str
    title: str
    role: str
    family: str | None
    valid_from: date
    valid_to: date | None
    sources: tuple[str, ...]
    plain: str = ""
    counts: str = ""
    primaries: frozenset[str] = frozenset()
    bilateral: str | None = None
    inherently_bilateral: bool = False
    continuous: bool | None = None
    once_per_day: bool = False
    imaging_included: bool = False
    guidance: str | None = None
    """For imaging codes: the guidance they stand for, "ultrasound", "fluoroscopy" or "ct"."""
    image_required: bool = False
    """For imaging codes: whether a stored image is part of the service."""
    reference: Reference = Reference()

    @property
    def is_block(self) -> bool:
        """Whether the code stands for a block itself: not for imaging beside it, and not unlisted."""
        return self.role in ("primary", "add-on")

    def valid_on(self, day: date) -> bool:
        """Return whether the code may be reported for a service on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Scheme:
    """How the lines of one family are counted, for one way of doing it (injection or infusion), from a date.

    `counting` names one of the strategies in `review/units.py`:
    "first-and-further-once"  first site per side, one unit for all further sites per side (64461/64462)
    "first-and-each-further"  first level per side, one unit per further level (64420/64421)
    "first-second-further"    first and second level per side, one unit for all further levels per side (64490-64492)
    "per-side"                one unit per side whatever the number of injections (64463)
    "one-or-both-sides"       one code for one side, another for both (64466/64468)
    "once"                    one unit per session, which has no side (62322)
    "few-or-many"             one unit per session of one code or another, by how many were treated (20552/20553)
    "either"                  one unit per session of one of two codes, of which the Claim's stands: what decides
                              between them is not counted here (facets without imaging: 20552/20553, by the muscles)
    "unlisted"                one unit of an unlisted code (64999)

    `guidance` and `methods` are the conditions under which the scheme is the one to use: any of these guidances, one of
    these methods. Empty: whatever was used, or nothing stated.
    """

    counting: str
    primary: str
    valid_from: date
    valid_to: date | None
    sources: tuple[str, ...]
    add_on: str | None = None
    further: str | None = None
    """The code of the third and all further levels together."""
    both_sides: str | None = None
    many: str | None = None
    """The code of more than `few`."""
    few: int | None = None
    guidance: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes the scheme can come to, the primary first."""
        found = (self.primary, self.add_on, self.further, self.both_sides, self.many)
        return tuple(code for code in found if code)

    @property
    def conditional(self) -> bool:
        """Whether the scheme is only for some ways of doing the block."""
        return bool(self.guidance or self.methods)

    def fits(self, guidance: Collection[str], method: str | None) -> bool:
        """Return whether what was used meets the conditions of the scheme."""
        guided = not self.guidance or any(used in self.guidance for used in guidance)
        return guided and (not self.methods or method in self.methods)

    def in_force(self, day: date) -> bool:
        """Return whether services on `day` are counted this way."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Joint:
    """A facet joint ("L4-L5") and the medial branches that supply it; each of `nerves` alone is a complete set."""

    id: str
    nerves: tuple[frozenset[str], ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Continuation:
    """Where one family's levels go on counting another's: its joint `last` and this family's joint `first`."""

    family: str
    last: str
    first: str


@dataclass(frozen=True, slots=True)
class Family:
    """A technique as the rules see it on a day. `regions`, `planes` and `targets` empty means any.

    `injections` and `infusions` are all schemes, those with conditions before those without; `injection` and `infusion`
    the first ones in force on the day asked for (the newest ones, in `Knowledge.families`). `imaging_included` is
    that of the codes in force. `levels` are the vertebral levels the codes reach ("T2" ... "L1"), empty where they
    name none. `counts` is what the units count: "site", "joint", "muscle". `continues` is the family whose count this
    one goes on with, where both meet at its lowest joint (T12-L1, L1-L2).
    """

    id: str
    title: str
    technique: str
    regions: tuple[str, ...]
    injection: Scheme | None
    infusion: Scheme | None
    imaging_included: bool
    imaging_codes: tuple[str, ...]
    """Imaging that may be reported beside the block when it is not included."""
    sources: tuple[str, ...]
    levels: tuple[str, ...] = ()
    planes: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    counts: str = "site"
    continues: Continuation | None = None
    diagnostic_modifier: bool | None = None
    """Whether a payer may want a modifier on its diagnostic lines (`diagnostic_facet_modifier` of the profile).

    False where it is said that the modifier has no place on any of its lines, None where nothing is said.
    """
    injections: tuple[Scheme, ...] = ()
    infusions: tuple[Scheme, ...] = ()


@dataclass(frozen=True, slots=True)
class Requirement:
    """One documentation element a family needs. `level`: "required" | "recommended".

    `when`: the condition under which it applies: "always", "operation-same-day", "imaging-billed", "infusion" or
    "not-first-diagnostic" (any but the first diagnostic block).
    """

    element: str
    level: str
    when: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiagnosisGroup:
    """ICD-10-CM codes that mean something for some families, in the list of a day.

    `kind`: "listed" (the diagnoses a payer's article names; one that is not on it is no denial) or "sided" (those
    whose side is that of the block). `codes` are codes, or ranges "M47.812-M47.817", each with all below it.
    `profile` None means every profile.
    """

    id: str
    title: str
    kind: str
    profile: str | None
    families: tuple[str, ...]
    codes: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    sources: tuple[str, ...]
    note: str = ""

    def holds(self, code: str) -> bool:
        """Return whether `code`, written with its dot ("S22.41XA"), is in the group."""
        for span in self.codes:
            first, _, last = span.partition("-")
            if first <= code[: len(first)] <= (last or first):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Position:
    """What a payer has published about codes, in our own words. It is of `codes` and of all codes of `families`."""

    id: str
    profile: str
    codes: tuple[str, ...]
    families: tuple[str, ...]
    statement: str
    valid_from: date
    valid_to: date | None
    sources: tuple[str, ...]

    def about(self, code: Code) -> bool:
        """Return whether it speaks of `code`."""
        return code.code in self.codes or code.family in self.families


@dataclass(frozen=True, slots=True)
class Mue:
    """A medically unlikely edit. `mai`: 1 claim line, 2 absolute per day, 3 per day with appeal."""

    code: str
    units: int
    mai: int
    edition: str
    source: str


@dataclass(frozen=True, slots=True)
class Ptp:
    """A procedure-to-procedure pair. `indicator`: "0" never together, "1" with a modifier when distinct."""

    column1: str
    column2: str
    indicator: str
    rationale: str
    edition: str
    source: str


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """The payment policy indicators of a code in the Medicare fee schedule, as CMS writes them."""

    code: str
    status: str
    global_days: str
    multiple: str
    bilateral: str
    assistant: str
    pctc: str
    edition: str
    source: str


@dataclass(frozen=True, slots=True)
class Profile:
    """The parameters of one payer's rule set on a day."""

    id: str
    title: str
    parameters: Mapping[str, str]
    parameter_sources: Mapping[str, tuple[str, ...]]
