"""Score the whole service on worked coding examples from public sources, kept outside the repository.

Run `python tools/score_scenarios.py [FOLDER]`; the folder holds `scenarios.jsonl` and `coding_qa.jsonl`. Only the
rows about the families of this version are scored. With `--write` the figures go into docs/accuracy.md. Prints ids,
codes and figures, never the words of an example. The exit code is 0 whatever the score.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from scoring import SHARED, absent, named, percent_of, rows_of, stamp, table, write_section

from cds_service.knowledge.library import load
from cds_service.pipeline import Pipeline
from cds_service.review.assessment import Assessment

FAMILY: Final = frozenset({"64461", "64462", "64463", "64466", "64467", "64468", "64469", "64420", "64421"})
UNLISTED: Final = "64999"
"""What a fascial plane block was reported with before it had codes of its own."""

_DEFAULT_DAY: Final = date(2026, 6, 1)
_ISO = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)\b")
_BEFORE = re.compile(r"before (20\d\d)")
_FASCIAL = re.compile(r"\b(erector spinae|ESP|serratus|fascial plane)\b")
_SPELLED = re.compile(r"\b(\d{5})(?:-(\w\w))?(?: x(\d))?")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line a source gives; `units` None where it does not say how many."""

    code: str
    units: int | None
    modifiers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One worked example; `right` is None where the source gives no answer, `wrong` what must not be answered."""

    id: str
    text: str
    day: date
    profile: str
    right: tuple[Wanted, ...] | None
    wrong: tuple[Wanted, ...] = ()
    forbidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one example. `miss` says in codes what is not as the source has it; empty where all is."""

    id: str
    codes_right: bool
    miss: str
    wrong_given: bool


def scenario(row: Row) -> Example | None:
    """Return a row of `scenarios.jsonl` as an example; None where it is about other families.

    A source that is right answers for its own year; every other row has its answer as of 2026, where it has one.
    """
    expected = _wanted(row["expected_codes"])
    recommended = None if row["recommended_codes_2026"] is None else _wanted(row["recommended_codes_2026"])
    mentioned = {line.code for line in (*expected, *(recommended or ()))} | set(row["must_not_include"])
    if not _in_scope(mentioned, row["text"]):
        return None
    own_year = row["agree"] is True and bool(row["year"])
    return Example(
        id=row["id"],
        text=row["text"],
        day=_day(row["text"], row["year"] if own_year else None),
        profile=_profile(row["payer"]),
        right=expected if own_year else recommended,
        wrong=expected if row["agree"] is False else (),
        forbidden=frozenset(row["must_not_include"]),
    )


def question(row: Row) -> Example | None:
    """Return a row of `coding_qa.jsonl` as an example; None where it is about other families or has no codes.

    Answers marked as wrong or as a denial are answers not to give; the right one is taken from the reason, if there.
    """
    label = " ".join(row["expert_codes"])
    given = _spelled(label)
    correct = _spelled(row["expert_reason"].partition("Correct:")[2])
    if not given or not _in_scope({line.code for line in (*given, *correct)}, row["scenario"]):
        return None
    refused = label.startswith(("WRONG", "denied"))
    return Example(
        id=row["id"],
        text=row["scenario"],
        day=_day(row["scenario"], None),
        profile=_profile(""),
        right=(correct or None) if refused else given,
        wrong=given if refused else (),
    )


def judge(example: Example, answer: Assessment) -> Outcome:
    """Return how the answer of the service compares; lines of families that are not scored are left aside."""
    judged = FAMILY | {UNLISTED} | example.forbidden | {line.code for line in example.wrong}
    found = [Wanted(line.code, line.units, line.modifiers) for line in answer.expected_lines if line.code in judged]
    wrong = any(line.code in example.forbidden for line in found) or _gives(example, found)
    if example.right is None:
        return Outcome(example.id, True, "", wrong)
    right = [line for line in example.right if line.code in FAMILY | {UNLISTED}]
    miss = _difference(right, found)
    same_codes = Counter(line.code for line in right) == Counter(line.code for line in found)
    return Outcome(example.id, same_codes, f"{miss}; {_state(answer)}" if miss else "", wrong)


def score(examples: Iterable[Example], pipeline: Pipeline) -> list[Outcome]:
    """Return the outcome of every example, each given to the service as a note on its own."""
    return [judge(one, pipeline.review_note(one.text, one.profile, one.day)) for one in examples]


def report(outcomes: Sequence[Outcome], left_out: int, version: str) -> str:
    """Return the report: figures, then what is missed and why."""
    exact = sum(not one.miss for one in outcomes)
    codes = sum(one.codes_right for one in outcomes)
    wrong = [one.id for one in outcomes if one.wrong_given]
    misses = [(f"`{one.id}`", one.miss) for one in outcomes if one.miss]
    return "\n\n".join(
        [
            stamp("python tools/score_scenarios.py --write", version),
            table(
                ("measure", "figure"),
                [
                    ("examples of families in scope", f"{len(outcomes)} ({left_out} others left out)"),
                    ("lines as the source has them", f"{exact} ({percent_of(exact, len(outcomes))})"),
                    ("the same codes, whatever units and modifiers", f"{codes} ({percent_of(codes, len(outcomes))})"),
                    ("a wrong public answer or an excluded code given", f"{len(wrong)}: {named(wrong)}"),
                ],
            ),
            "Not as the source has it (− not given, + given besides), and what the service made of the text:",
            table(("example", "difference"), misses) if misses else "none",
        ]
    )


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
    rows = [scenario(row) for row in rows_of(scenarios)] + [question(row) for row in rows_of(questions)]
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


def _in_scope(codes: Iterable[str], text: str) -> bool:
    named_codes = set(codes)
    return bool(named_codes & FAMILY) or (UNLISTED in named_codes and _FASCIAL.search(text) is not None)


def _day(text: str, year: int | None) -> date:
    """Return the day an example is about: a date or a "before" in its text, else its year, else a day in 2026."""
    if match := _ISO.search(text):
        return date(int(match[1]), int(match[2]), int(match[3]))
    if match := _BEFORE.search(text):
        return date(int(match[1]) - 1, 6, 1)
    return date(year, 6, 1) if year else _DEFAULT_DAY


def _profile(payer: str) -> str:
    return "medicare" if "medicare" in payer.lower() else "default"


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
