import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cds_service.cards.markdown import cut, escaped, plain, quoted, telling
from cds_service.chart.model import Evidence


@pytest.mark.conformance("card-detail-markdown")
@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("right T4, 20 mL of 0.5 %", "right T4, 20 mL of 0.5 %"),
        ("<b>T6</b>", "&lt;b>T6&lt;/b>"),
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("pain < 3 & stable", "pain &lt; 3 & stable"),
        ("&lt;img&gt; D&C", "&amp;lt;img&amp;gt; D&amp;C"),
        ("*** blank ***", r"\*\*\* blank \*\*\*"),
        ("_a_ `b` ~c~ |d|", r"\_a\_ \`b\` \~c\~ \|d\|"),
        ("[click](x) ![i](y)", r"\[click\](x) !\[i\](y)"),
        ("# Title", r"\# Title"),
        ("> nested", r"\> nested"),
        ("- item", r"\- item"),
        ("1. first", r"1\. first"),
        ("12) twelfth", r"12\) twelfth"),
        ("---", r"\---"),
        ("a\n\n- b\t c\r\nd", "a - b c d"),
        ("a\x00b\u2028c", "a b c"),
        ("left\u202ethgir", "leftthgir"),
        ("lone \ud800 surrogate", "lone surrogate"),
        (r"C:\new", r"C:\\new"),
    ],
)
def test_record_text_is_shown_literally(text: str, safe: str) -> None:
    assert escaped(text) == safe


@pytest.mark.parametrize("text", ["see https://evil.example/x", "see www.evil.example", "mail a@evil.example"])
def test_addresses_become_no_links(text: str) -> None:
    shown = escaped(text)
    assert not re.search(r"https?://|www\.|\w@\w", shown)
    assert shown.replace("\u2060", "") == text


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("short", 10, "short"),
        ("one two three", 9, "one two…"),
        ("one two three", 8, "one two…"),
        ("one two, three", 10, "one two…"),
        ("unbreakable", 5, "unbr…"),
        ("exactly", 7, "exactly"),
    ],
)
def test_long_text_is_cut_between_words(text: str, limit: int, short: str) -> None:
    assert cut(text, limit) == short


def test_a_quote_names_where_it_is_from() -> None:
    evidence = Evidence("DocumentReference/123", "content[0].attachment", "block at *T4*", 3, 16)
    assert quoted(evidence) == r"> “block at \*T4\*” *DocumentReference/123*"


def test_a_very_long_reference_is_cut() -> None:
    assert len(quoted(Evidence("DocumentReference/" + "x" * 300, "", "right"))) < 90


def test_plain_text_holds_no_tag() -> None:
    assert plain("a\n<b>x</b> < 3") == "a <\u2060b>x<\u2060/b> < 3"


def test_quotes_that_tell_nothing_are_left_out_and_note_words_come_first() -> None:
    coded = Evidence("Procedure/1", "code.text", "Paravertebral block")
    noted = Evidence("DocumentReference/1", "content[0]", "block at T4", 0, 11)
    pieces = [Evidence("Procedure/1", "code", "64461"), Evidence("Procedure/1", "status"), coded, noted, noted]
    assert telling(pieces, 5) == [noted, coded]
    assert telling(pieces, 1) == [noted]


@given(st.text(max_size=300))
def test_any_text_renders_as_one_paragraph_without_markup(text: str) -> None:
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(escaped(text))
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    children = {child.type for token in tokens for child in token.children or ()}
    assert children <= {"text", "text_special"}


@given(st.text(max_size=400), st.integers(min_value=2, max_value=200))
def test_cut_text_fits(text: str, limit: int) -> None:
    assert len(cut(text, limit)) <= limit
