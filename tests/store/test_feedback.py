from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from cds_service.store.cards import GivenCards
from cds_service.store.database import Database
from cds_service.store.feedback import FREE_TEXT, FeedbackStore
from cds_service.store.model import Feedback, GivenCard, StoreUnavailableError
from cds_service.store.recorder import Recorder
from cds_service.store.schema import METADATA

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
def store(database):
    return FeedbackStore(database, comments=True)


@pytest.fixture
def sqlite_store(path):
    database = Database(f"sqlite:///{path}")
    yield FeedbackStore(database)
    database.close()


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


LATER = replace(ACCEPTED, outcome_timestamp="2026-03-02T11:00:00Z")


@pytest.mark.parametrize(
    ("deliveries", "rows"),
    [
        pytest.param([[ACCEPTED], [ACCEPTED]], 1, id="delivered again"),
        pytest.param([[ACCEPTED, ACCEPTED]], 1, id="twice in one delivery"),
        pytest.param([[ACCEPTED], [OVERRIDDEN, ACCEPTED]], 2, id="delivered again with more"),
        pytest.param([[ACCEPTED], [replace(ACCEPTED, outcome="overridden")]], 2, id="outcome changed"),
        pytest.param([[ACCEPTED], [OVERRIDDEN], [LATER]], 3, id="changed and changed back"),
        pytest.param([[ACCEPTED], [replace(ACCEPTED, card="c2")]], 2, id="another card"),
        pytest.param([[ACCEPTED], [replace(ACCEPTED, accepted_suggestions=("s1",))]], 2, id="another suggestion"),
        pytest.param([[OVERRIDDEN], [replace(OVERRIDDEN, reason_code="x")]], 2, id="another reason"),
        pytest.param([[OVERRIDDEN], [replace(OVERRIDDEN, user_comment="x")]], 2, id="another comment, where kept"),
    ],
)
def test_what_is_delivered_again_is_kept_once(store, deliveries, rows):
    for entries in deliveries:
        store.keep("order", entries)
    assert len(store.entries()) == rows


def test_the_same_to_two_services_is_two_facts(store):
    store.keep("order", [ACCEPTED])
    store.keep("discharge", [ACCEPTED])
    assert len(store.entries()) == 2


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        pytest.param(OVERRIDDEN, ("other", "urn:example:reasons", None, None), id="display and comment go"),
        pytest.param(replace(OVERRIDDEN, reason_code="seen by Jane"), (FREE_TEXT, "urn:example:reasons", None, None),
                     id="words in place of a code"),
        pytest.param(replace(OVERRIDDEN, reason_code="J" * 101), (FREE_TEXT, "urn:example:reasons", None, None),
                     id="too long for a code"),
        pytest.param(replace(OVERRIDDEN, reason_system="seen by Jane"), ("other", None, None, None),
                     id="words in place of a system"),
        pytest.param(replace(OVERRIDDEN, reason_code=None, reason_system=None), (None,) * 4, id="a comment alone"),
    ],
)  # fmt: skip
def test_what_people_write_is_not_kept_unless_the_site_wants_it(database, sent, kept):
    store = FeedbackStore(database)
    store.keep("order", [sent])
    (row,) = store.entries()
    found = row.feedback
    assert (found.reason_code, found.reason_system, found.reason_display, found.user_comment) == kept
    store.keep("order", [replace(sent, user_comment="in other words")])
    assert len(store.entries()) == 1


CARD = GivenCard("c1", "order", "suggested-codes", ("addon-once-per-day",), ("levels",), "2026Q3-1", "medicare")


def test_the_card_it_answers_is_kept_with_it(database, store):
    recorder = Recorder(database)
    GivenCards(recorder).remember(CARD)
    GivenCards(recorder).remember(replace(CARD, knowledge_version="later"))
    assert recorder.flush()
    store.keep("order", [ACCEPTED, replace(ACCEPTED, card="never given")])
    assert [row.card for row in store.entries()] == [CARD, None]


def test_feedback_on_more_cards_than_a_query_takes(store):
    entries = [replace(ACCEPTED, card=str(number)) for number in range(1201)]
    store.keep("order", entries)
    assert [row.feedback for row in store.entries()] == entries


def test_nothing_to_keep_touches_no_database(sqlite_store, path):
    sqlite_store.keep("order", [])
    assert not path.exists()


def test_it_is_committed_when_keep_returns(sqlite_store, path):
    sqlite_store.keep("order", [ACCEPTED])
    other = sqlite3.connect(path)
    assert other.execute("select count(*) from feedback").fetchone() == (1,)
    assert other.execute("pragma journal_mode").fetchone() == ("wal",)
    other.close()


def test_it_is_there_after_a_restart(store, database):
    store.keep("order", [ACCEPTED])
    database.close()
    assert [row.feedback for row in store.entries()] == [ACCEPTED]


def test_the_folder_is_readable_by_its_owner_only(sqlite_store, path):
    sqlite_store.keep("order", [ACCEPTED])
    assert path.parent.stat().st_mode & 0o077 == 0


def test_long_ids_and_odd_characters_are_kept(store):
    entry = Feedback(card="é×" * 5000, outcome="accepted", outcome_timestamp="", user_comment="a\x00b")
    store.keep("order", [entry])
    (row,) = store.entries()
    assert row.feedback.card == entry.card
    assert row.feedback.user_comment == "a\ufffdb"


def test_threads_and_stores_on_one_database_lose_nothing(url):
    databases = [Database(url) for _ in range(2)]
    stores = [FeedbackStore(database) for database in databases]
    sent = [[replace(ACCEPTED, card=f"{thread}-{number}") for number in range(5)] for thread in range(8)]
    threads = [
        threading.Thread(target=stores[number % 2].keep, args=("order", entries)) for number, entries in enumerate(sent)
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
    broken = Feedback(card="c2", outcome=None, outcome_timestamp="t")
    with pytest.raises(StoreUnavailableError) as caught:
        store.keep("order", [OVERRIDDEN, broken])
    assert "Jane" not in repr(caught.value.__cause__)
    assert store.entries() == ()


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=str)
def test_no_column_has_a_length_limit(table):
    assert "VARCHAR" not in str(CreateTable(table).compile(dialect=postgresql.dialect()))


def test_a_comment_is_not_shown():
    assert "Jane" not in repr(OVERRIDDEN)
