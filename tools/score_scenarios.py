"""Score the whole service on worked coding examples from public sources, kept outside the repository.

Run `python tools/score_scenarios.py [FOLDER]`; the folder holds `scenarios.jsonl` and `coding_qa.jsonl`. Each text goes
through the note reader and the rules like any note, under the profile of its payer. With `--write` the figures go into
docs/accuracy.md. Prints ids, codes and figures, never the words of an example. The exit code is 0 whatever the score.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from scoring import SHARED, absent, named, percent_of, rows_of, stamp, table, write_section

from cds_service.knowledge.library import DEFAULT_PROFILE, Knowledge, load
from cds_service.pipeline import Pipeline
from cds_service.review.assessment import Assessment

_DEFAULT_DAY: Final = date(2026, 6, 1)
_ISO = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)\b")
_BEFORE = re.compile(r"before (20\d\d)")
_SPELLED = re.compile(r"\b(\d{5})(?:-(\w\w))?(?: x(\d))?")
_COMPARED: Final = frozenset({"50", "KX"})
"""Modifiers the sources agree on; a side (RT, LT) or 59 many of them leave off."""
_OF_PAYER: Final = (("asc facility", "medicare-asc-facility"), ("cpt", "cpt"))
"""Payers of the examples whose rule set no Coverage names."""
GROUPS: Final = (
    ("accepted", "right answers that can be checked by machine"),
    ("partly", "right answers with a reservation"),
    ("crosswalk", "old codes, as of 2026"),
    ("control", "wrong answers, with the right one"),
    ("question", "questions and answers"),
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line a source gives; `units` None where it does not say how many."""

    code: str
    units: int | None
    modifiers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One worked example; `right` is None where the source gives no answer, `wrong` what must not be answered.

    `group` is one of `GROUPS`.
    """

    id: str
    group: str
    text: str
    day: date
    profile: str
    right: tuple[Wanted, ...] | None
    wrong: tuple[Wanted, ...] = ()
    forbidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one example. `miss` says in codes what is not as the source has it; empty where all is.

    `exact`: every modifier is the source's too, and not only 50 and KX.
    """

    id: str
    group: str
    miss: str
    exact: bool
    wrong_given: bool


def scenario(row: Row, knowledge: Knowledge) -> Example:
    """Return a row of `scenarios.jsonl` as an example.

    A source that is right answers for its own year; every other row has its answer as of 2026, where it has one.
    """
    expected = _wanted(row["expected_codes"])
    recommended = None if row["recommended_codes_2026"] is None else _wanted(row["recommended_codes_2026"])
    group = _group(row)
    return Example(
        id=row["id"],
        group=group,
        text=row["text"],
        day=_day(row["text"], row["year"] if group == "accepted" else None),
        profile=_profile(row["payer"], knowledge),
        right=expected if group == "accepted" else recommended,
        wrong=expected if group == "control" else (),
        forbidden=frozenset(row["must_not_include"]),
    )


def _group(row: Row) -> str:
    if row["role"] == "historical_crosswalk":
        return "crosswalk"
    if row["role"] == "negative_control":
        return "control"
    return "accepted" if row["machine_checkable"] and row["agree"] is True else "partly"


def question(row: Row, knowledge: Knowledge) -> Example | None:
    """Return a row of `coding_qa.jsonl` as an example; None where it tells a rule and has no codes.

    Lines of procedures the service does not code (an operation beside the block) are left aside.

    Answers marked as wrong or as a denial are answers not to give; the right one is taken from the reason, if there.
    """
    label = " ".join(row["expert_codes"])
    given, correct = (
        tuple(line for line in _spelled(text) if line.code in knowledge.codes)
        for text in (label, row["expert_reason"].partition("Correct:")[2])
    )
    if not given:
        return None
    refused = label.startswith(("WRONG", "denied"))
    return Example(
        id=row["id"],
        group="question",
        text=row["scenario"],
        day=_day(row["scenario"], None),
        profile=DEFAULT_PROFILE,
        right=(correct or None) if refused else given,
        wrong=given if refused else (),
    )


def judge(example: Example, answer: Assessment) -> Outcome:
    """Return how the answer of the service compares."""
    found = [Wanted(line.code, line.units, line.modifiers) for line in answer.expected_lines]
    wrong = any(line.code in example.forbidden for line in found) or _gives(example, found)
    if example.right is None:
        return Outcome(example.id, example.group, "", exact=True, wrong_given=wrong)
    miss = _difference([_comparable(line) for line in example.right], [_comparable(line) for line in found])
    exact = not _difference(example.right, found)
    return Outcome(example.id, example.group, f"{miss}; {_state(answer)}" if miss else "", exact, wrong)


def _comparable(line: Wanted) -> Wanted:
    return replace(line, modifiers=tuple(modifier for modifier in line.modifiers if modifier in _COMPARED))


def score(examples: Iterable[Example], pipeline: Pipeline) -> list[Outcome]:
    """Return the outcome of every example, each given to the service as a note on its own."""
    return [judge(one, pipeline.review_note(one.text, one.profile, one.day)) for one in examples]


