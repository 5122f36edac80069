"""One source's account of one block, before the accounts are put together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cds_service.chart.model import Block
from cds_service.chart.narrative.reading import Status


@dataclass(frozen=True, slots=True)
class Telling:
    """What one resource tells of one block.

    `block` is as far as the words and members of this source go. `by_code` is the same block with what its code
    claims besides (a catheter, further sites, both sides): a report, not a documentation, so it counts only where no
    note tells of the block. `coded` is True where nothing but a code, or words that repeat it, names the technique.
    `weak_date` dates the document, not the block: it counts only where nothing dates the block itself.
    """

    block: Block
    status: Status
    coded: bool = False
    by_code: Block | None = None
    weak_date: date | None = None
