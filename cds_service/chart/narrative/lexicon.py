r"""The reader's vocabulary: phrases kept as data in `lexicon/*.toml`, compiled once, found in one pass.

A file holds `[[concept]]` tables: `kind` (what it is for), `value`, `phrases`, and whatever attributes its kind needs.
A phrase is lower case words in a small language:

- a space matches white space or hyphens, so `in plane` also finds `in-plane`;
- `*` at the end of a word matches the rest of a word: `inject*`;
- `(a|b)` is a choice, and `(a )?` may be absent, but not at the beginning; `\(` is a parenthesis of the text;
- `..` stands for up to four words of the same clause;
- `<names>` is a choice of the table's `names`.

Phrases are indexed by their first word, or by what it begins with where its end is open, and by the letters the second
may begin with. They are tried only where a word starts, and every repetition in them is bounded: scanning takes time
linear in the text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

_KEY_LENGTH = 3
_WORD = re.compile(r"[a-z0-9]+")
_OPEN = frozenset("*([?{")
"""After one of these more letters may belong to a first word; an optional punctuation mark ("(\\.)?") adds none."""
_GROUP = re.compile(r"\((?P<choices>[^()?]*)\)(?P<often>\?|\{0,\d\})?(?![?{*])")
"""A choice, which may be absent where it is followed by a mark that says so."""
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

    The key is the word, or what it begins with where its end is open; the initials are those the next word must have,
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
    word = word[:-1] if following[:1] in {"?", "{"} else word
    if len(word) < _KEY_LENGTH:
        raise ValueError(f"the first word is too short to be left open: {words!r}")
    return word, True, frozenset()


def _initials(rest: str) -> frozenset[str]:
    """Return the letters the word after the first must begin with; none where it may be any or need not follow."""
    return (rest[:1] == " " and _beginnings(rest[1:])) or frozenset()


def _beginnings(phrase: str) -> frozenset[str] | None:
    """Return the letters that what a phrase goes on with begins with, None where that cannot be said."""
    if phrase[:1].isalnum():
        return None if phrase[1:2] in {"?", "{"} else frozenset(phrase[0])
    group = _GROUP.match(phrase)
    if group is None:
        return None
    letters = frozenset(choice[:1] for choice in group["choices"].split("|"))
    if not all(letter.isalnum() for letter in letters):
        return None
    if not group["often"]:
        return letters
    further = _beginnings(phrase[group.end() :])
    return None if further is None else letters | further


_Entry = tuple[Callable[[str, int], "re.Match[str] | None"] | None, str, Concept]
"""How to match a phrase (None where it is one whole word), what it competes for, and its meaning."""

_OWN = frozenset({"kind", "value", "phrases", "names"})
"""Members of a table that are not attributes of its concept."""

_Candidates = dict[str, tuple[_Entry, ...]]
"""The phrases a word may begin, by the first letter of the next word; under "" those before any other letter."""

_KNOWN_WORDS = 20_000
"""Words of the texts whose candidates are kept. A text in a language of its own would else fill the memory."""


class Lexicon:
    """Compiled phrases, ready to be looked for."""

    def __init__(self, tables: Iterable[Mapping[str, Any]]) -> None:
        """Compile `[[concept]]` tables; raises ValueError or re.error where a phrase is not well-formed."""
        self._closed: dict[str, list[tuple[frozenset[str], _Entry]]] = {}
        self._open: dict[str, list[tuple[str, _Entry]]] = {}
        self._known: dict[str, _Candidates | None] = {}
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
                        self._open.setdefault(key[:_KEY_LENGTH], []).append((key, entry))
                    else:
                        self._closed.setdefault(key, []).append((initials, entry))

    def scan(self, folded: str) -> list[Mention]:
        """Return the mentions in folded text, in order: at each word the longest of each kind or element."""
        found: list[Mention] = []
        if len(self._known) > _KNOWN_WORDS:
            self._known.clear()
        known = self._known.get
        words = list(_WORD.finditer(folded))
        for place, word in enumerate(words, 1):
            letters = word.group()
            candidates = known(letters, _NOWHERE)
            if candidates is _NOWHERE:
                candidates = self._known[letters] = self._candidates(letters)
            if candidates is None:
                continue
            initial = folded[words[place].start()] if place < len(words) else ""
            entries = candidates.get(initial, candidates[""])
            if entries:
                found.extend(_longest(folded, word, entries))
        return found

    def _candidates(self, letters: str) -> _Candidates | None:
        """Return the phrases that `letters`, a word of a text, may begin; None where there are none."""
        begun = [entry for key, entry in self._open.get(letters[:_KEY_LENGTH], ()) if letters.startswith(key)]
        closed = self._closed.get(letters, [])
        if not begun and not closed:
            return None
        known = {""}.union(*(initials for initials, _ in closed))
        return {
            initial: (*(entry for initials, entry in closed if not initials or initial in initials), *begun)
            for initial in known
        }


_NOWHERE: _Candidates = {}


def _longest(folded: str, word: re.Match[str], entries: tuple[_Entry, ...]) -> Iterable[Mention]:
    best: dict[str, tuple[int, Concept]] = {}
    start, word_end = word.span()
    for match_at, role, concept in entries:
        end = word_end
        if match_at is not None:
            match = match_at(folded, start)
            if match is None:
                continue
            end = match.end()
        known = best.get(role)
        if known is None or end > known[0]:
            best[role] = end, concept
    return [Mention(concept, concept.kind, concept.value, start, end) for end, concept in best.values()]


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
