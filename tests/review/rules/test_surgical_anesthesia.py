import pytest

RULE = "surgical-anesthesia"
ANESTHETIC = {"purpose": "surgical-anesthesia"}
AFTER = {"purpose": "postoperative-analgesia", "requested": True}


@pytest.mark.parametrize(
    ("block", "options"),
    [
        pytest.param(AFTER, {"claim": "64461-RT-59, 00541", "anesthesia": "general"}, id="beside general anesthesia"),
        pytest.param(AFTER, {"claim": "64461-RT-59, 00541", "anesthesia": "spinal"}, id="beside spinal anesthesia"),
        pytest.param({}, {"claim": "64461-RT, 00541", "anesthesia": "general"}, id="purpose not stated"),
        pytest.param({}, {"claim": "64461-RT"}, id="no operation"),
        pytest.param({}, {"claim": "64461-RT", "anesthesia": "sedation"}, id="sedation without an operation"),
        pytest.param(ANESTHETIC, {"claim": "00541"}, id="the anesthetic, and not reported"),
        pytest.param({"purpose": "trauma-analgesia"}, {"claim": "64461-RT"}, id="for broken ribs"),
    ],
)
def test_silent(block, options, judge):
    assert judge(RULE, block, **options) == []


@pytest.mark.parametrize(
    ("block", "options", "codes"),
    [
        (ANESTHETIC, {"claim": "64461-RT"}, ("64461",)),
        (ANESTHETIC | {"levels": "T4 T5"}, {"claim": "64461-RT, 64462-RT"}, ("64461", "64462")),
        ({}, {"claim": "64461-RT", "anesthesia": "block-only"}, ("64461",)),
        ({}, {"claim": "64461-RT", "anesthesia": "sedation", "operation": True}, ("64461",)),
        (ANESTHETIC, {"claim": "64461-RT, 76942"}, ("64461", "76942")),
        ({}, {"claim": "64461-RT, 00404-QS"}, ("64461",)),
    ],
)
def test_speaks(block, options, codes, judge):
    (finding,) = judge(RULE, block, **options)
    assert finding.message.endswith("reported, but the block was the anesthetic of the operation.")
    assert finding.codes == codes
    assert len(finding.evidence) > len(codes)


def test_no_other_rule_speaks_of_the_same_lines(make_case, make_block, found):
    case = make_case(
        make_block("T4", "left", **ANESTHETIC), claim="64461-RT x3, 64462-50 x2, 00541", anesthesia="general"
    )
    assert list(found(case)) == [RULE]
