"""Sorts the techniques a note names into blocks: done, planned, done earlier, or not done, and what belongs to each."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
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
_CALLED_OFF = re.compile(
    r"cancel|abort|abandon|declin|refus|defer|terminat|omitted|not (?:be )?(?:performed|done|placed|"
    r"given|attempted|possible)"
    r"|unable to|wasn't|held"
)
_FIELD_WORDS = 8
_VALUE_ENDS = re.compile(r"\s{0,2}(?:\Z|[,;:(.]|right|left|bilat|at\b|th?\d|with\b|single|under\b|x\s?\d)")
_VOLUME = re.compile(r"\d\s?(?:ml|cc)\b")
_SEPARATOR = re.compile(r",|;|\band\b|\bplus\b|\bthen\b|\bwith\b|&|\+|\bfollowed\b")


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two mentions one block: the technique, and its plane or nerve."""

    technique: Technique
    plane: str | None = None


@dataclass(frozen=True, slots=True)
class Naming:
    """One mention of a technique. `soft`: it speaks of the block, but not as done (consent, request)."""

    key: Key
    index: int
    mention: Mention
    status: Status
    soft: bool = False
    strong: bool = False


@dataclass(frozen=True)
class Episode:
    """One block of the note, and the mentions that tell of it."""

    key: Key
    status: Status
    namings: tuple[Naming, ...]


class Ownership:
    """Which block the words at a place belong to."""

    def __init__(self, document: Document, episodes: tuple[Episode, ...]) -> None:
        """Go through the sentences once: words without a technique belong to the block told of last."""
        self._anchors: dict[int, list[tuple[Mention, Episode]]] = {}
        for episode in episodes:
            for naming in episode.namings:
                self._anchors.setdefault(naming.index, []).append((naming.mention, episode))
        self._document = document
        self._default: list[Episode | None] = []
        done = [episode for episode in episodes if episode.status is Status.PERFORMED]
        current = min(done, key=lambda episode: episode.namings[0].mention.start, default=None)
        for index in range(len(document.layout.sentences)):
            anchors = self._anchors.get(index, [])
            anchors.sort(key=lambda anchor: anchor[0].start)
            for _, episode in anchors:
                current = episode if episode.status is Status.PERFORMED else current
            self._default.append(current)

    def owner(self, index: int, start: int, end: int) -> Episode | None:
        """Return the block that `text[start:end]` in sentence `index` belongs to."""
        anchors = self._anchors.get(index)
        if not anchors:
            return self._default[index]
        before = [anchor for anchor in anchors if anchor[0].start <= start]
        after = [anchor for anchor in anchors if anchor[0].start > start]
        if not before or (after and self._leads(before[-1][0].end, start, end, after[0][0].start)):
            return after[0][1]
        return before[-1][1]

    def indices(self, episode: Episode) -> Iterator[int]:
        """Yield the sentences that may hold something of a block."""
        for index, default in enumerate(self._default):
            anchors = self._anchors.get(index)
            if any(owner is episode for _, owner in anchors) if anchors else default is episode:
                yield index

    def names(self, index: int, episode: Episode) -> bool:
        """Return whether the sentence names the block."""
        return any(owner is episode for _, owner in self._anchors.get(index, ()))

    def _leads(self, previous: int, start: int, end: int, following: int) -> bool:
        """Words between two techniques belong to the next where only the previous is cut off ("..., left ESP")."""
        folded = self._document.folded
        return bool(_SEPARATOR.search(folded, previous, max(start, previous))) and not _SEPARATOR.search(
            folded, min(end, following), following
        )


def find_episodes(document: Document) -> tuple[Episode, ...]:
    """Return the blocks the note tells of, in the order they are first named."""
    namings = list(_namings(document))
    namings.extend(_called_off(document, namings))
    namings.extend(_retried(document, namings))
    evidence = _has_evidence(document)
    groups: dict[Key, list[Naming]] = {}
    for naming in sorted(namings, key=lambda naming: naming.mention.start):
        groups.setdefault(naming.key, []).append(naming)
    strong = {naming.key for naming in namings if naming.status is Status.PERFORMED and naming.strong}
    episodes: list[Episode] = []
    for key, group in groups.items():
        if all(naming.mention.concept.attributes.get("weak") for naming in group) and strong - {key}:
            continue
        episodes.extend(_episodes(key, group, evidence))
    return tuple(sorted(episodes, key=lambda episode: episode.namings[0].mention.start))


def _episodes(key: Key, group: list[Naming], evidence: bool) -> Iterator[Episode]:
    """Yield one block for what was done, planned or called off, and one for what lies in the past."""
    past = tuple(naming for naming in group if naming.status is Status.HISTORICAL)
    present = [naming for naming in group if naming.status is not Status.HISTORICAL]
    if past:
        yield Episode(key, Status.HISTORICAL, past)
    done = [n for n in present if n.status is Status.PERFORMED and (n.strong or evidence)]
    off = [naming for naming in present if naming.status is Status.NOT_DONE]
    planned = [naming for naming in present if naming.status is Status.PLANNED]
    if off and not any(naming.mention.start > off[-1].mention.start and naming.strong for naming in done):
        yield Episode(key, Status.NOT_DONE, tuple(off + [n for n in done if not n.strong or n not in off]))
    elif done:
        soft = [naming for naming in planned if naming.soft]
        yield Episode(key, Status.PERFORMED, tuple(sorted(done + soft, key=lambda n: n.mention.start)))
    elif planned:
        yield Episode(key, Status.PLANNED, tuple(planned))


def _namings(document: Document) -> Iterator[Naming]:
    for index, mention in document.all("technique"):
        if not _names_block(document, index, mention):
            continue
        naming = _naming(document, index, mention)
        if naming is not None:
            yield naming


