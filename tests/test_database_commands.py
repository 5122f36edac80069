"""`cds-service db` and `cds-service feedback`: what they print, and their exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3

import pytest
from click.testing import CliRunner

from cds_service.cli import main
from cds_service.store.cards import GivenCards
from cds_service.store.database import Database
from cds_service.store.feedback import FeedbackStore
from cds_service.store.model import Feedback, GivenCard
from cds_service.store.recorder import Recorder


@pytest.fixture
def path(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("CDS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "160")
    path = tmp_path / "cds-service.db"
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{path}")
    return path


@pytest.fixture
def run(path):
    return lambda *arguments: CliRunner().invoke(main, arguments)


@pytest.fixture
def answered(path):
    """A database with two cards given, one of them overridden, and one unknown card accepted."""
    database = Database(f"sqlite:///{path}")
    recorder = Recorder(database, delay_s=0)
    for uuid in ("a", "b"):
        card = GivenCard(uuid, "order", "suggested-codes", ("mue-exceeded",), (), "v", "default")
        GivenCards(recorder).remember(card)
    recorder.flush()
    store = FeedbackStore(database)
    store.keep("order", [Feedback("a", "overridden", "2026-11-20T10:00:00Z", (), "=1+1")])
    store.keep("order", [Feedback("x", "accepted", "2026-11-20T10:00:00Z", ("s",))])
    database.close()


def test_a_database_is_shown_upgraded_and_pruned(run, path):
    assert run("db", "status").stdout == "revision: none, the database is empty\nto do:    0001, 0002\n"
    assert run("db", "upgrade").stdout == "Done: 0001, 0002\n"
    assert run("db", "upgrade").stdout == "Nothing to do, it is up to date\n"
    assert run("db", "status").stdout == "revision: 0002\nto do:    nothing, it is up to date\n"
    assert run("db", "prune").stdout == "Removed: 0 feedback, 0 cards, 0 audit, 0 tokens\n"


def test_prune_follows_the_settings(run, answered, path, monkeypatch):
    with sqlite3.connect(path) as connection:
        connection.execute("update feedback set received_at = '2020-01-01T00:00:00.000000+00:00' where card = 'a'")
    connection.close()
    assert "0 feedback" in run("db", "prune").stdout
    monkeypatch.setenv("CDS_RETENTION_FEEDBACK_DAYS", "30")
    assert "1 feedback" in run("db", "prune").stdout


@pytest.mark.parametrize(
    "arguments",
    [("db", "status"), ("db", "upgrade"), ("db", "prune"), ("feedback", "report"), ("serve",)],
    ids=" ".join,
)
def test_a_newer_database_is_refused_in_one_line(run, path, arguments):
    run("db", "upgrade")
    with sqlite3.connect(path) as connection:
        connection.execute("update cds_schema_version set version_num = '0999'")
    connection.close()
    result = run(*arguments)
    assert result.exit_code == 3
    assert result.stderr == (
        "Error: CDS_DATABASE_URL: the database is at revision 0999 and this version of the service knows 0002: "
        "run the newer version, or set CDS_DATABASE_URL to another database\n"
    )


@pytest.mark.parametrize("arguments", [("db", "status"), ("db", "upgrade"), ("feedback", "report")], ids=" ".join)
def test_a_database_that_is_down_is_said_without_its_address(run, monkeypatch, arguments):
    monkeypatch.setenv("CDS_DATABASE_URL", "postgresql+psycopg://cds:secret@127.0.0.1:1/cds")
    result = run(*arguments)
    assert result.exit_code == 3
    assert result.stderr == "Error: CDS_DATABASE_URL: the database is not available (OperationalError)\n"


def test_the_report_for_people(run, answered):
    lines = [line.split() for line in run("feedback", "report").stdout.splitlines()]
    assert ["suggested-codes", "2", "0", "1", "1", "0%", "=1+1", "1"] in lines
    assert ["mue-exceeded", "2", "0", "1", "1", "0%", "=1+1", "1"] in lines
    assert ["unknown", "0", "1", "0", "0", "100%"] in lines


def test_the_report_for_programs(run, answered):
    document = json.loads(run("feedback", "report", "--format", "json").stdout)
    assert document["since"] is None
    assert document["tallies"][1] == {
        "kind": "suggested-codes",
        "rule": "mue-exceeded",
        "given": 2,
        "accepted": 0,
        "overridden": 1,
        "unanswered": 1,
        "acceptance": 0.0,
        "reasons": {"=1+1": 1},
    }


def test_the_report_for_spreadsheets(run, answered):
    rows = list(csv.DictReader(io.StringIO(run("feedback", "report", "--format", "csv").stdout)))
    assert [row["kind"] for row in rows] == ["suggested-codes", "suggested-codes", "unknown"]
    assert rows[0]["reasons"] == "'=1+1: 1"  # no formula
    assert rows[2]["acceptance"] == "1.0"


def test_the_report_since_a_day(run, answered):
    assert "No card was given" in run("feedback", "report", "--since", "2999-01-01").stdout
    assert run("feedback", "report", "--since", "yesterday").exit_code == 2
