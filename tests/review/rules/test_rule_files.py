"""Every rule is whole: a file named after it, a page with all headings, sources that resolve, tests, and its docs."""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from cds_service.review.assessment import Severity
from cds_service.review.rules import all_rules, find_rule, page

ROOT = Path(__file__).resolve().parents[3]
HEADINGS = ["What it checks", "Why it matters", "Sources", "Known limits", "Example", "Corrected"]
RULES = pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_rule_pages", ROOT / "tools" / "build_rule_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@RULES
def test_the_id_is_the_file_name(rule):
    file = Path(inspect.getfile(rule.check))
    assert file.stem.replace("_", "-") == rule.id
    assert find_rule(rule.id) is rule


def test_an_unknown_id_has_no_rule():
    assert find_rule("no-such-rule") is None


@RULES
def test_the_page_has_every_heading_in_order_and_text_under_each(rule):
    summary, *sections = page(rule).split("\n## ")
    assert [section.splitlines()[0] for section in sections] == HEADINGS
    assert all(len(section.splitlines()) > 2 for section in sections)
    assert summary.strip().endswith(".")
    assert len(summary.strip()) <= 110


@RULES
def test_the_metadata_is_there_and_resolves(rule, knowledge):
    assert rule.title
    assert rule.severity in Severity
    assert rule.sources
    assert set(rule.sources) <= set(knowledge.sources)
    assert set(rule.families) <= set(knowledge.families)


@RULES
def test_the_rules_a_page_points_to_exist_and_it_has_tests(rule):
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", page(rule)))
    assert named <= {other.id for other in all_rules()}
    assert rule.id not in named
    assert (Path(__file__).parent / f"test_{rule.id.replace('-', '_')}.py").is_file()


@RULES
def test_no_code_or_number_is_decided_in_the_file(rule):
    """The docstring speaks of codes, the program asks the knowledge for them."""
    source = inspect.getsource(inspect.getmodule(rule.check)).split('"""', 2)[2]
    assert not re.search(r"\b\d{4}[0-9A-Z]\b", source)


def _separate_imaging(family, codes):
    return bool(family.imaging_codes)


def _two_ways(family, codes):
    ways = [{scheme.primary for scheme in schemes} for schemes in (family.injections, family.infusions)]
    return bool(ways[0] and ways[1] and ways[0] != ways[1])


def _joints(family, codes):
    return family.counts == "joint"


def _once_a_day(family, codes):
    return any(code.once_per_day and code.family == family.id for code in codes)


@pytest.mark.parametrize(
    ("rule", "concerned"),
    [
        ("imaging-separate", _separate_imaging),
        ("catheter-code", _two_ways),
        ("facet-joint-count", _joints),
        ("addon-once-per-day", _once_a_day),
    ],
)
def test_a_rule_names_the_families_the_knowledge_gives_it(rule, concerned, knowledge):
    codes = knowledge.codes.values()
    families = {family.id for family in knowledge.families.values() if concerned(family, codes)}
    assert set(find_rule(rule).families) == families


def test_the_pages_in_docs_are_those_of_the_files(builder, knowledge):
    assert builder.stale(knowledge) == [], "run: python tools/build_rule_pages.py"


@RULES
def test_the_index_says_of_a_rule_what_one_looks_for(builder, knowledge, rule):
    (row,) = [line for line in builder.pages(knowledge)["README.md"].splitlines() if f"({rule.id}.md)" in line]
    assert rule.title in row
    assert f"| {rule.severity.value} |" in row
    assert all(knowledge.families[name].technique.replace("-", " ") in row for name in rule.families)
    assert rule.families or "| all |" in row


def test_the_builder_writes_what_is_missing_and_removes_what_is_left_over(builder, knowledge, tmp_path):
    (tmp_path / "gone.md").write_text("a rule that is gone")
    assert "gone.md" in builder.stale(knowledge, tmp_path)
    builder.write(knowledge, tmp_path)
    assert builder.stale(knowledge, tmp_path) == []
    assert not (tmp_path / "gone.md").exists()


def test_the_builder_says_by_its_exit_code_whether_pages_are_right(builder, capsys):
    assert builder.main(["--check"]) == 0
    assert "up to date" in capsys.readouterr().out
