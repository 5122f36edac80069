"""How the CPU time of a piece of work grows with its size."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")

TIMES = 4
STEEPEST = 2.5 * TIMES
"""How many times the cost of four times the work may be: 4 where it is linear, 16 where it is quadratic."""
_LEAST_S = 0.01
"""Below this a measurement says nothing."""
_ATTEMPTS = 4


def assert_linear(make: Callable[[int], T], work: Callable[[T], object], size: int, *, most_s: float = 5.0) -> None:
    """Do `work` on what `make` gives for `size` and for four times as much; fail where the time grows faster than that.

    One attempt within bounds is enough: what disturbs a measurement comes and goes, a quadratic search stays. `make`
    is asked anew for each attempt, and must not give what was worked on before (caches).
    """
    for _ in range(_ATTEMPTS):
        small, large = _seconds(work, make(size)), _seconds(work, make(TIMES * size))
        if large <= STEEPEST * max(small, _LEAST_S) and large <= most_s:
            return
    pytest.fail(f"{large:.3f} s of CPU time for a size of {TIMES * size}, {small:.3f} s for {size}")


def _seconds(work: Callable[[T], object], thing: T) -> float:
    start = time.process_time()
    work(thing)
    return time.process_time() - start
