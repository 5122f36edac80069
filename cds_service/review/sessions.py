"""Sessions of one technique in one spinal region over the months a payer counts them, and what was not seen of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from cds_service.chart.model import Evidence, PastSession, Purpose, Technique
from cds_service.knowledge.library import View
from cds_service.knowledge.model import Family
from cds_service.review.case import Case
from cds_service.review.expected import diagnostic_modifiers
from cds_service.review.words import joined

UNLIMITED: Final = "not-limited"
_MONTHS: Final = 12
_UNLISTED: Final = "unlisted"
_KINDS: Final = frozenset({Purpose.DIAGNOSTIC, Purpose.THERAPEUTIC})


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of sessions: of one kind (`purpose`), or of every kind where it is None. `parameter` holds it."""

    parameter: str
    purpose: Purpose | None
    name: str


LIMITS: Mapping[Technique, tuple[Limit, ...]] = {
    Technique.FACET: (
        Limit("facet_diagnostic_sessions", Purpose.DIAGNOSTIC, "diagnostic facet injections"),
        Limit("facet_therapeutic_sessions", Purpose.THERAPEUTIC, "therapeutic facet injections"),
    ),
    Technique.RADIOFREQUENCY: (Limit("radiofrequency_sessions", None, "radiofrequency of facet joint nerves"),),
}
"""What is counted of a technique; the numbers are the payer's."""


@dataclass(frozen=True, slots=True)
class Session:
    """One day on which a region was treated. `purpose` None: not stated, or stated both ways."""

    day: date
    purpose: Purpose | None
    evidence: tuple[Evidence, ...]


def limits(view: View, family: Family) -> tuple[tuple[Limit, int], ...]:
    """Return the limits the payer sets for a family, with their numbers; none where it sets none."""
    found = ((limit, view.parameter(limit.parameter)) for limit in LIMITS.get(Technique(family.technique), ()))
    return tuple((limit, int(value)) for limit, value in found if value != UNLIMITED)


def months(view: View) -> int:
    """Return the months, back from the day of service, in which sessions are counted."""
    return int(view.parameter("session_months"))


def treated(case: Case) -> tuple[Family, ...]:
    """Return the families of the blocks done that have lines of their own, each once.

    A family whose count only goes on in another one (T12-L1 before L1-L2) is the same session in that other's region.
    """
    done = [s for s in case.selections if s.scheme.counting != _UNLISTED and case.expected_of(*s.scheme.codes)]
    going_on = {s.family.continues.family for s in done if s.family.continues and any(c.before for c in s.counts)}
    return tuple({s.family.id: s.family for s in done if s.family.id not in going_on}.values())


def purpose_of(case: Case, family: Family) -> Purpose | None:
    """Return what the blocks of a family were for: diagnostic or therapeutic, None where that is not stated."""
    stated = (s.block.purpose for s in case.selections if s.family.id == family.id)
    return _single({fact.value if fact else None for fact in stated})


def earlier(case: Case, family: Family) -> tuple[Session, ...]:
    """Return the sessions of a family before the day of service, within the months that count, the oldest first."""
    start = _months_before(case.day, months(case.view))
    days: dict[date, list[PastSession]] = {}
    for past in case.chart.history:
        if start < past.day < case.day:
            days.setdefault(past.day, []).append(past)
    sessions = (_session(case.view, family, day, told) for day, told in sorted(days.items()))
    return tuple(session for session in sessions if session is not None)


def _session(view: View, family: Family, day: date, told: list[PastSession]) -> Session | None:
    """Return the session of a family that the accounts of one day tell of; None where they tell of none."""
    codes = {code for past in told for code in past.codes}
    own = [past for past in told if _family_of(view, past) == family.id and not _without_code(view, family, past)]
    if not own or _goes_on(view, family, codes):
        return None
    marks = diagnostic_modifiers(family, view)
    purposes = {Purpose.DIAGNOSTIC for past in own if marks & set(past.modifiers)}
    purposes |= {past.purpose for past in own if past.purpose in _KINDS}
    return Session(day, _single(purposes), tuple(e for past in own for e in past.evidence))


def _single(purposes: set[Purpose | None] | set[Purpose]) -> Purpose | None:
    one = next(iter(purposes)) if len(purposes) == 1 else None
    return one if one in _KINDS else None


def _family_of(view: View, past: PastSession) -> str | None:
    """Return the family an account is of; None where that is not known, for instance without a region."""
    coded = {code.family for name in past.codes if (code := view.code(name)) and code.family}
    if coded:
        return coded.pop() if len(coded) == 1 else None
    family = view.family_for(past.technique.value, past.region) if past.region else None
    return family.id if family else None


def _without_code(view: View, family: Family, past: PastSession) -> bool:
    """Return whether it was done in a way that has no code of its own (pulses): no session of the family."""
    scheme = view.scheme(family, continuous=False, method=past.method)
    return not past.codes and (scheme is None or scheme.counting == _UNLISTED)


def _goes_on(view: View, family: Family, codes: set[str]) -> bool:
    """Return whether the codes of a day have another family go on with the count of this one.

    A further level of that other family without a first one says so: the session is one in its region.
    """
    coded = [code for name in codes if (code := view.code(name))]
    others = {code.family for code in coded if code.role == "add-on"} - {
        code.family for code in coded if code.role == "primary"
    }
    found = (view.family(name) for name in others if name and name != family.id)
    return any(other and other.continues and other.continues.family == family.id for other in found)


def _months_before(day: date, number: int) -> date:
    """Return the day of the month so many months before; the last one where that month is shorter."""
    year, month = divmod(day.year * _MONTHS + day.month - 1 - number, _MONTHS)
    for last in range(day.day, 0, -1):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


def gaps(case: Case) -> Iterator[str]:
    """Yield what of earlier sessions could not be seen, where a payer's limit depends on them."""
    limited = [family for family in treated(case) if limits(case.view, family)]
    if not limited:
        return
    if case.chart.date_of_service is None:
        yield "Without a date of service the earlier sessions could not be counted."
        return
    found = joined(str(session.day) for family in limited for session in earlier(case, family))
    seen = "the Claims and Procedures" if case.chart.claims_known else "the Procedures, no Claims"
    yield (
        f"Earlier sessions were counted from {seen} that came with the record ({found or 'none found'}); "
        "what was done elsewhere, or is not among them, was not seen."
    )
