"""docs/knowledge.md: its examples are laid over the shipped knowledge and give what the page says they give."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from cds_service.knowledge.files import SHIPPED
from cds_service.knowledge.library import Knowledge, KnowledgeError, load
from cds_service.pipeline import Pipeline

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "knowledge.md").read_text(encoding="utf-8")
SECTIONS: Mapping[str, str] = {
    section.partition("\n")[0]: section.partition("\n")[2] for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)
}
BLOCK = re.compile(r"^```(toml|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"`([0-9]{5})((?:-[0-9A-Z]{2})*)` ([0-9])")


def blocks(section: str, kind: str) -> list[str]:
    return [text for found, text in BLOCK.findall(SECTIONS[section]) if found == kind]


def lay(folder: Path, *tomls: str) -> Path:
    """Write TOML blocks whose first line names their file; several of one file are put together."""
    for text in tomls:
        name = text.partition("\n")[0].removeprefix("# ")
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        with file.open("a", encoding="utf-8") as opened:
            opened.write(text)
    return folder


def expected(section: str) -> list[tuple[date, list[tuple[str, int]]]]:
    """The table of a section: a day, and the lines of it."""
    rows = re.findall(r"^\| (\d{4}-\d\d-\d\d) \| (.*) \|$", SECTIONS[section], re.MULTILINE)
    assert rows
    return [(date.fromisoformat(day), [(c + m, int(n)) for c, m, n in LINE.findall(lines)]) for day, lines in rows]


def answer(knowledge: Knowledge, note: str, profile: str, day: date) -> list[tuple[str, int]]:
    assessment = Pipeline(knowledge).review_note(note, profile, day)
    return [("-".join((line.code, *line.modifiers)), line.units) for line in assessment.expected_lines]


def test_a_payers_form_is_changed_as_the_page_says(tmp_path: Path) -> None:
    section = "Change how a payer wants both sides"
    before, after, source = blocks(section, "toml")
    name = before.partition("\n")[0].removeprefix("# before: ")
    assert after.startswith(f"# after: {name}\n")
    shipped = (SHIPPED / name).read_text(encoding="utf-8")
    old, new = before.partition("\n")[2], after.partition("\n")[2]
    assert shipped.count(old.strip()) == 1, "the page shows what is no longer shipped"
    (tmp_path / "profiles").mkdir()
    (tmp_path / name).write_text(shipped.replace(old.strip(), new.strip()), encoding="utf-8")
    knowledge = load(lay(tmp_path, source))
    (note,) = blocks(section, "text")
    for day, lines in expected(section):
        assert answer(knowledge, note, "aetna", day) == lines
    unchanged = expected(section)[0][1]
    assert all(answer(load(), note, "aetna", day) == unchanged for day, _ in expected(section))
    cited = knowledge.on(date(2027, 1, 15), "aetna").parameter_sources("addon_bilateral")
    assert [source.publisher for source in cited] == ["Aetna"]


def test_a_payer_is_added_as_the_page_says(tmp_path: Path) -> None:
    (source,) = blocks("Cite it", "toml")
    knowledge = load(lay(tmp_path, source, *blocks("Add a payer", "toml")))
    assert knowledge.profile_for(["Valley Health, PPO Gold"]) == "valley"
    assert knowledge.profile_for(["Valley Health Medicare"]) != "valley"
    view = knowledge.on(date(2026, 3, 2), "valley")
    assert view.parameter("distinct_modifier") == "XU"
    assert view.parameter("addon_bilateral") == knowledge.on(date(2026, 3, 2)).parameter("addon_bilateral")


def test_a_position_is_said_as_the_page_says(tmp_path: Path) -> None:
    sections = ("Cite it", "Add a payer", "Say what a payer has published")
    knowledge = load(lay(tmp_path, *(block for section in sections for block in blocks(section, "toml"))))
    (position,) = knowledge.positions_on(knowledge.codes["64421"])["valley"]
    assert "fourth session" in position.statement
    assert knowledge.positions_on(knowledge.codes["64461"])["valley"] == ()


def test_a_code_is_added_as_the_page_says(tmp_path: Path) -> None:
    knowledge = load(lay(tmp_path, *blocks("Add a code", "toml")))
    (note,) = blocks("Add a code", "text")
    for day, lines in expected("Add a code"):
        assert answer(knowledge, note, "default", day) == lines
        assert answer(load(), note, "default", day) == []


def test_documentation_is_asked_for_as_the_page_says(tmp_path: Path) -> None:
    knowledge = load(lay(tmp_path, *blocks("Ask for more documentation, or less", "toml")))

    def asked(profile: str) -> set[str]:
        view = knowledge.on(date(2026, 3, 2), profile)
        return {requirement.element for requirement in view.requirements("intercostal", False)}

    assert asked("default") - asked("uhc") == {"indication"}
    assert "consent" not in asked("default"), "an entry is replaced whole"


def test_the_shipped_rule_the_page_reads_aloud_is_as_shipped() -> None:
    (block,) = blocks("Read it", "toml")
    shipped = "\n".join(path.read_text(encoding="utf-8") for path in (SHIPPED / "families").glob("*.toml"))
    assert block.partition("\n")[2].strip() in shipped


MISTAKES = list(zip(blocks("When something is wrong", "toml"), blocks("When something is wrong", "text"), strict=True))


@pytest.mark.parametrize(("toml", "said"), MISTAKES, ids=[said.rpartition(": ")[2][:30] for _, said in MISTAKES])
def test_a_mistake_is_answered_as_the_page_says(tmp_path: Path, toml: str, said: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        load(lay(tmp_path, toml))
    message = str(caught.value).replace(str(tmp_path), "/srv/cds-knowledge")
    start, _, rest = said.strip().partition("...")
    assert message.startswith(start)
    assert rest or "..." in said or message == start


def test_every_link_within_the_page_leads_to_a_heading_and_every_file_is_there() -> None:
    anchors = {re.sub(r"[^a-z0-9 -]", "", name.lower()).replace(" ", "-") for name in SECTIONS}
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        path, _, anchor = target.partition("#")
        assert (ROOT / "docs" / path).exists() if path else anchor in anchors, target
