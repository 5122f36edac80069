"""A small memory of what was worked out before: hooks fire again and again on the same chart."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class Recent(Generic[V]):
    """The last `size` answers by the digest of what was asked; the one not asked for the longest makes room.

    With `most`, they weigh no more than that together, and what weighs more than a quarter of it is not remembered: a
    few answers of a size that nobody asks for twice must not fill the memory, or drive out all others.

    Kept in this process only, never written anywhere. Safe to share between threads.
    """

    def __init__(self, size: int, most: int | None = None) -> None:
        self._size = size
        self._most = most
        self._weight = 0
        self._found: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, digest: Hashable, unknown: V) -> V:
        """Return what is remembered under `digest`, else `unknown`."""
        with self._lock:
            if digest not in self._found:
                return unknown
            self._found.move_to_end(digest)
            return self._found[digest][0]

    def put(self, digest: Hashable, value: V, weight: int = 0) -> None:
        """Remember `value` under `digest`; `weight` is in the unit of `most`."""
        if self._most is not None and 4 * weight > self._most:
            return
        with self._lock:
            self._weight += weight - self._found.get(digest, (value, 0))[1]
            self._found[digest] = value, weight
            self._found.move_to_end(digest)
            while len(self._found) > self._size or (self._most is not None and self._weight > self._most):
                self._weight -= self._found.popitem(last=False)[1][1]
