from __future__ import annotations

import contextlib
import socket
import sqlite3
import threading
import time

import pytest

from cds_service.store.database import Database
from cds_service.store.model import StoreUnavailableError
from cds_service.store.schema import TOKEN_IDS

ROW = {"digest": "1", "expires_at": 1}


@pytest.mark.parametrize(("durable", "pragma", "commit"), [(True, 2, "on"), (False, 1, "off")])
def test_what_is_acknowledged_waits_for_the_disk_and_the_rest_does_not(database, url, durable, pragma, commit):
    database.prepare()
    for _ in range(2):  # on the same connection, one kind after the other
        with database.writing(durable=not durable):
            pass
        with database.writing(durable=durable) as connection:
            if url.startswith("sqlite"):
                assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == pragma
                assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 3000
            else:
                assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == commit
                assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "3s"


def test_an_error_in_between_leaves_nothing(database):
    def write_and_stumble():
        with database.writing() as connection:
            connection.execute(TOKEN_IDS.insert(), ROW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_stumble()
    with database.reading() as connection:
        assert connection.execute(TOKEN_IDS.select()).all() == []


def test_readers_do_not_wait_for_a_writer(database):
    database.prepare()
    with database.writing() as writer:
        writer.execute(TOKEN_IDS.insert(), ROW)
        with database.reading() as reader:
            assert reader.execute(TOKEN_IDS.select()).all() == []


def test_a_database_that_may_only_be_read(tmp_path):
    path = tmp_path / "cds.db"
    made = Database(f"sqlite:///{path}")
    made.prepare()
    made.close()
    database = Database(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert database.check() is None
    with pytest.raises(StoreUnavailableError), database.writing() as connection:
        connection.execute(TOKEN_IDS.insert(), ROW)
    database.close()


def _tries(database, number):
    """How long each of `number` threads that write at once took to fail."""
    took = []

    def write():
        began = time.monotonic()
        try:
            with database.writing() as connection:
                connection.execute(database.insert_new(TOKEN_IDS), ROW)
        except StoreUnavailableError:
            took.append(time.monotonic() - began)

    threads = [threading.Thread(target=write) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(took)


def test_while_a_file_is_locked_one_thread_waits_and_the_rest_are_free(tmp_path):
    path = tmp_path / "cds.db"
    database = Database(f"sqlite:///{path}")
    database.prepare()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert len(_tries(database, 1)) == 1
    took = _tries(database, 5)
    assert len(took) == 5
    assert took[3] < 1 < took[4] < 6
    other.execute("ROLLBACK")
    other.close()
    assert _tries(database, 1) == []
    assert _tries(database, 5) == []
    database.close()


def test_a_server_that_takes_connections_and_says_nothing():
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        database = Database(f"postgresql+psycopg://cds@127.0.0.1:{silent.getsockname()[1]}/cds")
        took = _tries(database, 5)
        assert len(took) == 5
        assert took[-1] < 8  # not one after the other
        assert _tries(database, 5)[3] < 1
        database.close()


def test_threads_share_a_database_in_memory():
    database = Database("sqlite://")
    with database.writing() as connection:
        connection.execute(TOKEN_IDS.insert(), ROW)
    with database.reading() as connection:
        assert len(connection.execute(TOKEN_IDS.select()).all()) == 1
    database.close()


def test_a_new_file_that_another_is_writing_to_is_waited_for(tmp_path):
    """SQLite itself refuses at once: the file is not yet one that several may write to."""
    path = tmp_path / "cds.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE other (x)")
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, lambda: other.execute("COMMIT")).start()
    assert Database(f"sqlite:///{path}").check() is None
    other.close()
    with contextlib.closing(sqlite3.connect(path)) as later:
        assert later.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_new_file_that_another_does_not_let_go_is_said_to_be_out_of_reach(tmp_path, monkeypatch):
    monkeypatch.setattr("cds_service.store.database.WAIT_S", 0.2)
    path = tmp_path / "cds.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE other (x)")
    other.execute("BEGIN IMMEDIATE")
    assert Database(f"sqlite:///{path}").check() is not None
    other.close()
