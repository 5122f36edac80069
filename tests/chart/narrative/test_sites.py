"""Which blocks a note tells of and where they were done: the notes and what is expected are in `sites/*.toml`."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from cds_service.chart.model import Technique
from cds_service.chart.narrative.reader import mentions_block, read
from cds_service.chart.narrative.reading import BlockReading, Said, Status

SAID = ("target", "method", "region", "purpose", "performed_by_surgeon", "requested")
"""Members that are compared only where a table gives them."""
FOLDER = Path(__file__).with_name("sites")
NOTES: dict[str, dict[str, Any]] = {
    f"{file.stem}: {note['name']}": note
    for file in sorted(FOLDER.glob("*.toml"))
    for note in tomllib.loads(file.read_text("utf-8"))["note"]
}


_AT_THE_SPINE = ("facet", "radiofrequency", "transforaminal", "interlaminar", "sympathetic")
"""Techniques whose levels alone state no number of injections: nerves are not joints."""


def _named(block: BlockReading, others: Iterable[BlockReading] = ()) -> str:
    """Return the name of a block in the tables: with its target or side where another has the same name without."""
    part = block.plane or (block.target if block.technique is Technique.OTHER else None)
    name = f"{block.technique}{f'/{part.value}' if part else ''} {block.status}"
    if not any(other is not block and _named(other) == name for other in others):
        return name
    if block.target:
        return f"{block.technique}/{block.target.value} {block.status}"
    return f"{block.side.value} {name}" if block.side else name


def _levels(block: BlockReading, side: str | None) -> list[str | None]:
    return sorted((site.level for site in block.sites if site.side == side), key=str)


def _read(block: BlockReading) -> dict[str, Any]:
    count = block.site_count
    return {
        "right": _levels(block, "right"),
        "left": _levels(block, "left"),
        "unsided": _levels(block, None),
        "side": block.side and str(block.side.value),
        "count": count and [count.low, "-" if count.high is None else count.high],
        "continuous": block.continuous and block.continuous.value,
        "guidance": sorted(str(said.value) for said in block.guidance),
        "image": block.image_saved and block.image_saved.value,
        **{name: _said(getattr(block, name)) for name in SAID},
    }


def _said(said: Said[Any] | str | None) -> Any:
    return said.value if isinstance(said, Said) else said


def _expected(given: dict[str, Any], *, counted: bool) -> dict[str, Any]:
    """Return every member of a performed block: what a table leaves out must not have been read."""
    levels = {side: sorted(given.get(side, [])) for side in ("right", "left", "unsided")}
    most = max(map(len, levels.values()))
    sides = [side for side in ("right", "left") if levels[side]]
    return {
        **levels,
        "side": given.get("side", "bilateral" if len(sides) == 2 else next(iter(sides), None)),
        "count": given.get("count", [most, most] if most and counted else None),
        "continuous": given.get("continuous"),
        "guidance": given.get("guidance", []),
        "image": given.get("image"),
    }


def _checked(given: dict[str, Any], read: dict[str, Any], *, counted: bool) -> dict[str, Any]:
    """Return what is expected: the members of SAID only where a table gives them, "-" where none may be read.

    With `any` only what the table gives is compared.
    """
    if given.get("any"):
        return {name: given.get(name, value) for name, value in read.items()}
    said = {name: None if given.get(name) == "-" else given.get(name, read[name]) for name in SAID}
    return {**_expected(given, counted=counted), **said}


@pytest.mark.parametrize("name", NOTES)
def test_sites(name: str) -> None:
    note = NOTES[name]
    found = read(note["text"]).blocks
    blocks = {_named(block, found): block for block in found}
    wanted = note.get("blocks", {})
    assert {b for b in blocks if b.endswith(Status.PERFORMED)} == {b for b in wanted if b.endswith(Status.PERFORMED)}
    assert wanted.keys() <= blocks.keys()
    for block, given in wanted.items():
        if block.endswith(Status.PERFORMED):
            members = _read(blocks[block])
            assert members == _checked(given, members, counted=not block.startswith(_AT_THE_SPINE))


@pytest.mark.parametrize("name", NOTES)
def test_the_quick_look_misses_no_block(name: str) -> None:
    text = NOTES[name]["text"]
    assert mentions_block(text) or not read(text).blocks


@pytest.mark.parametrize("name", NOTES)
def test_every_span_holds_words_of_the_note(name: str) -> None:
    text = NOTES[name]["text"]
    for block in read(text).blocks:
        said = (block, *block.sites, block.site_count, block.side, block.continuous, block.image_saved, *block.guidance)
        said += (block.target, block.method)
        for span in (each.span for each in said if each is not None):
            assert text[span.start : span.end].strip() == text[span.start : span.end] != ""
