from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from cds_service.store.database import Database
from cds_service.store.feedback import FeedbackStore
from cds_service.store.model import Feedback, StoreUnavailableError
from cds_service.store.schema import FEEDBACK

OVERRIDDEN = Feedback(
    card="c1",
    outcome="overridden",
    outcome_timestamp="2026-03-02T10:05:31Z",
    reason_code="other",
    reason_system="urn:example:reasons",
    reason_display="Other",
    user_comment="Jane Doe was seen by us before.",
)
ACCEPTED = Feedback(card="c1", outcome="accepted", outcome_timestamp="t", accepted_suggestions=("s1", "s2"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "cds-service.db"


@pytest.fixture
def database(path):
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture
def store(database):
    return FeedbackStore(database)


def test_what_is_kept_comes_back_in_order(store):
    before = datetime.now(UTC)
    store.keep("order", [ACCEPTED, OVERRIDDEN])
    store.keep("discharge", [ACCEPTED])
    rows = store.entries()
    assert [(row.service_id, row.feedback) for row in rows] == [
        ("order", ACCEPTED),
        ("order", OVERRIDDEN),
        ("discharge", ACCEPTED),
    ]
    assert all(before <= row.received_at <= datetime.now(UTC) for row in rows)


def test_nothing_to_keep_touches_no_database(store, path):
    store.keep("order", [])
    assert not path.exists()


def test_it_is_committed_when_keep_returns(store, path):
    store.keep("order", [ACCEPTED])
    other = sqlite3.connect(path)
    assert other.execute("select count(*) from feedback").fetchone() == (1,)
    assert other.execute("pragma journal_mode").fetchone() == ("wal",)
    other.close()


def test_it_is_there_after_a_restart(store, database):
    store.keep("order", [ACCEPTED])
    database.close()
    assert [row.feedback for row in store.entries()] == [ACCEPTED]


def test_the_folder_is_readable_by_its_owner_only(store, path):
    store.keep("order", [ACCEPTED])
    assert path.parent.stat().st_mode & 0o077 == 0


def test_long_ids_and_odd_characters_are_kept(store):
    entry = Feedback(card="é×" * 5000, outcome="accepted", outcome_timestamp="", user_comment="a\x00b")
    store.keep("order", [entry])
    (row,) = store.entries()
    assert row.feedback.card == entry.card
    assert row.feedback.user_comment == "a\ufffdb"


def test_threads_and_stores_on_one_file_lose_nothing(path):
    databases = [Database(f"sqlite:///{path}") for _ in range(2)]
    stores = [FeedbackStore(database) for database in databases]
    threads = [
        threading.Thread(target=store.keep, args=("order", [ACCEPTED] * 5)) for store in stores for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores[0].entries()) == 40
    for database in databases:
        database.close()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////proc/nowhere/cds-service.db",
        "sqlite:////",
        "postgresql+psycopg://user:pass-word@127.0.0.1:1/none",
        "nonsense",
    ],
)
def test_a_database_that_is_down_is_said_without_its_address(url):
    database = Database(url)
    store = FeedbackStore(database)
    with pytest.raises(StoreUnavailableError) as caught:
        store.keep("order", [OVERRIDDEN])
    assert "not available" in str(caught.value)
    assert "pass-word" not in str(caught.value)
    assert "Jane" not in str(caught.value)
    with pytest.raises(StoreUnavailableError):
        store.entries()
    assert database.check() == str(caught.value)
    database.close()


def test_a_store_recovers_when_its_database_comes_back(tmp_path):
    folder = tmp_path / "state"
    folder.write_text("in the way")
    database = Database(f"sqlite:///{folder}/cds-service.db")
    assert database.check() is not None
    folder.unlink()
    store = FeedbackStore(database)
    store.keep("order", [ACCEPTED])
    assert database.check() is None
    assert len(store.entries()) == 1
    database.close()


def test_a_batch_is_kept_whole_or_not_at_all(store):
    broken = Feedback(card=None, outcome="accepted", outcome_timestamp="t")
    with pytest.raises(StoreUnavailableError) as caught:
        store.keep("order", [OVERRIDDEN, broken])
    assert "Jane" not in repr(caught.value.__cause__)
    assert store.entries() == ()


def test_no_column_has_a_length_limit():
    statement = str(CreateTable(FEEDBACK).compile(dialect=postgresql.dialect()))
    assert "VARCHAR" not in statement
    assert "id BIGSERIAL" in statement


def test_a_comment_is_not_shown():
    assert "Jane" not in repr(OVERRIDDEN)
