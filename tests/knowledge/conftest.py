from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from cds_service.knowledge.library import Knowledge, View, load


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return load()


@pytest.fixture
def on(knowledge: Knowledge) -> Callable[..., View]:
    """The view of a day ("2026-03-02"), for the default profile unless another is named."""

    def view(day: str, profile: str = "default") -> View:
        return knowledge.on(date.fromisoformat(day), profile)

    return view


@pytest.fixture
def overlay(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Write a site's folder: file names to their text."""

    def write(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return write
