"""What an addendum corrects in its note, and what it leaves a question."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import pytest

from cds_service.chart.build import all_charts
from cds_service.chart.model import Chart
from cds_service.fhir.bundle import from_bundle
from cds_service.knowledge.library import load
from cds_service.pipeline import vocabulary_of

NOTE = """Nerve block procedure note
Date of procedure: 03/02/2026
Indication: rib fractures
Block: single-injection thoracic paravertebral block
Side: right
Level: T5
Guidance: ultrasound
Local anesthetic: ropivacaine 0.5 %, 20 mL
Complications: none
"""
TWO = """Right thoracic paravertebral block at T5 with 20 mL of ropivacaine 0.5 % was performed.
Left erector spinae plane block at T8 with 20 mL of ropivacaine 0.5 % was performed.
"""


@cache
def vocabulary() -> Any:
    return vocabulary_of(load())


def chart(*documents: tuple[str, dict[str, Any]]) -> Chart:
    entries = []
    for number, (text, members) in enumerate(documents, 1):
        resource = {
            "resourceType": "DocumentReference",
            "id": f"d{number}",
            "status": "current",
            "date": f"2026-03-0{number + 1}",
            "context": {"encounter": [{"reference": "Encounter/e"}]},
            "content": [
                {"attachment": {"contentType": "text/plain", "data": base64.b64encode(text.encode()).decode()}}
            ],
            **members,
        }
        entries.append({"resource": resource})
    (found,) = all_charts(from_bundle({"resourceType": "Bundle", "type": "collection", "entry": entries}), vocabulary())
    return found


def sites(found: Chart) -> list[str]:
    return [f"{site.level} {site.side.value if site.side else None}" for block in found.blocks for site in block.sites]


def contradicted(found: Chart) -> set[str]:
    return {contradiction.element for contradiction in found.contradictions}


def appends(target: str = "DocumentReference/d1") -> dict[str, Any]:
    return {"relatesTo": [{"code": "appends", "target": {"reference": target}}]}


CORRECTIONS = [
    pytest.param("laterality corrected to LEFT.", ["T5 left"], id="corrected-to"),
    pytest.param("side was left, not right.", ["T5 left"], id="not"),
    pytest.param("not right but left.", ["T5 left"], id="not-but"),
    pytest.param("side corrected from right to left", ["T5 left"], id="from-to"),
    pytest.param("the side should read left.", ["T5 left"], id="should-read"),
    pytest.param("laterality error above - should be left", ["T5 left"], id="should-be"),
    pytest.param("The block was on the left. The above documentation of right is incorrect.", ["T5 left"], id="beside"),
    pytest.param("I incorrectly documented right; the block was on the left.", ["T5 left"], id="incorrectly"),
    pytest.param("right was documented in error; left side was blocked", ["T5 left"], id="in-error"),
    pytest.param("The side is corrected to left (originally documented as right)", ["T5 left"], id="as"),
    pytest.param("wrong side in note. Block was left sided.", ["T5 left"], id="wrong-side"),
    pytest.param("left side instead of right was treated", ["T5 left"], id="instead"),
    pytest.param("the blocks were bilateral, not right only", ["T5 right", "T5 left"], id="both-sides"),
    pytest.param("Level corrected to T6.", ["T6 right"], id="level"),
    pytest.param("the level was T6, not T5.", ["T6 right"], id="level-not"),
    pytest.param("level changed from T5 to T6.", ["T6 right"], id="level-from-to"),
    pytest.param("levels should read T5, T6 and T7", ["T5 right", "T6 right", "T7 right"], id="levels"),
    pytest.param("levels were T5 and T6, not T5 only", ["T5 right", "T6 right"], id="levels-not-only"),
    pytest.param("only one injection was made, at T6", ["T6 right"], id="only-one"),
]  # fmt: skip
HEADINGS = ["ADDENDUM 3/2/2026: {}", "*** Addendum ***\n{}", "Late entry by Dr. Roe, 03/03/2026 08:15: {}"]


@pytest.mark.parametrize(("words", "expected"), CORRECTIONS)
@pytest.mark.parametrize("heading", HEADINGS, ids=["line", "stars", "late-entry"])
def test_a_correction_at_the_end_of_a_note_wins(words: str, expected: list[str], heading: str) -> None:
    found = chart((f"{NOTE}\n{heading.format(words)}\n", {}))
    assert sites(found) == expected
    assert not contradicted(found)


@pytest.mark.parametrize(("words", "expected"), CORRECTIONS)
@pytest.mark.parametrize("first", [True, False], ids=["listed-first", "listed-last"])
def test_a_correction_in_a_document_of_its_own_wins(words: str, expected: list[str], first: bool) -> None:
    documents = [(NOTE, {}), (words, appends("DocumentReference/d2" if first else "DocumentReference/d1"))]
    found = chart(*(reversed(documents) if first else documents))
    assert sites(found) == expected
    assert not contradicted(found)


def test_an_addendum_that_names_no_document_is_one_to_the_notes_before_it() -> None:
    assert sites(chart((NOTE, {}), ("Addendum: side was left, not right.", {}))) == ["T5 left"]
    assert sites(chart(("Addendum: side was left, not right.", {}), (NOTE, {}))) == ["T5 right"]


def test_an_amended_document_may_correct_itself_anywhere() -> None:
    note = NOTE.replace("Side: right", "Side: left, not right as dictated")
    assert sites(chart((note, {"docStatus": "amended"}))) == ["T5 left"]


def test_a_correction_shows_the_words_of_both() -> None:
    (block,) = chart((NOTE, {}), ("Addendum: side was left, not right.", appends())).blocks
    assert block.side is not None
    quotes = [(evidence.reference, evidence.quote) for evidence in block.side.evidence]
    assert quotes[0][0] == "DocumentReference/d2"
    assert "left, not right" in quotes[0][1]
    assert ("DocumentReference/d1", "right") in quotes


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("side was left.", id="stated"),
        pytest.param("left paravertebral block at T5 was performed.", id="told-again"),
    ],
)
def test_another_account_without_a_correction_is_a_question(words: str) -> None:
    assert contradicted(chart((f"{NOTE}\nAddendum: {words}\n", {}))) == {"laterality"}
    assert contradicted(chart((NOTE, {}), (f"Addendum: {words}", appends()))) == {"laterality"}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("side: right, confirmed.", id="the-same"),
        pytest.param("patient seen on day 1, pain controlled.", id="follow-up"),
        pytest.param("pain is in the left knee, not the hip.", id="something-else"),
        pytest.param("IV in the left arm, not right.", id="arm"),
        pytest.param("dose corrected to 15 mL.", id="dose"),
        pytest.param("time-out corrected to 08:15, not 08:51.", id="time"),
    ],
)
def test_what_corrects_nothing_of_the_block_changes_nothing(words: str) -> None:
    found = chart((f"{NOTE}\nAddendum: {words}\n", {}))
    assert sites(found) == ["T5 right"]
    assert not contradicted(found)


def test_words_like_those_of_an_addendum_in_the_body_correct_nothing() -> None:
    for words in ("The left lung was aerated, not right.", "Correct patient and site.", "A late entry can amend this."):
        assert sites(chart((NOTE.replace("Complications", f"{words}\nComplications"), {}))) == ["T5 right"]


def test_with_two_blocks_the_rejected_side_tells_which_is_meant() -> None:
    found = chart((f"{TWO}\nAddendum: side was left, not right.\n", {}))
    assert sites(found) == ["T5 left", "T8 left"]


def test_with_two_blocks_and_no_side_to_tell_by_it_is_a_question() -> None:
    found = chart((f"{TWO}\nAddendum: side corrected to left.\n", {}))
    assert contradicted(found) == {"laterality"}


def test_another_technique() -> None:
    words = "Addendum: this was an erector spinae plane block, not a paravertebral block."
    (block,) = chart((NOTE, {}), (words, appends())).blocks
    assert (block.technique.value, block.plane and block.plane.value) == ("fascial-plane", "erector-spinae")
    assert [(site.level, site.side) for site in block.sites] == [("T5", "right")]
    assert {evidence.reference for evidence in block.evidence} == {"DocumentReference/d1", "DocumentReference/d2"}


def test_a_replaced_document_is_not_read() -> None:
    other = NOTE.replace("right", "left")
    replaces = {"relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/d1"}}]}
    found = chart((NOTE, {}), (other, replaces))
    assert sites(found) == ["T5 left"]
    assert not contradicted(found)


def test_the_last_of_two_corrections_counts() -> None:
    documents = [(NOTE, {}), ("Addendum: side was left, not right.", appends())]
    last = ("Addendum: side corrected back to right, as first written.", appends())
    assert sites(chart(*documents, last)) == ["T5 right"]


def test_no_text_breaks_it() -> None:
    for words in ("Addendum", "Addendum:", "Addendum: not", "Addendum: right not", "Addendum: left left right not not"):
        assert chart((f"{NOTE}\n{words}", {})).blocks


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("The T6 injection was not done.", ["T5 right"]),
        ("T6 was not injected because of a poor view.", ["T5 right"]),
        ("Only one injection was made, at T5. The T6 level was not reached.", ["T5 right"]),
        ("The T8 injection was not done.", ["T5 right", "T6 right"]),
        ("The T5 and T6 injections were not painful.", ["T5 right", "T6 right"]),
        ("The images of T6 were not saved.", ["T5 right", "T6 right"]),
    ],
)
def test_an_injection_may_be_taken_back(words: str, expected: list[str]) -> None:
    note = "Right thoracic paravertebral block at T5 and T6, 10 mL of ropivacaine 0.5 % each, was performed.\n"
    assert sites(chart((note, {}), (words, appends()))) == expected
