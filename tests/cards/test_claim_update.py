import copy
import json
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from fhir.resources.R4B.claim import Claim
from hypothesis import given
from hypothesis import strategies as st

from cds_service.cards.claim_update import correctable, corrected
from cds_service.chart.model import ClaimFacts, Line

CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
JUDGED = frozenset({"64461", "64462", "64463", "64466", "76942"})


def key(line: Any) -> tuple[Any, ...]:
    return line.code, line.units, tuple(sorted(line.modifiers))


def judged_lines(make: Any, resource: dict[str, Any]) -> Counter[tuple[Any, ...]]:
    return Counter(key(line) for line in make.read(resource) if line.code in JUDGED)


@pytest.mark.parametrize(
    ("claimed", "expected", "codes"),
    [
        (["64462 x3"], ["64461-RT", "64462-RT"], ["64462", "64461"]),
        (["00540-AA x7", "64461", "99232"], ["64461-RT"], ["00540", "64461", "99232"]),
        (["64461-RT", "76942-26"], ["64461-RT"], ["64461"]),
        (["64461", "00540", "64461"], ["64461-50"], ["64461", "00540"]),
        (["64461-59"], ["64466-RT-59"], ["64466"]),
        (["00540"], ["64461-RT"], ["00540", "64461"]),
        ([], ["64461-RT"], ["64461"]),
        (["00540", "64461"], [], ["00540"]),
        (["64461-RT"], ["64461-RT"], ["64461"]),
    ],
)
def test_block_lines_become_the_expected_ones(
    make: Any, claimed: list[str], expected: list[str], codes: list[str]
) -> None:
    claim = make.claim(*claimed)
    before = copy.deepcopy(claim.resource)
    wanted = [make.want(text) for text in expected]
    after = corrected(claim, wanted, JUDGED)
    assert judged_lines(make, after) == Counter(map(key, wanted))
    assert [line.code for line in make.read(after)] == codes
    assert {n: m for n, m in after.items() if n != "item"} == {n: m for n, m in before.items() if n != "item"}
    assert claim.resource == before, "the Claim that came in is not touched"


def test_a_claim_left_without_lines_has_no_item(make: Any) -> None:
    assert "item" not in corrected(make.claim("64461"), [], JUDGED)


def test_a_new_line_shares_what_the_block_line_beside_it_has(make: Any) -> None:
    claim = make.claim("99232", "64461", "76942")
    claim.resource["item"][1] |= {"unitPrice": {"value": 300}, "net": {"value": 300}, "bodySite": {"text": "right"}}
    new = corrected(claim, [make.want("64461"), make.want("64462")], JUDGED)["item"][-1]
    assert new == {
        "sequence": 4,
        "productOrService": {"coding": [{"system": CPT, "code": "64462"}]},
        "careTeamSequence": [1],
        "diagnosisSequence": [2],
        "servicedDate": "2026-03-02",
        "locationCodeableConcept": {"coding": [{"code": "22"}]},
        "quantity": {"value": 1},
    }


@pytest.mark.parametrize("member", ["servicedDate", "servicedPeriod"])
def test_a_new_line_of_another_day_has_its_own_date(make: Any, member: str) -> None:
    claim = make.claim("64461")
    item = claim.resource["item"][0]
    del item["servicedDate"]
    item[member] = "2026-03-01" if member == "servicedDate" else {"start": "2026-03-01", "end": "2026-03-01"}
    claim = make.facts(claim.resource)
    expected = [make.want("64461", day=date(2026, 3, 1)), make.want("64461")]
    new = corrected(claim, expected, JUDGED)["item"][1]
    assert new["servicedDate"] == "2026-03-02"
    assert "servicedPeriod" not in new


def test_a_claim_without_a_block_line_gets_a_sensible_minimum(make: Any) -> None:
    claim = make.claim("00540")
    assert corrected(claim, [make.want("64461-RT-59")], JUDGED)["item"][1] == {
        "sequence": 2,
        "productOrService": {"coding": [{"system": CPT, "code": "64461"}]},
        "modifier": [{"coding": [{"system": HCPCS, "code": "RT"}]}, {"coding": [{"system": CPT, "code": "59"}]}],
        "servicedDate": "2026-03-02",
        "quantity": {"value": 1},
    }


@pytest.mark.parametrize(
    ("existing", "rt", "fifty_nine"),
    [
        ({}, HCPCS, CPT),
        ({"AA": "urn:site"}, "urn:site", "urn:site"),
        ({"AA": HCPCS}, HCPCS, CPT),
        ({"51": CPT}, HCPCS, CPT),
        ({"AA": "urn:hcpcs", "51": "urn:cpt"}, "urn:hcpcs", "urn:cpt"),
    ],
)
def test_new_modifiers_take_the_systems_the_claim_uses(
    make: Any, existing: dict[str, str], rt: str, fifty_nine: str
) -> None:
    claim = make.claim("00540", "64461")
    claim.resource["item"][0]["modifier"] = [{"coding": [{"system": s, "code": c}]} for c, s in existing.items()]
    after = corrected(make.facts(claim.resource), [make.want("64461-RT-59")], JUDGED)
    systems = [concept["coding"][0]["system"] for concept in after["item"][1]["modifier"]]
    assert systems == [rt, fifty_nine]


