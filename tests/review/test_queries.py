"""Which questions a chart leaves open."""

from __future__ import annotations

from dataclasses import replace

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


MUSCLES = {"technique": "trigger-point", "region": None}
SYMPATHETIC = {"technique": "sympathetic", "region": None, "levels": ""}
NERVES = {"technique": "facet", "region": "lumbar", "target": "medial-branch"}
SPACE_OR_CHAIN = ("the paravertebral space", "the sympathetic chain")


@pytest.mark.parametrize(
    ("block", "options", "question", "offered"),
    [
        pytest.param(
            MUSCLES | {"levels": ""},
            {},
            "The record does not say how many muscles were injected. How many were there, and which?",
            ("2 or fewer", "3 or more"),
            id="no muscle named",
        ),
        pytest.param(
            MUSCLES | {"levels": "", "count": (2, 3)},
            {},
            "The note can be read as 2 or 3 muscles. How many muscles were injected, and which?",
            ("2", "3"),
            id="a number of muscles left open",
        ),
        pytest.param(MUSCLES | {"levels": "", "count": (3, None)}, {}, None, (), id="three muscles or more: decided"),
        pytest.param(MUSCLES | {"levels": "trapezius"}, {}, None, (), id="a muscle named"),
        pytest.param(
            NERVES | {"target": "joint", "levels": "L3 L4 L5"},
            {},
            "The note can be read as 2 or 3 joints. How many joints were treated, and which?",
            ("2", "3"),
            id="levels that are joints or nerves",
        ),
        pytest.param(
            NERVES | {"levels": "L4-L5 L2 L3"},
            {},
            "The record names L4-L5 and the nerves L2 and L3, which supply L3-L4. Which joints were treated?",
            ("L4-L5", "L3-L4", "all of these joints"),
            id="joints the nerves do not supply",
        ),
        pytest.param(NERVES | {"levels": "L4-L5 L5-S1 L4 L5"}, {}, None, (), id="joints, and not all of their nerves"),
        pytest.param(NERVES | {"levels": "L4-L5 L3 L4"}, {}, None, (), id="a joint and its own nerves"),
        pytest.param(
            SYMPATHETIC,
            {},
            "The record leaves open which of these blocks it was. Which one was done?",
            (
                "Celiac plexus or splanchnic block",
                "Ganglion impar block",
                "Superior hypogastric plexus block",
                "Stellate ganglion block",
                "Lumbar or thoracic sympathetic chain block",
            ),
            id="no sympathetic target",
        ),
        pytest.param(
            NERVES | {"region": None, "levels": ""},
            {},
            "The record leaves open which of these blocks it was. Which one was done?",
            (
                "Cervical or thoracic facet joint injection or medial branch block",
                "Lumbar or sacral facet joint injection or medial branch block",
            ),
            id="no region",
        ),
        pytest.param(
            {},
            {"claim": "64520-RT"},
            "The record does not settle what the needle was aimed at. Which structure was injected?",
            SPACE_OR_CHAIN,
            id="the chain's code for a block without a purpose",
        ),
        pytest.param({"purpose": "trauma-analgesia"}, {"claim": "64520-RT"}, None, (), id="the purpose tells"),
        pytest.param({"target": "paravertebral-space"}, {"claim": "64520-RT"}, None, (), id="the target is stated"),
        pytest.param({}, {"claim": "64510-RT"}, None, (), id="the code of a ganglion elsewhere"),
        pytest.param({}, {"claim": "64461-RT, 64520-RT"}, None, (), id="its own code is reported as well"),
        pytest.param({}, {"claim": "64520-RT", "operation": True}, None, (), id="the operation tells"),
        pytest.param({}, {"claim": "64461-RT"}, None, (), id="not every paravertebral block is asked about"),
        pytest.param(
            {"region": "lumbar", "levels": "L2 L3"},
            {},
            "The record does not settle what the needle was aimed at. Which structure was injected?",
            SPACE_OR_CHAIN,
            id="beside the lumbar spine",
        ),
        pytest.param({}, {"day": "2015-12-31"}, None, (), id="before its code existed"),
        pytest.param({"technique": "other", "region": None}, {}, None, (), id="a block of whatever kind"),
        pytest.param({"region": "cervical", "levels": "C5"}, {}, None, (), id="no code and no chain there"),
        pytest.param(SYMPATHETIC, {"contradictions": ["technique"]}, None, (), id="asked as a contradiction"),
        pytest.param(SYMPATHETIC | {"surgeon": True}, {}, None, (), id="not reported at all"),
    ],
)
def test_what_the_record_leaves_open_is_asked_in_neutral_words(
    block, options, question, offered, make_case, make_block
):
    found = [query for query in queries(make_case(make_block(**block), **options)) if query.rule]
    assert [(query.question, query.options) for query in found] == (
        [(question, (*offered, "Cannot be determined"))] if question else []
    )
    assert all(query.evidence for query in found)


def test_nerves_and_joints_that_do_not_fit_are_no_finding(make_case, make_block, found):
    block = make_block("L4-L5 L2 L3", technique="facet", region="lumbar", target="medial-branch")
    for claim in ("64493-RT", "64493-RT, 64494-RT"):
        assert found(make_case(block, claim=claim)) == {}


@pytest.mark.parametrize(
    ("block", "done", "ordered"),
    [
        pytest.param(
            {"count": (1, 2)},
            "The note can be read as 1 or 2 sites. How many sites were injected?",
            "The order can be read as 1 or 2 sites. How many sites are to be injected?",
            id="sites",
        ),
        pytest.param(
            {"region": "lumbar", "levels": "L2 L3"},
            "The record does not settle what the needle was aimed at. Which structure was injected?",
            "The record does not settle what the needle is to be aimed at. Which structure is to be injected?",
            id="target",
        ),
    ],
)
def test_of_what_is_ordered_a_question_is_about_what_is_to_come(make_case, make_block, block, done, ordered):
    case = make_case(make_block(**block))
    assert [query.question for query in queries(case)] == [done]
    assert [query.question for query in queries(replace(case, ordered=True))] == [ordered]
