"""Reads expressions of levels: "T4, T5 and T6", "T4-6", "Th7", "L34", "4th-6th ribs", "spaces four to eight"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

THIRD_OCCIPITAL = "TON"
_REGIONS = (("C", 8), ("T", 12), ("L", 5), ("S", 5))
_SPINE = tuple(f"{letter}{n}" for letter, count in (("C", 7), *_REGIONS[1:]) for n in range(1, count + 1))
_PLACE = {level: place for place, level in enumerate(_SPINE)}
_PLACE["C8"] = _PLACE["T1"]
_MOST = dict(_REGIONS)

CARDINALS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_IRREGULAR = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_ORDINALS = (*_IRREGULAR, "tenth", "eleventh", "twelfth")
NUMBER_WORDS = {word: n for words in (CARDINALS, _ORDINALS) for n, word in enumerate(words, 1)}

_SPOKEN = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_NUMBER = rf"(?:1[0-2]|[1-9])(?:st|nd|rd|th)?|{_SPOKEN}"
_ORDINAL = rf"(?:1[0-2]|[1-9])(?:st|nd|rd|th)|{'|'.join(sorted(_ORDINALS, key=len, reverse=True))}"
_SAID = "|".join(sorted(CARDINALS, key=len, reverse=True))
_RANGE = r"-|to|through|thru|down to|up to|until|thorough"
_LIST = r",? ?and|&|,|/|\+|or"
_ENDS = r"(?!(?!x\s?\d)[a-z0-9%]|\.\d|,\d{1,3}\s?%)"
_NOT_A_LEVEL = (
    r"(?![ \-]{0,3}(?:ml|cc|mg|mcg|ug|%|g\b|ga\b|gauge|cm|mm|inch|inj(?!ect(?:ed|ing)\b)|separate|needle|min|hour|"
    r"hr|day|times|units?\b|patient|doses?|syringe|/10)|/\d{2})"
)
"""What a bare number is followed by where it is an amount or a count, not a level."""
_NUMBERED = (
    rf"(?:(?<=t)h?[ .#\-]{{0,2}}|(?<=[cls])-?)(?P<number>1[0-2]|[1-9])(?P<tail>[1-5](?![0-9]))?{_ENDS}"
    rf"|(?:(?<=t)horacic|(?<=l)umbar|(?<=c)ervical)[\s]{{1,3}}(?:(?:spinal|vertebral|levels?|segment|nerve root|"
    rf"nerve|root|#)[\s]{{1,3}}){{0,2}}(?P<spoken>{_NUMBER}){_ENDS}{_NOT_A_LEVEL}"
    rf"|(?<=t)\s(?P<said>{_SAID})(?![a-z])"
)
_FIRST = re.compile(rf"[tcls](?<![a-z0-9'.].)(?:{_NUMBERED})")
_FIRST_OR_ORDINAL = re.compile(
    rf"[tcls](?<![a-z0-9'.].)(?:{_NUMBERED})"
    rf"|(?<![a-z0-9'.])(?P<ordinal>{_ORDINAL})[\s\-]{{1,3}}(?P<region>thoracic|lumbar|cervical)(?![a-z])"
)
"""The level an expression begins with; only a few texts have one with an ordinal, which is slow to search for."""
_COMPACT = re.compile(
    r"(?P<a>[ctl])(?=[1-9])(?<![a-z0-9'.].)(?P<x>1[0-2]|[1-9])(?P<b>[tls])?(?P<y>1[0-2]|[1-9])(?![a-z0-9])"
)
_NEXT = re.compile(
    rf"\s{{0,3}}(?:(?P<range>{_RANGE})|(?P<list>{_LIST})|(?=\s(?:th?|c|l|s)-?\d))\s{{0,3}}(?:(?:the|at|"
    rf"then|level|levels)\s{{1,3}}){{0,2}}"
    rf"(?:(?P<letter>th|t|c|l|s)[ .#\-]?)?(?P<number>1[0-2]|[1-9]|(?<=\bt )(?:{_SAID})){_ENDS}"
    rf"(?(letter)|{_NOT_A_LEVEL})"
)
_RIB_NUMBERS = (
    rf"(?P<numbers>(?:{_NUMBER})(?![a-z0-9])(?:\s{{0,3}}(?:,\s{{0,2}}and|{_RANGE}|and|&|,|/|"
    rf"\+)\s{{0,3}}(?:the\s)?(?:{_NUMBER})(?![a-z0-9])){{0,11}})"
)
_RIB = (
    r"(?:ribs?|intercostal\s{1,3}(?:nerves?|spaces?|levels?|interspaces?|blocks?)|ics)(?:\s{1,3}(?:fractures?|fxs?))?"
)
_RIB_FIRST = re.compile(
    rf"(?<![a-z])(?:{_RIB}|spaces|interspaces)\s{{0,3}}(?:#|number|numbers|at|levels?|"
    rf":)?\s{{0,3}}{_RIB_NUMBERS}(?![.]\d|\s?(?:ml|cc|mg|%))"
)
_RIB_LAST = re.compile(
    rf"(?<![a-z0-9.\-/]){_RIB_NUMBERS}\s{{1,3}}(?:(?:right|left|bilateral|posterior|lateral|"
    rf"anterior)\s)?{_RIB}(?![a-z])"
)
_COUNTED_RIBS = re.compile(rf"(?:1[0-2]|[2-9]|{_SAID})\s{{1,3}}ribs")
"""A number of ribs, "each of the four ribs"; the fourth is "the fourth rib" or "rib 4"."""
_JOIN = rf"\s{{0,3}}(?:,\s{{0,2}}and|{_RANGE}|and|&|,|/|\+)\s{{0,3}}(?:the\s)?"
_ORDINAL_SPACES = re.compile(
    rf"(?<![a-z0-9.\-/])(?P<numbers>(?:{_ORDINAL})(?:{_JOIN}(?:{_ORDINAL})){{0,11}})\s{{1,3}}(?:inter\s?)?spaces?(?![a-z])"
)
_ORDINAL_LEVELS = re.compile(
    rf"(?<![a-z0-9.\-/])(?P<numbers>(?:{_ORDINAL})(?:{_JOIN}(?:{_ORDINAL})){{1,11}})\s{{1,3}}"
    r"(?P<region>thoracic|lumbar|cervical)(?![a-z])"
)
_ORDINAL_END = re.compile(r"(?:st|nd|rd|th)[\s\-]{1,3}\Z")
_RIB_PART = re.compile(rf"(?P<sep>{_RANGE})?(?:\s|,|and|&|/|\+|the)*(?P<number>{_NUMBER})(?![a-z0-9])")
_SPACE_AFTER = re.compile(
    r"\s{0,3}(?:thoracic\s)?(?:inter\s?-?space|intervertebral|interlaminar|paravertebral\s(?:space|"
    r"interspace)|space|joint|facet|foramen|interval|disc|disk|level(?![s(]))"
)
_SPACES_AFTER = re.compile(r"\s{0,3}(?:\w{1,14}\s){0,2}(?:interspaces|spaces|joints|foramina)\b")
_SPACE_BEFORE = re.compile(r"(?:space|level)\s{1,3}(?:(?:of|at|right|left)\s{1,3}){0,2}\Z")
"""Singular words that make "T4-5" one place: "at the level of T4-5"."""
_JOINED_BY_WORD = re.compile(r"[\s,]*(?:and|&)\s*(?:the\s)?")
_ONE_SPACE = re.compile(r"\s(?:thoracic\s|paravertebral\s)?inter\s?-?(?:vertebral\s)?space(?!s)")
_BETWEEN = re.compile(r"between\s{1,3}(?:the\s)?(?:levels?\s(?:of\s)?)?\Z")


class Form(StrEnum):
    """How the words name levels."""

    LEVEL = "level"
    PAIR = "pair"
    """Two neighbors that may be one interspace or two levels: "T4-5"."""
    INTERSPACE = "interspace"
    RANGE = "range"
    """More than two levels by their ends: "T4-T6"."""


@dataclass(frozen=True, slots=True)
class Levels:
    """One part of a level expression: `levels` in order ("T4" or "rib 5"), and the words."""

    form: Form
    levels: tuple[str, ...]
    start: int
    end: int

    @property
    def name(self) -> str:
        """The canonical name of a single site of this form: "T4", "T4-T5"."""
        return self.levels[0] if self.form is Form.LEVEL else f"{self.levels[0]}-{self.levels[-1]}"


def region_of(level: str) -> str | None:
    """Return "cervical", "thoracic", "lumbar" or "sacral" for a canonical level, "thoracic" for a rib.

    The third occipital nerve ("TON") runs over the joint C2-C3.
    """
    if level == THIRD_OCCIPITAL:
        return "cervical"
    regions = {"C": "cervical", "T": "thoracic", "L": "lumbar", "S": "sacral", "r": "thoracic"}
    return regions.get(level[:1])


def find_levels(folded: str) -> list[Levels]:
    """Return every level expression in folded text, in order, split into its parts."""
    found: list[Levels] = []
    position = 0
    ordinal = any(_has_ordinal_before(folded, region) for region in ("thoracic", "lumbar", "cervical"))
    first = _FIRST_OR_ORDINAL if ordinal else _FIRST
    while match := first.search(folded, position):
        parts = list(_expression(folded, match))
        found.extend(parts)
        position = parts[-1].end if parts else match.start() + 1
    found.extend(_compact(folded))
    if ordinal:
        found.extend(_ordinals(folded))
    if "rib" in folded or "intercostal" in folded or "spaces" in folded:
        found.extend(_ribs(folded, _RIB_LAST, _RIB_FIRST))
    if _has_ordinal_before(folded, "space") or _has_ordinal_before(folded, "interspace"):
        found.extend(_ribs(folded, _ORDINAL_SPACES))
    return _disjoint(found)


def _has_ordinal_before(folded: str, word: str) -> bool:
    """Return whether an ordinal may stand before `word`: a glance that spares most notes a slow search."""
    at = folded.find(word)
    while at >= 0:
        if _ORDINAL_END.search(folded, max(at - 5, 0), at):
            return True
        at = folded.find(word, at + 1)
    return False


def _disjoint(found: list[Levels]) -> list[Levels]:
    """Return the parts in order, without those that overlap one that starts earlier."""
    kept: list[Levels] = []
    for part in sorted(found, key=lambda part: (part.start, -part.end)):
        if not kept or part.start >= kept[-1].end:
            kept.append(part)
    return kept


def _number(words: str) -> int:
    return NUMBER_WORDS.get(words) or int(re.sub(r"\D", "", words))


def _level(letter: str, number: int) -> str | None:
    letter = letter[0].upper()
    return f"{letter}{number}" if 1 <= number <= _MOST[letter] else None


def _expression(folded: str, first: re.Match[str]) -> Iterator[Levels]:
    """Yield the parts of the expression that begins with `first`: each a level, or a range of two ends."""
    if first["tail"]:
        return
    groups = first.groupdict()
    number = groups["number"] or groups["spoken"] or groups["said"] or groups.get("ordinal", "")
    level = _level(groups.get("region") or folded[first.start()], _number(number))
    if level is None:
        return
    pending, start, end = level, first.start(), first.end()
    members: list[Levels] = []
    while step := _NEXT.match(folded, end):
        following = _level(step["letter"] or pending[0], _number(step["number"]))
        if following is None or not _plausible(step, pending, following, start < 0):
            break
        if step["range"]:
            if start < 0:
                chain = members.pop()
                start, pending = chain.start, chain.levels[0]
            members.append(_range(folded, pending, following, start, step.end()))
            pending, start, end = following, -1, step.end()
            continue
        if start >= 0:
            members.append(Levels(Form.LEVEL, (pending,), start, end))
        pending, end = following, step.end()
        start = step.start("letter") if step["letter"] else step.start("number")
    if start >= 0:
        members.append(Levels(Form.LEVEL, (pending,), start, end))
    members = _from_pair_to_pair(folded, members)
    yield from _as_spaces(folded, list(_with_pairs(folded, members)))


def _from_pair_to_pair(folded: str, members: list[Levels]) -> list[Levels]:
    """Return "L2/3 to L4/5" as one range, as "L2-3 to L4-5" is."""
    if [member.form is Form.LEVEL for member in members] != [True, False, True]:
        return members
    first, middle, last = members
    slashes = {folded[one.end : other.start].strip() for one, other in pairwise(members)}
    if slashes != {"/"} or _PLACE[middle.levels[0]] - _PLACE[first.levels[0]] != 1:
        return members
    return [_range(folded, first.levels[0], last.levels[0], first.start, last.end)]


def _plausible(step: re.Match[str], before: str, after: str, ranged: bool) -> bool:
    """A bare number goes on with a list only upward: "T4, 3 needles" names one level, "T4-5, 5-6" two pairs."""
    upward = _PLACE[after] - _PLACE[before]
    return upward > 0 or (upward == 0 and ranged) or (upward < 0 and bool(step["letter"]))


def _with_pairs(folded: str, members: list[Levels]) -> Iterator[Levels]:
    """Yield "T4/5" and "between T4 and T5" as one pair; "T4/5/6" and other lists as they are.

    "T4 and T5 interspace" is a pair too: one interspace, or two levels in loose words.
    """
    if len(members) == 2 and _ONE_SPACE.match(folded, members[-1].end):
        yield from _paired(folded, members, between=False)
        return
    between = bool(members) and _BETWEEN.search(folded, max(members[0].start - 30, 0), members[0].start) is not None
    run: list[Levels] = []
    for member in members:
        if run and not between and folded[run[-1].end : member.start].strip() != "/":
            yield from _paired(folded, run, between)
            run = []
        run.append(member)
    yield from _paired(folded, run, between)


def _paired(folded: str, run: list[Levels], between: bool) -> Iterator[Levels]:
    if len(run) != 2 or any(member.form is not Form.LEVEL for member in run):
        yield from run
        return
    (low,), (high,) = run[0].levels, run[1].levels
    if abs(_PLACE[low] - _PLACE[high]) != 1:
        yield from run
        return
    pair = _range(folded, low, high, run[0].start, run[1].end)
    loose = not between and _JOINED_BY_WORD.fullmatch(folded, run[0].end, run[1].start) is not None
    yield replace(pair, form=Form.INTERSPACE if between else Form.PAIR) if between or loose else pair


def _as_spaces(folded: str, members: list[Levels]) -> list[Levels]:
    """Return the pairs before a plural ("T3-4 and T5-6 interspaces") each as one space."""
    if len(members) < 2 or not _SPACES_AFTER.match(folded, members[-1].end):
        return members
    return [replace(each, form=Form.INTERSPACE) if each.form is Form.PAIR else each for each in members]


def _range(folded: str, one: str, other: str, start: int, end: int) -> Levels:
    low, high = sorted((_PLACE[one], _PLACE[other]))
    if high - low > 1:
        return Levels(Form.RANGE, _SPINE[low : high + 1], start, end)
    form = Form.INTERSPACE if _is_space(folded, start, end) else Form.PAIR
    return Levels(form, (_SPINE[low], _SPINE[high]), start, end)


def _is_space(folded: str, start: int, end: int) -> bool:
    """Return whether singular words make a pair one space; plural ones make it two, or one of several."""
    if _SPACES_AFTER.match(folded, end):
        return False
    return bool(_SPACE_AFTER.match(folded, end) or _SPACE_BEFORE.search(folded, max(start - 30, 0), start))


def _compact(folded: str) -> Iterator[Levels]:
    """Yield "L34" and "L5S1" as the joint they stand for."""
    for match in _COMPACT.finditer(folded):
        low = _level(match["a"], int(match["x"]))
        high = _level(match["b"] or match["a"], int(match["y"]))
        if low and high and _PLACE[high] - _PLACE[low] == 1:
            yield Levels(Form.INTERSPACE, (low, high), match.start(), match.end())


def _ribs(folded: str, *patterns: re.Pattern[str]) -> Iterator[Levels]:
    for pattern in patterns:
        for match in pattern.finditer(folded):
            if _COUNTED_RIBS.fullmatch(match[0]):
                continue
            yield from _numbered("rib ", match["numbers"], match.start("numbers"))


def _ordinals(folded: str) -> Iterator[Levels]:
    """Yield "third, fourth and fifth thoracic" as the levels they number."""
    for match in _ORDINAL_LEVELS.finditer(folded):
        parts = list(_numbered(match["region"][0].upper(), match["numbers"], match.start("numbers")))
        if all(level in _PLACE for part in parts for level in part.levels):
            yield from parts


def _numbered(prefix: str, words: str, offset: int) -> Iterator[Levels]:
    """Yield the levels of a list of numbers ("4th, 5th and 7th to 9th"), each with `prefix` before its number."""
    pending: tuple[int, int, int] | None = None
    for part in _RIB_PART.finditer(words):
        number, start, end = _number(part["number"]), offset + part.start("number"), offset + part.end()
        if pending and part["sep"] and number > pending[0]:
            levels = tuple(f"{prefix}{n}" for n in range(pending[0], number + 1))
            yield Levels(Form.RANGE, levels, pending[1], end)
            pending = None
            continue
        if pending:
            yield Levels(Form.LEVEL, (f"{prefix}{pending[0]}",), pending[1], pending[2])
        pending = (number, start, end)
    if pending:
        yield Levels(Form.LEVEL, (f"{prefix}{pending[0]}",), pending[1], pending[2])
