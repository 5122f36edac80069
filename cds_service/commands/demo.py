"""`cds-service demo`: the sample cases, fired over HTTP at the real service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import click

from cds_service.cases import Case, load_cases
from cds_service.commands.loading import DemoError, InputError
from cds_service.demo import Answer, ServiceNotReadyError, check_ready, fire, requests_of, running_service
from cds_service.resources import cases_folder
from cds_service.terminal.demo import print_answer, print_summary, progress

NOT_AS_EXPECTED = 1


@click.command("demo")
@click.option("--base-url", metavar="URL", help="Fire at this running service instead of starting one.")
@click.option("--case", "wanted", metavar="ID", multiple=True, help="Only this case; may be given several times.")
@click.pass_context
def command(ctx: click.Context, base_url: str | None, wanted: tuple[str, ...]) -> None:
    r"""Start the service, fire every hook request of the sample cases at it, and show the cards.

    The service listens on a free port of this machine, with nothing but its defaults, and is stopped afterwards.

    \b
    Exit codes:
      0  every request was answered with the cards its case expects
      1  some were not (they are listed at the end), or no service was ready
      2  wrong usage
    """
    cases = _chosen(load_cases(cases_folder()), wanted)
    with _service(base_url) as address:
        answers = list(_shown(fire(cases, address), total=len(requests_of(cases))))
    print_summary(answers)
    ctx.exit(NOT_AS_EXPECTED if any(answer.problem for answer in answers) else 0)


def _chosen(cases: Sequence[Case], wanted: Sequence[str]) -> list[Case]:
    unknown = sorted(set(wanted) - {case.id for case in cases})
    if unknown:
        raise InputError(f"no case {', '.join(unknown)}; the cases are the folders of {cases_folder()}")
    return [case for case in cases if not wanted or case.id in wanted]


@contextmanager
def _service(base_url: str | None) -> Iterator[str]:
    try:
        if base_url is not None:
            check_ready(base_url)
            yield base_url
            return
        with running_service() as address:
            yield address
    except ServiceNotReadyError as error:
        raise DemoError(str(error)) from None


def _shown(answers: Iterable[Answer], total: int) -> Iterator[Answer]:
    """Print each answer as it comes, and how far it is."""
    with progress("Firing the cases", total) as bar:
        for answer in answers:
            print_answer(bar.console, answer)
            bar.advance()
            yield answer
