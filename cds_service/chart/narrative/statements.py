"""Reads what a note says about each documentation element."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cds_service.chart.narrative.amounts import agents, amounts
from cds_service.chart.narrative.assertion import Assertion, assess, negation
from cds_service.chart.narrative.document import Document, span_of
from cds_service.chart.narrative.layout import HEADING, Section
from cds_service.chart.narrative.lexicon import Concept, Mention
from cds_service.chart.narrative.reading import BlockReading, Span, StatementReading, Status
from cds_service.chart.narrative.sites import Place

_FIELDS = {
    "indication": "indication",
    "diagnosis": "diagnosis",
    "purpose": "purpose",
    "consent": "consent",
    "time-out": "time-out",
    "requester": "requesting-provider",
    "provider": "performing-provider",
    "monitoring": "monitoring",
    "asepsis": "asepsis",
    "position": "position",
    "needle": "needle",
    "aspiration": "aspiration",
    "contrast": "contrast",
    "complications": "complications",
    "response": "response",
    "plan": "post-procedure-plan",
    "pain-before": "pain-score-before",
    "pain-after": "pain-score-after",
}
_BLANK = re.compile(
    r"[\s*_.\-\[\](){}#?:,/☐□]*(?:n/?a|tbd|pending|unknown|not (?:documented|recorded|stated|specified|entered|"
    r"applicable|assessed|done|given)|see (?:above|note|chart|below|record|attached|emr|mar|anes\w* record)|none "
    r"(?:recorded|documented|entered)|to be (?:determined|completed|entered|obtained)|(?:select|choose|enter|insert|pick)\b.*"
    r"|\[?(?:blank|\w+ here)\]?|x{3,})?[\s*_.\-\[\](){}#?:,/]*\Z"
)
_BOX = re.compile(r"(?:[\[(](?P<mark>[ _x*✓]{0,3})[\])]|(?P<sign>[☐☑☒✓✔□■])) {0,2}")
_EMPTY_BOX = frozenset("☐□")
_NO = re.compile(
    r"[\s*\-]*(?:no\b(?!\s?\.?\s?\d)|not\b|none\b|unable|declined|refused|unobtainable|deferred|waived(?!.*emergen)|unsigned|nil\b|n\b)"
)
_NOT_DONE = re.compile(r"[\s*\-]*not\b")
"""An aspiration is documented by any result, "no blood" or "none" among them, and only denied as an act."""
_CALM = re.compile(
    r"[\s*\-]*(?:none|no\b|nil|0\b|zero|denied|denies|without|negative|neg\b|absent|n\b|uneventful|there were no)"
)
_DIGITS = {"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7"}
_DIGITS |= {"eight": "8", "nine": "9", "ten": "10", "nil": "0"}
_GRADE = rf"10|[0-9]|{'|'.join(_DIGITS)}"
_TEN = r"(?:\s?/\s?10|\s(?:out )?of (?:10|ten))"
_NO_UNIT = r"(?![0-9a-z]|\.[0-9]|\s?/\s?(?!10)\d|\s?-\s?\d|\s?(?:ml|mls|cc|mg|%|cm|g|ga|gauge|years?|months?|weeks?|days?|yrs?|hours?)\b)"
_ARROW = r"(?:to|->|-->|=>|>|down to|→|then|now|and now)"
_SCORE = re.compile(
    r"\b(?:pain|vas|nrs|vps|nprs)(?:\s(?:score|level|scale|rating|intensity)d?)?s?\s{0,2}(?:\([^)]{0,12}\)\s?)?"
    r"(?:(?:was|is|of|at|=|:|-|rated|reported|reports|now|still|remains|only|score|decreased|dropped|reduced|improved|went|"
    r"fell|came|down|from|to|as|level|before|after|pre-block|post-block|afterwards)?[\s:=]{1,3}){0,5}?\s{0,2}"
    rf"(?P<first>{_GRADE}){_TEN}?{_NO_UNIT}(?:\s{{0,2}}{_ARROW}\s{{0,2}}(?P<second>{_GRADE}){_TEN}?{_NO_UNIT})?"
)
_FIELD_SCORE = re.compile(r"(?<![*_/\d.])(?:10|[0-9])(?![\d.])")
_OUT_OF_TEN = re.compile(
    rf"(?<![0-9/.*_a-z])(?P<first>{_GRADE}){_TEN}(?![0-9/])(?:\s{{0,2}}{_ARROW}\s{{0,2}}(?P<second>{_GRADE}){_TEN}?{_NO_UNIT})?"
)
_EVENT = (
    r"(?! (?:\w+ ){0,3}(?:surg|operat|thorac|vats|\w*ectom|\w*otom|\w*plasty|\w*scop|repair|fall|mvc|mva|accident|extub|"
    r"injur|trauma|crash|resect|fract|birth|section))"
)
_AFTER = re.compile(
    rf"\bafter(?:wards?)?\b{_EVENT}|\bpost(?!op|-op|erior|hor|mast|\sop|\sthor|-thor|-mast)|\bfollowing\b{_EVENT}|"
    r"minutes? (?:later|on\b|post)|\bmins? (?:later|post|on\b)|\bat \d{1,2} ?min|\b\d{1,2} ?min\w*:|\blater\b|\bh later|"
    r"reduced to|decreased to|improved to|down to|dropped to|\bin pacu\b|\bin recovery\b|went from|still"
)
_BEFORE = re.compile(
    r"\bbefore\b|\bpre(?:-|\s)?(?:block|procedure|injection|op)|\bprior\b|baseline|initial|presents|"
    r"presented|\bpre\b|complain|current|rates|on admission|despite|uncontrolled|called to|\bindication\b"
)
_RELIEF = re.compile(
    r"\d(?<![0-9.]\d)\d{0,2}\s?(?:%|percent)\s(?:\w+\s){0,3}(?:relief|reduction|improvement|decrease|better|improved|reduced)"
)
_GAUGE = re.compile(r"\d(?<![0-9a-z.]\d)\d\s?-?\s?(?:g|ga|gauge)(?![a-z0-9])")
_ICD = re.compile(r"[a-tv-z](?<![a-z0-9].)\d[0-9a-z]\.[0-9a-z]{1,4}(?![a-z0-9])")
_LASTING = re.compile(
    r"(?:pain|crps|neuralgia|radiculopathy|sciatica|syndrome)\b(?!\s\w*\s?(?:relief|free))[^.;\n]{0,40}?[\s(](?<!in )"
    rf"(?:\d{{1,2}}|several|many|few|{'|'.join(_DIGITS)})[\s\-]?(?:weeks?|wks?|months?|mos?|years?|yrs?)\b(?! follow)"
)
_ANY = "any"
_LONGEST_BLANK = 80
_AMOUNT_CONCEPT = Concept("drug", "amount")
_GENERIC_BLOCK = re.compile(
    r"(?:nerve|regional|plane|analgesic|branch|branches|diagnostic|ganglion|joint|facet) (?:block|inject)|regional anesthesia|"
    r"\bblock (?:was|placed|note|performed|procedure|done)|\b(?:the|this) block\b|medial branch|ganglion"
)
_BLOCK_WORD = re.compile(r"paravertebral|\bpvbs?\b|\besp\b|\bblocks?\b|transforaminal|intercostal|medial branch")


def statements(
    document: Document, blocks: Iterable[tuple[BlockReading, Place]], *, full: bool
) -> Iterator[StatementReading]:
    """Yield what the note says about each documentation element; with `full` unset, only what its blocks say."""
    done = [(block, place) for block, place in blocks if block.status is Status.PERFORMED]
    for block, place in done:
        yield from _of_block(block, place)
    if not full:
        return
    if not any(block.guidance for block, _ in done):
        yield from _unguided(document)
    yield from _of_fields(document)
    yield from _of_phrases(document)
    yield from _of_purposes(document)
    yield from _of_drugs(document)
    yield from _of_scores(document)
    yield from _of_patterns(document)


def speaks_of_a_block(document: Document) -> bool:
    """Return whether the note speaks of some regional block, even where it does not name one as done."""
    if _GENERIC_BLOCK.search(document.folded):
        return True
    return "drug" in document.kinds and _BLOCK_WORD.search(document.folded) is not None


def _of_block(block: BlockReading, place: Place) -> Iterator[StatementReading]:
    yield StatementReading("technique", True, block.span, str(block.technique))
    for side in place.sides:
        yield StatementReading("laterality", True, side.span, str(side.value))
    for levels in place.levels:
        yield StatementReading("levels", True, Span(levels.start, levels.end), levels.name)
    if block.site_count is not None:
        yield StatementReading("site-count", True, block.site_count.span, _count_value(block))
    for guidance in block.guidance:
        yield StatementReading("guidance", True, guidance.span, str(guidance.value))
    if block.image_saved is not None:
        yield StatementReading("image-record", block.image_saved.value, block.image_saved.span)
    if block.continuous is not None:
        yield StatementReading("catheter", block.continuous.value, block.continuous.span)
    if block.purpose is not None:
        yield StatementReading("purpose", True, block.purpose.span, str(block.purpose.value))
    if block.requested is not None:
        yield StatementReading("requesting-provider", True, block.requested.span)


def _unguided(document: Document) -> Iterator[StatementReading]:
    """Yield the guidance a note says was not used, where it names none that was."""
    for index, mention in document.all("guidance"):
        if assess(document, index, mention) is Assertion.NEGATED:
            yield StatementReading("guidance", False, span_of(mention), mention.value)


def _count_value(block: BlockReading) -> str | None:
    count = block.site_count
    if count is None:
        return None
    if count.low == count.high:
        return str(count.low)
    return f"{count.low} or more" if count.high is None else f"{count.low} to {count.high}"


def is_blank(folded: str) -> bool:
    """Return whether a field's value says nothing: empty, "***", "[ ]", "N/A", "pending"."""
    return len(folded) <= _LONGEST_BLANK and _BLANK.match(folded) is not None


