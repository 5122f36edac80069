"""The shipped phrases hold no slips of the small language: all of these compile, and match what nobody meant."""

import re

import pytest

from cds_service.chart.narrative.lexicon import Lexicon, matcher, shipped_tables

PHRASES = sorted({phrase for table in shipped_tables() for phrase in table["phrases"]})
SLIPS = {
    "the optional mark is put on a space": re.compile(r" \?"),
    "a space on both sides of what may be absent": re.compile(r" \((?!\?)[^()]*[^ ()|]\)\?(?: |\()"),
    "a space at an end": re.compile(r"\A\s|\s\Z"),
    "two spaces": re.compile(r"  "),
    "an empty choice": re.compile(r"\((?!\?)\||\|\||\|\)(?!\?)"),
    "a gap that is not between words": re.compile(r"(?<!^)(?<! )\.\.|\.\.(?! |\)|\|)|\A\.\. "),
    "a capital letter": re.compile(r"(?<!\\)[A-Z]"),
    "a repetition without an end": re.compile(r"\)[+]|\)\*"),
    "a star that does not end a word": re.compile(r"(?<=[a-z])\*[a-z]"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_no_shipped_phrase_has_a_slip(slip: str) -> None:
    assert [phrase for phrase in PHRASES if SLIPS[slip].search(phrase)] == []


def test_every_shipped_phrase_compiles() -> None:
    """They are compiled when a text first needs them, so nothing else would say so at a start."""
    for table in shipped_tables():
        names = f"({'|'.join(table.get('names', ()))})"
        for phrase in table["phrases"]:
            matcher(phrase.replace("<names>", names))


@pytest.mark.parametrize(
    ("phrase", "slip"),
    [
        ("aspiration ?negative", "the optional mark is put on a space"),
        ("a (b)? c", "a space on both sides of what may be absent"),
        ("request ", "a space at an end"),
        ("(a||b) c", "an empty choice"),
        ("a..b", "a gap that is not between words"),
        ("is (up )+", "a repetition without an end"),
        ("Block", "a capital letter"),
    ],
)
def test_a_slip_is_seen(phrase: str, slip: str) -> None:
    assert SLIPS[slip].search(phrase)


@pytest.mark.parametrize("phrase", ["a (b )?c", "(aspiration|asp) .. negative", "uneventful(ly)?", "(a|b) (c|d)( e)?"])
def test_a_phrase_in_order_has_none(phrase: str) -> None:
    assert not [name for name, slip in SLIPS.items() if slip.search(phrase)]


def test_every_choice_of_a_phrase_is_found() -> None:
    found = Lexicon([{"kind": "k", "value": "v", "phrases": ["(no|zero) (real )?problem*"]}])
    assert [found.scan(text) != [] for text in ("no problems", "zero real problem", "real problem")] == [
        True,
        True,
        False,
    ]


def test_names_of_a_table_are_a_choice_in_its_phrases() -> None:
    found = Lexicon(
        [{"kind": "k", "value": "v", "names": ["femoral", "sural"], "phrases": ["block of (the )?<names> nerve"]}]
    )
    texts = ("block of the sural nerve", "block of femoral nerve", "block of the ulnar nerve")
    assert [found.scan(text) != [] for text in texts] == [True, True, False]
