"""What a code says about a block, as far as the chart needs it.

The chart knows no coding rules; whoever builds charts hands it this table, made from the knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cds_service.chart.model import Technique


@dataclass(frozen=True, slots=True)
class CodeMeaning:
    """What reporting a code claims was done."""

    technique: Technique
    region: str | None = None
    continuous: bool | None = None
    bilateral: bool = False
    """True for a code that is bilateral in itself (64468, 64488)."""
    further_site: bool = False
    """True for an add-on that stands for sites after the first (64462, 64421)."""


@dataclass(frozen=True)
class Vocabulary:
    """The codes that make a resource relevant. Keys are bare codes ("64461"); `concepts` are (system, code)."""

    block_codes: Mapping[str, CodeMeaning]
    companion_codes: frozenset[str] = frozenset()
    """Codes judged beside blocks (imaging 76942, 77002, 77003)."""
    unlisted_codes: frozenset[str] = frozenset()
    """Codes of what has no code of its own (64999): about a block only where words name one."""
    concepts: Mapping[tuple[str, str], CodeMeaning] = field(default_factory=dict)