def _chosen(value: str) -> str:
    """Return a field's value without the choices whose boxes are empty: "[x] none [ ] bleeding" says "none"."""
    boxes = list(_BOX.finditer(value))
    if not boxes:
        return value
    ends = [box.start() for box in boxes[1:]] + [len(value)]
    kept = [value[box.end() : end].strip() for box, end in zip(boxes, ends, strict=True) if _is_ticked(box)]
    return " ".join([value[: boxes[0].start()].strip(), *(choice or "yes" for choice in kept)]).strip()


def _is_ticked(box: re.Match[str]) -> bool:
    return box["sign"] not in _EMPTY_BOX if box["sign"] else bool((box["mark"] or "").strip(" _"))


def _of_fields(document: Document) -> Iterator[StatementReading]:
    for section in document.layout.sections:
        if section.kind == "agent" and (amount := _bare_amount(document, section)) is not None:
            yield amount
        element = _FIELDS.get(section.kind)
        if element is None or not section.heading:
            continue
        start, end = _value_of(document, section)
        value = _chosen(document.folded[start:end])
        if is_blank(value):
            continue
        yield from _field(element, value, Span(start, end))


def _bare_amount(document: Document, section: Section) -> StatementReading | None:
    """Return the amount of a field that has its unit in its name: "Volume (mL): 30"."""
    unit = _UNIT_IN_NAME.search(section.heading)
    start, end = _value_of(document, section)
    number = _BARE_NUMBER.fullmatch(document.folded, start, end)
    if unit is None or number is None:
        return None
    value = f"{number.group().replace(',', '.')} {'mg' if unit[1].startswith('mg') else 'mL'}"
    return StatementReading("anesthetic-amount", True, Span(start, end), value)


