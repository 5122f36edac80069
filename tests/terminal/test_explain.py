"""The notes of `cds-service check --explain`, with the words behind each fact marked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cds_service.chart.model import Block, Evidence, Fact, Origin, Side, Site, Technique
from cds_service.review.assessment import Assessment, Element, ElementStatus, Query
from cds_service.terminal.explain import NOTHING, marked_texts, print_explained

TEXT = "Right PVB at T4.\x1b[2J\nConsent was not obtained.\nNo complications."
PLACE = ("DocumentReference/1", "content[0].attachment")
EMPTY = Assessment("Encounter/1", date(2026, 3, 2), "default", "2026Q3-abc")


def words(quote: str) -> tuple[Evidence, ...]:
    start = TEXT.index(quote)
    return (Evidence(*PLACE, quote, start, start + len(quote), TEXT),)


def element(name: str, status: ElementStatus, quote: str) -> Element:
    return Element(name, status, "required", words(quote), ())


BLOCK = Block(
    Technique.PARAVERTEBRAL,
    words("PVB"),
    frozenset({Origin.NOTE}),
    sites=(Site("T4", Side.RIGHT, words("T4")),),
    side=Fact(Side.RIGHT, words("Right")),
)
FULL = replace(
    EMPTY,
    blocks=(BLOCK,),
    documentation=(
        element("consent", ElementStatus.MISSING, "Consent was not obtained"),
        element("complications", ElementStatus.DOCUMENTED, "No complications"),
        element("laterality", ElementStatus.DOCUMENTED, "Right PVB"),
    ),
)


@pytest.fixture
def explained(capsys):
    def run(*assessments: Assessment) -> str:
        print_explained(assessments)
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize(
    "marked",
    [
        pytest.param("[Right PVB|side, paravertebral]", id="words of two facts are one mark"),
        pytest.param(" at [T4|T4].", id="a level"),
        pytest.param("[Consent was not obtained|consent]", id="what is denied"),
        pytest.param("[No complications|complications]", id="what is documented"),
        pytest.param("DocumentReference/1  content[0].attachment", id="where it stands"),
    ],
)
def test_the_words_behind_each_fact_are_marked(explained, marked):
    assert marked in explained(FULL)


def test_the_text_between_the_marks_is_whole_and_cannot_steer_the_terminal(explained):
    out = explained(FULL)
    assert "\x1b" not in out
    assert "[2J\n[Consent" in out


def test_marks_are_the_very_words_of_the_text():
    ((text, marks),) = marked_texts(FULL).values()
    assert [text[mark.start : mark.end] for mark in marks] == [
        "Right PVB",
        "T4",
        "Consent was not obtained",
        "No complications",
    ]
    assert [mark.kind for mark in marks] == ["said", "said", "denied", "documented"]


def test_a_question_is_marked_in_both_its_places(explained):
    asked = replace(EMPTY, queries=(Query("Which side?", ("right", "left"), (*words("Right"), *words("T4"))),))
    assert "[Right|question] PVB at [T4|question]." in explained(asked)


def test_without_a_note_it_says_so(explained):
    coded = (Evidence("Procedure/1", "code", "64461"),)
    assert NOTHING in explained(replace(EMPTY, blocks=(replace(BLOCK, evidence=coded, sites=(), side=None),)))
