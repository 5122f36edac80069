from __future__ import annotations

import multiprocessing
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import resources

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from cds_service.store.database import Database
from cds_service.store.feedback import FeedbackStore
from cds_service.store.migrate import REVISIONS, Status
from cds_service.store.model import NewerDatabaseError
from cds_service.store.schema import FEEDBACK, METADATA, VERSION

# What version 0.1.0 without migrations left in a database, in the words of either.
OLD_TABLE = """
CREATE TABLE feedback (
    id {number} NOT NULL PRIMARY KEY, received_at TEXT NOT NULL, service_id TEXT NOT NULL, card TEXT NOT NULL,
    outcome TEXT NOT NULL, outcome_timestamp TEXT NOT NULL, accepted_suggestions JSON NOT NULL,
    reason_code TEXT, reason_system TEXT, reason_display TEXT, user_comment TEXT
)
"""
OLD_ROW = """
INSERT INTO feedback (received_at, service_id, card, outcome, outcome_timestamp, accepted_suggestions, user_comment)
VALUES ('2026-11-01T10:00:00+00:00', 'order', 'c1', 'accepted', 't', '["s1"]', 'seen before')
"""


@pytest.fixture
def old(url, tmp_path):
    """The address of a database that a version without migrations made, with the same feedback in it twice."""
    (tmp_path / "state").mkdir()
    number = "BIGSERIAL" if url.startswith("postgresql") else "INTEGER"
    _run(url, OLD_TABLE.format(number=number), OLD_ROW, OLD_ROW)
    return url


def _run(url, *statements):
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_one_process_prepares_several_databases_at_once(tmp_path):
    databases = [Database(f"sqlite:///{tmp_path / str(number)}.db") for number in range(8)]
    with ThreadPoolExecutor(len(databases)) as threads:
        list(threads.map(lambda database: database.prepare(), databases))
    assert {database.status() for database in databases} == {Status(REVISIONS[-1], ())}
    for database in databases:
        database.close()


def test_an_empty_database_gets_exactly_the_tables_of_the_code(database):
    assert database.status() == Status(None, REVISIONS)
    database.prepare()
    assert database.status() == Status(REVISIONS[-1], ())
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION.name})
        assert compare_metadata(context, METADATA) == []


def test_a_database_of_a_version_without_migrations_is_adopted_without_loss(old):
    database = Database(old)
    assert database.status() == Status("0001", REVISIONS[1:])
    rows = FeedbackStore(database).entries()
    assert [(row.service_id, row.feedback.card, row.feedback.user_comment) for row in rows] == [
        ("order", "c1", "seen before")
    ] * 2
    assert all(row.feedback.accepted_suggestions == ("s1",) for row in rows)
    assert database.status() == Status(REVISIONS[-1], ())
    database.close()


def test_migrating_again_changes_nothing(old):
    for _ in range(2):
        database = Database(old)
        database.prepare()
        assert len(FeedbackStore(database).entries()) == 2
        database.close()


def test_a_newer_database_is_refused_in_one_line_and_left_alone(database, url):
    database.prepare()
    database.close()
    _run(url, "UPDATE cds_schema_version SET version_num = '9999'")
    with pytest.raises(NewerDatabaseError, match=r"revision 9999 .* knows 0002: run the newer version") as caught:
        database.prepare()
    assert "\n" not in str(caught.value)
    assert database.check() == str(caught.value)
    with pytest.raises(NewerDatabaseError):
        database.status()


def _prepare(url, errors):
    database = Database(url)
    try:
        database.prepare()
    except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
        errors.put(repr(error.__cause__ or error))
    else:
        errors.put(None)
    database.close()


@pytest.mark.parametrize("found", ["new", "old"])
def test_workers_that_start_together_migrate_once(url, request, found):
    if found == "old":
        request.getfixturevalue("old")
    context = multiprocessing.get_context("spawn")
    errors = context.Queue()
    workers = [context.Process(target=_prepare, args=(url, errors)) for _ in range(6)]
    for worker in workers:
        worker.start()
    assert [errors.get(timeout=60) for _ in workers] == [None] * 6
    for worker in workers:
        worker.join()
    database = Database(url)
    assert database.status() == Status(REVISIONS[-1], ())
    database.close()


def test_a_step_that_fails_leaves_nothing_half_done(old):
    _run(old, "CREATE TABLE audit (something_else INTEGER)")  # the second step stumbles over it
    database = Database(old)
    assert database.check() is not None
    assert database.status() == Status("0001", REVISIONS[1:])
    engine = create_engine(old)
    with engine.connect() as connection:
        assert "digest" not in connection.execute(text("SELECT * FROM feedback")).keys()  # noqa: SIM118 - no mapping
    engine.dispose()
    _run(old, "DROP TABLE audit")
    assert database.check() is None
    database.close()


def test_the_steps_are_those_that_are_listed():
    folder = resources.files("cds_service.store") / "migrations"
    script = ScriptDirectory.from_config(_config(folder))
    assert tuple(reversed([step.revision for step in script.walk_revisions()])) == REVISIONS


def _config(folder):
    config = Config()
    config.set_main_option("script_location", str(folder))
    return config


def test_a_database_that_is_up_to_date_does_not_cost_the_migration_library(tmp_path):
    url = f"sqlite:///{tmp_path}/cds-service.db"
    code = f"""
import sys
from cds_service.store.database import Database
database = Database({url!r})
database.prepare()
print("alembic" in sys.modules)
"""
    said = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    ]
    assert said == ["True", "False"]


def test_feedback_is_the_table_that_adoption_is_told_by():
    assert FEEDBACK.name == "feedback"
