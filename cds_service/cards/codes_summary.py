"""The one sentence about codes that a clinician understands at a glance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cds_service.cards import wording
from cds_service.cards.difference import Difference, replaceable
from cds_service.cards.markdown import collapsed, cut
from cds_service.cards.summary import LIMIT, both_shrinking, joined, line_texts, shrinking
from cds_service.review.assessment import Assessment, Finding

NOT_DOCUMENTED = "charge-not-documented"
"""The rule that fires where a block is charged and the record does not show one."""


def summaries(assessment: Assessment, change: Difference, findings: Sequence[Finding]) -> Iterator[str]:
    """Yield summaries, the most telling first; the last always fits."""
    unsure = change.expected and findings and not assessment.correctable
    if not change or unsure:
        yield from _warned(findings[0])
    elif not change.expected:
        yield from _unsupported(assessment, change, findings)
    elif change.ordered:
        yield from _orders(change, findings)
    else:
        yield from _report(assessment, change, findings)
    yield "The codes for this block differ from what the record supports; see the detail."


def _warned(finding: Finding) -> Iterator[str]:
    """Yield what a finding says, where the lines are right as they are: in full, in short, or cut."""
    reason = wording.reason(finding.rule)
    if collapsed(finding.message):
        yield from (
            finding.message,
            f"Check {joined(finding.codes)}: {reason.text}." if reason and finding.codes else "",
        )
        yield cut(collapsed(finding.message), LIMIT)


def _unsupported(assessment: Assessment, change: Difference, findings: Sequence[Finding]) -> Iterator[str]:
    if nothing_documented(assessment) and not assessment.blocks:
        has = "Draft orders have" if change.ordered else "Claim has"
        for lines in shrinking(line_texts(change.present, modifiers=not change.ordered)):
            yield f"{has} {lines}; no note or procedure in this encounter documents a block."
    elif not nothing_documented(assessment) and any(finding.rule == NOT_DOCUMENTED for finding in findings):
        yield from _do_not(change, wording.NOT_DONE)
    yield from _do_not(change, _reason_for(_surplus_codes(change), findings))


def _report(assessment: Assessment, change: Difference, findings: Sequence[Finding]) -> Iterator[str]:
    wanted, present = line_texts(change.expected), line_texts(change.present)
    if change.only_surplus_codes:
        reason = _reason_for(_surplus_codes(change), findings, covering=True)
        yield from _do_not(change, reason) if reason else ()
    if present:
        yield from (f"Report {lines}; claim has {others}." for lines, others in both_shrinking(wanted, present))
        return
    if assessment.claim is not None or assessment.lines:
        tail = "; the claim has no line for this block."
    else:
        tail = (
            f" for the {wording.block_name(assessment.blocks)} documented{wording.on_day(assessment.date_of_service)}."
        )
    yield from (f"Report {lines}{tail}" for lines in shrinking(wanted))


def _orders(change: Difference, findings: Sequence[Finding]) -> Iterator[str]:
    surplus = _surplus_codes(change)
    reason = _reason_for(surplus, findings)
    if change.only_surplus_codes and reason:
        yield from _do_not(change, reason)
    if (
        len(surplus) == len(change.lacking) == 1
        and not change.wrong
        and replaceable(surplus[0], change.lacking[0].code)
    ):
        instead = f"Order {change.lacking[0].code} instead of {surplus[0]}"
        yield from (f"{instead}: {reason.text}." for _ in (1,) if reason)
        yield f"{instead}."
    wanted = line_texts(change.expected, modifiers=False)
    present = line_texts(change.present, modifiers=False)
    have = "draft order has" if len(change.present) == 1 else "draft orders have"
    yield from (f"Order {lines}; {have} {others}." for lines, others in both_shrinking(wanted, present))


def _do_not(change: Difference, reason: wording.Reason | None) -> Iterator[str]:
    verb = "order" if change.ordered else "report"
    apart = " separately" if reason and reason.apart else ""
    why = reason.text if reason else wording.SEE_DETAIL
    yield from (f"Do not {verb} {codes}{apart}: {why}." for codes in shrinking(_surplus_codes(change)))


def _surplus_codes(change: Difference) -> list[str]:
    return list(dict.fromkeys(line.code for line in change.surplus))


def _reason_for(codes: Sequence[str], findings: Iterable[Finding], *, covering: bool = False) -> wording.Reason | None:
    """Return the reason of the first finding about `codes` (with `covering`, about all of them)."""
    enough = len(codes) if covering else 1
    for finding in findings:
        reason = wording.reason(finding.rule)
        if reason and (not finding.codes or len(set(codes) & set(finding.codes)) >= enough):
            return reason
    return None


def nothing_documented(assessment: Assessment) -> bool:
    """Return whether a block is charged that the record is silent about.

    A record that says the block was *not done* has words for it; the claim line itself is no such evidence.
    """
    charged = {line.reference for line in assessment.lines} | {order.reference for order in assessment.orders}
    return any(
        finding.rule == NOT_DOCUMENTED and all(piece.reference in charged for piece in finding.evidence)
        for finding in assessment.findings
    )
