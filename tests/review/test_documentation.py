"""The status of each documentation element."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.chart.model import Statement
from cds_service.review.assessment import ElementStatus
from cds_service.review.documentation import documentation


def status(case):
    return {element.element: element.status.value for element in documentation(case)}


def saying(case, *statements):
    made = tuple(Statement(name, affirmed, case.chart.blocks[0].evidence[0]) for name, affirmed in statements)
    return replace(case, chart=replace(case.chart, statements=made))


@pytest.mark.parametrize(
    ("options", "judged"),
    [
        ({"notes": "read"}, True),
        ({"notes": "none"}, True),
        ({"notes": "unknown"}, False),
        ({"orders": "64461"}, False),
    ],
)
def test_only_notes_that_could_be_read_are_judged(options, judged, make_case, make_block):
    assert bool(documentation(make_case(make_block(), **options))) is judged


def test_without_a_block_nothing_is_asked_for(make_case, make_block):
    assert documentation(make_case()) == ()
    assert documentation(make_case(make_block(technique="other"))) == ()


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([("consent", True)], "documented"),
        ([], "missing"),
        ([("consent", False)], "missing"),
        ([("consent", False), ("consent", True)], "documented"),
        ([("indication", True)], "missing"),
    ],
)
def test_an_element_is_documented_where_it_is_affirmed(statements, expected, make_case, make_block):
    assert status(saying(make_case(make_block()), *statements))["consent"] == expected


def test_a_denial_is_shown_with_what_is_missing(make_case, make_block):
    case = saying(make_case(make_block()), ("consent", False))
    (element,) = [element for element in documentation(case) if element.element == "consent"]
    assert element.evidence
    assert element.citations


def test_a_contradiction_stands_over_what_is_affirmed(make_case, make_block):
    case = make_case(make_block(), contradictions=["laterality"])
    (element,) = [element for element in documentation(case) if element.element == "laterality"]
    assert element.status is ElementStatus.CONTRADICTED
    assert [evidence.quote for evidence in element.evidence] == ["one", "other"]


@pytest.mark.parametrize(
    ("block", "documented"),
    [
        ({}, {"technique", "laterality", "levels"}),
        ({"side": None}, {"technique", "levels"}),
        ({"levels": ""}, {"technique", "laterality"}),
        ({"guidance": ["ultrasound"]}, {"technique", "laterality", "levels", "guidance"}),
        ({"count": (2, 2)}, {"technique", "laterality", "levels", "site-count"}),
        ({"catheter": True}, {"technique", "laterality", "levels", "catheter"}),
    ],
)
def test_a_block_documents_what_it_was_read_from(block, documented, make_case, make_block):
    found = status(make_case(make_block(**block)))
    assert {name for name, state in found.items() if state == "documented"} == documented


@pytest.mark.parametrize(
    ("block", "options", "element", "expected"),
    [
        ({}, {}, "requesting-provider", "not-applicable"),
        ({}, {"operation": True}, "requesting-provider", "missing"),
        ({"requested": True}, {"operation": True}, "requesting-provider", "documented"),
        ({"requested": False}, {"operation": True}, "requesting-provider", "missing"),
        ({}, {"claim": "00540"}, "purpose", "missing"),
        ({"surgeon": True}, {"operation": True}, "requesting-provider", "not-applicable"),
        ({"purpose": "surgical-anesthesia"}, {"operation": True}, "requesting-provider", "not-applicable"),
        ({"catheter": True}, {}, "catheter", "documented"),
        ({}, {}, "catheter", None),
        ({"technique": "intercostal"}, {"claim": "64420"}, "image-record", "not-applicable"),
        ({"technique": "intercostal"}, {"claim": "64420, 76942"}, "image-record", "missing"),
        ({"technique": "intercostal", "image": True}, {"claim": "64420, 76942"}, "image-record", "documented"),
        ({"technique": "intercostal", "image": False}, {"claim": "64420, 76942"}, "image-record", "missing"),
        ({"technique": "intercostal"}, {"claim": "64420, 76942-59"}, "image-record", "not-applicable"),
    ],
)
def test_the_condition_of_a_requirement(block, options, element, expected, make_case, make_block):
    assert status(make_case(make_block(**block), **options)).get(element) == expected


def test_a_block_that_is_part_of_the_operation_is_asked_nothing(make_case, make_block):
    assert {element.status for element in documentation(make_case(make_block(surgeon=True)))} == {"not-applicable"}


def test_required_elements_come_first_and_each_once(make_case, make_block):
    case = make_case(make_block(), make_block(technique="intercostal", day="2026-03-03"))
    found = documentation(case)
    levels = [element.requirement for element in found]
    assert levels == sorted(levels, reverse=True)
    assert len({element.element for element in found}) == len(found)


def test_an_acute_block_is_not_asked_for_conservative_treatment(make_case, make_block):
    assert not {"conservative-treatment", "functional-scale"} & status(make_case(make_block())).keys()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        pytest.param(None, "missing", id="nothing said of earlier blocks"),
        pytest.param((False, "first block"), "not-applicable", id="the first block"),
        pytest.param((False, None), "missing", id="denied in other words"),
        pytest.param((True, "85 %"), "documented", id="the result of the one before"),
    ],
)
def test_a_first_diagnostic_block_has_no_earlier_one_to_respond_to(statement, expected, make_case, make_block):
    case = make_case(make_block("L3 L4", technique="facet", target="medial-branch", region="lumbar"))
    if statement is not None:
        said = Statement("prior-block-response", statement[0], case.chart.blocks[0].evidence[0], statement[1])
        case = replace(case, chart=replace(case.chart, statements=(said,)))
    assert status(case)["prior-block-response"] == expected
