from dataclasses import replace

import pytest

from cds_service.knowledge import diagnoses as icd
from cds_service.knowledge.library import load
from cds_service.knowledge.model import DiagnosisGroup
from cds_service.review import engine
from cds_service.review.assessment import Severity
from cds_service.review.rules import find_rule

RULE = "diagnosis-support"
RIGHT = {"claim": "64461-RT"}
LEFT_BLOCK = {"side": "left"}
BOTH = {"side": "bilateral"}
RELEASE = icd.edition().label


@pytest.mark.parametrize(
    ("block", "options"),
    [
        pytest.param({}, {}, id="no diagnosis known: nothing is asked for"),
        pytest.param({}, {"diagnoses": "S22.41XA"}, id="the side of the block"),
        pytest.param({}, {"diagnoses": "s2241xa"}, id="written without a dot"),
        pytest.param({}, {"diagnoses": "S22.43XA"}, id="a diagnosis of both sides"),
        pytest.param({}, {"diagnoses": "S22.41XA S22.42XA"}, id="one of each side"),
        pytest.param({}, {"diagnoses": "S22.41XA S22.49XA"}, id="the side in one, open in another"),
        pytest.param({}, {"diagnoses": "G89.18 R07.82 G58.0 I10"}, id="no side in them"),
        pytest.param({}, {"diagnoses": "S22.41XA S52.501A"}, id="a wrist of the other side beside"),
        pytest.param({}, {"diagnoses": "S52.502A"}, id="a wrist only: sides of limbs are not compared"),
        pytest.param({}, {"diagnoses": "I50.1"}, id="the left ventricle"),
        pytest.param({"side": None}, {"diagnoses": "S22.42XA"}, id="no side documented"),
        pytest.param(BOTH, {"claim": "64461-50", "diagnoses": "S22.42XA"}, id="both sides documented"),
        pytest.param({}, {"diagnoses": "S22.42XA", "contradictions": ["laterality"]}, id="the side is asked"),
        pytest.param({}, {"diagnoses": "S22.42XA ?"}, id="another diagnosis that cannot be read may fit"),
        pytest.param({}, {"diagnoses": "S22.42XA snomed:1"}, id="another one in SNOMED CT may fit"),
        pytest.param({}, {"diagnoses": "snomed:1 ?"}, id="other systems are ignored"),
        pytest.param({}, {"diagnoses": "S22.41XA S22.42XA", "points": ["S22.41XA"]}, id="points to its side"),
        pytest.param({}, {"diagnoses": "S22.41XA S22.4", "points": ["S22.41XA"]}, id="points past the heading"),
        pytest.param({}, {"diagnoses": "S22.42XA snomed:1", "points": ["snomed:1"]}, id="points to SNOMED CT"),
        pytest.param({}, {"conditions": "S22.41XA"}, id="a Condition of the side of the block"),
        pytest.param({}, {"conditions": "S22.42XA ?"}, id="a Condition of the other side beside an unread one"),
        pytest.param({}, {"diagnoses": "S22.41XA", "conditions": "S22.4"}, id="Conditions beside a Claim that says"),
        pytest.param({}, {"claim": "99213", "diagnoses": "S22.4"}, id="no block line"),
        pytest.param({}, {"claim": "76942", "diagnoses": "S22.4"}, id="imaging only"),
        pytest.param({}, {"claim": "", "conditions": "S22.42XA"}, id="no line"),
        pytest.param({}, {"claim": None, "conditions": "S22.42XA"}, id="no Claim"),
        pytest.param({}, {"claim": None, "orders": "64461", "conditions": "S22.4"}, id="orders"),
    ],
)
def test_silent(block, options, judge):
    assert judge(RULE, block, **(RIGHT | options)) == []


