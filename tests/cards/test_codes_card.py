from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.claim import Claim

from cds_service.cards.codes_card import codes_content
from cds_service.cards.frame import Content
from cds_service.chart.model import Origin
from cds_service.review.assessment import Assessment, NotChecked

DISCHARGE = "encounter-discharge"
SIGN = "order-sign"
Build = Callable[[Any], Assessment]


def content(assessment: Assessment, hook: str = DISCHARGE) -> Content:
    found = codes_content(assessment, hook)
    assert found is not None
    return found


SUMMARIES: list[tuple[Build, str]] = [
    (
        lambda m: m.assessment("64461-RT", "64462-RT", claim=m.claim("64462 x3")),
        "Report 64461-RT ×1 and 64462-RT ×1; claim has 64462 ×3.",
    ),
    (
        lambda m: m.assessment("64461-RT", claim=m.claim("00540")),
        "Report 64461-RT ×1; the claim has no line for this block.",
    ),
    (
        lambda m: m.assessment("64461-RT"),
        "Report 64461-RT ×1 for the paravertebral block documented on 2026-03-02.",
    ),
    (
        lambda m: m.assessment("64461-RT", date_of_service=None, blocks=()),
        "Report 64461-RT ×1 for the block documented.",
    ),
    (
        lambda m: m.assessment(claim=m.claim("64461"), findings=(m.finding("surgical-anesthesia", "64461"),)),
        "Do not report 64461 separately: the block was the surgical anesthetic.",
    ),
    (
        lambda m: m.assessment(
            blocks=(), claim=m.claim("64461"), findings=(m.finding("charge-not-documented", "64461"),)
        ),
        "Claim has 64461 ×1; no note or procedure in this encounter documents a block.",
    ),
    (
        lambda m: m.assessment(
            blocks=(),
            claim=m.claim("64461"),
            findings=(m.finding("charge-not-documented", "64461", evidence=(m.quote("64461", "Claim/7"),)),),
        ),
        "Claim has 64461 ×1; no note or procedure in this encounter documents a block.",
    ),
    (
        lambda m: m.assessment(
            claim=m.claim("64461"),
            findings=(m.finding("charge-not-documented", "64461", evidence=(m.quote("block was cancelled"),)),),
        ),
        "Do not report 64461: the record says the block was not done.",
    ),
    (
        lambda m: m.assessment(claim=m.claim("64461"), findings=(m.finding("charge-not-documented", "64461"),)),
        "Do not report 64461: the record does not show that the block was done.",
    ),
    (
        lambda m: m.assessment(claim=m.claim("64461"), findings=(m.finding("site-made-rule", "64461"),)),
        "Do not report 64461: see the detail.",
    ),
    (
        lambda m: m.assessment(
            "64461-RT", claim=m.claim("64461-RT", "76942-26"), findings=(m.finding("imaging-included", "76942"),)
        ),
        "Do not report 76942 separately: imaging is included in the block code.",
    ),
    (
        lambda m: m.assessment(
            "64461-RT", claim=m.claim("64461", "76942"), findings=(m.finding("imaging-included", "76942"),)
        ),
        "Report 64461-RT ×1; claim has 64461 ×1 and 76942 ×1.",
    ),
    (
        lambda m: m.assessment(
            "64466", orders=(m.order("64461"),), findings=(m.finding("technique-mismatch", "64461"),)
        ),
        "Order 64466 instead of 64461: the record describes another technique.",
    ),
    (lambda m: m.assessment("64466", orders=(m.order("64461"),)), "Order 64466 instead of 64461."),
    (
        lambda m: m.assessment("64466", orders=(m.order("76942"),)),
        "Order 64466 ×1; draft order has 76942 ×1.",
    ),
    (
        lambda m: m.assessment("64461", "64462", orders=(m.order("64462"),)),
        "Order 64461 ×1 and 64462 ×1; draft order has 64462 ×1.",
    ),
    (
        lambda m: m.assessment(
            "64461",
            orders=(m.order("64461"), m.order("76942", 2)),
            findings=(m.finding("imaging-included", "76942", "64461"),),
        ),
        "Do not order 76942 separately: imaging is included in the block code.",
    ),
    (
        lambda m: m.assessment(
            "64461", claim=m.claim("64461"), findings=(m.finding("mue-exceeded", "64461", message="Too many units."),)
        ),
        "Too many units.",
    ),
    (
        lambda m: m.assessment(
            "64461", claim=m.claim("64461"), findings=(m.finding("mue-exceeded", "64461", message="word " * 60),)
        ),
        "Check 64461: more units than the daily limit allows.",
    ),
    (
        lambda m: m.assessment(
            "64461-RT-59-AA-QK",
            "64462-RT-59-AA-QK",
            "64420-RT-59",
            claim=m.claim(*[f"64461-LT-5{n} x2" for n in range(9)]),
        ),
        (
            "Report 64461-RT-59-AA-QK ×1, 64462-RT-59-AA-QK ×1 and 64420-RT-59 ×1; "
            "claim has 64461-LT-50 ×2, 64461-LT-51 ×2, 64461-LT-52 ×2 and 6 more."
        ),
    ),
]


