"""The scoring tools: they count right, run on data laid out as they expect it, and do without data not there."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cds_service.chart.narrative.assertion import Assertion
from cds_service.pipeline import Pipeline
from cds_service.review.assessment import ExpectedLine

TOOLS = Path(__file__).resolve().parent.parent / "tools"

NOTE = (
    "Right thoracic paravertebral block at T4 and T6 under ultrasound. Consent was signed. "
    "10 mL of 0.5% ropivacaine at each level. No complications."
)
ANNOTATION = {
    "section": "text",
    "technique": "paravertebral",
    "levels": ["T4", "T6"],
    "laterality": "right",
    "continuous_catheter": False,
    "guidance": "ultrasound",
    "drugs": [{"name": "ropivacaine 0.5%"}],
    "consent": "signed",
    "asepsis": None,
    "position": None,
    "aspiration": None,
    "complications_statement": "none",
    "response": {"pain_pre": None, "pain_post": None, "text": None},
    "code_confidence": "high",
    "suggested_codes": [
        {"code": "64461", "units": 1, "modifiers": ["RT"]},
        {"code": "64462", "units": 1, "modifiers": ["RT"]},
    ],
}
SCENARIO = {
    "id": "one",
    "text": NOTE,
    "expected_codes": [{"code": "64461", "units": 3, "modifiers": []}],
    "payer": "unspecified",
    "year": 2026,
    "agree": False,
    "role": "negative_control",
    "machine_checkable": True,
    "recommended_codes_2026": [
        {"code": "64461", "units": 1, "modifiers": ["RT"]},
        {"code": "64462", "units": 1, "modifiers": ["RT"]},
    ],
    "must_not_include": ["76942"],
}
RIGHT = {"agree": True, "role": "acceptance"}
QUESTION = {"id": "q", "scenario": NOTE, "expert_codes": ["64461-RT", "64462-RT x1"], "expert_reason": ""}


def _tool(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module(name)


@pytest.fixture
def scoring(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return _tool("scoring", monkeypatch)


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return _tool("score_notes", monkeypatch)


@pytest.fixture
def scenarios(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return _tool("score_scenarios", monkeypatch)


def _write(path: Path, *rows: dict[str, Any]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return _tool("compare_context", monkeypatch)


def test_precision_and_recall(scoring: ModuleType) -> None:
    tally = scoring.Tally()
    assert tally.precision is None
    assert tally.recall is None
    assert tally.add({"T4", "T5"}, ["T4", "T5"])
    assert not tally.add({"T6", "T7"}, {"T6", "T8", "T9"})
    assert (tally.right, tally.extra, tally.missed) == (3, 2, 1)
    assert tally.precision == pytest.approx(3 / 5)
    assert tally.recall == pytest.approx(3 / 4)
    assert tally.cells() == ("60%", "75%", "3", "2", "1")


def test_a_section_of_a_page_is_replaced_and_nothing_else(scoring: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- notes: begin -->\nold\n<!-- notes: end -->\nafter\n", encoding="utf-8")
    scoring.write_section("notes", r"new \1", page)
    text = page.read_text(encoding="utf-8")
    assert text == "before\n<!-- notes: begin -->\nnew \\1\n<!-- notes: end -->\nafter\n"
    with pytest.raises(ValueError, match="no section other"):
        scoring.write_section("other", "new", page)


def test_the_page_has_the_sections_the_tools_write(scoring: ModuleType) -> None:
    text = scoring.PAGE.read_text(encoding="utf-8")
    for name in ("notes", "held-out", "scenarios"):
        assert text.count(f"<!-- {name}: begin -->") == text.count(f"<!-- {name}: end -->") == 1


def test_annotated_notes_are_counted_in_their_group(notes: ModuleType, pipeline: Pipeline) -> None:
    rows = [
        {"id": "right", "text": NOTE},
        {"id": "unlike", "text": NOTE},
        {"id": "unsure", "text": NOTE},
        {"id": "plan", "text": "", "technique_passage": NOTE},
        {"id": "operation", "text": "The gallbladder was taken out."},
        {"id": "unmarked", "text": NOTE},
    ]
    gold = [
        ANNOTATION | {"id": "right"},
        ANNOTATION
        | {"id": "unlike", "levels": ["T4", "T5"], "laterality": "left", "consent": None}
        | {"suggested_codes": [{"code": "64461", "units": 2, "modifiers": []}]},
        ANNOTATION | {"id": "unsure", "code_confidence": "low", "suggested_codes": []},
        ANNOTATION | {"id": "plan", "section": "technique_passage"},
    ]
    score = notes.score_annotated(rows, gold, pipeline)
    assert (score.reports.notes, score.plans.notes) == (3, 1)
    levels = score.reports.tallies["levels"]
    assert (levels.right, levels.extra, levels.missed) == (5, 1, 1)
    assert score.reports.tallies["consent"].precision == pytest.approx(2 / 3)
    assert score.reports.misread == {"levels": ["unlike"], "side": ["unlike"], "consent": ["unlike"]}
    assert score.sure == ["right", "unlike"]
    assert score.miscoded == {"unlike": "64461×2 → 64461×1 64462×1"}
    assert score.planned_as_done == ["plan"]
    assert score.charged == score.any_block == ["unmarked"]
    assert "ropivacaine" not in notes.annotated_report(score, "0")


def test_levels_nobody_can_compare_are_left_out(notes: ModuleType) -> None:
    assert "levels" not in notes.annotated(ANNOTATION | {"levels": ["T4", "caudal"]})
    named = notes.annotated(ANNOTATION | {"levels": ["L4-L5 joint", "L5 dorsal ramus"]})
    assert named["levels"] == {"L4-L5", "L5"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param("thoracic", {"thoracic"}, id="as the reader names it"),
        pytest.param("pelvic", {"lumbosacral"}, id="below the loin"),
        pytest.param("unspecified", None, id="none"),
        pytest.param(None, None, id="absent"),
    ],
)
def test_regions_are_compared_as_codes_tell_them_apart(
    notes: ModuleType, said: str | None, expected: set[str] | None
) -> None:
    assert notes.annotated(ANNOTATION | {"region": said}).get("region") == expected


def test_held_out_notes_are_judged_by_lines_and_missing_elements(
    notes: ModuleType, pipeline: Pipeline, tmp_path: Path
) -> None:
    lines = "".join(
        f'[[expected.lines]]\ncode = "{code}"\nunits = 1\nmodifiers = ["{side}"]\n'
        for code, side in (("64461", "RT"), ("64462", "LT"))
    )
    (tmp_path / "a.toml").write_text(
        f'id = "a"\ndate = 2026-03-02\nnote = "{NOTE}"\n[expected]\nmissing = ["indication", "levels"]\n{lines}',
        encoding="utf-8",
    )
    score = notes.score_held_out(pipeline, tmp_path)
    assert (score.notes, score.whole, score.invented) == (1, 0, 0)
    assert set(score.wrong_missing["a"]) == {"response asked for in vain", "levels not noticed"}
    assert (score.missing.precision, score.missing.recall) == (0.5, 0.5)
    assert score.wrong_lines == {"a": "64461-RT×1 64462-LT×1 → 64461-RT×1 64462-RT×1"}
    assert "`a`" not in notes.held_out_report(score, "0")


def test_the_notes_tool_does_without_the_shared_notes(
    notes: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: dict[str, str] = {}
    monkeypatch.setattr(notes, "write_section", written.__setitem__)
    assert notes.main([str(tmp_path), "--write", "--details"]) == 0
    said = capsys.readouterr()
    assert "notes.jsonl is not there" in said.err
    assert list(written) == ["held-out"]
    assert written["held-out"] in said.out


def test_the_notes_tool_runs(
    notes: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: dict[str, str] = {}
    monkeypatch.setattr(notes, "write_section", written.__setitem__)
    _write(tmp_path / "notes.jsonl", {"id": "right", "text": NOTE})
    _write(tmp_path / "gold.jsonl", ANNOTATION | {"id": "right"})
    assert notes.main([str(tmp_path)]) == 0
    assert "| levels | 100% | 100% | 2 | 0 | 0 | none |" in capsys.readouterr().out
    assert not written
    assert notes.main([str(tmp_path), "--write"]) == 0
    assert list(written) == ["held-out", "notes"]


def test_the_scenario_tool_does_without_the_shared_data(
    scenarios: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scenarios.main([str(tmp_path), "--write"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "scenarios.jsonl is not there" in said.err


def test_the_scenario_tool_runs(scenarios: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(tmp_path / "scenarios.jsonl", SCENARIO, SCENARIO | {"id": "two", "text": "Left T4 paravertebral block."})
    _write(tmp_path / "coding_qa.jsonl", QUESTION, QUESTION | {"id": "rule", "expert_codes": []})
    assert scenarios.main([str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "| wrong answers, with the right one | 2 | 1 (50%) | 0 | `two` |" in said
    assert "| questions and answers | 1 | 1 (100%) | 0 | none |" in said
    assert "Rows that state a rule and tell of no procedure: 1." in said
    assert "| `two` | control | −64461×1 −64462×1 +64461×1; read: paravertebral |" not in said
    assert "| `two` | control | −64462×1; read: paravertebral |" in said


@pytest.mark.parametrize(
    ("change", "day", "profile", "right"),
    [
        pytest.param({}, date(2026, 6, 1), "default", ("64461", "64462"), id="a wrong source: the answer as of 2026"),
        pytest.param(RIGHT | {"year": 2021}, date(2021, 6, 1), "default", ("64461",), id="a right source"),
        pytest.param(
            RIGHT | {"year": None, "payer": "Medicare (NCCI)"},
            date(2026, 6, 1),
            "medicare",
            ("64461",),
            id="no year",
        ),
        pytest.param(
            {"text": "Done on 2025-03-10."}, date(2025, 3, 10), "default", ("64461", "64462"), id="a date in the text"
        ),
        pytest.param(
            {"text": "A block, date of service before 2025."},
            date(2024, 6, 1),
            "default",
            ("64461", "64462"),
            id="before a year",
        ),
    ],
)
def test_a_scenario_is_asked_for_its_own_day_and_payer(
    scenarios: ModuleType,
    pipeline: Pipeline,
    change: dict[str, Any],
    day: date,
    profile: str,
    right: tuple[str, ...],
) -> None:
    example = scenarios.scenario(SCENARIO | change, pipeline.knowledge)
    assert (example.day, example.profile) == (day, profile)
    assert tuple(line.code for line in example.right) == right


@pytest.mark.parametrize(
    ("change", "group"),
    [
        pytest.param(RIGHT, "accepted", id="right and checkable"),
        pytest.param(RIGHT | {"agree": "partial"}, "partly", id="right with a reservation"),
        pytest.param(RIGHT | {"machine_checkable": False}, "partly", id="open to reading"),
        pytest.param({"role": "historical_crosswalk", "agree": True}, "crosswalk", id="an old code"),
        pytest.param({}, "control", id="a wrong answer"),
    ],
)
def test_what_a_scenario_is_good_for(
    scenarios: ModuleType, pipeline: Pipeline, change: dict[str, Any], group: str
) -> None:
    assert scenarios.scenario(SCENARIO | change, pipeline.knowledge).group == group


@pytest.mark.parametrize(
    ("lines", "miss", "exact"),
    [
        pytest.param([("64461", 1, ("RT",)), ("64462", 1, ("RT",))], "", True, id="all the same"),
        pytest.param([("64461", 1, ()), ("64462", 1, ("RT", "59"))], "", False, id="a side and a 59 are not compared"),
        pytest.param([("64461", 1, ("50",)), ("64462", 1, ())], "−64461×1 +64461-50×1", False, id="50 is"),
        pytest.param([("64461", 1, ("RT",)), ("64462", 2, ("RT",))], "−64462×1 +64462×2", False, id="units are"),
    ],
)
def test_what_is_compared(
    scenarios: ModuleType,
    pipeline: Pipeline,
    lines: list[tuple[str, int, tuple[str, ...]]],
    miss: str,
    exact: bool,
) -> None:
    answer = pipeline.review_note(NOTE, "default", date(2026, 6, 1))
    given = tuple(ExpectedLine(code, units, modifiers, ()) for code, units, modifiers in lines)
    outcome = scenarios.judge(scenarios.scenario(SCENARIO, pipeline.knowledge), replace(answer, expected_lines=given))
    assert (outcome.miss.partition(";")[0], outcome.exact) == (miss, exact)


@pytest.mark.parametrize(
    ("codes", "wrong"),
    [
        pytest.param([("64461", 3, ())], True, id="the wrong public answer"),
        pytest.param([("64461", 1, ("RT",)), ("76942", 1, ())], True, id="an excluded code"),
        pytest.param([("64461", 1, ("RT",)), ("64462", 1, ("RT",))], False, id="the right answer"),
        pytest.param([], False, id="no answer"),
    ],
)
def test_negative_controls(
    scenarios: ModuleType, pipeline: Pipeline, codes: list[tuple[str, int, tuple[str, ...]]], wrong: bool
) -> None:
    answer = pipeline.review_note(NOTE, "default", date(2026, 6, 1))
    lines = tuple(ExpectedLine(code, units, modifiers, ()) for code, units, modifiers in codes)
    outcome = scenarios.judge(scenarios.scenario(SCENARIO, pipeline.knowledge), replace(answer, expected_lines=lines))
    assert outcome.wrong_given is wrong


def test_a_wrong_answer_of_a_unit_for_every_injection(scenarios: ModuleType, pipeline: Pipeline) -> None:
    open_units = {"expected_codes": [{"code": "64462", "units": None, "modifiers": []}]}
    per_injection = scenarios.scenario(SCENARIO | open_units, pipeline.knowledge)
    assert per_injection.wrong == (scenarios.Wanted("64462", None, ()),)
    assert scenarios._gives(per_injection, [scenarios.Wanted("64462", 3, ("RT",))])
    assert not scenarios._gives(per_injection, [scenarios.Wanted("64462", 1, ("RT",))])


def test_a_label_marked_as_wrong_is_what_must_not_be_given(scenarios: ModuleType, pipeline: Pipeline) -> None:
    row = QUESTION | {"expert_codes": ["WRONG LABEL: 64483 + 64484"], "expert_reason": "Correct: 64461-RT + 64462-RT."}
    example = scenarios.question(row, pipeline.knowledge)
    assert [line.code for line in example.wrong] == ["64483", "64484"]
    assert example.right == (scenarios.Wanted("64461", 1, ("RT",)), scenarios.Wanted("64462", 1, ("RT",)))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([], "affirmed", id="nothing"),
        pytest.param(["negated"], "negated", id="not so"),
        pytest.param(["uncertain"], "planned", id="only possible"),
        pytest.param(["historical", "hypothetical"], "historical", id="the past before the plan"),
        pytest.param(["family", "negated"], "other", id="others before all"),
    ],
)
def test_what_medspacy_says_is_one_assertion(context: ModuleType, said: list[str], expected: str) -> None:
    assert context.peer_says(said) == expected


def test_assertions_are_ranked_as_in_the_reader(context: ModuleType) -> None:
    assert tuple(meaning.name.lower() for meaning in sorted(Assertion)) == context._SAYS


def test_the_mentions_compared_lie_in_their_sentence(context: ModuleType) -> None:
    note = context.Note("one", "Seen today. TAP block was declined; consent is not needed. 20 mL of ropivacaine.")
    found = {item.kind: (item.sentence[item.start : item.end], item.ours) for item in context.targets_of(note)}
    assert found["technique"] == ("TAP block", "negated")
    assert found["consent"] == ("consent", "negated")
    assert found["drug"] == ("ropivacaine", "affirmed")


def test_disagreements_are_counted_and_hidden_words_kept(context: ModuleType) -> None:
    def pair(ours: str, theirs: str, *, note: str = "open", kind: str = "technique") -> Any:
        return context.Pair(context.Target(note, kind, "Plan: TAP block.", 6, 15, ours, note == "open"), theirs)

    pairs = [
        pair("affirmed", "affirmed"),
        pair("planned", "affirmed"),
        pair("planned", "affirmed", note="hidden", kind="drug"),
        pair("affirmed", "negated"),
    ]
    said = context.compare(pairs)
    assert "4 mentions; both say the same of 1 (25%)." in said
    assert "| planned | 2 | 0 | 0 | 0 | 0 | 2 |" in said
    assert "| affirmed | 1 | 0 | 0 | 1 | 0 | 2 |" in said
    assert said.endswith("| `planned/affirmed` | 2 | drug 1, technique 1 |\n| `affirmed/negated` | 1 | technique 1 |")
    assert context.details(pairs).splitlines() == [
        "affirmed/negated technique `open`: Plan: [TAP block].",
        "planned/affirmed drug `hidden`",
        "planned/affirmed technique `open`: Plan: [TAP block].",
    ]


def test_the_comparison_does_without_medspacy(
    context: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "write_section", lambda *_: pytest.fail("nothing was measured"))
    assert context.main(["--write"], python=tmp_path / "python") == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("not compared: ")


def _peer(folder: Path, body: str) -> Path:
    """Return a program that answers in medspaCy's place."""
    program = folder / "peer"
    program.write_text(f"#!{sys.executable}\nimport sys\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        pytest.param('print(\'{"peer": "1"}\')\nfor _ in sys.stdin: print(\'["negated"]\')', 0, id="all answered"),
        pytest.param("print('{\"peer\": \"1\"}')\nprint('[]')", 1, id="an answer is missing"),
        pytest.param("sys.exit('it is broken')", 1, id="it fails"),
    ],
)
def test_the_comparison_trusts_whole_answers_only(
    context: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answers: str,
    code: int,
) -> None:
    monkeypatch.setattr(context, "own_notes", lambda: [context.Note("one", NOTE)])
    written: dict[str, str] = {}
    monkeypatch.setattr(context, "write_section", written.__setitem__)
    _write(tmp_path / "notes.jsonl", {"id": "two", "text": NOTE})
    assert context.main([str(tmp_path), "--write", "--details"], python=_peer(tmp_path, answers)) == code
    said = capsys.readouterr()
    assert list(written) == ([] if code else ["context", "context-public"])
    assert ("PROBLEM" in said.err) == bool(code)
    if not code:
        own, public = written.values()
        assert "peer 1; 1 notes." in own
        assert own.partition("1 notes.")[2] == public.partition("1 notes.")[2]
        assert said.out.count("[ropivacaine]") == 1
