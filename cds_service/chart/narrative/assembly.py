"""Puts each block of a note together from the words that belong to it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from cds_service.chart.model import Guidance, Purpose, Side, Technique
from cds_service.chart.narrative.aims import method_of
from cds_service.chart.narrative.answers import Answer, answer
from cds_service.chart.narrative.assertion import Assertion, assess
from cds_service.chart.narrative.catheters import Way, divided
from cds_service.chart.narrative.document import Document, span_of
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.levels import region_of
from cds_service.chart.narrative.lexicon import Mention
from cds_service.chart.narrative.ownership import Ownership
from cds_service.chart.narrative.people import by_surgeon, requested, told_by_surgeon, within_operation
from cds_service.chart.narrative.purposes import pain_of_operations
from cds_service.chart.narrative.reading import BlockReading, Said, Span, Status
from cds_service.chart.narrative.sides import find_sides
from cds_service.chart.narrative.sites import Place, locate
from cds_service.chart.narrative.techniques import SPINAL, Episode

_REGION_WORDS = re.compile(r"\b(thoracic|lumbar|cervical|sacral|caudal)\b")
_REGION_OF_GANGLION = {"stellate": "cervical", "impar": "sacral"}
_OWN_REGION = {Technique.INTERCOSTAL: "thoracic"}
_THORACIC_PLANES = frozenset(
    {"serratus-anterior", "pecs", "transversus-thoracic", "rhomboid-intercostal", "parasternal"}
)
_OTHER_CATHETER = re.compile(r"\b(?:foley|urinary|central|venous|arterial|pleural|chest|iv|picc|bladder|suction)\s\Z")
_EPIDURAL = frozenset({Technique.INTERLAMINAR, Technique.TRANSFORAMINAL})
_STAYS = re.compile(
    r"\b(?:infusion|pump|pcea|secured|taped|sutured|tunnel\w*|left in|labou?r|continuous(?! fluoro)|at (?:the )?skin|"
    r"ml ?/ ?hr?\b|ml per hour|test dose|postoperative (?:pain|analgesia)|bolus(?:es)? (?:of|every|as needed))"
)
"""What is told of a catheter that stays."""
_STEROID = re.compile(
    r"\b(?:steroid|triamcinolone|methylprednisolone|dexamethasone|betamethasone|kenalog|depo|celestone)"
)
_DEPTH = re.compile(r"\s(?:at |left |in |to )?\d{1,2}(?:\.\d)?\s?cm\b")
_BESIDE = 4
"""Characters between a catheter and the side said after it: "catheter (left)", "catheter on left"."""
_DENIED = re.compile(r"\b(?:not|never|no)\b")
_TO_COME = re.compile(r"\b(?:will|to be|is|before|prior to|until|till|when|once|after|for|may|should|can)\b")
"""Around the removal of a catheter that still lies: "before catheter removal", "catheter will be removed"."""
_SHARED = frozenset({"guidance", "image"})
_UNDONE = frozenset({Assertion.PLANNED, Assertion.HISTORICAL, Assertion.OTHER})
_PURPOSE_RANK = (
    Purpose.SURGICAL_ANESTHESIA,
    Purpose.POSTOPERATIVE,
    Purpose.TRAUMA,
    Purpose.DIAGNOSTIC,
    Purpose.THERAPEUTIC,
    Purpose.CHRONIC_PAIN,
)
_SMALL_BLOCKS = frozenset({"digital", "field"})
_OTHER_ANALGESIC = re.compile(r"fentanyl|fentanil|morph|dilaudid|ketamine|opioid|narcotic|acetaminophen|ketorolac")
"""Before "for intraoperative analgesia": what else was given for it."""
_NOT_SURGICAL = re.compile(r"\b(?:not|no|rather than|separate|distinct|in addition to|supplement|adjunct)\b")


def assemble(document: Document, episodes: tuple[Episode, ...]) -> list[tuple[BlockReading, Place]]:
    """Return a reading, and the place it was made of, for each block of the note."""
    ownership = Ownership(document, episodes)
    return [block for episode in episodes for block in _blocks(document, ownership, episode)]


def _blocks(document: Document, ownership: Ownership, episode: Episode) -> Iterator[tuple[BlockReading, Place]]:
    """Yield the one block of an episode, or one for each side where a catheter is on one side only."""
    ways = list(_told_of_catheter(document, ownership, episode))
    reading, place = _block(document, ownership, episode, ways)
    both_sides = reading.side is not None and reading.side.value is Side.BILATERAL
    if not (both_sides and reading.continuous is not None and reading.continuous.value):
        yield reading, place
        return
    for block in divided(document, reading, ways, find_sides(document, ownership, episode)):
        yield block, place


def _block(document: Document, ownership: Ownership, episode: Episode, ways: list[Way]) -> tuple[BlockReading, Place]:
    place = locate(document, ownership, episode)
    best = next((n for n in episode.namings if not n.soft), episode.namings[0])
    done = episode.status is Status.PERFORMED
    catheter = next((way.said for way in ways if way.said.value), None) or _named_catheter(document, episode)
    single = next((way.said for way in ways if not way.said.value), None)
    continuous = _continuous(document, catheter, single)
    if episode.key.technique in _EPIDURAL and catheter is not None:
        continuous = _taken_out(document, catheter) or continuous
    both_sides = place.side is not None and place.side.value is Side.BILATERAL
    reading = BlockReading(
        technique=episode.key.technique,
        status=episode.status,
        span=span_of(best.mention),
        region=_region(document, episode, place),
        plane=_as_named(episode.key.plane, best.mention),
        target=place.target or _as_named(episode.key.target, best.mention),
        method=method_of(document, ownership, episode),
        sites=place.sites,
        site_count=place.count,
        side=place.side,
        continuous=continuous,
        single_too=single if both_sides and continuous is not None and continuous is catheter else None,
        guidance=tuple(_guidance(document, ownership, episode)),
        image_saved=_image_saved(document, ownership, episode) if done else None,
        purpose=_purpose(document, ownership, episode) if done else None,
        performed_by_surgeon=_by_surgeon(document, ownership, episode) if done else None,
        requested=requested(document) if done else None,
    )
    return reading, place


def _as_named(value: str | None, name: Mention) -> Said[str] | None:
    return Said(value, span_of(name)) if value else None


def _region(document: Document, episode: Episode, place: Place) -> str | None:
    regions = Counter(region_of(levels.levels[0]) for levels in place.levels)
    if regions:
        return regions.most_common(1)[0][0]
    if episode.key.technique in _OWN_REGION or episode.key.plane in _THORACIC_PLANES:
        return "thoracic"
    if episode.key.target in _REGION_OF_GANGLION:
        return _REGION_OF_GANGLION[episode.key.target]
    if episode.key.technique in SPINAL and (region := _region_beside(document, episode)):
        return region
    for naming in episode.namings:
        words = document.folded[max(naming.mention.start - 25, 0) : naming.mention.end + 12]
        if found := _REGION_WORDS.search(words):
            return "sacral" if found[1] == "caudal" else found[1]
        if words.lstrip().startswith("tpv") or "tpvb" in words:
            return "thoracic"
    return None


def _region_beside(document: Document, episode: Episode) -> str | None:
    """Return the region said in a sentence that names the block: the last before the name, or the first after it."""
    for naming in episode.namings:
        sentence = document.sentence(naming.index)
        before = [*_REGION_WORDS.finditer(document.folded, sentence.start, naming.mention.end)]
        found = before[-1] if before else _REGION_WORDS.search(document.folded, naming.mention.end, sentence.end)
        if found:
            return "sacral" if found[1] == "caudal" else found[1]
    return None


def _by_surgeon(document: Document, ownership: Ownership, episode: Episode) -> Said[bool] | None:
    """Return whether the surgeon did the block: as the words say, or because it is told of amid his operation."""
    said = by_surgeon(document, _owned(document, ownership, episode, "surgeon"))
    if said is not None:
        return said
    first = {naming.index: naming for naming in reversed(episode.namings) if not naming.soft}  # of each sentence
    told = (
        naming
        for index, naming in sorted(first.items())
        if within_operation(document, index) or told_by_surgeon(document, index)
    )
    return next((Said(True, span_of(naming.mention)) for naming in told), None)


def _owned(
    document: Document, ownership: Ownership, episode: Episode, kind: str
) -> Iterator[tuple[int, Mention, Assertion]]:
    """Yield the mentions of a kind that belong to a block, but for those in plans and histories."""
    for index, mention in document.all(kind):
        if not _belongs(ownership, index, mention, episode):
            continue
        if document.sentence(index).section in {"history", "plan"} and not ownership.names(index, episode):
            continue
        meant = assess(document, index, mention)
        if meant not in _UNDONE or episode.status is not Status.PERFORMED:
            yield index, mention, meant


def _belongs(ownership: Ownership, index: int, mention: Mention, episode: Episode) -> bool:
    """Guidance, images and "single shot" are those of all blocks told of together; a catheter is one block's own."""
    if mention.kind == "continuous" and mention.value == "false":
        shared = ownership.is_shared_side(index, mention.start, episode)
        return shared or ownership.owner(index, mention.start, mention.end) is episode
    if mention.kind in _SHARED:
        return ownership.shares(index, mention.start, mention.end, episode)
    return ownership.owner(index, mention.start, mention.end) is episode


