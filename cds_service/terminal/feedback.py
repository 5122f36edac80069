"""What became of the cards, for people."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from cds_service.store.report import Report, Tally
from cds_service.terminal.layout import new_console, safe

_REASON_LIMIT = 60


def print_report(report: Report) -> None:
    """Print a line for each kind of card, and below it one for each rule, with the reasons of those overridden."""
    console = new_console()
    since = f"since {report.since}" if report.since else "since the beginning"
    console.print(Text.assemble(("Cards and what became of them ", "bold"), since))
    if not report.tallies:
        console.print("No card was given, and no feedback came.")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Card and rule")
    for name in ("Given", "Accepted", "Overridden", "No answer", "Acceptance"):
        table.add_column(name, justify="right")
    table.add_column("Reasons")
    for tally in report.tallies:
        table.add_row(_name(tally), *_figures(tally), _reasons(tally))
    console.print(table)


def _name(tally: Tally) -> Text:
    return Text(safe(tally.kind), "bold") if tally.rule is None else Text(f"  {safe(tally.rule)}")


def _figures(tally: Tally) -> list[str]:
    counts = [str(count) for count in (tally.given, tally.accepted, tally.overridden, tally.unanswered)]
    return [*counts, "" if tally.acceptance is None else f"{tally.acceptance:.0%}"]


def _reasons(tally: Tally) -> str:
    return ", ".join(f"{safe(code, _REASON_LIMIT)} {count}" for code, count in tally.reasons.most_common())
