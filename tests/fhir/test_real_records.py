"""Published examples of other projects, where they are at hand: odd, real, and free of paravertebral blocks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.fhir.bundle import from_bundle
from cds_service.fhir.coding import concepts, cpt_codes, modifiers
from cds_service.fhir.documents import read_texts
from cds_service.fhir.prefetch import from_prefetch
from cds_service.fhir.record import PrefetchKey, Record
from cds_service.fhir.validate import problem

SHARED = Path(__file__).parents[3] / "shared" / "data" / "fhir"
FILES = sorted(SHARED.glob("**/*.json"))


@pytest.fixture(scope="module", params=FILES or [None], ids=lambda path: path.name if path else "none at hand")
def record(request: pytest.FixtureRequest) -> Record:
    if request.param is None:
        pytest.skip("no published examples at hand")
    value: Any = json.loads(request.param.read_bytes())
    if isinstance(value, dict) and "hook" in value:
        return from_prefetch(value.get("context", {}), value.get("prefetch"))
    return from_bundle(value)


def test_every_state_is_known(record: Record) -> None:
    assert set(record.states) == set(PrefetchKey)


def test_everything_in_it_can_be_read(record: Record) -> None:
    for entry in (*record.entries, *record.draft_orders):
        assert entry.reference
        texts, unread = read_texts(entry)
        assert all(each.text for each in texts)
        assert all(each.reason for each in unread)
        cpt_codes(entry.resource.get("code"))
        concepts(entry.resource.get("code"))
        modifiers(entry.resource.get("modifier"))


def test_what_is_judged_gives_a_verdict(record: Record) -> None:
    for entry in (*record.of_type("Procedure")[:5], *record.of_type("Claim")[:5]):
        found = problem(entry.resource)
        assert found is None or found.strip()


def test_every_identified_entry_is_found_by_its_own_reference(record: Record) -> None:
    for entry in record.entries:
        if "/" in entry.reference and "#" not in entry.reference:
            assert record.resolve(entry.reference) is entry
