"""Reads what a note says about each documentation element."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from cds_service.chart.model import Purpose, Technique
from cds_service.chart.narrative.amounts import agents, amounts, with_drugs
from cds_service.chart.narrative.answers import Answer, answer
from cds_service.chart.narrative.assertion import Assertion, assess, negation
from cds_service.chart.narrative.background import duration, of_earlier_blocks, of_order, of_scales
from cds_service.chart.narrative.document import Document, span_of
from cds_service.chart.narrative.fields import WHY_NO_CONTRAST, of_fields
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.lexicon import Concept, Mention
from cds_service.chart.narrative.purposes import pain_of_operations
from cds_service.chart.narrative.reading import BlockReading, Span, StatementReading, Status
from cds_service.chart.narrative.scores import of_scores
from cds_service.chart.narrative.searching import one_of
from cds_service.chart.narrative.sites import Place

_RELIEF = re.compile(
    r"[0-9](?<![0-9.].)\d{0,2}\s?(?:%|percent)\s(?:\w+\s){0,3}(?:relief|reduction|improvement|decrease|better|improved|reduced|less|lower)|"
    r"[0-9](?<![0-9.].)\s?/\s?10 (?:better|improved|improvement|relief)"
)
_GAUGE = re.compile(r"[0-9](?<![0-9a-z.].)\d\s?-?\s?(?:g|ga|gauge)(?![a-z0-9])")
_ICD = re.compile(r"\.(?<=[a-tv-z]\d[0-9a-z]\.)(?<![a-z0-9].{4})[0-9a-z]{1,4}(?![a-z0-9])", re.DOTALL)
_BEFORE_ITS_DOT = 3
"""Characters of a diagnosis code before its dot, at which it is sought."""
_LASTING = re.compile(
    r"(?:pain|crps|neuralgia|radiculopathy|sciatica|syndrome|burning|ach(?:e|es|ing))\b"
    r"(?!\s\w*\s?(?:relief|free))[^.;\n]{0,40}?[\s(](?<!\bin )"
    r"(?:since (?:an? |the |her |his |19|20|last |\w+ last )|"
    r"(?:\d{1,2}|several|many|few|one|two|three|four|five|six|seven|eight|nine|ten)"
    r"[\s\-]?(?:weeks?|wks?|months?|mos?|years?|yrs?)\b(?! follow))"
)
_TIME = re.compile(one_of("since ", r"weeks?\b", r"wks?\b", r"months?\b", r"mos?\b", r"years?\b", r"yrs?\b"))
"""One of these stands in every text that tells how long something has lasted."""
_ANY = "any"
_TO_BE = re.compile(r"\b(?:will|shall|should|may|can|could|must|to|if|please)\b(?: \w+){0,3} \Z")
_NOT = re.compile(r"\bnot?\b")
_AMOUNT_CONCEPT = Concept("drug", "amount")
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
        yield from _guidance_of_the_note(document)
    if not any(block.image_saved for block, _ in done):
        yield from _images_of_the_note(document)
    earlier = of_earlier_blocks(document)
    fields = list(of_fields(document))
    yield from fields
    yield from earlier.values()
    yield from of_order(
        document, bool(earlier) or any(said.element == "prior-block-response" for said in fields), earlier
    )
    yield from of_scales(document)
    yield from _of_phrases(document, earlier)
    yield from _of_purposes(document)
    yield from _of_drugs(document)
    yield from of_scores(document)
    yield from _of_patterns(document, earlier)


def speaks_of_a_block(document: Document) -> bool:
    """Return whether the note speaks of some regional block, even where it does not name one as done."""
    if "regional" in document.kinds:
        return True
    if "drug" not in document.kinds:
        return False
    return "needle" in document.kinds or _BLOCK_WORD.search(document.folded) is not None


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
        if block.technique is Technique.OTHER and block.purpose.value is Purpose.SURGICAL_ANESTHESIA:
            yield StatementReading("indication", True, block.purpose.span)  # what a small block is given to repair
    if block.requested is not None:
        yield StatementReading("requesting-provider", True, block.requested.span)


def _guidance_of_the_note(document: Document) -> Iterator[StatementReading]:
    """Yield the guidance of a note that tells it apart from its blocks: used, or not used."""
    for index, mention in document.all("guidance"):
        meant = assess(document, index, mention)
        if meant is Assertion.NEGATED:
            yield StatementReading("guidance", False, span_of(mention), mention.value)
        elif meant is Assertion.AFFIRMED and _is_of_the_day(document, index):
            yield StatementReading("guidance", True, span_of(mention), mention.value)


def _images_of_the_note(document: Document) -> Iterator[StatementReading]:
    """Yield what a note says of stored images where it is told apart from its blocks."""
    for index, mention in document.all("image"):
        if document.sentence(index).section == HEADING:
            continue
        meant = assess(document, index, mention)
        if meant is Assertion.PLANNED and not _TO_BE.search(document.folded, *_just_before(mention)):
            meant = Assertion.AFFIRMED  # images are said to be kept, whatever the sentence plans besides
        if meant is Assertion.NEGATED or _NOT.search(document.folded, mention.start, mention.end):
            yield StatementReading("image-record", False, span_of(mention))
        elif meant is Assertion.AFFIRMED and _is_of_the_day(document, index):
            answered = answer(document, index, mention)
            if answered is not Answer.BLANK:
                yield StatementReading("image-record", answered is not Answer.NO, span_of(mention))


def _is_of_the_day(document: Document, index: int) -> bool:
    """Return whether a sentence is no history and no plan, nor a heading other than the name of a block."""
    section = document.sentence(index).section
    return section not in {"history", "plan"} and (section != HEADING or document.has(index, "technique"))


def _count_value(block: BlockReading) -> str | None:
    count = block.site_count
    if count is None:
        return None
    if count.low == count.high:
        return str(count.low)
    return f"{count.low} or more" if count.high is None else f"{count.low} to {count.high}"


def _of_phrases(document: Document, earlier: Container[int]) -> Iterator[StatementReading]:
    denied: dict[str, int] = {}
    for index, mention in document.all("element"):
        if mention.start < denied.get(mention.value, 0) or (mention.value == "response" and index in earlier):
            continue
        statement = _phrase(document, index, mention)
        if statement is not None:
            if mention.concept.attributes.get("affirmed") is False:
                denied[mention.value] = mention.end
            yield statement
            if "also" in mention.concept.attributes and statement.affirmed:
                yield StatementReading(mention.concept.attributes["also"], True, statement.span)


def _of_purposes(document: Document) -> Iterator[StatementReading]:
    """Yield what the note says the block was for, and the pain or operation that is the reason for it."""
    for index, mention in document.all("purpose"):
        meant = assess(document, index, mention)
        if document.sentence(index).section == HEADING or meant in {Assertion.NEGATED, Assertion.OTHER}:
            continue
        if meant is Assertion.HISTORICAL and _AFTER_THAT.match(document.folded, mention.end):
            meant = Assertion.AFFIRMED  # "for therapeutic intent after relief a year ago"
        if mention.value in _REASONS:
            yield StatementReading("indication", True, span_of(mention))
        if mention.value != "chronic-pain" and meant is not Assertion.HISTORICAL:
            yield StatementReading("purpose", True, span_of(mention), mention.value)
    for pain in pain_of_operations(document):
        yield StatementReading("purpose", True, span_of(pain.mention), "postoperative-analgesia")
        if pain.said_before:
            yield StatementReading("indication", True, span_of(pain.mention))
    for index, mention in document.all("operation"):
        if document.has(index, "technique", "generic") and _FOR.search(document.folded, *_just_before(mention)):
            yield StatementReading("indication", True, span_of(mention))


_AFTER_THAT = re.compile(r"(?: [a-z]+){0,2},? (?:after|following|since|given|as|because) ")
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
    if attributes.get("duration"):
        value = duration(document, index, mention)
    if attributes.get("negation") == "none" or meant is not Assertion.NEGATED:
        return StatementReading(mention.value, affirmed, span, value)
    if mention.value == "contrast" and _why_not(document, index):
        return StatementReading(mention.value, True, span, "none")
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
    """Return whether the sentence has what the mention needs, nothing against it, and is about the block."""
    attributes = mention.concept.attributes
    sentence = document.sentence(index)
    needed, against = attributes.get("needs"), attributes.get("unless")
    if needed is not None or against is not None:
        if needed is not None and not document.says(index, needed):
            return False
        if against is not None and document.says(index, against):
            return False
    before = attributes.get("not_after")
    if before is not None and re.search(before, document.folded[sentence.start : mention.start]):
        return False
    if mention.value == "response" and _BY_OTHER_MEANS.match(document.folded, mention.end):
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


def _why_not(document: Document, index: int) -> bool:
    """Return whether a sentence that says no contrast was given, or one beside it, says why: that documents it."""
    start = document.sentence(max(index - 1, 0)).start
    end = document.sentence(min(index + 1, len(document.layout.sentences) - 1)).end
    return WHY_NO_CONTRAST.search(document.folded, start, end) is not None


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
    for index in with_drugs(document):
        section = document.sentence(index).section
        if section in _NO_DRUGS and not _is_of_the_block(document, index, section):
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


def _is_of_the_block(document: Document, index: int, section: str) -> bool:
    """Return whether a drug in a history, or in the field of the anesthetic, is the block's own: "1 mL each side"."""
    sentence = document.sentence(index)
    if section == "anesthesia":
        return _EACH.search(document.folded, sentence.start, sentence.end) is not None
    return section == "history" and document.has(index, "technique")


