"""Compare how notes mean what they mention: this reader's assertion step beside medspaCy's ConText.

Run `python tools/compare_context.py`; with `--details` it lists every disagreement, with `--write` the figures go into
docs/accuracy.md. Both judge the same mentions in the same sentences, those the reader found, so that only the assertion
differs: triggers, their reach and what stops them. medspaCy runs in an environment of its own (`make bench` makes it);
where that is not there, the tool says so and compares nothing. `FOLDER` may hold public notes, `notes.jsonl`; their
words and those of the held-out notes are never printed. The exit code is 0 whatever the figures, 1 where medspaCy
fails.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scoring import REPOSITORY, SHARED, absent, percent_of, rows_of, stamp, table, write_section

from cds_service.chart.narrative.assertion import Assertion, assess
from cds_service.chart.narrative.document import prepare
from cds_service.knowledge.library import load

_COMMAND: Final = "python tools/compare_context.py --write"
PEER_PYTHON: Final = REPOSITORY / "bench" / ".venv-medspacy" / "bin" / "python"
_WORKER: Final = REPOSITORY / "bench" / "medspacy_context.py"
_HELD_OUT: Final = REPOSITORY / "tests" / "accuracy" / "heldout"
_COMPLETE: Final = REPOSITORY / "tests" / "accuracy" / "complete"

_KINDS: Final = ("technique", "continuous", "guidance", "drug")
_ELEMENTS: Final = frozenset({"consent", "aspiration", "contrast", "conservative-treatment"})
"""Elements that are named; "no complications" is a whole statement, with nothing around it to judge."""
_SAYS: Final = ("affirmed", "planned", "historical", "negated", "other")
"""The names of assertions, from the one that counts least to the one that counts most, as `Assertion` ranks them."""
_PEER: Final = {
    "hypothetical": "planned",
    "uncertain": "planned",
    "historical": "historical",
    "negated": "negated",
    "family": "other",
}
"""What medspaCy's attributes are here. A block that is only possible or considered is a plan to this reader."""


@dataclass(frozen=True)
class Note:
    """A text to compare on. `is_open` says whether its words may be printed."""

    name: str
    text: str
    is_open: bool = True


@dataclass(frozen=True)
class Target:
    """A mention both judge: where it is from, what it is of, its sentence and place in it, and what it means here."""

    note: str
    kind: str
    sentence: str
    start: int
    end: int
    ours: str
    is_open: bool = True


@dataclass(frozen=True)
class Pair:
    """A target and what medspaCy says of it."""

    target: Target
    theirs: str

    @property
    def category(self) -> str:
        """The two answers, this reader's first; one word where they agree."""
        return self.theirs if self.target.ours == self.theirs else f"{self.target.ours}/{self.theirs}"


def own_notes() -> list[Note]:
    """Return the project's own notes: sample cases, complete notes, short descriptions and the held-out notes."""
    samples = sorted((REPOSITORY / "fhir_fixtures").glob("*/notes/*.txt"))
    notes = [Note(f"{path.parent.parent.name}/{path.stem}", path.read_text("utf-8")) for path in samples]
    for folder in (_COMPLETE, _HELD_OUT):
        for path in sorted(folder.glob("*.toml")):
            text = tomllib.loads(path.read_text("utf-8"))["note"]
            notes.append(Note(path.stem, text, is_open=folder != _HELD_OUT))
    for path in sorted(_HELD_OUT.parent.glob("paraphrases*.toml")):
        for family, texts in tomllib.loads(path.read_text("utf-8")).items():
            notes += [Note(f"{path.stem}/{family}-{number}", text) for number, text in enumerate(texts, 1)]
    return notes


def targets_of(note: Note) -> Iterator[Target]:
    """Yield the mentions to compare, in order of their kinds."""
    document = prepare(note.text)
    for index, mention in document.all(*_KINDS, "element"):
        if mention.kind == "element" and mention.value not in _ELEMENTS:
            continue
        sentence = document.sentence(index)
        kind = mention.value if mention.kind == "element" else mention.kind
        start, end = mention.start - sentence.start, min(mention.end, sentence.end) - sentence.start
        ours = assess(document, index, mention).name.lower()
        yield Target(note.name, kind, note.text[sentence.start : sentence.end], start, end, ours, note.is_open)


def peer_says(said: Iterable[str]) -> str:
    """Return medspaCy's attributes as one assertion; where several hold, the one that would count here counts."""
    return max((_PEER[name] for name in said), key=_SAYS.index, default=_SAYS[Assertion.AFFIRMED])