@pytest.mark.parametrize(("build", "summary"), SUMMARIES, ids=[summary for _, summary in SUMMARIES])
def test_the_summary_says_what_to_do_at_a_glance(make: Any, build: Build, summary: str) -> None:
    assert content(build(make)).summary == summary


SILENT: dict[str, Build] = {
    "the claim is right": lambda m: m.assessment("64461-RT-59", claim=m.claim("64461-59-RT")),
    "nothing done, nothing billed": lambda m: m.assessment(claim=m.claim("00540")),
    "right lines with a remark": lambda m: m.assessment(
        "64461", claim=m.claim("64461"), findings=(m.finding("mue-exceeded", "64461", severity="info"),)
    ),
    "unexplained lines": lambda m: m.assessment(claim=m.claim("64461")),
    "the order is right": lambda m: m.assessment("64461-RT", orders=(m.order("64461"),)),
    "an order in words": lambda m: m.assessment(
        "64461", blocks=(replace(m.block(), origins=frozenset({Origin.ORDER})),)
    ),
    "the technique is asked": lambda m: m.assessment(
        "64461", claim=m.claim("64466"), queries=(m.query("Which?"),), correctable=False
    ),
}


@pytest.mark.parametrize("build", SILENT.values(), ids=SILENT.keys())
def test_silence_where_there_is_nothing_to_say(make: Any, build: Build) -> None:
    assert codes_content(build(make), DISCHARGE) is None


@pytest.mark.parametrize(("severity", "warning"), [("warning", True), ("info", False)])
def test_a_warning_finding_makes_a_warning_card(make: Any, severity: str, warning: bool) -> None:
    findings = (
        m_info := make.finding("catheter-code", severity="info"),
        make.finding("date-mismatch", severity=severity),
    )
    found = content(make.assessment("64461", claim=make.claim("64463"), findings=findings))
    assert found.warning is warning
    assert found.rules == (("date-mismatch", m_info.rule) if warning else (m_info.rule, "date-mismatch"))


def test_the_detail_shows_message_quote_lines_and_source(make: Any) -> None:
    finding = make.finding(
        "units-exceed-documentation",
        "64462",
        message="Three units of 64462 are claimed.",
        remedy="Report it once.",
        evidence=(make.quote("injected at T4 and <T5>"), make.quote("64462", "Claim/7")),
    )
    found = content(make.assessment("64461-RT", "64462-RT", claim=make.claim("64462 x3"), findings=(finding, finding)))
    assert found.detail == (
        "Three units of 64462 are claimed.\n\n"
        "> “injected at T4 and &lt;T5>” *DocumentReference/123*\n\n"
        "Three units of 64462 are claimed.\n\n"
        "On the claim: 64462 ×3.\n\n"
        "The record supports:\n\n- 64461-RT ×1\n- 64462-RT ×1\n\n"
        "Source: Medicare NCCI Policy Manual, chapter 2, CMS, 2024-07-01"
    )


def test_without_findings_the_record_itself_is_quoted(make: Any) -> None:
    found = content(make.assessment(make.want("64461-RT", evidence=(make.quote("right block at T4"),))))
    assert "The record says:\n\n> “right block at T4” *DocumentReference/123*" in found.detail