def test_modifiers_that_stay_keep_their_form(make: Any) -> None:
    claim = make.claim("64461-59-AA")
    written = {"coding": [{"system": "urn:site", "code": "AA", "display": "in person"}], "text": "AA"}
    claim.resource["item"][0]["modifier"][1] = written
    after = corrected(claim, [make.want("64461-RT-AA")], JUDGED)["item"][0]["modifier"]
    assert [concept["coding"][0]["code"] for concept in after] == ["RT", "AA"]
    assert after[1] == written


@pytest.mark.parametrize(
    ("written", "after"),
    [
        (
            {"coding": [{"system": CPT, "code": "64461-LT"}], "text": "64461-LT"},
            {"coding": [{"system": CPT, "code": "64461"}], "text": "64461"},
        ),
        (
            {"coding": [{"system": CPT, "code": "64461:LT"}], "text": "left block"},
            {"coding": [{"system": CPT, "code": "64461"}], "text": "left block"},
        ),
        ({"text": "CPT 64461-LT x2"}, {"text": "64461"}),
        ({"coding": [{"code": "64461"}], "text": "PVB 64461"}, {"coding": [{"code": "64461"}], "text": "PVB 64461"}),
    ],
)
def test_modifiers_written_behind_the_code_move_to_their_place(
    make: Any, written: dict[str, Any], after: dict[str, Any]
) -> None:
    claim = make.claim("64461")
    claim.resource["item"][0]["productOrService"] = written
    facts = ClaimFacts("Claim/7", claim.resource, (Line("64461", 1, ("LT",), "Claim/7", "item[0]"),))
    item = corrected(facts, [make.want("64461-RT")], JUDGED)["item"][0]
    assert item["productOrService"] == after
    assert [concept["coding"][0]["code"] for concept in item["modifier"]] == ["RT"]


def test_units_that_were_in_words_become_a_quantity(make: Any) -> None:
    claim = make.claim("64461")
    claim.resource["item"][0] = {"sequence": 1, "productOrService": {"text": "CPT 64461-LT x2"}}
    facts = ClaimFacts("Claim/7", claim.resource, (Line("64461", 2.0, ("LT",), "Claim/7", "item[0]"),))
    assert corrected(facts, [make.want("64461-RT x2")], JUDGED)["item"][0]["quantity"] == {"value": 2}


def test_what_is_no_modifier_to_the_review_is_not_lost(make: Any) -> None:
    claim = make.claim("64461-LT")
    odd = [{"text": "see note"}, {"coding": [{"system": "urn:site", "code": "LONG-ONE"}]}]
    claim.resource["item"][0]["modifier"] += odd
    facts = ClaimFacts("Claim/7", claim.resource, (Line("64461", 1, ("LT",), "Claim/7", "item[0]"),))
    modifiers = corrected(facts, [make.want("64461-RT")], JUDGED)["item"][0]["modifier"]
    assert modifiers[0]["coding"][0]["code"] == "RT"
    assert modifiers[1:] == odd


@pytest.mark.parametrize(
    ("members", "net"),
    [
        ({"unitPrice": {"value": 150.1, "currency": "USD"}, "net": {"value": 450.3, "currency": "USD"}}, 150.1),
        ({"unitPrice": {"value": 100}, "factor": 0.5, "net": {"value": 150}}, 50),
        ({"unitPrice": {"value": 100}}, 100),
        ({"net": {"value": 450}}, None),
        ({}, None),
        ({"unitPrice": {"value": 100}, "net": {"value": 9}, "detail": [{"sequence": 1}]}, None),
        ({"unitPrice": "odd", "net": {"value": 9}}, None),
    ],
)
def test_prices_follow_the_units(make: Any, members: dict[str, Any], net: float | None) -> None:
    claim = make.claim("64461 x3")
    claim.resource["item"][0] |= members
    item = corrected(claim, [make.want("64461")], JUDGED)["item"][0]
    assert item["quantity"] == {"value": 1}
    assert item.get("net", {}).get("value") == net