_UNIT_IN_NAME = re.compile(r"[(\s](mls?|cc|mg)\b")
_BARE_NUMBER = re.compile(r"\d{1,3}(?:[.,]\d{1,2})?")


def _value_of(document: Document, section: Section) -> tuple[int, int]:
    """Return the offsets of a section's first line of text."""
    start, end = section.start, section.end
    folded = document.folded
    while start < end and folded[start].isspace():
        start += 1
    stop = folded.find("\n", start, end)
    end = end if stop < 0 else stop
    while end > start and folded[end - 1] in " \n.;,|":
        end -= 1
    return start, end


def _field(element: str, value: str, span: Span) -> Iterator[StatementReading]:
    if element == "aspiration":
        if not _NOT_DONE.match(value):
            yield StatementReading(element, True, span)
    elif element == "complications":
        yield StatementReading(element, True, span, "none" if _CALM.match(value) else "occurred")
    elif element in {"consent", "time-out"}:
        yield StatementReading(element, not _NO.match(value), span)
    elif element in {"pain-score-before", "pain-score-after"}:
        if score := _FIELD_SCORE.search(value):
            yield StatementReading(element, True, span, score.group())
            if element == "pain-score-after":
                yield StatementReading("response", True, span)
    elif not _NO.match(value):
        yield StatementReading(element, True, span)


def _of_phrases(document: Document) -> Iterator[StatementReading]:
    for index, mention in document.all("element"):
        statement = _phrase(document, index, mention)
        if statement is not None:
            yield statement


