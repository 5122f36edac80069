"""`cds-service knowledge`: which tables of CMS are loaded, and loading newer ones into the site's folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click
import orjson

from cds_service.commands.loading import InputError, UnusableError, read_settings, usable
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.imports.errors import MalformedError, RefusedError
from cds_service.knowledge.imports.importer import Imported, import_table
from cds_service.knowledge.imports.quarter import Quarter
from cds_service.knowledge.imports.reading import LAYOUTS
from cds_service.knowledge.status import Edition, Kind, Status, status

MALFORMED = 1


@click.group("knowledge")
def command() -> None:
    """Show which tables of CMS are loaded, or import newer ones.

    The knowledge is what is shipped with the site's folder (CDS_KNOWLEDGE_DIR) laid over it.
    """


@command.command("status")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For whom."
)
def status_command(form: str) -> None:
    """Show the loaded editions with their days and sources, and what they do not cover."""
    folder = read_settings().knowledge_dir
    found = usable(lambda: status(folder, datetime.now().astimezone().date()))
    if form == "json":
        click.echo(orjson.dumps(_status_json(found), option=orjson.OPT_INDENT_2))
        return
    from cds_service.terminal.knowledge import print_status  # noqa: PLC0415 - JSON needs none of it

    print_status(found)


def _status_json(found: Status) -> dict[str, Any]:
    return {
        "knowledgeVersion": found.version,
        "today": found.today,
        "siteFolder": None if found.folder is None else str(found.folder),
        "tables": {kind.kind: _kind_json(kind) for kind in found.kinds},
        "documents": {
            document.name: {"entries": document.entries, "fromSite": document.from_site} for document in found.documents
        },
    }


def _kind_json(kind: Kind) -> dict[str, Any]:
    return {
        "title": kind.title,
        "coversToday": kind.covers_today,
        "usedToday": kind.used and kind.used.id,
        "newestDay": kind.newest_day,
        "uncoveredDays": [{"from": days.first, "to": days.last} for days in kind.uncovered],
        "editions": [_edition_json(edition) for edition in kind.editions],
    }


def _edition_json(edition: Edition) -> dict[str, Any]:
    source = edition.source
    return {
        "id": edition.id,
        "edition": edition.edition,
        "from": edition.valid_from,
        "to": edition.valid_to,
        "rows": edition.rows,
        "file": edition.file,
        "origin": "site" if edition.from_site else "shipped",
        "source": {"id": source.id, "title": source.title, "publisher": source.publisher, "date": source.published},
        "lacks": edition.lacks,
    }


@command.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--kind", required=True, type=click.Choice(list(LAYOUTS)), help="Which table of CMS it is.")
@click.option("--quarter", required=True, metavar="2026Q4", help="The quarter it is in force.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The site's folder; by default CDS_KNOWLEDGE_DIR.",
)
@click.option("--replace", is_flag=True, help="Remove other entries of the folder that overlap the quarter.")
@click.pass_context
def import_command(
    ctx: click.Context, files: tuple[Path, ...], kind: str, quarter: str, into: Path | None, replace: bool
) -> None:
    r"""Read a table as CMS publishes it (FILE...) and write it into the site's folder.

    \b
    ptp    practitioner PTP edits: all parts (txt or xlsx), or their zips
    mue    practitioner medically unlikely edits (csv or xlsx)
    addon  add-on code edits (xlsx or txt)
    mpfs   physician fee schedule relative value file, PPRRVU (csv or xlsx)

    Only rows about codes of this service are kept. Nothing is written unless all rows can be understood and
    everything loads with the table in place. A table of the same quarter is replaced.

    \b
    Exit codes:
      0  imported
      1  rows cannot be understood; they are listed, nothing was written
      2  wrong usage, or a file that is not this table
      3  settings or knowledge that cannot be used; nothing was written
    """
    folder = into or read_settings().knowledge_dir
    if folder is None:
        raise InputError("say where to with --into DIR, or set CDS_KNOWLEDGE_DIR")
    try:
        done = import_table(kind, files, Quarter.parse(quarter), folder, replace=replace)
    except MalformedError as error:
        _print_malformed(error)
        ctx.exit(MALFORMED)
    except RefusedError as error:
        raise InputError(str(error)) from None
    except KnowledgeError as error:
        raise UnusableError(f"{error} (nothing was imported)") from None
    _print_imported(done)


def _print_malformed(error: MalformedError) -> None:
    for problem in error.problems:
        click.echo(f"{problem.place}: {problem.reason}", err=True)
    further = error.count - len(error.problems)
    if further:
        click.echo(f"... and {further} more", err=True)
    rows = "1 row" if error.count == 1 else f"{error.count} rows"
    click.echo(f"Error: nothing was imported: {rows} cannot be understood", err=True)


def _print_imported(done: Imported) -> None:
    reading = done.reading
    click.echo(f"Imported {reading.kind} of {reading.quarter} into {done.file}")
    if done.replaced:
        click.echo(f"In place of {', '.join(done.replaced)}")
    click.echo(f"{reading.read:>10,} rows read")
    click.echo(f"{len(reading.rows):>10,} kept")
    for why, count in reading.ignored.items():
        click.echo(f"{count:>10,} ignored: {why}")
    for note in reading.notes:
        click.echo(note)
