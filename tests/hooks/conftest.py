from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.hooks.errors import register_error_handlers
from cds_service.hooks.operations import create_operations
from cds_service.hooks.request import HookRequest
from cds_service.hooks.response import Answer
from cds_service.hooks.routes import Protocol, create_blueprint
from cds_service.store.model import Feedback


@dataclass
class Fake:
    """What stands behind the routes in these tests: says what it is told to say, remembers what it was asked."""

    cards: list[dict[str, Any]] = field(default_factory=list)
    assessments: list[dict[str, Any]] = field(default_factory=list)
    error: Exception | None = None
    check: str | None = None
    requests: list[HookRequest] = field(default_factory=list)
    feedback: list[tuple[str, Feedback]] = field(default_factory=list)
    assessed: list[tuple[Any, str | None, date | None]] = field(default_factory=list)

    def answer(self, request: HookRequest) -> Answer:
        self._raise()
        self.requests.append(request)
        return Answer(self.cards)

    def keep(self, service_id: str, entries: list[Feedback]) -> None:
        self._raise()
        self.feedback += [(service_id, entry) for entry in entries]

    def assess(self, bundle: Any, profile: str | None, day: date | None) -> list[dict[str, Any]]:
        self._raise()
        self.assessed.append((bundle, profile, day))
        return self.assessments

    def _raise(self) -> None:
        if self.error is not None:
            raise self.error


def app_of(fake: Fake, **options: Any) -> Flask:
    app = Flask("hooks")
    register_error_handlers(app)
    protocol = Protocol(answer=fake.answer, keep_feedback=fake.keep, assess=fake.assess, **options)
    app.register_blueprint(create_blueprint(protocol))
    app.register_blueprint(create_operations({"database": lambda: fake.check}, lambda _: (b"", "text/plain")))
    return app


@pytest.fixture
def make_app():
    """The app of a `Fake`, with options of `Protocol`."""
    return app_of


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def client(fake: Fake) -> FlaskClient:
    return app_of(fake).test_client()


@pytest.fixture(scope="session")
def shared_client() -> FlaskClient:
    """A client whose service never has anything to say; for tests that only look at one status."""
    return app_of(Fake()).test_client()


@pytest.fixture
def order_sign() -> dict[str, Any]:
    return {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {
            "userId": "Practitioner/1",
            "patientId": "p1",
            "draftOrders": {"resourceType": "Bundle", "entry": []},
        },
    }


@pytest.fixture
def discharge() -> dict[str, Any]:
    return {
        "hook": "encounter-discharge",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p1", "encounterId": "e1"},
    }


def _card() -> dict[str, Any]:
    return {
        "uuid": "6f1a1b7e-4a60-5c1e-8a59-0d1f6b3c2a11",
        "summary": "Report 64461-RT ×1; claim has 64462 ×3.",
        "indicator": "warning",
        "detail": "The note names one level.",
        "source": {
            "label": "Nerve block coding",
            "url": "https://cds.example.org",
            "topic": {"system": "http://terminology.hl7.org/CodeSystem/cdshooks-card-type", "code": "claim"},
        },
        "suggestions": [
            {
                "label": "Correct the claim",
                "uuid": "6f1a1b7e-4a60-5c1e-8a59-0d1f6b3c2a12",
                "isRecommended": True,
                "actions": [
                    {
                        "type": "update",
                        "description": "Correct the claim",
                        "resource": {"resourceType": "Claim", "id": "7"},
                    }
                ],
            }
        ],
        "selectionBehavior": "any",
        "overrideReasons": [{"code": "other", "system": "urn:example:reasons", "display": "Other"}],
        "links": [{"label": "Why", "url": "https://cds.example.org/rules/mue-exceeded", "type": "absolute"}],
        "extension": {"org.paravertebral-cds.card": {"kind": "suggested-codes"}},
    }


@pytest.fixture
def card() -> dict[str, Any]:
    """A card with every part this service uses."""
    return _card()
