"""Takes out of a text the white space that says nothing, and puts what was read back where it stood.

Doubled spaces, indentation and the line ends of other systems come from forms, scanners and conversions. Patterns then
need not allow for them everywhere.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast

from cds_service.chart.narrative.reading import Span, StatementReading

T = TypeVar("T")

_BLANK = r"[ \t\u00a0]"
_SPARE = re.compile(rf"\r(?=\n)|^{_BLANK}+|(?<={_BLANK}){_BLANK}+", re.MULTILINE)
_SIGNS = ("  ", "\r\n", "\n ", "\t", "\u00a0")
"""One of these stands in every text that has spare white space, and in few others."""


def without_spare(text: str) -> tuple[str, list[int] | None]:
    """Return the text without its spare white space, and where each character stood; None where none was spare."""
    if not (text.startswith(" ") or any(sign in text for sign in _SIGNS)):
        return text, None
    kept: list[str] = []
    places: list[int] = []
    start = 0
    for spare in _SPARE.finditer(text):
        kept.append(text[start : spare.start()])
        places.extend(range(start, spare.start()))
        start = spare.end()
    if not kept:
        return text, None
    kept.append(text[start:])
    places.extend(range(start, len(text)))
    return "".join(kept), places


def moved(value: T, places: list[int]) -> T:
    """Return a reading with every span moved to where its characters stood: `places` as `without_spare` gives them."""
    return cast(T, _moved(value, places))


def _moved(value: Any, places: list[int]) -> Any:
    if isinstance(value, Span):
        return Span(places[value.start], places[value.end - 1] + 1)
    if isinstance(value, StatementReading):
        return value._replace(span=_moved(value.span, places))
    if isinstance(value, tuple):
        return tuple(_moved(part, places) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{part.name: _moved(getattr(value, part.name), places) for part in fields(value)})
    return value
