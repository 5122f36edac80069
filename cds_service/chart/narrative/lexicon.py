r"""The reader's vocabulary: phrases kept as data in `lexicon/*.toml`, compiled once, found in one pass.

A file holds `[[concept]]` tables: `kind` (what it is for), `value`, `phrases`, and whatever attributes its kind needs.
A phrase is lower case words in a small language:

- a space matches white space or hyphens, so `in plane` also finds `in-plane`;
- `*` at the end of a word matches the rest of a word: `inject*`;
- `(a|b)` is a choice, and `(a )?` may be absent, but not at the beginning; `\(` is a parenthesis of the text;
- `..` stands for up to four words of the same clause, numbers such as 0.25% among them;
- `<names>` is a choice of the table's `names`.

Phrases are indexed by their first word, or by what it begins with where its end is open, and by what the two words
after it may begin with. They are tried only where a word starts, and every repetition in them is bounded: scanning
takes time linear in the text.
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
_WORDS_AFTER = 2
_WORD = re.compile(r"[a-z0-9]+")
_OPEN = frozenset("*([?{")
"""After one of these more letters may belong to a first word; an optional punctuation mark ("(\\.)?") adds none."""
_GROUP = re.compile(r"\((?P<choices>[^()?]*)\)(?P<often>\?|\{0,\d\})?(?![?{*])")
"""A choice, which may be absent where it is followed by a mark that says so."""
# A word of the gap may have hyphens in it, as in "right-sided"; where the parts end and the spaces begin must leave few
# choices, or a row of dashes takes as many steps as there are ways to divide it.
_GAP = r"(?:(?:[^\s\-.;:,]{1,30}|\d{0,3}\.\d{1,3}%?)(?:-[^\s\-.;:,]{1,30}){0,2}[\s\-]{1,4}){0,4}?"
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


_Following = tuple[str, ...]
"""What the words after the first begin with, `_KEY_LENGTH` letters of each, as far as that can be said."""
_ANY: _Following = ()


def to_pattern(phrase: str) -> str:
    """Return the regular expression for a phrase of the small language."""
    pattern = re.sub(r"(?<!\\)\((?!\?)", "(?:", phrase)
    pattern = re.sub(r"(?<=[a-z])\*", "[a-z]{0,20}", pattern).replace(" .. ", f" {_GAP}")
    return pattern.replace(" ", _SPACE) + r"(?![a-z0-9])"


def first_keys(phrase: str) -> Iterator[tuple[str, bool, frozenset[_Following]]]:
    """Yield (key, open, following) for each word a phrase can start with.

    The key is the word, or what it begins with where its end is open; following is what the words after it must begin
    with.

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


def _key(words: str) -> tuple[str, bool, frozenset[_Following]]:
    first = _WORD.match(words)
    if first is None:
        raise ValueError(f"a phrase must begin with a word: {words!r}")
    word, following = first.group(), words[first.end() : first.end() + 2]
    if following[:1] not in _OPEN or following == "(\\":
        return word, False, frozenset(_following(words[first.end() :], _WORDS_AFTER))
    word = word[:-1] if following[:1] in {"?", "{"} else word
    if len(word) < _KEY_LENGTH:
        raise ValueError(f"the first word is too short to be left open: {words!r}")
    return word, True, frozenset({_ANY})


def _following(rest: str, number: int) -> Iterator[_Following]:
    """Yield what up to `number` words after a whole word can begin with, where a phrase goes on with `rest`."""
    if not number or not rest.startswith(" "):
        yield _ANY
        return
    group = _GROUP.match(rest, 1)
    if group is None:
        yield from _plain(rest[1:], number)
        return
    tail = rest[group.end() :]
    again = (group["often"] or "?") != "?"  # then another of the choices may follow
    for choice in group["choices"].split("|"):
        yield from _plain(choice + tail, 1 if again else number)
    if group["often"]:
        yield from _following(f" {tail}", number)


def _plain(words: str, number: int) -> Iterator[_Following]:
    """Yield the same for a phrase that goes on with a plain word: anything, where more letters may join a short one."""
    word = _WORD.match(words)
    if word is None:
        yield _ANY
        return
    letters, rest = word.group(), words[word.end() :]
    is_open = (rest[:1] in _OPEN and rest[:2] != "(\\") or rest[:1] == "." or (rest[:1] == "\\" and rest[1:2].isalpha())
    letters = letters[:-1] if rest[:1] in {"?", "{"} else letters
    if not is_open:
        yield from ((letters[:_KEY_LENGTH], *after) for after in _following(rest, number - 1))
    else:
        yield _ANY if len(letters) < _KEY_LENGTH else (letters[:_KEY_LENGTH],)


_Matcher = Callable[[str, int], "re.Match[str] | None"]
_Phrase = tuple[str, str, Concept]
"""A phrase, what it competes for, and its meaning."""
_Entry = tuple[_Matcher | None, str, Concept]
"""The same with how to match the phrase; None where it is one whole word."""