@pytest.mark.parametrize(
    ("diagnoses", "message"),
    [
        ("S22.4", f"The diagnosis S22.4 is a heading of ICD-10-CM that lacks characters to be reported ({RELEASE}"),
        ("S22.41", "The diagnosis S22.41 is a heading"),
        ("M54.5", "The diagnosis M54.5 is a heading"),
        ("S2241", "The diagnosis S22.41 is a heading"),
        ("S22.41XZ", f"The diagnosis S22.41XZ is no code of ICD-10-CM ({RELEASE}"),
        ("S22.99XA G89.18", "The diagnosis S22.99XA is no code"),
        ("pain", "The diagnosis PAIN is no code"),
        ("S22.4 snomed:1 ?", "The diagnosis S22.4 is a heading"),
    ],
)
def test_a_code_that_cannot_be_reported_is_a_warning(diagnoses, message, judge):
    (finding,) = judge(RULE, {}, **RIGHT, diagnoses=diagnoses)
    assert finding.message.startswith(message)
    assert finding.severity is Severity.WARNING
    assert [evidence.quote for evidence in finding.evidence] == [diagnoses.split()[0]]
    assert {source.id for source in finding.citations} == {"nchs-icd-10-cm-2026", "cms-icd-10-cm-guidelines-2026"}


def test_each_code_is_named_once_with_the_lines_that_point_to_it(judge):
    block = {"levels": "T4 T5"}
    lines = {"claim": "64461-RT, 64462-RT", "diagnoses": "S22.41 S22.4 G89.18", "points": ["S22.41", "S22.41 S22.4"]}
    first, second = judge(RULE, block, **lines)
    assert (first.codes, second.codes) == (("S22.41",), ("S22.4",))
    assert [evidence.path for evidence in first.evidence[1:]] == [
        "item[0].productOrService",
        "item[1].productOrService",
    ]
    assert [evidence.path for evidence in second.evidence[1:]] == ["item[1].productOrService"]


@pytest.mark.parametrize("day", ["2025-09-30", "2026-10-01", "2019-03-02"])
def test_outside_the_year_of_the_release_a_doubtful_code_is_advice(day, judge):
    (finding,) = judge(RULE, {"day": day}, **RIGHT, diagnoses="M54.5", day=day)
    assert finding.severity is Severity.INFO
    assert f"not that of {day}" in finding.message


def test_a_code_of_a_condition_is_not_what_is_billed(judge):
    (finding,) = judge(RULE, {}, **RIGHT, conditions="S22.4")
    assert finding.severity is Severity.INFO
    assert [evidence.reference for evidence in finding.evidence] == ["Condition/0"]


@pytest.mark.parametrize(
    ("block", "options", "message"),
    [
        pytest.param(
            {},
            {"diagnoses": "S22.42XA"},
            "diagnosis S22.42XA names the left; the record documents the block on the right",
        ),
        pytest.param(
            {}, {"diagnoses": "G89.18 C50.912"}, "diagnosis C50.912 names the left", id="beside one without a side"
        ),
        pytest.param({}, {"diagnoses": "C34.12+snomed:1"}, "diagnosis C34.12 names the left", id="coded twice"),
        pytest.param(
            LEFT_BLOCK, {"claim": "64461-LT", "diagnoses": "S22.31XA"}, "diagnosis S22.31XA names the right", id="left"
        ),
        pytest.param({}, {"diagnoses": "S22.42XA S20.212A"}, "diagnoses S22.42XA and S20.212A name the left", id="two"),
        pytest.param({}, {"diagnoses": "S22.42XA S22.49XA"}, "diagnosis S22.42XA names the left", id="left and open"),
        pytest.param({}, {"diagnoses": "S22.49XA"}, "diagnosis S22.49XA leaves the side open", id="open"),
        pytest.param(
            {}, {"diagnoses": "S22.41XA S22.42XA", "points": ["S22.42XA"]}, "diagnosis S22.42XA names", id="pointed to"
        ),
        pytest.param({}, {"conditions": "S22.42XA"}, "diagnosis S22.42XA names the left", id="a Condition"),
        pytest.param(
            {"technique": "fascial-plane", "plane": "erector-spinae"},
            {"claim": "64466-RT", "diagnoses": "S22.42XA"},
            "diagnosis S22.42XA names the left",
            id="a fascial plane",
        ),
        pytest.param(
            {"technique": "intercostal", "levels": "rib_5"},
            {"claim": "64420-RT", "diagnoses": "S22.32XA"},
            "diagnosis S22.32XA names the left",
            id="a rib",
        ),
    ],
)
def test_a_diagnosis_of_the_other_side_is_advice(block, options, message, judge):
    (finding,) = judge(RULE, block, **(RIGHT | options))
    assert finding.message.partition(" ")[2].startswith(message)
    assert finding.severity is Severity.INFO
    assert finding.evidence[0].quote in finding.codes


