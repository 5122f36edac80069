"""The application factory: the only place where the wire, the pipeline and the store meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import orjson
from flask import Flask, Response, request

from cds_service import __version__
from cds_service.answers import Answers
from cds_service.audit import Audit
from cds_service.chart.narrative.reader import read
from cds_service.fhir.queries import TEMPLATES
from cds_service.fhir.validate import load as load_models
from cds_service.hooks.audit import Call, tell_of_calls
from cds_service.hooks.configuration import COVERAGE_INFO
from cds_service.hooks.errors import register_error_handlers
from cds_service.hooks.limits import limit_rate
from cds_service.hooks.operations import create_operations
from cds_service.hooks.request import RequestReader
from cds_service.hooks.response import envelope
from cds_service.hooks.routes import Protocol, create_blueprint
from cds_service.hooks.services import ORDER_SIGN, SERVICES, Service
from cds_service.knowledge.library import load
from cds_service.metrics import Metrics
from cds_service.pipeline import Pipeline
from cds_service.review.rules import all_rules
from cds_service.settings import Settings, load_settings
from cds_service.store.audit import AuditTrail
from cds_service.store.cards import GivenCards
from cds_service.store.database import Database
from cds_service.store.feedback import FeedbackStore
from cds_service.store.prune import NowAndThen
from cds_service.store.recorder import Recorder
from cds_service.store.tokens import TokenIds
from cds_service.web.descriptors import read_descriptors
from cds_service.web.openapi import Interface, create_openapi
from cds_service.web.pages import create_pages

ALWAYS_OPEN: Final = frozenset({"operations.healthz", "operations.readyz"})
"""What load balancers ask, who have no token."""

PARTS: Final[Mapping[str, frozenset[str]]] = {
    "discovery": frozenset({"hooks.discovery", "openapi"}),
    "pages": frozenset({"pages"}),
    "metrics": frozenset({"operations.metrics"}),
}
"""The endpoints and blueprints behind each word of `CDS_PUBLIC`. Whatever is not among them needs a token."""


def create_app(settings: Settings | None = None) -> Flask:
    """Return the service as a WSGI application.

    Args:
        settings: by default those of the environment (`CDS_...`).

    Raises:
        SettingsError, KnowledgeError: at start, each with one clear line.
    """
    settings = settings or load_settings()
    pipeline = Pipeline(load(settings.knowledge_dir))
    database = Database(settings.database_url)
    feedback = FeedbackStore(database, comments=settings.keep_comments)
    recorder = Recorder(database, afterwards=NowAndThen(database, settings.retention))
    answers = Answers(pipeline, settings, given=GivenCards(recorder).remember)
    audit = Audit(pipeline.knowledge.version, AuditTrail(recorder).add if settings.audit_database else None)
    metrics = Metrics(__version__, pipeline.knowledge.version)

    def told(call: Call) -> None:
        audit(call)
        metrics(call)

    services = tuple(_completed(service, settings) for service in SERVICES)

    _warm_up()
    app = Flask(__name__)
    tell_of_calls(app, [service.id for service in SERVICES], told)
    app.register_blueprint(
        create_blueprint(
            Protocol(
                answer=answers.answer,
                keep_feedback=feedback.keep,
                assess=answers.assessments,
                services=services,
                cors_origins=settings.allowed_origins,
                max_body_bytes=settings.max_body_bytes,
                max_json_depth=settings.max_json_depth,
                max_resources=settings.max_resources,
            )
        )
    )
    # Feedback is kept in the database, answers need none: without it the service stays in rotation. With registered
    # clients they do need it, to tell whether a token was used before.
    needed = {"database": database.check} if settings.trusted_clients else {}
    app.register_blueprint(create_operations(needed, metrics.exposition))
    app.register_blueprint(create_pages(pipeline.knowledge, read_descriptors(settings.cpt_descriptors)))
    app.register_blueprint(create_openapi(_interface(settings, pipeline, services)))
    register_error_handlers(app)
    app.after_request(_hardened)
    if settings.trusted_clients:
        _require_tokens(app, settings, database)
    if settings.rate_limit is not None:
        limit_rate(app, settings.rate_limit, ALWAYS_OPEN)
    return app


def _hardened(response: Response) -> Response:
    """Say of whatever is answered, errors too, that it is what its content type says."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if request.method == "POST":  # of a patient, or refused: no cache has any business with it
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _require_tokens(app: Flask, settings: Settings, database: Database) -> None:
    from cds_service.hooks.trust import Trust, require_tokens  # noqa: PLC0415 - cryptography, only where needed

    trust = Trust(settings.trusted_clients, settings.public_url, TokenIds(database).remember_token_id)
    require_tokens(app, trust, _open(settings))


def _open(settings: Settings) -> frozenset[str]:
    """Return the endpoints and blueprints that need no token where clients are registered."""
    return ALWAYS_OPEN.union(*(PARTS[part] for part in settings.public))


def _interface(settings: Settings, pipeline: Pipeline, services: tuple[Service, ...]) -> Interface:
    """Return what `/openapi.json` tells of this installation."""
    answers = Answers(pipeline, settings)  # of its own: examples are not among the cards that were given
    is_open = _open(settings)
    return Interface(
        address=settings.public_url,
        services=services,
        profiles=sorted(pipeline.knowledge.profiles),
        needs_token=lambda name: bool(settings.trusted_clients) and is_open.isdisjoint({name, name.partition(".")[0]}),
        is_limited=lambda endpoint: settings.rate_limit is not None and endpoint not in ALWAYS_OPEN,
        cards=lambda service, call: envelope(answers.answer(RequestReader(service).read(orjson.dumps(call)))),
        assessments=lambda bundle: {"assessments": answers.assessments(bundle, None, None)},
    )


def _warm_up() -> None:
    """Load at start what the first block would otherwise wait for: the FHIR models, the lexicon, the rules."""
    load_models()
    read("Right paravertebral block at T4.")
    all_rules()


def _completed(service: Service, settings: Settings) -> Service:
    """Return the service with what it asks the client to send along, and all it lets it choose."""
    noted = settings.crd_coverage_information and service.hook == ORDER_SIGN
    return replace(
        service,
        prefetch={key.value: query for key, query in TEMPLATES[service.hook].items()},
        options=(*service.options, COVERAGE_INFO) if noted else service.options,
    )