def ask(targets: Sequence[Target], python: Path = PEER_PYTHON) -> tuple[str, list[Pair]]:
    """Return medspaCy's versions, and each target with its answer, in order.

    Raises:
        subprocess.CalledProcessError: medspaCy failed.
        ValueError: it did not answer every target.
    """
    lines = (json.dumps({"text": item.sentence, "start": item.start, "end": item.end}) for item in targets)
    done = subprocess.run(
        [python, str(_WORKER)], input="\n".join(lines), capture_output=True, text=True, encoding="utf-8", check=True
    )
    versions, *answers = (json.loads(line) for line in done.stdout.splitlines())
    paired = [Pair(item, peer_says(names)) for item, names in zip(targets, answers, strict=True)]
    return ", ".join(f"{name} {number}" for name, number in versions.items()), paired


def compare(pairs: Sequence[Pair]) -> str:
    """Return the answers of both as a table, this reader's down and medspaCy's across, and the disagreements."""
    same = sum(pair.target.ours == pair.theirs for pair in pairs)
    counts = Counter((pair.target.ours, pair.theirs) for pair in pairs)
    rows = [(ours, *(str(counts[ours, theirs]) for theirs in _SAYS), _total(counts, ours)) for ours in _SAYS]
    said = f"{len(pairs)} mentions; both say the same of {same} ({percent_of(same, len(pairs))})."
    return "\n\n".join((said, table(("here ↓, medspaCy →", *_SAYS, "all"), rows), _categories(pairs)))


def _total(counts: Mapping[tuple[str, str], int], ours: str) -> str:
    return str(sum(number for (said, _), number in counts.items() if said == ours))


def _categories(pairs: Iterable[Pair]) -> str:
    """Return the kinds of disagreement, the most frequent first, with what they are about."""
    about: dict[str, Counter[str]] = defaultdict(Counter)
    for pair in pairs:
        if pair.target.ours != pair.theirs:
            about[pair.category][pair.target.kind] += 1
    ranked = sorted(about.items(), key=lambda item: (-item[1].total(), item[0]))
    rows = (
        (f"`{category}`", str(kinds.total()), ", ".join(f"{kind} {kinds[kind]}" for kind in sorted(kinds)))
        for category, kinds in ranked
    )
    return table(("here/medspaCy", "mentions", "of what"), rows)


def details(pairs: Iterable[Pair]) -> str:
    """Return one line for each disagreement: category, kind and note, with the sentence where it may be shown."""
    lines = []
    for pair in sorted(pairs, key=lambda pair: (pair.category, pair.target.note)):
        target = pair.target
        if target.ours == pair.theirs:
            continue
        lines.append(f"{pair.category} {target.kind} `{target.note}`")
        if target.is_open:
            marked = f"{target.sentence[: target.start]}[{target.sentence[target.start : target.end]}]"
            lines[-1] += f": {' '.join((marked + target.sentence[target.end :]).split())}"
    return "\n".join(lines)


def public_notes(folder: Path) -> list[Note]:
    """Return the public notes of a folder, none where it is not there; no word of them may be printed."""
    path = folder / "notes.jsonl"
    return [] if absent(path) else [Note(row["id"], row["text"], is_open=False) for row in rows_of(path)]


def main(arguments: Sequence[str] | None = None, python: Path = PEER_PYTHON) -> int:
    """Compare, and print or write the figures; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=SHARED / "notes", help="where the public notes are")
    parser.add_argument("--details", action="store_true", help="list the disagreements")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/accuracy.md")
    options = parser.parse_args(arguments)
    if not python.is_file():
        print(
            f"not compared: {python} is not there; `make bench` installs medspaCy beside the project", file=sys.stderr
        )
        return 0
    for section, notes in (("context", own_notes()), ("context-public", public_notes(options.folder))):
        targets = [target for note in notes for target in targets_of(note)]
        if not targets:
            continue
        try:
            versions, pairs = ask(targets, python)
        except (ValueError, subprocess.CalledProcessError) as error:
            print(f"PROBLEM {error}", getattr(error, "stderr", ""), file=sys.stderr)
            return 1
        body = f"{stamp(_COMMAND, load().version)} {versions}; {len(notes)} notes.\n\n{compare(pairs)}"
        print(*([details(pairs)] if options.details else ()), body, sep="\n\n")
        if options.write:
            write_section(section, body)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
