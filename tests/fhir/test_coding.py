"""CPT however it is labeled, and never where it is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.coding import CPT, SNOMED, CodedValue, canonical_system, concepts, cpt_codes, modifiers

CPT_SYSTEMS = [
    "http://www.ama-assn.org/go/cpt",
    "https://www.ama-assn.org/go/cpt",
    "http://ama-assn.org/go/cpt/",
    "HTTP://WWW.AMA-ASSN.ORG/GO/CPT",
    "http://www.ama-assn.org/go/cpt|2026",
    " http://www.ama-assn.org/go/cpt ",
    "urn:oid:2.16.840.1.113883.6.12",
    "2.16.840.1.113883.6.12",
    "http://terminology.hl7.org/CodeSystem/CPT",
    "CPT",
    "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "https://bluebutton.cms.gov/resources/codesystem/hcpcs",
    "urn:oid:2.16.840.1.113883.6.285",
    "",
    None,
]


def coded(code: Any, system: Any = CPT) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


@pytest.mark.parametrize("system", CPT_SYSTEMS)
def test_every_name_of_cpt(system: str | None) -> None:
    assert cpt_codes(coded("64461", system)) == (CodedValue("64461", "coding[0].code"),)


@pytest.mark.parametrize(
    "system",
    [SNOMED, "http://loinc.org", "http://example.org/charges", "urn:oid:2.16.840.1.113883.6.96", "urn:oid:1", "cptx"],
)
def test_other_systems_are_not_cpt(system: str) -> None:
    assert cpt_codes(coded("64461", system)) == ()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("64461", ("64461",)),
        (" 64461 ", ("64461",)),
        (64461, ("64461",)),
        ("0213T", ("0213T",)),
        ("0213t", ("0213T",)),
        ("64461-RT", ("64461", "RT")),
        ("64461:RT", ("64461", "RT")),
        ("64461,RT", ("64461", "RT")),
        ("64461 rt", ("64461", "RT")),
        ("64461-50-59", ("64461", "50", "59")),
        ("64461:50:59", ("64461", "50", "59")),
        ("64461-RT-RT", ("64461", "RT")),
    ],
)
def test_codes_with_modifiers(code: Any, expected: tuple[str, ...]) -> None:
    assert cpt_codes(coded(code)) == (CodedValue(expected[0], "coding[0].code", expected[1:]),)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "6446",
        "644610",
        "6446150",
        "644610001",
        "64461-",
        "64461-R",
        "64461-RTX",
        "64461 mL",
        "64461.0",
        "J0665",
        "A4550",
        "64461-64463",
        "64461\n64462",
        None,
        True,
        1.5,
        ["64461"],
        {},
    ],
    ids=repr,
)
def test_what_is_no_code(code: Any) -> None:
    assert cpt_codes(coded(code)) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("64461", [("64461", (), None)]),
        (" 64461\n", [("64461", (), None)]),
        ("CPT 64461", [("64461", (), None)]),
        ("cpt: 64461", [("64461", (), None)]),
        ("CPT® 64461", [("64461", (), None)]),
        ("CPT-4 64461", [("64461", (), None)]),
        ("CPT code 64461", [("64461", (), None)]),
        ("HCPCS 64461", [("64461", (), None)]),
        ("64461-RT", [("64461", ("RT",), None)]),
        ("64461 RT", [("64461", ("RT",), None)]),
        ("64461-RT-59 x3", [("64461", ("RT", "59"), 3)]),
        ("CPT: 64461 x2", [("64461", (), 2)]),
        ("64461 × 2", [("64461", (), 2)]),
        ("64461 - paravertebral block", [("64461", (), None)]),
        ("64461: paravertebral block", [("64461", (), None)]),
        ("Paravertebral block, right (CPT 64461)", [("64461", (), None)]),
        ("CPT 64461 paravertebral block, 20 mL", [("64461", (), None)]),
        ("CPT 64461 50 mg", [("64461", (), None)]),
        ("64461, 64462", [("64461", (), None), ("64462", (), None)]),
        (
            "CPT 64461-RT, 64462-RT x2 and 76942-26",
            [("64461", ("RT",), None), ("64462", ("RT",), 2), ("76942", ("26",), None)],
        ),
        ("CPT 64461/64462", [("64461", (), None), ("64462", (), None)]),
        ("CPT 64461 then CPT 64463", [("64461", (), None), ("64463", (), None)]),
    ],
)
def test_text_that_is_a_code(text: str, expected: list[Any]) -> None:
    found = cpt_codes({"text": text})
    assert [(value.code, value.modifiers, value.units) for value in found] == expected
    assert {value.path for value in found} == {"text"}


@pytest.mark.parametrize(
    "text",
    [
        "64461 mL",
        "64461 mg/kg",
        "64461 20",
        "64461 to",
        "MRN 644610001",
        "MRN 64461",
        "CPT 644610001",
        "CPT 64461.5",
        "CPT 64461-64463",
        "CPT 64461 to 64463",
        "64461-64463",
        "64461 - 64463",
        "64461-50 mg",
        "paravertebral block 64461",
        "room 64461, bed 2",
        "(64461)",
        "ACCPT 64461",
        "paravertebral block",
        "2026-03-02",
        "",
        " ",
        None,
        64461,
        ["64461"],
    ],
    ids=repr,
)
def test_text_that_is_no_code(text: Any) -> None:
    assert cpt_codes({"text": text}) == ()


def test_text_is_read_only_where_there_is_no_coding() -> None:
    assert [value.code for value in cpt_codes({**coded("64461"), "text": "CPT 64463"})] == ["64461"]
    assert [value.code for value in cpt_codes({**coded("1", SNOMED), "text": "CPT 64463"})] == ["64463"]


def test_a_code_under_two_systems_is_one_and_keeps_its_modifiers() -> None:
    codings = [{}, {"system": CPT, "code": "64461"}, {"system": CPT_SYSTEMS[-4], "code": "64461-RT"}, {"code": "64462"}]
    expected = (CodedValue("64461", "coding[2].code", ("RT",)), CodedValue("64462", "coding[3].code"))
    assert cpt_codes({"coding": codings}) == expected


def test_a_bare_coding_and_a_bare_string() -> None:
    assert cpt_codes({"system": CPT, "code": "64461"}) == (CodedValue("64461", "code"),)
    assert cpt_codes("64461") == (CodedValue("64461", "text"),)


def test_concepts_are_pairs_under_one_name_per_system() -> None:
    concept = {
        "coding": [
            {"system": SNOMED, "code": "1"},
            {"system": "http://snomed.info/sct/731000124108/version/20250301", "code": "2"},
            {"system": "urn:oid:2.16.840.1.113883.6.96", "code": " 3 "},
            {"system": "http://snomed.info/sct|2025", "code": "4"},
            {"system": "http://example.org/x", "code": "5"},
            {"system": CPT, "code": "64461"},
            {"code": "6"},
            {"system": SNOMED},
            {},
        ]
    }
    assert concepts(concept) == (*((SNOMED, each) for each in "1234"), ("http://example.org/x", "5"))


@pytest.mark.parametrize(
    ("system", "expected"), [(None, None), ("", None), (3, None), ("http://x.org|1", "http://x.org")]
)
def test_canonical_system(system: Any, expected: str | None) -> None:
    assert canonical_system(system) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([coded("RT"), coded("59", None)], ("RT", "59")),
        ([{"coding": [{"code": "RT"}, {"code": "50"}]}], ("RT", "50")),
        ([coded(" rt ")], ("RT",)),
        ([coded("RT"), coded("RT")], ("RT",)),
        ([{"text": "LT"}], ("LT",)),
        ([{"text": "left side"}, coded("left"), coded(""), coded(5), "RT", None], ()),
        (coded("RT"), ("RT",)),
        (None, ()),
    ],
)
def test_modifiers(value: Any, expected: tuple[str, ...]) -> None:
    assert modifiers(value) == expected


@given(st.text(alphabet="0123456789CPTXRTL -:,/.x×mand\n", max_size=40))
def test_any_text_is_read(words: str) -> None:
    for value in (*cpt_codes({"text": words}), *cpt_codes(coded(words))):
        assert value.code in words.upper()
        assert value.units is None or value.units > 0
