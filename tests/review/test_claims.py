"""Which Claim is judged, and which of its lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cds_service.chart.model import Chart, ClaimFacts, Line
from cds_service.review.claims import reported

JUDGED = frozenset({"64461", "64462", "64420", "76942"})


def facts(name, codes, kind="professional", provider=None):
    lines = tuple(
        Line(code.split("-")[0], 1, tuple(code.split("-")[1:]), f"Claim/{name}", f"item[{n}]")
        for n, code in enumerate(codes.split())
    )
    return ClaimFacts(f"Claim/{name}", {}, lines, kind, provider)


@pytest.fixture
def judge(knowledge, make_block):
    def run(*claims, performers=()):
        block = replace(make_block(), performers=performers)
        chart = Chart("Encounter/1", date(2026, 3, 2), blocks=(block,), claims=claims)
        return reported(chart, knowledge.on(date(2026, 3, 2)), JUDGED)

    return run


@pytest.mark.parametrize(
    ("claims", "judged", "corrected"),
    [
        ([], [], None),
        ([facts("a", "64461 00540")], ["64461"], "Claim/a"),
        ([facts("a", "99213")], [], "Claim/a"),
        ([facts("a", "64461"), facts("b", "99213")], ["64461"], "Claim/a"),
        ([facts("a", "64461"), facts("b", "64461", "institutional")], ["64461"], "Claim/a"),
        ([facts("a", "64461", "institutional")], ["64461"], "Claim/a"),
        ([facts("a", "64461", None)], ["64461"], "Claim/a"),
        ([facts("a", "64461"), facts("b", "64462")], ["64461", "64462"], None),
        ([facts("a", "99213"), facts("b", "00540")], [], "Claim/b"),
        ([facts("a", "99213"), facts("b", "99214")], [], None),
        ([facts("a", "64461 76942")], ["64461", "76942"], "Claim/a"),
        ([facts("a", "64461 76942-59")], ["64461"], "Claim/a"),
    ],
)
def test_the_claim_and_the_lines_that_are_judged(claims, judged, corrected, judge):
    found = judge(*claims)
    assert [line.code for line in found.lines] == judged
    assert (found.claim and found.claim.reference) == corrected


def test_several_claims_with_block_lines_are_named(judge):
    (said,) = judge(facts("a", "64461"), facts("b", "64462")).not_checked
    assert "Claim/a, Claim/b" in said.reason


def test_the_claim_of_a_facility_beside_that_of_the_practitioner_is_named(judge):
    (said,) = judge(facts("a", "64461"), facts("b", "64461", "institutional")).not_checked
    assert said.reason.startswith("Claim/b ")
    assert judge(facts("b", "64461", "institutional")).not_checked == ()


def test_the_block_belongs_on_the_claim_of_whoever_did_it(judge):
    surgeon, gas = (facts(name, "99213", provider=f"Practitioner/{name}") for name in ("surgeon", "gas"))
    assert judge(surgeon, gas, performers=("Practitioner/gas",)).claim is gas
    assert judge(surgeon, performers=("Practitioner/gas",)).claim is None


def test_anesthesia_on_another_claim_is_seen(judge):
    found = judge(facts("a", "64461"), facts("b", "00540 99213"))
    assert [line.code for line in found.other_lines] == ["00540"]
