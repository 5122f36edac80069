"""Requests that the fuzzing found to be answered wrongly once: a row for each, made as small as it goes."""

from __future__ import annotations

import copy
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from cds_service.cases import load_case
from cds_service.chart.narrative.reader import read
from cds_service.resources import cases_folder
from tests.fuzz.judging import judge

DISCHARGES = "/cds-services/paravertebral-encounter-discharge"
DISCHARGE = load_case(cases_folder() / "thoracotomy-addon-three-units").request("encounter-discharge")
BUNDLE = load_case(cases_folder() / "thoracotomy-addon-three-units").bundle()

Json = dict[str, Any]


def claim(document: Json) -> Json:
    """The Claim of a hook request or of a Bundle."""
    entries = (document.get("prefetch", {}).get("claims") or document)["entry"]
    found: Json = next(e["resource"] for e in entries if e["resource"]["resourceType"] == "Claim")
    return found


def units(value: Any) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        for item in claim(document)["item"]:
            item["quantity"] = {"value": value}

    return change


def same_line_twice(value: Any) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        item = claim(document)["item"][0] | {"quantity": {"value": value}}
        claim(document)["item"] = [item, item | {"sequence": 2}]

    return change


def prices(value: Any) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        for item in claim(document)["item"]:
            item |= {"unitPrice": {"value": value, "currency": "USD"}, "factor": value, "net": {"value": value}}
        claim(document)["total"] = {"value": value, "currency": "USD"}

    return change


def encounter_until(day: str) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        prefetch = document["prefetch"]
        prefetch["encounter"]["period"] = {"start": "2026-03-01", "end": day}
        for entry in prefetch["documents"]["entry"]:
            entry["resource"].pop("context", None)

    return change


ROWS = [
    pytest.param("/assessments", BUNDLE, units(1e79), id="units-beyond-64-bits"),
    pytest.param("/assessments", BUNDLE, same_line_twice(1e308), id="units-whose-sum-is-infinite"),
    pytest.param(DISCHARGES, DISCHARGE, same_line_twice(1e308), id="units-whose-sum-is-infinite-on-a-card"),
    pytest.param(DISCHARGES, DISCHARGE, prices(1e200), id="price-beyond-64-bits"),
    pytest.param(DISCHARGES, DISCHARGE, encounter_until("9999-12-31"), id="encounter-until-the-last-day-there-is"),
]


@pytest.mark.parametrize(("path", "document", "change"), ROWS)
def test_it_is_answered(client, caplog, path, document, change):
    document = copy.deepcopy(document)
    change(document)
    with caplog.at_level(logging.ERROR, "cds_service"):
        answer = client.post(path, data=json.dumps(document))
    judge(path, answer.status_code, answer.get_data())
    assert answer.status_code == 200
    assert not caplog.records


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Right paravertebral block at T4. ribs 3" + "-" * 120 + " x", id="row-of-dashes"),
        pytest.param("Right paravertebral block at T4. " + f"ribs 3{'-' * 120} |\n" * 100, id="table-of-dashes"),
        pytest.param("Right paravertebral block at T4. ribs " + "a-" * 200, id="words-joined-by-hyphens"),
    ],
)
def test_the_time_to_read_a_note_does_not_explode(text):
    """Such a note took seconds or minutes; it takes a few milliseconds, so that a busy machine does not matter."""
    before = time.thread_time()
    read(text)
    assert time.thread_time() - before < 2
