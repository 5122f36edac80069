"""Faults with real processes, as `bench/storage.py` measures them, for a short while each."""

from __future__ import annotations

import pytest

from bench import storage
from bench.postgresql import MISSING, LocalPostgresql, programs


def _check(tally):
    assert tally.acknowledged
    assert not tally.lost
    assert tally.twice == 0
    assert tally.odd == []
    assert tally.hooks > 0


def test_killed_workers_lose_no_acknowledged_feedback(url):
    tally = storage.run("killed", url, storage.kill_workers, 3)
    _check(tally)
    assert tally.happened >= 2  # whether a call was cut off by it is up to the moment


def test_a_full_disk_refuses_feedback_and_hooks_go_on(tmp_path):
    tally = storage.run("full", f"sqlite:///{tmp_path / 'cds.db'}", storage.nothing, 2, storage.FULL_AT)
    _check(tally)
    assert tally.refused


def test_a_locked_file_refuses_feedback_and_hooks_go_on(tmp_path):
    path = tmp_path / "cds.db"
    tally = storage.run("locked", f"sqlite:///{path}", storage.locked(path), 4)
    _check(tally)
    assert tally.refused


def test_a_server_that_crashes_and_comes_back():
    if programs() is None:
        pytest.skip(MISSING)
    server = LocalPostgresql()
    try:
        tally = storage.run("crashed", server.new_database(), storage.stopped(server), 4)
    finally:
        server.close()
    _check(tally)
    assert tally.refused