def _told_of_catheter(document: Document, ownership: Ownership, episode: Episode) -> Iterator[Way]:
    """Yield the words for a catheter, and those for a single injection or against a catheter, in order."""
    for index, mention, meant in _owned(document, ownership, episode, "continuous"):
        if _OTHER_CATHETER.search(document.folded, max(mention.start - 16, 0), mention.start):
            continue
        answered = answer(document, index, mention)
        denied = _DENIED.search(document.folded, mention.start, mention.end)
        if mention.value == "false" or denied or meant is Assertion.NEGATED or answered is Answer.NO:
            yield Way(index, Said(False, span_of(mention)))
        elif answered is not Answer.BLANK and _is_catheter(document, index, mention):
            yield Way(index, Said(True, span_of(mention)))


def _named_catheter(document: Document, episode: Episode) -> Said[bool] | None:
    """Return the name of the block where it is that of a catheter."""
    named = next((n.mention for n in episode.namings if _names_catheter(document, n.mention)), None)
    return Said(True, span_of(named)) if named else None


def _continuous(document: Document, yes: Said[bool] | None, no: Said[bool] | None) -> Said[bool] | None:
    """Return whether a catheter was left: its strongest mention decides, a removal leaves it open."""
    removed = _removal(document)
    if yes and removed and removed.end > yes.span.end:
        return no
    if yes and no:
        return no if "catheter" in document.folded[no.span.start : no.span.end] else yes
    return yes or no