def report(outcomes: Sequence[Outcome], left_out: int, version: str) -> str:
    """Return the report: figures by group, then what is missed and why."""
    misses = [(f"`{one.id}`", one.group, one.miss) for one in outcomes if one.miss]
    groups = [_row(title, [one for one in outcomes if one.group == name]) for name, title in GROUPS]
    return "\n\n".join(
        [
            stamp("python tools/score_scenarios.py --write", version),
            table(("examples", "number", "as the source", "wrong answer given", "misread"), groups),
            f"Rows that state a rule and tell of no procedure: {left_out}.",
            "Not as the source has it (− not given, + given besides), and what the service made of the text:",
            table(("example", "group", "difference"), misses) if misses else "none",
        ]
    )


def _row(title: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    right = sum(not one.miss for one in outcomes)
    wrong = [one.id for one in outcomes if one.wrong_given]
    missed = [one.id for one in outcomes if one.miss]
    share = f"{right} ({percent_of(right, len(outcomes))})"
    return (title, str(len(outcomes)), share, str(len(wrong)), named({*missed, *wrong}))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; with `--write` put them into docs/accuracy.md."""
    parser = argparse.ArgumentParser(description="Score the service on worked coding examples.")
    parser.add_argument("folder", nargs="?", type=Path, default=SHARED / "data", help="holds the two .jsonl files")
    parser.add_argument("--write", action="store_true", help="update docs/accuracy.md")
    options = parser.parse_args(arguments)
    scenarios, questions = options.folder / "scenarios.jsonl", options.folder / "coding_qa.jsonl"
    if absent(scenarios, questions):
        return 0
    knowledge = load()
    told = [scenario(row, knowledge) for row in rows_of(scenarios)]
    rows = [*told, *(question(row, knowledge) for row in rows_of(questions))]
    examples = [row for row in rows if row is not None]
    text = report(score(examples, Pipeline(knowledge)), len(rows) - len(examples), knowledge.version)
    print(text)
    if options.write:
        write_section("scenarios", text)
    return 0


def _wanted(lines: Iterable[Row]) -> tuple[Wanted, ...]:
    return tuple(Wanted(line["code"], line["units"], tuple(line["modifiers"])) for line in lines)


def _spelled(text: str) -> tuple[Wanted, ...]:
    """Return the lines written as "64421-RT x2" in a sentence; one unit where none is written."""
    return tuple(
        Wanted(match[1], int(match[3] or 1), (match[2],) if match[2] else ()) for match in _SPELLED.finditer(text)
    )


def _day(text: str, year: int | None) -> date:
    """Return the day an example is about: a date or a "before" in its text, else its year, else a day in 2026."""
    if match := _ISO.search(text):
        return date(int(match[1]), int(match[2]), int(match[3]))
    if match := _BEFORE.search(text):
        return date(int(match[1]) - 1, 6, 1)
    return date(year, 6, 1) if year else _DEFAULT_DAY


def _profile(payer: str, knowledge: Knowledge) -> str:
    """Return the profile of a payer as an example names it; the service's own choice where it has one."""
    known = next((profile for words, profile in _OF_PAYER if words in payer.lower()), None)
    return known if known in knowledge.profiles else knowledge.profile_for([payer])


def _gives(example: Example, found: Sequence[Wanted]) -> bool:
    """Return whether the wrong answer was given; one without units means a unit for every injection."""
    known = [line for line in example.wrong if line.units is not None]
    per_injection = {line.code for line in example.wrong if line.units is None}
    whole = bool(known) and len(known) == len(example.wrong) and not _difference(known, found)
    return whole or any(line.code in per_injection and (line.units or 0) > 1 for line in found)


def _difference(right: Sequence[Wanted], found: Sequence[Wanted]) -> str:
    """Return the lines not given and those given besides; units a source leaves open match any."""
    rest = list(found)
    lacking = []
    for line in right:
        same = next((other for other in rest if _matches(line, other)), None)
        if same is None:
            lacking.append(line)
        else:
            rest.remove(same)
    return " ".join([f"−{_spell(line)}" for line in lacking] + [f"+{_spell(line)}" for line in rest])


def _matches(wanted: Wanted, found: Wanted) -> bool:
    same = (wanted.code, sorted(wanted.modifiers)) == (found.code, sorted(found.modifiers))
    return same and wanted.units in (None, found.units)


def _state(answer: Assessment) -> str:
    """Return what the service made of the text, in words of its own: the blocks read and the rules that spoke."""
    blocks = ", ".join(block.technique.value for block in answer.blocks) or "no performed block"
    rules = sorted({finding.rule for finding in answer.findings})
    asks = f"; asks {len(answer.queries)}" if answer.queries else ""
    return f"read: {blocks}{asks}" + (f"; says: {', '.join(rules)}" if rules else "")


def _spell(line: Wanted) -> str:
    return f"{'-'.join((line.code, *line.modifiers))}×{line.units or '?'}"


if __name__ == "__main__":
    raise SystemExit(main())
