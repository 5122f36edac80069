"""The contract's JSON form of an assessment (`schemas/assessment.schema.json`).

List members are always there, empty or not, so that a reader of the JSON has stable members; a scalar that is not
known is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cds_service.chart.model import Block, Evidence, Line, Site
from cds_service.knowledge.model import Source
from cds_service.review.assessment import Assessment, Element, ExpectedLine, Finding, Query


def to_json(assessment: Assessment) -> dict[str, Any]:
    """Return the JSON form of `assessment`. Dates are ISO 8601."""
    return _stated(
        dateOfService=assessment.date_of_service.isoformat() if assessment.date_of_service else None,
        encounter=assessment.encounter,
        profile=assessment.profile,
        knowledgeVersion=assessment.knowledge_version,
        blocks=[_block(block) for block in assessment.blocks],
        expectedLines=[_expected(line) for line in assessment.expected_lines],
        claimLines=[_line(line) for line in assessment.lines],
        findings=[_finding(finding) for finding in assessment.findings],
        documentation=[_element(element) for element in assessment.documentation],
        queries=[_query(query) for query in assessment.queries],
        notChecked=[{"rule": item.rule, "reason": item.reason} for item in assessment.not_checked],
    )


def _block(block: Block) -> dict[str, Any]:
    return _stated(
        technique=block.technique.value,
        region=block.region,
        plane=block.plane.value if block.plane else None,
        target=block.target.value if block.target else None,
        method=block.method.value if block.method else None,
        sites=[_site(site) for site in block.sites],
        continuous=block.continuous.value if block.continuous else None,
        guidance=block.guidance[0].value.value if block.guidance else None,
        purpose=block.purpose.value.value if block.purpose else None,
        date=block.service_date.isoformat() if block.service_date else None,
        evidence=_evidence(block.evidence),
    )


def _site(site: Site) -> dict[str, Any]:
    return _stated(level=site.level, side=site.side.value if site.side else None)


def _expected(line: ExpectedLine) -> dict[str, Any]:
    return {
        "code": line.code,
        "units": line.units,
        "modifiers": list(line.modifiers),
        "evidence": _evidence(line.evidence),
        "rules": list(line.rules),
    }


def _line(line: Line) -> dict[str, Any]:
    units = int(line.units) if float(line.units).is_integer() else line.units
    return {"code": line.code, "units": units, "modifiers": list(line.modifiers), "reference": line.reference}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": finding.message,
        "remedy": finding.remedy,
        "citations": _citations(finding.citations),
        "evidence": _evidence(finding.evidence),
    }


def _element(element: Element) -> dict[str, Any]:
    return {
        "element": element.element,
        "status": element.status.value,
        "requirement": element.requirement,
        "evidence": _evidence(element.evidence),
        "citations": _citations(element.citations),
    }


def _query(query: Query) -> dict[str, Any]:
    return {"question": query.question, "options": list(query.options), "evidence": _evidence(query.evidence)}


def _evidence(evidence: Iterable[Evidence]) -> list[dict[str, Any]]:
    return [item.to_json() for item in evidence]


def _citations(sources: Iterable[Source]) -> list[dict[str, Any]]:
    return [_stated(source=s.id, title=s.title, publisher=s.publisher, date=s.published, url=s.url) for s in sources]


def _stated(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
