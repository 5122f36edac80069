"""The catheters the record tells of, and what the Claim has for the days after they were placed."""

from __future__ import annotations

from datetime import date

from cds_service.chart.model import Block, Line
from cds_service.review.case import Case


def catheters(case: Case) -> tuple[Block, ...]:
    """Return the blocks done whose catheter was left in place."""
    blocks = (*(selection.block for selection in case.selections), *case.uncoded)
    return tuple(block for block in blocks if block.continuous is not None and block.continuous.value)


def placement_days(blocks: tuple[Block, ...]) -> frozenset[date]:
    """Return the days catheters were placed; empty where one of them has none."""
    days = frozenset(block.service_date for block in blocks if block.service_date is not None)
    return days if all(block.service_date for block in blocks) else frozenset()


def reported_placement_days(case: Case) -> frozenset[date]:
    """Return the days the Claim has catheters placed on, for a record that does not date them."""
    placing = (line for line in case.lines if (code := case.view.code(line.code)) and code.continuous)
    return frozenset(line.service_date for line in placing if line.service_date is not None)


def repeated_placements(case: Case) -> tuple[Line, ...]:
    """Return the lines that place a catheter once more, on a day after the one the record documents.

    The placement itself is reported as well, so that the later line is no slip in a date.
    """
    days = placement_days(catheters(case))
    if not days:
        return ()
    last = max(days)
    placing = [line for line in case.lines if (code := case.view.code(line.code)) and code.continuous]
    later = [line for line in placing if line.service_date is not None and line.service_date > last]
    first = {line.code for line in placing if line not in later}
    return tuple(line for line in later if line.code in first)
