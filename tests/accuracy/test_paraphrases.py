"""Short descriptions in words of their own come to the lines a coder would answer.

They say what worked examples of public sources say, in other words: a service that only knew those examples would fail
here. RT and LT are left out of the comparison, as in the examples.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cds_service.pipeline import Pipeline

HERE = Path(__file__).resolve().parent
DAY = date(2026, 6, 1)
COMPARED = {"50", "KX"}


def descriptions() -> Iterator[object]:
    for path in sorted(HERE.glob("paraphrases*.toml")):
        for group, rows in tomllib.loads(path.read_text(encoding="utf-8")).items():
            for text, lines in rows.items():
                yield pytest.param(group, text, lines, id=text[:70])


@pytest.mark.parametrize(("group", "text", "lines"), list(descriptions()))
def test_a_description_comes_to_the_lines_a_coder_would_answer(
    pipeline: Pipeline, group: str, text: str, lines: list[str]
) -> None:
    answer = pipeline.review_note(text, "medicare" if group.endswith("medicare") else "default", DAY)
    found = [
        f"{'-'.join((line.code, *(modifier for modifier in line.modifiers if modifier in COMPARED)))} x{line.units}"
        for line in answer.expected_lines
    ]
    assert sorted(found) == sorted(lines)
