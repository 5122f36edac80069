from typing import Any

import pytest

from cds_service.cards.summary import LIMIT, both_shrinking, fitting, joined, line_text, line_texts, shrinking
from cds_service.chart.model import Line


@pytest.mark.parametrize(
    ("items", "shown", "words"),
    [
        (["a"], None, "a"),
        (["a", "b"], None, "a and b"),
        (["a", "b", "c"], None, "a, b and c"),
        (["a", "b", "c"], 5, "a, b and c"),
        (["a", "b", "c", "d"], 2, "a, b and 2 more"),
        (["a", "b"], 1, "a and 1 more"),
        (["a", "b"], 0, "a and 1 more"),
    ],
)
def test_lists_in_words(items: list[str], shown: int | None, words: str) -> None:
    assert joined(items, shown) == words


def test_lists_shrink_from_the_end() -> None:
    assert list(shrinking(["a", "b", "c"])) == ["a, b and c", "a, b and 1 more", "a and 2 more"]


def test_of_two_lists_the_second_shrinks_first() -> None:
    assert list(both_shrinking(["a", "b"], ["c", "d"])) == [
        ("a and b", "c and d"),
        ("a and b", "c and 1 more"),
        ("a and b", "c and 1 more"),
        ("a and 1 more", "c and 1 more"),
    ]
    assert not list(both_shrinking([], ["c"]))


def test_the_best_summary_that_fits_is_taken() -> None:
    assert fitting(["x" * 140, "", "x" * 139, "short"]) == "x" * 139
    assert fitting(["", " "]) == ""


def test_where_none_fits_the_last_is_cut_between_words() -> None:
    summary = fitting(["word " * 60])
    assert summary.endswith("word…")
    assert len(summary) <= LIMIT


@pytest.mark.parametrize(
    ("code", "units", "modifiers", "text"),
    [
        ("64461", 1, ("RT",), "64461-RT ×1"),
        ("64461", 1.0, (), "64461 ×1"),
        ("64461", 2, ("50", "59"), "64461-50-59 ×2"),
        ("00540", 7.5, ("AA",), "00540-AA ×7.5"),
    ],
)
def test_lines_as_coders_write_them(code: str, units: float, modifiers: tuple[str, ...], text: str) -> None:
    assert line_text(Line(code, units, modifiers, "Claim/7", "item[0]")) == text


def test_equal_lines_are_named_once(make: Any) -> None:
    lines = make.claim("64462", "64461-RT", "64462", "64462").lines
    assert line_texts(lines) == ["64462 ×1 on 3 lines", "64461-RT ×1"]
    assert line_texts(lines, modifiers=False) == ["64462 ×1 on 3 lines", "64461 ×1"]
