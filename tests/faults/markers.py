"""Marks: words of our own in place of what a request says, to be looked for wherever they must not turn up."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Iterator, Set
from typing import Any

_WORD = "ZqMarker"
_WRITTEN = re.compile(rf"{_WORD}(\d{{5}})", re.IGNORECASE)
_COUNTED = re.compile(r"(?<![0-9a-f.])77(\d{5})77(?![0-9a-f.])")
# Three places in a group of three bytes; the letters at the ends depend on what stands beside.
_ENCODED = tuple(base64.b64encode(b" " * shift + _WORD.encode())[shift + 1 : -3].decode() for shift in range(3))

HIDDEN = "something in Base64"
"""Stands for the name of a mark that was found, but cannot be read."""

Path = tuple[str | int, ...]


class Marks:
    """Gives marks, and finds them again."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def new(self, name: str) -> str:
        """Return a word nobody else writes, for what is called `name`."""
        self.names.append(name)
        return f"{_WORD}{len(self.names) - 1:05}"

    def number(self, name: str) -> int:
        """Return such a number."""
        self.names.append(name)
        return int(f"77{len(self.names) - 1:05}77")

    def found(self, text: str) -> set[str]:
        """Return the names of all marks in `text`, also of those in Base64, whose name is then not known."""
        places = [int(place) for pattern in (_WRITTEN, _COUNTED) for place in pattern.findall(text)]
        hidden = {HIDDEN} if any(piece in text for piece in _ENCODED) else set()
        return {self.names[place] for place in places if place < len(self.names)} | hidden


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value that holds no other, with the way to it."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, (*path, name))
    elif isinstance(value, list):
        for place, member in enumerate(value):
            yield from leaves(member, (*path, place))
    else:
        yield path, value


def changed(document: Any, path: Path, value: Any) -> Any:
    """Return `document` with another value at `path`."""
    copied = copy.deepcopy(document)
    inner = copied
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return copied


def marked_one_by_one(document: Any, marks: Marks, name: str) -> Iterator[tuple[str, Any]]:
    """Yield `document` once and again: with each leaf marked alone, in its place and behind what it says.

    Text in Base64 is marked inside as well. Also with a member of another name in each object.
    """
    for path, value in leaves(document):
        place = f"{name} {shown(path)}".strip()
        yield place, changed(document, path, marks.new(place))
        if isinstance(value, str):
            yield place, changed(document, path, f"{value} {marks.new(place)}")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield place, changed(document, path, marks.number(place))
        if path[-1] == "data" and isinstance(value, str):
            text = base64.b64decode(value) + f" {marks.new(place)}".encode()
            yield place, changed(document, path, base64.b64encode(text).decode())
    for path in objects(document):
        place = f"{name} {shown(path)}".strip() + ", a member"
        word = marks.new(place)
        yield place, changed(document, (*path, word), {word: [word]})
        yield place, changed(document, (*path, word), 7)


def objects(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the way to every object."""
    if isinstance(value, dict):
        yield path
        for name, member in value.items():
            yield from objects(member, (*path, name))
    elif isinstance(value, list):
        for place, member in enumerate(value):
            yield from objects(member, (*path, place))


def all_marked(document: Any, marks: Marks, name: str, kept: Set[str]) -> Any:
    """Return `document` with every text marked behind what it says, but for members of the names in `kept`."""
    marked = document
    for path, value in leaves(document):
        if isinstance(value, str) and not kept & {step for step in path[-2:] if isinstance(step, str)}:
            place = f"{name} {shown(path)}".strip()
            text = f"{value} {marks.new(place)}"
            if path[-1] == "data":
                text = base64.b64encode(base64.b64decode(value) + f" {marks.new(place)}".encode()).decode()
            marked = changed(marked, path, text)
    return marked


def shown(path: Path) -> str:
    """Return a path as FHIR writes it."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
