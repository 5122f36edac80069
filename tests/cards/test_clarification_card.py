from typing import Any

from cds_service.cards.clarification_card import clarification_content


def test_silence_without_a_question(make: Any) -> None:
    assert clarification_content(make.assessment("64461")) is None
    assert clarification_content(make.assessment(queries=(make.query(" \n"),))) is None


def test_the_question_is_the_summary_and_every_option_is_alike(make: Any) -> None:
    query = make.query(
        "Was the target the paravertebral space or the sympathetic chain?",
        "paravertebral space",
        "sympathetic chain",
        "Cannot be determined",
        evidence=(make.quote("paravertebral block"), make.quote("sympathetic chain seen", "Procedure/1")),
        rule="sympathetic-target",
    )
    found = clarification_content(make.assessment(queries=(query, query), lines=make.claim("64520").lines))
    assert found is not None
    assert found.summary == query.question
    assert not found.warning
    assert found.rules == ("sympathetic-target",)
    assert found.code == "64520"
    asked = (
        "Was the target the paravertebral space or the sympathetic chain?\n\n"
        "- paravertebral space\n- sympathetic chain\n- Cannot be determined\n\n"
        "> “paravertebral block” *DocumentReference/123*\n\n"
        "> “sympathetic chain seen” *Procedure/1*"
    )
    assert found.detail == f"{asked}\n\n{asked}"


def test_a_long_question_is_cut_in_the_summary_only(make: Any) -> None:
    question = "Is it " + "really " * 30 + "so?"
    found = clarification_content(make.assessment(queries=(make.query(question),)))
    assert found is not None
    assert len(found.summary) <= 139
    assert found.summary.endswith("really…")
    assert question in found.detail
