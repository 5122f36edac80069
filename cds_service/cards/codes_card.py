"""The card that says how the block is to be reported (or ordered), with the change to accept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cds_service.cards import wording
from cds_service.cards.claim_update import correctable, with_lines
from cds_service.cards.codes_summary import nothing_documented, summaries
from cds_service.cards.difference import Difference, compare, difference, only_ordered
from cds_service.cards.drafts import Draft, drafts, drafts_text, named
from cds_service.cards.frame import Content, Suggestion, code_behind, first_fitting, paragraphs, sources_text
from cds_service.cards.markdown import escaped, quoted, telling
from cds_service.cards.order_update import changes
from cds_service.cards.summary import fitting, joined, line_texts, shrinking
from cds_service.chart.model import ClaimFacts, Evidence
from cds_service.review.assessment import Assessment, Finding, Severity

KIND = "suggested-codes"

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
    in words only needs no CPT code. A finding about a diagnosis is no reason to change a line.
    """
    change = compare((), ()) if _unsettled(assessment) or _worded_order(assessment) else difference(assessment)
    findings = sorted(assessment.findings, key=lambda finding: _rank(finding, change))
    warning = any(finding.severity is Severity.WARNING for finding in findings)
    explained = bool(change) and bool(assessment.expected_lines or any(_about_lines(f, change) for f in findings))
    if not (explained or warning):
        return None
    if not explained:
        change = compare((), ())
    listed = _drafts(assessment, change, findings)
    shaped = [rule for line in assessment.expected_lines for rule in line.rules]
    return Content(
        kind=KIND,
        topic="claim",
        reasons="suggested-orders" if change.ordered else KIND,
        summary=fitting(summaries(assessment, change, findings)),
        warning=warning,
        detail=_detail(assessment, change, findings, listed),
        rules=tuple(dict.fromkeys([finding.rule for finding in findings] + shaped)),
        code=code_behind(assessment),
        suggestions=tuple(_suggestions(assessment, change, hook)),
        drafts=_concerned(listed, change),
    )


def _rank(finding: Finding, change: Difference) -> tuple[bool, bool]:
    """Warnings first, and of these what is about the lines that change."""
    return finding.severity is not Severity.WARNING, not _about_lines(finding, change)


def _about_lines(finding: Finding, change: Difference) -> bool:
    """Return whether a finding is about lines that are, or should be, there; one that names no code is about all."""
    codes = {line.code for line in change.present} | {line.code for line in change.expected}
    return not finding.codes or bool(codes & set(finding.codes))


def _unsettled(assessment: Assessment) -> bool:
    return bool(assessment.queries) and not assessment.correctable


def _drafts(assessment: Assessment, change: Difference, findings: Iterable[Finding]) -> tuple[Draft, ...]:
    """Return the draft orders to list: those whose lines are compared, else those the findings were read from."""
    known = drafts(assessment)
    compared = tuple(draft for draft in known if draft.line in change.present)
    return compared or named(known, (piece for finding in findings for piece in finding.evidence))


def _concerned(listed: tuple[Draft, ...], change: Difference) -> tuple[Draft, ...]:
    """Return the draft orders the card is about: without those that are right as they are, where others are not."""
    right = [line for line, _ in change.right]
    return tuple(draft for draft in listed if draft.line not in right) or listed


def _worded_order(assessment: Assessment) -> bool:
    return only_ordered(assessment) and not assessment.orders and not assessment.lines


# Detail


def _detail(assessment: Assessment, change: Difference, findings: Sequence[Finding], listed: Sequence[Draft]) -> str:
    return first_fitting(
        paragraphs(
            [
                *_explanations(findings[:shown], quotes, limit, change),
                *([] if any(_about_lines(f, change) for f in findings) else _grounds(change, quotes)),
                drafts_text(listed) or _claim_text(change),
                _expected_text(change),
                _not_checked(assessment, limit),
                sources_text((source for f in findings[:shown] for source in f.citations), _SOURCES_SHOWN),
            ]
        )
        for shown, quotes, limit in _RICHNESS
    )


def _explanations(findings: Iterable[Finding], quotes: int, limit: int, change: Difference) -> Iterator[str]:
    """Yield a paragraph for each finding, and the words of the record behind it, no quote twice.

    Where the supported lines are listed below they are the remedy of what is wrong with lines, said once.
    """
    shown: set[str | None] = set()
    for finding in findings:
        listed = change.expected and finding.severity is Severity.WARNING and _about_lines(finding, change)
        texts = (finding.message,) if listed else (finding.message, finding.remedy)
        yield " ".join(filter(None, (escaped(text, limit) for text in texts)))
        fresh = telling((piece for piece in finding.evidence if piece.words not in shown), quotes)
        shown.update(piece.words for piece in fresh)
        yield from map(quoted, fresh)


def _grounds(change: Difference, quotes: int) -> list[str]:
    """Return the words of the record the expected lines were read from, for a card without findings."""
    evidence: list[Evidence] = [piece for line in change.expected for piece in line.evidence]
    found = telling(evidence, quotes + 1 if quotes else 0)
    return ["The record says:", *map(quoted, found)] if found else []


def _claim_text(change: Difference) -> str:
    if not change or not change.present:
        return ""
    return f"On the claim: {escaped(joined(line_texts(change.present), _LINES_SHOWN))}."


def _expected_text(change: Difference) -> str:
    if not change.expected:
        return ""
    texts = line_texts(change.expected, modifiers=not change.ordered)
    rest = [f"{len(texts) - _LINES_SHOWN} more"] if len(texts) > _LINES_SHOWN else []
    bullets = [f"- {escaped(text)}" for text in texts[:_LINES_SHOWN] + rest]
    return "\n".join(["The record supports:\n", *bullets])


def _not_checked(assessment: Assessment, limit: int) -> str:
    told = (one.reason.strip() for one in assessment.not_checked if one.rule in _CLINICAL_GAPS)
    reasons = _grouped(filter(None, told))
    return f"{wording.NOT_CHECKED}: {escaped('; '.join(reasons[:2]), limit)}" if reasons else ""


def _grouped(reasons: Iterable[str]) -> list[str]:
    """Return each reason once, after all it is true of: "claims, documents: the FHIR server answered 500"."""
    subjects: dict[str, dict[str, None]] = {}
    for told in reasons:
        subject, colon, reason = told.partition(": ")
        subjects.setdefault(reason if colon else told, {}).update({subject: None} if colon else {})
    return [f"{', '.join(named)}: {reason}" if named else reason for reason, named in subjects.items()]


# Suggestions


def _suggestions(assessment: Assessment, change: Difference, hook: str) -> Iterator[Suggestion]:
    """Yield the changes to accept; none where the record is silent or in doubt: then nobody knows what is right."""
    if not change or not assessment.correctable or nothing_documented(assessment):
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
