"""Ask medspaCy's ConText about given words, in its own environment: JSON Lines come in, JSON Lines go out.

Each line in is one sentence and the place of the words in it, `{"text": ..., "start": ..., "end": ...}`; each line out
is a list of what medspaCy says of them: "negated", "hypothetical", "uncertain", "historical", "family". The rules are
those medspaCy ships for English. The first line out holds the versions.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version

import medspacy  # noqa: F401 - registers the parts of the pipeline
import spacy
from loguru import logger
from spacy.tokens import Doc, Span

_SAID = ("negated", "hypothetical", "uncertain", "historical", "family")
_GROUP = "medspacy_spans"


def main() -> None:
    """Answer until stdin ends."""
    logger.remove()
    language = spacy.blank("en")
    context = language.add_pipe("medspacy_context", config={"input_span_type": "group", "span_group_name": _GROUP})
    print(json.dumps({name: version(name) for name in ("medspacy", "spacy")}))
    for line in sys.stdin:
        asked = json.loads(line)
        doc = language.make_doc(asked["text"])
        for token in doc:  # the text is one sentence, wherever lines end in it
            token.is_sent_start = token.i == 0
        target = _target(doc, asked["start"], asked["end"])
        doc.spans[_GROUP] = [target]
        context(doc)
        print(json.dumps([name for name in _SAID if target._.get(f"is_{name}")]))


def _target(doc: Doc, start: int, end: int) -> Span:
    """Return the tokens that hold these characters."""
    span = doc.char_span(start, end, label="TARGET", alignment_mode="expand")
    if span is None:
        raise ValueError(f"no word at {start} to {end}")
    return span


if __name__ == "__main__":
    main()
