"""What callers can have written down: how much, and who can read it."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.settings import SettingsError, load_settings
from cds_service.store.database import Database
from cds_service.store.feedback import FeedbackStore
from cds_service.store.model import Feedback

FEEDBACK = "/cds-services/paravertebral-order-sign/feedback"
TIME = "2026-11-01T00:00:00Z"


def entry(**members: Any) -> dict[str, Any]:
    return {
        "card": "11111111-1111-5111-8111-111111111111",
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": "s"}],
        "outcomeTimestamp": TIME,
        **members,
    }


@pytest.mark.parametrize(
    ("entries", "status"),
    [
        pytest.param([entry()] * 1000, 200, id="many"),
        pytest.param([entry()] * 1001, 413, id="too-many"),
        pytest.param([entry(acceptedSuggestions=[{"id": "s"}] * 101)], 413, id="suggestions"),
        pytest.param([entry(), entry(card="c" * 1_000_000)], 413, id="card"),
        pytest.param([entry(acceptedSuggestions=[{"id": "s" * 1001}])], 413, id="suggestion"),
        pytest.param([entry(outcomeTimestamp=TIME + "0" * 1000)], 413, id="time"),
        pytest.param([entry(overrideReason={"reason": {"code": "c" * 10_001}})], 413, id="code"),
        pytest.param([entry(overrideReason={"userComment": "c" * 10_001})], 413, id="comment"),
        pytest.param([entry(overrideReason={"userComment": "c" * 10_000})], 200, id="long-comment"),
        pytest.param([entry(card="\0\u202e\ufeff")], 200, id="odd-characters"),
        pytest.param([entry(card="'; drop table feedback; --")], 200, id="sql"),
        pytest.param(5, 400, id="no-list"),
        pytest.param([5], 400, id="no-object"),
    ],
)
def test_no_call_fills_the_database(client: FlaskClient, entries: object, status: int) -> None:
    answer = client.post(FEEDBACK, json={"feedback": entries})
    assert answer.status_code == status
    assert "cccc" not in answer.get_data(as_text=True)


def test_the_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Also in a folder that anybody may read, such as one a container was given."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    database = Database(f"sqlite:///{folder}/cds.db")
    FeedbackStore(database).keep("service", [Feedback(card="c", outcome="accepted", outcome_timestamp=TIME)])
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    database.close()


def test_no_depth_can_be_set_that_json_is_not_written_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_MAX_JSON_DEPTH", "251")
    with pytest.raises(SettingsError):
        load_settings()