def _names_block(document: Document, index: int, mention: Mention) -> bool:
    """A place or a bare word is the name of a block only where a needle went, or as the value of a field."""
    attributes = mention.concept.attributes
    if attributes.get("field"):
        return _is_field_value(document, index, mention)
    if not attributes.get("weak") or _injected(document, index):
        return True
    return (
        mention.value == Technique.PARAVERTEBRAL
        and _has_evidence(document)
        and any(document.has(at, "needle") for at in (index, index + 1))
    )


def _is_field_value(document: Document, index: int, mention: Mention) -> bool:
    """Return whether a bare "paravertebral" stands as a value: last, or before a place, in few words."""
    sentence = document.sentence(index)
    words = document.folded[sentence.start : sentence.end]
    if len(words.split()) > _FIELD_WORDS or not _VALUE_ENDS.match(document.folded, mention.end, sentence.end):
        return False
    sited = index in document.levels and document.has(index, "side") and _VOLUME.search(words) is not None
    return sited or sentence.section == "title" or sentence.section == "description"


def _injected(document: Document, index: int) -> bool:
    return document.has(index, "injection", "continuous") and document.has(index, "drug", "act", "continuous")


def _key(document: Document, mention: Mention) -> Key:
    plane = mention.concept.attributes.get("plane")
    if mention.concept.attributes.get("nerve"):
        plane = document.folded[mention.start : mention.end].split()[0]
    return Key(Technique(mention.value), plane)


def _naming(document: Document, index: int, mention: Mention) -> Naming | None:
    key, section = _key(document, mention), document.sentence(index).section
    meant = assess(document, index, mention)
    after = _DONE_AFTER.match(document.folded, mention.end, document.sentence(index).end) is not None
    if meant is Assertion.OTHER:
        return None
    if meant is Assertion.NEGATED:
        return _negated(document, index, mention, key)
    if meant is Assertion.HISTORICAL or section == "history":
        now = document.has(index, "today") or (section == "history" and meant is Assertion.AFFIRMED and after)
        if not now:
            return Naming(key, index, mention, Status.HISTORICAL)
    if meant is Assertion.PLANNED and not after:
        return Naming(key, index, mention, Status.PLANNED, soft=_soft(document, index))
    return _affirmed(document, index, mention, key, after)


def _negated(document: Document, index: int, mention: Mention, key: Key) -> Naming | None:
    words = document.folded[mention.start : mention.end]
    past = any(trigger.value == "historical" for trigger in document.of(index, "trigger"))
    if "catheter" in words or past:
        return None
    return Naming(key, index, mention, Status.NOT_DONE)


def _soft(document: Document, index: int) -> bool:
    """A plan is soft where only the block is planned ("consent for"), not where the sentence is ("tomorrow")."""
    return document.sentence(index).section != "plan" and not any(
        trigger.value == "planned" and not trigger.concept.attributes.get("technique_only")
        for trigger in document.of(index, "trigger")
    )


def _affirmed(document: Document, index: int, mention: Mention, key: Key, after: bool) -> Naming | None:
    section = document.sentence(index).section
    acted = after or document.has(index, "act", "injection")
    if section == "plan" and not acted:
        return Naming(key, index, mention, Status.PLANNED)
    told = index in document.levels and document.has(index, "drug")
    if section in SOFT and not acted and not told:
        return Naming(key, index, mention, Status.PLANNED, soft=True)
    if section == "anesthesia" and key.technique is Technique.INTERLAMINAR:
        return None
    strong = acted or section in NAMING or section == "anesthesia" or _detailed(document, index)
    return Naming(key, index, mention, Status.PERFORMED, strong=strong)


def _detailed(document: Document, index: int) -> bool:
    """Return whether the sentence says more than the name: where, with what, how."""
    return index in document.levels or document.has(index, "side", "drug", "guidance", "continuous")


def _has_evidence(document: Document) -> bool:
    """Return whether anything in the note tells of an injection being made."""
    return any(
        document.sentence(index).section not in {"plan", "history"} for index, _ in document.all("drug", "injection")
    )


def _called_off(document: Document, namings: Iterable[Naming]) -> Iterator[Naming]:
    """Yield the block meant where "the procedure" was called off: the one named last before."""
    ordered = sorted((n for n in namings if n.status is not Status.HISTORICAL), key=lambda n: n.mention.start)
    starts = [naming.mention.start for naming in ordered]
    for index, generic in document.all("generic"):
        if any(name.start <= generic.start < name.end for name in document.of(index, "technique")):
            continue
        place = bisect_left(starts, generic.start)
        if place and _is_called_off(document, index, generic):
            yield Naming(ordered[place - 1].key, index, generic, Status.NOT_DONE)


def _retried(document: Document, namings: Iterable[Naming]) -> Iterator[Naming]:
    """Yield the block that a failed first attempt was of, where a later attempt is told of."""
    ordered = sorted(namings, key=lambda n: n.mention.start)
    starts = [naming.mention.start for naming in ordered]
    for index, retry in document.all("retry"):
        place = bisect_left(starts, retry.start)
        failed = ordered[place - 1] if place else None
        if failed and failed.status is Status.NOT_DONE and assess(document, index, retry) is Assertion.AFFIRMED:
            yield Naming(failed.key, index, retry, Status.PERFORMED, strong=True)


def _is_called_off(document: Document, index: int, generic: Mention) -> bool:
    for trigger in document.of(index, "trigger"):
        if trigger.value != "negated" or not _CALLED_OFF.search(document.folded[trigger.start : trigger.end]):
            continue
        gap = document.folded[generic.end : trigger.start] or document.folded[trigger.end : generic.start]
        if len(gap.split()) <= 3 and not _SEPARATOR.search(gap):
            return True
    return False
