"""The circuit breaker, on a clock of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from cds_service.fhir.breaker import Breaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker(3, 10, Clock())
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        assert breaker.allows()
        breaker.answered()
    for _ in range(3):
        assert breaker.allows()
        breaker.failed()
    assert not breaker.allows()


def test_one_call_tries_it_and_closes_it() -> None:
    clock = Clock()
    breaker = Breaker(1, 10, clock)
    breaker.failed()
    clock.now += 9.9
    assert not breaker.allows()
    clock.now += 0.2
    assert breaker.allows()
    assert not breaker.allows()
    breaker.answered()
    assert breaker.allows()
    assert breaker.allows()


def test_a_try_that_fails_opens_it_again() -> None:
    clock = Clock()
    breaker = Breaker(2, 10, clock)
    breaker.failed()
    breaker.failed()
    clock.now += 11
    assert breaker.allows()
    breaker.failed()
    clock.now += 9
    assert not breaker.allows()
    clock.now += 2
    assert breaker.allows()


def test_a_try_that_never_ends_does_not_keep_it_open() -> None:
    clock = Clock()
    breaker = Breaker(1, 10, clock)
    breaker.failed()
    clock.now += 11
    assert breaker.allows()
    clock.now += 11
    assert breaker.allows()


def test_of_many_threads_one_tries_it() -> None:
    clock = Clock()
    breaker = Breaker(1, 10, clock)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: breaker.failed(), range(100)))
        clock.now += 11
        assert sum(pool.map(lambda _: breaker.allows(), range(100))) == 1
