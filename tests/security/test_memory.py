"""What is remembered of earlier calls stays small, whatever was asked."""

from __future__ import annotations

import tracemalloc

import pytest

from cds_service.chart.narrative.reader import read
from cds_service.knowledge.diagnoses import listed, lookup
from cds_service.memory import Recent


@pytest.mark.parametrize(
    ("weights", "kept"),
    [
        pytest.param([10, 10, 10], [0, 1, 2], id="within"),
        pytest.param([10] * 12, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11], id="the-oldest-make-room"),
        pytest.param([10, 26, 10], [0, 2], id="too-heavy-to-keep"),
        pytest.param([25, 25, 25, 25, 25], [1, 2, 3, 4], id="heavy"),
    ],
)
def test_what_is_kept_is_bounded_by_weight(weights: list[int], kept: list[int]) -> None:
    recent: Recent[int | None] = Recent(50, 100)
    for place, weight in enumerate(weights):
        recent.put(place, place, weight)
    assert [place for place in range(len(weights)) if recent.get(place, None) is not None] == kept


def test_what_is_put_again_is_weighed_once() -> None:
    recent: Recent[int | None] = Recent(50, 100)
    for value in range(1000):
        recent.put("same", value, 20)
    recent.put("other", 1, 20)
    assert (recent.get("same", None), recent.get("other", None)) == (999, 1)


def test_long_notes_do_not_fill_the_memory() -> None:
    tracemalloc.start()
    try:
        for number in range(60):
            read(f"{number} " + "Aspirated. No complications. " * 300)
        before, _ = tracemalloc.get_traced_memory()
        for number in range(60, 180):
            read(f"{number} " + "Aspirated. No complications. " * 300)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 60 * 2**20


def test_what_is_no_diagnosis_code_is_not_remembered() -> None:
    before = listed.cache_info().currsize
    for number in range(50):
        assert lookup("A" * 10_000 + str(number)) is None
    assert listed.cache_info().currsize == before