def test_what_could_not_be_judged_is_said(make: Any) -> None:
    gaps = (
        NotChecked("record", "The notes could not be read."),
        NotChecked("record", "The notes could not be read."),
        NotChecked("mue-exceeded", "No table for this quarter."),
    )
    assert "Not checked: The notes could not be read." in content(make.assessment("64461", not_checked=gaps)).detail
    assert "quarter" not in content(make.assessment("64461", not_checked=gaps)).detail


def test_one_reason_for_many_keys_is_said_once_with_all_of_them(make: Any) -> None:
    down = "the FHIR server answered 500"
    keys = ("patient", "encounter", "coverage", "claims", "documents")
    gaps = (*(NotChecked("record", f"{key}: {down}") for key in keys), NotChecked("documentation", "No notes."))
    detail = content(make.assessment("64461", not_checked=gaps)).detail
    assert f"Not checked: patient, encounter, coverage, claims, documents: {down}; No notes." in detail


@pytest.mark.conformance("action-update-whole")
def test_the_claim_suggestion_is_one_update_of_the_whole_claim(make: Any) -> None:
    claim = make.claim("99232", "64462 x3", "76942")
    (suggestion,) = content(make.assessment("64461-RT", "64462-RT", claim=claim)).suggestions
    assert suggestion.recommended
    assert suggestion.label == "Correct the claim: 64461-RT ×1 and 64462-RT ×1"
    assert suggestion.action["type"] == "update"
    assert suggestion.action["description"] == (
        "Change 64462 ×3 to 64462-RT ×1. Add 64461-RT ×1. Remove 76942 ×1. Everything else on the claim stays as it is."
    )
    after = suggestion.action["resource"]
    Claim.model_validate(after)
    assert [(line.code, line.units, line.modifiers) for line in make.read(after)] == [
        ("99232", 1, ()),
        ("64462", 1, ("RT",)),
        ("64461", 1, ("RT",)),
    ]


def test_lines_the_review_left_alone_stay_whatever_their_code(make: Any) -> None:
    claim = make.claim("64461", "76942-59")
    assessment = make.assessment("64461-RT", claim=claim, lines=claim.lines[:1])
    (suggestion,) = content(assessment).suggestions
    assert suggestion.action["resource"]["item"][1] == claim.resource["item"][1]


NO_SUGGESTION: dict[str, tuple[Build, str]] = {
    "at order-sign": (lambda m: m.assessment("64461-RT", claim=m.claim("64461")), SIGN),
    "no claim": (lambda m: m.assessment("64461-RT"), DISCHARGE),
    "several claims": (
        lambda m: m.assessment("64461-RT", lines=(*m.claim("64461").lines, *m.claim("64462").lines)),
        DISCHARGE,
    ),
    "a claim without an id": (lambda m: m.assessment("64461-RT", claim=m.claim("64461", id=None)), DISCHARGE),
    "the record is silent": (
        lambda m: m.assessment(claim=m.claim("64461"), findings=(m.finding("charge-not-documented", "64461"),)),
        DISCHARGE,
    ),
    "the review is in doubt": (
        lambda m: m.assessment("64461-RT", claim=m.claim("64461"), correctable=False),
        DISCHARGE,
    ),
    "the lines are right": (
        lambda m: m.assessment("64461", claim=m.claim("64461"), findings=(m.finding("mue-exceeded"),)),
        DISCHARGE,
    ),
}


@pytest.mark.parametrize(("build", "hook"), NO_SUGGESTION.values(), ids=NO_SUGGESTION.keys())
def test_no_suggestion(make: Any, build: Build, hook: str) -> None:
    assert content(build(make), hook).suggestions == ()


def test_a_block_the_record_says_was_not_done_can_be_taken_off(make: Any) -> None:
    finding = make.finding("charge-not-documented", "64461", evidence=(make.quote("block was cancelled"),))
    (suggestion,) = content(make.assessment(claim=make.claim("64461"), findings=(finding,))).suggestions
    assert suggestion.label == "Take off the claim: 64461 ×1"
    assert "item" not in suggestion.action["resource"]


