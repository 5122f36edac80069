"""Sorts the techniques a note names into blocks: done, planned, done earlier, or not done, and what belongs to each."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

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
_DEFINED = re.compile(
    r"\s{0,2}(?:\([^)]{0,20}\)\s{0,2})?(?:(?:is|are)\s(?:an?|one|used|done|given|called|injections?)\b|\?)"
)
"""After its name: the words of an explanation ("a paravertebral block is an injection ..."), or a question mark."""
_MANY = re.compile(r"(?<![\w./\-])(?:1[3-9]|[2-9]\d|\d{3,4})\s(?:[a-z]{1,12}\s)?\Z")
_IN_A_YEAR = re.compile(r"[^.;,\n\d]{0,12}(?:(?:0?[1-9]|1[0-2])/)?(?:19|20)\d\d(?![\d/\-])")
"""A month or a year dates what was done earlier; today's block has a day: "PVB 11/2018", "RFA 2020"."""
_IN_AID = re.compile(
    r"\bfor (?:(?:an?|the|her|his|their|planned|scheduled|right|left|bilateral|rt|lt|[rl]|thoracic|lumbar|single|"
    r"shot|us|guided|ultrasound)[\s\-])*\Z"
)
"""Before its name: what something else is for, "time out for right PVB", "ropivacaine for PVB, dispense"."""
_ITS_PAPERS = re.compile(
    r" {1,3}(?:consult\w*|evaluation|teaching|education|request|referral|orders?|consent|candidate|checklist|assessment)\b"
)
_TITLE_LENGTH = 120
_TITLE_PARTS = 3
_BLOCK_WORDS = re.compile(r"\b(?:blocks?|injections?|catheter|c?pnb|regional)\b")
_TICKED_BEFORE = re.compile(r"[\[(] ?[x*] ?[\])] ?\Z")
_LEAFLET = 2
_CATHETER = re.compile(r"catheter|infusion|continuous|cpvb")
_FIELD_WORDS = 8
_VALUE_ENDS = re.compile(r"\s{0,2}(?:\Z|[,;:(.]|right|left|bilat|at\b|th?\d|with\b|single|under\b|x\s?\d)")
_ENDS = re.compile(r"\s{0,2}(?:\Z|[.;,\n]|it\b|the (?:block|procedure)|this\b|block\b|and\b)")
_VOLUME = re.compile(r"\d\s?(?:ml|cc)\b")
SEPARATOR = re.compile(r",|;|\band\b|\bplus\b|\bthen\b|\bwith\b|&|\+|\b(?:followed|so|but|instead|therefore)\b")
"""What cuts words off from the technique beside them."""


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
    in_aid: bool = False
    """Something else is said to be for it: done only where an injection is told of too."""


@dataclass(frozen=True)
class Episode:
    """One block of the note, and the mentions that tell of it."""

    key: Key
    status: Status
    namings: tuple[Naming, ...]


def find_episodes(document: Document) -> tuple[Episode, ...]:
    """Return the blocks the note tells of, in the order they are first named."""
    namings = list(_as_the_note_is_meant(document, _namings(document)))
    namings.extend(_called_off(document, namings))
    namings.extend(_refused(document, namings))
    namings.extend(_retried(document, namings))
    evidence, injected = _has_evidence(document, "drug", "injection"), _has_evidence(document, "injection")
    groups: dict[Key, list[Naming]] = {}
    for naming in sorted(namings, key=lambda naming: naming.mention.start):
        groups.setdefault(naming.key, []).append(naming)
    strong = {naming.key for naming in namings if naming.status is Status.PERFORMED and naming.strong}
    episodes: list[Episode] = []
    for key, group in groups.items():
        if all(naming.mention.concept.attributes.get("weak") for naming in group) and strong - {key}:
            continue
        episodes.extend(_episodes(key, group, evidence, injected))
    return tuple(sorted(episodes, key=lambda episode: episode.namings[0].mention.start))


def _episodes(key: Key, group: list[Naming], evidence: bool, injected: bool) -> Iterator[Episode]:
    """Yield one block for what was done, planned or called off, and one for what lies in the past."""
    past = tuple(naming for naming in group if naming.status is Status.HISTORICAL)
    present = [naming for naming in group if naming.status is not Status.HISTORICAL]
    if past:
        yield Episode(key, Status.HISTORICAL, past)
    done = [n for n in present if n.status is Status.PERFORMED and (n.strong or evidence)]
    if all(naming.in_aid for naming in done) and not injected:
        done = []
    off = [naming for naming in present if naming.status is Status.NOT_DONE]
    planned = [naming for naming in present if naming.status is Status.PLANNED]
    if off and not any(naming.mention.start > off[-1].mention.start and naming.strong for naming in done):
        named = [naming for naming in planned + done if naming.mention.start < off[-1].mention.start]
        yield Episode(key, Status.NOT_DONE, tuple(sorted(named + off, key=lambda n: n.mention.start)))
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


