import pytest

RULE = "code-not-valid-on-date"
PLANE = {"technique": "fascial-plane", "day": None}


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([PLANE], {"claim": "64466-RT", "day": "2025-01-01"}, id="on the first day"),
        pytest.param([PLANE], {"claim": "64466-RT", "day": "2026-03-02"}, id="later"),
        pytest.param([{}], {"claim": "64461-RT", "day": "2016-01-01"}, id="64461 on its first day"),
        pytest.param([PLANE], {"claim": "64999", "day": "2024-12-31"}, id="unlisted before"),
        pytest.param([PLANE], {"claim": "99999", "day": "2024-12-31"}, id="a code nobody here knows"),
        pytest.param(
            [PLANE | {"day": "2025-01-01"}],
            {"claim": "64466-RT @2024-12-31", "day": "2025-01-01"},
            id="only the date of the line is wrong: the date's",
        ),
        pytest.param(
            [PLANE | {"purpose": "surgical-anesthesia"}], {"claim": "64466-RT", "day": "2024-12-31"}, id="not separate"
        ),
        pytest.param([PLANE], {"orders": "64466", "day": "2025-01-01"}, id="ordered on the first day"),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize(
    ("blocks", "options", "message"),
    [
        (
            [PLANE],
            {"claim": "64466-RT", "day": "2024-12-31"},
            "64466 is valid from 2025-01-01; the service was on 2024-12-31.",
        ),
        (
            [PLANE | {"side": "bilateral"}],
            {"claim": "64468", "day": "2024-08-01"},
            "64468 is valid from 2025-01-01; the service was on 2024-08-01.",
        ),
        (
            [],
            {"claim": "64466-RT @2024-12-31", "day": "2025-01-01", "notes": "unknown"},
            "64466 is valid from 2025-01-01; the service was on 2024-12-31.",
        ),
        (
            [PLANE],
            {"orders": "64466", "day": "2024-12-31"},
            "64466 is valid from 2025-01-01; the service was on 2024-12-31.",
        ),
    ],
)
def test_speaks(blocks, options, message, judge):
    (finding,) = judge(RULE, *blocks, **options)
    assert finding.message == message
    assert "cpt-2025" in {source.id for source in finding.citations}


def test_the_remedy_is_the_code_of_that_day(judge):
    (finding,) = judge(RULE, PLANE, claim="64466-RT", day="2024-12-31")
    assert finding.remedy == "Report 64999 ×1."
