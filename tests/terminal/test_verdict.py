from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.chart.model import Line
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
from cds_service.terminal.verdict import Verdict, verdict

PLAIN = Assessment(None, None, "default", "2026Q3-0", judged_codes=frozenset({"64461", "64462"}))
EXPECTED = ExpectedLine("64461", 1, ("RT",), ())
FINDING = Finding("mue-exceeded", Severity.WARNING, "Too many.", "Fewer.", (), ())


def line(code="64461", units=1.0, modifiers=("RT",)):
    return Line(code, units, modifiers, "Claim/1", "item[0]")


def element(status, requirement="required"):
    return Element("consent", status, requirement, (), ())


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({}, Verdict(0, 0, 0, 0)),
        ({"expected_lines": (EXPECTED,), "lines": (line(),)}, Verdict(0, 0, 0, 0)),
        ({"expected_lines": (EXPECTED,)}, Verdict(1, 0, 0, 0)),
        ({"expected_lines": (EXPECTED,), "lines": (line(units=2.0),)}, Verdict(1, 0, 0, 0)),
        ({"expected_lines": (EXPECTED,), "lines": (line(modifiers=("LT",)),)}, Verdict(1, 0, 0, 0)),
        ({"lines": (line(),)}, Verdict(0, 0, 0, 0)),
        ({"lines": (line("99213"),)}, Verdict(0, 0, 0, 0)),
        ({"findings": (FINDING,)}, Verdict(0, 1, 0, 0)),
        ({"findings": (replace(FINDING, severity=Severity.INFO),)}, Verdict(0, 0, 0, 0)),
        ({"queries": (Query("Which?", ("A", "B"), ()),)}, Verdict(0, 0, 0, 1)),
        ({"not_checked": (NotChecked("record", "no notes"),)}, Verdict(0, 0, 0, 0)),
        ({"documentation": (element(ElementStatus.MISSING),)}, Verdict(0, 0, 1, 0)),
        ({"documentation": (element(ElementStatus.CONTRADICTED),)}, Verdict(0, 0, 1, 0)),
        ({"documentation": (element(ElementStatus.DOCUMENTED),)}, Verdict(0, 0, 0, 0)),
        ({"documentation": (element(ElementStatus.NOT_APPLICABLE),)}, Verdict(0, 0, 0, 0)),
        ({"documentation": (element(ElementStatus.MISSING, "recommended"),)}, Verdict(0, 0, 0, 0)),
    ],
)
def test_what_is_open(members, found):
    assert verdict(replace(PLAIN, **members)) == found
    assert bool(found) == any((found.lines, found.findings, found.elements, found.queries))
