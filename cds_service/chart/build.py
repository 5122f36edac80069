"""From a record to charts: the facts of each encounter that has a block, or a block code, in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain, islice

from cds_service.chart import bounds, orders, procedures
from cds_service.chart.addenda import Corrections, find_corrections
from cds_service.chart.assembly import Assembled, assemble
from cds_service.chart.claims import bills, claim_facts, reported_codes
from cds_service.chart.coverage import coverages
from cds_service.chart.diagnoses import condition_diagnoses
from cds_service.chart.drugs import drug_statements
from cds_service.chart.episodes import Episode, all_episodes, encounters_of, of_encounter, patient_of_episode
from cds_service.chart.evidence import block_from, statements_from
from cds_service.chart.history import History
from cds_service.chart.identity import is_of_another, own_patient, patient_of
from cds_service.chart.model import (
    AnesthesiaType,
    Block,
    Chart,
    ClaimFacts,
    Contradiction,
    DiagnosisFacts,
    Fact,
    Line,
    Operation,
    Origin,
    PastSession,
    Side,
    Statement,
)
from cds_service.chart.narrative.effort import ran_out
from cds_service.chart.narrative.reader import mentions_block
from cds_service.chart.narrative.reading import Status
from cds_service.chart.notes import Note, notes, notes_state
from cds_service.chart.pain import pain_statements
from cds_service.chart.telling import Telling
from cds_service.chart.vocabulary import Vocabulary
from cds_service.fhir.reading import date_of, items, member
from cds_service.fhir.record import Entry, KeyState, PrefetchKey, Record
from cds_service.fhir.relations import amended, in_order
from cds_service.fhir.validate import problem


def chart_of_orders(record: Record, vocabulary: Vocabulary) -> Chart | None:
    """Return the chart of the draft orders of a request, or None where none of them is about a block."""
    own = own_patient(record)
    drafts = [order for order in record.draft_orders if not is_of_another(order, own, record)]
    if len(drafts) > bounds.MOST_ORDERS:
        left_out = ("draftOrders", bounds.MANY_ORDERS)
        return Chart(encounter=_encounter_reference(record), date_of_service=None, not_read=(left_out,))
    if not any(orders.is_block_order(order, vocabulary) for order in drafts):
        return None
    facts = tuple(fact for order in drafts if (fact := orders.order_facts(order, vocabulary)) is not None)
    told = [Telling(block, Status.PERFORMED) for order in drafts for block in orders.ordered_blocks(order, vocabulary)]
    blocks = assemble(told).blocks
    day = next((block.service_date for block in blocks if block.service_date), None)
    return Chart(
        encounter=_encounter_reference(record),
        date_of_service=day,
        blocks=blocks,
        orders=facts,
        coverages=coverages(record, own, day),
        contradictions=tuple(dispute for order in drafts for dispute in orders.side_disputes(order, vocabulary))[:1],
        not_read=(
            *((fact.reference, "not valid FHIR R4, so no correction is offered") for fact in facts if not fact.valid),
            *_left_out(order.reference for order in record.draft_orders if order not in drafts),
            # Who pays decides the rules; the rest of the record is not needed for orders.
            *((unread.subject, unread.reason) for unread in record.unread if unread.subject == PrefetchKey.COVERAGE),
            *_too_much_text(),
        ),
    )


def chart_of_encounter(record: Record, vocabulary: Vocabulary) -> Chart | None:
    """Return the chart of the encounter a request is about, or None where no block was done or reported in it."""
    encounter = _encounter_reference(record)
    if encounter is None:
        return None
    return next(_charts_with_block((of_encounter(record, encounter),), record, vocabulary), None)


def all_charts(record: Record, vocabulary: Vocabulary) -> tuple[Chart, ...]:
    """Return a chart for each encounter (or day) with a block or a block code; a single encounter always has one.

    Raises `TooMuchError` where there are more than are judged at once.
    """
    episodes = all_episodes(record)
    found = tuple(islice(_charts_with_block(episodes, record, vocabulary), bounds.MOST_ENCOUNTERS + 1))
    if len(found) > bounds.MOST_ENCOUNTERS:
        raise bounds.TooMuchError(f"There are blocks in more than {bounds.MOST_ENCOUNTERS} encounters or days")
    encounters = [episode for episode in episodes if episode.encounter is not None]
    if found or len(encounters) != 1:
        return found
    return (_chart(encounters[0], record, vocabulary, History(record, vocabulary)),)


def _charts_with_block(episodes: Iterable[Episode], record: Record, vocabulary: Vocabulary) -> Iterator[Chart]:
    history = History(record, vocabulary)
    for episode in episodes:
        if is_relevant(episode, vocabulary):
            chart = _chart(episode, record, vocabulary, history)
            left_out = not chart.claims and (PrefetchKey.CLAIMS.value, bounds.MANY_LINES) in chart.not_read
            if chart.blocks or chart.not_done or left_out or _block_lines(chart.claims, vocabulary):
                yield chart


def is_relevant(episode: Episode, vocabulary: Vocabulary) -> bool:
    """Return whether anything in an episode may be about a block; cheap, because most encounters have none."""
    return any(_may_be_about_block(entry, episode, vocabulary) for entry in episode.entries)


def _may_be_about_block(entry: Entry, episode: Episode, vocabulary: Vocabulary) -> bool:
    match entry.type:
        case "Procedure":
            return procedures.is_block(entry, vocabulary) or _words_mention_block(entry, episode)
        case "Claim":
            return any(code in vocabulary.block_codes for code in reported_codes(entry))
        case "DocumentReference":
            return _words_mention_block(entry, episode)
        case _:
            return False


def _words_mention_block(entry: Entry, episode: Episode) -> bool:
    found, _ = episode.texts_of(entry)
    return any(mentions_block(text.text) for text in found)


@dataclass(frozen=True)
class _Sources:
    """What an episode was read into, before it is put together: `blocks` are Procedures, so are `others`."""

    notes: tuple[Note, ...]
    corrections: Corrections
    unread_notes: tuple[tuple[str, str], ...]
    blocks: tuple[Entry, ...]
    others: tuple[Entry, ...]
    claims: tuple[ClaimFacts, ...]
    many_lines: bool
    """There are Claims, but with more than is judged: `claims` has none of them."""


def _chart(episode: Episode, record: Record, vocabulary: Vocabulary, history: History) -> Chart:
    sources = _sources(episode, record, vocabulary)
    claims = sources.claims
    told = tuple(islice(_tellings(sources, record, vocabulary), bounds.MOST_ACCOUNTS + 1))
    assembled = assemble(told[: bounds.MOST_ACCOUNTS])
    blocks = tuple(_with_request(block, episode, record, vocabulary) for block in assembled.blocks)
    day = _date_of_service(blocks, _block_lines(claims, vocabulary), assembled, episode, record)
    return Chart(
        encounter=episode.encounter,
        date_of_service=day,
        blocks=blocks,
        not_done=assembled.not_done,
        statements=tuple(_statements(sources, episode, record)),
        anesthesia=(*_anesthesia_in_notes(sources), *_anesthesia_records(sources)),
        anesthesia_records=tuple(_anesthesia_records(sources, day)),
        operations=tuple(_operations(sources, record, day)),
        conditions=tuple(_conditions(episode, record)),
        claims=claims,
        claims_known=not sources.many_lines
        and record.states.get(PrefetchKey.CLAIMS) in (KeyState.NONE, KeyState.PRESENT),
        history=_history(episode, record, history, blocks, day),
        coverages=coverages(record, patient_of_episode(episode, record), day),
        contradictions=(
            *assembled.contradictions,
            *_sides_within(sources, blocks, assembled.contradictions),
            *_catheters_within_notes(sources),
        ),
        notes=notes_state(record, sources.notes, sources.unread_notes),
        not_read=(
            *sources.unread_notes,
            *_not_read(record, sources),
            *_left_out(episode.of_others),
            *((("blocks", bounds.MANY_ACCOUNTS),) if len(told) > bounds.MOST_ACCOUNTS else ()),
            *_too_much_text(),
        ),
        not_sent=_not_sent(record),
    )


def _history(
    episode: Episode, record: Record, history: History, blocks: tuple[Block, ...], day: date | None
) -> tuple[PastSession, ...]:
    """Return earlier blocks of the techniques of this chart; none where its own day is not known."""
    if day is None or not blocks:
        return ()
    return history.past_sessions(
        besides=episode.entries,
        patient=patient_of_episode(episode, record) or _only_patient(episode, record),
        techniques={block.technique for block in blocks},
        before=min([day, *(block.service_date for block in blocks if block.service_date)]),
    )


def _only_patient(episode: Episode, record: Record) -> str | None:
    named = {patient for entry in episode.entries if (patient := patient_of(entry, record))}
    return named.pop() if len(named) == 1 else None


def _sources(episode: Episode, record: Record, vocabulary: Vocabulary) -> _Sources:
    """Read an episode. The annotations of a Procedure that is, or speaks of, a block are notes as well."""
    blocks: list[Entry] = []
    others: list[Entry] = []
    for procedure in episode.of_type("Procedure"):
        (blocks if procedures.is_block(procedure, vocabulary) else others).append(procedure)
    annotated = (*blocks, *(each for each in others if _words_mention_block(each, episode)))
    documents = in_order(episode.of_type("DocumentReference"), record)
    found, unread = notes(episode.texts_of(entry) for entry in (*documents, *annotated))
    billing = [claim for claim in episode.of_type("Claim") if bills(claim)]
    claims = tuple(claim_facts(claim, record) for claim in billing) if _can_be_judged(billing) else ()
    lines = sum(len(claim.lines) for claim in claims)  # an item may have several: its details
    if lines > bounds.MOST_LINES or len(_block_lines(claims, vocabulary)) > bounds.MOST_BLOCK_LINES:
        claims = ()
    return _Sources(
        notes=found,
        corrections=find_corrections(found, amended(record)),
        unread_notes=unread,
        blocks=tuple(blocks),
        others=tuple(others),
        claims=tuple(_judged(claim, vocabulary) for claim in claims),
        many_lines=bool(billing and not claims),
    )


def _can_be_judged(billing: Sequence[Entry]) -> bool:
    """Return whether Claims have no more lines and diagnoses than claims have."""
    lines = sum(len(items(claim.resource.get("item"))) for claim in billing)
    return max(lines, len(billing)) <= bounds.MOST_LINES and all(
        len(items(claim.resource.get("diagnosis"))) <= bounds.MOST_DIAGNOSES for claim in billing
    )


def _too_much_text() -> Iterator[tuple[str, str]]:
    if ran_out():
        yield "text", bounds.MUCH_TEXT


def _block_lines(claims: Iterable[ClaimFacts], vocabulary: Vocabulary) -> tuple[Line, ...]:
    return tuple(line for claim in claims for line in claim.lines if line.code in vocabulary.block_codes)


def _judged(claim: ClaimFacts, vocabulary: Vocabulary) -> ClaimFacts:
    """Validate a Claim strictly where it carries block lines: only those are corrected."""
    if not _block_lines((claim,), vocabulary):
        return claim
    return replace(claim, valid=problem(claim.resource) is None)


def _tellings(sources: _Sources, record: Record, vocabulary: Vocabulary) -> Iterator[Telling]:
    for note in sources.notes:
        dated = note.reading.service_date
        told = _told(note)
        for (_, status), corrected in zip(told, sources.corrections.apply(told, note), strict=True):
            block = replace(corrected, service_date=dated.value if dated else None)
            yield Telling(block, status, weak_date=note.written)
    for procedure in sources.blocks:
        yield from procedures.tellings(procedure, record, vocabulary)


def _told(note: Note) -> list[tuple[Block, Status]]:
    """Return the blocks of a note as it tells them, and whether they were done."""
    return [(block_from(reading, note.place, Origin.NOTE), reading.status) for reading in note.reading.blocks]


def _with_request(block: Block, episode: Episode, record: Record, vocabulary: Vocabulary) -> Block:
    """Add the request that an order of the record is, where the notes state none."""
    if block.requested is not None:
        return block
    performers = frozenset(block.performers)
    for order in episode.of_type("ServiceRequest"):
        requester = record.identity(order.resource.get("requester"), order)
        request = orders.request_of(order, vocabulary, performers, requester)
        if request is not None:
            return replace(block, requested=request)
    return block


def _statements(sources: _Sources, episode: Episode, record: Record) -> Iterator[Statement]:
    """Yield what documents a block: notes, drugs given, pain scored, and the reason its own Procedure states."""
    for note in sources.notes:
        yield from statements_from(note.reading, note.place)
    yield from drug_statements(episode.of_type("MedicationAdministration"), record)
    yield from pain_statements(episode.of_type("Observation"), sources.blocks)
    for procedure in sources.blocks:
        stated = procedures.reason(procedure)
        if stated is not None:
            yield Statement("indication", affirmed=True, evidence=stated, value=stated.quote)


def _anesthesia_in_notes(sources: _Sources) -> Iterator[Fact[AnesthesiaType]]:
    for note in sources.notes:
        for said in note.reading.anesthesia:
            yield Fact(said.value, (note.place.evidence(said.span),))


def _anesthesia_records(sources: _Sources, day: date | None = None) -> Iterator[Fact[AnesthesiaType]]:
    for procedure in (*sources.blocks, *sources.others):
        if day is None or procedures.done_on(procedure) in (None, day):
            yield from procedures.anesthesia(procedure)


def _operations(sources: _Sources, record: Record, day: date | None) -> Iterator[Operation]:
    for procedure in sources.others:
        operation = procedures.operation(procedure, record)
        if operation is not None:
            yield operation
    for note in sources.notes:
        said = note.reading.operation
        if said is not None:
            yield Operation(note.place.reference, (), said.value, day, (), (note.place.evidence(said.span),))


def _conditions(episode: Episode, record: Record) -> Iterator[DiagnosisFacts]:
    """Yield the diagnoses of Conditions that name the encounter: others may be of any time, or long over."""
    for condition in episode.of_type("Condition"):
        if episode.encounter in encounters_of(condition, record):
            yield from condition_diagnoses(condition)


def _catheters_within_notes(sources: _Sources) -> Iterator[Contradiction]:
    """Yield blocks on both sides that a note calls a catheter and a single injection: which side had which?"""
    for note in sources.notes:
        for reading in note.reading.blocks:
            if reading.status is Status.PERFORMED and reading.continuous and reading.single_too:
                ways = (("catheter", reading.continuous), ("single injection", reading.single_too))
                yield Contradiction(
                    "catheter", tuple(Fact(way, (note.place.evidence(said.span),)) for way, said in ways)
                )


def _sides_within(
    sources: _Sources, blocks: tuple[Block, ...], known: tuple[Contradiction, ...]
) -> Iterator[Contradiction]:
    """Yield the side one resource contradicts itself on, a Procedure or a note; the first that does."""
    if any(contradiction.element == "laterality" for contradiction in known):
        return
    disputes = (dispute for procedure in sources.blocks for dispute in procedures.side_disputes(procedure))
    yield from islice(chain(disputes, _sides_within_notes(sources, blocks)), 1)


def _sides_within_notes(sources: _Sources, blocks: tuple[Block, ...]) -> Iterator[Contradiction]:
    """Yield the side one note contradicts itself on: both sides named for a block that is on one."""
    for note in sources.notes:
        for stated_otherwise in sources.corrections.open(_told(note), note):
            yield stated_otherwise
            return
    # With two blocks in one note, each has a side of its own.
    side = blocks[0].side if len(blocks) == 1 else None
    if side is None or side.value is Side.BILATERAL:
        return
    for note in sources.notes:
        if sources.corrections.settle(note, "laterality"):
            continue
        said = [s for s in statements_from(note.reading, note.place) if s.element == "laterality" and s.affirmed]
        if {s.value for s in said} >= {Side.RIGHT.value, Side.LEFT.value}:
            yield Contradiction("laterality", tuple(Fact(s.value or "", (s.evidence,)) for s in said))
            return


def _date_of_service(
    blocks: Iterable[Block], lines: Iterable[Line], assembled: Assembled, episode: Episode, record: Record
) -> date | None:
    """Return the day of the first block: as the block is dated, else its claim line, its note, its encounter."""
    encounter = record.resolve(episode.encounter) if episode.encounter else None
    candidates = (
        min((block.service_date for block in blocks if block.service_date), default=None),
        next((line.service_date for line in lines if line.service_date), None),
        assembled.weak_date,
        episode.day,
        date_of(member(encounter.resource, "period")) if encounter else None,
    )
    return next((day for day in candidates if day is not None), None)


def _not_read(record: Record, sources: _Sources) -> Iterator[tuple[str, str]]:
    yield from ((unread.subject, unread.reason) for unread in record.unread)
    if sources.many_lines:
        yield PrefetchKey.CLAIMS.value, bounds.MANY_LINES
    yield from ((key, "not sent with the request") for key in sorted(_not_sent(record)))
    for procedure in sources.blocks:
        fault = problem(procedure.resource)
        if fault is not None:
            yield procedure.reference, f"not valid FHIR R4 ({fault}); read as far as it goes"
    for claim in sources.claims:
        if not claim.valid:
            yield claim.reference, f"not valid FHIR R4 ({problem(claim.resource)}), so no correction is offered"


def _not_sent(record: Record) -> frozenset[str]:
    """Return the keys among those that decide what is judged, and how, that nobody tried to send or read."""
    deciding = (PrefetchKey.PROCEDURES, PrefetchKey.COVERAGE)
    return frozenset(key.value for key in deciding if record.states.get(key) is KeyState.ABSENT)


def _left_out(references: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((reference, "is about another patient, so it was left out") for reference in references)


def _encounter_reference(record: Record) -> str | None:
    return f"Encounter/{record.encounter_id}" if record.encounter_id else None
