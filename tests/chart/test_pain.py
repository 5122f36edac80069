"""Which Observations document the pain before a block and after it."""

from __future__ import annotations

import pytest

from cds_service.chart.pain import pain_statements

NRS = {"coding": [{"system": "http://loinc.org", "code": "72514-3"}]}
DONE = {"performedDateTime": "2026-03-02T10:00:00-05:00"}
BEFORE, AFTER = [("pain-score-before", "7")], [("pain-score-after", "7")]


def scored(at="2026-03-02T09:40:00-05:00", **changes):
    observed = {"status": "final", "code": NRS, "effectiveDateTime": at, "valueInteger": 7, **changes}
    return {name: value for name, value in observed.items() if value is not None}


def said(record):
    found = pain_statements(record.of_type("Observation"), record.of_type("Procedure"))
    return [(statement.element, statement.evidence.quote) for statement in found if statement.affirmed]


@pytest.mark.parametrize(
    ("observation", "performed", "expected"),
    [
        pytest.param(scored(), DONE, BEFORE, id="before"),
        pytest.param(scored("2026-03-02T10:30:00-05:00"), DONE, AFTER, id="after"),
        pytest.param(scored("2026-03-02T15:30:00Z"), DONE, AFTER, id="another offset"),
        pytest.param(scored(valueInteger=None, valueQuantity={"value": 7.0}), DONE, BEFORE, id="quantity"),
        pytest.param(
            scored("2026-03-02T10:10:00-05:00"),
            {"performedPeriod": {"start": "2026-03-02T10:00:00-05:00", "end": "2026-03-02T10:20:00-05:00"}},
            [],
            id="during the block",
        ),
        pytest.param(
            scored("2026-03-02T10:30:00-05:00"),
            {"performedPeriod": {"start": "2026-03-02T10:00:00-05:00", "end": "2026-03-02T10:20:00-05:00"}},
            AFTER,
            id="after a period",
        ),
        pytest.param(scored("2026-03-01T09:40:00-05:00"), DONE, [], id="the day before"),
        pytest.param(scored("2026-03-03T09:40:00-05:00"), DONE, [], id="the day after"),
        pytest.param(scored("2026-03-02"), DONE, [], id="no time of day"),
        pytest.param(scored("2026-03-02T09:40:00"), DONE, [], id="no offset beside one"),
        pytest.param(scored("2026-03-02T9.40"), DONE, [], id="no time at all"),
        pytest.param(scored(None), DONE, [], id="no time stated"),
        pytest.param(scored(), {"performedDateTime": "2026-03-02"}, [], id="block without a time of day"),
        pytest.param(scored(), {}, [], id="block without a date"),
        pytest.param(scored(), {**DONE, "status": "not-done"}, [], id="block not done"),
        pytest.param(scored(status="entered-in-error"), DONE, [], id="entered in error"),
        pytest.param(scored(valueInteger=None), DONE, [], id="no value"),
        pytest.param(scored(valueInteger="severe"), DONE, [], id="no number"),
        pytest.param(scored(code={"text": "Pain"}), DONE, [], id="no code"),
        pytest.param(
            scored(code={"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}), DONE, [], id="heart rate"
        ),
    ],
)
def test_pain_before_and_after(observation, performed, expected, record_of, procedure):
    block = procedure("p", "64493", **performed)
    assert said(record_of({"resourceType": "Observation", "id": "o", **observation}, block)) == expected


def test_between_two_blocks_is_neither(record_of, procedure):
    blocks = (
        procedure("p", "64493", performedDateTime="2026-03-02T10:00:00-05:00"),
        procedure("q", "64494", performedDateTime="2026-03-02T10:40:00-05:00"),
    )
    observed = {"resourceType": "Observation", "id": "o", **scored("2026-03-02T10:20:00-05:00")}
    assert said(record_of(observed, *blocks)) == []
