from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from cds_service.store.cards import GivenCards
from cds_service.store.feedback import FeedbackStore
from cds_service.store.model import Feedback, GivenCard
from cds_service.store.recorder import Recorder
from cds_service.store.report import report

CODES = GivenCard("c1", "order", "suggested-codes", ("addon-once-per-day", "mue-exceeded"), (), "v", "default")
NOTE = GivenCard("n1", "order", "missing-documentation", (), ("levels",), "v", "default")
YES = Feedback("c1", "accepted", "2026-11-20T10:00:00Z", ("s",))
NO = Feedback("c1", "overridden", "2026-11-20T10:05:00Z", (), "record-misread")
LATE_YES = replace(YES, outcome_timestamp="2026-11-20T12:30:00+02:00")  # half past ten


@pytest.fixture
def tallies(database):
    """Give cards, take feedback, and return the rows of the report as (kind, rule): figures."""

    def make(cards, *feedback, since=None):
        recorder = Recorder(database)
        recorder._scheduled = True
        for card in cards:
            GivenCards(recorder).remember(card)
        assert recorder.flush()
        FeedbackStore(database).keep("order", feedback)
        found = report(database, since)
        return {(t.kind, t.rule): (t.given, t.accepted, t.overridden, t.unanswered) for t in found.tallies}

    return make


@pytest.mark.parametrize(
    ("cards", "feedback", "expected"),
    [
        pytest.param([], [], {}, id="nothing"),
        pytest.param([NOTE], [], {("missing-documentation", None): (1, 0, 0, 1)}, id="not answered"),
        pytest.param(
            [CODES],
            [YES],
            {("suggested-codes", rule): (1, 1, 0, 0) for rule in (None, "addon-once-per-day", "mue-exceeded")},
            id="a card counts for each of its rules",
        ),
        pytest.param(
            [NOTE],
            [replace(NO, card="n1")],
            {("missing-documentation", None): (1, 0, 1, 0)},
            id="overridden",
        ),
        pytest.param([], [YES], {("unknown", None): (0, 1, 0, 0)}, id="card not remembered"),
    ],
)  # fmt: skip
def test_cards_are_counted_by_kind_and_rule(tallies, cards, feedback, expected):
    assert tallies(cards, *feedback) == expected


@pytest.mark.parametrize(
    ("feedback", "accepted"),
    [
        pytest.param([YES, NO], False, id="changed"),
        pytest.param([NO, YES], False, id="delivered out of order"),
        pytest.param([NO, LATE_YES], True, id="changed back, in another time zone"),
        pytest.param([NO, YES, NO, YES], False, id="delivered again"),
        pytest.param([NO, replace(YES, outcome_timestamp="just now")], True, id="no time: as received"),
    ],
)
def test_of_several_outcomes_the_last_counts(tallies, feedback, accepted):
    figures = tallies([CODES], *feedback)["suggested-codes", None]
    assert figures == ((1, 1, 0, 0) if accepted else (1, 0, 1, 0))


def test_reasons_are_counted(database, tallies):
    tallies(
        [CODES, NOTE, replace(NOTE, card="n2")],
        NO,
        replace(NO, card="n1", reason_code="not-my-patient"),
        replace(NO, card="n2", reason_code=None),
    )
    found = {(t.kind, t.rule): (dict(t.reasons), t.acceptance) for t in report(database).tallies}
    assert found["suggested-codes", "mue-exceeded"] == ({"record-misread": 1}, 0.0)
    assert found["missing-documentation", None] == ({"not-my-patient": 1, "none-stated": 1}, 0.0)


def test_feedback_that_came_before_its_card_was_written(database, tallies):
    FeedbackStore(database).keep("order", [YES])
    assert tallies([CODES])["suggested-codes", None] == (1, 1, 0, 0)


def test_since_a_day(tallies):
    today = datetime.now(UTC).date()
    assert tallies([CODES], YES, since=today)["suggested-codes", None] == (1, 1, 0, 0)
    assert tallies([], since=today + timedelta(days=1)) == {}
    assert tallies([], since=date(2020, 1, 1))["suggested-codes", None] == (1, 1, 0, 0)


def test_of_nothing_answered_there_is_no_rate(database, tallies):
    tallies([NOTE])
    assert [tally.acceptance for tally in report(database).tallies] == [None]
