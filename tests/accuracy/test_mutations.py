"""What a note looks like does not change what is read: the mutations that hold for every one of the project's notes.

The others are counted in docs/accuracy.md; each moves up here when it holds.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve().parent

HOLD = (
    "carriage return and line feed",
    "blank lines doubled",
    "paragraphs on one line",
    "doubled spaces",
    "doubled spaces after stops",
    "tabs for spaces after colons",
    "no-break spaces",
    "spaces at line ends",
    "lines indented",
    "spaces squeezed",
    "indentation dropped",
    "space before punctuation",
    "no space before units",
    "space before percent signs",
    "dash within levels",
    "Th for T",
    "curly quotes",
    "long dashes",
    "decimal commas",
    "no zero before decimals",
    "cc for mL",
    "mls for mL",
    "R and L for sides",
    "PVB spelled out",
    "PVB for paravertebral block",
    "US for ultrasound",
    "ampersands for and",
    "spelled numbers of gauge",
    "fields in another order",
)
MOSTLY = {
    "upper case": 0.98,
    "lines wrapped at 60": 0.85,
    "lines wrapped at 80": 0.9,
    "space within thoracic levels": 0.95,
    "Rt and Lt for sides": 0.95,
    "pt for patient": 0.9,
    "w/ for with": 0.9,
}
"""The least share of notes that is read the same."""


@pytest.fixture(scope="module")
def mutations() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE.parent.parent / "tools"))
        yield importlib.import_module("score_mutations")


@pytest.mark.parametrize("name", [*HOLD, *MOSTLY])
def test_a_mutation_changes_no_reading(mutations: ModuleType, name: str) -> None:
    texts, required = mutations.notes(), mutations.required_elements()
    score = mutations.score_mutation(mutations.MUTATIONS[name], texts, required)
    assert score.changed
    least = MOSTLY.get(name, 1.0)
    assert len(score.misread) <= (1 - least) * score.changed, "see python tools/score_mutations.py --details"
