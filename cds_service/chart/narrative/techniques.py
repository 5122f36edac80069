"""Sorts the techniques a note names into blocks: done, planned, done earlier, or not done, and what belongs to each."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cds_service.chart.model import Technique
from cds_service.chart.narrative.assertion import Assertion, assess
from cds_service.chart.narrative.document import Document
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.lexicon import Mention
from cds_service.chart.narrative.naming import Key, Naming, find_namings, has_evidence, is_said_done, is_weak
from cds_service.chart.narrative.reading import Status

_CALLED_OFF = re.compile(
    r"cancel|reschedul|abort|abandon|declin|refus|defer|terminat|omitted|not (?:be )?(?:performed|done|placed|"
    r"given|attempted|possible|started|begun|commenced|undertaken|pursued|carried out)|never|avoided|called off|"
    r"given up|stopped|halted|interrupted|skipped|scratched|scrapped|fore?gone|not (?:go |proceed|take place)|"
    r"unable to|wasn't|held"
)
_BLOCK_DONE = re.compile(r"\s(?:(?:was|were|then|has been|successfully)\s){0,3}(?:done|performed|placed|completed)\b")
"""After "block", without its name: "asked for a femoral block in PACU; block done"."""
_CATHETER_PLACED = re.compile(r"(?:catheter|\bcath) (?:(?:was|then|successfully)\s){0,3}(?:placed|inserted|threaded)\b")
_SIDE_BEFORE = re.compile(r"\b(right|left|rt|lt|[rl])(?:[\s\-]sided?)?[\s\-]{1,2}(?:[a-z0-9]{1,12}[\s\-]{1,2}){0,2}\Z")
_LEAFLET = 2
_RELIEF = re.compile(r"\b(?:relief|relieved|positive|concordant|success\w*|responded|response|improvement)\b|\d ?%")
_NEXT_TO = 7
"""Characters between a level and the injection there: "T6 injection", "T6 level block"."""
_CATHETER = re.compile(r"catheter|infusion|continuous|cpvb")
_ON_A_DAY = re.compile(r"\s{1,2}(?:on\s)?(?:\d{1,2}/\d{1,2}\b|yesterday|last\s)")
_PLACED_ON = re.compile(rf"\b(?:placed|inserted)(?={_ON_A_DAY.pattern})")
"""A catheter that a note gives a day of its own was there before the note."""
_ENDS = re.compile(r"\s{0,2}(?:\Z|[.;,\n]|it\b|the (?:block|procedure)|this\b|block\b|and\b)")
_VOLUME = re.compile(r"\d\s?(?:ml|cc)\b")
_GAUGE = re.compile(r"\b(?:1[6-9]|2[0-7])\s?g(?:a|auge)?\b")
_STOPPED = re.compile(
    r"\b(?:attempt\w*|stopp\w*|halt\w*|terminat\w*|abort\w*|abandon\w*|discontinued|could not|couldn't|unable|"
    r"withdrawn|removed|no (?:sedation |regional |nerve )?(?:or |nor )?block|no injection|postponed|cancel\w*|"
    r"declin\w*|refus\w*)\b"
)
"""What else is told where nothing was injected; "nothing was given for sedation" alone stops no block."""
_WENT_IN = frozenset({"injected", "deposited", "administered", "instilled", "infiltrated"})
SEPARATOR = re.compile(r",|;|\band\b|\bplus\b|\bthen\b|\bwith\b|&|\+|\b(?:followed|so|but|instead|therefore)\b")
"""What cuts words off from the technique beside them."""


SPINAL = frozenset(
    {
        Technique.FACET,
        Technique.SYMPATHETIC,
        Technique.TRANSFORAMINAL,
        Technique.INTERLAMINAR,
        Technique.RADIOFREQUENCY,
    }
)
"""Techniques at the spine, for pain more than for an operation."""
_SERIES = {"first": 1, "1st": 1, "initial": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3}
_IN_SERIES = re.compile(
    rf"\b({'|'.join(_SERIES)})\s{{1,3}}(?:(?:set|round|series|of|diagnostic|confirmatory|therapeutic|right|left|bilateral|lumbar|"
    r"cervical|thoracic)\s{1,3}){0,4}\Z"
)


@dataclass(frozen=True)
class Episode:
    """One block of the note, and the mentions that tell of it."""

    key: Key
    status: Status
    namings: tuple[Naming, ...]


def find_episodes(document: Document) -> tuple[Episode, ...]:
    """Return the blocks the note tells of, in the order they are first named."""
    namings = list(_as_the_note_is_meant(document, find_namings(document)))
    namings.extend(_called_off(document, namings))
    namings.extend(_refused(document, namings))
    namings.extend(_uninjected(document, namings))
    namings.extend(_retried(document, namings))
    namings.extend(_then_done(document, namings))
    namings = list(_of_one_ganglion(_in_series(document, namings)))
    injected = has_evidence(document, "injection") or _is_block_said_done(document)
    evidence = injected or has_evidence(document, "drug")
    groups: dict[Key, list[Naming]] = {}
    for naming in sorted(namings, key=lambda naming: naming.mention.start):
        groups.setdefault(naming.key, []).append(naming)
    if any(key.plane for key in groups):  # "fascial plane block" is then what the named plane's is called
        groups.pop(Key(Technique.FASCIAL_PLANE), None)
    strong = {naming.key for naming in namings if naming.status is Status.PERFORMED and naming.strong}
    episodes: list[Episode] = []
    for key, group in groups.items():
        named = [naming for naming in group if not is_weak(naming.mention)] if strong - {key} else group
        if named:
            episodes.extend(_episodes(document, key, named, evidence, injected))
    return tuple(sorted(episodes, key=lambda episode: episode.namings[0].mention.start))


def _is_block_said_done(document: Document) -> bool:
    """Return whether "the block" is said to have been done, where its name only says what was asked for."""
    return any(
        done.match(document.folded, mention.end) or done.search(document.folded, mention.start, mention.end)
        for kind, done in (("generic", _BLOCK_DONE), ("continuous", _CATHETER_PLACED))
        for index, mention in document.all(kind)
        if document.sentence(index).section not in {"plan", "history"}
        and mention.value != "false"
        and assess(document, index, mention) is Assertion.AFFIRMED
    )


def _in_series(document: Document, namings: Sequence[Naming]) -> list[Naming]:
    """Return the namings; what is called the first, beside a second, was done earlier."""
    places = {id(naming): _place_in_series(document, naming) for naming in namings}
    latest: dict[Key, int] = {}
    for naming in namings:
        latest[naming.key] = max(latest.get(naming.key, 0), places[id(naming)])
    return [
        replace(naming, status=Status.HISTORICAL)
        if 0 < places[id(naming)] < latest[naming.key] and naming.status is Status.PERFORMED
        else naming
        for naming in namings
    ]


def _place_in_series(document: Document, naming: Naming) -> int:
    found = _IN_SERIES.search(document.folded, max(naming.mention.start - 60, 0), naming.mention.start)
    return _SERIES[found[1]] if found else 0


def _of_one_ganglion(namings: Sequence[Naming]) -> Iterator[Naming]:
    """Yield the namings, "sympathetic block" alone as that of the ganglion named last before it, or else after it."""
    aimed = sorted(
        (n for n in namings if n.key.technique is Technique.SYMPATHETIC and n.key.target), key=lambda n: n.mention.start
    )
    starts = [naming.mention.start for naming in aimed]
    for naming in namings:
        if aimed and naming.key.technique is Technique.SYMPATHETIC and not naming.key.target:
            meant = aimed[max(bisect_left(starts, naming.mention.start) - 1, 0)]
            yield replace(naming, key=meant.key)
        else:
            yield naming


def _episodes(document: Document, key: Key, group: list[Naming], evidence: bool, injected: bool) -> Iterator[Episode]:
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
    if done and off and (_on_other_sides(document, done, off) or _aimed_otherwise(done, off)):
        yield Episode(key, Status.NOT_DONE, tuple(off))
        yield Episode(key, Status.PERFORMED, tuple(done))
    elif off and not any(naming.mention.start > off[-1].mention.start and naming.strong for naming in done):
        named = [naming for naming in planned + done if naming.mention.start < off[-1].mention.start]
        yield Episode(key, Status.NOT_DONE, tuple(sorted(named + off, key=lambda n: n.mention.start)))
    elif done:
        soft = [naming for naming in planned if naming.soft]
        yield Episode(key, Status.PERFORMED, tuple(sorted(done + soft, key=lambda n: n.mention.start)))
    elif planned:
        yield Episode(key, Status.PLANNED, tuple(planned))


def _on_other_sides(document: Document, done: list[Naming], off: list[Naming]) -> bool:
    """Return whether what was called off is the block of the other side: "Left PVB not performed"."""
    of_done = {side for naming in done if (side := _side_before(document, naming))}
    of_off = {_side_before(document, naming) for naming in off}
    return bool(of_done) and None not in of_off and not of_done & of_off


def _aimed_otherwise(done: list[Naming], off: list[Naming]) -> bool:
    """Return whether what was called off is aimed at something else: the nerves, where the joint was injected."""
    of_done = {naming.mention.concept.attributes.get("target") for naming in done} - {None}
    of_off = {naming.mention.concept.attributes.get("target") for naming in off}
    return bool(of_done) and None not in of_off and not of_done & of_off


def _side_before(document: Document, naming: Naming) -> str | None:
    """Return "r" or "l" where the side stands right before the name."""
    found = _SIDE_BEFORE.search(document.folded, max(naming.mention.start - 40, 0), naming.mention.start)
    return found[1][0] if found else None


def _as_the_note_is_meant(document: Document, namings: Iterable[Naming]) -> Iterator[Naming]:
    """Yield the namings as what the whole note is for lets them be read.

    A leaflet or a consent form tells of what may be done; a summary of a stay, or a round on a catheter, of what was
    done on an earlier day.
    """
    leaflet = _is_leaflet(document)
    round_ = not leaflet and _is_round(document)
    visit = not leaflet and _is_visit(document)
    namings = list(namings)
    ablated = any(n.key.technique is Technique.RADIOFREQUENCY and n.status is Status.PERFORMED for n in namings)
    for naming in namings:
        if naming.status is not Status.PERFORMED:
            yield naming
        elif leaflet and not is_said_done(document, naming.index, naming.mention):
            yield replace(naming, status=Status.PLANNED, soft=True, strong=False)
        elif (
            (visit and _is_told_at_visit(document, naming))
            or _is_summed_up(document, naming)
            or (round_ and _is_older_catheter(document, naming))
            or (ablated and _led_to_ablation(document, naming))
        ):
            yield replace(naming, status=Status.HISTORICAL)
        else:
            yield naming


def _is_leaflet(document: Document) -> bool:
    """Return whether the text speaks to the patient, or for the patient who signs."""
    words = [mention.value for _, mention in document.all("leaflet")]
    return ("signed" in words or len(words) >= _LEAFLET) and _VOLUME.search(document.folded) is None


def _is_round(document: Document) -> bool:
    """Return whether the note follows a catheter up: it says so, and no needle or probe is told of but with a date."""
    if not document.kinds.get("follow-up") or document.kinds.get("needle"):
        return False
    return not document.kinds.get("guidance") or _PLACED_ON.search(document.folded) is not None


def _is_visit(document: Document) -> bool:
    """Return whether the note is of a visit: it says so, and no needle, image or volume is told of."""
    done = has_evidence(document, "needle", "guidance")
    return bool(document.kinds.get("visit")) and not done and _VOLUME.search(document.folded) is None


def _is_told_at_visit(document: Document, naming: Naming) -> bool:
    """Return whether a block at the spine is one of those before the visit: no heading names it, nor "today"."""
    headed = document.sentence(naming.index).section in {"title", HEADING}
    return naming.key.technique in SPINAL and not headed and not document.has(naming.index, "today")


def _is_summed_up(document: Document, naming: Naming) -> bool:
    """Return whether a summary of a stay names the block, and not as one of today; the note of a block has a needle."""
    summary = document.kinds.get("summary") and not document.kinds.get("needle")
    return bool(summary) and not document.has(naming.index, "today")


def _led_to_ablation(document: Document, naming: Naming) -> bool:
    """Return whether blocks are told by their relief in a note of radiofrequency: those before it, that allow it."""
    if naming.key.technique is not Technique.FACET or naming.index in document.levels:
        return False
    sentence = document.sentence(naming.index)
    return _RELIEF.search(document.folded, sentence.start, sentence.end) is not None


def _is_older_catheter(document: Document, naming: Naming) -> bool:
    mention = naming.mention
    words = document.folded[mention.start : mention.end + 12]
    return _CATHETER.search(words) is not None and not _is_placed(document, naming)


def _is_placed(document: Document, naming: Naming) -> bool:
    return any(
        document.folded[act.start : act.end] in {"placed", "inserted", "performed", "threaded"}
        and not _ON_A_DAY.match(document.folded, act.end)
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


def _uninjected(document: Document, namings: Iterable[Naming]) -> Iterator[Naming]:
    """Yield the block whose needle was withdrawn before anything was injected: no volume went in but in the skin."""
    ordered = sorted(namings, key=lambda n: n.mention.start)
    starts = [naming.mention.start for naming in ordered]
    for index, said in document.all("uninjected"):
        place = bisect_left(starts, said.end)
        if not place or ordered[place - 1].status is Status.HISTORICAL:
            continue
        unused = said.value == "unused" and not document.kinds.get("needle")
        stopped = _STOPPED.search(document.folded, ordered[place - 1].mention.start, said.end)
        if unused or (stopped and not _has_volume(document)):
            yield Naming(ordered[place - 1].key, index, said, Status.NOT_DONE)


def _has_volume(document: Document) -> bool:
    return any(
        _VOLUME.search(document.folded, sentence.start, sentence.end) and not document.has(index, "skin", "substance")
        for index, sentence in enumerate(document.layout.sentences)
        if sentence.section not in {"plan", "history"}
    )


def _called_off(document: Document, namings: Iterable[Naming]) -> Iterator[Naming]:
    """Yield the block meant where "the procedure" was called off: the one named last before."""
    ordered = sorted((n for n in namings if n.status is not Status.HISTORICAL), key=lambda n: n.mention.start)
    starts = [naming.mention.start for naming in ordered]
    for index, generic in document.all("generic"):
        if any(name.start <= generic.start < name.end for name in document.of(index, "technique")):
            continue
        place = bisect_left(starts, generic.start)
        if (
            place
            and _is_called_off(document, index, generic)
            and not _is_aimed_elsewhere(document, index, generic, ordered[place - 1])
            and not _is_of_one_level(document, index, generic)
        ):
            yield Naming(ordered[place - 1].key, index, generic, Status.NOT_DONE)


def _is_aimed_elsewhere(document: Document, index: int, generic: Mention, naming: Naming) -> bool:
    """Return whether "injection" has another aim than the block: "intra-articular injection" beside nerves."""
    aim = next((aim.value for aim in document.of(index, "target") if 0 <= generic.start - aim.end <= 1), None)
    own = naming.mention.concept.attributes.get("target")
    return aim is not None and own is not None and aim != own


def _is_of_one_level(document: Document, index: int, generic: Mention) -> bool:
    """Return whether "injection" is that at one of several levels: "the T6 injection was not done"."""
    beside = [level for level in document.levels.get(index, ()) if 0 <= generic.start - level.end <= _NEXT_TO]
    return bool(beside) and len({level.name for levels in document.levels.values() for level in levels}) > 1


def _is_called_off(document: Document, index: int, generic: Mention) -> bool:
    for trigger in document.of(index, "trigger"):
        if trigger.value != "negated" or not _CALLED_OFF.search(document.folded[trigger.start : trigger.end]):
            continue
        gap = document.folded[generic.end : trigger.start] or document.folded[trigger.end : generic.start]
        if len(gap.split()) <= 3 and not SEPARATOR.search(gap):
            return True
    return False


def _retried(document: Document, namings: Iterable[Naming]) -> Iterator[Naming]:
    """Yield the block that a failed first attempt was of, where a later attempt is told of."""
    ordered = sorted(namings, key=lambda n: n.mention.start)
    starts = [naming.mention.start for naming in ordered]
    for index, retry in document.all("retry"):
        place = bisect_left(starts, retry.start)
        failed = ordered[place - 1] if place else None
        if failed and failed.status is Status.NOT_DONE and assess(document, index, retry) is Assertion.AFFIRMED:
            yield Naming(failed.key, index, retry, Status.PERFORMED, strong=True)


def _then_done(document: Document, namings: Sequence[Naming]) -> Iterator[Naming]:
    """Yield the one block planned, where its injection is then told of: "PVB planned at T4. T4: 10 mL injected"."""
    namings = [naming for naming in namings if naming.status is not Status.HISTORICAL]
    if {naming.status for naming in namings} != {Status.PLANNED} or len({naming.key for naming in namings}) > 1:
        return
    if any(trigger.value == "other" for _, trigger in document.all("trigger")):  # a trial tells what will be done
        return
    planned = min(namings, key=lambda naming: naming.mention.start)
    if _is_for_today(document, planned.index):
        yield replace(planned, soft=True)
    for index, injection in document.all("injection"):
        if index > planned.index and _is_injection_made(document, index, injection):
            yield replace(planned, index=index, status=Status.PERFORMED, soft=False, strong=True)
    for index, drug in document.all("drug"):
        if index > planned.index and _is_dose_given(document, index, drug):
            yield replace(planned, index=index, status=Status.PERFORMED, soft=False, strong=True)


def _is_for_today(document: Document, index: int) -> bool:
    """Return whether a sentence stands in the plan of the day: "Plan today: right PVB"."""
    heading = document.sentence(index - 1) if index else None
    if heading is None or heading.section != HEADING:
        return False
    return "today" in document.folded[heading.start : heading.end]


def _is_dose_given(document: Document, index: int, drug: Mention) -> bool:
    """Return whether a volume of a drug follows an aspiration through the needle: "Neg asp. 5 ml ropi 0.2% slow"."""
    sentence = document.sentence(index)
    if sentence.section in {"plan", "history"} or document.has(index, "skin") or not _has_needle(document):
        return False
    aspirated = any(
        element.value == "aspiration" for at in range(index - 2, index + 1) for element in document.of(at, "element")
    )
    volume = _VOLUME.search(document.folded, sentence.start, sentence.end)
    return aspirated and volume is not None and assess(document, index, drug) is Assertion.AFFIRMED


def _has_needle(document: Document) -> bool:
    """Return whether a needle, by its name or its gauge, was guided."""
    named = document.kinds.get("needle") or _GAUGE.search(document.folded)
    return bool(named) and bool(document.kinds.get("guidance"))


def _is_injection_made(document: Document, index: int, injection: Mention) -> bool:
    """Return whether a volume is said to have gone in, at a level or through the needle of a block."""
    sentence = document.sentence(index)
    if sentence.section in {"plan", "history"} or document.has(index, "skin", "substance"):
        return False
    said = document.folded[injection.start : injection.end] in _WENT_IN
    placed = any(at in document.levels for at in (index - 1, index)) or document.kinds.get("needle")
    volume = _VOLUME.search(document.folded, sentence.start, sentence.end)
    return said and bool(placed and volume) and assess(document, index, injection) is Assertion.AFFIRMED
