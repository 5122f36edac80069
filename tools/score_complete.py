"""Score complete notes: what is read of each block, attribute by attribute, and the expected lines.

Run `python tools/score_complete.py`; with `--details` it names what is misread in which note, with `--write` the
figures go into docs/accuracy.md. The notes are `tests/accuracy/complete/*.toml`. The exit code is 0 whatever the score.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from scoring import REPOSITORY, Tally, percent_of, stamp, table, write_section

from cds_service.chart.model import Technique
from cds_service.chart.narrative.reader import read
from cds_service.chart.narrative.reading import BlockReading, Said, Status
from cds_service.knowledge.library import load
from cds_service.pipeline import Pipeline

COMPLETE: Final = REPOSITORY / "tests" / "accuracy" / "complete"
ATTRIBUTES: Final = ("technique", "sites", "side", "continuous", "guidance", "purpose")
_ONLY_WHERE_GIVEN: Final = frozenset({"purpose", "sites"})
"""What a note may leave to the reader: its purpose is not said, its levels are no sites."""


@dataclass
class Complete:
    """The score: a tally for each attribute and for the lines, and what is wrong by the id of its note."""

    notes: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    wrong_lines: dict[str, str] = field(default_factory=dict)
    misread: dict[str, list[str]] = field(default_factory=dict)
    invented: int = 0
    """Notes given lines where a coder reports none."""

    @property
    def lines_right(self) -> int:
        """Notes whose lines are exactly right."""
        return self.notes - len(self.wrong_lines)

    @property
    def whole(self) -> int:
        """Notes with the lines and every attribute of every block right."""
        return self.notes - len(self.wrong_lines.keys() | self.misread.keys())


def score_complete(pipeline: Pipeline, folder: Path = COMPLETE) -> Complete:
    """Return how each note alone, under the default profile, is read and coded."""
    score = Complete()
    for path in sorted(folder.glob("*.toml")):
        case = tomllib.loads(path.read_text(encoding="utf-8"))
        score.notes += 1
        _score_blocks(score, case)
        found = sorted(
            f"{'-'.join((line.code, *line.modifiers))} x{line.units}"
            for line in pipeline.review_note(case["note"], day=case["date"]).expected_lines
        )
        wanted = sorted(case["expected"]["lines"])
        score.invented += bool(found and not wanted)
        if found != wanted:
            score.wrong_lines[case["id"]] = f"{', '.join(found) or 'no line'} instead of {', '.join(wanted) or 'none'}"
    return score


def _score_blocks(score: Complete, case: Mapping[str, Any]) -> None:
    done = [block for block in read(case["note"]).blocks if block.status is Status.PERFORMED]
    wanted = {name: _wanted(case["blocks"], name) for name in ATTRIBUTES}
    found = {name: _found(done, name) for name in ATTRIBUTES}
    for name in ATTRIBUTES:
        if name in _ONLY_WHERE_GIVEN and not all(name in block for block in case["blocks"]):
            continue
        if not score.tallies.setdefault(name, Tally()).add(wanted[name], found[name]):
            what = f"{name}: {sorted(found[name])} instead of {sorted(wanted[name])}"
            score.misread.setdefault(case["id"], []).append(what)


def _wanted(blocks: Iterable[Mapping[str, Any]], name: str) -> set[str]:
    """Return the values of an attribute, each with the technique it is said of."""
    found: set[str] = set()
    for block in blocks:
        technique = "/".join(block[part] for part in ("technique", "plane", "target") if part in block)
        if name == "technique":
            found.add(technique)
            continue
        value = block.get(name, [])
        values = value if isinstance(value, list) else [value]
        found.update(f"{block['technique']} {str(each).lower()}" for each in values)
    return found


def _found(blocks: Iterable[BlockReading], name: str) -> set[str]:
    found: set[str] = set()
    for block in blocks:
        if name == "technique":
            found.add("/".join((block.technique.value, *_aims(block))))
        else:
            found.update(f"{block.technique} {each.lower()}" for each in _values(block, name))
    return found


def _aims(block: BlockReading) -> list[str]:
    """Return the plane or target that makes a block another one; that of a paravertebral block only confirms it."""
    said = (block.plane, block.target if block.technique is not Technique.PARAVERTEBRAL else None)
    return [aim.value for aim in said if aim]


def _values(block: BlockReading, name: str) -> list[str]:
    if name == "sites":
        return [" ".join(filter(None, (site.side and site.side.value, site.level))) for site in block.sites]
    value = getattr(block, name)
    said: Sequence[Said[Any]] = value if isinstance(value, tuple) else [value] if value else []
    return [str(each.value) for each in said]


def report(score: Complete, version: str) -> str:
    """Return the figures as Markdown."""
    rows = (
        ("notes", str(score.notes)),
        ("expected lines exactly right", f"{score.lines_right} ({percent_of(score.lines_right, score.notes)})"),
        ("lines and every attribute of every block right", f"{score.whole} ({percent_of(score.whole, score.notes)})"),
        ("lines given where none is expected", str(score.invented)),
    )
    head = ("attribute", "precision", "recall", "right", "extra", "missed")
    tallies = table(head, [(name, *tally.cells()) for name, tally in score.tallies.items()])
    stamped = stamp("python tools/score_complete.py --write", version)
    return "\n\n".join((stamped, table(("measure", "figure"), rows), tallies))


def main() -> int:
    """Score, and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--details", action="store_true", help="name what is misread in which note")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/accuracy.md")
    options = parser.parse_args()
    knowledge = load()
    score = score_complete(Pipeline(knowledge))
    if options.details:
        for name in sorted(score.wrong_lines.keys() | score.misread.keys()):
            print("\n  ".join((name, *score.misread.get(name, ()), *filter(None, [score.wrong_lines.get(name)]))))
    print(report(score, knowledge.version))
    if options.write:
        write_section("complete", report(score, knowledge.version))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
