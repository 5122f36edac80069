"""`cds-service feedback`: what became of the cards."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

import click
import orjson

from cds_service.commands.db import answered, opened
from cds_service.commands.loading import read_settings
from cds_service.store.report import Report, Tally, report


@click.group("feedback")
def command() -> None:
    """Show what clinicians did with the cards."""


@command.command("report")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Only from this day (UTC) on.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    show_default=True,
    help="For whom.",
)
def report_command(since: datetime | None, form: str) -> None:
    """Count the cards given, accepted and overridden, by kind and rule, and the reasons of those overridden.

    A card counts once, with its last outcome, for each rule it names. Cards that are not remembered stand under
    "unknown". Exit code 3: the database does not answer.
    """
    with opened(read_settings()) as database:
        found = answered(lambda: report(database, since.date() if since else None))
    if form == "json":
        click.echo(orjson.dumps(_json(found), option=orjson.OPT_INDENT_2))
    elif form == "csv":
        click.echo(_csv(found), nl=False)
    else:
        from cds_service.terminal.feedback import print_report  # noqa: PLC0415 - the others need none of it

        print_report(found)


def _json(found: Report) -> dict[str, Any]:
    return {"since": found.since, "tallies": [_members(tally) for tally in found.tallies]}


def _members(tally: Tally) -> dict[str, Any]:
    return {
        "kind": tally.kind,
        "rule": tally.rule,
        "given": tally.given,
        "accepted": tally.accepted,
        "overridden": tally.overridden,
        "unanswered": tally.unanswered,
        "acceptance": None if tally.acceptance is None else round(tally.acceptance, 3),
        "reasons": dict(tally.reasons.most_common()),
    }


def _csv(found: Report) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["kind", "rule", "given", "accepted", "overridden", "unanswered", "acceptance", "reasons"])
    for tally in found.tallies:
        members = _members(tally)
        reasons = "; ".join(f"{_harmless(code)}: {count}" for code, count in members.pop("reasons").items())
        writer.writerow([*members.values(), reasons])
    return file.getvalue()


def _harmless(code: str) -> str:
    """Return a code, which a client made up, so that no spreadsheet takes it for a formula."""
    return f"'{code}" if code[:1] in {"=", "+", "-", "@"} else code
