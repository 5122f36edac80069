"""What the whole test suite shares: the app on a throwaway database, the cases, the pipeline."""

from __future__ import annotations

from datetime import date

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from cds_service.app import create_app
from cds_service.knowledge.library import load
from cds_service.pipeline import Pipeline
from cds_service.settings import Settings

TODAY = date(2026, 11, 1)

# How fast a machine is, busy with other tests, is no property of what is tested. A test's own settings win.
hypothesis_settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("untimed")


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """Return a client of the whole application, wired as in production."""
    database = tmp_path_factory.mktemp("store") / "feedback.db"
    settings = Settings(database_url=f"sqlite:///{database}", base_url="https://cds.example.org")
    return create_app(settings).test_client()


@pytest.fixture(scope="session")
def pipeline() -> Pipeline:
    """Return the steps without the wire, on a fixed day."""
    return Pipeline(load(), today=lambda: TODAY)
