"""Change the look of notes, not what they say, and count how many are still read the same.

Run `python tools/score_mutations.py`; with `--details` it names the notes that are read otherwise, with `--write` the
figures go into docs/accuracy.md. The notes are `fhir_fixtures/*/notes/*.txt` and those of `tests/accuracy/heldout/`.
The exit code is 0 whatever the score.
"""

from __future__ import annotations

import argparse
import re
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

from scoring import REPOSITORY, percent_of, table, write_section

from cds_service.chart.narrative.reader import read
from cds_service.chart.narrative.reading import BlockReading
from cds_service.knowledge.library import load

_DAY: Final = date(2026, 6, 1)
_COMMAND: Final = "python tools/score_mutations.py --write"
_FIELD = re.compile(r"\s*(?:[-*#\[]|\d+[.)]|[A-Z][\w /()'-]{1,40}:)|[A-Z][A-Z /&-]{3,}$")


def _replaced(*pairs: tuple[str, str]) -> Callable[[str], str]:
    """Return a change that replaces every match of a pattern."""

    def change(text: str) -> str:
        for pattern, replacement in pairs:
            text = re.sub(pattern, replacement, text)
        return text

    return change


def _wrapped(text: str, width: int) -> str:
    """Wrap running text at `width`; fields, list items and headings keep lines of their own, continued where long."""
    lines = _unwrapped(text).split("\n")
    return "\n".join("\n".join(textwrap.wrap(line, width, break_on_hyphens=False)) for line in lines)


def _unwrapped(text: str) -> str:
    """Join the lines of each paragraph of running text; a line end that alone ends a sentence stays."""
    return "\n\n".join(
        part if any(_FIELD.match(line) for line in part.split("\n")) else re.sub(r"(?<=[.;,])\n|\n(?=[a-z])", " ", part)
        for part in text.split("\n\n")
    )


def _reordered(text: str) -> str:
    """Put the last of the one-line fields at the end of a form first, before all others."""
    lines = text.strip("\n").split("\n")
    fields = [
        line for line in lines if re.match(r"(?:Consent|Complications|Monitoring|Position|Asepsis)\b[^:]*: \S", line)
    ]
    rest = [line for line in lines if line not in fields]
    return "\n".join([*rest[:1], *reversed(fields), *rest[1:]])


MUTATIONS: Final[dict[str, Callable[[str], str]]] = {
    "upper case": str.upper,
    "lines wrapped at 60": partial(_wrapped, width=60),
    "lines wrapped at 80": partial(_wrapped, width=80),
    "paragraphs on one line": _unwrapped,
    "carriage return and line feed": _replaced(("\n", "\r\n")),
    "blank lines doubled": _replaced(("\n\n", "\n\n\n")),
    "doubled spaces": _replaced((" ", "  ")),
    "doubled spaces after stops": _replaced((r"\. ", ".  ")),
    "tabs for spaces after colons": _replaced((r": ", ":\t")),
    "no-break spaces": _replaced((" ", "\u00a0")),
    "spaces at line ends": _replaced(("\n", "  \n")),
    "lines indented": _replaced((r"(?m)^(?=\S)", "    ")),
    "space before punctuation": _replaced((r"(?<=[a-z])([,;:.])(?=\s)", r" \1")),
    "no space before units": _replaced((r"(?<=\d) (mL|ml|mg|cc|%)", r"\1")),
    "space before percent signs": _replaced((r"(?<=\d)%", " %")),
    "space within thoracic levels": _replaced((r"\bT(\d{1,2})\b(?!-)", r"T \1")),
    "space within lumbar levels": _replaced((r"\bL(\d)\b(?!-)", r"L \1")),
    "spaces squeezed": _replaced((r"(?<=\S)  +", " ")),
    "indentation dropped": _replaced((r"(?m)^ +", "")),
    "dash within levels": _replaced((r"\bT(\d{1,2})\b(?![-/])(?<![-/]T\d)(?<![-/]T\d\d)", r"T-\1")),
    "Th for T": _replaced((r"\bT(\d{1,2})\b", r"Th\1")),
    "curly quotes": _replaced(("'", "\u2019"), (r'"', "\u201d")),
    "long dashes": _replaced((r"(?<=\w)-(?=\w)", "\u2013"), (r" - ", " \u2014 ")),
    "decimal commas": _replaced((r"(\d)\.(\d+)(?= ?(?:%|mL|ml|mg))", r"\1,\2")),
    "no zero before decimals": _replaced((r"\b0\.(\d+)(?= ?%)", r".\1")),
    "cc for mL": _replaced((r"\bm[lL]\b", "cc")),
    "mls for mL": _replaced((r"\bm[lL]\b", "mls")),
    "R and L for sides": _replaced((r"\b[Rr]ight\b(?= (?:T\d|PVB|ESP|paravertebral|thoracic))", "R"),
                                   (r"\b[Ll]eft\b(?= (?:T\d|PVB|ESP|paravertebral|thoracic))", "L")),
    "Rt and Lt for sides": _replaced((r"\b[Rr]ight\b", "Rt"), (r"\b[Ll]eft\b", "Lt")),
    "PVB spelled out": _replaced((r"\bPVB\b", "paravertebral block")),
    "PVB for paravertebral block": _replaced((r"\b[Pp]aravertebral block\b(?!s)", "PVB")),
    "US for ultrasound": _replaced((r"\b[Uu]ltrasound[- ]guid", "US-guid")),
    "pt for patient": _replaced((r"\b[Pp]atient\b(?!')", "pt")),
    "w/ for with": _replaced((r"\bwith\b", "w/")),
    "ampersands for and": _replaced((r"\band\b", "&")),
    "spelled numbers of gauge": _replaced((r"(\d\d)[- ]?[gG]\b", r"\1 gauge")),
    "fields in another order": _reordered,
}  # fmt: skip
"""What is done to a note. Each keeps what the note says."""


