"""Rules and codes for people: lists, and a page for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cds_service.knowledge.model import Code
from cds_service.review.rule import Rule
from cds_service.terminal.layout import Bullet, bullets, counted, heading, new_console
from cds_service.web.reference import ROLES

Told = Mapping[str, Any]

_SHOWN: Final = 24
"""How many codes of a list are shown."""
_PARAGRAPHS: Final = (
    ("usedWhen", "Used when"),
    ("context", "In practice"),
    ("counts", "What one unit counts"),
    ("sides", "Sides"),
    ("imaging", "Imaging"),
    ("documentation", "Documentation"),
)


def print_rules(rules: Iterable[Rule]) -> None:
    """Print the list of rules."""
    table = _table("Rule", "Severity", "What it is about")
    for rule in rules:
        style = "yellow" if rule.severity.value == "warning" else "cyan"
        table.add_row(rule.id, Text(rule.severity.value, style), rule.title)
    new_console().print(table)


def print_rule(told: Told) -> None:
    """Print the page of a rule (`rule_reference`)."""
    console = new_console()
    families = ", ".join(family["title"] for family in told.get("families", ())) or "every family of blocks"
    judged = "claims and draft orders" if told["forOrders"] else "claims"
    console.print(Text(told["title"], "bold"))
    console.print(Text(f"{told['id']} · {told['severity']} · {families} · {judged}", "dim"))
    console.print()
    console.print(Markdown(told["page"].replace("\n## ", "\n### ").replace("## ", "### ", 1), hyperlinks=False))
    _print_sources(console, told, "Cited")


def print_codes(groups: Sequence[tuple[str, Sequence[Code]]]) -> None:
    """Print the list of codes under the names of their roles."""
    table = _table("Code", "Kind", "In our own words")
    for name, codes in groups:
        for code in codes:
            table.add_row(code.code, Text(name, "dim"), code.title)
    new_console().print(table)


def print_code(told: Told) -> None:
    """Print what is known of a code (`code_reference`)."""
    console = new_console()
    console.print(Text.assemble((told["code"], "bold cyan"), "  ", (told["title"], "bold")))
    console.print(Text(told["plain"]))
    console.print(
        Text(f"CPT descriptor: {told['descriptor']}" if "descriptor" in told else told["descriptorNote"], "dim")
    )
    console.print()
    _print_pairs(console, _facts(told))
    for member, name in _PARAGRAPHS:
        if member in told:
            _print_section(console, name, Text(told[member]))
    for name, lines in _lists(told):
        if lines:
            _print_section(console, name, bullets((Bullet("•", "dim", Text(line)) for line in lines), indent=0))
    _print_sources(console, told, "Sources")


def _facts(told: Told) -> list[tuple[str, str]]:
    end = f" to {told['validTo']}" if "validTo" in told else ""
    facts = [("Role", ROLES[told["role"]]), ("Valid", f"for services from {told['validFrom']}{end}")]
    if "family" in told:
        facts.insert(1, ("Family", told["family"]["title"]))
    if "primaries" in told:
        facts.append(("Beside", _some(told["primaries"])))
    return facts


def _lists(told: Told) -> list[tuple[str, list[str]]]:
    related = [f"{other['code']} {other.get('title', '')}" for other in told.get("related", ())]
    places = [f"{term['title']} ({term['code']})" for term in told.get("placesOfService", ())]
    return [
        ("Modifiers", [f"{each['modifier']}: {each['when']}" for each in told.get("modifiers", ())]),
        ("Examples", told.get("examples", [])),
        ("Medicare edits", _edits(told)),
        ("What payers have published", _positions(told)),
        ("Related codes", related),
        ("Places of service", places),
        ("Specialties", [f"{term['title']} ({term['code']})" for term in told.get("taxonomies", ())]),
    ]


def _edits(told: Told) -> list[str]:
    lines = []
    if limit := told.get("dailyLimit"):
        units = counted(limit["units"], "unit")
        lines.append(f"At most {units} {limit['meaning']} (medically unlikely edit, {limit['edition']})")
    if bilateral := told.get("bilateral"):
        lines.append(f"{bilateral['meaning']} (bilateral indicator {bilateral['indicator']})")
    if payment := told.get("payment"):
        terms = f"fee schedule, {payment['edition']}, global days {payment['globalDays']}"
        lines.append(f"{' '.join(payment['meanings'])} ({terms})")
    if pairs := told.get("pairs"):
        lines += [f"{group['meaning']} {_partners(group)}" for group in pairs["groups"]]
    return [*lines, *told.get("unknownEdits", ())]


def _positions(told: Told) -> list[str]:
    said = ((p["title"], [one["statement"] for one in p.get("statements", ())]) for p in told.get("positions", ()))
    silent = [p["title"] for p in told.get("positions", ()) if "note" in p]
    found = [f"{title}: {' '.join(statements)}" for title, statements in said if statements]
    return [*found, *([f"Nothing was found of: {', '.join(silent)}"] if silent else [])]


def _partners(group: Told) -> str:
    anesthesia = group.get("anesthesiaCodes")
    codes = [_some(group["codes"])] if "codes" in group else []
    return "; and ".join([*codes, *([counted(anesthesia, "anesthesia code")] if anesthesia else [])])


def _some(codes: Sequence[str]) -> str:
    """Return the codes as a list that fits a few lines of the screen; the page has the rest."""
    hidden = len(codes) - _SHOWN
    return ", ".join(codes) if hidden <= 0 else f"{', '.join(codes[:_SHOWN])} and {hidden} more"


def _print_section(console: Console, name: str, body: RenderableType) -> None:
    console.print(heading(name))
    console.print(Padding(body, (0, 0, 0, 2), expand=False))


def _print_pairs(console: Console, pairs: Iterable[tuple[str, str]]) -> None:
    grid = Table.grid(padding=(0, 2))
    for name, value in pairs:
        grid.add_row(Text(name, "dim"), value)
    console.print(grid)


def _print_sources(console: Console, told: Told, name: str) -> None:
    lines = [f"{s['title']} ({s['publisher']}, {s['date']})" for s in told.get("sources", ())]
    if lines:
        _print_section(console, name, bullets((Bullet("•", "dim", Text(line, "dim")) for line in lines), indent=0))


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim", border_style="dim")
    for column in columns[:-1]:
        table.add_column(column, no_wrap=True)
    table.add_column(columns[-1])
    return table
