"""Whether an assessment asks anyone to look at or do something."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.cards.difference import difference
from cds_service.review.assessment import Assessment, Element, ElementStatus, Severity


@dataclass(frozen=True, slots=True)
class Verdict:
    """What of an assessment is open.

    `lines` are expected lines that are not on the claim as expected. A line the record does not support is not among
    them: whether that may be said is for a rule, and then it is one of the findings. `findings` are warnings: advice is
    read, as a recommended element is, but leaves nothing open and makes no card.
    """

    lines: int
    findings: int
    elements: int
    queries: int

    def __bool__(self) -> bool:
        """Return whether anything is open."""
        return bool(self.lines or self.findings or self.elements or self.queries)


def verdict(assessment: Assessment) -> Verdict:
    """Return what is open in `assessment`. What could not be checked is not counted: it is listed by itself."""
    found = difference(assessment)
    return Verdict(
        lines=len(found.wrong) + len(found.lacking),
        findings=sum(finding.severity is Severity.WARNING for finding in assessment.findings),
        elements=len(open_elements(assessment)),
        queries=len(assessment.queries),
    )


def open_elements(assessment: Assessment) -> list[Element]:
    """Return the required documentation elements that are missing or contradicted."""
    return [element for element in assessment.documentation if element.requirement == "required" and is_open(element)]


def is_open(element: Element) -> bool:
    """Return whether a documentation element is missing or contradicted."""
    return element.status in (ElementStatus.MISSING, ElementStatus.CONTRADICTED)
