"""The steps in order: a request, a Bundle or a note becomes a record, charts, assessments.

Nothing calls back: each step hands one plain value to the next. Only this module and its callers know them all.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Final

from cds_service.chart.bounds import MUCH_TEXT, TooMuchError
from cds_service.chart.build import all_charts, chart_of_encounter, chart_of_orders
from cds_service.chart.model import Chart, Technique
from cds_service.chart.narrative.effort import bounded
from cds_service.chart.vocabulary import CodeMeaning, Vocabulary
from cds_service.fhir.bundle import from_bundle
from cds_service.fhir.prefetch import from_prefetch
from cds_service.fhir.record import KeyState, PrefetchKey, Record, RecordSource
from cds_service.knowledge.library import Knowledge
from cds_service.knowledge.model import Code
from cds_service.review.assessment import Assessment
from cds_service.review.engine import assess

__all__ = ["ORDER_SIGN", "NothingToJudgeError", "Pipeline", "TooMuchError", "vocabulary_of"]

ORDER_SIGN: Final = "order-sign"

NEEDED_AT_DISCHARGE: Final = (PrefetchKey.PROCEDURES, PrefetchKey.CLAIMS, PrefetchKey.DOCUMENTS)
"""A discharge can be judged from any one of these; without all three nothing can be said (HTTP 412)."""

_READ_FOR_ORDERS: Final = (PrefetchKey.PATIENT, PrefetchKey.COVERAGE)
"""What the judgement of draft orders needs beside them; nothing else is read for it from a FHIR server."""

_UNKNOWN: Final = frozenset({KeyState.ABSENT, KeyState.FAILED})
# SNOMED CT "ultrasonography guided erector spinae plane block", the one block technique with a confirmed concept.
_ERECTOR_SPINAE: Final = ("http://snomed.info/sct", "789172006")


class NothingToJudgeError(Exception):
    """None of the data that any answer needs could be had.

    `keys` are the prefetch keys that would have held it, `reasons` why some of them could not be read.
    """

    def __init__(self, keys: tuple[str, ...], reasons: Mapping[str, str] | None = None) -> None:
        super().__init__(", ".join(keys))
        self.keys = keys
        self.reasons = reasons or {}


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class Pipeline:
    """The service without its wire: knowledge in, assessments out. Holds no state of any request."""

    knowledge: Knowledge
    today: Callable[[], date] = _today
    vocabulary: Vocabulary = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "vocabulary", vocabulary_of(self.knowledge))

    def review_request(
        self,
        hook: str,
        context: Mapping[str, Any],
        prefetch: Mapping[str, Any] | None,
        source: RecordSource | None = None,
    ) -> tuple[Assessment, ...]:
        """Return the assessments a hook call asks for; none where no block is ordered, done or reported.

        Args:
            hook: "order-sign" or "encounter-discharge".
            context: the hook's context.
            prefetch: what the client sent along.
            source: where missing keys are read; None where no FHIR server may be used.

        Raises:
            NothingToJudgeError: at a discharge, where neither Procedures nor Claims nor notes could be had.
        """
        with bounded():
            charts = (
                self._order_sign(context, prefetch, source)
                if hook == ORDER_SIGN
                else self._discharge(from_prefetch(context, prefetch, source))
            )
        return tuple(self._assess(chart) for chart in charts)

    def review_bundle(
        self, bundle: Mapping[str, Any], profile: str | None = None, day: date | None = None
    ) -> tuple[Assessment, ...]:
        """Return an assessment for each encounter (or day) of a Bundle with a block in it.

        `profile` and `day` override what the record says of the payer and of the date of service.

        Raises:
            KnowledgeError: there is no such profile.
            TooMuchError: it holds more encounters or text than are assessed at once.
        """
        with bounded() as reading:
            charts = all_charts(from_bundle(bundle), self.vocabulary)
        if reading.exceeded:
            # Which encounters are about a block cannot be told then, and one left out would read as clean.
            raise TooMuchError(MUCH_TEXT.capitalize())
        return tuple(self._assess(_dated(chart, day), profile) for chart in charts)

    def review_note(self, text: str, profile: str | None = None, day: date | None = None) -> Assessment:
        """Return the assessment of a plain-text procedure note on its own. Raises as `review_bundle`."""
        data = base64.b64encode(text.encode(errors="replace")).decode("ascii")
        note = {
            "resourceType": "DocumentReference",
            "id": "note",
            "status": "current",
            "context": {"encounter": [{"reference": "Encounter/note"}]},
            "content": [{"attachment": {"contentType": "text/plain; charset=utf-8", "data": data}}],
        }
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": note}]}
        return self.review_bundle(bundle, profile, day)[0]

    def _order_sign(
        self, context: Mapping[str, Any], prefetch: Mapping[str, Any] | None, source: RecordSource | None
    ) -> tuple[Chart, ...]:
        """Judge the orders being signed; with none about a block, what the client sent of blocks already done.

        Most orders are about something else: a FHIR server is asked only where one is about a block, or the client sent
        a part of what was done, which without the rest (the Claim, say) would be judged wrongly.
        """
        record = from_prefetch(context, prefetch)
        chart = chart_of_orders(record, self.vocabulary)
        if chart is not None and source is not None:
            whole = from_prefetch(context, prefetch, source, _READ_FOR_ORDERS)
            chart = chart_of_orders(whole, self.vocabulary)
        if chart is not None:
            return (chart,)
        done = self._done(record)
        if done is not None and source is not None:
            done = self._done(from_prefetch(context, prefetch, source))
        return (done,) if done is not None else ()

    def _done(self, record: Record) -> Chart | None:
        """Return the chart of the encounter; where none is named, the one block there is a Claim for."""
        if record.encounter_id is not None:
            return chart_of_encounter(record, self.vocabulary)
        try:
            charts = [chart for chart in all_charts(record, self.vocabulary) if _reported(chart, self.vocabulary)]
        except TooMuchError:  # so it is not one block either
            return None
        return charts[0] if len(charts) == 1 else None

    def _discharge(self, record: Record) -> tuple[Chart, ...]:
        if all(record.states[key] in _UNKNOWN for key in NEEDED_AT_DISCHARGE):
            reasons = {unread.subject: unread.reason for unread in record.unread}
            raise NothingToJudgeError(tuple(key.value for key in NEEDED_AT_DISCHARGE), reasons)
        chart = chart_of_encounter(record, self.vocabulary)
        return (chart,) if chart is not None else ()

    def _assess(self, chart: Chart, profile: str | None = None) -> Assessment:
        return assess(chart, self.knowledge, today=self.today(), profile=profile)


def vocabulary_of(knowledge: Knowledge) -> Vocabulary:
    """Return what the chart needs to know of the codes."""
    meanings = {code.code: _meaning(code, knowledge) for code in knowledge.codes.values() if code.is_block}
    imaging = frozenset(code.code for code in knowledge.codes.values() if code.role == "imaging")
    unlisted = frozenset(code.code for code in knowledge.codes.values() if code.role == "unlisted")
    plane = CodeMeaning(Technique.FASCIAL_PLANE, region="thoracic")
    concepts = {_ERECTOR_SPINAE: plane}
    return Vocabulary(meanings, companion_codes=imaging, unlisted_codes=unlisted, concepts=concepts)


def _meaning(code: Code, knowledge: Knowledge) -> CodeMeaning:
    family = knowledge.families[code.family or ""]
    return CodeMeaning(
        technique=Technique(family.technique),
        region=family.regions[0] if len(family.regions) == 1 else None,
        continuous=code.continuous,
        bilateral=code.inherently_bilateral,
        further_site=code.role == "add-on",
    )


def _reported(chart: Chart, vocabulary: Vocabulary) -> bool:
    return any(line.code in vocabulary.block_codes for claim in chart.claims for line in claim.lines)


def _dated(chart: Chart, day: date | None) -> Chart:
    return chart if day is None else replace(chart, date_of_service=day)
