"""What works and what does not, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from cds_service.checkup.check import Check, State
from cds_service.terminal.layout import new_console

_STYLES: Final[dict[State, str]] = {"works": "green", "does not work": "bold red", "not configured": "dim"}
_WIDTH: Final = max(map(len, _STYLES))


def print_checks(checks: Sequence[Check]) -> None:
    """Print a line for each check, below it one for what there is to do, and how many there are of each state."""
    console = new_console()
    for check in checks:
        _print(console, check)
    counts = Counter(check.state for check in checks)
    _line(console, Text(f"\n{', '.join(f'{state}: {counts[state]}' for state in _STYLES)}", "bold"))


def _print(console: Console, check: Check) -> None:
    state = (f"{check.state:<{_WIDTH}}", _STYLES[check.state])
    _line(console, Text.assemble(state, "  ", (check.kind, "bold"), f"  {check.subject}: {check.found}"))
    if check.to_do:
        _line(console, Text.assemble(" " * _WIDTH, ("  to do: ", "yellow"), check.to_do))


def _line(console: Console, text: Text) -> None:
    """Print one line as one line, however narrow the terminal: it can be searched and copied."""
    console.print(text, soft_wrap=True)
