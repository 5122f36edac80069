"""A circuit breaker: a server that does not answer is left alone for a while, so that it costs nothing.

Pattern: M. Nygard, Release It!, "Circuit Breaker". It lives in one process; each worker finds out for itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock


class Breaker:
    """Opens after `failures` in a row; after `pause` seconds lets one call through, and closes when that is answered.

    Safe to share between threads. `clock` is a monotonic clock in seconds.
    """

    def __init__(self, failures: int, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = failures
        self._pause = pause
        self._clock = clock
        self._lock = Lock()
        self._failures = 0
        self._closed_again = 0.0

    def allows(self) -> bool:
        """Return whether a call may be made. Where that is the one of an open breaker, the next waits a pause more."""
        with self._lock:
            if self._failures < self._most:
                return True
            if self._clock() < self._closed_again:
                return False
            # A probe that never tells what became of it does not keep the breaker open for good.
            self._closed_again = self._clock() + self._pause
            return True

    def answered(self) -> None:
        """Note that the server answered, whatever it said."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """Note that there was no answer: no connection, no reply in time, or one that broke off."""
        with self._lock:
            self._failures += 1
            if self._failures >= self._most:
                self._closed_again = self._clock() + self._pause
