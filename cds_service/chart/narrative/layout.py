"""Finds the sections and sentences of a note.

A heading is "PROCEDURE:", "Complications - " or a known heading alone on its line; short fields may also share a line
("Side: right; Level: T4"). Sections without a known heading have the kind "other", text before any heading "none".
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

HEADING = "heading"
"""The section kind of the sentence that is a heading's own words."""

# These begin with a plain character, of a text with a line break put before it: that is what makes searching fast.
_FIELD_NAME = r"[\n.;|,][ \t*#>\-]{0,8}(?:\(?\d{1,2}[.)]\s?)?([a-z](?:[a-z0-9 /&()'#\-]|\.(?!\s)){1,58}?) {0,3}"
_FIELD_ENDS = r":(?!\d)|=|\?(?=\s)| \|\s"
_FIELD = re.compile(_FIELD_NAME.replace("([a-z]", r"(?=[a-z0-9 /&()'#.\-]{2,75}+[:=?|])([a-z]") + f"(?:{_FIELD_ENDS})")
_DASHED_FIELD = re.compile(rf"{_FIELD_NAME}(?:{_FIELD_ENDS}| -\s)")
"""The first looks ahead for the sign that ends the name, and is many times as fast; "Side - right" is rarer."""
_DASH = re.compile(r" -\s")
_LONE = re.compile(r"\n[ *#>=\-]{0,8}([a-z][a-z /&'\-]{3,40}) {0,8}(?=\n|\Z)")
_STOP = re.compile(r"[.!?;\n](?:(?<=[;\n])|[.!?]*(?=\s|$|[a-z]{4}))")
_ABBREVIATION = re.compile(
    r"(?:\b(?:dr|drs|mr|mrs|ms|vs|approx|no|st|pt|jr|sr|prof|e\.g|i\.e|etc|incl|\d ?ga|\d ?hr)|(?:\A|"
    r"\n)[\s*\-]{0,6}\d{1,2}|\b[a-z])\Z"
)
_BULLET = re.compile(r"\s*(?:[*#>\-]|\(?\d{1,2}[.)]\s|[a-z][a-z /]{1,30}:)")
_BEGINS = re.compile(r"[A-Z][a-z]{2,}(?![a-z])")
"""A word with a capital at the head of a line: names aside, what follows is not the rest of the line above."""
_UNFINISHED = re.compile(
    r"(?:\b(?:a|an|the|and|or|of|to|in|on|at|by|for|from|with|after|before|under|using|via|than|that|which|was|were|is|"
    r"are|be|no|not|per|into|over|as|dr|mr|mrs|ms|prof|her|his|their|both|right|left)|[,(/&+\-])\Z"
)
"""How a line ends that the next one must finish."""
_WRAP = 66
"""Characters of a line that are looked at to see whether it is only wrapped."""
_WIDER = 30
"""Characters by which no line of wrapped text is longer than another."""
_BLANK_LINE = re.compile(r"\n[ \r]*\n")
_FULL_STOP = re.compile(r"\.(?=\s)")
_TELLS = re.compile(
    r"\b(?:in|under|with|using|via)\b|\b(?:discuss\w*|was|were|is|are|will|has|had|performed|placed|plan\w*|consider\w*|offered)\b"
)
_LABELS = frozenset({"indication", "side", "levels", "guidance", "count", "consent", "complications", "response"})
"""Kinds of lone lines that are labels of what stands on the next."""
_SAYS = re.compile(
    r"\b(?:was|were|is|no|none|not)\b|"
    r"\b(?:consent|time[ -]?out|monitors|timeout)\b.* (?:obtained|signed|given|taken|verified|documented|completed|"
    r"done|held|performed|applied)\Z"
)
"""Words of a line that says something, and heads nothing: "Consent obtained"."""
_REASONS = frozenset({"indication", "diagnosis"})
"""Fields whose line may go on with what was done: "Indication: rib fractures. Consent obtained. Left PVB at T5"."""
_MAX_WORDS = 7
_LONGEST = 800
"""A longer "sentence" is no prose: it is cut, so that what looks at pairs within a sentence stays bounded."""


class _Heading(NamedTuple):
    """A heading: where it starts, where what it heads begins, its words, and what they mean (see `classify`)."""

    start: int
    body: int
    words: str
    kind: str
    lasting: bool
    at_line: bool


class Section(NamedTuple):
    """A heading and its body: `text[start:end]`; `heading` is the folded heading, empty before any."""

    kind: str
    heading: str
    start: int
    end: int
    line: bool = True
    """False where the heading stands within a line."""


class Sentence(NamedTuple):
    """One sentence, list item or line; `section` is the kind of section it stands in."""

    start: int
    end: int
    section: str


