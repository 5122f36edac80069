"""Why a reported line has no expected line of its code: one reason each, so that one rule speaks for it.

The rules share this order of precedence; without it, a wrong code would be explained three times over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from enum import StrEnum

from cds_service.chart.model import Block, Line, NotesState, Technique
from cds_service.knowledge.model import Code, Family
from cds_service.review.assessment import ExpectedLine
from cds_service.review.case import Case
from cds_service.review.selection import Selection, family_of, is_infusion, possible_families
from cds_service.review.tally import supported
from cds_service.review.targets import chain_instead, is_settled

_SILENT_ON_BLOCKS = frozenset(
    {"claims", "Claim", "coverage", "Coverage", "patient", "Patient", "encounter", "Encounter"}
)
"""What may be unread (prefetch keys and resource types) without a word on a block being missed."""


_PROCEDURES = frozenset({"procedures", "Procedure"})


class Mismatch(StrEnum):
    """The reason a reported code is not expected, the first that holds."""

    NOT_SEPARATE = "not-separate"
    """The block is the anesthetic, or the surgeon's own."""
    NOT_VALID = "not-valid"
    """The code is not in force on the day of the block."""
    IMAGING_INCLUDED = "imaging-included"
    """Imaging, while no block done may have imaging reported beside it."""
    IMAGING_SEPARATE = "imaging-separate"
    """Imaging that may stand beside a block done, but does not go with it or is not documented."""
    UNLISTED = "unlisted"
    """An unlisted code, while every block done has a code of its own."""
    NOT_DONE = "not-done"
    """The block was cancelled, or nothing tells of any block."""
    TECHNIQUE = "technique"
    """The code is of another technique than every block done."""
    TARGET = "target"
    """The code is for another target: the sympathetic chain for the paravertebral space, one ganglion for another."""
    REGION = "region"
    """The code is of the same technique in another region of the spine."""
    CATHETER = "catheter"
    """Right technique; injection and infusion are confused."""
    GUIDANCE = "guidance"
    """The code is for another guidance than was used, or than is documented."""
    METHOD = "method"
    """The code is for another method than was applied (heat, pulses)."""
    NUMBER = "number"
    """The code for few where many were treated, or the other way round."""
    FURTHER_SITES = "further-sites"
    """An add-on, while one site is documented."""
    SIDES = "sides"
    """The one-sided code for the both-sided one, or the other way round."""
    EDITED = "edited"
    """An edit keeps it from standing beside an expected line, or beside one that is not to be told apart from it."""
    UNKNOWN = "unknown"
    """The record or the knowledge does not allow a judgement."""


_BESIDE_THE_SPINE = frozenset({Technique.SYMPATHETIC.value, Technique.PARAVERTEBRAL.value})
"""Techniques whose targets lie beside the vertebrae and are confused for each other."""

_SWAPPED = (Mismatch.CATHETER, Mismatch.GUIDANCE, Mismatch.METHOD, Mismatch.NUMBER, Mismatch.SIDES)
"""Reasons by which one code of a family stands for another."""

_REPLACING = (Mismatch.NOT_VALID, Mismatch.TECHNIQUE, Mismatch.TARGET, Mismatch.REGION, Mismatch.UNLISTED)
"""Reasons by which a code stands for that of whatever was done."""


def why_unexpected(case: Case, line: Line) -> Mismatch | None:
    """Return why no expected line has the code of `line`, or None where one has."""
    if not case.separation.reportable:
        return Mismatch.NOT_SEPARATE
    if case.expected_of(line.code):
        return None
    code = case.view.code(line.code)
    if code is None:
        return Mismatch.UNKNOWN
    if not code.valid_on(case.day):
        return Mismatch.NOT_VALID
    if code.role == "imaging":
        return _why_imaging(case)
    if code.role == "unlisted":
        return Mismatch.UNLISTED if case.expected and not case.uncoded else Mismatch.UNKNOWN
    return _why_block_code(case, code)


