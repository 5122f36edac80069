"""Reads each mention of a technique: whether it names a block, and whether it says that it was done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.chart.model import Technique
from cds_service.chart.narrative.assertion import Assertion, assess
from cds_service.chart.narrative.document import Document
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.lexicon import Mention
from cds_service.chart.narrative.reading import Status

NAMING = frozenset({"title", HEADING, "description", "levels", "side", "technique"})
"""Sections in which naming a technique says that it was done."""
SOFT = frozenset({"consent", "indication", "diagnosis", "requester", "purpose", "time-out", "complications"})
"""Sections that speak of a block without saying that it was done."""
_DONE_AFTER = re.compile(
    r"[^.;]{0,60}?\b(?:was|were|is|has been|have been) (?:then |also |successfully |subsequently |now )*"
    r"(?:performed|placed|done|completed|administered|injected|repeated|carried out|accomplished)\b"
)
_DEFINED = re.compile(
    r"\s{0,2}(?:\([^)]{0,20}\)\s{0,2})?"
    r"(?:(?:is|are)\s(?:an?|one|used|(?:done|given)(?! by| under| with)|called|injections?)\b|\?)"
)
"""After its name: the words of an explanation ("a paravertebral block is an injection ..."), or a question mark."""
_MANY = re.compile(r"(?<![\w./\-])(?:1[3-9]|[2-9]\d|\d{3,4})\s(?:[a-z]{1,12}\s)?\Z")
_IN_A_YEAR = re.compile(r"[^.;,\n\d]{0,12}(?:(?:0?[1-9]|1[0-2])/)?(?:19|20)\d\d(?![\d/\-])")
"""A month or a year dates what was done earlier; today's block has a day: "PVB 11/2018", "RFA 2020"."""
_WITH_RESULT = re.compile(
    r"[^.;\n]{0,40}?\bon\s\d{1,2}/\d{1,2}(?:/\d{2,4})?,?\s(?:with|and|which|that|giving|gave)\s[^.;\n]{0,40}?"
    r"\b(?:relief|helped|benefit|lasting|lasted|better|improve\w*)\b"
    r"|[^.;\n]{0,40}?\b(?:gave|provided|brought|yielded|resulted in|helped|worked)\b[^.;\n]{0,30}?\b(?:\d{1,2}|an?|one|"
    r"two|three|four|five|six|several|many)\s(?:days?|weeks?|months?|years?)\b"
)
"""After its name: what came of a block of another day: "MBB on 3/4 with 80% relief", "MBB gave two weeks of relief"."""
_IN_AID = re.compile(
    r"\bfor\s{1,3}(?:(?:an?|the|her|his|their|planned|scheduled|right|left|bilateral|rt|lt|[rl]|thoracic|lumbar|single|"
    r"shot|us|guided|ultrasound|cervical|diagnostic|(?:th?|[cls])\d{1,2}(?:-\d)?|\d)[\s\-]{1,3})*\Z"
)
"""Before its name: what something else is for, "time out for right PVB", "ropivacaine for PVB, dispense"."""
_HELD = re.compile(
    r"(?:\s(?:(?:at|on|the|was|were|is|being|currently|right|left|side|block|catheter)\b|"
    r"t\d{1,2}(?:\s?-\s?t?\d{1,2})?)){0,5}"
    r"\s(?:held|on hold|scratched|scrapped|called off|skipped)\b"
    r"(?!\s(?:in\b|with|by (?:the )?(?:tape|assist)|steady|firm))"
)
"""Right after its name: a block that waits, "PVB held for platelets of 60"."""
_OFFERED = re.compile(
    r"(?:(?!performed|done|placed|injected|given|tolerated)[^.;,:(]){0,60}?\s(?:offered|proposed|advised|discussed)\b"
)
"""After its name: a block that was only spoken of, "PVB for the right side offered"."""
_DENIED = re.compile(
    r"\s{0,2}[:=?]{1,2}\s{0,2}(?:no|n|none|nil|not (?:done|performed|given|placed|carried out|attempted|indicated)|"
    r"declined|deferred|refused|cancell?ed|aborted)[ \t]{0,2}(?:[.;,(]|\n|\Z)"
)
"""After its name: a field that says it was not done, "Paravertebral block: no"."""
_ITS_PAPERS = re.compile(
    r" {1,3}(?:consult\w*|evaluation|teaching|education|request|referral|orders?|consent|candidate|"
    r"checklist|assessment)\b"
)
_GUIDED = re.compile(r"\b(?:guid\w*|control|under|fluoro\w*|c-arm)\b")
_NEXT_TO = 4
"""Characters between what was done and "today": "placed today"."""
_HEAD = 2
"""Characters before what a heading begins with."""
_THESE = re.compile(r"\b(?:each|these|they|all|both|points?)\b")
_FOR_A = re.compile(r"for\s{1,3}an?\s")
_REQUEST = re.compile(r"\s{0,3}(?:request|order|authorization|referral)s?\s{1,3}for\b")
_TITLE_LENGTH = 120
_TITLE_PARTS = 3
_BLOCK_WORDS = re.compile(r"\b(?:blocks?|injections?|catheter|c?pnb|regional)\b")
_INJECTION = re.compile(r"\binjections?\b")
_TICKED_BEFORE = re.compile(r"(?:[\[(] ?[x*✓] ?[\])]|[☑☒✓✔■]) ?\Z")
_FIELD_WORDS = 8
_VALUE_ENDS = re.compile(r"\s{0,2}(?:\Z|[,;:(.]|right|left|bilat|at\b|th?\d|with\b|single|under\b|x\s?\d)")
_VOLUME = re.compile(r"\d\s?(?:ml|cc)\b")
_NERVE = re.compile(
    r"(?:(?:blocks?|blockade|injections?|anesthesia|of|the|both|right|left|bilateral|greater|lesser|common|superficial|"
    r"deep|posterior)[\s\-]{1,4}){0,6}([a-z]{1,24})"
)
"""The nerve in a block's name: "femoral nerve block", "block of the right femoral nerve"."""


