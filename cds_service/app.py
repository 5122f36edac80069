"""The application factory: the only place where the wire, the pipeline and the store meet."""

from __future__ import annotations

from dataclasses import replace

from flask import Flask

from cds_service.answers import Answers
from cds_service.chart.narrative.reader import read
from cds_service.fhir.queries import TEMPLATES
from cds_service.fhir.validate import load as load_models
from cds_service.hooks.errors import register_error_handlers
from cds_service.hooks.operations import create_operations
from cds_service.hooks.routes import Protocol, create_blueprint
from cds_service.hooks.services import SERVICES, Service
from cds_service.knowledge.library import load
from cds_service.pipeline import Pipeline
from cds_service.review.rules import all_rules
from cds_service.settings import Settings, load_settings
from cds_service.store.database import Database
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
    database = Database(settings.database_url)
    feedback = FeedbackStore(database)
    answers = Answers(pipeline, settings)

    _warm_up()
    app = Flask(__name__)
    app.register_blueprint(
        create_blueprint(
            Protocol(
                answer=answers.cards,
                keep_feedback=feedback.keep,
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


def _with_prefetch(service: Service) -> Service:
    return replace(service, prefetch={key.value: query for key, query in TEMPLATES[service.hook].items()})
