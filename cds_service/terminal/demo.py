"""The demo for people: each case with its cards, and what it came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cds_service.demo import Answer, kind_of
from cds_service.terminal.layout import Bullet, bullets, heading, new_console, safe, stacked

_MARKS = {"info": ("•", "cyan"), "warning": ("▲", "yellow"), "critical": ("■", "red")}


@dataclass(frozen=True, slots=True)
class Bar:
    """A progress bar at work: `console` prints above it."""

    console: Console
    _progress: Progress
    _task: TaskID

    def advance(self) -> None:
        """Move on by one."""
        self._progress.advance(self._task)


@contextmanager
def progress(label: str, total: int) -> Iterator[Bar]:
    """Show a progress bar of `total` steps below the output; in a file or pipe, none."""
    console = new_console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        yield Bar(console, shown, shown.add_task(label, total=total))


def print_answer(console: Console, answer: Answer) -> None:
    """Print a case and the cards it got."""
    told = f"{answer.hook} · {answer.case.id} · {answer.milliseconds:.1f} ms"
    console.print()
    console.print(Text(answer.case.title, "bold"))
    console.print(Text(told, "dim"))
    if answer.cards:
        console.print(bullets(_card(card) for card in answer.cards))
    elif answer.problem is None:
        console.print(Text("  no card: nothing to say", "green"))
    if answer.problem:
        console.print(Text(f"  ✗ {answer.problem}", "bold red"))


def _card(card: Mapping[str, Any]) -> Bullet:
    mark, style = _MARKS.get(str(card.get("indicator")), ("•", "cyan"))
    suggestions = (
        Text.assemble(("  ↳ ", "dim"), (safe(str(suggestion.get("label", ""))), "green"))
        for suggestion in card.get("suggestions", ())
    )
    return Bullet(
        mark,
        style,
        stacked(
            Text.assemble((safe(str(card.get("summary", ""))), "bold"), (f"  {kind_of(card)}", "dim")), *suggestions
        ),
    )


def print_summary(answers: Sequence[Answer]) -> None:
    """Print what the answers came to, and those that are not as expected."""
    console = new_console()
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, value in _figures(answers):
        table.add_row(name, value)
    console.print(heading("Summary"))
    console.print(table)
    console.print()
    console.print(_conclusion(answers))


def _figures(answers: Sequence[Answer]) -> Iterator[tuple[str, str]]:
    yield "Cases", str(len({answer.case.id for answer in answers}))
    yield "Requests", str(len(answers))
    for kind, number in sorted(Counter(kind for answer in answers for kind in answer.kinds).items()):
        yield f"Cards: {kind}", str(number)
    yield "Answered without a card", str(sum(not answer.cards and answer.problem is None for answer in answers))
    times = [answer.milliseconds for answer in answers]
    if times:
        yield "Time per request, median", f"{median(times):.1f} ms"
        yield "Time per request, longest", f"{max(times):.1f} ms"


def _conclusion(answers: Sequence[Answer]) -> Text:
    wrong = [answer for answer in answers if answer.problem]
    if not wrong:
        return Text("Every request was answered as its case expects.", "bold green")
    lines = (Text.assemble(f"  {answer.case.id} ({answer.hook}): ", (answer.problem or "", "red")) for answer in wrong)
    return stacked(Text(f"{len(wrong)} of {len(answers)} not as expected:", "bold red"), *lines)
