import pytest

RULE = "facet-imaging-required"
L45 = {"technique": "facet", "region": "lumbar", "levels": "L4-L5"}
FLUOROSCOPY = L45 | {"guidance": ["fluoroscopy"]}
ULTRASOUND = L45 | {"guidance": ["ultrasound"]}
LANDMARKS = L45 | {"guidance": ["landmark"]}


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([FLUOROSCOPY], {"claim": "64493-RT"}, id="fluoroscopy"),
        pytest.param([L45 | {"guidance": ["ct"]}], {"claim": "64493-RT"}, id="CT"),
        pytest.param([ULTRASOUND], {"claim": "0216T-RT"}, id="ultrasound"),
        pytest.param([L45 | {"guidance": ["ultrasound", "fluoroscopy"]}], {"claim": "64493-RT"}, id="both used"),
        pytest.param([L45 | {"guidance": ["landmark", "fluoroscopy"]}], {"claim": "64493-RT"}, id="landmarks as well"),
        pytest.param([L45], {"claim": "64493-RT"}, id="no guidance documented: the documentation's"),
        pytest.param([L45], {"claim": "0216T-RT", "notes": "unknown"}, id="no note that could tell"),
        pytest.param([LANDMARKS], {"claim": "20552"}, id="landmarks, few muscles"),
        pytest.param([LANDMARKS], {"claim": "20553"}, id="landmarks, many muscles"),
        pytest.param([LANDMARKS], {"claim": ""}, id="landmarks, nothing reported"),
        pytest.param([ULTRASOUND], {"claim": "64490-RT"}, id="another region: not here"),
        pytest.param([FLUOROSCOPY], {"claim": "64493-RT, 77003"}, id="imaging on its own line: not here"),
        pytest.param([FLUOROSCOPY], {"claim": "0216T-RT", "day": "2009-12-31"}, id="not in force: not here"),
        pytest.param([ULTRASOUND | {"surgeon": True}], {"claim": "64493"}, id="not separate at all"),
        pytest.param([ULTRASOUND], {"orders": "0216T"}, id="ordered as such"),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize(
    ("block", "options", "message", "remedy"),
    [
        pytest.param(
            ULTRASOUND | {"levels": "L3-L4 L4-L5"},
            {"claim": "64493-RT, 64494-RT"},
            "64493 and 64494 stand for an injection under fluoroscopy or CT, but the record documents ultrasound.",
            "Report 0216T-RT ×1 and 0217T-RT ×1.",
            id="ultrasound under the codes for X-ray",
        ),
        pytest.param(
            FLUOROSCOPY,
            {"claim": "0216T-RT"},
            "0216T stands for an injection under ultrasound, but the record documents fluoroscopy.",
            "Report 64493-RT ×1.",
            id="X-ray under the code for ultrasound",
        ),
        pytest.param(
            L45,
            {"claim": "0216T-RT"},
            "0216T stands for an injection under ultrasound, but the record does not document ultrasound.",
            "Report 64493-RT ×1.",
            id="ultrasound nobody wrote down",
        ),
        pytest.param(
            LANDMARKS,
            {"claim": "64493-RT"},
            "64493 stands for an injection under fluoroscopy or CT, but the record documents landmarks.",
            "Take 64493 off the Claim. An injection without imaging is reported as 20552 or 20553, "
            "by the muscles injected.",
            id="landmarks",
        ),
        pytest.param(
            L45 | {"guidance": ["landmark", "nerve-stimulation"]},
            {"claim": "64493-RT, 20552"},
            "64493 stands for an injection under fluoroscopy or CT, "
            "but the record documents landmarks and nerve stimulation.",
            "Report 20552 ×1.",
            id="the right code beside the wrong one",
        ),
        pytest.param(
            ULTRASOUND,
            {"orders": "64493"},
            "64493 stands for an injection under fluoroscopy or CT, but the record documents ultrasound.",
            "Order 0216T ×1.",
            id="ordered",
        ),
    ],
)
def test_speaks(block, options, message, remedy, judge):
    (finding,) = judge(RULE, block, **options)
    assert (finding.message, finding.remedy) == (message, remedy)


def test_it_speaks_alone_and_shows_the_words_on_guidance(make_case, make_block, every_finding):
    (finding,) = every_finding(make_case(make_block(**ULTRASOUND), claim="64493-RT"))
    assert finding.rule == RULE
    assert [evidence.quote for evidence in finding.evidence] == ["64493", "ultrasound"]


def test_trigger_point_codes_for_landmarks_are_one_or_the_other(make_case, make_block, found):
    assert set(found(make_case(make_block(**LANDMARKS), claim="20552, 20553"))) == {"ptp-conflict"}
    assert set(found(make_case(make_block(**LANDMARKS), claim="20552 x2"))) >= {"units-exceed-documentation"}
