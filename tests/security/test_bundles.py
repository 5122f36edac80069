"""Bundles of many encounters: resources of several encounters, of none, or of days of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from cds_service.chart import bounds
from cds_service.pipeline import Pipeline, TooMuchError
from tests.security.cost import assert_linear

Json = dict[str, Any]


def _day(place: int) -> str:
    return (date(1920, 1, 1) + timedelta(days=place)).isoformat()


def _procedure(place: int, encounters: tuple[int, ...] = (), day: str | None = None) -> Json:
    named = {"encounter": [{"reference": f"Encounter/e{each}"} for each in encounters]} if encounters else {}
    return {
        "resourceType": "Procedure",
        "id": f"p{place}",
        "status": "completed",
        "subject": {"reference": "Patient/1"},
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "64461"}]},
        **named,
        **({"performedDateTime": day} if day else {}),
    }


def _encounter(place: int) -> Json:
    period = {"start": _day(3 * place), "end": _day(3 * place + 1)}
    return {"resourceType": "Encounter", "id": f"e{place}", "status": "finished", "period": period}


def _observation(place: int) -> Json:
    return {
        "resourceType": "Observation",
        "id": f"o{place}",
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": _day(3 * place),
    }


_SHAPES: dict[str, Callable[[int], list[Json]]] = {
    "procedures-of-one-encounter-each": lambda n: [_procedure(i, (i,), _day(i)) for i in range(n)],
    "encounters-and-procedures-that-name-none": lambda n: [
        each for i in range(n) for each in (_encounter(i), _procedure(i, day=_day(3 * i)))
    ],
    "procedures-without-a-day": lambda n: [_procedure(i) for i in range(n)],
    "patients": lambda n: [{**_procedure(i), "subject": {"reference": f"Patient/{i}"}} for i in range(n)],
}


def _bundle(resources: list[Json]) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}


@pytest.mark.parametrize("shape", _SHAPES.values(), ids=_SHAPES)
def test_time_is_in_proportion_to_the_bundle(pipeline: Pipeline, shape: Callable[[int], list[Json]]) -> None:
    assert_linear(lambda size: _bundle(shape(size)), pipeline.review_bundle, 120, most_s=4.0)


def test_as_many_resources_as_are_taken_are_placed_in_seconds(pipeline: Pipeline) -> None:
    """Each of them is held against each encounter, quickly: a request has no more of them than this."""
    resources = [each for place in range(2500) for each in (_encounter(place), _observation(place))]
    start = time.process_time()
    pipeline.review_bundle(_bundle(resources))
    assert time.process_time() - start < 4


@pytest.mark.parametrize(
    "resources",
    [
        pytest.param([_procedure(i, tuple(range(110))) for i in range(110)], id="each-of-all-encounters"),
        pytest.param(
            [_procedure(i, day=_day(i)) for i in range(110)] + [_procedure(1000 + i) for i in range(110)],
            id="those-without-a-day-on-each-day",
        ),
    ],
)
def test_resources_of_too_many_encounters_are_refused(pipeline: Pipeline, resources: list[Json]) -> None:
    with pytest.raises(TooMuchError, match=f"more than {bounds.MOST_PLACED} resources"):
        pipeline.review_bundle(_bundle(resources))
