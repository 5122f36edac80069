"""How much text one request may have read, so that no request holds a worker for longer than seconds.

The limit is in characters, not in seconds: the same request has the same answer on any machine. A text that is asked
for again in the same request costs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from cds_service.chart.narrative.reading import NoteReading

MOST_CHARACTERS: Final = 500_000
"""Of all texts of a request together: some 150 procedure notes, and seconds where every word is of a block."""
_OF_EACH: Final = 300
"""Characters that reading a text counts for at least."""


class Effort:
    """What one request may still have read. `exceeded` tells that a text was left unread."""

    def __init__(self, characters: int = MOST_CHARACTERS) -> None:
        self.exceeded = False
        self._left = characters
        self._known: dict[str, NoteReading] = {}

    def read(self, text: str, work: Callable[[str], NoteReading]) -> NoteReading | None:
        """Return what `work` makes of a text, None where there is too much of it."""
        if text in self._known:
            return self._known[text]
        cost = max(_OF_EACH, len(text))
        if cost > self._left:
            self.exceeded = True
            return None
        self._left -= cost
        self._known[text] = reading = work(text)
        return reading


_current: Final[ContextVar[Effort | None]] = ContextVar("effort", default=None)


@contextmanager
def bounded(characters: int = MOST_CHARACTERS) -> Iterator[Effort]:
    """Hold all reading inside to so many characters."""
    effort = Effort(characters)
    token = _current.set(effort)
    try:
        yield effort
    finally:
        _current.reset(token)


def current() -> Effort | None:
    """Return what reading is held to, None where it is not."""
    return _current.get()


def ran_out() -> bool:
    """Return whether this request had more text than is read."""
    effort = _current.get()
    return effort is not None and effort.exceeded
