"""The command line. Each command is a module of `cds_service/commands/`, loaded only when it is asked for.

Importing all of them would cost the service, whose start is measured, the time of the terminal's libraries.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from traceback import extract_tb
from typing import Any, Final

import click

from cds_service import __version__

COMMANDS: Mapping[str, str] = {
    "serve": "Run the service with the production server.",
    "check": "Judge a FHIR Bundle, a hook request or the text of a note.",
    "demo": "Fire the sample cases at a running service and show its cards.",
    "rules": "List the rules, or show one.",
    "codes": "List the codes, or show one.",
    "keys": "Make a key pair and a signed token, to try client trust.",
    "feedback": "Show what clinicians did with the cards.",
    "db": "Show, upgrade or prune the database.",
    "doctor": "Look what of the installation works, what does not, and what to do.",
    "knowledge": "Show which tables of CMS are loaded, or import newer ones.",
}
"""Every command with what it does, as `--help` lists it."""


INTERNAL_ERROR: Final = 70
"""The exit code of an error of the program itself, as in sysexits.h."""


class LazyGroup(click.Group):
    """A group whose commands are found by name: `command` of `cds_service.commands.<name>`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Return the command `cmd_name`, or None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"cds_service.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Write the list of commands without loading any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line. Whatever happens, no traceback: it could show the record."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show "×" shows "?"
                stream.reconfigure(errors="replace")
        try:
            return super().main(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the last handler there is
            places = (f"{Path(frame.filename).name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)[-3:])
            click.echo(f"Error: internal error, {type(error).__qualname__} at {' > '.join(places)}", err=True)
            raise SystemExit(INTERNAL_ERROR) from None


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done; 1 something to say (check), a case not as expected (demo), something that does not "
    "work (doctor); 2 wrong usage or unreadable input; 3 settings or knowledge that cannot be used; 70 an error of the "
    "program itself.",
)
@click.version_option(__version__, prog_name="cds-service")
def main() -> None:
    """Check the coding and documentation of paravertebral and neighbouring nerve blocks.

    Settings are environment variables that start with CDS_; the README lists them.
    """
