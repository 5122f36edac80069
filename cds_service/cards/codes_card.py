"""The card that says how the block is to be reported (or ordered), with the change to accept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cds_service.cards import wording
from cds_service.cards.claim_update import correctable, with_lines
from cds_service.cards.difference import Difference, compare, difference, only_ordered
from cds_service.cards.frame import Content, Suggestion, code_behind, first_fitting, paragraphs, sources_text
from cds_service.cards.markdown import collapsed, cut, escaped, quoted, telling
from cds_service.cards.order_update import changes
from cds_service.cards.summary import LIMIT, both_shrinking, fitting, joined, line_texts, shrinking
from cds_service.chart.model import ClaimFacts, Evidence
from cds_service.review.assessment import Assessment, Finding, Severity

KIND = "suggested-codes"
NOT_DOCUMENTED = "charge-not-documented"

ORDER_SIGN = "order-sign"
"""At this hook a client takes changes of draft orders only, so no Claim is offered."""

_RICHNESS = ((6, 2, 400), (5, 1, 300), (4, 1, 200), (3, 0, 200), (2, 0, 120))
"""Detail from rich to terse: findings shown, quotes for each, characters of each message and remedy."""

_CLINICAL_GAPS = ("record", "documentation", "coding")
"""What a clinician is told was not judged; gaps of a table or a failed rule are for the assessment."""

_LINES_SHOWN = 8
_SOURCES_SHOWN = 3
_LABEL_ROOM = 90


def codes_content(assessment: Assessment, hook: str) -> Content | None:
    """Return the card's content, or None where the lines are right and no warning is out.

    Lines that differ without a finding and without an expected line are unexplained: that is no reason to speak.
    Where the clinician is asked what was done, the expected lines are not put forward as the answer; and an order
    in words only needs no CPT code.
    """
    change = compare((), ()) if _unsettled(assessment) or _worded_order(assessment) else difference(assessment)
    findings = sorted(assessment.findings, key=lambda finding: finding.severity is not Severity.WARNING)
    warning = any(finding.severity is Severity.WARNING for finding in findings)
    explained = bool(change) and bool(assessment.expected_lines or findings)
    if not (explained or warning):
        return None
    shaped = [rule for line in assessment.expected_lines for rule in line.rules]
    return Content(
        kind=KIND,
        topic="claim",
        reasons="suggested-orders" if change.ordered else KIND,
        summary=fitting(_summaries(assessment, change, findings)),
        warning=warning,
        detail=_detail(assessment, change, findings),
        rules=tuple(dict.fromkeys([finding.rule for finding in findings] + shaped)),
        code=code_behind(assessment),
        suggestions=tuple(_suggestions(assessment, change, hook)),
    )


def _unsettled(assessment: Assessment) -> bool:
    return bool(assessment.queries) and not assessment.correctable


def _worded_order(assessment: Assessment) -> bool:
    return only_ordered(assessment) and not assessment.orders and not assessment.lines


# Summary


def _summaries(assessment: Assessment, change: Difference, findings: Sequence[Finding]) -> Iterator[str]:
    """Yield summaries, the most telling first; the last always fits."""
    if not change:
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
    if _nothing_documented(assessment):
        has = "Draft orders have" if change.ordered else "Claim has"
        for lines in shrinking(line_texts(change.present, modifiers=not change.ordered)):
            yield f"{has} {lines}; no note or procedure in this encounter documents a block."
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
    if len(surplus) == 1 and len(change.lacking) == 1 and not change.wrong:
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


def _nothing_documented(assessment: Assessment) -> bool:
    """Return whether a block is charged that the record is silent about.

    A record that says the block was *not done* has words for it; the claim line itself is no such evidence.
    """
    charged = {line.reference for line in assessment.lines} | {order.reference for order in assessment.orders}
    return any(
        finding.rule == NOT_DOCUMENTED and all(piece.reference in charged for piece in finding.evidence)
        for finding in assessment.findings
    )


# Detail


def _detail(assessment: Assessment, change: Difference, findings: Sequence[Finding]) -> str:
    return first_fitting(
        paragraphs(
            [
                *_explanations(findings[:shown], quotes, limit),
                *([] if findings else _grounds(change, quotes)),
                _present_text(change),
                _expected_text(change),
                _not_checked(assessment, limit),
                sources_text((source for f in findings[:shown] for source in f.citations), _SOURCES_SHOWN),
            ]
        )
        for shown, quotes, limit in _RICHNESS
    )


def _explanations(findings: Iterable[Finding], quotes: int, limit: int) -> Iterator[str]:
    """Yield a paragraph for each finding, and the words of the record behind it, no quote twice."""
    shown: set[str | None] = set()
    for finding in findings:
        yield " ".join(filter(None, (escaped(text, limit) for text in (finding.message, finding.remedy))))
        fresh = telling((piece for piece in finding.evidence if piece.quote not in shown), quotes)
        shown.update(piece.quote for piece in fresh)
        yield from map(quoted, fresh)


def _grounds(change: Difference, quotes: int) -> list[str]:
    """Return the words of the record the expected lines were read from, for a card without findings."""
    evidence: list[Evidence] = [piece for line in change.expected for piece in line.evidence]
    found = telling(evidence, quotes + 1 if quotes else 0)
    return ["The record says:", *map(quoted, found)] if found else []


def _present_text(change: Difference) -> str:
    if not change or not change.present:
        return ""
    texts = line_texts(change.present, modifiers=not change.ordered)
    where = "In the draft orders" if change.ordered else "On the claim"
    return f"{where}: {escaped(joined(texts, _LINES_SHOWN))}."


def _expected_text(change: Difference) -> str:
    if not change.expected:
        return ""
    texts = line_texts(change.expected, modifiers=not change.ordered)
    rest = [f"{len(texts) - _LINES_SHOWN} more"] if len(texts) > _LINES_SHOWN else []
    bullets = [f"- {escaped(text)}" for text in texts[:_LINES_SHOWN] + rest]
    return "\n".join(["The record supports:\n", *bullets])


def _not_checked(assessment: Assessment, limit: int) -> str:
    told = (one.reason.strip() for one in assessment.not_checked if one.rule in _CLINICAL_GAPS)
    reasons = list(dict.fromkeys(filter(None, told)))
    return f"{wording.NOT_CHECKED}: {escaped('; '.join(reasons[:2]), limit)}" if reasons else ""


# Suggestions


def _suggestions(assessment: Assessment, change: Difference, hook: str) -> Iterator[Suggestion]:
    """Yield the changes to accept; none where the record is silent or in doubt: then nobody knows what is right."""
    if not change or not assessment.correctable or _nothing_documented(assessment):
        return
    sure = not assessment.queries
    if change.ordered:
        for one in changes(assessment.orders, change):
            yield Suggestion(one.label, one.action, recommended=sure)
        return
    claim = assessment.claim
    if hook != ORDER_SIGN and claim is not None and _on_claim(change, claim):
        action = {"type": "update", "description": _description(change), "resource": with_lines(claim, change)}
        yield Suggestion(_label(change), action, recommended=sure)


def _on_claim(change: Difference, claim: ClaimFacts) -> bool:
    return all(line.reference == claim.reference for line in change.present) and correctable(claim, change.present)


def _label(change: Difference) -> str:
    start, lines = (
        ("Correct the claim: ", change.expected) if change.expected else ("Take off the claim: ", change.surplus)
    )
    labels = [start + text for text in shrinking(line_texts(lines))]
    return next((label for label in labels if len(label) <= _LABEL_ROOM), labels[-1])


def _description(change: Difference) -> str:
    """Return every change of the Claim in words: this is what the clinician reads before accepting."""
    steps = []
    for line, want in change.wrong:
        steps.append(f"Change {line_texts([line])[0]} to {line_texts([want])[0]}.")
    if change.lacking:
        steps.append(f"Add {joined(line_texts(change.lacking))}.")
    if change.surplus:
        steps.append(f"Remove {joined(line_texts(change.surplus))}.")
    return " ".join([*steps, "Everything else on the claim stays as it is."])
