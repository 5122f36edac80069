"""`cds-service check`: one record, judged without a server."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import orjson

from cds_service.answers import gaps
from cds_service.cards.build import build
from cds_service.commands.loading import InputError, read_knowledge, read_settings
from cds_service.commands.reading import BundleInput, HookInput, Input, NoteInput, read_input
from cds_service.hooks.response import Answer, envelope
from cds_service.hooks.services import ENCOUNTER_DISCHARGE
from cds_service.pipeline import NothingToJudgeError, Pipeline, TooMuchError
from cds_service.review.assessment import Assessment
from cds_service.review.serialize import to_json
from cds_service.terminal.verdict import verdict

SOMETHING_TO_SAY = 1


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "cards"]),
    default="text",
    show_default=True,
    help="A report; what POST /assessments answers; or what the hook answers.",
)
@click.option("--profile", help="The payer's rule set, whatever the Coverage says (Bundle or note).")
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="The date of service, whatever the record says (Bundle or note).",
)
@click.option("--explain", is_flag=True, help="Also show the notes, with the words behind each fact marked.")
@click.pass_context
def command(
    ctx: click.Context, file: Path, form: str, profile: str | None, day: datetime | None, explain: bool
) -> None:
    r"""Judge FILE (or standard input, -).

    FILE is a FHIR Bundle (or a single FHIR resource), a CDS Hooks request, or a procedure note: plain text, HTML, RTF,
    C-CDA or PDF with a text layer, told by its first bytes. No FHIR server is asked: a hook request is judged by its
    prefetch alone.

    \b
    Exit codes:
      0  nothing to say but advice: lines and required documentation are right,
         or no block
      1  something to say: warnings, questions, missing or contradicted required
         documentation, or expected lines that are not on the claim
      2  wrong usage, or input that cannot be read
      3  settings or knowledge that cannot be used
    """
    if explain and form != "text":
        raise InputError("--explain is for the report; JSON holds each quote with its place")
    settings = read_settings()
    given = read_input(file)
    pipeline = Pipeline(read_knowledge(settings))
    found = _judge(pipeline, given, profile, day.date() if day else None)
    if form == "json":
        _print_json({"assessments": [to_json(assessment) for assessment in found]})
    elif form == "cards":
        _print_json(envelope(Answer(build(found, _hook(given), settings.public_url), not_checked=gaps(found))))
    else:
        _print_text(found, pipeline, explain=explain)
    ctx.exit(SOMETHING_TO_SAY if any(map(verdict, found)) else 0)


def _judge(pipeline: Pipeline, given: Input, profile: str | None, day: date | None) -> tuple[Assessment, ...]:
    profiles = sorted(pipeline.knowledge.profiles)
    if profile is not None and profile not in profiles:
        raise InputError(f"no profile {profile!r}; there are {', '.join(profiles)}")
    match given:
        case NoteInput():
            return (pipeline.review_note(given.text, profile, day),)
        case BundleInput():
            return _judge_bundle(pipeline, given.bundle, profile, day)
        case HookInput():
            if profile or day:
                raise InputError("--profile and --date are for a Bundle or a note; a hook request says both itself")
            return _judge_request(pipeline, given)


def _judge_bundle(
    pipeline: Pipeline, bundle: dict[str, Any], profile: str | None, day: date | None
) -> tuple[Assessment, ...]:
    try:
        return pipeline.review_bundle(bundle, profile, day)
    except TooMuchError as reason:
        raise InputError(str(reason)) from None


def _judge_request(pipeline: Pipeline, given: HookInput) -> tuple[Assessment, ...]:
    try:
        return pipeline.review_request(given.request.hook, given.request.context, given.request.prefetch)
    except NothingToJudgeError as error:
        raise InputError(f"nothing to judge: the prefetch has none of {', '.join(error.keys)}") from None


def _hook(given: Input) -> str:
    return given.request.hook if isinstance(given, HookInput) else ENCOUNTER_DISCHARGE


def _print_json(document: dict[str, Any]) -> None:
    # Bytes: JSON is UTF-8 whatever the terminal's encoding, and never colored.
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def _print_text(found: tuple[Assessment, ...], pipeline: Pipeline, *, explain: bool) -> None:
    from cds_service.terminal.explain import print_explained  # noqa: PLC0415 - as below
    from cds_service.terminal.report import print_report  # noqa: PLC0415 - JSON needs none of the terminal's libraries

    print_report(found, {code.code: code.title for code in pipeline.knowledge.codes.values()})
    if explain:
        print_explained(found)