@dataclass(frozen=True)
class Layout:
    """The sections and sentences of a note, each in order of the text."""

    sections: tuple[Section, ...]
    sentences: tuple[Sentence, ...]
    starts: tuple[int, ...]

    def index_at(self, offset: int) -> int:
        """Return the index of the sentence that `offset` stands in (the last one that starts before it)."""
        return max(bisect_right(self.starts, offset) - 1, 0)


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(files("cds_service.chart.narrative").joinpath("lexicon", "sections.toml").read_text("utf-8"))


@cache
def _kinds() -> tuple[tuple[re.Pattern[str], str, bool], ...]:
    return tuple(
        (re.compile(entry["pattern"]), entry["kind"], entry.get("lasting", False)) for entry in _data()["section"]
    )


@cache
def _dotted() -> re.Pattern[str]:
    return re.compile(rf"\n[ *#>\-]{{0,8}}({'|'.join(_data()['dotted'])}) ?\.(?= \S)")


@cache
def _opening() -> re.Pattern[str]:
    return re.compile(rf"\n[ *#>\-]{{0,8}}(?:{'|'.join(_data()['opening'])})\b")


@cache
def _opening_within() -> re.Pattern[str]:
    return re.compile(rf"(?<=[.;] )(?:{'|'.join([*_data()['opening'], *_data()['opening_within']])})")


@lru_cache(maxsize=2048)
def classify(heading: str) -> tuple[str, bool]:
    """Return the kind of section a folded heading opens, and whether it lasts over blank lines."""
    for pattern, kind, lasting in _kinds():
        if pattern.search(heading):
            return kind, lasting
    return "other", False


@cache
def _fields() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(entry["pattern"]), entry["element"]) for entry in _data()["field"])


@lru_cache(maxsize=2048)
def field_element(heading: str) -> str | None:
    """Return the documentation element that a folded heading names by itself, whatever kind of section it opens."""
    return next((element for pattern, element in _fields() if pattern.search(heading)), None)


def lay_out(folded: str, text: str) -> Layout:
    """Return the sections and sentences of `text`, of which `folded` is the folded form."""
    wrapped = frozenset(_wrapped(folded, text))
    sections = tuple(_sections(folded, wrapped))
    sentences = tuple(_sentences(folded, sections, wrapped))
    return Layout(sections, sentences, tuple(sentence.start for sentence in sentences))


"""Start, start of the body, heading, kind, lasting, at the start of a line."""


def _headings(folded: str) -> list[_Heading]:
    """Return every heading, in order."""
    text = f"\n{folded}"
    fields = (_DASHED_FIELD if _DASH.search(folded) else _FIELD).finditer(text)
    found = [field for match in fields if (field := _field(match)) is not None]
    answered = -1  # where the line below a lone label begins: its value, even where it could head something itself
    for match in _LONE.finditer(text):
        if match.start() == answered:
            continue
        heading = match.group(1).strip()
        kind, lasting = classify(heading)
        alone = heading == folded.strip()  # the text of a code: a heading of nothing
        if kind != "other" and len(heading.split()) <= 4 and not alone and not _is_value(text, match, heading):
            found.append(_Heading(match.start(1) - 1, match.end(1) - 1, heading, kind, lasting, at_line=True))
            if kind in _LABELS:
                answered = match.end()
    found += [
        _Heading(match.start(1) - 1, match.end() - 1, match.group(1), *classify(match.group(1)), at_line=True)
        for match in _dotted().finditer(text)
    ]
    return sorted(found)


def _field(match: re.Match[str]) -> _Heading | None:
    """Return the heading of a field; within a line, or without a colon, only a known one of a few words."""
    heading, at_line = match.group(1).strip(), match.group()[0] == "\n"
    kind, lasting = classify(heading)
    if len(heading.split()) > (_MAX_WORDS if at_line else 4):
        return None
    if kind == "other" and (not at_line or match.group().rstrip()[-1] != ":" or _TELLS.search(heading)):
        return None
    return _Heading(match.start(1) - 1, match.end() - 1, heading, kind, lasting, at_line)


def _is_value(text: str, match: re.Match[str], heading: str) -> bool:
    """Return whether a lone line says something, or stands below an empty field ("Consent:", then "Signed")."""
    above = text[max(match.start(1) - 40, 0) : match.start(1)].rstrip()
    return above.endswith(":") or _SAYS.search(heading) is not None


def _sections(folded: str, wrapped: frozenset[int]) -> Iterator[Section]:
    last = _Heading(0, 0, "", "none", lasting=True, at_line=True)
    for heading in _headings(folded):
        if heading.start < last.body:
            continue
        yield from _closed(folded, wrapped, _below(last, heading.start), last.lasting)
        yield Section(HEADING, heading.words, heading.start, heading.body, heading.at_line)
        last = heading
    yield from _closed(folded, wrapped, _below(last, len(folded)), last.lasting)


def _below(heading: _Heading, end: int) -> Section:
    """Return the text that stands under a heading, up to `end`."""
    return Section(heading.kind, heading.words, heading.body, end, heading.at_line)