_APART_BY_TARGET = frozenset({Technique.SYMPATHETIC, Technique.OTHER})
"""Techniques whose blocks are told apart by what they are aimed at; a joint and its nerves are one facet block."""


_REACHED_BY_A_NEEDLE = frozenset({Technique.PARAVERTEBRAL, Technique.FASCIAL_PLANE})
"""Techniques told by where the needle was put ("in the plane deep to the serratus"), with what was then injected."""


_UP_TO_THE_NEEDLE = 4
"""Sentences from the one that names the place to the one that tells of the needle: the skin is numbed between."""


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two mentions one block: the technique, and its plane or the nerve or ganglion it is aimed at."""

    technique: Technique
    plane: str | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Naming:
    """One mention of a technique. `soft`: it speaks of the block, but not as done (consent, request)."""

    key: Key
    index: int
    mention: Mention
    status: Status
    soft: bool = False
    strong: bool = False
    in_aid: bool = False
    """Something else is said to be for it: done only where an injection is told of too."""


def is_weak(mention: Mention) -> bool:
    """Return whether words name a place or an aim, which a block told of by its name may explain."""
    return bool(mention.concept.attributes.get("weak") or mention.concept.attributes.get("place"))


def find_namings(document: Document) -> Iterator[Naming]:
    """Yield every mention that names a block, with what its sentence says of it."""
    for index, mention in document.all("technique"):
        if not _names_block(document, index, mention):
            continue
        naming = _naming(document, index, mention)
        if naming is not None:
            yield naming


def _names_block(document: Document, index: int, mention: Mention) -> bool:
    """A place or a bare word is the name of a block only where a needle went, or as the value of a field."""
    attributes = mention.concept.attributes
    if _DEFINED.match(document.folded, mention.end) or _counts_many(document, mention):
        return False
    if attributes.get("unless") and document.has(index, attributes["unless"]):
        return False
    if attributes.get("place"):
        in_title = attributes.get("field") and document.sentence(index).section == "title"
        named = in_title and _is_field_value(document, index, mention)
        return named or _is_sited_title(document, index) or _deed_done_to(document, index, mention) is not None
    if attributes.get("field"):
        return _is_field_value(document, index, mention)
    if beside := attributes.get("beside"):
        if attributes.get("alone") and document.kinds.get("operated"):
            return False
        return all(document.has(index, kind) for kind in beside) or (
            bool(attributes.get("alone")) and document.treated_under_skin
        )
    if mention.value == Technique.TRIGGER_POINT and attributes.get("weak"):
        told = document.has(index, "muscle") and _deed_done_to(document, index, mention) == "injection"
        return told or _is_numbed(document, index) or _are_then_injected(document, index + 1)
    if not attributes.get("weak") or _injected(document, index) or _is_nerve_in_title(document, mention):
        return True
    if mention.value == Technique.FASCIAL_PLANE and not all(is_weak(named) for _, named in document.all("technique")):
        return False  # the sentences that name it tell more of it
    return (
        mention.value in _REACHED_BY_A_NEEDLE
        and has_evidence(document, "drug", "injection")
        and any(document.has(at, "needle") for at in range(index, index + _UP_TO_THE_NEEDLE))
    )


def _is_sited_title(document: Document, index: int) -> bool:
    """Return whether a short title says of an aim where, on which side and how guided: "C5-6 facet joint, left, CT"."""
    sited = index in document.levels and document.has(index, "side") and document.has(index, "guidance")
    return sited and is_title(document) and _GUIDED.search(document.folded) is not None


def _is_nerve_in_title(document: Document, mention: Mention) -> bool:
    """Return whether a short title names a nerve as what is injected: "Injection, intercostal nerve, right"."""
    nerve = "nerve" in document.folded[mention.start : mention.end]
    return nerve and is_title(document) and _INJECTION.search(document.folded) is not None


def _is_numbed(document: Document, index: int) -> bool:
    """Return whether a sentence tells of local anesthetic going in."""
    return document.has(index, "injection") and document.has(index, "drug")


def _are_then_injected(document: Document, index: int) -> bool:
    """Return whether the sentence after trigger points tells that they were injected, and nothing else."""
    if index >= len(document.layout.sentences) or not _is_numbed(document, index) or document.has(index, "technique"):
        return False
    sentence = document.sentence(index)
    meant = _THESE.search(document.folded, sentence.start, sentence.end) is not None
    return (meant or document.has(index, "muscle")) and not document.has(index, "operated")


def _counts_many(document: Document, mention: Mention) -> bool:
    """Return whether more blocks are counted than one patient has: "42 paravertebral blocks were reviewed"."""
    plural = document.folded[mention.end - 1] == "s"
    return plural and _MANY.search(document.folded, max(mention.start - 20, 0), mention.start) is not None


def _is_field_value(document: Document, index: int, mention: Mention) -> bool:
    """Return whether a bare "paravertebral" stands as a value: last, or before a place, in few words."""
    sentence = document.sentence(index)
    words = document.folded[sentence.start : sentence.end]
    if _TICKED_BEFORE.search(document.folded, max(mention.start - 5, 0), mention.start):
        return True
    if is_title(document) and _BLOCK_WORDS.search(document.folded):
        return True
    if sentence.section == "title":  # "Block: right T6 paravertebral, US, 20 mL ropivacaine": more may follow a comma
        words = document.folded[sentence.start : mention.end]
    if len(words.split()) > _FIELD_WORDS or not _VALUE_ENDS.match(document.folded, mention.end, sentence.end):
        return False
    sited = index in document.levels and document.has(index, "side") and _VOLUME.search(words) is not None
    return sited or sentence.section == "title" or sentence.section == "description"


def _injected(document: Document, index: int) -> bool:
    return document.has(index, "injection", "continuous") and document.has(index, "drug", "act", "continuous")


def is_title(document: Document) -> bool:
    """Return whether the text is a short title ("Nerve block, paravertebral (T5), left"), as the text of a code is."""
    if len(document.folded) > _TITLE_LENGTH or len(document.layout.sentences) > _TITLE_PARTS:
        return False
    words = document.folded.strip()
    return " " in words and not any(stop in words for stop in ("\n", ". ", "?"))


def _key(document: Document, index: int, mention: Mention) -> Key:
    attributes = mention.concept.attributes
    technique = Technique(mention.value)
    if attributes.get("place") and _deed_done_to(document, index, mention) == "ablation":
        technique = Technique.RADIOFREQUENCY
    target = attributes.get("target") if technique in _APART_BY_TARGET else None
    if target is None and attributes.get("nerve"):
        named = _NERVE.match(document.folded, mention.start, mention.end)
        target = named[1] if named else None
    return Key(technique, attributes.get("plane") or _plane_named(document, mention), target)


def _plane_named(document: Document, mention: Mention) -> str | None:
    """Return the plane that the first word of a name stands for, where its phrase stands for several."""
    planes: dict[str, str] | None = mention.concept.attributes.get("planes")
    return planes[document.folded[mention.start : mention.end].split()[0]] if planes else None


def _deed_done_to(document: Document, index: int, mention: Mention) -> str | None:
    """Return what is said to be done to an aim that a sentence names: "injection", "ablation", None where nothing is.

    The deed stands before it ("blocks of the C3 and C4 medial branches") or after it ("the facet joint was injected").
    """
    for deed in document.of(index, "deed"):
        attributes = deed.concept.attributes
        if attributes.get("title") and not is_title(document):
            continue
        if attributes.get("over_skin") is False and any(
            deed.start <= skin.start < mention.start for skin in document.of(index, "skin")
        ):
            continue
        if deed.end <= mention.start if attributes.get("before") else deed.start >= mention.end:
            return deed.value
    return None


def _naming(document: Document, index: int, mention: Mention) -> Naming | None:
    key, section = _key(document, index, mention), document.sentence(index).section
    meant = assess(document, index, mention)
    if any(day.end <= mention.start for day in document.of(index, "days-after")):
        meant = max(meant, Assertion.HISTORICAL)
    if _IN_A_YEAR.match(document.folded, mention.end) or _WITH_RESULT.match(document.folded, mention.end):
        meant = max(meant, Assertion.HISTORICAL)
    if _OFFERED.match(document.folded, mention.end):
        meant = max(meant, Assertion.PLANNED)
    put_off = _HELD.match(document.folded, mention.end) or _DENIED.match(document.folded, mention.end)
    if put_off or _is_given_up(document, index, mention) or _is_headed_off(document, index):
        meant = max(meant, Assertion.NEGATED)
    after = is_said_done(document, index, mention)
    if meant is Assertion.OTHER:
        return None
    if meant is Assertion.NEGATED:
        return _negated(document, index, mention, key)
    if meant is Assertion.HISTORICAL or section == "history":
        now = _is_of_today(document, index, mention) or (section == "history" and meant is Assertion.AFFIRMED and after)
        if not now:
            return Naming(key, index, mention, Status.HISTORICAL)
    if meant is Assertion.PLANNED and not after and not _is_asked_for(document):
        return Naming(key, index, mention, Status.PLANNED, soft=_soft(document, index))
    return _affirmed(document, index, mention, key, after)


def _is_of_today(document: Document, index: int, mention: Mention) -> bool:
    """Return whether "today" is when a block was done, and not when its history was told: "h/o RFA, seen today"."""
    past = [trigger for trigger in document.of(index, "trigger") if trigger.value == "historical"]
    for day in document.of(index, "today"):
        if day.end <= mention.start:
            return True
        if any(mention.end <= act.end <= day.start <= act.end + _NEXT_TO for act in document.of(index, "act")):
            return True
        if not any(trigger.end <= day.start for trigger in past):
            return True
    return False


def _is_given_up(document: Document, index: int, mention: Mention) -> bool:
    """Return whether another technique took this one's place: "ESP attempted, converted to PVB"."""
    swap = next((swap for swap in document.of(index, "swapped") if swap.start >= mention.end), None)
    if swap is None:
        return False
    return any(other.start >= swap.end for other in document.of(index, "technique")) and not any(
        mention.end <= other.start < swap.start for other in document.of(index, "technique")
    )


