"""From a chart to its assessment: select, count, compare, check the documentation, and say what was not checked."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from traceback import format_tb

from cds_service.chart.model import Block, Chart, Line, NotesState
from cds_service.knowledge.library import Knowledge, View
from cds_service.review.assessment import Assessment, ExpectedLine, Finding, NotChecked
from cds_service.review.case import Case
from cds_service.review.claims import Reported, judged_claims, reported
from cds_service.review.diagnoses import gaps as diagnosis_gaps
from cds_service.review.documentation import documentation
from cds_service.review.expected import agrees, expected_lines
from cds_service.review.mismatch import Mismatch, contradicted, unexpected
from cds_service.review.modifiers import distinct_modifiers
from cds_service.review.queries import queries
from cds_service.review.rule import Rule
from cds_service.review.rules import all_rules
from cds_service.review.selection import Selection, is_coded, select
from cds_service.review.separate_service import Service, separation
from cds_service.review.sessions import gaps as session_gaps
from cds_service.review.targets import is_settled

_LOG = logging.getLogger(__name__)
_DECIDING = frozenset({"technique", "catheter", "levels", "site-count"})
"""Elements that decide codes and units: while the record contradicts itself on one, nothing is sure."""


def assess(chart: Chart, knowledge: Knowledge, *, today: date, profile: str | None = None) -> Assessment:
    """Judge one chart.

    Args:
        chart: the facts of one encounter.
        knowledge: the loaded coding knowledge.
        today: the day whose rules apply where the record states no date of service.
        profile: a profile id; by default chosen from the chart's Coverage.

    Raises:
        KnowledgeError: `profile` is not a profile of the knowledge.
    """
    day = chart.date_of_service or today
    view = knowledge.on(day, profile or _profile(chart, knowledge, day))
    case, seen = build_case(chart, view, day)
    findings, failed = _run(all_rules(), case)
    open_lines = unexpected(case, Mismatch.UNKNOWN)
    return Assessment(
        encounter=chart.encounter,
        date_of_service=chart.date_of_service,
        profile=view.profile,
        knowledge_version=knowledge.version,
        blocks=chart.blocks,
        expected_lines=tuple(_with_rules(line, findings) for line in case.expected),
        lines=case.lines,
        open_lines=open_lines,
        findings=findings,
        documentation=documentation(case),
        queries=queries(case),
        not_checked=(*seen.not_checked, *failed, *_not_checked(case, open_lines)),
        claim=case.claim,
        orders=chart.orders,
        judged_codes=seen.judged,
        correctable=_correctable(case),
    )


def _profile(chart: Chart, knowledge: Knowledge, day: date) -> str:
    """Return the profile of whoever pays first, for the form of the one Claim that is judged."""
    profile = knowledge.profile_for(chart.coverages[0].words if chart.coverages else ())
    claims = () if chart.orders else judged_claims(chart, knowledge.on(day, profile))
    return knowledge.profile_of_claim(profile, claims[0].kind, claims[0].places) if len(claims) == 1 else profile


def build_case(chart: Chart, view: View, day: date) -> tuple[Case, Reported]:
    """Return what the rules look at, with the lines the chart supports, and what was reported."""
    blocks = tuple(_without_open_questions(block, chart) for block in chart.blocks)
    selections = select(blocks, view)
    seen = reported(chart, view, _judged_codes(view.knowledge, selections))
    if chart.notes is NotesState.UNKNOWN:
        # Notes that are silent on guidance are an answer; where they could not be read, the Claim's is as good.
        selections = select(blocks, view, seen.lines)
    judgement = separation(chart, view, day, seen.other_lines)
    case = Case(
        chart=chart,
        view=view,
        day=day,
        lines=seen.lines,
        other_lines=seen.other_lines,
        selections=selections,
        uncoded=tuple(block for block in blocks if not is_coded(block, view)),
        separation=judgement,
        expected=(),
        claim=seen.claim,
        ordered=bool(chart.orders),
    )
    return replace(case, expected=_expected(case)), seen


def _expected(case: Case) -> tuple[ExpectedLine, ...]:
    # Catheter or injection decides the code itself: while the record says both, no line is sure.
    if contradicted(case, "catheter"):
        return ()
    settled = tuple(selection for selection in case.selections if is_settled(case, selection.block))
    return expected_lines(settled, case.view, case.separation, case.lines, case.other_lines)


def _without_open_questions(block: Block, chart: Chart) -> Block:
    """Take out of a block what the record contradicts itself on: it is asked, not judged."""
    if any(contradiction.element == "laterality" for contradiction in chart.contradictions):
        return replace(block, side=None, sites=tuple(replace(site, side=None) for site in block.sites))
    return block


def _judged_codes(knowledge: Knowledge, selections: Iterable[Selection]) -> frozenset[str]:
    """Return the codes the review may correct.

    Block codes and their imaging always; an unlisted code only where a block of this chart could have it, since an
    unlisted line may stand for any other procedure.
    """
    unlisted = {s.primary for selection in selections for s in knowledge.schemes(selection.family.id)}
    return frozenset(
        code.code
        for code in knowledge.codes.values()
        if code.is_block or code.role == "imaging" or (code.role == "unlisted" and code.code in unlisted)
    )


def _run(rules: Iterable[Rule], case: Case) -> tuple[tuple[Finding, ...], tuple[NotChecked, ...]]:
    """Run every rule; one that fails is logged with an id and reported, and takes no other down."""
    findings: list[Finding] = []
    failed: list[NotChecked] = []
    for rule in rules:
        if case.ordered and not rule.for_orders:
            continue
        try:
            findings += list(rule.findings(case))
        except Exception as error:  # noqa: BLE001 - whatever a rule raises, the others are still heard
            failed.append(NotChecked(rule.id, f"The rule failed (error id {_logged(rule, error)}).", failed=True))
    return tuple(findings), tuple(failed)


def _logged(rule: Rule, error: Exception) -> str:
    """Log where a rule failed and return the id to find it by; the error's own text may quote the record."""
    error_id = uuid.uuid4().hex[:12]
    where = "".join(format_tb(error.__traceback__))
    _LOG.error("rule %s failed with %s, error id %s\n%s", rule.id, type(error).__name__, error_id, where)
    return error_id