def test_lines_of_one_side_are_spoken_of_once(judge):
    (finding,) = judge(RULE, {"levels": "T4 T5"}, claim="64461-RT, 64462-RT", diagnoses="S22.42XA")
    assert finding.codes == ("S22.42XA",)


# A list no payer has published, so that the test does not hang on one.
LISTED = DiagnosisGroup(
    "acme",
    "the diagnoses of Acme's list",
    "listed",
    "medicare",
    ("paravertebral",),
    ("S22.3-S22.4", "G58.0"),
    icd.edition().valid_from,
    None,
    ("cms-se1422",),
    "Other lists differ.",
)


NONE_LISTED = "Of the diagnoses for 64461 none is among the diagnoses of Acme's list: G89.18."


@pytest.fixture(scope="module")
def with_list():
    known = load()
    return replace(known, diagnoses={**known.diagnoses, "acme": (LISTED,)})


@pytest.fixture
def listed(make_case, make_block, with_list):
    """Return a function that judges a Claim for Medicare whose knowledge has the list above."""

    def run(profile="medicare", claim="64461-RT", own=with_list, **options):
        case = make_case(make_block(), claim=claim, profile=profile, own_knowledge=own, **options)
        return list(find_rule(RULE).findings(case)), case

    return run


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"diagnoses": "G89.18"}, [NONE_LISTED], id="none listed"),
        pytest.param({"diagnoses": "G58.0 G89.18"}, [], id="one listed"),
        pytest.param({"diagnoses": "S22.41XA"}, [], id="listed by its range"),
        pytest.param({"diagnoses": "G58.0 G89.18", "points": ["G89.18"]}, [NONE_LISTED], id="not the one pointed to"),
        pytest.param({"diagnoses": "G89.18", "profile": "default"}, [], id="another payer"),
        pytest.param({"diagnoses": "G89.18 ?"}, [], id="one that cannot be read"),
        pytest.param({"diagnoses": "snomed:1"}, [], id="none in ICD-10-CM"),
        pytest.param({}, [], id="none known"),
        pytest.param({"conditions": "G89.18"}, [], id="Conditions are not the Claim"),
        pytest.param({"diagnoses": "G89.18", "claim": "64420-RT"}, [], id="another family"),
    ],
)
def test_a_list_of_the_payer_is_advice(options, expected, listed):
    findings, _ = listed(**options)
    assert [finding.message for finding in findings] == expected
    for finding in findings:
        assert finding.severity is Severity.INFO
        assert "Other lists differ." in finding.remedy
        assert [source.id for source in finding.citations] == ["cms-se1422"]


def test_a_code_that_cannot_be_reported_is_not_held_against_the_list_too(listed):
    findings, _ = listed(diagnoses="G89.1")
    assert [finding.severity for finding in findings] == [Severity.WARNING]


def gaps(case):
    return [one.reason for one in engine._not_checked(case, ()) if one.rule == RULE]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"diagnoses": "S22.41XA"}, [], id="all known"),
        pytest.param({"diagnoses": "S22.41XA+snomed:1"}, [], id="known in two systems"),
        pytest.param({}, ["Not every diagnosis for 64461 is known"], id="none known"),
        pytest.param({"diagnoses": "S22.41XA ?"}, ["Not every diagnosis for 64461 is known"], id="one not read"),
        pytest.param({"conditions": "S22.41XA"}, ["Not every diagnosis for 64461 is known"], id="of Conditions only"),
        pytest.param(
            {"diagnoses": "S22.41XA", "day": "2026-10-01"},
            [f"The diagnoses were checked against the {RELEASE}"],
            id="late",
        ),
        pytest.param(
            {"diagnoses": "S22.41XA", "day": "2025-09-30"},
            [f"The diagnoses were checked against the {RELEASE}"],
            id="early",
        ),
        pytest.param({"claim": "99213", "diagnoses": "S22.4"}, [], id="no block line"),
        pytest.param({"claim": None, "orders": "64461"}, [], id="orders"),
    ],
)
def test_what_was_not_checked(options, expected, make_case, make_block):
    found = gaps(make_case(make_block(), **(RIGHT | options)))
    assert len(found) == len(expected)
    assert all(reason.startswith(start) for reason, start in zip(found, expected, strict=True))


