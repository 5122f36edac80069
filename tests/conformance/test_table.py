"""The table of conformance says what the tests show: nothing is left out, invented, or out of date.

Which tests are marked is found by collecting them, without running any; how they end is known to
`python -m tools.build_conformance`, which writes the table.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.build_conformance import (
    COLUMNS,
    LEVELS,
    MUST,
    Proof,
    Requirement,
    main,
    problems,
    proofs,
    read_csv,
    requirements,
    rows,
    to_csv,
)

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
HEAD = '[pages]\n"2.0.1" = "https://example.org/"\n'
ROW = '[[requirement]]\nid = "a"\nlevel = "SHALL"\nsection = "s"\ntext = "t"\n'


@pytest.fixture(scope="module")
def wanted() -> tuple[Requirement, ...]:
    return requirements()


@pytest.fixture(scope="module")
def found() -> tuple[Proof, ...]:
    return proofs(run=False)


@pytest.fixture(scope="module")
def table() -> list[dict[str, str]]:
    return read_csv()


def test_every_requirement_has_a_test_and_every_mark_a_requirement(
    wanted: tuple[Requirement, ...], found: tuple[Proof, ...]
) -> None:
    assert problems(wanted, found) == []


def test_the_table_is_up_to_date(
    wanted: tuple[Requirement, ...], found: tuple[Proof, ...], table: list[dict[str, str]]
) -> None:
    """Run `python -m tools.build_conformance` where this fails."""
    columns = set(COLUMNS) - {"result"}
    expected = [{name: row[name] for name in columns} for row in rows(wanted, found)]
    assert [{name: row[name] for name in columns} for row in table] == expected


def test_every_shall_that_applies_passed(table: list[dict[str, str]]) -> None:
    musts = [row for row in table if row["level"] in MUST and row["applies"] != "no"]
    assert len(musts) > 50
    assert [row["id"] for row in musts if row["result"] != "passed"] == []


def test_everything_else_has_a_result(table: list[dict[str, str]]) -> None:
    for row in table:
        assert row["result"] in {"passed", "not applicable", "not met"}, row["id"]
        assert (row["result"] == "passed") == bool(row["tests"]), row["id"]


def test_differences_of_the_ballot_are_listed(table: list[dict[str, str]]) -> None:
    results = {row["result"] for row in table if row["version"] == "3.0-ballot"}
    assert results == {"passed", "not applicable", "not met"}


def test_the_page_gives_the_counts_of_the_table(table: list[dict[str, str]]) -> None:
    said = re.findall(
        r"^\| ([A-Za-z ]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    results = ("passed", "not met", "not applicable")
    expected = []
    for level in LEVELS:
        of_level = [row["result"] for row in table if row["level"] == level]
        expected.append((level, *map(str, [len(of_level), *(of_level.count(result) for result in results)])))
    assert said == expected


def test_the_page_names_what_is_not_met(table: list[dict[str, str]]) -> None:
    page = PAGE.read_text("utf-8")
    assert [row["id"] for row in table if row["result"] == "not met" and f"`{row['id']}`" not in page] == []


# --- How the table is made -------------------------------------------------------------------------------------------

SOME = (
    Requirement("a", "SHALL", "t", "s"),
    Requirement("b", "MAY", "t", "s", applies="no", reason="not used"),
    Requirement("c", "SHOULD", "t", "s", met=False, reason="on purpose"),
)


def proof(test: str, *ids: str, outcome: str = "passed") -> Proof:
    return Proof(test, frozenset(ids), outcome)


@pytest.mark.parametrize(
    ("given", "complaints"),
    [
        pytest.param([proof("x", "a")], [], id="all is well"),
        pytest.param([], ["a has no test"], id="no test"),
        pytest.param([proof("x", "a", "z")], ["x is marked with z, which is no requirement"], id="unknown"),
        *(
            pytest.param(
                [proof("x", "a", name)],
                [f"x is marked with {name}, which is said not to apply or not to be met"],
                id=f"needless {name}",
            )
            for name in "bc"
        ),
    ],
)
def test_what_does_not_fit_is_said(given: list[Proof], complaints: list[str]) -> None:
    assert problems(SOME, given) == complaints


@pytest.mark.parametrize(
    ("outcomes", "result"),
    [
        (["passed", "passed"], "passed"),
        (["passed", "failed"], "failed"),
        (["passed", "skipped"], "skipped"),
        (["passed", "not run"], "not run"),
        ([], "no test"),
    ],
)
def test_a_requirement_is_met_where_all_its_tests_passed(outcomes: list[str], result: str) -> None:
    given = [proof(f"test_{number}", "a", outcome=outcome) for number, outcome in enumerate(outcomes)]
    assert [row["result"] for row in rows(SOME, given)] == [result, "not applicable", "not met"]


def test_the_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = rows(SOME, [proof("test[a, b]", "a"), proof('test["]', "a")])
    path = tmp_path / "table.csv"
    path.write_text(to_csv(written), encoding="utf-8")
    assert read_csv(path) == written
    assert written[0]["tests"] == 'test["]; test[a, b]'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(HEAD + ROW + ROW, "twice: a", id="twice"),
        pytest.param(HEAD + ROW.replace("SHALL", "MUST"), "a: level", id="unknown level"),
        pytest.param(HEAD + ROW + 'applies = "perhaps"\nreason = "r"\n', "a: level or applies", id="perhaps"),
        pytest.param(HEAD + ROW + 'applies = "no"\n', "a: a reason", id="no reason"),
        pytest.param(HEAD + ROW + "met = false\n", "a: a reason", id="no reason for what is not met"),
        pytest.param(HEAD + ROW + 'reason = "r"\n', "a: a reason", id="a reason for nothing"),
    ],
)
def test_a_row_that_is_not_as_it_has_to_be_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "requirements.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=complaint):
        requirements(path)


def test_the_tool_says_what_does_not_fit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], wanted: tuple[Requirement, ...]
) -> None:
    passed = [proof("x", each.id) for each in wanted if each.needs_tests]
    failed = [proof("x", wanted[0].id, outcome="failed")]
    monkeypatch.setattr("tools.build_conformance.TABLE", tmp_path / "conformance.csv")
    monkeypatch.setattr("tools.build_conformance.ROOT", tmp_path)
    for given, arguments, code in [
        (passed, ["--check"], 1),  # there is no table yet
        (passed, [], 0),
        (passed, ["--check"], 0),
        (passed[1:], ["--check"], 1),
        (passed[1:] + failed, [], 1),
    ]:
        monkeypatch.setattr("tools.build_conformance.proofs", lambda given=given, **_: tuple(given))
        assert main(arguments) == code, (len(given), arguments)
    said = capsys.readouterr().out
    assert "conformance.csv is not up to date" in said
    assert f"{wanted[0].id} has no test" in said
    assert f"{wanted[0].id}: failed" in said
