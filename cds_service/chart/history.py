"""Blocks of earlier days, from the Procedures and Claims of the record that belong to other encounters.

Only what is stated to have been done counts, and only of the same patient; notes of other encounters are not read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from functools import cached_property
from itertools import takewhile
from typing import Final

from cds_service.chart import procedures
from cds_service.chart.claims import bills, claim_facts
from cds_service.chart.identity import patient_of
from cds_service.chart.model import Block, Evidence, PastSession, Technique
from cds_service.chart.narrative.reading import Status
from cds_service.chart.vocabulary import Vocabulary
from cds_service.fhir.coding import cpt_codes
from cds_service.fhir.reading import items
from cds_service.fhir.record import Entry, Record

# https://hl7.org/fhir/R4/valueset-event-status.html: of the other states none says that it was done to its end.
_DONE: Final = "completed"


class History:
    """The blocks a record tells of, each worked out once, whichever of its encounters asks for those before it."""

    def __init__(self, record: Record, vocabulary: Vocabulary) -> None:
        """Take the record; nothing of it is read before it is asked for."""
        self._record = record
        self._vocabulary = vocabulary

    @cached_property
    def _sessions(self) -> tuple[tuple[int, str | None, PastSession], ...]:
        """By day: the identity of the entry that tells of a session, its patient, and the session."""
        found = (
            (id(entry), patient_of(entry, self._record), session)
            for entry in self._record.entries
            if entry.type in ("Procedure", "Claim") and "#" not in entry.reference
            for session in _told(entry, self._record, self._vocabulary)
        )
        return tuple(sorted(found, key=lambda told: told[2].day))

    def past_sessions(
        self, *, besides: Iterable[Entry], patient: str | None, techniques: Collection[Technique], before: date
    ) -> tuple[PastSession, ...]:
        """Return what the record tells of blocks of `techniques` on days before `before`, the oldest first.

        Each Procedure and each Claim line gives an account of its own; those of one day are of one session. `besides`
        are the entries of the encounter itself, which tell of no earlier session whatever their date.
        """
        own = {id(entry) for entry in besides}
        return tuple(
            session
            for entry, of_patient, session in takewhile(lambda told: told[2].day < before, self._sessions)
            if session.technique in techniques and of_patient in (None, patient) and entry not in own
        )


def _told(entry: Entry, record: Record, vocabulary: Vocabulary) -> Iterator[PastSession]:
    if entry.type == "Procedure":
        yield from _by_procedure(entry, record, vocabulary)
    elif bills(entry) and _has_block(entry, vocabulary):
        yield from _by_claim(entry, record, vocabulary)


def _by_procedure(procedure: Entry, record: Record, vocabulary: Vocabulary) -> Iterator[PastSession]:
    day = procedures.done_on(procedure)
    if day is None or procedure.resource.get("status") != _DONE or not procedures.is_block(procedure, vocabulary):
        return
    for telling in procedures.tellings(procedure, record, vocabulary):
        if telling.status is Status.PERFORMED:
            yield _session(telling.block, day)


def _session(block: Block, day: date) -> PastSession:
    return PastSession(
        day=day,
        technique=block.technique,
        region=block.region,
        codes=block.reported_codes,
        purpose=block.purpose.value if block.purpose else None,
        method=block.method.value if block.method else None,
        evidence=block.evidence,
    )


def _has_block(claim: Entry, vocabulary: Vocabulary) -> bool:
    return any(
        value.code in vocabulary.block_codes
        for item in items(claim.resource.get("item"))
        for value in cpt_codes(item.get("productOrService"))
    )


def _by_claim(claim: Entry, record: Record, vocabulary: Vocabulary) -> Iterator[PastSession]:
    for line in claim_facts(claim, record).lines:
        meaning = vocabulary.block_codes.get(line.code)
        if meaning is not None and line.service_date is not None and line.units > 0:
            yield PastSession(
                day=line.service_date,
                technique=meaning.technique,
                region=meaning.region,
                codes=(line.code,),
                modifiers=line.modifiers,
                evidence=(Evidence(line.reference, f"{line.path}.productOrService", line.code),),
            )
