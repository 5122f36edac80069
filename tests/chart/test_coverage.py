"""Which coverages count, in which order, and what they say."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.chart.coverage import coverages

DAY = date(2026, 3, 2)


def coverage(id_, **members):
    return {"resourceType": "Coverage", "id": id_, "status": "active", **members}


def names(record, **options):
    return [found.reference for found in coverages(record, **options)]


@pytest.mark.parametrize(
    ("members", "counts"),
    [
        ({}, True),
        ({"status": "cancelled"}, False),
        ({"status": "entered-in-error"}, False),
        ({"status": {"code": "cancelled"}}, True),
        ({"period": {"start": "2026-01-01", "end": "2026-12-31"}}, True),
        ({"period": {"end": "2025-12-31"}}, False),
        ({"period": {"start": "2026-04-01"}}, False),
        ({"period": "2020"}, True),
        ({"beneficiary": {"reference": "Patient/me"}}, True),
        ({"beneficiary": {"reference": "Patient/you"}}, False),
    ],
)
def test_a_coverage_in_force_of_the_patient_counts(members, counts, record_of):
    record = record_of(coverage("c", **members))
    assert names(record, patient="Patient/me", day=DAY) == (["Coverage/c"] if counts else [])


def test_without_a_day_or_a_patient_nothing_is_ruled_out(record_of):
    record = record_of(coverage("c", period={"end": "1999-01-01"}, beneficiary={"reference": "Patient/you"}))
    assert names(record) == ["Coverage/c"]


def test_whoever_pays_first_comes_first(record_of):
    record = record_of(
        coverage("none"), coverage("second", order=2), coverage("first", order="1"), coverage("odd", order=[])
    )
    assert names(record) == ["Coverage/first", "Coverage/second", "Coverage/none", "Coverage/odd"]


def test_the_words_of_a_coverage(record_of):
    record = record_of(
        {"resourceType": "Organization", "id": "cms", "name": "CMS"},
        coverage(
            "c",
            type={"coding": [{"code": "MCPOL", "display": "Managed care"}], "text": "Plan"},
            payor=[{"reference": "Organization/cms", "display": "Medicare"}, "odd", {"reference": "Organization/gone"}],
            **{"class": [{"name": "Gold", "value": "G1"}, {"name": 5}]},
        ),
    )
    assert coverages(record)[0].words == ("plan", "mcpol", "managed care", "medicare", "cms", "gold", "g1")
