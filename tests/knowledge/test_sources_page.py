"""docs/sources.md: what it cites is a source we have, what it names is a code we have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cds_service.knowledge.library import Knowledge

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
NOT_OURS = {"64418"}
"""Codes the page names because a public page is wrong about them."""
CASES = re.findall(r"^### (.+?)\n(.+?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("title", "text"), CASES, ids=[title[:40] for title, _ in CASES])
def test_each_disagreement_cites_sources_we_have(knowledge: Knowledge, title: str, text: str) -> None:
    _, _, cited = text.rpartition("Sources:")
    ids = re.findall(r"`([a-z0-9-]+)`", cited)
    assert ids, title
    assert not [id_ for id_ in ids if id_ not in knowledge.sources]


def test_the_known_disagreements_are_told() -> None:
    assert len(CASES) >= 25
    for word in ("64462", "T12-L1", "77002 or 77003", "64486 with modifier 50", "59 or XU", "iPACK", "64463"):
        assert word in PAGE


def test_only_codes_we_know_are_named(knowledge: Knowledge) -> None:
    assert set(re.findall(r"\b[0-9]{5}\b", PAGE)) - NOT_OURS <= knowledge.codes.keys()


def test_every_link_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^## (.+)", PAGE, re.M)
    }
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        path, _, anchor = target.partition("#")
        if path:
            assert (Path(__file__).resolve().parents[2] / "docs" / path).exists()
        else:
            assert anchor in headings
