"""Notes in many voices and which documentation elements each holds: the data stands in `elements/*.toml`."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from cds_service.chart.narrative.reader import read

FOLDER = Path(__file__).parent / "elements"
NOTES = [
    pytest.param(note, id=f"{path.stem}: {note['name']}")
    for path in sorted(FOLDER.glob("*.toml"))
    for note in tomllib.loads(path.read_text("utf-8"))["note"]
]

OF_THE_BLOCK = {"technique", "laterality", "levels", "site-count", "guidance", "catheter", "diagnosis"}
"""Read with the block itself and tested there; a diagnosis is hardly ever absent from a note."""


@pytest.mark.parametrize("note", NOTES)
def test_what_a_note_documents(note: dict[str, Any]) -> None:
    documented = set(note["documented"].split())
    either = set(note.get("either", "").split())
    affirmed = {said.element for said in read(note["text"]).statements if said.affirmed} - OF_THE_BLOCK
    assert affirmed - either == documented - OF_THE_BLOCK - either


@pytest.mark.parametrize("note", NOTES)
def test_every_statement_quotes_the_note(note: dict[str, Any]) -> None:
    text = note["text"]
    for said in read(text).statements:
        assert text[said.span.start : said.span.end].strip(), said
