"""What a rule looks at: the chart, the lines judged, the lines expected, and the knowledge of that day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from cds_service.chart.model import Block, Chart, ClaimFacts, Evidence, Line, Operation
from cds_service.knowledge.library import View
from cds_service.knowledge.model import Family
from cds_service.review.assessment import ExpectedLine
from cds_service.review.selection import Selection
from cds_service.review.separate_service import Separation
from cds_service.review.units import Supported


@dataclass(frozen=True)
class Case:
    """One chart under review.

    `lines` are the judged lines of the Claim (or of the draft orders, where `ordered`); `other_lines` are the
    lines of the same Claim that are left alone, among them the anesthesia codes. `selections` are the blocks
    the knowledge can code, `uncoded` the performed blocks it has no family for.
    """

    chart: Chart
    view: View
    day: date
    lines: tuple[Line, ...]
    other_lines: tuple[Line, ...]
    selections: tuple[Selection, ...]
    uncoded: tuple[Block, ...]
    separation: Separation
    expected: tuple[ExpectedLine, ...]
    claim: ClaimFacts | None = None
    ordered: bool = False

    @cached_property
    def counted(self) -> dict[str, Supported]:
        """What `tally.supported` has counted of this case, by code; of a case with other contents it starts anew."""
        return {}

    def lines_of(self, *codes: str) -> tuple[Line, ...]:
        """Return the judged lines that carry one of `codes`."""
        return tuple(line for line in self.lines if line.code in codes)

    def expected_of(self, *codes: str) -> tuple[ExpectedLine, ...]:
        """Return the expected lines that carry one of `codes`."""
        return tuple(line for line in self.expected if line.code in codes)

    @property
    def reported_codes(self) -> tuple[str, ...]:
        """The codes of the judged lines, each once, in claim order."""
        return tuple(dict.fromkeys(line.code for line in self.lines))

    @property
    def families(self) -> tuple[Family, ...]:
        """The families of the blocks done, each once."""
        return tuple({selection.family.id: selection.family for selection in self.selections}.values())

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations of the day of service (or of no stated day)."""
        return tuple(o for o in self.chart.operations if o.service_date in (None, self.day))

    @property
    def anesthesia_lines(self) -> tuple[Line, ...]:
        """The anesthesia lines of the Claim on the day of service."""
        return tuple(
            line
            for line in self.other_lines
            if self.view.is_anesthesia(line.code) and line.service_date in (None, self.day)
        )

    def own_lines(self, role: str) -> tuple[Line, ...]:
        """Return the lines of codes with `role` on the Claims of whoever did the blocks.

        These are the Claims that carry a block, and those of the same practitioner; an organization has many.
        """
        carrying = {
            line.reference for line in self.lines if (code := self.view.code(line.code)) and code.role != "imaging"
        }
        practitioners = {claim.provider for claim in self.chart.claims if claim.reference in carrying}
        practitioners |= {performer for block in self.chart.blocks for performer in block.performers}
        people = {name for name in practitioners if name and name.startswith("Practitioner")}
        return tuple(
            line
            for claim in self.chart.claims
            if claim.reference in carrying or claim.provider in people
            for line in claim.lines
            if (code := self.view.code(line.code)) is not None and code.role == role
        )

    def block_evidence(self) -> tuple[Evidence, ...]:
        """Return the words that name the blocks which were done."""
        return tuple(e for selection in self.selections for e in selection.block.evidence)

    def primaries_reported(self, add_on: str) -> Iterator[Line]:
        """Yield the lines, judged or not, that may carry `add_on`."""
        code = self.view.code(add_on)
        primaries = code.primaries if code else frozenset()
        yield from (line for line in (*self.lines, *self.other_lines) if line.code in primaries)


def line_evidence(line: Line) -> Evidence:
    """Return the claim line (or order) itself as evidence."""
    place = f"{line.path}.productOrService" if line.path.startswith("item") else line.path
    return Evidence(line.reference, place, line.code)
