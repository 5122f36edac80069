from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cds_service.store.audit import AuditTrail
from cds_service.store.cards import GivenCards
from cds_service.store.database import Database
from cds_service.store.model import AuditEntry, GivenCard
from cds_service.store.recorder import Recorder
from cds_service.store.schema import AUDIT, GIVEN_CARD

CARD = GivenCard("c1", "order", "suggested-codes", ("addon-once-per-day",), (), "2026Q3-1", "default")
ENTRY = AuditEntry(
    at=datetime(2026, 11, 1, 10, tzinfo=UTC),
    call="hook",
    status=200,
    duration_ms=1.5,
    knowledge_version="2026Q3-1",
    kinds=("suggested-codes",),
)


def _count(database, table):
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar()


def test_rows_are_written_a_moment_later_by_themselves(database):
    written = threading.Event()
    recorder = Recorder(database, delay_s=0.01, afterwards=written.set)
    GivenCards(recorder).remember(CARD)
    AuditTrail(recorder).add(ENTRY)
    assert written.wait(10)
    assert (_count(database, GIVEN_CARD), _count(database, AUDIT)) == (1, 1)


def test_a_card_is_remembered_once_and_every_call_is_audited(database):
    recorder = Recorder(database, delay_s=60)
    recorder._scheduled = True  # no thread: the test writes
    for _ in range(700):
        recorder.put(GIVEN_CARD, {**_row(CARD), "given_at": "t"})
        AuditTrail(recorder).add(ENTRY)
    assert recorder.flush()
    assert (_count(database, GIVEN_CARD), _count(database, AUDIT)) == (1, 700)


def _row(card):
    names = ("card", "service_id", "kind", "rules", "elements", "knowledge_version", "profile")
    return {name: getattr(card, name) for name in names}


def test_the_end_of_the_process_waits_for_the_last_rows(url, database):
    code = f"""
from tests.store.test_recorder import CARD
from cds_service.store.cards import GivenCards
from cds_service.store.database import Database
from cds_service.store.recorder import Recorder
GivenCards(Recorder(Database({url!r}))).remember(CARD)
"""
    root = str(Path(__file__).parents[2])
    subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=30, cwd=root, env=os.environ | {"PYTHONPATH": root}
    )
    assert _count(database, GIVEN_CARD) == 1


@pytest.fixture
def blocked(tmp_path):
    """A database that is down until the file in its way is removed."""
    folder = tmp_path / "blocked"
    folder.write_text("in the way")
    database = Database(f"sqlite:///{folder}/cds-service.db")
    yield database, folder
    database.close()


def test_rows_wait_while_the_database_is_down(blocked, caplog):
    database, folder = blocked
    recorder = Recorder(database, delay_s=60, most=3)
    recorder._scheduled = True
    for number in range(5):
        recorder.put(GIVEN_CARD, {**_row(CARD), "card": str(number), "given_at": "t"})
    assert not recorder.flush()
    assert "3 rows of cards and audit wait, 2 are lost" in caplog.text
    folder.unlink()
    assert recorder.flush()
    with database.reading() as connection:
        assert connection.execute(select(GIVEN_CARD.c.card)).scalars().all() == ["0", "1", "2"]


def test_while_the_database_is_down_it_is_not_tried_all_the_time(blocked):
    database, _ = blocked
    recorder = Recorder(database, delay_s=0, pause_s=60)
    recorder._scheduled = True
    GivenCards(recorder).remember(CARD)
    recorder._scheduled = False
    assert not recorder.flush()
    before = threading.active_count()
    GivenCards(recorder).remember(CARD)
    assert threading.active_count() == before


def test_rows_that_are_refused_do_not_stand_in_the_way_for_ever(database, caplog):
    recorder = Recorder(database, delay_s=60)
    recorder._scheduled = True
    recorder.put(GIVEN_CARD, {**_row(CARD), "kind": None, "given_at": "t"})
    assert not recorder.flush()
    assert "0 rows of cards and audit wait, 1 are lost" in caplog.text
    recorder.put(GIVEN_CARD, {**_row(CARD), "given_at": "t"})
    assert recorder.flush()
    assert _count(database, GIVEN_CARD) == 1


def test_threads_lose_nothing(database):
    recorder = Recorder(database, delay_s=0.001)
    threads = [threading.Thread(target=lambda: [AuditTrail(recorder).add(ENTRY) for _ in range(100)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.flush()
    assert _count(database, AUDIT) == 800
