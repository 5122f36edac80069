"""Notes of one word of the reader's own vocabulary, again and again: each costs no more than its length."""

from __future__ import annotations

import re
from itertools import count

import pytest

from cds_service.chart.narrative.lexicon import shipped_tables
from cds_service.chart.narrative.reader import read
from tests.security.cost import assert_linear

_BLOCK = "Left T4 paravertebral block was performed with 5 mL ropivacaine 0.5%.\n"
_number = count()


def _words(phrase: str) -> str:
    """Return words that a phrase of the lexicon finds: without what may be absent, and the first of each choice."""
    plain = re.sub(r"\([^()]*\)[?{][^ ]*", "", phrase)
    plain = re.sub(r"\(([^()|]*)[^()]*\)", r"\1", plain)
    return re.sub(r"[*?\\]|<names>|\{.*?\}", "", plain.replace(" .. ", " ")).strip()


def _units() -> dict[str, str]:
    """Return words for each kind of concept, and those that once cost too much."""
    found = {table["kind"]: _words(table["phrases"][0]) for table in reversed(shipped_tables())}
    once = ("awake under", "T4,", "T4/", "crfa", "mvr", "tens", "fascial plane block", "plane block", "no aspiration")
    return found | {f"once-{words}": words for words in once}


@pytest.mark.parametrize("words", _units().values(), ids=_units())
def test_time_is_in_proportion_to_length(words: str) -> None:
    def text(length: int) -> str:
        return f"{next(_number)} {_BLOCK}" + f"{words} " * (length // (len(words) + 1))

    assert_linear(text, read, 20_000, most_s=3.0)
