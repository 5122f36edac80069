"""Score the note reader on notes: annotated ones kept outside the repository, and the held-out ones beside the tests.

Run `python tools/score_notes.py [FOLDER]`; the folder holds `notes.jsonl` and `gold.jsonl`. Where it is not there, only
the held-out notes are scored. With `--write` the figures go into docs/accuracy.md. Prints ids and figures, never the
words of a note: the annotated ones carry no license. The exit code is 0 whatever the score.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from scoring import REPOSITORY, SHARED, Tally, absent, named, percent, percent_of, rows_of, stamp, table, write_section

from cds_service.chart.model import Side, Technique
from cds_service.chart.narrative.reader import read
from cds_service.chart.narrative.reading import BlockReading, NoteReading, Status
from cds_service.knowledge.library import load
from cds_service.pipeline import Pipeline
from cds_service.review.assessment import Assessment, ElementStatus

_COMMAND: Final = "python tools/score_notes.py --write"

_DAY: Final = date(2026, 6, 1)
HELD_OUT = REPOSITORY / "tests" / "accuracy" / "heldout"

_TECHNIQUES: Final = {
    "paravertebral": Technique.PARAVERTEBRAL,
    "intercostal": Technique.INTERCOSTAL,
    "fascial_plane": Technique.FASCIAL_PLANE,
    "facet_mbb": Technique.FACET,
    "interlaminar_epidural": Technique.INTERLAMINAR,
    "transforaminal_epidural": Technique.TRANSFORAMINAL,
    "rfa": Technique.RADIOFREQUENCY,
    "sympathetic": Technique.SYMPATHETIC,
    "trigger_point": Technique.TRIGGER_POINT,
}
_REGIONS: Final = {
    "cervical": "cervical",
    "thoracic": "thoracic",
    "lumbar": "lumbosacral",
    "sacral": "lumbosacral",
    "pelvic": "lumbosacral",
}
"""Regions by their names in the annotations and here: codes make no difference from the loin to the sacrum."""
_LEVEL = re.compile(r"([CTLS]\d{1,2}(?:-[CTLS]\d{1,2})?)(?: joint| dorsal ramus)?")
_LOCAL_ANESTHETIC = re.compile(r"\w+caine")
_IMAGING: Final = frozenset({"ultrasound", "fluoroscopy", "ct"})
_SIDES: Final = frozenset(Side)

Row = Mapping[str, Any]
Values = Mapping[str, frozenset[str]]


@dataclass
class Group:
    """The score of some notes: a tally per attribute, and per attribute the notes that were not read exactly."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    misread: dict[str, list[str]] = field(default_factory=dict)
    notes: int = 0

    def add(self, note: str, expected: Values, found: Values) -> None:
        """Count one note."""
        self.notes += 1
        for attribute, values in expected.items():
            if not self.tallies.setdefault(attribute, Tally()).add(values, found[attribute]):
                self.misread.setdefault(attribute, []).append(note)

    def table(self) -> str:
        """Return the tallies as a Markdown table, the ids of the notes misread in the last column."""
        head = ("attribute", "precision", "recall", "right", "extra", "missed", "misread")
        rows = [(name, *tally.cells(), named(self.misread.get(name, ()))) for name, tally in self.tallies.items()]
        return table(head, rows)


@dataclass
class Annotated:
    """The score on the annotated notes; the lists hold ids."""

    reports: Group = field(default_factory=Group)
    plans: Group = field(default_factory=Group)
    planned_as_done: list[str] = field(default_factory=list)
    sure: list[str] = field(default_factory=list)
    """Reports whose codes the annotator is sure of."""
    miscoded: dict[str, str] = field(default_factory=dict)
    """Of these, the ones whose block codes and units are not the annotator's: what is wanted, what is given."""
    unmarked: list[str] = field(default_factory=list)
    charged: list[str] = field(default_factory=list)
    """Notes without annotation that are given a line."""
    any_block: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class HeldOut:
    """The score on the held-out notes; what is wrong with lines and missing elements is kept by the id of the note."""

    notes: int
    whole: int
    """Notes with both the lines and the missing elements exactly right."""
    invented: int
    """Notes given lines where a coder reports none."""
    missing: Tally
    wrong_lines: Mapping[str, str]
    wrong_missing: Mapping[str, tuple[str, ...]]


