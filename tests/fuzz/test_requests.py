"""Real requests with something in them that should not be there; hypothesis makes what fails as small as it can."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.fuzz import LARGEST, calls
from bench.mutations import Call, recorded_calls, to_body, worse_document
from tests.fuzz.judging import ask

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "250"))
"""More, and others every time, with for example FUZZ_EXAMPLES=20000 in the environment."""
RECORDED = Path(__file__).parents[3] / "shared" / "data" / "fhir"
MARKER = "Quillmarker"
"""Stands for the data of a patient."""

bounded = settings(
    max_examples=EXAMPLES,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
chances = st.randoms(use_true_random=False)


def marked(document: Any) -> Any:
    """A document whose names, ids and displays hold the marker."""
    if isinstance(document, list):
        return [marked(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        name: f"{value} {MARKER}" if name in {"family", "display", "userId", "text"} and isinstance(value, str)
        else marked(value)
        for name, value in document.items()
    }  # fmt: skip


@cache
def documents() -> tuple[tuple[str, Any], ...]:
    return tuple((path, marked(json.loads(body))) for path, body in calls())


@cache
def recorded() -> tuple[Call, ...]:
    return tuple(call for call in recorded_calls(RECORDED) if len(call[1]) <= 3 * LARGEST)


@bounded
@given(chance=chances)
def test_a_request_with_odd_content_is_answered_and_always_in_the_same_way(client, twin, chance):
    path, document = chance.choice(documents())
    body = to_body(worse_document(chance, document))
    assert ask(client, path, body, MARKER.encode()) == ask(twin, path, body, MARKER.encode())


@bounded
@given(chance=chances)
def test_a_recorded_request_with_odd_content_is_answered(client, chance):
    if not recorded():
        pytest.skip("no recorded requests here")
    path, body = chance.choice(recorded())
    ask(client, path, to_body(worse_document(chance, json.loads(body))))


@pytest.mark.parametrize("seed", range(5))
def test_many_changes_at_once_are_answered(client, seed):
    for number in range(EXAMPLES):
        chance = Random(seed * 100_003 + number)  # noqa: S311 - the same requests every time, no secret
        path, document = chance.choice(documents())
        ask(client, path, to_body(worse_document(chance, document, most=40)), MARKER.encode())