def _removal(document: Document) -> Span | None:
    """Return the words that say the catheter was taken out: not those for a later day, "hold heparin until removal"."""
    for index, mention in document.all("catheter-removed"):
        if document.sentence(index).section in {"plan", "history"} or assess(document, index, mention) in _UNDONE:
            continue
        if not _TO_COME.search(document.folded, max(mention.start - 16, 0), mention.end):
            return span_of(mention)
    return None


def _taken_out(document: Document, catheter: Said[bool]) -> Said[bool] | None:
    """Return False where an epidural catheter only steered one injection: taken out again, or to lay a steroid."""
    if _STAYS.search(document.folded):
        return None
    removed = _removal(document)
    steroid = _STEROID.search(document.folded)
    return Said(False, removed or catheter.span) if removed or steroid else None


def _names_catheter(document: Document, mention: Mention) -> bool:
    return bool(re.search(r"catheter|infusion|continuous|cpvb|pvc", document.folded[mention.start : mention.end]))


def _is_catheter(document: Document, index: int, mention: Mention) -> bool:
    """A bare "catheter" counts beside the name, its side or a single injection, or where its field has a value.

    So does one that is a part of the name, or that is told with its depth.
    """
    if document.folded[mention.start : mention.end] not in {"catheter", "catheters", "cath"}:
        return True
    named = any(name.start < mention.start and mention.end <= name.end for name in document.of(index, "technique"))
    if named or _DEPTH.match(document.folded, mention.end):
        return True
    answered = answer(document, index, mention)
    if answered is Answer.NONE:
        single = any(other.value == "false" for other in document.of(index, "continuous"))
        return single or document.has(index, "technique") or _has_side_of_its_own(document, index, mention)
    return answered is Answer.YES


def _has_side_of_its_own(document: Document, index: int, mention: Mention) -> bool:
    """Return whether a side stands right beside a catheter: "right catheter", "catheter on the left"."""
    return any(
        -1 <= side.start - mention.end <= _BESIDE or -1 <= mention.start - side.end <= 1
        for side in document.of(index, "side")
    )


def _guidance(document: Document, ownership: Ownership, episode: Episode) -> Iterator[Said[Guidance]]:
    seen: set[Guidance] = set()
    for _, mention, meant in _owned(document, ownership, episode, "guidance"):
        guidance = Guidance(mention.value)
        if meant is Assertion.NEGATED or guidance in seen or not _guides(document, mention):
            continue
        seen.add(guidance)
        yield Said(guidance, span_of(mention))


def _guides(document: Document, mention: Mention) -> bool:
    """A bare "landmarks" with ultrasound in the note, or "us" the pronoun, guides nothing."""
    words = document.folded[mention.start : mention.end]
    if words == "us":
        if document.folded.startswith(("-guid", " guid"), mention.end):
            return True
        before = document.folded[max(mention.start - 6, 0) : mention.start]
        return document.text[mention.start : mention.end] == "US" or before.endswith(
            ("under ", "w/ ", "via ", "using ")
        )
    if mention.value == "landmark":
        imaged = any(
            other.value in {"ultrasound", "fluoroscopy", "ct"} and assess(document, at, other) is Assertion.AFFIRMED
            for at, other in document.all("guidance")
        )
        return not imaged or words.endswith(("technique", "guided", "based", "approach"))
    return True


