"""Score whole charts: the lines, questions, missing elements and cards of complete hook requests.

Run `python tools/score_charts.py`; with `--details` it names what is wrong in which chart, with `--write` the figures
go into docs/accuracy.md. The charts are `tests/accuracy/charts/*/*.json`; `tests/accuracy/charts/README.md` describes
them. The exit code is 0 whatever the score.
"""

from __future__ import annotations

import argparse
import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from scoring import REPOSITORY, percent_of, stamp, table, write_section

from cds_service.cards.build import build
from cds_service.cards.frame import EXTENSION
from cds_service.knowledge.library import load
from cds_service.pipeline import Pipeline
from cds_service.review.assessment import Assessment, ElementStatus

CHARTS: Final = REPOSITORY / "tests" / "accuracy" / "charts"
SETS: Final = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
)
ASPECTS: Final = ("lines", "question", "missing", "cards")
CODING_MODIFIERS: Final = frozenset({"50", "RT", "LT", "59", "XE", "XP", "XS", "XU", "KX"})
"""Modifiers an expected line may carry; payment modifiers such as 26 are left out of the comparison."""
_NOTE: Final = "note:"


@dataclass(frozen=True)
class WholeChart:
    """One chart: the hook request as an EHR would send it, and the answer of a coder.

    An aspect whose expected value is None has more than one right answer and is not compared.
    """

    id: str
    hook: str
    request: Mapping[str, Any]
    expected: Mapping[str, Any]

    def wrong(self, answer: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the aspects in which an answer is not the expected one."""
        compared = (aspect for aspect in ASPECTS if self.expected[aspect] is not None)
        return tuple(aspect for aspect in compared if answer[aspect] != self.expected[aspect])


def load_chart(path: Path) -> WholeChart:
    """Return the chart of a file, its notes put into the attachments that name them."""
    data = json.loads(path.read_text(encoding="utf-8"))
    expected = dict(data["expected"])
    if expected["lines"] is not None:
        expected["lines"] = sorted(_named(line["code"], line["units"], line["modifiers"]) for line in expected["lines"])
    request = _with_notes(data["request"], data["notes"])
    return WholeChart(data["id"], request["hook"], request, expected)


def load_charts(folder: Path) -> Iterator[WholeChart]:
    """Yield the charts of a folder in the order of their names."""
    yield from (load_chart(path) for path in sorted(folder.glob("*.json")))


def answer_of(chart: WholeChart, pipeline: Pipeline) -> dict[str, Any]:
    """Return what the service answers: lines, question or not, missing required elements, kinds of cards."""
    assessments = pipeline.review_request(chart.hook, chart.request["context"], chart.request["prefetch"])
    cards = build(assessments, chart.hook, "https://cds.example.org")
    return {
        "lines": sorted(_named(x.code, x.units, x.modifiers) for a in assessments for x in a.expected_lines),
        "question": any(a.queries for a in assessments),
        "missing": sorted({name for a in assessments for name in _missing(a)}),
        "cards": [card["extension"][EXTENSION]["kind"] for card in cards],
    }


def _with_notes(value: Any, notes: Mapping[str, str]) -> Any:
    """Return the request with `note:NAME` replaced by the note of that name, as an attachment holds it."""
    if isinstance(value, dict):
        return {key: _with_notes(member, notes) for key, member in value.items()}
    if isinstance(value, list):
        return [_with_notes(member, notes) for member in value]
    if isinstance(value, str) and value.startswith(_NOTE):
        return base64.b64encode(notes[value.removeprefix(_NOTE)].encode()).decode("ascii")
    return value


def _named(code: str, units: int, modifiers: Iterable[str]) -> str:
    return f"{'-'.join((code, *(m for m in modifiers if m in CODING_MODIFIERS)))} x{units}"


def _missing(assessment: Assessment) -> Iterator[str]:
    for element in assessment.documentation:
        if element.requirement == "required" and element.status is ElementStatus.MISSING:
            yield element.element


@dataclass
class Score:
    """How many charts of a set are answered right, and what is wrong in which."""

    charts: int = 0
    compared: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ASPECTS, 0))
    wrong: dict[str, dict[str, tuple[Any, Any]]] = field(default_factory=dict)
    """By chart and aspect: what was answered, what was expected."""
    silent: int = 0
    """Charts that deserve silence."""
    broken_silence: int = 0

    @property
    def right(self) -> int:
        """Charts right in every aspect."""
        return self.charts - len(self.wrong)

    def right_in(self, aspect: str) -> int:
        """Charts right in one aspect, among those where it is compared."""
        return self.compared[aspect] - sum(aspect in wrong for wrong in self.wrong.values())


def score_charts(pipeline: Pipeline, folder: Path) -> Score:
    """Return how the charts of a folder are answered."""
    score = Score()
    for chart in load_charts(folder):
        answer = answer_of(chart, pipeline)
        score.charts += 1
        score.silent += chart.expected["cards"] == []
        score.broken_silence += chart.expected["cards"] == [] and bool(answer["cards"])
        for aspect in ASPECTS:
            score.compared[aspect] += chart.expected[aspect] is not None
        if wrong := chart.wrong(answer):
            score.wrong[chart.id] = {aspect: (answer[aspect], chart.expected[aspect]) for aspect in wrong}
    return score


def report(scores: Mapping[str, Score], version: str) -> str:
    """Return the figures of the sets as Markdown."""
    names = list(scores)
    rows: list[tuple[str, ...]] = [("charts", *(str(score.charts) for score in scores.values()))]
    rows.append(("right in all", *(f"{s.right} ({percent_of(s.right, s.charts)})" for s in scores.values())))
    rows.extend((name, *(f"{s.right_in(name)} of {s.compared[name]}" for s in scores.values())) for name in ASPECTS)
    rows.append(("cards where silence is due", *(f"{s.broken_silence} of {s.silent}" for s in scores.values())))
    stamped = stamp("python tools/score_charts.py --write", version)
    return f"{stamped}\n\n{table(('measure', *names), rows)}"


def main() -> int:
    """Score, and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--details", action="store_true", help="name what is wrong in which chart")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/accuracy.md")
    parser.add_argument("sets", nargs="*", help="the sets to score; all where none is named")
    options = parser.parse_args()
    knowledge = load()
    names = options.sets or list(SETS)
    scores = {name: score_charts(Pipeline(knowledge), CHARTS / name) for name in names}
    if options.details:
        for score in scores.values():
            for chart, wrong in score.wrong.items():
                told = (f"{aspect}: {found} instead of {wanted}" for aspect, (found, wanted) in wrong.items())
                print("\n  ".join((chart, *told)))
    print(report(scores, knowledge.version))
    if options.write:
        write_section("charts", report(scores, knowledge.version))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
