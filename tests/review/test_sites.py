"""How many sites the record supports on each side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.chart.model import Side, Site
from cds_service.review.sites import count_sites


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({}, [("right", 1, 1)]),
        ({"levels": "T4 T5"}, [("right", 2, 2)]),
        ({"levels": "T4 T4"}, [("right", 1, 1)]),
        ({"levels": "T4 T5", "side": None}, [(None, 2, 2)]),
        ({"levels": "", "side": None}, [(None, 1, None)]),
        ({"levels": "", "side": "left"}, [("left", 1, None)]),
        ({"levels": "T4", "side": "bilateral"}, [("right", 1, 1), ("left", 1, 1)]),
        ({"levels": "T4 T5", "left": "T4"}, [("right", 2, 2), ("left", 1, 1)]),
        ({"levels": "", "count": (3, 3)}, [("right", 3, 3)]),
        ({"levels": "T4 T5", "count": (1, 2)}, [("right", 1, 2)]),
        ({"levels": "T4 T5", "left": "T4", "count": (2, 2)}, [("right", 2, 2), ("left", 1, 1)]),
        ({"levels": "", "side": "bilateral", "count": (2, None)}, [("right", 2, None), ("left", 2, None)]),
    ],
)
def test_sites_by_side(block, expected, make_block):
    found = [(count.side and count.side.value, count.low, count.high) for count in count_sites(make_block(**block))]
    assert found == expected


def test_a_site_of_no_side_is_on_every_side_of_its_block(make_block):
    block = make_block("T4", "right")
    block = replace(block, sites=(*block.sites, Site("T5", None), Site(None, Side.RIGHT)))
    assert [(count.side, count.low) for count in count_sites(block)] == [(Side.RIGHT, 2)]


def test_each_count_has_words(make_block):
    for block in (make_block(), make_block("", None), make_block("T4 T5", "bilateral", count=(2, 2))):
        assert all(count.evidence for count in count_sites(block))
