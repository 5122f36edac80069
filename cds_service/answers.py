"""What the routes ask for, said in terms of the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from hashlib import blake2b
from ipaddress import ip_network
from typing import Any, Final

import orjson

from cds_service.cards import clarification_card, codes_card, documentation_card
from cds_service.cards.build import build
from cds_service.cards.coverage_information import coverage_actions
from cds_service.cards.frame import EXTENSION
from cds_service.fhir.access import FhirAccess, Grant, HttpRecordSource, Limits, is_allowed
from cds_service.fhir.prefetch import from_prefetch
from cds_service.fhir.queries import TEMPLATES
from cds_service.fhir.record import AttachedFile, Partial, PrefetchKey, RecordSource, Resource, Unread
from cds_service.hooks.configuration import Configuration
from cds_service.hooks.outcome import BadBundleError, FailedRuleError, MissingDataError
from cds_service.hooks.request import FhirAuthorization, HookRequest
from cds_service.hooks.response import Answer
from cds_service.memory import Recent
from cds_service.pipeline import ORDER_SIGN, NothingToJudgeError, Pipeline, TooMuchError
from cds_service.review.assessment import Assessment
from cds_service.review.serialize import to_json
from cds_service.settings import Settings
from cds_service.store.model import GivenCard

_REMEMBERED: Final = 128
_REMEMBERED_BYTES: Final = 8 * 1024 * 1024
"""Of the calls whose answers are kept, together: an answer may hold the Claim it was asked about."""


class Answers:
    """Answers hook calls and assessments. The only state is what it remembers of calls it has answered before.

    Args:
        pipeline: the steps that judge.
        settings: which FHIR servers may be asked, and under which address the service is known.
        given: told of every card that is new to this process; must neither wait nor fail.
    """

    def __init__(
        self, pipeline: Pipeline, settings: Settings, given: Callable[[GivenCard], None] | None = None
    ) -> None:
        self._pipeline = pipeline
        self._settings = settings
        self._fhir = _fhir_access(settings)
        self._given = given
        self._recent: Recent[Answer | None] = Recent(_REMEMBERED, _REMEMBERED_BYTES)

    def answer(self, request: HookRequest) -> Answer:
        """Return the answer to one hook call.

        Raises `MissingDataError` where nothing could be judged, and `FailedRuleError` where a rule failed and there is
        nothing else to say.

        A call with the same content on the same day has the same answer, and is not worked out twice; one that was
        answered with the help of a FHIR server is, since the server may have more to say now.
        """
        source = self._source(request)
        digest, size = self._digest(request, source)
        known = self._recent.get(digest, None)
        if known is not None:
            return known
        answer = self._judge(request, source)
        if source is None or not source.asked:
            self._recent.put(digest, answer, size)
        return answer

    def assessments(self, bundle: Mapping[str, Any], profile: str | None, day: date | None) -> list[dict[str, Any]]:
        """Return the assessments of a Bundle in JSON form.

        Raises `BadBundleError` for an unknown profile, and for a Bundle with more than is assessed at once.
        """
        if profile is not None and profile not in self._pipeline.knowledge.profiles:
            known = ", ".join(sorted(self._pipeline.knowledge.profiles))
            raise BadBundleError(f"There is no such profile; known are {known}.", "profile")
        try:
            return [to_json(assessment) for assessment in self._pipeline.review_bundle(bundle, profile, day)]
        except TooMuchError as reason:
            raise BadBundleError(f"{reason}.", status=413) from None

    def _judge(self, request: HookRequest, source: RecordSource | None) -> Answer:
        try:
            found = self._pipeline.review_request(request.hook, request.context, request.prefetch, source)
        except NothingToJudgeError as error:
            raise MissingDataError(error.keys, self._why_missing(request), error.reasons) from None
        chosen = request.configuration
        cards = build(
            found, request.hook, self._settings.public_url, kinds=_wanted_kinds(chosen), most=chosen.max_cards
        )
        failures = {one.rule: one.reason for assessment in found for one in assessment.not_checked if one.failed}
        if failures and not cards:
            raise FailedRuleError(failures)
        if self._given is not None:
            for card in cards:  # all of one encounter, so of one assessment
                self._given(_given(card, request.service_id, found[0]))
        return Answer(cards, self._system_actions(request), gaps(found))

    def _system_actions(self, request: HookRequest) -> list[dict[str, Any]]:
        """Return what is to be written on the orders being signed: that their coverage is not known here."""
        wanted = self._settings.crd_coverage_information and request.configuration.coverage
        if request.hook != ORDER_SIGN or not wanted:
            return []
        return coverage_actions(from_prefetch(request.context, request.prefetch), self._pipeline.today())

    def _digest(self, request: HookRequest, source: _Watched | None) -> tuple[bytes, int]:
        """Return what tells calls apart (all the answer depends on, and not who asks), and the size of that."""
        day = self._pipeline.today().isoformat()
        listed = source and source.listed
        asked = [request.hook, day, request.configuration, request.context, request.prefetch, listed]
        told = orjson.dumps(asked)
        return blake2b(told, digest_size=32).digest(), len(told)

    def _source(self, request: HookRequest) -> _Watched | None:
        """Return where missing data is read; None where the call names no FHIR server.

        One that may not be asked is a source as well: it says so for each key, and is never called.
        """
        if request.fhir_server is None:
            return None
        return _Watched(
            self._fhir.source(
                request.fhir_server,
                _grant(request.fhir_authorization),
                _plain(request.context.get("patientId")),
                _plain(request.context.get("encounterId")),
                templates=TEMPLATES[request.hook],
                allowed=self._settings.fhir_servers_of(request.issuer),
            )
        )

    def _why_missing(self, request: HookRequest) -> str:
        if request.fhir_server is None:
            return "It was not sent, and no fhirServer is named to read it from."
        if not is_allowed(request.fhir_server, self._settings.fhir_servers_of(request.issuer)):
            return "It was not sent, and the fhirServer is not on this service's allow-list (CDS_FHIR_SERVERS)."
        return "It was not sent, and reading it from the fhirServer failed."


def gaps(assessments: Iterable[Assessment]) -> list[dict[str, str]]:
    """Return, in JSON form, what could not be judged since part of the record could not be read or a rule failed."""
    told = (one for assessment in assessments for one in assessment.not_checked)
    return [{"rule": one.rule, "reason": one.reason} for one in told if one.failed or one.unread]


class _Watched:
    """A record source that remembers whether a server may have been asked for anything."""

    def __init__(self, source: HttpRecordSource) -> None:
        self._source = source
        self.listed = source.listed
        self.asked = False

    def read(
        self, keys: Sequence[PrefetchKey], pages: Mapping[PrefetchKey, Resource] | None = None
    ) -> Mapping[PrefetchKey, Resource | Partial | Unread]:
        """Return what the source has (see `RecordSource.read`)."""
        self.asked = self.listed
        return self._source.read(keys, pages)

    def files(self, wanted: Sequence[AttachedFile]) -> Mapping[str, Resource | Unread]:
        """Return the attachments the source has (see `RecordSource.files`)."""
        self.asked = self.listed
        return self._source.files(wanted)


def _fhir_access(settings: Settings) -> FhirAccess:
    limits = Limits(
        deadline=settings.fhir_deadline_s,
        connect=settings.fhir_connect_timeout_s,
        read=settings.fhir_read_timeout_s,
        parallel=settings.fhir_parallel,
        retries=settings.fhir_retries,
        pages=settings.fhir_max_pages,
        resources=settings.fhir_max_resources,
        attachments=settings.fhir_max_attachments,
        answer_bytes=settings.fhir_max_answer_bytes,
        hook_bytes=settings.fhir_max_hook_bytes,
        failures=settings.fhir_breaker_failures,
        pause=settings.fhir_breaker_pause_s,
    )
    return FhirAccess(limits, tuple(map(ip_network, settings.fhir_networks)), settings.fhir_client_ids)


def _grant(authorization: FhirAuthorization | None) -> Grant | None:
    if authorization is None:
        return None
    return Grant(
        authorization.access_token,
        authorization.token_type,
        authorization.expires_in,
        authorization.scope,
        authorization.subject,
        authorization.patient,
    )


def _wanted_kinds(chosen: Configuration) -> frozenset[str]:
    wanted = {
        codes_card.KIND: chosen.codes,
        documentation_card.KIND: chosen.documentation,
        clarification_card.KIND: chosen.questions,
    }
    return frozenset(kind for kind, is_wanted in wanted.items() if is_wanted)


def _plain(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _given(card: Mapping[str, Any], service_id: str, assessment: Assessment) -> GivenCard:
    about = card["extension"][EXTENSION]
    return GivenCard(
        card=card["uuid"],
        service_id=service_id,
        kind=about["kind"],
        rules=tuple(about.get("rules", ())),
        elements=tuple(about.get("elements", ())),
        knowledge_version=assessment.knowledge_version,
        profile=assessment.profile,
    )
