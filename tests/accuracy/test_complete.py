"""Complete notes: they are well formed, and reading them does not get worse.

The bounds are the figures in docs/accuracy.md: raise them when the reader gets better; no note is changed to suit it.
"""

from __future__ import annotations

import importlib
import tomllib
from datetime import date
from pathlib import Path

import pytest

from cds_service.chart.model import Guidance, Purpose, Side, Technique
from cds_service.pipeline import Pipeline

HERE = Path(__file__).resolve().parent
FILES = sorted((HERE / "complete").glob("*.toml"))

LINES_RIGHT = 30
WHOLE = 20
INVENTED = 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_note_is_well_formed(path: Path, pipeline: Pipeline) -> None:
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(case) == {"id", "style", "date", "note", "expected", "blocks"}
    assert case["id"] == path.stem
    assert isinstance(case["date"], date)
    assert (case["date"].year, case["date"].month) == (2026, 6)
    assert set(case["expected"]) == {"lines"}
    assert all(line[:5] in pipeline.knowledge.codes for line in case["expected"]["lines"])
    for block in case["blocks"]:
        assert block["technique"] in set(Technique)
        assert block.get("side", Side.RIGHT) in set(Side)
        assert set(block.get("guidance", [])) <= set(Guidance)
        assert block.get("purpose", Purpose.TRAUMA) in set(Purpose)


def test_reading_does_not_get_worse(monkeypatch: pytest.MonkeyPatch, pipeline: Pipeline) -> None:
    monkeypatch.syspath_prepend(str(HERE.parent.parent / "tools"))
    score = importlib.import_module("score_complete").score_complete(pipeline)
    assert score.notes == len(FILES)
    assert score.lines_right >= LINES_RIGHT
    assert score.whole >= WHOLE
    assert score.invented <= INVENTED
