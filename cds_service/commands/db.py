"""`cds-service db`: the tables of the database, and what is removed from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click

from cds_service.commands.loading import UnusableError, read_settings
from cds_service.settings import Settings
from cds_service.store.database import Database
from cds_service.store.model import NewerDatabaseError, StoreUnavailableError
from cds_service.store.prune import prune

T = TypeVar("T")


@click.group("db")
def command() -> None:
    """Show, upgrade or prune the database (CDS_DATABASE_URL).

    Exit code 3: the database does not answer, or is of a newer version of the service.
    """


@command.command("status")
def status_command() -> None:
    """Show how far the tables of the database are, without changing them."""
    with opened(read_settings()) as database:
        found = answered(database.status)
    click.echo(f"revision: {found.revision or 'none, the database is empty'}")
    click.echo(f"to do:    {', '.join(found.pending) or 'nothing, it is up to date'}")


@command.command("upgrade")
def upgrade_command() -> None:
    """Bring the tables of the database up to date; `serve` does the same at start."""
    with opened(read_settings()) as database:
        before = answered(database.status)
        answered(database.prepare)
    click.echo(f"Done: {', '.join(before.pending)}" if before.pending else "Nothing to do, it is up to date")


@command.command("prune")
def prune_command() -> None:
    """Remove what is older than the settings CDS_RETENTION_... keep; `serve` does the same now and then."""
    settings = read_settings()
    with opened(settings) as database:
        removed = answered(lambda: prune(database, settings.retention))
    click.echo(f"Removed: {', '.join(f'{count:,} {what}' for what, count in removed.items())}")


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Give the database of `settings`, and close it afterwards."""
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        database.close()


def answered(ask: Callable[[], T]) -> T:
    """Return what `ask` returns. Raises `UnusableError` where the database does not answer."""
    try:
        return ask()
    except StoreUnavailableError as error:
        raise UnusableError(f"CDS_DATABASE_URL: {error}") from None


def prepare(settings: Settings) -> None:
    """Bring the tables up to date before the service starts.

    A database that does not answer keeps nobody from starting, since answers need none; it is said, and tried again
    with the first feedback.

    Raises:
        UnusableError: the database is of a newer version of the service.
    """
    with opened(settings) as database:
        try:
            database.prepare()
        except NewerDatabaseError as error:
            raise UnusableError(f"CDS_DATABASE_URL: {error}") from None
        except StoreUnavailableError as error:
            click.echo(f"Warning: {error}; until it is, feedback is refused (503)", err=True)
