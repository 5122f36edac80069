"""The database: whether it answers, has its tables, and takes what is written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from cds_service.checkup.check import Check, fails, works
from cds_service.settings import Settings
from cds_service.store.database import Database
from cds_service.store.model import NewerDatabaseError, StoreUnavailableError

KIND: Final = "database"

_CAUSES: Final = (
    ("no module named", "the driver psycopg is not installed", "pip install 'paravertebral-cds[postgresql]'"),
    ("password", "it refuses user or password", "correct user and password in CDS_DATABASE_URL"),
    ("does not exist", "it has no such database or user", "create them, or correct CDS_DATABASE_URL"),
    ("refused", "nothing listens there", "start it, or correct host and port in CDS_DATABASE_URL"),
    ("resolve", "its host name has no address", "correct the host in CDS_DATABASE_URL"),
    ("timeout", "it does not answer in time", "check that it runs, and the firewall between"),
    ("permission denied", "it does not permit this", "grant its user the right to make tables and to write"),
    ("read-only", "it takes no writes", "give the service the one that is written to (the primary)"),
    ("readonly", "the file may not be written", "give its file and folder to the user of the service"),
    ("unable to open", "the file cannot be opened", "give its file and folder to the user of the service"),
    ("not a database", "the file is not an SQLite database", "set CDS_DATABASE_URL to another file"),
    ("disk is full", "the disk is full", "make room on the disk"),
    ("locked", "another program holds it", "end what holds it; SQLite must be on a local disk"),
)
"""Words of the database's own message, what they mean, and what to do. The message itself may hold a password."""


def check_database(settings: Settings) -> Iterator[Check]:
    """Yield whether the database answers, how far its tables are, and whether it takes a write (which is undone)."""
    try:
        url = make_url(settings.database_url)
    except (ArgumentError, ValueError):
        to_do = "write it as sqlite:////folder/file.db or postgresql+psycopg://user:password@host/name"
        yield fails(KIND, "address", "CDS_DATABASE_URL cannot be understood", to_do)
        return
    subject = _shown(settings.database_url, url)
    if (missing := _missing_file(url)) is not None:
        yield _could_be_made(subject, missing)
        return
    database = Database(settings.database_url)
    try:
        yield from _steps(database, subject)
    finally:
        database.close()


def _steps(database: Database, subject: str) -> Iterator[Check]:
    try:
        found = database.status()
    except NewerDatabaseError as error:
        yield fails(KIND, subject, str(error), "run the newer version, or set CDS_DATABASE_URL to another database")
        return
    except StoreUnavailableError as error:
        yield _failure(subject, error)
        return
    if found.pending:
        at = f"revision {found.revision}" if found.revision else "empty"
        to_do = "cds-service db upgrade; serve does the same at start"
        yield works(KIND, subject, f"answers, {at}; to do: {', '.join(found.pending)}", to_do)
    else:
        yield works(KIND, subject, f"answers, revision {found.revision}, up to date")
    try:
        database.try_writing()
    except StoreUnavailableError as error:
        yield _failure(f"{subject}, writing", error)
    else:
        yield works(KIND, f"{subject}, writing", "takes a write, which was undone")


def _failure(subject: str, error: StoreUnavailableError) -> Check:
    said = str(error.__cause__).lower()
    for words, found, to_do in _CAUSES:
        if words in said:
            return fails(KIND, subject, found, to_do)
    return fails(KIND, subject, str(error), "see the log of the database; until it answers, feedback gets 503")


def _shown(written: str, url: URL) -> str:
    """Return where a database is, without password and options."""
    if written.count("@") > 1:  # one not encoded, in the password: what is behind it would be shown as the host
        return f"{url.drivername}://***"
    return url.set(query={}).render_as_string(hide_password=True)


def _missing_file(url: URL) -> Path | None:
    """Return the file of a SQLite database that is not there yet, None where there is no file or it is there."""
    name = url.database or ":memory:"
    if url.get_backend_name() != "sqlite" or name == ":memory:" or name.startswith("file:"):
        return None
    return None if Path(name).exists() else Path(name)


def _could_be_made(subject: str, file: Path) -> Check:
    """Return whether `serve` could make a file; it is not made here, so that looking changes nothing."""
    folder = next(parent for parent in file.absolute().parents if parent.exists())
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return works(KIND, subject, "is not there yet and can be made: the first start does")
    to_do = f"let the user of the service write in {folder}, or set CDS_DATABASE_URL to another file"
    return fails(KIND, subject, f"is not there, and cannot be made in {folder}", to_do)
