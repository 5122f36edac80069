"""Levels and sides stated as body sites."""

from __future__ import annotations

import pytest

from cds_service.chart.body_sites import side_of, sites_of
from cds_service.fhir.bundle import entry_of

SNOMED = "http://snomed.info/sct"
RIGHT = {"coding": [{"system": SNOMED, "code": "24028007"}]}
T4 = {"coding": [{"system": SNOMED, "code": "73071006", "display": "Fourth thoracic vertebra"}]}


def entry(*sites):
    return entry_of({"resourceType": "Procedure", "id": "p", "bodySite": list(sites)})


def told(*sites):
    found = entry(*sites)
    side = side_of(found)
    return side.value.value if side else None, [
        (site.level, site.side.value if site.side else None) for site in sites_of(found, side)
    ]


@pytest.mark.parametrize(
    ("sites", "side", "expected"),
    [
        ([], None, []),
        ([T4], None, [("T4", None)]),
        ([T4, RIGHT], "right", [("T4", "right")]),
        ([{"text": "Right T4"}], "right", [("T4", "right")]),
        ([{"text": "T4 (right)"}, {"text": "T5, left-sided"}], "bilateral", [("T4", "right"), ("T5", "left")]),
        ([{"text": "right and left T4"}], "bilateral", [("T4", "right"), ("T4", "left")]),
        ([{"text": "bilateral T4"}], "bilateral", [("T4", "right"), ("T4", "left")]),
        ([{"text": "T4"}, {"text": "bilateral"}], "bilateral", [("T4", "right"), ("T4", "left")]),
        ([{"text": "both sides"}], "bilateral", []),
        ([{"text": "Rt T4"}], "right", [("T4", "right")]),
        ([{"text": "T4"}, {"text": "(L)"}], "left", [("T4", "left")]),
        ([{"text": "L4"}], None, [("L4", None)]),
        ([{"text": "R arm"}], None, []),
        ([{"text": "T5 paravertebral space (L)"}], "left", [("T5", "left")]),
        ([{"text": "Left T4, T5 and T6"}], "left", [("T4", "left"), ("T5", "left"), ("T6", "left")]),
        ([{"text": "Left T4-T6"}], "left", [("T4", "left"), ("T5", "left"), ("T6", "left")]),
        ([{"text": "upright sitting"}], None, []),
        ([{"text": ["T4"]}, "T5", None, {"coding": "T6"}, {"coding": [7]}], None, []),
        ([{"coding": [{"system": "http://loinc.org", "code": "73071006"}]}], None, []),
    ],
)
def test_sides_and_levels(sites, side, expected):
    assert told(*sites) == (side, expected)


def test_the_place_of_a_site_is_counted_as_it_stands():
    found = entry("not an object", {"text": "Right T4"})
    (site,) = sites_of(found, side_of(found))
    assert (site.evidence[0].path, site.evidence[0].quote) == ("bodySite[1]", "Right T4")
