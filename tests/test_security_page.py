"""The threat model (`docs/security.md`) and `SECURITY.md`: every row names what shows it, and that is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODEL = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
POLICY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[^`]+)`", MODEL)))


def threats() -> list[list[str]]:
    """The rows of all tables that say by what a threat is shown to be stopped."""
    rows: list[list[str]] = []
    shown = False
    for line in MODEL.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            shown = False
        elif "shown by" in cells:
            shown = True
        elif shown and not set(line) <= set("|-: "):
            rows.append(cells)
    return rows


@pytest.mark.parametrize("path", NAMED)
def test_a_test_that_is_named_exists_and_has_tests(path: str) -> None:
    assert re.search(r"^    def test_|^def test_", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("row", threats(), ids=lambda row: f"{row[0]}: {row[1][:50]}")
def test_every_threat_names_a_test(row: list[str]) -> None:
    assert len(row) == 4
    assert re.search(r"`tests/\S+\.py`", row[3])


def test_there_are_threats_to_look_at() -> None:
    assert len(threats()) > 30
    assert len(NAMED) > 10


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/security.md"])
def test_links_lead_to_files_and_headings(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", (ROOT / page).read_text(encoding="utf-8"))
    assert links
    for target, heading in links:
        file = (ROOT / page).parent / target if target else ROOT / page
        headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", found).strip().lower().replace(" ", "-") for found in headings}
        assert not heading or heading in slugs, (target, heading)


def test_the_policy_makes_up_no_address() -> None:
    assert "@" not in POLICY
    assert "docs/security.md" in POLICY


def test_bandit_finds_a_planted_weakness_under_the_configuration(tmp_path: Path) -> None:
    """What the configuration passes over must not make it blind."""
    (tmp_path / "weak.py").write_text("import subprocess\nsubprocess.run(input(), shell=True)\n")
    command = [sys.executable, "-m", "bandit", "--quiet", "--configfile", str(ROOT / "pyproject.toml")]
    done = subprocess.run([*command, str(tmp_path / "weak.py")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "B602" in done.stdout
