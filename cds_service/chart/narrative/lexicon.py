r"""The reader's vocabulary: phrases kept as data in `lexicon/*.toml`, compiled once, found in one pass.

A file holds `[[concept]]` tables: `kind` (what it is for), `value`, `phrases`, and whatever attributes its kind needs.
A phrase is lower case words in a small language:

- a space matches white space or hyphens, so `in plane` also finds `in-plane`;
- `*` at the end of a word matches the rest of a word: `inject*`;
- `(a|b)` is a choice, and `(a )?` may be absent, but not at the beginning; `\(` is a parenthesis of the text;
- `..` stands for up to four words of the same clause;
- `<names>` is a choice of the table's `names`.

Phrases are indexed by their first word, or by its first three letters where its end is open, and tried only where a
word starts; every repetition in them is bounded: scanning takes time linear in the text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import chain, zip_longest
from typing import Any, NamedTuple

_KEY_LENGTH = 3
_WORD = re.compile(r"[a-z0-9]+")
_OPEN = frozenset("*([?{")
"""After one of these more letters may belong to a first word; an optional punctuation mark ("(\\.)?") adds none."""
_NEXT = re.compile(r" (?:\((?P<choices>[^()?]*)\)(?![?{*])|(?P<word>[a-z0-9])(?![?{*]))")
_GAP = r"(?:[^\s.;:,]{1,30}[\s\-]{1,4}){0,4}?"
_SPACE = r"[\s\-]{1,4}"


@dataclass(frozen=True, slots=True)
class Concept:
    """One meaning. `attributes` are the remaining members of its table."""

    kind: str
    value: str
    attributes: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)


class Mention(NamedTuple):
    """A concept, its kind and value, and the characters that name it."""

    concept: Concept
    kind: str
    value: str
    start: int
    end: int


def to_pattern(phrase: str) -> str:
    """Return the regular expression for a phrase of the small language."""
    pattern = re.sub(r"(?<!\\)\((?!\?)", "(?:", phrase)
    pattern = re.sub(r"(?<=[a-z])\*", "[a-z]{0,20}", pattern).replace(" .. ", f" {_GAP}")
    return pattern.replace(" ", _SPACE) + r"(?![a-z0-9])"


def first_keys(phrase: str) -> Iterator[tuple[str, bool, frozenset[str]]]:
    """Yield (key, open, initials) for each word a phrase can start with.

    The key is the word, or its first letters where its end is open; the initials are those the next word must have,
    none where it may be any or is not needed.

    Raises ValueError where the phrase starts with something optional.
    """
    if not phrase.startswith("("):
        yield _key(phrase)
        return
    choices, _, rest = phrase[1:].partition(")")
    if rest.startswith("?") or "(" in choices:
        raise ValueError(f"a phrase must begin with a word or a plain choice: {phrase!r}")
    for choice in choices.split("|"):
        yield _key(choice + rest)


def _key(words: str) -> tuple[str, bool, frozenset[str]]:
    first = _WORD.match(words)
    if first is None:
        raise ValueError(f"a phrase must begin with a word: {words!r}")
    word, following = first.group(), words[first.end() : first.end() + 2]
    if following[:1] not in _OPEN or following == "(\\":
        return word, False, _initials(words[first.end() :])
    if len(word) < _KEY_LENGTH:
        raise ValueError(f"the first word is too short to be left open: {words!r}")
    return word[:_KEY_LENGTH], True, frozenset()


def _initials(rest: str) -> frozenset[str]:
    following = _NEXT.match(rest)
    if following is None:
        return frozenset()
    initials = frozenset(choice[:1] for choice in (following["choices"] or following["word"]).split("|"))
    return initials if all(initial.isalnum() for initial in initials) else frozenset()


_Entry = tuple[Callable[[str, int], "re.Match[str] | None"] | None, str, Concept]
"""How to match a phrase (None where it is one whole word), what it competes for, and its meaning."""


_OWN = frozenset({"kind", "value", "phrases", "names"})
"""Members of a table that are not attributes of its concept."""
_NONE: list[_Entry] = []
_NOWHERE: dict[str, list[_Entry]] = {"": _NONE}


class Lexicon:
    """Compiled phrases, ready to be looked for."""

    def __init__(self, tables: Iterable[Mapping[str, Any]]) -> None:
        """Compile `[[concept]]` tables; raises ValueError or re.error where a phrase is not well-formed."""
        closed: dict[str, list[tuple[frozenset[str], _Entry]]] = {}
        self._open: dict[str, list[_Entry]] = {}
        for table in tables:
            more = {name: value for name, value in table.items() if name not in _OWN}
            names = f"({'|'.join(table.get('names', ()))})"
            concept = Concept(table["kind"], table["value"], more)
            role = concept.kind + str(more.get("direction", concept.value if concept.kind == "element" else ""))
            for phrase in (phrase.replace("<names>", names) for phrase in table["phrases"]):
                match_at = None if _WORD.fullmatch(phrase) else re.compile(to_pattern(phrase)).match
                for key, is_open, initials in dict.fromkeys(first_keys(phrase)):
                    entry = (match_at, role, concept)
                    if is_open:
                        self._open.setdefault(key, []).append(entry)
                    else:
                        closed.setdefault(key, []).append((initials, entry))
        self._closed = {word: _by_initial(entries) for word, entries in closed.items()}

    def scan(self, folded: str) -> list[Mention]:
        """Return the mentions in folded text, in order: at each word the longest of each kind or element."""
        found: list[Mention] = []
        closed, opened = self._closed.get, self._open.get
        words = list(_WORD.finditer(folded))
        for word, successor in zip_longest(words, words[1:]):
            initial = folded[successor.start()] if successor else ""
            letters = word.group()
            following = closed(letters, _NOWHERE)
            exact, begun = following.get(initial, following[""]), opened(letters[:_KEY_LENGTH], _NONE)
            if exact or begun:
                found.extend(_longest(folded, word, exact, begun))
        return found


def _by_initial(entries: list[tuple[frozenset[str], _Entry]]) -> dict[str, list[_Entry]]:
    """Return the entries that can match before a word with each initial; under "" those before any other."""
    known = {""}.union(*(initials for initials, _ in entries))
    return {initial: [entry for initials, entry in entries if not initials or initial in initials] for initial in known}


def _longest(folded: str, word: re.Match[str], *candidates: list[_Entry]) -> Iterable[Mention]:
    best: dict[str, Mention] = {}
    start, word_end = word.span()
    for match_at, role, concept in chain(*candidates):
        end = word_end
        if match_at is not None:
            match = match_at(folded, start)
            if match is None:
                continue
            end = match.end()
        known = best.get(role)
        if known is None or end > known.end:
            best[role] = Mention(concept, concept.kind, concept.value, start, end)
    return best.values()


@cache
def shipped() -> Lexicon:
    """Return the lexicon that comes with the package."""
    return Lexicon(shipped_tables())


def shipped_tables() -> list[dict[str, Any]]:
    """Return every `[[concept]]` table of the package's `lexicon/*.toml`."""
    folder = files("cds_service.chart.narrative").joinpath("lexicon")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return [
        table for name in names for table in tomllib.loads(folder.joinpath(name).read_text("utf-8")).get("concept", [])
    ]
