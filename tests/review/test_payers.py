"""The same block on both sides, in the form each payer takes it: reported so, no rule speaks."""

from __future__ import annotations

import pytest

FACET = {"technique": "facet", "region": "lumbar", "levels": "L3-L4 L4-L5", "purpose": "diagnostic"}
PARAVERTEBRAL = {"levels": "T4 T5"}
WITH_50 = (["64493-50 x1", "64494-50 x1"], ["64461-50 x1", "64462-50 x1"])


@pytest.mark.parametrize(
    ("profile", "facet", "paravertebral"),
    [
        ("default", *WITH_50),
        ("uhc", *WITH_50),
        ("aetna", *WITH_50),
        ("cigna", *WITH_50),
        ("bcbs", *WITH_50),
        ("medicare", ["64493-50-KX x1", "64494-50-KX x1"], WITH_50[1]),
        (
            "medicare-asc-facility",
            ["64493-RT-KX x1", "64493-LT-KX x1", "64494-RT-KX x1", "64494-LT-KX x1"],
            ["64461-RT x1", "64461-LT x1", "64462-RT x1", "64462-LT x1"],
        ),
        ("cpt", ["64493-50 x1", "64494 x2"], ["64461-50 x1", "64462 x2"]),
    ],
)
def test_both_sides_in_the_form_of_the_payer(profile, facet, paravertebral, make_case, make_block, every_finding):
    for block, lines in ((FACET | {"guidance": ["fluoroscopy"]}, facet), (PARAVERTEBRAL, paravertebral)):
        done = make_block(**block, side="bilateral")
        expected = make_case(done, claim=None, profile=profile).expected
        assert [f"{'-'.join((line.code, *line.modifiers))} x{line.units}" for line in expected] == lines
        assert every_finding(make_case(done, claim=", ".join(lines), profile=profile)) == []