def _is_headed_off(document: Document, index: int) -> bool:
    """Return whether the heading before says that it was called off: "Cancelled: right PVB"."""
    heading = document.sentence(index - 1) if index else None
    if heading is None or heading.section != HEADING:
        return False
    return any(
        trigger.concept.attributes.get("calls_off") and trigger.start - heading.start <= _HEAD
        for trigger in document.of(index - 1, "trigger")
    )


def _negated(document: Document, index: int, mention: Mention, key: Key) -> Naming | None:
    words = document.folded[mention.start : mention.end]
    past = any(trigger.value == "historical" for trigger in document.of(index, "trigger"))
    if "catheter" in words or past:
        return None
    return Naming(key, index, mention, Status.NOT_DONE)


def _is_asked_for(document: Document) -> bool:
    """Return whether the whole text is the title of a request: it names what is asked for as an order does."""
    return is_title(document) and _REQUEST.match(document.folded) is not None


def _soft(document: Document, index: int) -> bool:
    """A plan is soft where only the block is planned ("consent for"), not where the sentence is ("tomorrow")."""
    return document.sentence(index).section != "plan" and not any(
        trigger.value == "planned" and not trigger.concept.attributes.get("technique_only")
        for trigger in document.of(index, "trigger")
    )


def _affirmed(document: Document, index: int, mention: Mention, key: Key, after: bool) -> Naming | None:
    section = document.sentence(index).section
    acted = after or document.has(index, "act", "injection") or _is_by_surgeon(document, index)
    if section == "plan" and not acted:
        return Naming(key, index, mention, Status.PLANNED)
    told = document.has(index, "drug") and (index in document.levels or document.has(index, "today"))
    if (section in SOFT and not acted and not told) or _is_of_time_out(document, index, mention):
        return Naming(key, index, mention, Status.PLANNED, soft=True)
    if section == "anesthesia" and key.technique is Technique.INTERLAMINAR:
        return None
    if (not acted and _is_in_aid(document, index, mention)) or _is_in_general(document, index, mention):
        return Naming(key, index, mention, Status.PERFORMED, in_aid=True)
    strong = acted or section in NAMING or section == "anesthesia" or _detailed(document, index) or is_title(document)
    return Naming(key, index, mention, Status.PERFORMED, strong=strong)


