"""How much one encounter may hold and still be judged.

The rules hold lines against lines and accounts against accounts, so that the work grows faster than what they are
given. What lies beyond these limits is no record of one encounter: it is left out, and said to be.
"""

from __future__ import annotations

from typing import Final

from cds_service.chart.narrative.effort import MOST_CHARACTERS

MOST_LINES: Final = 1000
"""Items of the Claims of one encounter. An X12 837 claim has at most 50 (professional) or 999 (institutional) lines."""
MOST_BLOCK_LINES: Final = 200
"""Those of them that report a block."""
MOST_DIAGNOSES: Final = 200
"""Diagnoses of one Claim. An X12 837 claim has at most 12 (professional) or 25 (institutional)."""
MOST_ORDERS: Final = 200
"""Draft orders signed together."""
MOST_CORRECTIONS: Final = 50
"""Corrections that are taken from one addendum, and addenda of one encounter that correct other notes."""
MOST_ACCOUNTS: Final = 500
"""Accounts of blocks, by notes and Procedures, that are put together."""
MOST_ENCOUNTERS: Final = 500
"""Encounters or days with a block that are assessed together."""

MOST_PLACED: Final = 10_000
"""Resources of all encounters of a Bundle together, each counted for each encounter that it names."""

MANY_LINES: Final = "the Claims have more lines than are judged together, so they were left out"
MANY_ACCOUNTS: Final = "there are more accounts of blocks than are put together, so the last were left out"
MANY_ORDERS: Final = "more orders are signed together than are judged, so they were left out"
MUCH_TEXT: Final = f"not all was read: the texts of this request have more than {MOST_CHARACTERS:,} characters together"


class TooMuchError(Exception):
    """More than is assessed at once. The message says what there is too much of, in words for the caller."""