def _image_saved(document: Document, ownership: Ownership, episode: Episode) -> Said[bool] | None:
    for index, mention, meant in _owned(document, ownership, episode, "image"):
        answered = answer(document, index, mention)
        if answered is Answer.BLANK:
            continue
        negated = meant is Assertion.NEGATED or re.search(r"\bnot\b", document.folded[mention.start : mention.end])
        return Said(not negated and answered is not Answer.NO, span_of(mention))
    return None


def _purpose(document: Document, ownership: Ownership, episode: Episode) -> Said[Purpose] | None:
    """Return what the block was for: the most telling purpose the note affirms outside plans and histories.

    At the spine the words beside the name come first: "diagnostic" may be said of the blocks before this one.
    """
    found: dict[Purpose, Said[Purpose]] = {}
    beside: dict[Purpose, Said[Purpose]] = {}
    spinal = episode.key.technique in SPINAL
    if whole := _small_repair(document, episode) or _labor(document, ownership, episode):
        found[Purpose.SURGICAL_ANESTHESIA] = whole
    for index, mention in document.all("purpose"):
        purpose = Purpose(mention.value)
        if document.sentence(index).section == "history":
            continue
        if assess(document, index, mention) in {Assertion.NEGATED, Assertion.HISTORICAL, Assertion.OTHER}:
            continue
        if purpose is Purpose.SURGICAL_ANESTHESIA and not _is_surgical(document, index, mention):
            continue
        if purpose is Purpose.DIAGNOSTIC and episode.key.technique is Technique.RADIOFREQUENCY:
            continue
        said = found.setdefault(purpose, Said(purpose, span_of(mention)))
        if spinal and (ownership.tells(index, episode) or document.sentence(index).section == "purpose"):
            beside.setdefault(purpose, said)
    told = next(((beside or found)[purpose] for purpose in _PURPOSE_RANK if purpose in (beside or found)), None)
    return told or next(_postoperative(document), None)


def _postoperative(document: Document) -> Iterator[Said[Purpose]]:
    """Yield the words for pain of an operation of the day, where the purpose is not said in words of its own."""
    wider = ((i, m) for i, m in document.all("element") if m.concept.attributes.get("says") == Purpose.POSTOPERATIVE)
    pains = ((pain.at, pain.mention) for pain in pain_of_operations(document))
    for index, mention in (*wider, *pains):
        if document.sentence(index).section == "history":
            continue
        if assess(document, index, mention) in {Assertion.AFFIRMED, Assertion.PLANNED}:
            yield Said(Purpose.POSTOPERATIVE, span_of(mention))


def _small_repair(document: Document, episode: Episode) -> Said[Purpose] | None:
    """Return the words for a small repair that a nerve block was the anesthesia of.

    A block of a finger serves any repair the note tells of, a block of another nerve one told of beside it.
    """
    if episode.key.technique is not Technique.OTHER or document.kinds.get("anesthesia"):
        return None
    named = {naming.index for naming in episode.namings}
    for index, mention in document.all("small-repair"):
        beside = not named.isdisjoint({index - 1, index, index + 1})
        if not (beside or episode.key.target in _SMALL_BLOCKS) or document.sentence(index).section == "history":
            continue
        if assess(document, index, mention) in {Assertion.AFFIRMED, Assertion.PLANNED}:
            return Said(Purpose.SURGICAL_ANESTHESIA, span_of(mention))
    return None


def _labor(document: Document, ownership: Ownership, episode: Episode) -> Said[Purpose] | None:
    """Return the words for labor as what an epidural is for: then it is the anesthesia of the birth."""
    if episode.key.technique is not Technique.INTERLAMINAR or _has_target(episode):
        return None
    for index, mention in document.all("labor"):
        if document.sentence(index).section == "history" or ownership.owner(index, *span_of(mention)) is not episode:
            continue
        if assess(document, index, mention) in {Assertion.AFFIRMED, Assertion.PLANNED}:
            return Said(Purpose.SURGICAL_ANESTHESIA, span_of(mention))
    return None


def _has_target(episode: Episode) -> bool:
    """Return whether a name says what an epidural is aimed at, as a blood patch is at a hole."""
    return any(naming.mention.concept.attributes.get("target") for naming in episode.namings)


def _is_surgical(document: Document, index: int, mention: Mention) -> bool:
    """Return whether the block was the anesthetic: "not for surgical anesthesia" says the contrary."""
    sentence = document.sentence(index)
    if sentence.section == HEADING:
        return False
    before = document.folded[max(sentence.start, mention.start - 50) : mention.start]
    if mention.concept.attributes.get("intraoperative"):
        told = document.has(index, "technique", "generic") or sentence.section in {"purpose", "indication"}
        return told and not _NOT_SURGICAL.search(before) and not _OTHER_ANALGESIC.search(before)
    general = any(other.value in {"general", "spinal"} for other in document.of(index, "anesthesia"))
    return not _NOT_SURGICAL.search(before) and not general
