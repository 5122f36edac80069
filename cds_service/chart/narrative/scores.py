"""Reads pain scores, and whether they were before or after the block."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.chart.narrative.document import Document
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.reading import Span, StatementReading
from cds_service.chart.narrative.searching import one_of

_DIGITS = {"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7"}
_DIGITS |= {"eight": "8", "nine": "9", "ten": "10", "nil": "0"}
_GRADE = rf"10|[0-9]|{'|'.join(_DIGITS)}"
_TEN = r"(?:\s?/\s?10|\s(?:out )?of (?:10|ten))"
_NO_UNIT = (
    r"(?![0-9a-z]|\.[0-9]|\s?/\s?(?!10)\d|\s?-\s?\d|"
    r"\s?(?:ml|mls|cc|mg|%|cm|g|ga|gauge|years?|months?|weeks?|days?|yrs?|hours?)\b)"
)
_ARROW = r"(?:to|->|-->|=>|>|down to|→|then|now|and now|, ?is|, ?now|after,?)"
_SCORE = re.compile(
    r"\b(?:pain|vas|nrs|vps|nprs)(?:\s(?:score|level|scale|rating|intensity)d?)?s?\s{0,2}(?:\([^)]{0,12}\)\s?)?"
    r"(?:(?:was|is|of|at|=|:|-|rated|reported|reports|now|still|remains|only|a|score|decreased|dropped|reduced|improved|went|"
    r"fell|came|down|from|to|as|level|before|after|pre-block|post-block|afterwards)?[\s:=]{1,3}){0,5}?\s{0,2}"
    rf"(?P<first>{_GRADE}){_TEN}?{_NO_UNIT}(?:\s{{0,2}}{_ARROW}\s{{0,2}}(?P<second>{_GRADE}){_TEN}?{_NO_UNIT})?"
)
_OUT_OF_TEN = re.compile(
    rf"(?<![0-9/.*_a-z\-])(?:[0-9]\s?-\s?)?(?P<first>{_GRADE}){_TEN}"
    rf"(?![0-9/]| (?:better|improve|relie[fv]|gone|resolved))"
    rf"(?:\s{{0,2}}{_ARROW}\s{{0,2}}(?P<second>{_GRADE}){_TEN}?{_NO_UNIT})?"
)
_EVENT = (
    r"(?:\w+ ){0,3}(?:surg|operat|thorac|vats|\w*ectom|\w*otom|\w*plasty|\w*scop|repair|fall|mvc|mva|"
    r"accident|extub|injur|trauma|crash|resect|fract|birth|section)"
)
_AFTER_AN_EVENT = re.compile(rf"\b(?:after|following) {_EVENT}")
_AFTER = re.compile(
    one_of(
        rf"\bafter(?:wards?)?\b(?! {_EVENT})",
        rf"\bfollowing\b(?! {_EVENT})",
        r"\bpost(?!op|-op|erior|hor|mast|\sop|\sthor|-thor|-mast)",
        r"minutes? (?:later|on\b|post)",
        r"\bmins? (?:later|post|on\b)",
        r"\bat \d{1,2} ?min",
        *(rf"\b{digit}\d? ?min\w*:" for digit in "0123456789"),
        r"\blater\b",
        r"\brepeat ",
        r"\breassess",
        *(rf"{verb} to" for verb in ("reduced", "decreased", "improved", "dropped")),
        r"down to (?=\d)",
        r"\bin pacu\b",
        r"\bin recovery\b",
        r"went from",
        r"still",
    )
)
_BEFORE = re.compile(
    one_of(
        r"\bbefore\b",
        r"\bpre(?:-|\s)?(?:block|procedure|injection|op)",
        r"\bprior\b",
        r"baseline",
        r"initial",
        r"presents",
        r"presented",
        r"\bpre\b",
        r"complain",
        r"on admission",
        r"despite",
        r"uncontrolled",
        r"called to",
        r"\bindication\b",
    )
)
_LONG_AGO = re.compile(
    r"\blast (?:week|month|year|visit|time)|\byesterday\b|\b(?:days?|weeks?|months?) (?:ago|earlier|after)\b"
)
_BLOCK_WORD = r"(?:[\s\-]?(?:block|procedure|injection|inj|op|procedural))?"
_PAIR = re.compile(
    rf"(?<![a-z])\(?(?:pre|before){_BLOCK_WORD}(?: rest| at rest)?\)?[\s:=]{{1,3}}(?P<first>{_GRADE}){_TEN}?{_NO_UNIT}"
    rf"(?:[\s,;/|]{{1,4}}|[^.;0-9]{{1,25}}[0-9]{{1,2}}[\s,;/|]{{1,3}})(?:and )?"
    rf"\(?(?:post|after){_BLOCK_WORD}(?: rest| at rest)?\)?[\s:=]{{1,3}}(?P<second>{_GRADE}){_TEN}?{_NO_UNIT}"
)
"""Both with their mark before them: "pre 7, post 1", "NPRS (pre) 8 / (post) 2", "pre rest 4 mvmt 8, post rest 0"."""
_PRE_POST = re.compile(
    rf"\bpre\s?/\s?post[a-z \-]{{0,12}}[\s:=\-]{{1,3}}(?P<first>{_GRADE}){_TEN}?\s?(?:/|,|;|->|→|to|and)\s?"
    rf"(?P<second>{_GRADE}){_TEN}?{_NO_UNIT}"
)
_FALL = re.compile(
    rf"(?<![\w./\-])(?P<first>{_GRADE})\s?(?:-{{1,2}}>|=>|→)\s?(?P<second>{_GRADE}) "
    r"(?:by|at|after|in|within) \d{1,2} ?min"
)
_FROM_TO = re.compile(
    rf"\bfrom (?:an? )?(?P<first>{_GRADE}){_TEN}?(?: [a-z][^.;]{{0,40}}?)? "
    rf"(?:down )?to (?:an? )?(?P<second>{_GRADE}){_TEN}?{_NO_UNIT}"
)
"""Also with what each holds for: "from a 7 at rest and 9 walking to a 0 at rest"."""
_NOW_WAS = re.compile(
    rf"(?<![\w./\-])(?P<second>{_GRADE}){_TEN}?,?\s\(?(?:was|down from|previously|where it (?:was|had been)|"
    rf"had been|versus|vs\.?|"
    rf"compared (?:to|with)|instead of|from) (?:an? )?(?P<first>{_GRADE}){_TEN}?{_NO_UNIT}"
)
"""The later one told first: "pain 3 (was 8)", "2 down from 7"."""
_NOW_BEFORE = re.compile(
    rf"(?<![\w./\-])(?P<second>{_GRADE}){_TEN}?,?\s\((?P<first>{_GRADE}){_TEN}? "
    r"(?:before(?:hand)?|pre|prior|previously|initially|on arrival|at baseline)\b"
)
"""The later one told first, the earlier one in parentheses: "pain 2/10 (6/10 before)"."""
_DROP = re.compile(rf"(?<![\w./\-])(?P<first>{_GRADE}){_TEN}? to (?P<second>{_GRADE}){_TEN}?(?=\s?[.,;)]|\Z)")
_BEFORE_THEN = re.compile(
    rf"\b(?P<first>{_GRADE}){_TEN}? (?:before(?:hand)?|pre|prior|going in|on arrival|at baseline)\b[^.;\d]{{0,25}}?"
    rf"\b(?P<second>{_GRADE}){_TEN}? "
    r"(?:after|post|later|now|(?:at|on|before|upon) (?:discharge|leaving)|"
    r"[^.;,\d]{0,15}(?:an hour|minutes?|hours?) (?:later|after|on\b|post)|"
    r"@ ?\d{1,2} ?min|(?:at|after|by|in|within) \d{1,2} ?(?:min|h)|(?:at|by|@) ?(?:[01]?\d|2[0-3]):?[0-5]\d\b)"
)
_SERIES = re.compile(
    rf"(?<![\w])(?:(?P<before>pre|before|baseline|prior|initial(?:ly)?|on arrival)|post|after(?:wards?)?|now|then|"
    rf"(?:at )?\d{{1,2}} ?(?:min|h|hr|hrs|hours?|minutes?))\s?[:=]?\s(?P<first>{_GRADE}){_TEN}?(?=\s?[,;.)]|\Z| and )"
)
"""A score right after its mark: "baseline 7, 15 min 2, 1 h 1"."""
_MILLIMETERS = re.compile(r"\b(?:vas|pain)\b[a-z\s:=]{0,20}?(?<![\d.])(?P<first>100|\d{1,2})(?P<unit> ?mm)\b")
_MARKED = re.compile(rf"\b(?P<first>{_GRADE}){_TEN}? \(?(?=before|after|post\b|pre\b|going in|on leaving|at baseline)")
_DOING = re.compile(
    rf"\b(?:at rest|sitting|standing|walking|lying|bending|moving|movement|mvmt)[:=]?\s"
    rf"(?P<first>{_GRADE})(?=\s?[,;.)]|\Z)"
)
"""What the patient was doing: "after the block: sitting 1, walking 2"."""
_ROW = re.compile(
    rf"\A(?P<when>pre|before|baseline|post|after)[a-z \-]{{0,20}}[\s:|]{{1,12}}"
    rf"(?P<first>{_GRADE})(?:{_TEN}|[\s|/]{{1,12}}(?:{_GRADE}))?\W{{0,4}}\Z"
)
"""A row of a table of scores: what it is a table of stands above it."""
_ROWS_ABOVE = 4
_OTHER_SCORE = re.compile(r"aldrete|apgar|sedation|pasero|strength|power|effort|asa ")
_DIGIT = re.compile(r"[0-9]")
_LIKE_A_SCORE = re.compile(
    one_of(
        *(rf" \d(?<={doing} \d)" for doing in ("rest", "ing", "mvmt")),
        *(r" 10(?<=of 10)", r" ten(?<=of ten)"),
        *(rf" before\b(?<=\b{grade} before)" for grade in ("10", "[0-9]", *_DIGITS)),
        *("pain", r"\bpre\b", r"/\s?10", "scale", "score", "nrs", "nprs", "number", "vas", "vps", r"> ?\d", r"→ ?\d"),
    )
)
"""What every sentence with a pain score has: it names a scale, or has a number where one of a scale may stand."""
_ABOUT = re.compile(
    one_of(
        *(
            rf"\b{word}\b"
            for word in ("policy", r"criteri\w+", "must", "payer", "expected", "goal", "target", "at least")
        ),
        *(rf"\b{words}\b" for words in ("rate your", "your pain")),
        *(rf"{digit} or (?:more|greater|higher|above)" for digit in "0123456789"),
    )
)
_FIELD_OF_SCORES = re.compile(
    r"(?:pain |numeric )?(?:pain|vas|nrs|vps|nprs|scores?|scale)"
    r"(?: (?:pre|before) ?(?:/|and) ?(?:post|after))?[\s:]{0,3}"
)
_SCALE = re.compile(r"pain|vas|nrs|vps|nprs|numeric|score")


_PATTERNS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (_PAIR, ("pre", "before")),
    (_PRE_POST, ("pre",)),
    (_FALL, (">", "→")),
    (_FROM_TO, ("from",)),
    (_NOW_BEFORE, ("before", "pre", "prior", "initially", "on arrival", "at baseline")),
    (_BEFORE_THEN, ("before", "pre", "prior", "going in", "on arrival", "at baseline")),
    (_NOW_WAS, ("was", "from", "previously", "had been", "versus", "vs", "compared", "instead")),
    (_DROP, (" to ",)),
    (_MILLIMETERS, ("mm",)),
    (_SCORE, ("pain", "vas", "nrs", "vps", "nprs")),
    (_OUT_OF_TEN, ("10", "ten")),
    (_SERIES, ("pre", "before", "baseline", "prior", "initial", "arrival", "post", "after", "now", "then", "min", "h")),
    (_MARKED, ("before", "after", "post", "pre", "going in", "on leaving", "at baseline")),
    (_DOING, ("rest", "ing", "mvmt", "movement")),
)
"""How scores are told, the surest first, and what must stand in a sentence for a pattern to be worth a search."""


def of_scores(document: Document) -> Iterator[StatementReading]:
    """Yield the pain scores before and after the block; one after it, or a fall, is also the response to it."""
    spelled = [number for number in _DIGITS if number in document.folded]
    for index, sentence in enumerate(document.layout.sentences):
        words = document.folded[sentence.start : sentence.end]
        if _DIGIT.search(words) is None and not any(map(words.__contains__, spelled)):
            continue
        if sentence.section in {HEADING, "pain-before", "pain-after"}:
            continue
        if row := _ROW.match(words):
            yield from _row(document, index, row)
            continue
        start = _with_its_scale(document, index)
        words = document.folded[start : sentence.end]
        if _LIKE_A_SCORE.search(words) and not _ABOUT.search(words):
            yield from _scores(document, start, words)


def _with_its_scale(document: Document, index: int) -> int:
    """Return where the words of a score begin: with the name of its field where that is a scale, "VAS: 8 to 2"."""
    above = document.sentence(index - 1) if index else None
    if above is None or above.section != HEADING:
        return document.sentence(index).start
    named = _FIELD_OF_SCORES.fullmatch(document.folded, above.start, above.end)
    return above.start if named else document.sentence(index).start


def _row(document: Document, index: int, row: re.Match[str]) -> Iterator[StatementReading]:
    """Yield the score of a row of a table, where one of the lines above says that it is one of scores."""
    start = document.sentence(max(index - _ROWS_ABOVE, 0)).start
    sentence = document.sentence(index)
    if not _SCALE.search(document.folded, start, sentence.end):
        return
    before = row["when"] in {"pre", "before", "baseline"}
    yield _score("pain-score-before" if before else "pain-score-after", row, "first", sentence.start)
    if not before:
        yield StatementReading("response", True, Span(sentence.start, sentence.end))


def _scores(document: Document, base: int, words: str) -> Iterator[StatementReading]:
    taken: list[tuple[int, int]] = []
    for pattern, needs in _PATTERNS:
        if not any(map(words.__contains__, needs)):
            continue
        for match in pattern.finditer(words):
            at = match.start("first")
            if any(start <= at < end for start, end in taken) or _OTHER_SCORE.search(
                words, max(match.start() - 20, 0), match.start()
            ):
                continue
            taken.append(match.span())
            if "second" in pattern.groupindex and match["second"] is not None:
                if _LONG_AGO.search(words) or not _is_change(match):
                    continue
                yield _score("pain-score-before", match, "first", base)
                yield _score("pain-score-after", match, "second", base)
                yield StatementReading("response", True, Span(base + match.start("first"), base + match.end()))
            elif (element := _when(document, words, base, match)) is not None:
                yield _score(element, match, "first", base)
                if element == "pain-score-after":
                    yield StatementReading("response", True, Span(base + match.start(), base + match.end()))


def _is_change(match: re.Match[str]) -> bool:
    """Return whether two numbers are two scores: "0 to 10" is a scale, and "6 to 8" with no "from" a range."""
    first, second = (int(_DIGITS.get(match[name], match[name])) for name in ("first", "second"))
    between = match.string[match.end("first") : match.start("second")] if first < second else ""
    is_range = between.strip() == "to" and "from" not in match.group()
    return not is_range and (first, second) not in {(0, 10), (1, 10)}


def _score(element: str, match: re.Match[str], group: str, base: int) -> StatementReading:
    value = f"{match[group]} mm" if match.re is _MILLIMETERS else _DIGITS.get(match[group], match[group])
    return StatementReading(element, True, Span(base + match.start(group), base + match.end(group)), value)


def _when(document: Document, words: str, base: int, match: re.Match[str]) -> str | None:
    """Return whether a score was before or after the block: by the nearest word that says so, or by its place."""
    if match.re is _SERIES:
        return "pain-score-before" if match["before"] else "pain-score-after"
    low = max(base + match.start() - 45, _context(document, base))
    near = document.folded[low : min(base + match.end() + 40, base + len(words))]
    at = base + match.start() - low
    marks = [(abs(found.start() - at), element) for pattern, element in _WHEN for found in pattern.finditer(near)]
    if _LONG_AGO.search(near):
        return None
    if marks:
        return min(marks)[1]
    if _AFTER_AN_EVENT.search(near):
        return None
    injected = min((mention.start for _, mention in document.all("injection", "drug")), default=None)
    if injected is None:
        return None
    return "pain-score-before" if base + match.start() < injected else "pain-score-after"


def _context(document: Document, start: int) -> int:
    """Return where the words begin that a sentence is read with: those of its field's name too ("Post: VAS 2")."""
    index = document.layout.index_at(start)
    above = document.sentence(index - 1) if index else None
    return above.start if above is not None and above.section == HEADING else start


_WHEN = ((_AFTER, "pain-score-after"), (_BEFORE, "pain-score-before"))
