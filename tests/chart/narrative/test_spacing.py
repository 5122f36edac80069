"""White space that says nothing is not read, and what is read is quoted with the white space it stood with."""

from __future__ import annotations

import pytest

from cds_service.chart.narrative.reader import read
from cds_service.chart.narrative.searching import one_of
from cds_service.chart.narrative.spacing import without_spare


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Left PVB at T4", None),
        ("Left  PVB \t at T4", "Left PVB at T4"),
        ("Left PVB\r\nat T4\r\n", "Left PVB\nat T4\n"),
        ("  Left PVB\n    at T4", "Left PVB\nat T4"),
        ("\n\nLeft PVB\n\n\nat T4", None),
        ("   ", ""),
    ],
)
def test_only_spare_white_space_is_taken_out(text: str, plain: str | None) -> None:
    found, places = without_spare(text)
    assert found == (text if plain is None else plain)
    assert (places is None) is (plain is None)
    if places is not None:
        assert "".join(text[place] for place in places) == found


def test_what_is_read_is_quoted_as_it_stands() -> None:
    text = "  Left   paravertebral   block\r\n   at  T4,  5  mL  ropivacaine  0.5 %.\r\n"
    (block,) = read(text).blocks
    assert text[block.span.start : block.span.end] == "paravertebral   block"
    assert [text[site.span.start : site.span.end] for site in block.sites] == ["T4"]
    amounts = [said for said in read(text).statements if said.element == "anesthetic-amount"]
    assert [text[said.span.start : said.span.end] for said in amounts] == ["5  mL"]


def test_a_choice_must_begin_with_a_plain_character() -> None:
    with pytest.raises(ValueError, match="plain character"):
        one_of(r"\d")