def _with_rules(line: ExpectedLine, findings: Iterable[Finding]) -> ExpectedLine:
    return replace(line, rules=tuple(dict.fromkeys(f.rule for f in findings if line.code in f.codes)))


def _correctable(case: Case) -> bool:
    """Whether the Claim may be corrected by one click: only where the record leaves no doubt what is right."""
    if any(c.element in _DECIDING for c in case.chart.contradictions):
        return False
    if not case.selections:
        return bool(case.chart.not_done) and not case.uncoded
    return not (case.separation.service is Service.UNPROVEN and _differs_by_distinct_service(case))


def _differs_by_distinct_service(case: Case) -> bool:
    """Whether the only difference is a 59 the note does not support yet: the remedy is the note, not the Claim."""
    distinct = distinct_modifiers(case.view)
    bare = [replace(line, modifiers=tuple(m for m in line.modifiers if m not in distinct)) for line in case.lines]
    return not agrees(case.lines, case.expected) and agrees(bare, case.expected)


def _not_checked(case: Case, open_lines: tuple[Line, ...]) -> Iterator[NotChecked]:
    chart = case.chart
    for subject, reason in chart.not_read:
        yield NotChecked("record", f"{subject}: {reason}", unread=subject not in chart.not_sent)
    if chart.date_of_service is None:
        yield NotChecked("date-mismatch", f"No date of service in the record; the rules of {case.day} were used.")
    if not case.ordered and chart.notes is NotesState.UNKNOWN:
        yield NotChecked("documentation", "No notes were sent or could be read; the documentation was not judged.")
        if case.lines and not chart.blocks and not chart.not_done:
            yield NotChecked("charge-not-documented", "Without notes or Procedures the charge could not be compared.")
    if case.selections and open_lines:
        codes = ", ".join(dict.fromkeys(line.code for line in open_lines))
        yield NotChecked("coding", f"Whether {codes} is right cannot be told from what was read; it stays as reported.")
    if not case.ordered and not chart.claims_known:
        yield NotChecked("service-not-charged", "No Claim was sent or could be read; the lines could not be compared.")
    for block in case.uncoded:
        name = " ".join(filter(None, (block.region, block.technique.value)))
        yield NotChecked(
            "coding", f"No coding knowledge for a {name} block on {case.day}; its lines were not computed."
        )
    if case.lines:
        yield from _table_gaps(case)
        yield from (NotChecked("diagnosis-support", gap) for gap in diagnosis_gaps(case))
    if not case.ordered:
        yield from (NotChecked("session-frequency", gap) for gap in session_gaps(case))


def _table_gaps(case: Case) -> Iterator[NotChecked]:
    gaps = [("ptp-conflict", case.view.edition_gap("ptp")), ("mue-exceeded", case.view.edition_gap("mue"))]
    for code in filter(None, map(case.view.code, case.reported_codes)):
        if code.role == "add-on":
            gaps.append(("addon-without-primary", case.view.edition_gap("addon", code.code)))
        if code.is_block:
            gaps.append(("bilateral-reporting", case.view.edition_gap("mpfs", code.code)))
    yield from (NotChecked(rule, gap) for rule, gap in dict.fromkeys(gaps) if gap is not None)
    uncovered = [code for code in case.reported_codes if not case.view.ptp_covers(code)]
    if uncovered:
        yield NotChecked("ptp-conflict", f"The loaded edits hold no pair with {', '.join(uncovered)}.")