def annotated(row: Row) -> Values:
    """Return what the annotation says of one note, in the reader's terms, by attribute.

    Levels are left out where the annotation names one that is no vertebral level or joint, and the region where it
    names none of the spine: there is nothing to compare.
    """
    side = row["laterality"]
    response = row["response"] or {}
    values = {
        "technique": frozenset({_TECHNIQUES.get(row["technique"], Technique.OTHER).value}),
        "side": frozenset({side} & _SIDES),
        "continuous": _present(row["continuous_catheter"]),
        "guidance": frozenset({row["guidance"]} & _IMAGING),
        "drugs": _local_anesthetics(drug["name"] for drug in row["drugs"]),
        "consent": _present(row["consent"]),
        "asepsis": _present(row["asepsis"]),
        "position": _present(row["position"]),
        "aspiration": _present(row["aspiration"]),
        "complications": _present(row["complications_statement"]),
        "response": _present(any(response.values())),
    }
    if region := _REGIONS.get(row.get("region") or ""):
        values["region"] = frozenset({region})
    levels = [_LEVEL.fullmatch(level) for level in row["levels"]]
    if all(levels):
        values["levels"] = frozenset(match[1] for match in levels if match)
    return values


def reading_of(note: NoteReading, blocks: Sequence[BlockReading]) -> Values:
    """Return what the reader says of one note, by attribute; facts of a block come from `blocks` only."""
    stated = {statement.element for statement in note.statements if statement.affirmed}
    agents = (said.value or "" for said in note.statements if said.element == "anesthetic-agent" and said.affirmed)
    return {
        "technique": frozenset(block.technique.value for block in blocks),
        "region": frozenset(_REGIONS[block.region] for block in blocks if block.region),
        "levels": frozenset(_level(site.level) for block in blocks for site in block.sites if site.level),
        "side": frozenset(side for block in blocks if (side := _side(block))),
        "continuous": _present(any(block.continuous and block.continuous.value for block in blocks)),
        "guidance": frozenset(said.value.value for block in blocks for said in block.guidance) & _IMAGING,
        "drugs": _local_anesthetics(agents),
        "consent": _present("consent" in stated),
        "asepsis": _present("asepsis" in stated),
        "position": _present("position" in stated),
        "aspiration": _present("aspiration" in stated),
        "complications": _present("complications" in stated),
        "response": _present(bool(stated & {"response", "pain-score-after"})),
    }


def score_annotated(notes: Iterable[Row], gold: Iterable[Row], pipeline: Pipeline) -> Annotated:
    """Return the score on the annotated notes, and what is read in those without annotation.

    The annotator's codes are those of the blocks: imaging beside them is left aside. A text goes alone through the
    service, dated in the middle of 2026.
    """
    score = Annotated()
    texts = {row["id"]: row for row in notes}
    for answer in gold:
        _score_one(score, answer, texts.pop(answer["id"]), pipeline)
    for name, row in texts.items():
        score.unmarked.append(name)
        score.charged += [name] if _block_codes(row["text"], pipeline) else []
        score.any_block += [name] if _done(read(row["text"])) else []
    return score


