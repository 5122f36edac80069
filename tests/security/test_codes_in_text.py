"""Codes in free text: no text, however odd, costs more than its length."""

from __future__ import annotations

import pytest

from cds_service.fhir.coding import cpt_codes
from tests.security.cost import assert_linear


@pytest.mark.parametrize(
    ("before", "unit", "after"),
    [
        pytest.param("CPT", " ", "x", id="blanks-after-the-label"),
        pytest.param("CPT", "®", "x", id="marks-after-the-label"),
        pytest.param("CPT code", " ", "x", id="blanks-after-the-word-code"),
        pytest.param("see CPT ", "64461,CPT ", "end", id="a-list-with-a-label-before-each-code"),
        pytest.param("64461", " ", "x", id="blanks-after-a-code"),
        pytest.param("64461", "-RT", "x", id="modifiers"),
        pytest.param("64461", " RT", "!", id="modifiers-after-blanks"),
        pytest.param("64461 -", " ", "x", id="blanks-after-a-dash"),
        pytest.param("", "64461,64462 ", "x", id="codes"),
        pytest.param("", "CPT ", "x", id="labels"),
        pytest.param("", "9", "x", id="digits"),
    ],
)
@pytest.mark.parametrize("member", ["text", "code"])
def test_time_is_in_proportion_to_length(before: str, unit: str, after: str, member: str) -> None:
    def concept(length: int) -> object:
        words = f"{before}{unit * (length // len(unit))}{after}"
        return {"text": words} if member == "text" else {"coding": [{"code": words}]}

    assert_linear(concept, cpt_codes, 16_000, most_s=1.0)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        pytest.param("see CPT 64461, CPT 64462 and CPT 76942", ["64461", "64462", "76942"], id="one-list"),
        pytest.param("CPT 64461 was planned, CPT   64462 done", ["64461", "64462"], id="two-labels"),
        pytest.param("see CPT®  codes : 64461-RT x2", ["64461"], id="everything-a-label-may-have"),
    ],
)
def test_labels_read_as_before(text: str, codes: list[str]) -> None:
    assert [value.code for value in cpt_codes({"text": text})] == codes
