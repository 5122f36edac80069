"""Read notes with medspaCy, in its own environment: JSON with lists of texts comes in, milliseconds of CPU go out.

The pipeline is medspaCy's own: sentences by PyRuSH, target rules, ConText and sections with its default rules. The
targets are the names of the techniques alone: no levels, sides, drugs, amounts and elements of documentation.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version

import medspacy  # noqa: F401 - registers the parts of the pipeline
import spacy
from loguru import logger
from medspacy.ner import TargetRule

_PARTS = ("medspacy_pyrush", "medspacy_target_matcher", "medspacy_context", "medspacy_sectionizer")
_WARM_UP = 5


def main() -> None:
    """Read `{"targets": [...], "texts": {name: [...]}}` from stdin; write `{"version": ..., "ms": {name: ...}}`."""
    logger.remove()  # PyRuSH logs every token, which would be measured too
    asked = json.load(sys.stdin)
    reader = spacy.blank("en")
    for part in _PARTS:
        reader.add_pipe(part)
    reader.get_pipe("medspacy_target_matcher").add([TargetRule(words, "TECHNIQUE") for words in asked["targets"]])
    found, milliseconds = 0, {}
    for name, texts in asked["texts"].items():
        for text in texts[:_WARM_UP]:
            reader(text)
        start = time.process_time()
        found += sum(len(reader(text).ents) for text in texts[_WARM_UP:])
        milliseconds[name] = (time.process_time() - start) * 1000 / len(texts[_WARM_UP:])
    if not found:
        raise SystemExit("no technique was found in any text")
    versions = ", ".join(f"{name} {version(name)}" for name in ("medspacy", "spacy"))
    json.dump({"version": versions, "ms": milliseconds}, sys.stdout)


if __name__ == "__main__":
    main()
