"""`cds-service doctor`: what of an installation works, what does not, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click
import orjson

from cds_service.checkup.check import Check
from cds_service.checkup.run import run_checks
from cds_service.commands.loading import read_settings

SOMETHING_FAILS = 1


@click.command("doctor")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For whom."
)
@click.pass_context
def command(ctx: click.Context, form: str) -> None:
    r"""Look at settings, knowledge, note formats, database, clients, FHIR servers, clock and port.

    Nothing is changed: the write to the database is undone, and no record is read. No password or token is shown.

    \b
    Exit codes:
      0  all that is configured works; there may be something to do all the same
      1  something does not work
      3  settings that cannot be used
    """
    checks = run_checks(read_settings(), datetime.now().astimezone().date())
    if form == "json":
        click.echo(orjson.dumps(_json(checks), option=orjson.OPT_INDENT_2))
    else:
        from cds_service.terminal.checkup import print_checks  # noqa: PLC0415 - JSON needs none of it

        print_checks(checks)
    if _failing(checks):
        ctx.exit(SOMETHING_FAILS)


def _failing(checks: Sequence[Check]) -> bool:
    return any(check.state == "does not work" for check in checks)


def _json(checks: Sequence[Check]) -> dict[str, object]:
    return {
        "works": not _failing(checks),
        "checks": [
            {
                "kind": check.kind,
                "subject": check.subject,
                "state": check.state,
                "found": check.found,
                "toDo": check.to_do or None,
            }
            for check in checks
        ],
    }
