"""Whole charts: each is answered as a coder would, or is known to be wrong in just the way recorded.

An entry of `charts/known_wrong.toml` is held to its wrong answer: a repair fails here until the entry is taken out.
"""

from __future__ import annotations

import importlib
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from cds_service.pipeline import Pipeline

HERE = Path(__file__).resolve().parent
SETS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh")
CHARTS = [path for name in SETS for path in sorted((HERE / "charts" / name).glob("*.json"))]
KNOWN_WRONG = tomllib.loads((HERE / "charts" / "known_wrong.toml").read_text(encoding="utf-8"))
TOOLS = str(HERE.parent.parent / "tools")


@pytest.fixture(name="tool")
def _tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [TOOLS, *sys.path])
    return importlib.import_module("score_charts")


@pytest.mark.parametrize("path", CHARTS, ids=lambda path: path.stem)
def test_a_chart_is_answered_as_expected(path: Path, tool: ModuleType, pipeline: Pipeline) -> None:
    chart = tool.load_chart(path)
    answer = tool.answer_of(chart, pipeline)
    told = {aspect: answer[aspect] for aspect in chart.wrong(answer)}
    assert told == KNOWN_WRONG.get(chart.id, {}).get("answer", {})


def test_what_is_known_wrong_is_said_of_charts_and_explained() -> None:
    assert set(KNOWN_WRONG) <= {path.stem for path in CHARTS}
    assert all(set(entry) == {"why", "answer"} and entry["why"] for entry in KNOWN_WRONG.values())


def test_the_figures_agree_with_what_is_known_wrong(tool: ModuleType, pipeline: Pipeline) -> None:
    scores = [tool.score_charts(pipeline, HERE / "charts" / name) for name in SETS]
    assert sum(score.charts for score in scores) == len(CHARTS)
    assert {name for score in scores for name in score.wrong} == set(KNOWN_WRONG)
