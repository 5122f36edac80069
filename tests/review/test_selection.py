"""Which family and scheme a documented block is coded by."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.review.selection import select


@pytest.mark.parametrize(
    ("block", "day", "family", "primary"),
    [
        ({}, "2026-03-02", "paravertebral", "64461"),
        ({"catheter": True}, "2026-03-02", "paravertebral", "64463"),
        ({"catheter": False}, "2026-03-02", "paravertebral", "64461"),
        ({"region": None}, "2026-03-02", "paravertebral", "64461"),
        ({"region": "lumbar", "levels": "L1"}, "2026-03-02", "paravertebral", "64461"),
        ({"region": "lumbar", "levels": "T12-L1"}, "2026-03-02", "paravertebral", "64461"),
        ({"region": "lumbar", "levels": "L3"}, "2026-03-02", None, None),
        ({"region": "lumbar", "levels": ""}, "2026-03-02", None, None),
        ({"region": "cervical", "levels": "C5"}, "2026-03-02", None, None),
        ({}, "2015-06-01", None, None),
        ({"technique": "fascial-plane", "plane": "pecs"}, "2024-06-01", "fascial-plane", "64999"),
        ({"technique": "fascial-plane", "plane": "pecs"}, "2025-06-01", "fascial-plane", "64466"),
        ({"technique": "fascial-plane", "plane": "pecs", "catheter": True}, "2025-06-01", "fascial-plane", "64467"),
        ({"technique": "fascial-plane"}, "2025-06-01", "fascial-plane", "64466"),
        ({"technique": "fascial-plane", "plane": "quadratus-lumborum"}, "2025-06-01", "unlisted-plane", "64999"),
        ({"technique": "fascial-plane", "plane": "retrolaminar"}, "2025-06-01", None, None),
        ({"technique": "intercostal", "region": None}, "2026-03-02", "intercostal", "64420"),
        ({"technique": "intercostal", "catheter": True}, "2026-03-02", None, None),
        ({"technique": "trigger-point", "levels": "trapezius"}, "2026-03-02", "trigger-point", "20552"),
        ({"technique": "other"}, "2026-03-02", None, None),
    ],
)
def test_how_a_block_is_coded(block, day, family, primary, knowledge, make_block):
    found = select([make_block(**block)], knowledge.on(date.fromisoformat(day)))
    assert [(one.family.id, one.scheme.primary) for one in found] == ([(family, primary)] if family else [])