def test_a_list_of_a_later_day_is_used_and_said(listed, with_list):
    later = replace(LISTED, valid_from=icd.edition().valid_to)
    own = replace(with_list, diagnoses={"acme": (later,)})
    findings, case = listed(own=own, diagnoses="G89.18")
    assert len(findings) == 1
    assert gaps(case) == [f"The diagnoses of Acme's list: the list at hand is of {later.valid_from}."]


def test_without_the_package_the_rule_alone_fails(make_case, make_block, monkeypatch):
    def missing(_=None):
        raise icd.KnowledgeError("simple_icd_10_cm", "", "is not there")

    monkeypatch.setattr("cds_service.review.diagnoses.edition", missing)
    monkeypatch.setattr("cds_service.review.rules.diagnosis_support.lookup", missing)
    case = make_case(make_block(), **RIGHT, diagnoses="S22.4")
    _, failed = engine._run((find_rule(RULE), find_rule("mue-exceeded")), case)
    assert [one.rule for one in failed] == [RULE]
    assert gaps(case) == []


FACET = {"technique": "facet", "region": "lumbar", "levels": "L3-L4", "guidance": ["fluoroscopy"], "day": "2026-06-02"}
STELLATE = {"technique": "sympathetic", "region": "cervical", "levels": "C6", "target": "stellate"}
FACET_CLAIM = {"claim": "64493-RT", "profile": "medicare", "day": "2026-06-02"}


@pytest.mark.parametrize(
    ("diagnoses", "options", "speaks"),
    [
        pytest.param("M47.816", {}, False, id="spondylosis of the lumbar spine"),
        pytest.param("M47.897 M54.50", {}, False, id="one of two"),
        pytest.param("M54.50", {}, True, id="back pain"),
        pytest.param("M54.16 G89.29", {}, True, id="radiculopathy and chronic pain"),
        pytest.param("M47.818", {}, True, id="just after the range"),
        pytest.param("M54.50", {"profile": "default"}, False, id="another payer"),
        pytest.param("", {}, False, id="none known"),
    ],
)
def test_the_list_for_facet_injections(diagnoses, options, speaks, judge):
    findings = judge(RULE, FACET, **(FACET_CLAIM | options), diagnoses=diagnoses)
    assert [finding.severity for finding in findings] == [Severity.INFO] * speaks
    for finding in findings:
        assert finding.message.startswith(
            "Of the diagnoses for 64493 none is among the diagnoses a Medicare contractor"
        )
        assert [source.id for source in finding.citations] == ["noridian-a58403"]


@pytest.mark.parametrize(
    ("block", "claim", "diagnosis", "speaks"),
    [
        pytest.param(STELLATE, "64510-RT", "G90.512", True),
        pytest.param(STELLATE, "64510-RT", "G90.511", False),
        pytest.param(STELLATE, "64510-RT", "G57.72", False, id="a leg is nothing for the stellate ganglion"),
        pytest.param({"technique": "sympathetic", "region": "lumbar", "levels": "L2"}, "64520-RT", "G90.522", True),
        pytest.param(
            {"technique": "transforaminal-epidural", "region": "lumbar", "levels": "L5"}, "64483-RT", "M54.32", True
        ),
        pytest.param(
            {"technique": "transforaminal-epidural", "region": "lumbar", "levels": "L5"}, "64483-RT", "M54.31", False
        ),
        pytest.param(FACET, "64493-RT", "M54.32", False, id="facet: no side is compared"),
    ],
)
def test_sides_beyond_the_trunk(block, claim, diagnosis, speaks, judge):
    findings = judge(RULE, {"day": "2026-06-02", **block}, claim=claim, day="2026-06-02", diagnoses=diagnosis)
    assert [finding.codes for finding in findings] == [(diagnosis,)] * speaks