_EACH = re.compile(
    r"\b(?:each|per|ea|every)\s{1,3}(?:side|level|joint|nerve|site|branch|space)|\b(?:ml|cc)\s?/\s?(?:level|joint|nerve|site)"
)


def _is_skin_field(document: Document, index: int) -> bool:
    if not index or document.sentence(index - 1).section != HEADING:
        return False
    heading = document.sentence(index - 1)
    words = document.folded[heading.start : heading.end]
    if re.search(r"^local\W*$", words):  # skin is seldom numbed with a long-acting drug
        return not any(drug.value not in {"lidocaine", "chloroprocaine"} for drug in agents(document, index))
    return re.search(r"skin|wheal", words) is not None


def _is_relief(document: Document, index: int, match: re.Match[str]) -> bool:
    """Return whether a percentage is relief felt, not hoped for, and not by a drug or an exercise."""
    if _HOPED.search(document.folded, document.sentence(index).start, match.start()):
        return False
    return _BY_OTHER_MEANS.match(document.folded, match.end()) is None


_HOPED = re.compile(
    r"\b(?:goals?|aims?|expect\w*|hop(?:e|es|ing)|anticipat\w*|target|if|unless|criteri\w+|policy|must|requires?d?|"
    r"should|threshold|will (?!be )|need(?:s|ed)?)\b"
)
_BY_OTHER_MEANS = re.compile(
    r" (?:with|from|on|by|using|through) (?:(?:the|her|his|oral|topical|daily) )?(?:pt\b|physio\w*|\w* ?therapy|"
    r"exercis\w*|stretch\w*|heat|ice\b|rest\b|massage|tens\b|acupunct\w*|\w{3,12}(?:azole|gabalin|pentin|profen|oxen|oxicam|fenac|"
    r"triptan|codone|phone|etine|ptyline|afil|olol|statin))"
)


def _of_patterns(document: Document, earlier: Container[int]) -> Iterator[StatementReading]:
    for match in _RELIEF.finditer(document.folded):
        index = document.layout.index_at(match.start())
        if index not in earlier and _is_of_now(document, index) and _is_relief(document, index, match):
            yield StatementReading("response", True, Span(*match.span()))
    for match in _GAUGE.finditer(document.folded):
        if _is_of_now(document, document.layout.index_at(match.start())):
            yield StatementReading("needle", True, Span(*match.span()))
    for match in _ICD.finditer(document.folded):
        yield StatementReading("diagnosis", True, Span(match.start() - _BEFORE_ITS_DOT, match.end()))
    for match in _LASTING.finditer(document.folded) if _TIME.search(document.folded) else ():
        yield StatementReading("pain-history", True, Span(*match.span()))


def _is_of_now(document: Document, index: int) -> bool:
    return document.sentence(index).section not in {"history", "plan"}
