"""The application factory: the only place where the wire, the pipeline and the store meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from flask import Flask

from cds_service.cards.build import build
from cds_service.chart.narrative.reader import read
from cds_service.fhir.access import HttpRecordSource, is_allowed, new_session
from cds_service.fhir.queries import TEMPLATES
from cds_service.fhir.record import RecordSource
from cds_service.fhir.validate import load as load_models
from cds_service.hooks.errors import register_error_handlers
from cds_service.hooks.operations import create_operations
from cds_service.hooks.outcome import BadBundleError, MissingDataError
from cds_service.hooks.request import HookRequest
from cds_service.hooks.routes import Protocol, create_blueprint
from cds_service.hooks.services import SERVICES, Service
from cds_service.knowledge.library import load
from cds_service.pipeline import NothingToJudgeError, Pipeline
from cds_service.review.rules import all_rules
from cds_service.review.serialize import to_json
from cds_service.settings import Settings, load_settings
from cds_service.store.feedback import FeedbackStore
from cds_service.web.descriptors import read_descriptors
from cds_service.web.pages import create_pages


def create_app(settings: Settings | None = None) -> Flask:
    """Return the service as a WSGI application.

    Args:
        settings: by default those of the environment (`CDS_...`).

    Raises:
        SettingsError, KnowledgeError: at start, each with one clear line.
    """
    settings = settings or load_settings()
    pipeline = Pipeline(load(settings.knowledge_dir))
    store = FeedbackStore(settings.database_url)
    answers = Answers(pipeline, settings)

    _warm_up()
    app = Flask(__name__)
    app.register_blueprint(
        create_blueprint(
            Protocol(
                answer=answers.cards,
                keep_feedback=store.keep,
                assess=answers.assessments,
                services=tuple(_with_prefetch(service) for service in SERVICES),
                cors_origins=settings.allowed_origins,
                max_body_bytes=settings.max_body_bytes,
            )
        )
    )
    # Feedback is kept in the database, answers need none: without it the service stays in rotation.
    app.register_blueprint(create_operations({}))
    app.register_blueprint(create_pages(pipeline.knowledge, read_descriptors(settings.cpt_descriptors)))
    register_error_handlers(app)
    return app


def _warm_up() -> None:
    """Load at start what the first block would otherwise wait for: the FHIR models, the lexicon, the rules."""
    load_models()
    read("Right paravertebral block at T4.")
    all_rules()


class Answers:
    """What the routes ask for, said in terms of the pipeline."""

    def __init__(self, pipeline: Pipeline, settings: Settings) -> None:
        self._pipeline = pipeline
        self._settings = settings
        self._session = new_session()

    def cards(self, request: HookRequest) -> list[dict[str, Any]]:
        """Return the cards for one hook call. Raises `MissingDataError` where nothing could be judged."""
        try:
            found = self._pipeline.review_request(
                request.hook, request.context, request.prefetch, self._source(request)
            )
        except NothingToJudgeError as error:
            raise MissingDataError(error.keys, self._why_missing(request)) from None
        return build(found, request.hook, self._settings.public_url)

    def assessments(self, bundle: Mapping[str, Any], profile: str | None, day: date | None) -> list[dict[str, Any]]:
        """Return the assessments of a Bundle in JSON form. Raises `BadBundleError` for an unknown profile."""
        if profile is not None and profile not in self._pipeline.knowledge.profiles:
            known = ", ".join(sorted(self._pipeline.knowledge.profiles))
            raise BadBundleError(f"There is no such profile; known are {known}.", "profile")
        return [to_json(assessment) for assessment in self._pipeline.review_bundle(bundle, profile, day)]

    def _source(self, request: HookRequest) -> RecordSource | None:
        """Return where missing data is read: only a FHIR server of the allow-list (or loopback, with none listed)."""
        server = request.fhir_server
        if server is None or not is_allowed(server, self._settings.fhir_servers):
            return None
        return HttpRecordSource(
            server,
            request.fhir_authorization.access_token if request.fhir_authorization else None,
            _plain(request.context.get("patientId")),
            _plain(request.context.get("encounterId")),
            templates=TEMPLATES[request.hook],
            allowed=self._settings.fhir_servers,
            session=self._session,
        )

    def _why_missing(self, request: HookRequest) -> str:
        if request.fhir_server is None:
            return "It was not sent, and no fhirServer is named to read it from."
        if not is_allowed(request.fhir_server, self._settings.fhir_servers):
            return "It was not sent, and the fhirServer is not on this service's allow-list (CDS_FHIR_SERVERS)."
        return "It was not sent, and reading it from the fhirServer failed."


def _with_prefetch(service: Service) -> Service:
    return replace(service, prefetch={key.value: query for key, query in TEMPLATES[service.hook].items()})


def _plain(value: object) -> str | None:
    return value if isinstance(value, str) else None
