"""Texts nobody wrote to be read: whatever comes, reading raises nothing and takes time in proportion to the length."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.chart.narrative.folding import LIMIT
from cds_service.chart.narrative.reader import mentions_block, read
from cds_service.chart.narrative.reading import NoteReading

_BLOCK = "Left T4 paravertebral block was performed with 5 mL ropivacaine 0.5%.\n"
_UNITS = {
    "one giant word": "a",
    "a giant name of a drug": "caine",
    "a giant name of a block": "paravertebralblock",
    "digits": "1234567890",
    "numbers": "4 5 6 7 ",
    "spaces": " ",
    "no-break and em spaces": "\u00a0\u2003 ",
    "line breaks": "\n",
    "carriage returns": "\r\n",
    "stops": ".",
    "commas": ",",
    "initials": "a.b.",
    "half sentences": "a;",
    "empty fields": "a: ",
    "bullets": "- ",
    "open parentheses": "(",
    "pairs of parentheses": "()",
    "nested brackets": "([{",
    "closing brackets": ")]}",
    "boxes": "[ ] [x] ",
    "blanks": "*** ",
    "unresolved fields": "{a:1}{",
    "unresolved links": "@a",
    "straight quotes": "'\"",
    "curly quotes": "\u201c\u2019",
    "letters outside ASCII": "é漢字😀 ",
    "combining accents": "e\u0301",
    "null characters": "\x00",
    "headings": "Procedure:\n",
    "fields": "Side: right\n",
    "negations and plans": "no denies without planned history of if ",
    "names of a block": "paravertebral block ",
    "sentences of a block": "Left PVB at T5 performed. ",
    "two techniques": "PVB and ESP block ",
    "nerves of joints": "L4-L5 medial branch block ",
    "points and muscles": "trigger point injection trapezius ",
    "blocks that were not done": "block not performed ",
    "failed levels": "unable to T4 ",
    "second attempts": "second attempt ",
    "sides": "right left ",
    "sides as letters": "R L ",
    "a list of levels": "T4, ",
    "ranges without end": "T4-T6 to ",
    "ordinals": "fourth and fifth ",
    "ribs": "4th rib ",
    "times": "x3 ",
    "repetitions": "the same was repeated at T5 ",
    "amounts": "5 mL ",
    "drugs with amounts": "ropivacaine 0.5% 10 mL ",
    "scores": "pain 7/10 to 2/10 ",
    "scores with their marks": "pre 7 post 2 ",
    "half a change of score": "from 7 to ",
    "half a duration": "pain for ",
    "treatments": "12 weeks of physical therapy ",
    "scales": "ODI 46% ",
    "half a date": "date of service: 01/02/",
    "complications": "no complications ",
}
_SHORT, _TIMES = 10_000, 4
_STEEPEST = 2 * _TIMES
"""How many times the cost of a text four times as long may be: 4 where it is linear, 16 where it is quadratic."""
_ATTEMPTS = 5


def _seconds(text: str) -> float:
    """Return the CPU time of a reading; `text` must not have been read before."""
    start = time.process_time()
    read(text)
    return time.process_time() - start


@pytest.mark.parametrize("before", ["", _BLOCK], ids=["alone", "after-a-block"])
@pytest.mark.parametrize("unit", _UNITS.values(), ids=[name.replace(" ", "-") for name in _UNITS])
def test_time_is_in_proportion_to_length(before: str, unit: str) -> None:
    """Asks for one attempt within bounds: what disturbs a measurement comes and goes, a quadratic search stays."""
    for attempt in range(_ATTEMPTS):
        short, long = (
            _seconds(f"{attempt} {before}{unit * (length // len(unit))}") for length in (_SHORT, _TIMES * _SHORT)
        )
        if long <= _STEEPEST * max(short, 0.002):
            return
    pytest.fail(f"{long:.3f} s for a text of {_TIMES * _SHORT} characters, {short:.3f} s for one of {_SHORT}")


@pytest.mark.parametrize("unit", [_UNITS["sentences of a block"], _UNITS["open parentheses"], _UNITS["spaces"]])
def test_of_a_megabyte_only_the_beginning_is_read(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    assert read(text) == read(text[:LIMIT])
    assert all(block.span.end <= LIMIT for block in read(text).blocks)


_WORDS = (
    *("left", "right", "bilateral", "R", "L", "T4", "T5-T7", "L4/5", "rib 6", "PVB", "ESP", "paravertebral block"),
    *("medial branch", "catheter", "ultrasound", "10 mL", "0,5 %", "ropivacaine", "not", "no", "without", "planned"),
    *("history of", "performed", "cancelled", "Consent:", "PROCEDURE:", "Plan:", "***", "[ ]", "[x]", "pain 7/10"),
    *(
        "complications",
        "aspiration",
        "x3",
        "each",
        "same",
        "and",
        "to",
        "-",
        ",",
        ".",
        ";",
        ":",
        "(",
        ")",
        "\n",
        "\n\n",
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(_WORDS), max_size=60).map(" ".join))
def test_no_order_of_words_raises(text: str) -> None:
    _assert_well_formed(text)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    _assert_well_formed(text)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300).map(lambda garbage: garbage.decode("latin-1")))
def test_no_bytes_raise(text: str) -> None:
    _assert_well_formed(text)


def _assert_well_formed(text: str) -> None:
    """Every span lies within the text and is not empty, and no block is read where none could be mentioned."""
    reading = read(text)
    spans = [said.span for said in (*reading.blocks, *reading.statements, *reading.anesthesia)]
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert mentions_block(text) or reading == NoteReading() or not reading.blocks