def _is_of_time_out(document: Document, index: int, mention: Mention) -> bool:
    """Return whether a sentence names the block only as what the time-out was for: "Time-out done, left PVB"."""
    first = next(document.of(index, "element"), None)
    if first is None or first.value != "time-out" or first.start > document.sentence(index).start + _HEAD:
        return False
    acts = sum(act.start > first.start for act in document.of(index, "act"))
    more = index in document.levels or document.has(index, "drug", "guidance", "continuous", "injection", "needle")
    return mention.start > first.end and acts <= 1 and not more and not is_said_done(document, index, mention)


def _by_needle(document: Document, index: int, mention: Mention) -> bool:
    """Return whether needles at levels are what is for a block: "needles at L2 and L3 for a sympathetic block"."""
    needle = next(document.of(index, "needle"), None)
    return needle is not None and any(
        needle.end <= levels.start and levels.end <= mention.start for levels in document.levels.get(index, ())
    )


def _is_by_surgeon(document: Document, index: int) -> bool:
    return any(doer.value in {"acts", "done-by"} for doer in document.of(index, "surgeon"))


def _is_in_general(document: Document, index: int, mention: Mention) -> bool:
    """Return whether a sentence teaches how such a block is done: "For a C7 medial branch block, the needle is ..."."""
    start = document.sentence(index).start
    return (
        _FOR_A.match(document.folded, start) is not None
        and _IN_AID.search(document.folded, start, mention.start) is not None
    )


def _is_in_aid(document: Document, index: int, mention: Mention) -> bool:
    """Return whether something else is for the block; needles at its levels are the block itself."""
    folded = document.folded
    if _by_needle(document, index, mention):
        return False
    before = _IN_AID.search(folded, max(mention.start - 60, 0), mention.start)
    return before is not None or _ITS_PAPERS.match(folded, mention.end) is not None


def _detailed(document: Document, index: int) -> bool:
    """Return whether the sentence says more than the name: where, with what, how."""
    return index in document.levels or document.has(index, "side", "drug", "guidance", "continuous")


def is_said_done(document: Document, index: int, mention: Mention) -> bool:
    """Return whether the words after a mention say that it was done: "PVB ... was performed"."""
    return _DONE_AFTER.match(document.folded, mention.end, document.sentence(index).end) is not None


def has_evidence(document: Document, *kinds: str) -> bool:
    """Return whether anything of these kinds in the note tells of an injection being made."""
    return any(document.sentence(index).section not in {"plan", "history"} for index, _ in document.all(*kinds))
