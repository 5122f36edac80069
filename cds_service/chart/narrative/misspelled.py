"""Finds the long names of local anesthetics where they are one slip away: "ropivicaine", "lidociane"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from cds_service.chart.narrative.lexicon import Concept, Mention

_LONG_NAMES = (
    *("ropivacaine", "bupivacaine", "levobupivacaine", "mepivacaine", "lidocaine", "prilocaine"),
    *("chloroprocaine", "tetracaine", "marcaine", "sensorcaine", "xylocaine"),
)
_BRANDS = {"marcaine": "bupivacaine", "sensorcaine": "bupivacaine", "xylocaine": "lidocaine"}
_ENDING = re.compile(r"[ck](?=[ai])(?<=[a-z]{3}.)[a-z]{2,5}(?![a-z])")
"""How a word that may be a long name ends; sought before the word itself, because few words end like this."""
_BEGINNING = re.compile(r"(?<![a-z])[a-z]{3,12}\Z")
_LONGEST = 12


def misspelled_drugs(folded: str) -> Iterator[Mention]:
    """Yield the words of a text that are one slip away from a long name, in order, each as a mention of that drug."""
    for ending in _ENDING.finditer(folded):
        beginning = _BEGINNING.search(folded, max(ending.start() - _LONGEST, 0), ending.start())
        name = beginning and _meant(folded[beginning.start() : ending.end()])
        if beginning and name:
            value = _BRANDS.get(name, name)
            yield Mention(Concept("drug", value), "drug", value, beginning.start(), ending.end())


@lru_cache(maxsize=2048)
def _meant(word: str) -> str | None:
    """Return the long name a word is one slip away from; the same few words come again and again."""
    return next((name for name in _LONG_NAMES if _is_a_slip(word, name)), None)


def _is_a_slip(word: str, name: str) -> bool:
    """Return whether a word is a name with one letter more, less, another, or two letters in each other's place."""
    if word == name or abs(len(word) - len(name)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(word, name, strict=False)) if a != b), min(len(word), len(name)))
    mine, theirs = word[at:], name[at:]
    swapped = mine[:2] == theirs[1::-1] and mine[2:] == theirs[2:]
    return swapped or mine[1:] == theirs[1:] or mine == theirs[1:] or mine[1:] == theirs