def _of_purposes(document: Document) -> Iterator[StatementReading]:
    """Yield what the note says the block was for, and the pain or operation that is the reason for it."""
    for index, mention in document.all("purpose"):
        meant = assess(document, index, mention)
        if document.sentence(index).section == HEADING or meant in {Assertion.NEGATED, Assertion.OTHER}:
            continue
        if mention.value in _REASONS:
            yield StatementReading("indication", True, span_of(mention))
        if mention.value != "chronic-pain" and meant is not Assertion.HISTORICAL:
            yield StatementReading("purpose", True, span_of(mention), mention.value)
    for index, mention in document.all("operation"):
        if document.has(index, "technique", "generic") and _FOR.search(document.folded, *_just_before(mention)):
            yield StatementReading("indication", True, span_of(mention))


_REASONS = frozenset({"trauma-analgesia", "chronic-pain", "postoperative-analgesia", "surgical-anesthesia"})
_FOR = re.compile(r"(?<!consent )(?<!consented )\bfor (?:[a-z'\-]+ ){0,4}\Z")


def _just_before(mention: Mention) -> tuple[int, int]:
    return max(mention.start - 50, 0), mention.start


def _phrase(document: Document, index: int, mention: Mention) -> StatementReading | None:
    attributes = mention.concept.attributes
    span, value = span_of(mention), attributes.get("says")
    if document.sentence(index).section == HEADING or not _fits(document, index, mention):
        return None
    affirmed = attributes.get("affirmed", True)
    meant = assess(document, index, mention)
    if _is_of_another_time(document, index, meant, attributes):
        return None
    if attributes.get("negation") == "none" or meant is not Assertion.NEGATED:
        return StatementReading(mention.value, affirmed, span, value)
    return _negated(document, index, mention)


def _is_of_another_time(document: Document, index: int, meant: Assertion, attributes: Mapping[str, Any]) -> bool:
    """Return whether words are about a plan, the past or somebody else, for an element that must be of this block."""
    if attributes.get("assertion") == _ANY:
        return False
    section = document.sentence(index).section
    if attributes.get("negation") == "none":
        return section == "history" or meant in {Assertion.HISTORICAL, Assertion.OTHER}
    return meant in _NOT_NOW or (section in {"history", "plan"} and not attributes.get("anywhere"))


def _fits(document: Document, index: int, mention: Mention) -> bool:
    """Return whether the sentence has what the mention needs, nothing that speaks against it, and is about the block."""
    attributes = mention.concept.attributes
    sentence = document.sentence(index)
    needed, against = attributes.get("needs"), attributes.get("unless")
    if needed is not None or against is not None:
        words = document.folded[sentence.start : sentence.end]
        if needed is not None and not re.search(needed, words):
            return False
        if against is not None and re.search(against, words):
            return False
    side = attributes.get("of_the_operation")
    return side is None or not _is_of_the_operation(document, index, mention, side)


def _is_of_the_operation(document: Document, index: int, mention: Mention, side: str) -> bool:
    """Return whether a sentence that names an operation and no block speaks of the operation alone.

    "Consent for mastectomy" stands before it, "lobectomy without complications" after it.
    """
    if document.has(index, "technique", "generic", "continuous"):
        return False
    for operation in document.of(index, "operation"):
        if side == "after" and operation.end <= mention.start:
            return True
        between = document.folded[mention.end : operation.start]
        if side == "before" and _CONSENT_FOR.match(between):
            return True
    return False


_CONSENT_FOR = re.compile(r"(?: form)?(?: \w+){0,2} (?:for|to) (?:[a-z'\-]+ ){0,4}\Z")


_NOT_NOW = frozenset({Assertion.PLANNED, Assertion.HISTORICAL, Assertion.OTHER})


def _negated(document: Document, index: int, mention: Mention) -> StatementReading | None:
    """A negated element is one said to be missing, unless its words document it either way."""
    kind = mention.concept.attributes.get("negation", "trigger")
    trigger = negation(document, index, mention)
    if kind == "trigger" and mention.value in {"complications", "indication", "diagnosis"}:
        return None
    follows = trigger is not None and trigger.start >= mention.end
    if kind == "response" and not follows:
        return StatementReading("response", True, span_of(mention), "none")
    if kind == "answer" and not follows:
        if mention.value == "aspiration" or mention.value == "needle-confirmation":
            return StatementReading(mention.value, True, span_of(mention))
        return StatementReading(mention.value, False, span_of(mention))
    return StatementReading(mention.value, False, span_of(mention))