@dataclass
class Mutated:
    """The notes a mutation changed, and those of them that are read otherwise, with what differs."""

    changed: int
    misread: dict[str, tuple[str, ...]]


def notes() -> dict[str, str]:
    """Return the project's own notes by name."""
    fixtures = sorted((REPOSITORY / "fhir_fixtures").glob("*/notes/*.txt"))
    held_out = sorted((REPOSITORY / "tests" / "accuracy" / "heldout").glob("*.toml"))
    return {f"{path.parent.parent.name}/{path.stem}": path.read_text("utf-8") for path in fixtures} | {
        path.stem: tomllib.loads(path.read_text("utf-8"))["note"] for path in held_out
    }


def gist(text: str, required: frozenset[str]) -> frozenset[str]:
    """Return what a note is read to say of its blocks, and which required elements it documents."""
    reading = read(text)
    said = {fact for block in reading.blocks for fact in _facts(block)}
    return frozenset(said | {s.element for s in reading.statements if s.affirmed and s.element in required})


def _facts(block: BlockReading) -> Iterator[str]:
    name = "/".join(str(part.value) for part in (block.plane, block.target) if part)
    name = f"{block.technique} {name} {block.status}".replace("  ", " ")
    yield name
    yield f"{name} side {block.side and block.side.value}"
    yield f"{name} count {block.site_count and (block.site_count.low, block.site_count.high)}"
    yield f"{name} catheter {block.continuous and block.continuous.value}"
    yield f"{name} guidance {sorted(said.value for said in block.guidance)}"
    yield from (f"{name} site {site.side} {site.level}" for site in block.sites)


def required_elements() -> frozenset[str]:
    """Return the documentation elements that some family requires."""
    knowledge = load()
    view = knowledge.on(_DAY)
    needs = (need for family in knowledge.families for need in view.requirements(family, continuous=True))
    return frozenset(need.element for need in needs if need.level == "required")


def score_mutation(change: Callable[[str], str], texts: dict[str, str], required: frozenset[str]) -> Mutated:
    """Apply a change to every note and compare the gists."""
    score = Mutated(0, {})
    for name, text in texts.items():
        mutated = change(text)
        if mutated == text:
            continue
        score.changed += 1
        before, after = gist(text, required), gist(mutated, required)
        if before != after:
            score.misread[name] = (*(f"- {fact}" for fact in before - after), *(f"+ {fact}" for fact in after - before))
    return score


def report(scores: dict[str, Mutated]) -> str:
    """Return the figures as Markdown."""
    rows = [
        (name, str(score.changed), str(score.changed - len(score.misread)),
         percent_of(score.changed - len(score.misread), score.changed))
        for name, score in scores.items()
    ]  # fmt: skip
    return f"Measured by `{_COMMAND}`.\n\n" + table(("mutation", "notes changed", "read the same", "share"), rows)


def main() -> int:
    """Score, and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--details", action="store_true", help="name what is read otherwise in which note")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/accuracy.md")
    options = parser.parse_args()
    texts, required = notes(), required_elements()
    scores = {name: score_mutation(change, texts, required) for name, change in MUTATIONS.items()}
    if options.details:
        for name, score in scores.items():
            for note, facts in score.misread.items():
                print("\n    ".join((f"{name}: {note}", *facts)))
    print(report(scores))
    if options.write:
        write_section("mutations", report(scores))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