def _why_imaging(case: Case) -> Mismatch:
    """A block the knowledge cannot code may be what the imaging was for."""
    if not case.selections or case.uncoded or not all(is_settled(case, block) for block in done(case)):
        return Mismatch.UNKNOWN
    if not any(family.imaging_codes for family in case.families):
        return Mismatch.IMAGING_INCLUDED
    return Mismatch.IMAGING_SEPARATE if read_in_full(case) else Mismatch.UNKNOWN


def _why_block_code(case: Case, code: Code) -> Mismatch:
    performed = performed_families(case)
    if code.family not in performed and cancelled(case, code):
        return Mismatch.NOT_DONE
    if not case.selections and not case.uncoded:
        return Mismatch.NOT_DONE if read_in_full(case) else Mismatch.UNKNOWN
    if code.family not in performed:
        return _why_other_family(case, code)
    return _why_same_family(case, code)


def _why_other_family(case: Case, code: Code) -> Mismatch:
    """A code nothing tells of, beside right ones: the edit that forbids it says more than that it was not done."""
    own = case.view.family(code.family or "")
    if own and any(own in _left_open(case, block) for block in done(case)):
        return Mismatch.UNKNOWN
    if own and (other_place := _why_another_place(case, own)):
        return other_place
    paid = [line.code for line in case.expected if line.code in case.reported_codes]
    edits = (case.view.ptp(first, code.code) for first in paid)
    return Mismatch.EDITED if any(edit and edit.indicator == "0" for edit in edits) else Mismatch.TECHNIQUE


def _left_open(case: Case, block: Block) -> tuple[Family, ...]:
    """Return the families the words for a block leave open beside, or instead of, the one it is coded by."""
    return possible_families(block, case.view) if block in case.uncoded else chain_instead(case, block)


def _why_another_place(case: Case, own: Family) -> Mismatch | None:
    """Return TARGET or REGION where a block done is near that of the code, None where it is of another technique."""
    techniques = {block.technique.value for block in done(case)}
    if _is_sympathetic(own.technique) and techniques & _BESIDE_THE_SPINE:
        return Mismatch.TARGET
    if own.technique in _BESIDE_THE_SPINE and any(map(_is_sympathetic, techniques)):
        return Mismatch.TARGET
    return Mismatch.REGION if any(_elsewhere(own, *place) for place in _places(case)) else None


def _is_sympathetic(technique: str) -> bool:
    return technique == Technique.SYMPATHETIC.value


def _elsewhere(own: Family, technique: str, regions: Collection[str]) -> bool:
    """Whether something was done by the technique of a family, and in other regions of the spine."""
    return own.technique == technique and bool(own.regions and regions) and not set(own.regions) & set(regions)


def _places(case: Case) -> Iterator[tuple[str, Collection[str]]]:
    """Yield technique and regions of every block done: a coded one is where its family is (T12-L1 is thoracic)."""
    yield from ((selection.family.technique, selection.family.regions) for selection in case.selections)
    yield from ((block.technique.value, (block.region,)) for block in case.uncoded if block.region)


def _why_same_family(case: Case, code: Code) -> Mismatch:
    selections = [selection for selection in case.selections if selection.family.id == code.family]
    if not selections or contradicted(case, "catheter"):
        return Mismatch.UNKNOWN
    same_way = [selection.scheme for selection in selections if code.code in selection.scheme.codes]
    if not same_way:
        return _why_another_way(case, code, selections)
    if any(scheme.both_sides for scheme in same_way):
        return Mismatch.SIDES
    if any(scheme.many for scheme in same_way):
        return Mismatch.NUMBER
    if any(_begins_above(selection) and code.code == selection.scheme.primary for selection in selections):
        return Mismatch.REGION
    return Mismatch.EDITED if supported(case, code.code) else Mismatch.FURTHER_SITES


def _begins_above(selection: Selection) -> bool:
    """Whether the first level of every side belongs to the family above: T12-L1 before L1-L2."""
    return bool(selection.counts) and all(count.before for count in selection.counts)


