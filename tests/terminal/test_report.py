"""The report of `cds-service check`, part by part."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cds_service.chart.model import Block, Evidence, Fact, Guidance, Line, Origin, Purpose, Side, Site, Technique
from cds_service.knowledge.model import Source
from cds_service.review.assessment import (
    Assessment,
    Element,
    ElementStatus,
    ExpectedLine,
    Finding,
    NotChecked,
    Query,
    Severity,
)
from cds_service.terminal.report import NOTHING, print_report

SOURCE = Source("s", "Some [manual]", "Some publisher", "2024-07-01")
WORDS = Evidence("DocumentReference/1", "content[0].attachment", "the block \x1b[2J was done", 0, 9)
EMPTY = Assessment("Encounter/1", date(2026, 3, 2), "medicare", "2026Q3-abc")
BLOCK = Block(
    Technique.FASCIAL_PLANE,
    (WORDS,),
    frozenset({Origin.NOTE}),
    region="thoracic",
    plane=Fact("erector-spinae"),
    sites=(Site("T4", Side.RIGHT), Site("T6", None), Site(None, None)),
    continuous=Fact(True),
    guidance=(Fact(Guidance.ULTRASOUND),),
    purpose=Fact(Purpose.TRAUMA),
    service_date=date(2026, 3, 2),
)
FULL = replace(
    EMPTY,
    blocks=(BLOCK,),
    expected_lines=(ExpectedLine("64461", 1, ("RT",), ()), ExpectedLine("64462", 1, ("RT",), ())),
    lines=(
        Line("64461", 1.0, ("RT",), "Claim/1", "item[0]"),
        Line("64462", 3.0, ("RT",), "Claim/1", "item[1]"),
        Line("76942", 1.0, ("26",), "Claim/1", "item[2]"),
        Line("64420", 1.0, (), "Claim/1", "item[3]"),
        Line("00541", 2.5, (), "Claim/1", "item[4]"),
    ),
    judged_codes=frozenset({"64461", "64462", "76942", "64420"}),
    findings=(
        Finding(
            "imaging-included",
            Severity.WARNING,
            "It is [bold]included[/bold].",
            "Leave it out.",
            (SOURCE,),
            (WORDS,),
            ("76942",),
        ),
        Finding("date-mismatch", Severity.INFO, "Dates differ.", "", (), ()),
    ),
    documentation=(
        Element("consent", ElementStatus.MISSING, "required", (), (SOURCE,)),
        Element("laterality", ElementStatus.CONTRADICTED, "required", (WORDS,), (SOURCE,)),
        Element("technique", ElementStatus.DOCUMENTED, "required", (WORDS,), (SOURCE,)),
        Element("purpose", ElementStatus.NOT_APPLICABLE, "required", (), ()),
        Element("needle", ElementStatus.MISSING, "recommended", (), ()),
        Element("position", ElementStatus.DOCUMENTED, "recommended", (), ()),
    ),
    queries=(Query("Which side?", ("right", "left", "cannot be said"), (WORDS,)),),
    not_checked=(NotChecked("ptp-conflict", "No table\nis loaded."),),
)


@pytest.fixture
def report(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")

    def show(*assessments):
        print_report(assessments, {"64461": "First [site]"})
        return [line.rstrip() for line in capsys.readouterr().out.split("\n")]

    return show


@pytest.mark.parametrize(
    "line",
    [
        "Monday 2026-03-02  profile medicare · Encounter/1 · knowledge 2026Q3-abc",
        "  • fascial plane  thoracic, erector spinae, catheter, ultrasound, trauma analgesia, 2026-03-02",
        "    T4 right, T6, unnamed site",
        "    “the block [2J was done”  DocumentReference/1",
        "  64461-RT ×1   64461-RT ×1    equal           First [site]",
        "  64462-RT ×1   64462-RT ×3    differs",
        "  –             76942-26 ×1    not supported",
        "  –             64420 ×1       not compared",
        "  –             00541 ×2.5     not judged",
        "  ▲ It is [bold]included[/bold].",
        "    → Leave it out.",
        "    Rule: imaging-included",
        "    Source: Some [manual] (Some publisher, 2024-07-01)",
        "  • Dates differ.",
        "Documentation  1 of 3 required elements",
        "  ✗ consent  missing: whether and how consent was obtained",
        "  ≠ side  the record says different things",
        "  ✓ technique  “the block [2J was done”",
        "  ✓ patient position",
        "    read in DocumentReference/1",
        "  · Recommended, not found: needle",
        "    Required by: Some [manual] (Some publisher, 2024-07-01)",
        "  ? Which side?",
        "    ○ cannot be said",
        "  – ptp-conflict: No table is loaded.",
        "To look at: 1 line, 1 finding, 2 required elements, 1 question.",
    ],
)
def test_the_report_says_everything(report, line):
    assert line in report(FULL)


def test_open_elements_come_before_what_is_documented(report):
    lines = report(FULL)
    places = [next(i for i, line in enumerate(lines) if mark in line) for mark in ("✗", "≠", "✓", "· Recommended")]
    assert places == sorted(places)


def test_parts_with_nothing_in_them_are_left_out(report):
    lines = [line for line in report(EMPTY) if line]
    assert lines[1:] == ["Blocks", "  none found", "Nothing to correct."]


def test_a_clean_result_names_its_limits(report):
    lines = report(replace(EMPTY, not_checked=FULL.not_checked))
    assert "Nothing to correct in what could be checked." in lines


def test_a_day_that_is_not_stated_is_said(report):
    assert report(replace(EMPTY, date_of_service=None, encounter=None))[0] == (
        "Date of service not stated  profile medicare · knowledge 2026Q3-abc"
    )


def test_a_note_alone_has_no_line_to_compare(report):
    assert "  64461-RT ×1   –              no line to compare   First [site]" in report(
        replace(FULL, lines=(), findings=())
    )


def test_several_assessments_are_counted(report):
    lines = report(EMPTY, replace(EMPTY, encounter="Encounter/2"))
    assert [line.rpartition(" · ")[2] for line in lines if line.startswith("Monday")] == ["1 of 2", "2 of 2"]


def test_no_assessment_is_said(report):
    assert report() == [NOTHING, ""]
