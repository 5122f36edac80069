import pytest

RULE = "imaging-included"
ULTRASOUND = {"guidance": ("ultrasound",), "image": True}
RIBS = {"technique": "intercostal", "levels": "rib_5"}


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([ULTRASOUND], {"claim": "64461-RT"}, id="no imaging reported"),
        pytest.param([ULTRASOUND], {"claim": "64461-RT, 76942-59"}, id="imaging of something else"),
        pytest.param([ULTRASOUND], {"claim": "64461-RT, 76942-XU-26"}, id="imaging of something else, X modifier"),
        pytest.param([RIBS | ULTRASOUND], {"claim": "64420-RT, 76942"}, id="a block without imaging"),
        pytest.param([{}, RIBS], {"claim": "64461-RT, 64420-RT, 76942"}, id="one of two blocks without imaging"),
        pytest.param([{}, {"technique": "other"}], {"claim": "64461-RT, 76942"}, id="beside a block nobody can code"),
        pytest.param([], {"claim": "64461-RT, 76942"}, id="no block known"),
        pytest.param([{"purpose": "surgical-anesthesia"}], {"claim": "64461-RT, 76942"}, id="not separate at all"),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize(
    ("block", "options", "message"),
    [
        (
            ULTRASOUND,
            {"claim": "64461-RT, 76942"},
            "76942 is reported, but imaging guidance is part of 64461.",
        ),
        ({}, {"claim": "64461-RT, 76942-26"}, "76942 is reported, but imaging guidance is part of 64461."),
        (
            {"levels": "T4 T5"},
            {"claim": "64461-RT, 64462-RT, 76942, 77003"},
            "76942 and 77003 are reported, but imaging guidance is part of 64461 and 64462.",
        ),
        (
            {"technique": "fascial-plane"},
            {"claim": "64466-RT, 76942"},
            "76942 is reported, but imaging guidance is part of 64466.",
        ),
        ({"catheter": True}, {"claim": "64463-RT, 77002"}, "77002 is reported, but imaging guidance is part of 64463."),
        ({}, {"orders": "64461, 76942"}, "76942 is ordered, but imaging guidance is part of 64461."),
    ],
)
def test_speaks(block, options, message, judge):
    (finding,) = judge(RULE, block, **options)
    assert finding.message == message


def test_the_words_of_the_guidance_are_quoted(judge):
    (finding,) = judge(RULE, ULTRASOUND, claim="64461-RT, 76942")
    assert [evidence.quote for evidence in finding.evidence] == ["76942", "ultrasound"]
    assert finding.remedy == "Remove 76942."