def _closed(folded: str, wrapped: frozenset[int], section: Section, lasting: bool) -> Iterator[Section]:
    """Yield the section up to where it ends by itself, and the text after that as a section of its own."""
    lasts = lasting and not _has_own_value(folded, section)
    end = _lasting_end(folded, section) if lasts else _own_end(folded, wrapped, section)
    yield Section(section.kind, section.heading, section.start, end, section.line)
    if end < section.end:
        yield Section("none", "", end, section.end)


def _has_own_value(folded: str, section: Section) -> bool:
    """Return whether this is a field that names an element and has its value beside it: "Pain history: for a year"."""
    if not section.heading or field_element(section.heading) is None:
        return False
    return bool(folded[section.start : section.end].partition("\n")[0].strip())


def _lasting_end(folded: str, section: Section) -> int:
    """Return where a section ends that goes on over blank lines: not beyond its paragraph where it begins within one.

    A history gives way to the procedure at a line that opens as the telling of one does.
    """
    if not section.line and (blank := _BLANK_LINE.search(folded, section.start, section.end)):
        return blank.start()
    if section.kind != "history":
        return section.end
    opening = _opening().search(folded, section.start, section.end)
    return section.end if opening is None else opening.start()


def _own_end(folded: str, wrapped: frozenset[int], section: Section) -> int:
    """Return where a field's value ends: with its line where it has one there, else at the next blank line."""
    if (
        section.kind == "findings"
        and not section.line
        and (stop := _FULL_STOP.search(folded, section.start, section.end))
    ):
        return stop.end()
    if section.kind in _REASONS and (opening := _opening_within().search(folded, section.start, section.end)):
        section = section._replace(end=opening.start())
    line_end = folded.find("\n", section.start, section.end)
    if line_end < 0:
        return section.end
    if folded[section.start : line_end].strip():
        while line_end in wrapped:
            line_end = folded.find("\n", line_end + 1, section.end)
        return section.end if line_end < 0 else line_end
    begin = line_end
    while begin < section.end and folded[begin].isspace():
        begin += 1
    blank = _BLANK_LINE.search(folded, begin, section.end)
    return section.end if blank is None else blank.start()


def _sentences(folded: str, sections: tuple[Section, ...], wrapped: frozenset[int]) -> Iterator[Sentence]:
    for section in sections:
        if section.kind == HEADING:
            yield Sentence(section.start, section.end, HEADING)
            continue
        start = section.start
        for stop in _STOP.finditer(folded, section.start, section.end):
            if not _ends(folded, stop, wrapped):
                continue
            yield from _trimmed(folded, start, stop.end(), section.kind)
            start = stop.end()
        yield from _trimmed(folded, start, section.end, section.kind)


def _ends(folded: str, stop: re.Match[str], wrapped: frozenset[int]) -> bool:
    mark = stop.group()[0]
    if mark == "\n":
        return stop.start() not in wrapped
    if mark == ".":
        return _ABBREVIATION.search(folded, max(stop.start() - 8, 0), stop.start()) is None
    return True


def _wrapped(folded: str, text: str) -> Iterator[int]:
    """Yield the newlines at which a line is only wrapped: it is long, or the next goes on in lower case."""
    start = 0
    while (newline := folded.find("\n", start)) >= 0:
        line = folded[max(start, newline - _WRAP) : newline].rstrip()
        following = folded[newline + 1 : newline + 50]
        lower = text[newline + 1 : newline + 2].islower()
        if _had_room(folded, newline, newline - start, lower):
            start = newline + 1
            continue
        least = _WRAP // 2 if lower else _WRAP - 8
        begins = _BEGINS.match(text, newline + 1) is not None and _UNFINISHED.search(line) is None
        if len(line) >= least and line[-1] not in ".:;!?" and _goes_on(following) and not begins:
            yield newline
        start = newline + 1


def _had_room(folded: str, newline: int, length: int, lower: bool) -> bool:
    """Return whether a line could have held the next line's first word: so it was ended, not wrapped.

    The next line shows how wide lines are; one that goes on in lower case is taken for wrapped unless it is far wider.
    """
    after = newline + 1
    room = _WIDER if lower else len(folded[after : after + _WIDER].partition(" ")[0]) + 1
    wanted = length + room
    return "\n" not in folded[after : after + wanted] and len(folded) >= after + wanted


def _goes_on(following: str) -> bool:
    """Return whether a line can be the rest of a sentence: not blank, no list item, no field."""
    return bool(following.strip()) and following[0] != "\n" and _BULLET.match(following) is None


def _trimmed(folded: str, start: int, end: int, kind: str) -> Iterator[Sentence]:
    words = folded[start:end]
    start, end = start + len(words) - len(words.lstrip()), start + len(words.rstrip())
    while start < end:
        yield Sentence(start, min(end, start + _LONGEST), kind)
        start += _LONGEST