_NO_DRUGS = frozenset({"history", "plan", "anesthesia", HEADING})


def _of_drugs(document: Document) -> Iterator[StatementReading]:
    for index in range(len(document.layout.sentences)):
        section = document.sentence(index).section
        if section in _NO_DRUGS and not (section == "history" and document.has(index, "technique")):
            continue
        if _is_skin_field(document, index):
            continue
        for drug in agents(document, index):
            if assess(document, index, drug) is Assertion.AFFIRMED:
                yield StatementReading("anesthetic-agent", True, span_of(drug), drug.value)
        for amount, span in amounts(document, index):
            probe = Mention(_AMOUNT_CONCEPT, "drug", "amount", amount.start, amount.end)
            if assess(document, index, probe) is Assertion.AFFIRMED:
                yield StatementReading("anesthetic-amount", True, span, amount.value)


def _is_skin_field(document: Document, index: int) -> bool:
    if not index or document.sentence(index - 1).section != HEADING:
        return False
    heading = document.sentence(index - 1)
    return re.search(r"skin|^local\W*$|wheal", document.folded[heading.start : heading.end]) is not None


def _of_scores(document: Document) -> Iterator[StatementReading]:
    for index, sentence in enumerate(document.layout.sentences):
        if sentence.section in {HEADING, "pain-before", "pain-after"}:
            continue
        words = document.folded[sentence.start : sentence.end]
        if not _MAY_SCORE.search(words):
            continue
        yield from _scores(document, index, words)


_MARKED = re.compile(rf"\b(?P<first>{_GRADE}){_TEN}? (?=before|after|post|pre)(?P<second>(?!))?")
_OTHER_SCORE = re.compile(r"aldrete|apgar|sedation|pasero|strength|power|effort|asa ")
_MAY_SCORE = re.compile(r"pain|vas|nrs|vps|nprs|/\s?10|of (?:10|ten)")


def _scores(document: Document, index: int, words: str) -> Iterator[StatementReading]:
    base = document.sentence(index).start
    taken = -1
    for pattern in (_SCORE, _OUT_OF_TEN, _MARKED):
        for match in pattern.finditer(words):
            if match.start("first") < taken or _OTHER_SCORE.search(words, max(match.start() - 20, 0), match.start()):
                continue
            taken = max(taken, match.end())
            if match["second"] is not None:
                yield _score("pain-score-before", match, "first", base)
                yield _score("pain-score-after", match, "second", base)
                yield StatementReading("response", True, Span(base + match.start("first"), base + match.end()))
            elif (element := _when(document, words, base, match)) is not None:
                yield _score(element, match, "first", base)
                if element == "pain-score-after":
                    yield StatementReading("response", True, Span(base + match.start(), base + match.end()))


def _score(element: str, match: re.Match[str], group: str, base: int) -> StatementReading:
    return StatementReading(
        element, True, Span(base + match.start(group), base + match.end(group)), _DIGITS.get(match[group], match[group])
    )


def _when(document: Document, words: str, base: int, match: re.Match[str]) -> str | None:
    """Return whether a score was before or after the block: by the nearest word that says so, or by its place."""
    near = words[max(match.start() - 45, 0) : match.end() + 40]
    at = match.start() - max(match.start() - 45, 0)
    marks = [(abs(found.start() - at), element) for pattern, element in _WHEN for found in pattern.finditer(near)]
    if marks:
        return min(marks)[1]
    injected = min((mention.start for _, mention in document.all("injection", "drug")), default=None)
    if injected is None:
        return None
    return "pain-score-before" if base + match.start() < injected else "pain-score-after"


_WHEN = ((_AFTER, "pain-score-after"), (_BEFORE, "pain-score-before"))


def _of_patterns(document: Document) -> Iterator[StatementReading]:
    for pattern, element in (
        (_RELIEF, "response"),
        (_GAUGE, "needle"),
        (_ICD, "diagnosis"),
        (_LASTING, "pain-history"),
    ):
        for match in pattern.finditer(document.folded):
            index = document.layout.index_at(match.start())
            if element in {"diagnosis", "pain-history"} or document.sentence(index).section not in {"history", "plan"}:
                yield StatementReading(element, True, Span(match.start(), match.end()))
