"""FHIR servers that fail while a hook waits, as `bench/faults.py` measures them, with less time to wait."""

from __future__ import annotations

import json
import re

import pytest

from bench import faults
from cds_service.fhir.exchange import Limits

DEADLINE_S = 1.0
MOST_MEGABYTES = 160
"""What a worker may grow by: the ten answers of one hook, each up to its limit, and a little."""
MOST_MEGABYTES_TOGETHER = 320
"""The same with the sixteen reads that run at a time for all hooks."""
NO_FAULT, *FAULTS = faults.FAULTS
ANSWERS = {"a gigabyte", "a gigabyte, packed", "redirects in a circle"}
"""Faults of a server that does answer, and so is asked again."""


@pytest.fixture(scope="module")
def service(start):
    return start(fhir_deadline_s=DEADLINE_S)


def test_the_reads_of_one_call_are_enough_to_leave_a_dead_server_alone():
    assert len(faults.READ) >= Limits().failures


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_hooks_are_answered_in_time_and_a_dead_server_costs_nothing(service, fault):
    outcome = faults.run(service, fault)
    assert faults.wrong(outcome, DEADLINE_S) == []
    for answer in (outcome.part.first, outcome.part.second):
        (card,) = json.loads(answer.body)["cards"]
        (told,) = re.findall(r"^Not checked: (.*)$", card["detail"], re.MULTILINE)
        assert "FHIR server" in told
        assert all(key in told for key in faults.READ)
    for answer in (outcome.nothing.first, outcome.nothing.second):
        assert {issue["expression"][0] for issue in json.loads(answer.body)["issue"]} == {
            "prefetch.procedures",
            "prefetch.claims",
            "prefetch.documents",
        }
    if fault.killed != "before":
        assert outcome.part.first_connections > 0
    if fault.name not in ANSWERS:
        assert (outcome.part.second_connections, outcome.nothing.second_connections) == (0, 0)
    assert outcome.grown_megabytes < MOST_MEGABYTES


def test_without_a_fault_all_is_read(service):
    outcome = faults.run(service, NO_FAULT)
    assert faults.wrong(outcome, DEADLINE_S) == []
    assert outcome.part.first.body == outcome.nothing.first.body
    assert b"Not checked" not in outcome.part.first.body


def test_calls_that_wait_for_a_server_hold_up_the_others_for_no_longer_than_their_deadline(service):
    many = faults.crowd(service)
    assert {answer.status for answer in (*many.waiting, *many.meanwhile)} == {200}
    assert max(answer.milliseconds for answer in (*many.waiting, *many.meanwhile)) < 4 * DEADLINE_S * 1000
    assert many.connections < faults.AT_ONCE * len(faults.READ) / 2


def test_gigabytes_for_many_calls_at_once_do_not_fill_the_memory(service):
    answers, grown = faults.flood(service)
    assert {answer.status for answer in answers} == {412}
    assert grown < MOST_MEGABYTES_TOGETHER
