"""Reads what a note says about each documentation element."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

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
    r"[\s*_.\-\[\](){}#?:,/]*(?:n/?a|tbd|pending|unknown|not (?:documented|recorded|stated|specified|"
    r"applicable)|see (?:above|note|chart)|none (?:recorded|documented)"
    r"|to be determined|\[?(?:blank|\w+ here)\]?|x{3,})?[\s*_.\-\[\](){}#?:,/]*\Z"
)
_NO = re.compile(r"[\s*\-]*(?:no\b|not\b|none\b|unable|declined|refused|unobtainable|deferred|waived)")
_CALM = re.compile(r"[\s*\-]*(?:none|no\b|nil|0\b|denied|denies|without|negative)")
_SCORE = re.compile(
    r"(?:pain|vas|nrs|vps)(?:\s(?:score|level|scale|rating|"
    r"intensity))?s?\s{0,2}(?:\([^)]{0,12}\)\s?)?(?:was|is|of|at|=|:|rated|reported|reports|now|score|"
    r"decreased|dropped|reduced|improved|went|fell|from|to|as|level|\s|pre-block|post-block){0,5}?"
    r"\s{0,2}(?P<first>10|[0-9])(?:\s?/\s?10)?(?![0-9]|\.[0-9]|\s?(?:ml|cc|mg|%|cm))(?:\s{0,2}(?:to|->|-->|"
    r"down to|→)\s{0,2}(?P<second>10|[0-9])(?:\s?/\s?10)?(?![0-9]|\.[0-9]|\s?(?:ml|cc|mg|%|years|months|weeks|"
    r"days)))?"
)
_OUT_OF_TEN = re.compile(
    r"(?<![0-9/.])(?P<first>10|[0-9])\s?/\s?10(?![0-9/])(?:\s{0,2}(?:to|->|-->|down to|"
    r"→)\s{0,2}(?P<second>10|[0-9])\s?/\s?10)?"
)
_AFTER = re.compile(
    r"\bafter\b|\bpost(?!op|-op|erior|hor|mast|\sop|\sthor|-thor)|following|minutes? later|\bmin later|"
    r"\bnow\b|reduced to|decreased to|improved to|down to|dropped to"
)
_BEFORE = re.compile(
    r"\bbefore\b|\bpre(?:-|\s)?(?:block|procedure|injection|op)|\bprior\b|baseline|initial|presents|"
    r"presented|\bpre\b|complain|current|rates"
)
_RELIEF = re.compile(
    r"(?<![0-9.])\d{1,3}\s?(?:%|percent)\s(?:\w+\s){0,3}(?:relief|reduction|improvement|decrease|better)"
)
_GAUGE = re.compile(r"(?<![0-9a-z.])\d{2}\s?-?\s?(?:g|ga|gauge)(?![a-z0-9])")
_ICD = re.compile(r"(?<![a-z0-9])[a-tv-z]\d[0-9a-z]\.[0-9a-z]{1,4}(?![a-z0-9])")
_ANY = "any"
_AMOUNT_CONCEPT = Concept("drug", "amount")
_GENERIC_BLOCK = re.compile(
    r"(?:nerve|regional|plane|analgesic) block|regional anesthesia|\bblock (?:was|placed|note|performed|"
    r"procedure)|the block\b"
)


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
    yield from _of_drugs(document)
    yield from _of_scores(document)
    yield from _of_patterns(document)


def speaks_of_a_block(document: Document) -> bool:
    """Return whether the note speaks of some regional block, even where it does not name one."""
    return _GENERIC_BLOCK.search(document.folded) is not None


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
    return _BLANK.match(folded[:80]) is not None if len(folded) <= 80 else False


def _of_fields(document: Document) -> Iterator[StatementReading]:
    for section in document.layout.sections:
        element = _FIELDS.get(section.kind)
        if element is None or not section.heading:
            continue
        start, end = _value_of(document, section)
        value = document.folded[start:end]
        if is_blank(value):
            continue
        yield from _field(element, value, Span(start, end))


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
    if element == "complications":
        yield StatementReading(element, True, span, "none" if _CALM.match(value) else "occurred")
    elif element in {"consent", "time-out"}:
        yield StatementReading(element, not _NO.match(value), span)
    elif element in {"pain-score-before", "pain-score-after"}:
        if score := re.search(r"\b(?:10|[0-9])\b", value):
            yield StatementReading(element, True, span, score.group())
    elif not _NO.match(value):
        yield StatementReading(element, True, span)


def _of_phrases(document: Document) -> Iterator[StatementReading]:
    for index, mention in document.all("element"):
        statement = _phrase(document, index, mention)
        if statement is not None:
            yield statement
    for index, mention in document.all("purpose"):
        if mention.value in {"trauma-analgesia", "chronic-pain", "postoperative-analgesia"} and not _silent(
            document, index, mention
        ):
            yield StatementReading("indication", True, span_of(mention))


def _silent(document: Document, index: int, mention: Mention) -> bool:
    return document.sentence(index).section == HEADING or assess(document, index, mention) not in {
        Assertion.AFFIRMED,
        Assertion.PLANNED,
    }


def _phrase(document: Document, index: int, mention: Mention) -> StatementReading | None:
    attributes = mention.concept.attributes
    section = document.sentence(index).section
    span, value = span_of(mention), attributes.get("says")
    if section == HEADING or not _has_needed(document, index, attributes.get("needs")):
        return None
    affirmed = attributes.get("affirmed", True)
    if attributes.get("negation") == "none":
        return StatementReading(mention.value, affirmed, span, value)
    meant = assess(document, index, mention)
    if attributes.get("assertion") != _ANY and (meant in _NOT_NOW or section in {"history", "plan"}):
        return None
    if meant is not Assertion.NEGATED:
        return StatementReading(mention.value, affirmed, span, value)
    return _negated(document, index, mention)


_NOT_NOW = frozenset({Assertion.PLANNED, Assertion.HISTORICAL, Assertion.OTHER})


def _negated(document: Document, index: int, mention: Mention) -> StatementReading | None:
    """A negated element is one said to be missing, unless its words document it either way."""
    kind = mention.concept.attributes.get("negation", "trigger")
    trigger = negation(document, index, mention)
    if kind == "trigger" and mention.value in {"complications", "indication", "diagnosis"}:
        return None
    if kind == "response":
        return StatementReading("response", True, span_of(mention), "none")
    follows = trigger is not None and trigger.start >= mention.end
    if kind == "answer" and not follows:
        if mention.value == "aspiration" or mention.value == "needle-confirmation":
            return StatementReading(mention.value, True, span_of(mention))
        return StatementReading(mention.value, False, span_of(mention))
    return StatementReading(mention.value, False, span_of(mention))


def _has_needed(document: Document, index: int, needed: str | None) -> bool:
    sentence = document.sentence(index)
    return needed is None or re.search(needed, document.folded[sentence.start : sentence.end]) is not None


def _of_drugs(document: Document) -> Iterator[StatementReading]:
    for index in range(len(document.layout.sentences)):
        section = document.sentence(index).section
        if section in {"history", "plan", "anesthesia", HEADING} or _is_skin_field(document, index):
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
        if "pain" not in words and "vas" not in words and "nrs" not in words and "/10" not in words.replace(" ", ""):
            continue
        yield from _scores(document, index, words)


def _scores(document: Document, index: int, words: str) -> Iterator[StatementReading]:
    base = document.sentence(index).start
    taken = -1
    for pattern in (_SCORE, _OUT_OF_TEN):
        for match in pattern.finditer(words):
            if match.start("first") < taken:
                continue
            taken = max(taken, match.end())
            if match["second"] is not None:
                yield _score("pain-score-before", match, "first", base)
                yield _score("pain-score-after", match, "second", base)
                yield StatementReading("response", True, Span(base + match.start("first"), base + match.end()))
            elif (element := _when(document, words, base, match)) is not None:
                yield _score(element, match, "first", base)


def _score(element: str, match: re.Match[str], group: str, base: int) -> StatementReading:
    return StatementReading(element, True, Span(base + match.start(group), base + match.end(group)), match[group])


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
    for pattern, element in ((_RELIEF, "response"), (_GAUGE, "needle"), (_ICD, "diagnosis")):
        for match in pattern.finditer(document.folded):
            index = document.layout.index_at(match.start())
            if element == "diagnosis" or document.sentence(index).section not in {"history", "plan"}:
                yield StatementReading(element, True, Span(match.start(), match.end()))
