"""More facet or radiofrequency sessions in a region than the payer covers in twelve months.

## What it checks

The sessions of the spinal region in the twelve months up to and with the day of service, from earlier Procedures and
Claims of the patient: diagnostic and therapeutic facet injections each for themselves, and radiofrequency. Some payers
cover a number of each (Medicare: four, four and two).

## Why it matters

A session above the number is denied whatever its record says. Known before, it can be planned otherwise.

## Sources

The local coverage determinations of the Medicare contractors for facet interventions, since 2021.

## Known limits

It sees what came with the record: Claims and completed Procedures of the same patient, of other encounters. A Procedure
and a Claim of one day are one session. What names no day, no region or no code is not counted. Where it is not stated
whether a session was diagnostic or therapeutic, it counts as either, and the finding says "may"; a missing KX on an old
Claim is no statement. Pulsed radiofrequency has no code of its own and is not counted.

## Example

A diagnostic medial branch block at L4-L5 for Medicare, the fifth diagnostic session of the region since last spring.

## Corrected

The next step is planned by the results of the four sessions; or the records for an appeal say why a fifth was needed.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Evidence
from cds_service.knowledge.model import Family
from cds_service.review.assessment import Severity
from cds_service.review.case import Case
from cds_service.review.rule import Draft, Rule
from cds_service.review.sessions import Limit, earlier, limits, months, purpose_of, treated
from cds_service.review.words import joined


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per region and limit that the session of the day exceeds, or may exceed."""
    if case.chart.date_of_service is None:
        return
    for family in treated(case):
        for limit, number in limits(case.view, family):
            yield from _above(case, family, limit, number)


def _above(case: Case, family: Family, limit: Limit, number: int) -> Iterator[Draft]:
    """Count what is of the kind for sure, and what may be of it; a session known to be of the other kind is neither."""
    own = purpose_of(case, family)
    if limit.purpose is not None and own not in (None, limit.purpose):
        return
    counted = [s for s in earlier(case, family) if limit.purpose is None or s.purpose in (None, limit.purpose)]
    known = [s for s in counted if limit.purpose is None or s.purpose is limit.purpose]
    certain = (limit.purpose is None or own is limit.purpose) and len(known) >= number
    shown = known if certain else counted
    if len(shown) >= number:
        yield Draft(
            message=f"This {'is' if certain else 'may be'} session {len(shown) + 1} of {limit.name} in the "
            f"{' or '.join(family.regions)} region within {months(case.view)} months (earlier: "
            f"{joined(str(session.day) for session in shown)}); {_payer(case)} covers {number}.",
            remedy="No line is wrong. Check the earlier sessions and what they were for; above the number, only an "
            "appeal with the reasons in the record can help.",
            evidence=(*(e for session in shown for e in session.evidence), *_own_evidence(case, family)),
            codes=_codes(case, family),
            sources=tuple(source.id for source in case.view.parameter_sources(limit.parameter)),
        )


def _payer(case: Case) -> str:
    return case.view.knowledge.profiles[case.view.profile].title


def _own_evidence(case: Case, family: Family) -> Iterator[Evidence]:
    return (e for selection in case.selections if selection.family.id == family.id for e in selection.block.evidence)


def _codes(case: Case, family: Family) -> tuple[str, ...]:
    own = {code for selection in case.selections if selection.family.id == family.id for code in selection.scheme.codes}
    return tuple(dict.fromkeys(line.code for line in case.expected if line.code in own))


RULE = Rule(
    id="session-frequency",
    title="More sessions than the payer covers",
    severity=Severity.INFO,
    sources=("cms-lcd-l38773",),
    check=check,
    families=(
        "facet-cervical-thoracic",
        "facet-lumbar-sacral",
        "radiofrequency-cervical-thoracic",
        "radiofrequency-lumbar-sacral",
    ),
)
