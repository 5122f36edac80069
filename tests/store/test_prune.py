from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cds_service.store.database import Database
from cds_service.store.model import Retention, StoreUnavailableError, time_text
from cds_service.store.prune import NowAndThen, prune
from cds_service.store.schema import AUDIT, FEEDBACK, GIVEN_CARD, TOKEN_IDS

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CARD = {
    "service_id": "s",
    "kind": "k",
    "rules": [],
    "elements": [],
    "knowledge_version": "v",
    "profile": "default",
}
ENTRY = {"call": "hook", "status": 200, "duration_ms": 1.0, "kinds": [], "rules": [], "knowledge_version": "v"}
ANSWER = {"service_id": "s", "outcome": "accepted", "outcome_timestamp": "t", "accepted_suggestions": []}


@pytest.fixture
def filled(database):
    """A row of each kind for every day of the last ten."""
    with database.writing() as connection:
        for age in range(10):
            at = NOW - timedelta(days=age)
            text = time_text(at)
            connection.execute(FEEDBACK.insert(), {"card": str(age), "received_at": text, **ANSWER})
            connection.execute(GIVEN_CARD.insert(), {"card": str(age), "given_at": text, **CARD})
            connection.execute(AUDIT.insert(), {"at": text, **ENTRY})
            connection.execute(TOKEN_IDS.insert(), {"digest": str(age), "expires_at": int(at.timestamp())})
    return database


@pytest.mark.parametrize(
    ("retention", "removed"),
    [
        pytest.param(Retention(), {"feedback": 0, "cards": 0, "audit": 0}, id="for good"),
        pytest.param(Retention(3, 5, 1), {"feedback": 6, "cards": 4, "audit": 8}, id="each as it is set"),
        pytest.param(Retention(100, 100, 100), {"feedback": 0, "cards": 0, "audit": 0}, id="nothing as old"),
        pytest.param(Retention(audit_days=2), {"feedback": 0, "cards": 0, "audit": 7}, id="only one"),
    ],
)
def test_what_is_older_than_is_kept_goes(filled, retention, removed):
    assert prune(filled, retention, NOW) == removed | {"tokens": 8}  # a day after they expire, whatever is set
    assert prune(filled, retention, NOW) == dict.fromkeys(removed, 0) | {"tokens": 0}


def test_times_without_microseconds_as_older_versions_wrote_them(database):
    with database.writing() as connection:
        for text in ("2026-11-17T12:00:02+00:00", "2026-11-17T11:59:59+00:00", "2026-11-17T12:00:01.5+00:00"):
            connection.execute(FEEDBACK.insert(), {"card": text, "received_at": text, **ANSWER})
    assert prune(database, Retention(feedback_days=3), NOW)["feedback"] == 1


def test_many_rows_go_in_portions(database, monkeypatch):
    monkeypatch.setattr("cds_service.store.prune._AT_ONCE", 7)
    with database.writing() as connection:
        connection.execute(AUDIT.insert(), [{"at": time_text(NOW - timedelta(days=9)), **ENTRY}] * 21)
    assert prune(database, Retention(audit_days=1), NOW)["audit"] == 21


def test_by_itself_it_prunes_at_first_and_then_every_six_hours(database):
    clock = [0.0]
    now_and_then = NowAndThen(database, Retention(audit_days=1), now=lambda: clock[0])
    left = []
    for clock[0] in (0.0, 5 * 3600, 6 * 3600 + 1):
        with database.writing() as connection:
            connection.execute(AUDIT.insert(), {"at": "2020-01-01T00:00:00.000000+00:00", **ENTRY})
        now_and_then()
        with database.reading() as connection:
            left.append(len(connection.execute(AUDIT.select()).all()))
    assert left == [0, 1, 0]


def test_a_database_that_is_down_is_an_error():
    with pytest.raises(StoreUnavailableError):
        prune(Database("sqlite:////proc/nowhere/cds-service.db"), Retention(), NOW)
