"""What is loaded of the knowledge, and what it does not cover, for people."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cds_service.knowledge.status import Document, Edition, Kind, Status
from cds_service.terminal.layout import counted, heading, new_console


def print_status(status: Status) -> None:
    """Print the editions of each kind of table with their gaps, and the documents."""
    console = new_console()
    folder = f"with {status.folder} laid over it" if status.folder else "as shipped; no folder of the site"
    console.print(Text.assemble(("Knowledge ", "bold"), (status.version, "bold cyan"), f" {folder}"))
    for kind in status.kinds:
        _print_kind(console, kind, status)
    console.print(heading("Documents", "entries by file of the knowledge"))
    console.print(_documents(status.documents))


def _print_kind(console: Console, kind: Kind, status: Status) -> None:
    console.print(heading(kind.title[0].upper() + kind.title[1:], kind.kind))
    if not kind.editions:
        console.print(Padding(Text("None is loaded.", "yellow"), (0, 0, 0, 2), expand=False))
        return
    console.print(_editions(kind.editions))
    for line in _uncovered(kind, status):
        console.print(Padding(Text(line, "yellow"), (0, 0, 0, 2), expand=False))


def _editions(editions: Iterable[Edition]) -> Table:
    table = _table("Edition", "From", "To", "Rows", "Origin", "File and source")
    for edition in editions:
        source = edition.source
        table.add_row(
            edition.edition,
            edition.valid_from.isoformat(),
            edition.valid_to.isoformat(),
            str(edition.rows),
            Text("site", "cyan") if edition.from_site else Text("shipped", "dim"),
            Text.assemble(edition.file, (f"\n{source.title} ({source.publisher}, {source.published})", "dim")),
        )
    return table


def _uncovered(kind: Kind, status: Status) -> Iterable[str]:
    used = kind.used
    assert used is not None  # nosec B101 # noqa: S101 - there are editions
    if not kind.covers_today:
        yield f"Today, {status.today}, lies in none of them; {used.edition} is used, and notChecked says so."
    days = [f"{period.first} to {period.last}" for period in kind.uncovered]
    if days:
        yield f"In no edition: {', '.join(days)}."
    if used.lacks:
        lacking = ("add-on", "add-ons") if kind.kind == "addon" else ("code", "codes")
        yield f"{counted(len(used.lacks), *lacking)} of ours not in {used.edition}: {', '.join(used.lacks)}."


def _documents(documents: Iterable[Document]) -> Table:
    table = _table("Document", "Entries", "From the site")
    for document in documents:
        table.add_row(document.name, str(document.entries), ", ".join(document.from_site) or Text("none", "dim"))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim", border_style="dim")
    for column in columns[:-1]:
        table.add_column(column, no_wrap=True)
    table.add_column(columns[-1])
    return table
