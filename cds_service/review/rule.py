"""What a rule is: a small value with its metadata, and a pure function from a case to findings.

Each rule is one file in `review/rules/`, named after its id. The file's docstring is its page, with fixed headings:
What it checks, Why it matters, Sources, Known limits, Example, Corrected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cds_service.chart.model import Evidence
from cds_service.review.assessment import Finding, Severity
from cds_service.review.case import Case

Check = Callable[[Case], Iterator["Draft"]]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a check found, before the rule's own metadata is put to it.

    `sources` are ids in the knowledge; left empty, the rule's own are cited. `severity` is for what is less than the
    rule's own: advice beside a warning.
    """

    message: str
    remedy: str
    evidence: tuple[Evidence, ...] = ()
    codes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `families` are the family ids it applies to; empty means every family.

    `for_orders` tells whether it also judges draft orders, which carry no modifiers and no documentation.
    """

    id: str
    title: str
    severity: Severity
    sources: tuple[str, ...]
    check: Check
    families: tuple[str, ...] = ()
    for_orders: bool = False

    def findings(self, case: Case) -> Iterable[Finding]:
        """Yield what the rule finds in `case`, each with its citations resolved for the day."""
        for draft in self.check(case):
            yield Finding(
                rule=self.id,
                severity=draft.severity or self.severity,
                message=draft.message,
                remedy=draft.remedy,
                citations=case.view.sources(draft.sources or self.sources),
                evidence=tuple(dict.fromkeys(draft.evidence)),
                codes=draft.codes,
            )
