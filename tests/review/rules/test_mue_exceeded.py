from dataclasses import replace

import pytest

from cds_service.knowledge.library import View
from cds_service.knowledge.model import Mue

RULE = "mue-exceeded"
SEVEN = {"technique": "intercostal", "levels": "rib_3 rib_4 rib_5 rib_6 rib_7 rib_8 rib_9"}
FIVE = SEVEN | {"levels": "rib_3 rib_4 rib_5 rib_6 rib_7"}
TWO_LINES = {"addon_bilateral": "two_lines_rt_lt", "primary_bilateral": "two_lines_rt_lt"}


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([{}], {"claim": "64461-RT"}, id="at the limit"),
        pytest.param([FIVE], {"claim": "64420-RT, 64421-RT x4"}, id="64421 at its limit of four"),
        pytest.param([FIVE | {"side": "bilateral"}], {"claim": "64420-50, 64421-50 x4"}, id="50 counts once"),
        pytest.param(
            [FIVE | {"side": "bilateral"}],
            {"claim": "64420-RT, 64420-LT, 64421-RT x4, 64421-LT x4", "parameters": TWO_LINES},
            id="a payer that wants two lines counts each side",
        ),
        pytest.param([FIVE], {"claim": "64420-RT, 64421-RT x2"}, id="below its limit"),
        pytest.param([{"side": "bilateral"}], {"claim": "64461-50"}, id="50 is one unit"),
        pytest.param([{}], {"claim": "64461-RT @2026-03-02, 64461-RT @2026-03-05"}, id="one unit on each of two days"),
        pytest.param([{}], {"claim": "64461-RT, 99213 x5"}, id="a line that is not judged"),
        pytest.param([{}], {"orders": "64461"}, id="ordered once"),
        pytest.param([{"technique": "fascial-plane"}], {"claim": "64466-RT x2"}, id="no entry, nothing said"),
        pytest.param([{"purpose": "surgical-anesthesia"}], {"claim": "64461-RT x2"}, id="not separate at all"),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize(
    ("blocks", "options", "message"),
    [
        (
            [SEVEN],
            {"claim": "64420-RT, 64421-RT x6"},
            (
                "64421 ×6 is above its limit of 4 per day, above which only an appeal with the records helps "
                "(MUE 2024 Q3, MAI 3)."
            ),
        ),
        (
            [{"levels": "T4 T5"}],
            {"claim": "64461-RT, 64462-RT x3"},
            "64462 ×3 is above its limit of 1 per day, which no modifier and no appeal lifts (MUE 2024 Q3, MAI 2).",
        ),
        (
            [{"side": "bilateral"}],
            {"claim": "64461-RT, 64461-LT"},
            "64461 ×2 is above its limit of 1 per day, which no modifier and no appeal lifts (MUE 2024 Q3, MAI 2).",
        ),
        (
            [{}],
            {"orders": "64461, 64462 x3"},
            "64462 ×3 is above its limit of 1 per day, which no modifier and no appeal lifts (MUE 2024 Q3, MAI 2).",
        ),
        (
            [],
            {"claim": "64461-RT x2", "notes": "unknown"},
            "64461 ×2 is above its limit of 1 per day, which no modifier and no appeal lifts (MUE 2024 Q3, MAI 2).",
        ),
        (
            [],
            {"claim": "64461-RT, 64461-LT", "notes": "unknown"},
            "64461 ×2 is above its limit of 1 per day, which no modifier and no appeal lifts (MUE 2024 Q3, MAI 2).",
        ),
        (
            [],
            {"claim": "64420-RT, 64421-RT x3, 64421-LT x2", "notes": "unknown"},
            (
                "64421 ×5 is above its limit of 4 per day, above which only an appeal with the records helps "
                "(MUE 2024 Q3, MAI 3)."
            ),
        ),
    ],
)
def test_speaks(blocks, options, message, judge):
    (finding,) = judge(RULE, *blocks, **options)
    assert finding.message == message
    assert finding.citations[0].id == "cms-ncci-mue-2024q3"


@pytest.mark.parametrize(("claim", "findings"), [("64421-RT x3, 64421-LT x3", 0), ("64421-RT x5", 1)])
def test_indicator_1_counts_each_line(claim, findings, judge, monkeypatch):
    by_line = Mue("64421", 4, 1, "2024 Q3", "cms-ncci-mue-2024q3")
    monkeypatch.setattr(View, "mue", lambda _view, code: replace(by_line, code=code))
    found = judge(RULE, claim=claim, notes="unknown")
    assert len(found) == findings
    assert all("limit of 4 per claim line (" in finding.message for finding in found)
