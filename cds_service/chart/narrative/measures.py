"""Reads the measures of what led to a block: scores of scales, lengths of time, results of earlier blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SCORE = re.compile(
    r"(?:[\s:=(\-,']|\b(?:of|is|was|were|at|now|today|currently|score[ds]?|scores|index|total|scale|questionnaire|t|"
    r"physical|function|functional|pf|pcs|interference|bodily|pain|disability|version|the|a|with|result|pre|baseline)\b)"
    r"{0,16}?(?<![\w*_/])(?P<score>\d{1,3}(?:[.,]\d)?)(?![\d*]|[.,]\d| ?(?:weeks?|months?|years?|days?|wks?|mg|ml)\b)"
    r"(?:\s?(?P<of>/\s?\d{2,3}|out of \d{2,3})(?!\d)|\s?(?P<percent>%|percent))?"
)
_DURATION = re.compile(
    r"(?<![\w.,/])(?P<number>\d{1,2}|[a-z]{3,8})\+?[\s\-]{0,2}(?P<unit>w(?:ee)?ks?|mo(?:nth)?s?|y(?:ea)?rs?)(?![a-z])"
)
_UNITS = {"w": "week", "m": "month", "y": "year"}
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_NUMBERS |= {"one": 1, "twelve": 12, "eleven": 11, "fourteen": 14, "sixteen": 16, "eighteen": 18, "twenty": 20}
_PERCENT = re.compile(r"\d\s?\+?(?:%|percent|per cent|pct)|percent|per cent")
_RESULT = re.compile(
    r"relie[fv]|\bbetter\b|help(?:ed|ful)|improv|benefit|\bno effect|did (?:nothing|not help)|nothing for|\bworked|"
    r"\bpos(?:itive)?\b|\bnegative\b|concordant|took away|\bgone\b|pain[\s\-]?free|lasted|successful|failed|"
    r"\beased|reduc(?:ed|tion)|without (?:any )?(?:effect|change)|no change|unchanged|"
    r"wore off|good (?:days|weeks|months)|result: ?\d"
)


def score_of(value: str) -> str | None:
    """Return the score a field of a scale holds, as "46", "46 %" or "23/50"; None where it holds none."""
    found = _SCORE.search(value)
    return None if found is None else _score(found)


def score_after(folded: str, start: int, end: int) -> tuple[str, int] | None:
    """Return the score that stands right after the name of a scale, which ends at `start`, and where it ends."""
    found = _SCORE.match(folded, start, end)
    return None if found is None else (_score(found), found.end())


def _score(match: re.Match[str]) -> str:
    number = match["score"].replace(",", ".")
    if match["of"]:
        return f"{number}/{re.sub(r'[^0-9]', '', match['of'])}"
    return f"{number} %" if match["percent"] else number


def durations(folded: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """Yield the lengths of time told in a stretch of text: where each starts and ends, and as "12 weeks"."""
    for match in _DURATION.finditer(folded, start, end):
        if (length := _length(match)) is not None:
            yield match.start(), match.end(), length


def first_duration(value: str) -> str | None:
    """Return the first length of time in the value of a field."""
    return next((length for _, _, length in durations(value, 0, len(value))), None)


def _length(match: re.Match[str]) -> str | None:
    said = match["number"]
    number = int(said) if said.isdigit() else _NUMBERS.get(said)
    return None if number is None else f"{number} {_UNITS[match['unit'][0]]}{'' if number == 1 else 's'}"


def tells_result(folded: str) -> bool:
    """Return whether words that speak of an earlier block tell what came of it."""
    return bool(_PERCENT.search(folded) or _RESULT.search(folded))