def _as_the_note_is_meant(document: Document, namings: Iterable[Naming]) -> Iterator[Naming]:
    """Yield the namings as what the whole note is for lets them be read.

    A leaflet or a consent form tells of what may be done; a round on a catheter, of what was done on an earlier day.
    """
    leaflet = _is_leaflet(document)
    round_ = not leaflet and _is_round(document)
    for naming in namings:
        if naming.status is not Status.PERFORMED:
            yield naming
        elif leaflet and not _is_told_as_done(document, naming):
            yield replace(naming, status=Status.PLANNED, soft=True, strong=False)
        elif round_ and _is_older_catheter(document, naming):
            yield replace(naming, status=Status.HISTORICAL)
        else:
            yield naming


def _is_leaflet(document: Document) -> bool:
    """Return whether the text speaks to the patient, or for the patient who signs."""
    words = [mention.value for _, mention in document.all("leaflet")]
    return ("signed" in words or len(words) >= _LEAFLET) and _VOLUME.search(document.folded) is None


def _is_told_as_done(document: Document, naming: Naming) -> bool:
    return _DONE_AFTER.match(document.folded, naming.mention.end, document.sentence(naming.index).end) is not None


def _is_round(document: Document) -> bool:
    """Return whether the note follows a catheter up: it says so, and no needle or probe is told of."""
    return bool(document.kinds.get("follow-up")) and not (
        document.kinds.get("needle") or document.kinds.get("guidance")
    )


def _is_older_catheter(document: Document, naming: Naming) -> bool:
    mention = naming.mention
    words = document.folded[mention.start : mention.end + 12]
    return _CATHETER.search(words) is not None and not _is_placed(document, naming)


def _is_placed(document: Document, naming: Naming) -> bool:
    return any(
        document.folded[act.start : act.end] in {"placed", "inserted", "performed", "threaded"}
        for act in document.of(naming.index, "act")
    )


def _refused(document: Document, namings: Iterable[Naming]) -> Iterator[Naming]:
    """Yield the planned block that the patient is then said to have refused: "PVB planned; pt refused"."""
    ordered = sorted(namings, key=lambda n: n.mention.start)
    starts = [naming.mention.start for naming in ordered]
    for index, refusal in document.all("refused"):
        place = bisect_left(starts, refusal.start)
        meant = ordered[place - 1] if place else None
        if meant is not None and meant.status is Status.PLANNED and _ENDS.match(document.folded, refusal.end):
            yield Naming(meant.key, index, refusal, Status.NOT_DONE)


def _is_title(document: Document) -> bool:
    """Return whether the text is a short title ("Nerve block, paravertebral (T5), left"), as the text of a code is."""
    if len(document.folded) > _TITLE_LENGTH or len(document.layout.sentences) > _TITLE_PARTS:
        return False
    words = document.folded.strip()
    return " " in words and not any(stop in words for stop in ("\n", ". ", "?"))


def _names_block(document: Document, index: int, mention: Mention) -> bool:
    """A place or a bare word is the name of a block only where a needle went, or as the value of a field."""
    attributes = mention.concept.attributes
    if _DEFINED.match(document.folded, mention.end) or _counts_many(document, mention):
        return False
    if attributes.get("field"):
        return _is_field_value(document, index, mention)
    if not attributes.get("weak") or _injected(document, index):
        return True
    return (
        mention.value == Technique.PARAVERTEBRAL
        and _has_evidence(document, "drug", "injection")
        and any(document.has(at, "needle") for at in (index, index + 1))
    )


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
    if _is_title(document) and _BLOCK_WORDS.search(document.folded):
        return True
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
    if any(day.end <= mention.start for day in document.of(index, "days-after")):
        meant = max(meant, Assertion.HISTORICAL)
    if _IN_A_YEAR.match(document.folded, mention.end):
        meant = max(meant, Assertion.HISTORICAL)
    if _is_given_up(document, index, mention):
        meant = max(meant, Assertion.NEGATED)
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


def _is_given_up(document: Document, index: int, mention: Mention) -> bool:
    """Return whether another technique took this one's place: "ESP attempted, converted to PVB"."""
    swap = next((swap for swap in document.of(index, "swapped") if swap.start >= mention.end), None)
    if swap is None:
        return False
    return any(other.start >= swap.end for other in document.of(index, "technique")) and not any(
        mention.end <= other.start < swap.start for other in document.of(index, "technique")
    )


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
    if not acted and _is_in_aid(document, mention):
        return Naming(key, index, mention, Status.PERFORMED, in_aid=True)
    strong = acted or section in NAMING or section == "anesthesia" or _detailed(document, index) or _is_title(document)
    return Naming(key, index, mention, Status.PERFORMED, strong=strong)


def _is_in_aid(document: Document, mention: Mention) -> bool:
    folded = document.folded
    before = _IN_AID.search(folded, max(mention.start - 60, 0), mention.start)
    return before is not None or _ITS_PAPERS.match(folded, mention.end) is not None


def _detailed(document: Document, index: int) -> bool:
    """Return whether the sentence says more than the name: where, with what, how."""
    return index in document.levels or document.has(index, "side", "drug", "guidance", "continuous")


def _has_evidence(document: Document, *kinds: str) -> bool:
    """Return whether anything of these kinds in the note tells of an injection being made."""
    return any(document.sentence(index).section not in {"plan", "history"} for index, _ in document.all(*kinds))


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
        if len(gap.split()) <= 3 and not SEPARATOR.search(gap):
            return True
    return False
