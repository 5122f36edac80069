"""The format and the charset a note comes in change nothing of what is read from it."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cds_service.cases import Case, load_case
from cds_service.knowledge.library import load
from cds_service.pipeline import Pipeline
from cds_service.review.serialize import to_json
from tools.note_formats import FORMATS

FIXTURES = Path(__file__).resolve().parents[2] / "fhir_fixtures"
CASES = (
    "perfect-chart-default",
    "bilateral-mixed-levels",
    "catheter-beside-anesthesia",
    "esp-both-sides-2026",
    "four-sites-left",
    "intercostal-five-levels",
    "rib-fractures-five-levels",
    "side-contradiction",
    "thin-note-four-missing",
    "two-techniques-two-sides",
)
CHARSETS = ("utf-8", "utf-8-sig", "utf-16", "cp1252")


@cache
def pipeline() -> Pipeline:
    return Pipeline(load())


@cache
def case(name: str) -> Case:
    return load_case(FIXTURES / name)


def sent_as(name: str, content_type: str | None, wrap: Any) -> dict[str, Any]:
    """Return the Bundle of a case with its notes as other files."""
    bundle, notes = case(name).bundle(), case(name).notes()
    for entry in bundle["entry"]:
        for content in entry["resource"].get("content", ()):
            attachment = content["attachment"]
            attachment["data"] = base64.b64encode(wrap(notes[attachment["title"]])).decode()
            attachment["contentType"] = content_type
    return bundle


def what_is_read(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the assessments without evidence: its spans are those of another text."""
    return [without_evidence(to_json(each)) for each in pipeline().review_bundle(bundle)]


def without_evidence(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_evidence(each) for name, each in value.items() if name != "evidence"}
    return [without_evidence(each) for each in value] if isinstance(value, list) else value


@cache
def as_typed(name: str) -> list[dict[str, Any]]:
    return what_is_read(case(name).bundle())


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", CASES)
def test_format(name: str, form: str) -> None:
    content_type, wrap = FORMATS[form]
    assert what_is_read(sent_as(name, content_type, wrap)) == as_typed(name)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("content_type", [None, "application/octet-stream", "text/plain", "application/msword"])
def test_wrong_content_type(form: str, content_type: str | None) -> None:
    _, wrap = FORMATS[form]
    assert what_is_read(sent_as(CASES[0], content_type, wrap)) == as_typed(CASES[0])


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("name", CASES)
def test_charset(name: str, charset: str) -> None:
    assert what_is_read(sent_as(name, "text/plain", lambda note: note.encode(charset))) == as_typed(name)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", CASES)
def test_quotes_are_the_words_at_their_place(name: str, form: str) -> None:
    content_type, wrap = FORMATS[form]
    words = " ".join(" ".join(case(name).notes().values()).split())
    found = pipeline().review_bundle(sent_as(name, content_type, wrap))
    evidence = [each for one in found for block in one.blocks for each in block.evidence if each.start is not None]
    noted = [each for each in evidence if each.path == "content[0].attachment"]
    assert noted
    for each in noted:
        assert each.text is not None
        assert each.text[each.start : each.end] == each.quote
        assert " ".join((each.quote or "").split()) in words