def _why_another_way(case: Case, code: Code, selections: list[Selection]) -> Mismatch:
    """The block was done in a way that has another code; which way a code stands for is in its own scheme."""
    infusion = any(is_infusion(selection) for selection in selections)
    ways = [scheme for scheme in case.view.schemes(code.family or "", infusion) if code.code in scheme.codes]
    if not ways:
        return Mismatch.CATHETER if _catheter_is_settled(case, selections) else Mismatch.UNKNOWN
    if any(selection.scheme.methods for selection in selections) or any(scheme.methods for scheme in ways):
        return Mismatch.METHOD
    guided = any(selection.block.guidance for selection in selections)
    return Mismatch.GUIDANCE if guided or read_in_full(case) else Mismatch.UNKNOWN


def _catheter_is_settled(case: Case, selections: list[Selection]) -> bool:
    """Whether the record says how the block was done, or is silent on a catheter although all of it was read."""
    return read_in_full(case) or any(selection.block.continuous is not None for selection in selections)


def unexpected(case: Case, *reasons: Mismatch | None) -> tuple[Line, ...]:
    """Return the reported lines that are not expected for one of `reasons` (None: that are), in claim order."""
    return tuple(line for line in case.lines if why_unexpected(case, line) in reasons)


def open_lines(case: Case) -> tuple[Line, ...]:
    """Return the lines no more basic reason disposes of: their units, sides and pairs are worth a word."""
    return unexpected(case, None, Mismatch.UNKNOWN)


def counted_codes(case: Case) -> tuple[str, ...]:
    """Return the codes whose units can be held against a limit, whatever the sites documented, in claim order."""
    countable = (None, Mismatch.UNKNOWN, Mismatch.FURTHER_SITES)
    return tuple(dict.fromkeys(line.code for line in unexpected(case, *countable)))


def done(case: Case) -> tuple[Block, ...]:
    """Return the blocks done, coded ones first."""
    return (*(selection.block for selection in case.selections), *case.uncoded)


def performed_families(case: Case) -> frozenset[str]:
    """Return the ids of the families of all blocks done, also of those no scheme counts that day."""
    coded = {selection.family.id for selection in case.selections}
    others = (family_of(block, case.view) for block in case.uncoded)
    return frozenset(coded | {family.id for family in others if family})


def cancelled(case: Case, code: Code) -> tuple[Block, ...]:
    """Return the blocks of the code's family that the record says were not done."""
    blocks = ((block, family_of(block, case.view)) for block in case.chart.not_done)
    return tuple(block for block, family in blocks if family and family.id == code.family)


def not_reported(case: Case) -> tuple[ExpectedLine, ...]:
    """Return the expected lines whose code is not reported at all, and which no wrongly reported code stands for."""
    reported = set(case.reported_codes)
    return tuple(line for line in case.expected if line.code not in reported and not _stood_for(case, line))


def _stood_for(case: Case, line: ExpectedLine) -> bool:
    if unexpected(case, *_REPLACING):
        return True
    swapped = unexpected(case, *_SWAPPED)
    families = {code.family for other in swapped if (code := case.view.code(other.code))}
    return _family_of_code(case, line.code) in families


def _family_of_code(case: Case, name: str) -> str | None:
    return next((s.family.id for s in case.selections if name in s.scheme.codes), None)


def read_in_full(case: Case) -> bool:
    """Return whether all that should tell of a block was read: only then is the record's silence an answer.

    Where notes were read they are the documentation, and a Procedure could not replace it.
    """
    if case.chart.notes is NotesState.UNKNOWN:
        return False
    harmless = _SILENT_ON_BLOCKS | (_PROCEDURES if case.chart.notes is NotesState.READ else frozenset())
    return {subject.partition("/")[0] for subject, _ in case.chart.not_read} <= harmless


def contradicted(case: Case, *elements: str) -> bool:
    """Return whether the record contradicts itself on one of `elements`: that is asked, not judged."""
    return any(contradiction.element in elements for contradiction in case.chart.contradictions)


def documented_days(case: Case) -> frozenset[date]:
    """Return the days the blocks were done, as far as they are stated."""
    return frozenset(block.service_date for block in done(case) if block.service_date)
