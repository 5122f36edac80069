from datetime import date

import pytest

from cds_service.review.selection import select
from cds_service.review.words import block_words, blocks_words, joined, sites_words

DAY = date(2026, 3, 2)
NERVES = {"technique": "facet", "region": "lumbar", "target": "medial-branch"}
JOINTS = {"technique": "facet", "region": "lumbar", "target": "joint"}


@pytest.mark.parametrize(
    ("items", "text"), [([], ""), (["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "A", "C"], "A, B and C")]
)
def test_a_list_in_words(items, text):
    assert joined(items) == text


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ({}, "1 site on the right (T4)"),
        ({"levels": "T4 T5 T6", "side": "left"}, "3 sites on the left (T4, T5, T6)"),
        ({"levels": "T4 T5", "side": "bilateral"}, "2 sites on each side (T4, T5)"),
        ({"levels": "T4 T5", "left": "T4"}, "2 sites on the right (T4, T5) and 1 site on the left (T4)"),
        ({"side": None}, "1 site (T4)"),
        ({"levels": "", "count": (2, 3)}, "2 to 3 sites on the right"),
        ({"levels": ""}, "at least 1 site on the right"),
        ({"levels": "", "count": (2, None)}, "at least 2 sites on the right"),
        (NERVES | {"levels": "L3 L4 L5"}, "3 nerves on the right (L3, L4, L5) supply 2 joints (L4-L5, L5-S1)"),
        (
            NERVES | {"levels": "L3 L4", "side": "bilateral"},
            "2 nerves on each side (L3, L4) supply 1 joint (L4-L5)",
        ),
        (
            NERVES | {"levels": "L3 L4 L5", "side": "bilateral", "left": "L3 L4"},
            (
                "3 nerves on the right (L3, L4, L5) supply 2 joints (L4-L5, L5-S1) "
                "and 2 nerves on the left (L3, L4) supply 1 joint (L4-L5)"
            ),
        ),
        (NERVES | {"levels": "L4"}, "1 nerve on the right (L4) supplies at most 1 joint"),
        (NERVES | {"levels": "L4-L5 L5-S1"}, "2 joints on the right (L4-L5, L5-S1)"),
        (NERVES | {"levels": "L4-L5 L3 L4"}, "1 joint on the right (L4-L5, from L4-L5, L3, L4)"),
        (JOINTS | {"levels": "L3 L4 L5"}, "2 to 3 joints on the right (L3, L4, L5)"),
        (JOINTS | {"levels": "", "count": (2, 2)}, "2 joints on the right"),
    ],
)
def test_the_sites_of_a_block(block, text, make_block, knowledge):
    (selection,) = select([make_block(**block)], knowledge.on(DAY))
    assert sites_words(selection) == text


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ({}, "thoracic paravertebral block"),
        ({"region": None}, "paravertebral block"),
        ({"technique": "fascial-plane", "plane": "erector-spinae"}, "erector spinae plane block"),
        ({"technique": "facet", "region": "lumbar"}, "lumbar facet joint injection"),
        ({"technique": "other", "region": None, "target": "saphenous"}, "saphenous block"),
        ({"technique": "sympathetic", "region": "lumbar", "target": "celiac"}, "celiac plexus block"),
        (
            {"technique": "sympathetic", "region": "lumbar", "target": "thoracolumbar-chain"},
            "lumbar sympathetic block",
        ),
        ({"technique": "other", "region": None}, "block of another kind"),
    ],
)
def test_what_a_block_is_called(block, text, make_block):
    assert block_words(make_block(**block)) == text


def test_several_blocks_have_articles(make_block):
    blocks = (make_block(technique="intercostal", region=None), make_block())
    assert blocks_words(blocks) == "an intercostal block and a thoracic paravertebral block"
