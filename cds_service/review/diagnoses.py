"""The diagnoses behind the block lines of a Claim, as far as they are known, and what of them could not be judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cds_service.chart.model import DiagnosisFacts, Line
from cds_service.fhir.coding import ICD_10_CM
from cds_service.knowledge.diagnoses import edition, normal
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.model import DiagnosisGroup
from cds_service.review.case import Case
from cds_service.review.words import joined


@dataclass(frozen=True, slots=True)
class Basis:
    """What a block line is reported for: the diagnoses it points to, or all of the Claim where it points to none.

    `facts` are the ICD-10-CM codes among them, each once. `complete` is False where one could not be read as such: it
    may be the very one that fits. `claimed` is False where the Claim names none and the Conditions of the encounter
    stand in.
    """

    line: Line
    family: str
    facts: tuple[DiagnosisFacts, ...]
    complete: bool
    claimed: bool

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes as they are officially written."""
        return tuple(map(code_of, self.facts))


def code_of(fact: DiagnosisFacts) -> str:
    """Return the code of an ICD-10-CM fact as it is officially written."""
    return normal(fact.code or "")


def bases(case: Case) -> tuple[Basis, ...]:
    """Return the basis of each block line of the Claim, in claim order; none for draft orders."""
    if case.ordered:
        return ()
    known = ((line, case.view.code(line.code)) for line in case.lines)
    return tuple(_basis(case, line, code.family) for line, code in known if code and code.is_block and code.family)


def _basis(case: Case, line: Line, family: str) -> Basis:
    claim = next((claim for claim in case.chart.claims if claim.reference == line.reference), None)
    if claim is None or not _icd(claim.diagnoses):
        conditions = case.chart.conditions
        return Basis(line, family, _icd(conditions), _all_read(conditions), claimed=False)
    facts = _icd(claim.diagnoses)
    if line.diagnoses:
        facts = tuple(fact for fact in facts if fact.code in line.diagnoses)
    return Basis(line, family, facts, _all_read(claim.diagnoses), claimed=True)


def _icd(facts: Iterable[DiagnosisFacts]) -> tuple[DiagnosisFacts, ...]:
    found = {code_of(fact): fact for fact in reversed(tuple(facts)) if fact.code and fact.system == ICD_10_CM}
    return tuple(reversed(found.values()))


def _all_read(facts: Iterable[DiagnosisFacts]) -> bool:
    """Return whether each diagnosis has a code of ICD-10-CM, whatever other codes it has."""
    places: dict[tuple[str, str], bool] = {}
    for fact in facts:
        place = fact.evidence.reference, fact.evidence.path.partition(".")[0]
        places[place] = places.get(place, False) or fact.system == ICD_10_CM
    return all(places.values())


def groups(case: Case, basis: Basis, kind: str) -> Iterator[DiagnosisGroup]:
    """Yield the groups of one kind ("listed", "sided") for the family of a line."""
    yield from (group for group in case.view.diagnosis_groups(basis.family) if group.kind == kind)


def gaps(case: Case) -> Iterator[str]:
    """Yield a sentence for each thing about the diagnoses that could not be judged, or only by another day's book."""
    found = bases(case)
    if any(basis.facts for basis in found):
        yield from _of_another_year(case)
    unread = [basis.line.code for basis in found if not (basis.claimed and basis.facts and basis.complete)]
    if unread:
        yield f"Not every diagnosis for {joined(unread)} is known as an ICD-10-CM code of the Claim."
    late = {group for basis in found for group in groups(case, basis, "listed") if group.valid_from > case.day}
    for group in sorted(late, key=lambda group: group.id):
        yield f"{group.title[0].upper()}{group.title[1:]}: the list at hand is of {group.valid_from}."


def _of_another_year(case: Case) -> Iterator[str]:
    try:
        release = edition()
    except KnowledgeError:
        return  # the rule fails for the same reason, which is reported
    if not release.covers(case.day):
        yield (
            f"The diagnoses were checked against the {release.label} release of ICD-10-CM, for services from "
            f"{release.valid_from} to {release.valid_to}; on {case.day} another one holds."
        )
