"""Hand-made assessments, small enough to read in a test."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from cds_service.chart.model import Block, ClaimFacts, Evidence, Line, OrderFacts, Origin, Technique
from cds_service.knowledge.model import Source
from cds_service.review.assessment import (
    Assessment,
    Element,
    ElementStatus,
    ExpectedLine,
    Finding,
    Query,
    Severity,
)

DAY = date(2026, 3, 2)
FAMILY = frozenset({"64461", "64462", "64463", "64466", "64420", "76942"})
CPT = "http://www.ama-assn.org/go/cpt"
NCCI = Source("ncci-ch2", "Medicare NCCI Policy Manual, chapter 2", "CMS", "2024-07-01")


class Make:
    """Factories of the pieces of an assessment, with plain defaults."""

    day = DAY
    source = NCCI

    def quote(self, words: str, reference: str = "DocumentReference/123") -> Evidence:
        return Evidence(reference, "content[0].attachment", words, 0, len(words))

    def want(self, text: str, *, evidence: tuple[Evidence, ...] = (), day: date | None = DAY) -> ExpectedLine:
        code, units, modifiers = _parts(text)
        return ExpectedLine(code, int(units), modifiers, evidence, service_date=day)

    def claim(self, *texts: str, **members: Any) -> ClaimFacts:
        """A Claim with an item for each of `texts` ("64461-RT x1"), and `members` laid over it."""
        items = [_item(number, text) for number, text in enumerate(texts, start=1)]
        resource = {
            "resourceType": "Claim",
            "id": "7",
            "status": "active",
            "type": {"coding": [{"code": "professional"}]},
            "use": "claim",
            "patient": {"reference": "Patient/1"},
            "created": "2026-03-03",
            "provider": {"reference": "Organization/1"},
            "priority": {"coding": [{"code": "normal"}]},
            "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/1"}}],
            "item": items,
            **members,
        }
        return self.facts({name: member for name, member in resource.items() if member})

    def facts(self, resource: dict[str, Any]) -> ClaimFacts:
        return ClaimFacts("Claim/7", resource, tuple(self.read(resource)))

    def read(self, resource: dict[str, Any]) -> list[Line]:
        """Read the lines of a Claim as the chart does: code, quantity (1 where not stated), modifiers."""
        return [
            Line(
                code=item["productOrService"]["coding"][0]["code"],
                units=item.get("quantity", {}).get("value", 1),
                modifiers=tuple(concept["coding"][0]["code"] for concept in item.get("modifier", [])),
                reference="Claim/7",
                path=f"item[{index}]",
                service_date=date.fromisoformat(item["servicedDate"]) if "servicedDate" in item else None,
            )
            for index, item in enumerate(resource.get("item", []))
        ]

    def order(self, cpt: str, number: int = 1, **members: Any) -> OrderFacts:
        resource = {
            "resourceType": "ServiceRequest",
            "id": f"o{number}",
            "status": "draft",
            "intent": "order",
            "subject": {"reference": "Patient/1"},
            "encounter": {"reference": "Encounter/1"},
            "requester": {"reference": "Practitioner/1"},
            "code": {"coding": [{"system": CPT, "code": cpt, "display": "as ordered"}], "text": "nerve block"},
            **members,
        }
        resource = {name: member for name, member in resource.items() if member}
        reference = f"ServiceRequest/{resource.get('id', f'draft-{number}')}"
        quantity = members.get("quantityQuantity", {}).get("value", 1)
        return OrderFacts(reference, resource, Line(cpt, quantity, (), reference, "code"))

    def finding(self, rule: str, *codes: str, severity: str = "warning", **changes: Any) -> Finding:
        members = {
            "message": f"What {rule} is about.",
            "remedy": "What to do about it.",
            "citations": (NCCI,),
            "evidence": (),
        }
        return Finding(rule=rule, severity=Severity(severity), codes=codes, **{**members, **changes})

    def element(self, name: str, status: str = "missing", requirement: str = "required", **changes: Any) -> Element:
        members = {"evidence": (), "citations": (NCCI,)}
        return Element(name, ElementStatus(status), requirement, **{**members, **changes})

    def query(self, question: str, *options: str, **changes: Any) -> Query:
        return Query(question, options or ("one", "two"), **{"evidence": (), **changes})

    def block(self, technique: Technique = Technique.PARAVERTEBRAL) -> Block:
        return Block(technique, (), frozenset({Origin.NOTE}), service_date=DAY)

    def assessment(self, *expected: str | ExpectedLine, **members: Any) -> Assessment:
        lines = tuple(self.want(line) if isinstance(line, str) else line for line in expected)
        claim, orders = members.get("claim"), members.get("orders", ())
        judged = claim.lines if claim else tuple(order.line for order in orders)
        settled = {
            "encounter": "Encounter/1",
            "date_of_service": DAY,
            "profile": "medicare",
            "knowledge_version": "1",
            "blocks": (self.block(),),
            "expected_lines": lines,
            "judged_codes": FAMILY,
            "lines": tuple(line for line in judged if line.code in FAMILY),
            **members,
        }
        return Assessment(**settled)


def _parts(text: str) -> tuple[str, float, tuple[str, ...]]:
    name, _, units = text.partition(" x")
    code, *modifiers = name.split("-")
    return code, float(units or 1), tuple(modifiers)


def _item(number: int, text: str) -> dict[str, Any]:
    code, units, modifiers = _parts(text)
    item: dict[str, Any] = {
        "sequence": number,
        "careTeamSequence": [1],
        "diagnosisSequence": [number],
        "productOrService": {"coding": [{"system": CPT, "code": code}]},
        "servicedDate": DAY.isoformat(),
        "locationCodeableConcept": {"coding": [{"code": "22"}]},
        "quantity": {"value": int(units)},
    }
    if modifiers:
        item["modifier"] = [{"coding": [{"code": modifier}]} for modifier in modifiers]
    return item


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()


@pytest.fixture(scope="session")
def forbidden_in() -> Callable[[Any], list[str]]:
    """Return the paths of every member of a JSON value that CDS Hooks forbids: null, "", [] and {}."""

    def forbidden(value: Any, path: str = "card") -> list[str]:
        if value is None or (isinstance(value, str | list | dict) and not value):
            return [path]
        if isinstance(value, dict):
            return [found for name, member in value.items() for found in forbidden(member, f"{path}.{name}")]
        if isinstance(value, list):
            return [found for index, member in enumerate(value) for found in forbidden(member, f"{path}[{index}]")]
        return []

    return forbidden