def annotated_report(score: Annotated, version: str) -> str:
    """Return the report on the annotated notes: reports with their codes, plans, notes without annotation."""
    right = len(score.sure) - len(score.miscoded)
    share = f"{right} of {len(score.sure)} ({percent_of(right, len(score.sure))})"
    parts = [
        stamp(_COMMAND, version),
        f"### Reports\n\n{score.reports.notes} notes of all techniques.",
        score.reports.table(),
        f"Codes and units of the blocks, where the annotator is sure of them: {share}.",
    ]
    if score.miscoded:
        parts.append(
            table(("note", "annotator → service"), [(f"`{name}`", said) for name, said in score.miscoded.items()])
        )
    parts += [
        f"### Trial descriptions\n\n{score.plans.notes} passages on what is to be done; blocks of any status count.",
        f"Read as done: {named(score.planned_as_done)}.",
        score.plans.table(),
        f"### Notes without annotation\n\n{len(score.unmarked)} operations and visits.",
        f"A line is given in: {named(score.charged)}.",
        f"A performed block of any technique is read in: {named(score.any_block)}.",
    ]
    return "\n\n".join(parts)


def score_held_out(pipeline: Pipeline, folder: Path = HELD_OUT) -> HeldOut:
    """Return how the whole service, given each note alone under the default profile, meets what a coder expects."""
    notes, whole, invented, missing = 0, 0, 0, Tally()
    wrong_lines: dict[str, str] = {}
    wrong_missing: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.toml")):
        case = tomllib.loads(path.read_text(encoding="utf-8"))
        answer = pipeline.review_note(case["note"], day=case["date"])
        expected, found = _expected_lines(case), _lines(answer)
        wanted, lacking = set(case["expected"]["missing"]), _missing(answer)
        notes += 1
        invented += bool(found and not expected)
        if expected != found:
            wrong_lines[case["id"]] = f"{_spell(expected)} → {_spell(found)}"
        if not missing.add(wanted, lacking):
            wrong_missing[case["id"]] = _mistakes(wanted, lacking)
        whole += case["id"] not in wrong_lines and case["id"] not in wrong_missing
    return HeldOut(notes, whole, invented, missing, wrong_lines, wrong_missing)


def held_out_report(score: HeldOut, version: str) -> str:
    """Return the report on the held-out notes: figures and kinds of mistakes, not which notes they are in."""
    tally = score.missing
    lines_right = score.notes - len(score.wrong_lines)
    kinds = Counter(kind for kinds in score.wrong_missing.values() for kind in kinds)
    figures = [
        ("notes", str(score.notes)),
        ("expected lines exactly right", f"{lines_right} ({percent_of(lines_right, score.notes)})"),
        ("lines and missing elements both right", f"{score.whole} ({percent_of(score.whole, score.notes)})"),
        ("lines given where none is expected", str(score.invented)),
        ("missing elements, precision", f"{percent(tally.precision)} ({tally.extra} asked for in vain)"),
        ("missing elements, recall", f"{percent(tally.recall)} ({tally.missed} not noticed)"),
    ]
    mistakes = [(kind, str(count)) for kind, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))]
    parts = (
        stamp(_COMMAND, version),
        table(("measure", "figure"), figures),
        table(("mistake about a missing element", "notes"), mistakes),
    )
    return "\n\n".join(parts)