def test_an_open_question_makes_no_suggestion_the_recommended_one(make: Any) -> None:
    assessment = make.assessment("64461-RT", claim=make.claim("64461"), queries=(make.query("How many sites?"),))
    assert [one.recommended for one in content(assessment).suggestions] == [False]


def test_an_open_question_with_a_warning_states_the_warning_only(make: Any) -> None:
    finding = make.finding("date-mismatch", "64461", message="The dates differ.")
    found = content(
        make.assessment(
            "64461", claim=make.claim("64466"), queries=(make.query("Which?"),), correctable=False, findings=(finding,)
        )
    )
    assert found.summary == "The dates differ."
    assert "supports" not in found.detail


def test_orders_get_a_suggestion_for_each_change(make: Any) -> None:
    orders = (make.order("64461"), make.order("76942", 2))
    found = content(make.assessment("64466", orders=orders), SIGN)
    assert found.reasons == "suggested-orders"
    assert [one.action["type"] for one in found.suggestions] == ["update", "delete"]
    assert "In the draft orders: 64461 ×1 (“nerve block”) and 76942 ×1 (“nerve block”)." in found.detail


def test_a_long_label_names_fewer_lines(make: Any) -> None:
    expected = [f"6446{n}-RT-59-AA" for n in range(1, 4)] + ["64466-RT-59-AA"]
    (suggestion,) = content(make.assessment(*expected, claim=make.claim("64420"))).suggestions
    assert suggestion.label == "Correct the claim: 64461-RT-59-AA ×1, 64462-RT-59-AA ×1, 64463-RT-59-AA ×1 and 1 more"


ABOUT_DIAGNOSIS = {"message": "The diagnosis S22.4 is a heading.", "remedy": "Look up the code."}


def diagnosis(make: Any, severity: str = "warning") -> Any:
    return make.finding("diagnosis-support", "S22.4", severity=severity, **ABOUT_DIAGNOSIS)


def test_a_warning_about_a_diagnosis_changes_no_line(make: Any) -> None:
    """The lines are right: the card says what is the matter and what to do, and offers nothing to accept."""
    found = content(make.assessment("64461-RT", claim=make.claim("64461-RT"), findings=(diagnosis(make),)))
    assert found.summary == "The diagnosis S22.4 is a heading."
    assert found.detail.startswith("The diagnosis S22.4 is a heading. Look up the code.")
    assert "The record supports" not in found.detail
    assert found.suggestions == ()
    assert found.warning


def test_advice_about_a_diagnosis_makes_no_card(make: Any) -> None:
    advice = diagnosis(make, "info")
    assert codes_content(make.assessment("64461-RT", claim=make.claim("64461-RT"), findings=(advice,)), SIGN) is None


@pytest.mark.parametrize("severity", ["info", "warning"])
def test_a_diagnosis_explains_no_unexplained_line(make: Any, severity: str) -> None:
    """Lines that nothing explains are left alone; that a diagnosis is odd is no reason to take one off."""
    assessment = make.assessment(claim=make.claim("64461-RT"), findings=(diagnosis(make, severity),))
    found = codes_content(assessment, DISCHARGE)
    if severity == "info":
        assert found is None
    else:
        assert found is not None
        assert found.summary == "The diagnosis S22.4 is a heading."
        assert found.suggestions == ()


@pytest.mark.parametrize("severity", ["info", "warning"])
def test_what_is_said_of_a_diagnosis_stands_beside_the_change_of_a_line(make: Any, severity: str) -> None:
    side = make.finding("laterality-mismatch", "64461", message="64461-LT reports the left.")
    claim = make.claim("64461-LT", diagnosis=[{"sequence": 1, "diagnosisCodeableConcept": {"text": "rib fractures"}}])
    found = content(make.assessment("64461-RT", claim=claim, findings=(diagnosis(make, severity), side)))
    assert found.summary == "Report 64461-RT ×1; claim has 64461-LT ×1."
    assert found.detail.index("64461-LT reports the left.") < found.detail.index(
        "S22.4 is a heading. Look up the code."
    )
    (suggestion,) = found.suggestions
    assert suggestion.action["resource"]["diagnosis"] == claim.resource["diagnosis"]
    assert "diagnos" not in suggestion.action["description"]
