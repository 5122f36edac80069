"""Which guidance a code stands for, and which the record documents for a block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.chart.model import Evidence, Line
from cds_service.knowledge.model import Family
from cds_service.review.case import Case
from cds_service.review.mismatch import Mismatch, unexpected
from cds_service.review.selection import Selection
from cds_service.review.words import by_family

_NAMES = {"ct": "CT", "nerve-stimulation": "nerve stimulation", "landmark": "landmarks"}


def misguided(case: Case, technique: str, *, of: bool) -> list[tuple[Family, list[Line]]]:
    """Return the lines whose code is for another guidance, by family: of `technique`, or (`of` False) of all others."""
    groups = by_family(case, unexpected(case, Mismatch.GUIDANCE))
    return [(family, lines) for family, lines in groups if (family.technique == technique) is of]


def stands_for(case: Case, family: Family, lines: Iterable[Line]) -> tuple[str, ...]:
    """Return the guidance the codes of `lines` are for; none where they are for a block without imaging."""
    codes = {line.code for line in lines}
    schemes = (*family.injections, *family.infusions)
    conditions = (s.guidance for s in schemes if s.in_force(case.day) and codes & {*s.codes} and s.guidance)
    return next(conditions, ())


def selected(case: Case, family: Family) -> list[Selection]:
    """Return the blocks done that are coded by a family."""
    return [selection for selection in case.selections if selection.family.id == family.id]


def used(selections: Iterable[Selection]) -> tuple[str, ...]:
    """Return the guidance the record documents for blocks, each once."""
    return tuple(dict.fromkeys(fact.value.value for selection in selections for fact in selection.block.guidance))


def guidance_words(names: Iterable[str], last: str = "or") -> str:
    """Return guidance in words: "fluoroscopy or CT"."""
    return f" {last} ".join(_NAMES.get(name, name) for name in names)


def evidence(selections: Iterable[Selection]) -> Iterator[Evidence]:
    """Yield the words on the guidance of blocks, those that name the block where it has none."""
    for selection in selections:
        found = [e for fact in selection.block.guidance for e in fact.evidence]
        yield from found or selection.block.evidence
