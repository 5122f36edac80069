from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.settings import Settings


@pytest.fixture(scope="session")
def twin(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A second application that has not seen what the first was asked."""
    database = tmp_path_factory.mktemp("twin") / "cds.db"
    return create_app(Settings(database_url=f"sqlite:///{database}", base_url="https://cds.example.org")).test_client()
