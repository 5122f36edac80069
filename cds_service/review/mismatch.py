"""Why a reported line has no expected line of its code: one reason each, so that one rule speaks for it.

The rules share this order of precedence; without it, a wrong code would be explained three times over.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from cds_service.chart.model import Block, Line, NotesState
from cds_service.knowledge.model import Code
from cds_service.review.assessment import ExpectedLine
from cds_service.review.case import Case
from cds_service.review.selection import family_of
from cds_service.review.tally import supported

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
    """Imaging, while the codes of all blocks done include it."""
    IMAGING_SEPARATE = "imaging-separate"
    """Imaging that may stand beside a block done, but does not go with it or is not documented."""
    UNLISTED = "unlisted"
    """An unlisted code, while every block done has a code of its own."""
    NOT_DONE = "not-done"
    """The block was cancelled, or nothing tells of any block."""
    TECHNIQUE = "technique"
    """The code is of another technique than every block done."""
    CATHETER = "catheter"
    """Right technique; injection and infusion are confused."""
    FURTHER_SITES = "further-sites"
    """An add-on, while one site is documented."""
    SIDES = "sides"
    """The one-sided code for the both-sided one, or the other way round."""
    EDITED = "edited"
    """Documented, but an edit lets no modifier put it beside another expected line."""
    UNKNOWN = "unknown"
    """The record or the knowledge does not allow a judgement."""


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
        return Mismatch.UNLISTED if case.selections and not case.uncoded else Mismatch.UNKNOWN
    return _why_block_code(case, code)


def _why_imaging(case: Case) -> Mismatch:
    """A block the knowledge cannot code may be what the imaging was for."""
    if not case.selections or case.uncoded:
        return Mismatch.UNKNOWN
    if all(family.imaging_included for family in case.families):
        return Mismatch.IMAGING_INCLUDED
    return Mismatch.IMAGING_SEPARATE if read_in_full(case) else Mismatch.UNKNOWN


def _why_block_code(case: Case, code: Code) -> Mismatch:
    done = performed_families(case)
    if code.family not in done and cancelled(case, code):
        return Mismatch.NOT_DONE
    if not case.selections and not case.uncoded:
        return Mismatch.NOT_DONE if read_in_full(case) else Mismatch.UNKNOWN
    if code.family not in done:
        return Mismatch.TECHNIQUE
    return _why_same_family(case, code)


def _why_same_family(case: Case, code: Code) -> Mismatch:
    schemes = [selection.scheme for selection in case.selections if selection.family.id == code.family]
    if not schemes:
        return Mismatch.UNKNOWN
    same_way = [scheme for scheme in schemes if code.code in scheme.codes]
    if not same_way:
        return Mismatch.CATHETER if _catheter_is_settled(case, code) else Mismatch.UNKNOWN
    if any(scheme.both_sides for scheme in same_way):
        return Mismatch.SIDES
    return Mismatch.EDITED if supported(case, code.code) else Mismatch.FURTHER_SITES


def _catheter_is_settled(case: Case, code: Code) -> bool:
    """Whether the record says how the block was done, or is silent on a catheter although all of it was read."""
    blocks = [selection.block for selection in case.selections if selection.family.id == code.family]
    return read_in_full(case) or any(block.continuous is not None for block in blocks)


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
    if unexpected(case, Mismatch.NOT_VALID, Mismatch.TECHNIQUE, Mismatch.UNLISTED):
        return True
    swapped = unexpected(case, Mismatch.CATHETER, Mismatch.SIDES)
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
    blocks = (*(selection.block for selection in case.selections), *case.uncoded)
    return frozenset(block.service_date for block in blocks if block.service_date)
