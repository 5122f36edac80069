"""Factories for records: a resource is said in a line, a record is a list of them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from cds_service.chart.vocabulary import Vocabulary
from cds_service.fhir.bundle import from_bundle
from cds_service.fhir.record import Record
from cds_service.knowledge.library import load
from cds_service.pipeline import vocabulary_of


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return vocabulary_of(load())


@pytest.fixture(scope="session")
def record_of() -> Callable[..., Record]:
    """Return a factory of records: `record_of({"resourceType": "Procedure", ...}, ...)`."""

    def build(*resources: dict[str, Any], **full_urls: str) -> Record:
        entries = [
            {"resource": each, **({"fullUrl": full_urls[each["id"]]} if each.get("id") in full_urls else {})}
            for each in resources
        ]
        return from_bundle({"resourceType": "Bundle", "type": "collection", "entry": entries})

    return build


@pytest.fixture(scope="session")
def procedure() -> Callable[..., dict[str, Any]]:
    """Return a factory of Procedures: `procedure("p1", "64461", side="right", levels="T4 T5")`."""

    def build(
        id_: str = "p",
        code: str | None = None,
        words: str | None = None,
        *,
        side: str = "",
        levels: str = "",
        **rest: Any,
    ) -> dict[str, Any]:
        coding = [{"system": "http://www.ama-assn.org/go/cpt", "code": code}] if code else []
        concept = {**({"coding": coding} if coding else {}), **({"text": words} if words else {})}
        sites = [{"text": f"{side} {level}".strip()} for level in levels.split() or ([""] if side else [])]
        body = {"bodySite": sites} if sites else {}
        return {"resourceType": "Procedure", "id": id_, "status": "completed", "code": concept, **body, **rest}

    return build


@pytest.fixture(scope="session")
def document() -> Callable[..., dict[str, Any]]:
    """Return a factory of plain-text documents: `document("n1", "Right T4 paravertebral block.")`."""

    def build(id_: str, text: str, **rest: Any) -> dict[str, Any]:
        data = base64.b64encode(text.encode()).decode()
        content = [{"attachment": {"contentType": "text/plain", "data": data}}]
        return {"resourceType": "DocumentReference", "id": id_, "status": "current", "content": content, **rest}

    return build


@pytest.fixture(scope="session")
def claim() -> Callable[..., dict[str, Any]]:
    """Return a factory of Claims: `claim("c1", "64461", "64462", day="2026-03-02")`."""

    def build(
        id_: str, *codes: str, day: str | None = None, encounter: str | None = None, **rest: Any
    ) -> dict[str, Any]:
        shared = {
            **({"servicedDate": day} if day else {}),
            **({"encounter": [{"reference": encounter}]} if encounter else {}),
        }
        items = [
            {"sequence": n, "productOrService": {"coding": [{"code": code}]}, **shared}
            for n, code in enumerate(codes, 1)
        ]
        return {"resourceType": "Claim", "id": id_, "status": "active", "use": "claim", "item": items, **rest}

    return build
