"""Which questions a chart leaves open."""

from __future__ import annotations

import pytest

from cds_service.review.queries import queries


@pytest.mark.parametrize(
    ("block", "options", "asked"),
    [
        ({"levels": "", "count": (1, 2)}, {}, ("1", "2")),
        ({"levels": "", "count": (1, 3)}, {}, ("1", "2", "3")),
        ({"levels": "", "count": (2, 3)}, {}, None),  # one unit for all further sites either way
        ({"levels": "", "count": (2, 2)}, {}, None),
        ({"levels": "", "count": (1, None)}, {}, None),
        ({"levels": "", "count": (1, 2), "catheter": True}, {}, None),
        ({"levels": "", "count": (1, 2), "surgeon": True}, {}, None),
        ({"levels": "", "count": (1, 2)}, {"contradictions": ["levels"]}, None),
        ({"levels": "", "count": (2, 3), "technique": "intercostal"}, {}, ("2", "3")),
        ({"levels": "", "count": (1, 2), "technique": "fascial-plane"}, {}, None),
        ({"levels": "T4"}, {}, None),
    ],
)
def test_a_count_is_asked_for_where_it_changes_a_unit(block, options, asked, make_case, make_block):
    found = [query for query in queries(make_case(make_block(**block), **options)) if query.rule]
    assert [query.options[:-1] for query in found] == ([asked] if asked else [])


def test_both_sides_are_asked_for_once(make_case, make_block):
    (query,) = queries(make_case(make_block("", "bilateral", count=(1, 2))))
    assert "on each side" in query.question
    assert [evidence.quote for evidence in query.evidence] == ["sites"]


ONE_OF_EACH = ("a catheter on one side, a single injection on the other",)


@pytest.mark.parametrize("element", ["laterality", "levels", "technique", "catheter", "site-count", "consent"])
def test_a_contradiction_is_a_question_with_both_readings_and_a_way_out(element, make_case, make_block):
    (query,) = queries(make_case(make_block(), contradictions=[element]))
    assert query.question.endswith("?")
    assert query.options[:2] == ("one", "other")
    assert query.options[2:-1] == (ONE_OF_EACH if element == "catheter" else ())
    assert query.options[-1] == "Cannot be determined"
    assert [evidence.quote for evidence in query.evidence] == ["one", "other"]
