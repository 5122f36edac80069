"""What the routes ask for, said in terms of the pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import blake2b
from typing import Any, Final

import orjson

from cds_service.cards.build import build
from cds_service.fhir.access import HttpRecordSource, is_allowed, new_session
from cds_service.fhir.queries import TEMPLATES
from cds_service.fhir.record import PrefetchKey, RecordSource, Resource, Unread
from cds_service.hooks.outcome import BadBundleError, MissingDataError
from cds_service.hooks.request import HookRequest
from cds_service.memory import Recent
from cds_service.pipeline import NothingToJudgeError, Pipeline
from cds_service.review.serialize import to_json
from cds_service.settings import Settings

Cards = list[dict[str, Any]]

_REMEMBERED: Final = 128


class Answers:
    """Answers hook calls and assessments. The only state is what it remembers of calls it has answered before."""

    def __init__(self, pipeline: Pipeline, settings: Settings) -> None:
        self._pipeline = pipeline
        self._settings = settings
        self._session = new_session()
        self._recent: Recent[Cards | None] = Recent(_REMEMBERED)

    def cards(self, request: HookRequest) -> Cards:
        """Return the cards for one hook call. Raises `MissingDataError` where nothing could be judged.

        A call with the same content on the same day has the same answer, and is not worked out twice; one that was
        answered with the help of a FHIR server is, since the server may have more to say now.
        """
        digest = self._digest(request)
        known = self._recent.get(digest, None)
        if known is not None:
            return known
        source = self._source(request)
        cards = self._judge(request, source)
        if source is None or not source.asked:
            self._recent.put(digest, cards)
        return cards

    def assessments(self, bundle: Mapping[str, Any], profile: str | None, day: date | None) -> list[dict[str, Any]]:
        """Return the assessments of a Bundle in JSON form. Raises `BadBundleError` for an unknown profile."""
        if profile is not None and profile not in self._pipeline.knowledge.profiles:
            known = ", ".join(sorted(self._pipeline.knowledge.profiles))
            raise BadBundleError(f"There is no such profile; known are {known}.", "profile")
        return [to_json(assessment) for assessment in self._pipeline.review_bundle(bundle, profile, day)]

    def _judge(self, request: HookRequest, source: RecordSource | None) -> Cards:
        try:
            found = self._pipeline.review_request(request.hook, request.context, request.prefetch, source)
        except NothingToJudgeError as error:
            raise MissingDataError(error.keys, self._why_missing(request)) from None
        return build(found, request.hook, self._settings.public_url)

    def _digest(self, request: HookRequest) -> bytes:
        """Return what tells calls apart: everything the answer depends on, and nothing of who asks."""
        day = self._pipeline.today().isoformat()
        asked = orjson.dumps([request.hook, day, request.context, request.prefetch])
        return blake2b(asked, digest_size=32).digest()

    def _source(self, request: HookRequest) -> _Watched | None:
        """Return where missing data is read: only a FHIR server of the allow-list (or loopback, with none listed)."""
        server = request.fhir_server
        if server is None or not is_allowed(server, self._settings.fhir_servers):
            return None
        return _Watched(
            HttpRecordSource(
                server,
                request.fhir_authorization.access_token if request.fhir_authorization else None,
                _plain(request.context.get("patientId")),
                _plain(request.context.get("encounterId")),
                templates=TEMPLATES[request.hook],
                allowed=self._settings.fhir_servers,
                session=self._session,
            )
        )

    def _why_missing(self, request: HookRequest) -> str:
        if request.fhir_server is None:
            return "It was not sent, and no fhirServer is named to read it from."
        if not is_allowed(request.fhir_server, self._settings.fhir_servers):
            return "It was not sent, and the fhirServer is not on this service's allow-list (CDS_FHIR_SERVERS)."
        return "It was not sent, and reading it from the fhirServer failed."


class _Watched:
    """A record source that remembers whether it was asked for anything."""

    def __init__(self, source: RecordSource) -> None:
        self._source = source
        self.asked = False

    def read(self, keys: Sequence[PrefetchKey]) -> Mapping[PrefetchKey, Resource | Unread]:
        """Return what the source has (see `RecordSource.read`)."""
        self.asked = True
        return self._source.read(keys)


def _plain(value: object) -> str | None:
    return value if isinstance(value, str) else None
