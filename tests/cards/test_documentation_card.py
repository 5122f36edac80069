from typing import Any

import pytest

from cds_service.cards.documentation_card import documentation_content

MANY = ["indication", "consent", "technique", "laterality", "levels", "guidance", "anesthetic-agent"]
MANY += ["anesthetic-amount", "response", "complications", "requesting-provider"]


@pytest.mark.parametrize(
    ("elements", "summary"),
    [
        ([("consent", "missing")], "Note lacks consent for the paravertebral block."),
        (
            [("consent", "missing"), ("response", "missing")],
            "Note lacks consent and response for the paravertebral block.",
        ),
        (
            [("image-record", "missing"), ("levels", "missing"), ("anesthetic-agent", "missing")],
            "Note lacks stored image, vertebral levels and anesthetic agent for the paravertebral block.",
        ),
        ([("laterality", "contradicted")], "The record disagrees with itself on side of the paravertebral block."),
        (
            [("consent", "missing"), ("laterality", "contradicted")],
            "Note lacks consent for the paravertebral block; the record disagrees on side.",
        ),
        (
            [(name, "missing") for name in MANY],
            (
                "Note lacks indication, consent, technique, side, vertebral levels, guidance, anesthetic agent "
                "and 4 more for the paravertebral block."
            ),
        ),
    ],
)
def test_the_summary_names_what_the_note_lacks(make: Any, elements: list[tuple[str, str]], summary: str) -> None:
    found = documentation_content(make.assessment(documentation=tuple(make.element(*one) for one in elements)))
    assert found is not None
    assert found.summary == summary
    assert len(found.summary) <= 139
    assert found.warning
    assert found.elements == tuple(name for name, _ in elements)
    assert not found.suggestions


@pytest.mark.parametrize(
    ("status", "requirement"),
    [
        ("documented", "required"),
        ("not-applicable", "required"),
        ("missing", "recommended"),
        ("contradicted", "recommended"),
    ],
)
def test_silence_where_nothing_required_is_open(make: Any, status: str, requirement: str) -> None:
    element = make.element("consent", status, requirement)
    assert documentation_content(make.assessment(documentation=(element,))) is None


def test_an_ordered_block_has_no_note_to_lack_anything(make: Any) -> None:
    assessment = make.assessment("64461", orders=(make.order("64461"),), documentation=(make.element("consent"),))
    assert documentation_content(assessment) is None


def test_the_detail_says_what_a_complete_note_states(make: Any) -> None:
    elements = (
        make.element("consent"),
        make.element("consent"),
        make.element("response", evidence=()),
        make.element(
            "laterality", "contradicted", evidence=(make.quote("left"), make.quote("right T4", "Procedure/1"))
        ),
        make.element("levels", "contradicted"),
        make.element("needle", "documented", evidence=(make.quote("22 G needle"),)),
    )
    found = documentation_content(make.assessment("64461", documentation=elements))
    assert found is not None
    assert found.code == "64461"
    assert found.detail == (
        "Required for the paravertebral block on 2026-03-02, and not established by the note. "
        "A complete note states:\n\n"
        "- consent: whether and how consent was obtained\n"
        "- response: the effect of the block on the patient\n\n"
        "On side the record says different things:\n\n"
        "> “left” *DocumentReference/123*\n\n"
        "> “right T4” *Procedure/1*\n\n"
        "On vertebral levels the record says different things.\n\n"
        "Where one of these was done and observed, the author of the note can add it in a dated addendum. "
        "What was not done is not to be added.\n\n"
        "Source: Medicare NCCI Policy Manual, chapter 2, CMS, 2024-07-01"
    )


def test_what_the_note_says_instead_is_quoted(make: Any) -> None:
    element = make.element("consent", evidence=(make.quote("consent could *not* be obtained"),))
    found = documentation_content(make.assessment(documentation=(element,)))
    assert found is not None
    assert r"obtained (the note has: “consent could \*not\* be obtained”)" in found.detail