@pytest.mark.parametrize(
    ("claimed", "nets", "expected", "total"),
    [
        (["64461-RT", "76942"], [300, 80], ["64461-RT"], 300),
        (["64461-RT", "76942"], [None, 80], ["64461-RT"], None),
        (["64461-RT"], [300], ["64461-RT", "64462-RT"], None),
        (["64461", "99232"], [300, 99.5], ["64461-RT"], 1000),
        (["64461"], [300], [], None),
    ],
)
def test_the_total_is_right_or_left_out(
    make: Any, claimed: list[str], nets: list[float | None], expected: list[str], total: float | None
) -> None:
    claim = make.claim(*claimed, total={"value": 1000, "currency": "USD"})
    for item, net in zip(claim.resource["item"], nets, strict=True):
        item.update({"net": {"value": net, "currency": "USD"}} if net else {})
    after = corrected(claim, [make.want(text) for text in expected], JUDGED)
    assert after.get("total") == ({"value": total, "currency": "USD"} if total else None)


def test_a_total_in_two_currencies_is_left_out(make: Any) -> None:
    claim = make.claim("64461 x2", "99232", total={"value": 5})
    claim.resource["item"][0] |= {"unitPrice": {"value": 2, "currency": "EUR"}}
    claim.resource["item"][1] |= {"net": {"value": 3, "currency": "USD"}}
    assert "total" not in corrected(claim, [make.want("64461")], JUDGED)


def test_a_quantity_keeps_its_unit(make: Any) -> None:
    claim = make.claim("64462 x3")
    claim.resource["item"][0]["quantity"] |= {"unit": "UN", "system": "urn:x12"}
    item = corrected(claim, [make.want("64462")], JUDGED)["item"][0]
    assert item["quantity"] == {"value": 1, "unit": "UN", "system": "urn:x12"}


def test_empty_members_are_not_passed_on(make: Any) -> None:
    claim = make.claim("64461")
    claim.resource.update(
        {"total": None, "supportingInfo": [], "provider": {"display": "", "reference": "Organization/1"}}
    )
    claim.resource["item"].append({})
    after = corrected(claim, [make.want("64461-RT")], JUDGED)
    assert "total" not in after
    assert "supportingInfo" not in after
    assert after["provider"] == {"reference": "Organization/1"}
    assert len(after["item"]) == 1


@pytest.mark.parametrize("path", ["item[0].detail[0]", "item[5]", "item", ""])
def test_a_line_that_is_no_item_of_its_own_cannot_be_corrected(make: Any, path: str) -> None:
    claim = make.claim("64461")
    facts = ClaimFacts("Claim/7", claim.resource, (Line("64461", 2, (), "Claim/7", path),))
    assert not correctable(facts, facts.lines)
    with pytest.raises(ValueError, match="not an item"):
        corrected(facts, [], JUDGED)


@pytest.mark.parametrize("members", [{"id": None}, {"resourceType": "ClaimResponse"}, {"item": None}])
def test_a_claim_a_client_could_not_update_is_not_correctable(make: Any, members: dict[str, Any]) -> None:
    claim = make.claim("64461")
    assert correctable(claim, claim.lines)
    assert not correctable(replace(claim, valid=False), claim.lines)
    assert not correctable(ClaimFacts("Claim/7", make.claim("64461", **members).resource, claim.lines), claim.lines)


def texts(codes: list[str]) -> st.SearchStrategy[list[str]]:
    modifiers = st.lists(st.sampled_from(["RT", "LT", "50", "59", "XU", "26", "AA", "QZ"]), unique=True, max_size=3)
    line = st.builds(
        lambda code, mods, units: f"{'-'.join([code, *mods])} x{units}",
        st.sampled_from(codes),
        modifiers,
        st.integers(min_value=1, max_value=4),
    )
    return st.lists(line, max_size=6)


PRICES = st.lists(st.sampled_from([{}, {"unitPrice": {"value": 99.9}}, {"net": {"value": 5}}]), min_size=6, max_size=6)


@given(texts([*sorted(JUDGED), "00540", "99232"]), texts(sorted(JUDGED)), PRICES, st.booleans())
def test_any_claim_becomes_exactly_the_expected_lines(
    make: Any, claimed: list[str], expected: list[str], prices: list[dict[str, Any]], totaled: bool
) -> None:
    claim = make.claim(*claimed, **({"total": {"value": 10}} if totaled else {}))
    for item, price in zip(claim.resource.get("item", []), prices, strict=False):
        item.update(copy.deepcopy(price))
    Claim.model_validate(claim.resource)
    wanted = [make.want(text) for text in expected]
    after = corrected(claim, wanted, JUDGED)
    Claim.model_validate(after)
    assert judged_lines(make, after) == Counter(map(key, wanted))
    others = [
        [
            json.dumps(item)
            for item in resource.get("item", [])
            if item["productOrService"]["coding"][0]["code"] not in JUDGED
        ]
        for resource in (claim.resource, after)
    ]
    assert others[0] == others[1]
    sequences = [item["sequence"] for item in after.get("item", [])]
    assert len(set(sequences)) == len(sequences)
    assert corrected(make.facts(after), wanted, JUDGED) == after, "correcting again changes nothing"
