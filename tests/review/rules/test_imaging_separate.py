import pytest

RULE = "imaging-separate"
RIBS = {"technique": "intercostal", "levels": "rib_5"}
SEEN = RIBS | {"guidance": ("ultrasound",)}
STORED = SEEN | {"image": True}


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([STORED], {"claim": "64420-RT, 76942"}, id="guidance and stored image"),
        pytest.param(
            [RIBS | {"guidance": ("fluoroscopy",), "image": True}], {"claim": "64420-RT, 77002"}, id="fluoroscopy"
        ),
        pytest.param(
            [RIBS | {"guidance": ("fluoroscopy",)}],
            {"claim": "64420-RT, 77002"},
            id="fluoroscopy needs no stored image",
        ),
        pytest.param([RIBS], {"claim": "64420-RT"}, id="no imaging done or reported"),
        pytest.param([SEEN], {"claim": "64420-RT"}, id="no stored image, not reported"),
        pytest.param([SEEN], {"claim": "64420-RT, 76942-59"}, id="imaging of something else"),
        pytest.param([SEEN], {"claim": "64420-RT, 76942", "notes": "unknown"}, id="notes not read"),
        pytest.param(
            [SEEN], {"claim": "64420-RT, 76942", "not_read": ["DocumentReference/scan"]}, id="one note not read"
        ),
        pytest.param([STORED], {"claim": None}, id="no Claim, nothing missing on it"),
        pytest.param([{"guidance": ("ultrasound",)}], {"claim": "64461-RT, 76942"}, id="included: not here"),
        pytest.param([STORED], {"claim": "64461-RT"}, id="another technique: not here"),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize(
    ("block", "claim", "message"),
    [
        (SEEN, "64420-RT, 76942", "76942 is reported, but the record does not document a stored image."),
        (RIBS, "64420-RT, 76942", "76942 is reported, but the record does not document guidance by ultrasound."),
        (STORED, "64420-RT, 77002", "77002 is reported, but the record does not document guidance by fluoroscopy."),
        (
            STORED,
            "64420-RT, 77003",
            "77003 is reported, but imaging beside an intercostal nerve block is 76942 or 77002.",
        ),
        (
            SEEN | {"image": False},
            "64420-RT, 76942",
            "76942 is reported, but the record does not document a stored image.",
        ),
        (
            RIBS | {"guidance": ("fluoroscopy",)},
            "64420-RT",
            "77002 is not reported, though what it needs is documented.",
        ),
        (STORED, "64420-RT", "76942 is not reported, though what it needs is documented."),
    ],
)
def test_speaks(block, claim, message, judge):
    (finding,) = judge(RULE, block, claim=claim)
    assert finding.message == message
    assert "DocumentReference/note" in {evidence.reference for evidence in finding.evidence}