def held_out_details(score: HeldOut) -> str:
    """Return which held-out notes are misread, and how; for the terminal only, so that they stay held out."""
    wrong = [f"{name}: {what}" for name, what in score.wrong_lines.items()]
    return "\n".join(wrong + [f"{name}: {', '.join(kinds)}" for name, kinds in score.wrong_missing.items()])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; with `--write` put them into docs/accuracy.md."""
    parser = argparse.ArgumentParser(description="Score the note reader.")
    parser.add_argument("folder", nargs="?", type=Path, default=SHARED / "notes", help="holds notes.jsonl, gold.jsonl")
    parser.add_argument("--write", action="store_true", help="update docs/accuracy.md")
    parser.add_argument("--details", action="store_true", help="say which held-out notes are misread")
    options = parser.parse_args(arguments)
    knowledge = load()
    pipeline = Pipeline(knowledge)
    held_out = score_held_out(pipeline)
    reports = {"held-out": held_out_report(held_out, knowledge.version)}
    notes, gold = options.folder / "notes.jsonl", options.folder / "gold.jsonl"
    if not absent(notes, gold):
        reports["notes"] = annotated_report(score_annotated(rows_of(notes), rows_of(gold), pipeline), knowledge.version)
    if options.details:
        print(f"{held_out_details(held_out)}\n")
    for name, report in reports.items():
        print(f"== {name}\n\n{report}\n")
        if options.write:
            write_section(name, report)
    return 0


def _score_one(score: Annotated, answer: Row, row: Row, pipeline: Pipeline) -> None:
    """Count one annotated note in its group: a report, or a plan."""
    name, expected = answer["id"], annotated(answer)
    if answer["section"] == "technique_passage":
        plan = read(row["technique_passage"])
        score.plans.add(name, expected, reading_of(plan, plan.blocks))
        score.planned_as_done += [name] if _done(plan) else []
        return
    note = read(row["text"])
    score.reports.add(name, expected, reading_of(note, _done(note)))
    if answer["code_confidence"] == "high":
        wanted = Counter({line["code"]: line["units"] for line in answer["suggested_codes"]})
        given = _block_codes(row["text"], pipeline)
        score.sure.append(name)
        if wanted != given:
            score.miscoded[name] = f"{_units(wanted)} → {_units(given)}"


def _block_codes(text: str, pipeline: Pipeline) -> Counter[str]:
    """Return the units of each code but imaging that the service expects for a note on its own."""
    codes = pipeline.knowledge.codes
    units: Counter[str] = Counter()
    for line in pipeline.review_note(text, day=_DAY).expected_lines:
        if codes[line.code].role != "imaging":
            units[line.code] += line.units
    return units


def _units(codes: Counter[str]) -> str:
    return " ".join(f"{code}×{units}" for code, units in sorted(codes.items())) or "no line"


def _present(value: object) -> frozenset[str]:
    return frozenset({"stated"}) if value else frozenset()


def _local_anesthetics(names: Iterable[str]) -> frozenset[str]:
    return frozenset(match[0] for name in names if (match := _LOCAL_ANESTHETIC.search(name.lower())))


def _level(level: str) -> str:
    """Return a rib as the thoracic level of its nerve, as the annotations name it."""
    return f"T{level.removeprefix('rib ')}" if level.startswith("rib ") else level


def _side(block: BlockReading) -> str | None:
    sides = {site.side for site in block.sites if site.side}
    if block.side is not None:
        return block.side.value.value
    return None if not sides else Side.BILATERAL.value if len(sides) > 1 else sides.pop().value


def _done(note: NoteReading) -> list[BlockReading]:
    return [block for block in note.blocks if block.status is Status.PERFORMED]


def _lines(answer: Assessment) -> list[tuple[str, int, tuple[str, ...]]]:
    return sorted((line.code, line.units, line.modifiers) for line in answer.expected_lines)


def _expected_lines(case: Row) -> list[tuple[str, int, tuple[str, ...]]]:
    return sorted((line["code"], line["units"], tuple(line["modifiers"])) for line in case["expected"]["lines"])


def _missing(answer: Assessment) -> set[str]:
    return {
        item.element
        for item in answer.documentation
        if item.status is ElementStatus.MISSING and item.requirement == "required"
    }


def _spell(lines: Iterable[tuple[str, int, tuple[str, ...]]]) -> str:
    return " ".join(f"{'-'.join((code, *modifiers))}×{units}" for code, units, modifiers in lines) or "no line"


def _mistakes(wanted: set[str], found: set[str]) -> tuple[str, ...]:
    in_vain = [f"{name} asked for in vain" for name in sorted(found - wanted)]
    return (*in_vain, *(f"{name} not noticed" for name in sorted(wanted - found)))


if __name__ == "__main__":
    raise SystemExit(main())
