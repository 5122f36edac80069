"""Blocks of earlier days, from the Procedures and Claims of other encounters."""

from __future__ import annotations

import pytest

from cds_service.chart.build import all_charts
from cds_service.chart.model import Purpose

NOW = {"encounter": {"reference": "Encounter/now"}}
OLD = {"encounter": {"reference": "Encounter/old"}}
DAY = {"performedDateTime": "2026-03-02"}
PAST = {"performedDateTime": "2025-10-01"}


@pytest.fixture
def history(record_of, procedure, vocabulary):
    """Return a function that gives the history beside a lumbar facet injection of today."""

    def build(*others):
        today = procedure("now", "64493", "Diagnostic lumbar medial branch block", side="right", **NOW, **DAY)
        charts = all_charts(record_of(today, *others), vocabulary)
        (own,) = [chart for chart in charts if chart.encounter == "Encounter/now"]
        return own.history

    return build


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"status": "not-done"}, id="not done"),
        pytest.param({"status": "entered-in-error"}, id="in error"),
        pytest.param({"status": "preparation"}, id="planned"),
        pytest.param({"status": "stopped"}, id="stopped"),
        pytest.param({"status": "unknown"}, id="unknown"),
        pytest.param({"performedDateTime": "2026-03-02"}, id="of the day itself"),
        pytest.param({"performedDateTime": "2026-03-05"}, id="later"),
        pytest.param({"performedDateTime": None}, id="of no day"),
        pytest.param({"encounter": {"reference": "Encounter/now"}}, id="of the encounter itself"),
        pytest.param({"code": {"text": "Paravertebral block"}}, id="another technique"),
        pytest.param({"code": {"text": "Appendectomy"}}, id="no block"),
        pytest.param({"code": {"text": "Lumbar medial branch block was not performed"}}, id="not done by its words"),
    ],
)
def test_what_is_no_earlier_session(members, history, procedure):
    other = procedure("old", "64493", "Lumbar medial branch block", **OLD, **PAST) | members
    assert history({name: value for name, value in other.items() if value is not None}) == ()


def test_a_procedure_tells_of_a_session(history, procedure):
    (past,) = history(procedure("old", "64493", "Diagnostic lumbar medial branch block", **OLD, **PAST))
    assert (str(past.day), past.technique.value, past.codes) == ("2025-10-01", "facet", ("64493",))
    assert past.purpose in (Purpose.DIAGNOSTIC, None)
    assert {evidence.reference for evidence in past.evidence} == {"Procedure/old"}


@pytest.mark.parametrize(
    ("members", "days"),
    [
        pytest.param({}, ["2025-10-01"], id="a line"),
        pytest.param({"status": "cancelled"}, [], id="cancelled"),
        pytest.param({"status": "entered-in-error"}, [], id="in error"),
        pytest.param({"use": "preauthorization"}, [], id="asked for beforehand"),
    ],
)
def test_a_claim_tells_of_a_session(members, days, history, claim):
    other = claim("old", "64493", "99213", day="2025-10-01", encounter="Encounter/old") | members
    assert [str(past.day) for past in history(other)] == days


def test_a_claim_line_brings_its_modifiers(history, claim):
    other = claim("old", "64493", day="2025-10-01", encounter="Encounter/old")
    other["item"][0]["modifier"] = [{"coding": [{"code": "KX"}]}]
    (past,) = history(other)
    assert (past.codes, past.modifiers, past.region) == (("64493",), ("KX",), None)


def test_another_patient_has_another_history(record_of, procedure, claim, vocabulary):
    mine, other = {"subject": {"reference": "Patient/1"}}, {"subject": {"reference": "Patient/2"}}
    today = procedure("now", "64493", **NOW, **DAY, **mine)
    past = [procedure("p", "64493", **OLD, **PAST, **who) for who in (mine, other)]
    past[1]["id"] = "q"
    bill = claim("c", "64493", day="2025-11-01") | {"patient": {"reference": "Patient/2"}}
    charts = all_charts(record_of(today, *past, bill), vocabulary)
    (own,) = [chart for chart in charts if chart.encounter == "Encounter/now"]
    assert [past.evidence[0].reference for past in own.history] == ["Procedure/p"]


def test_sessions_come_oldest_first(history, procedure, claim):
    late = procedure("late", "64493", **OLD, performedDateTime="2026-01-10")
    early = claim("early", "64493", day="2025-06-01", encounter="Encounter/old")
    assert [str(past.day) for past in history(late, early)] == ["2025-06-01", "2026-01-10"]