_OWN = frozenset({"kind", "value", "phrases", "names"})
"""Members of a table that are not attributes of its concept."""

_Candidates = dict[str, dict[str, tuple[_Entry, ...]]]
"""The phrases a word may begin, by the beginnings of the two words after it; under "" those before any other word."""

_LONGEST_KNOWN = 40
"""Letters of the longest word whose candidates are kept: what is longer is no word."""
_KNOWN_WORDS = 20_000
"""Words of the texts whose candidates are kept. A text in a language of its own would else fill the memory."""


class _Known(dict[str, _Candidates | None]):
    """The candidates of the words met so far, found out for each when it is first asked for."""

    def __init__(self, find: Callable[[str], _Candidates | None]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, letters: str) -> _Candidates | None:
        found = self._find(letters)
        if len(letters) <= _LONGEST_KNOWN:
            self[letters] = found
        return found


@cache
def matcher(phrase: str) -> _Matcher | None:
    """Return how a phrase is matched, None where it is one whole word. Raises re.error where it is not well-formed.

    Compiled when a text first has a word it may begin with: all of them at once would double the time of a start.
    """
    return None if _WORD.fullmatch(phrase) else re.compile(to_pattern(phrase)).match


def _compiled(phrase: _Phrase) -> _Entry:
    return matcher(phrase[0]), phrase[1], phrase[2]


class Lexicon:
    """Phrases by the words they begin with, ready to be looked for."""

    def __init__(self, tables: Iterable[Mapping[str, Any]]) -> None:
        """Index `[[concept]]` tables; raises ValueError where a phrase does not begin as it must."""
        self._closed: dict[str, list[tuple[frozenset[_Following], _Phrase]]] = {}
        self._open: dict[str, list[tuple[str, _Phrase]]] = {}
        self._known = _Known(self._candidates)
        for table in tables:
            more = {name: value for name, value in table.items() if name not in _OWN}
            names = f"({'|'.join(table.get('names', ()))})"
            concept = Concept(table["kind"], table["value"], more)
            role = concept.kind + str(more.get("direction", concept.value if concept.kind == "element" else ""))
            for phrase in (phrase.replace("<names>", names) for phrase in table["phrases"]):
                for key, is_open, following in dict.fromkeys(first_keys(phrase)):
                    entry = (phrase, role, concept)
                    if is_open:
                        self._open.setdefault(key[:_KEY_LENGTH], []).append((key, entry))
                    else:
                        self._closed.setdefault(key, []).append((following, entry))

    def scan(self, folded: str) -> list[Mention]:
        """Return the mentions in folded text, in order: at each word the longest of each kind or element."""
        found: list[Mention] = []
        if len(self._known) > _KNOWN_WORDS:
            self._known.clear()
        words = _WORD.findall(folded)
        after = [word[:_KEY_LENGTH] for word in words[1:]] + ["", ""]
        begun = map(self._known.__getitem__, words)
        for candidates, second, third, place in zip(begun, after, after[1:], _WORD.finditer(folded), strict=False):
            if candidates is None:
                continue
            by_third = candidates.get(second) or candidates[""]
            entries = by_third[third] if third in by_third else by_third[""]
            if entries:
                found.extend(_longest(folded, *place.span(), entries))
        return found

    def _candidates(self, letters: str) -> _Candidates | None:
        """Return the phrases that `letters`, a word of a text, may begin; None where there are none."""
        opened = self._open.get(letters[:_KEY_LENGTH], ())
        begun = [_compiled(phrase) for key, phrase in opened if letters.startswith(key)]
        closed = [(following, _compiled(phrase)) for following, phrase in self._closed.get(letters, ())]
        if not begun and not closed:
            return None
        seen = {words for following, _ in closed for words in following}
        seconds = {""}.union(words[0] for words in seen if words)
        return {
            second: {
                third: (*(entry for following, entry in closed if _may_follow(following, second, third)), *begun)
                for third in {""}.union(words[1] for words in seen if words[1:] and words[0] == second)
            }
            for second in seconds
        }


def _may_follow(following: Iterable[_Following], second: str, third: str) -> bool:
    return any(words == (second, third)[: len(words)] for words in following)


def _longest(folded: str, start: int, word_end: int, entries: tuple[_Entry, ...]) -> Iterable[Mention]:
    """Return the longest mention of each role that starts at a word, which goes from `start` to `word_end`."""
    best: dict[str, tuple[int, Concept]] = {}
    for match_at, role, concept in entries:
        if match_at is None:
            end = word_end
        elif match := match_at(folded, start):
            end = match.end()
        else:
            continue
        if role not in best or end > best[role][0]:
            best[role] = end, concept
    if not best:
        return ()
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
