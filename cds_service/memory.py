"""A small memory of what was worked out before: hooks fire again and again on the same chart."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class Recent(Generic[V]):
    """The last `size` answers by the digest of what was asked; the one not asked for the longest makes room.

    Kept in this process only, never written anywhere. Safe to share between threads.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._found: OrderedDict[bytes, V] = OrderedDict()
        self._lock = Lock()

    def get(self, digest: bytes, unknown: V) -> V:
        """Return what is remembered under `digest`, else `unknown`."""
        with self._lock:
            if digest not in self._found:
                return unknown
            self._found.move_to_end(digest)
            return self._found[digest]

    def put(self, digest: bytes, value: V) -> None:
        """Remember `value` under `digest`."""
        with self._lock:
            self._found[digest] = value
            self._found.move_to_end(digest)
            if len(self._found) > self._size:
                self._found.popitem(last=False)
