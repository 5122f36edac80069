"""What each format gives: words and lines as they are shown, or a reason that quotes nothing."""

from __future__ import annotations

import base64
import contextlib
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.fhir.formats.extract import Format, extract
from cds_service.fhir.formats.unreadable import LARGEST_TEXT, Unreadable
from tools.note_formats import FORMATS, pdf, pdf_file, rtf

HTML = [
    pytest.param("<p>Side: right</p><p>Level: T4</p>", "Side: right\nLevel: T4", id="paragraphs"),
    pytest.param("<div>a<div>b</div>c</div>", "a\nb\nc", id="nested-blocks"),
    pytest.param("Side:<br>right<br><br>Level", "Side:\nright\n\nLevel", id="breaks"),
    pytest.param("<p>a</p><p>&nbsp;</p><p></p><p>b</p>", "a\n\nb", id="empty-paragraphs-are-one-blank-line"),
    pytest.param("<p>T<sub>4</sub>&ndash;<b>T</b>6&nbsp;&nbsp;&lt;5&#37; &#xb5;g</p>", "T4–T6 <5% µg", id="entities"),
    pytest.param("<p>a  \n\t b&#8203;c&shy;d</p>", "a bcd", id="white-space"),
    pytest.param(
        "<h1>Note</h1><h2>Block</h2>right<h3>Plan</h3>none", "Note\n\nBlock\nright\n\nPlan\nnone", id="headings"
    ),
    pytest.param("<ul><li>a<li>b</ul><ol><li>c</li><li><p>d</p></li></ol>e", "- a\n- b\n1. c\n2. d\ne", id="lists"),
    pytest.param("<dl><dt>Side<dd>right</dl>", "Side\nright", id="definitions"),
    pytest.param("<table><tr><td>Side<td>right<tr><td>Level:<td>T4</table>", "Side: right\nLevel: T4", id="form"),
    pytest.param("<table><tr><th>Side</th><td>right</td></tr></table>", "Side: right", id="form-with-headings"),
    pytest.param(
        "<table><tr><th>Level<th>Side<tr><td>T4<td>right</table>", "Level | Side\nT4 | right", id="table-of-columns"
    ),
    pytest.param("<table><tr><td>T4<td>right<td>5 mL</table>", "T4 | right | 5 mL", id="three-columns"),
    pytest.param("<table><tr><td>T4<td>a<tr><td>T4<td>b</table>", "T4 | a\nT4 | b", id="labels-twice-are-no-form"),
    pytest.param("<table><tr><td>4<td>a<tr><td>5<td>b</table>", "4 | a\n5 | b", id="numbers-are-no-labels"),
    pytest.param(
        "<table><tr><td>Side:<td>right<td>Level:<td>T4</table>", "Side: right | Level: T4", id="form-of-four-columns"
    ),
    pytest.param("<table><tr><td>a<br>b<td>c</table>", "a\nb\nc", id="layout-table"),
    pytest.param("<table><tr><td><table><tr><td>Side<td>right</table><td></table>", "Side: right", id="nested-table"),
    pytest.param("<table><tr><td>Consent<td></table>", "Consent:", id="empty-value"),
    pytest.param("<table><caption>Sites</caption><tr><td>a<td>b<td>c</table>d", "Sites\na | b | c\nd", id="caption"),
    pytest.param("<td>a</td><tr>b<li>c</li></ul></table></p>", "ab\n- c", id="tags-out-of-place"),
    pytest.param("<pre>Side: right\n  Level: T4</pre>", "Side: right\nLevel: T4", id="pre"),
    pytest.param("<p style='white-space: pre-wrap'>a\nb</p><p>c\nd</p>", "a\nb\nc d", id="white-space-kept"),
    pytest.param("<b>Side</b>: right\nLevel: T4", "Side: right\nLevel: T4", id="line-breaks-where-no-tag-breaks"),
    pytest.param("<p>a<script>b</script><style>c</style><!-- d --><template>e</template></p>", "a", id="no-words"),
    pytest.param("<html><head><title>x</title></head><body>a</body></html>", "a", id="head"),
    pytest.param("<p>a<span style='display:none'>b<i>c</i></span>d</p>", "ad", id="not-displayed"),
    pytest.param("<p>a<span style='mso-hide : all'>b</span><i hidden>c</i></p><p hidden>d</p>", "a", id="hidden"),
    pytest.param("<p><s>left</s> right <del>T5</del>T4</p>", "right T4", id="struck-out"),
    pytest.param("<p><span style='text-decoration:line-through'>left</span> right</p>", "right", id="struck-by-style"),
    pytest.param(
        "<p><input type=checkbox checked>right <input type=radio>left <input value='T4'></p>",
        "[x] right [ ] left T4",
        id="boxes",
    ),
    pytest.param("<p>a<o:p>&nbsp;</o:p></p>", "a", id="word"),
    pytest.param("<p>a<b>b<p>c</b>d", "ab\ncd", id="not-well-formed"),
    pytest.param("Side: right\nVolume <5 mL", "Side: right\nVolume <5 mL", id="plain-words-called-html"),
]


@pytest.mark.parametrize(("page", "expected"), HTML)
def test_html(page: str, expected: str) -> None:
    found = extract(page.encode(), "text/html")
    assert (found.text, found.format) == (expected, Format.HTML)


def test_prose_is_kept_apart() -> None:
    prose = "A needle was put in the right paravertebral space at T4 after the skin was numbed."
    assert extract(f"<p>{prose}</p><p>None.</p>".encode(), "text/html").text == f"{prose}\n\nNone."


RTF_HEAD = (
    rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fnil\fcharset0 Calibri;}{\f1\fnil\fcharset2{\*\panose 05}Symbol;}"
    rb"{\f2\fnil\fcharset238 Arial CE;}{\f3\fnil\fcharset2 Wingdings;}{\f4\fnil\fcharset128 MS Mincho;}}"
    rb"{\colortbl;\red0\green0\blue0;}{\stylesheet{\s0 Normal;}}{\info{\title T}}{\*\generator W;}\pard "
)
RTF = [
    pytest.param(rb"Side: right\par Level: T4\par", "Side: right\nLevel: T4", id="paragraphs"),
    pytest.param(rb"a\line b\par\par c\sect d", "a\nb\n\nc\nd", id="breaks"),
    pytest.param(rb"caf\'e9 T4\endash T6 \bullet  \ldblquote x\rdblquote\~y", "café T4–T6 • “x” y", id="characters"),
    pytest.param(rb"T4\_T6, \{a\} \\ b", "T4-T6, {a} \\ b", id="symbols"),
    pytest.param(rb"a\u8211?b \u8805\'b3c \u-10179?\u-8704?", "a–b ≥c 😀", id="unicode"),
    pytest.param(rb"{\uc0 \u233}{\uc2 \u233 ab}c{\upr{d}{\*\ud e}}", "éécd", id="characters-for-other-readers"),
    pytest.param(rb"{\f2\'b3}\'b3 {\f4\'82\'a0}", "ł³ あ", id="code-pages-of-fonts"),
    pytest.param(rb"{\f3\'fe} right {\f3 o} left {\f1\'b7} \u-3913?", "☑ right ☐ left • •", id="symbol-fonts"),
    pytest.param(rb"{\header Head\par}{\footerf Foot}{\footnote Fn}a{\*\unknown b}{\pict 00ff}c", "ac", id="not-shown"),
    pytest.param(rb"a{\v hidden}b\v c\v0 d{\deleted e\strike0 f}{\strike left}\plain g", "abdg", id="hidden"),
    pytest.param(rb'{\field{\*\fldinst HYPERLINK "http://x"}{\fldrslt shown}}', "shown", id="field"),
    pytest.param(rb"{\pict\bin5 }}{{\}after", "after", id="bytes-of-a-picture"),
    pytest.param(
        rb"{\pntext\f1\'b7\tab}a\par{\listtext\pard\plain\f1 \'b7\tab}b\par{\listtext 2.\tab}c{\listtext o\tab}d",
        "- a\n- b\n2. c\n- d",
        id="lists",
    ),
    pytest.param(
        rb"\trowd\cellx1\cellx2\pard\intbl Side\cell right\cell\row\trowd\pard\intbl Level\cell T4\cell\row\pard end",
        "Side: right\nLevel: T4\nend",
        id="form",
    ),
    pytest.param(
        rb"a\par\trowd\cellx1\intbl T4\cell right\cell 5 mL\cell\row\pard\par b",
        "a\nT4 | right | 5 mL\n\nb",
        id="table",
    ),
    pytest.param(
        rb"\pard\intbl T4\cell right\cell x\cell{\trowd\cellx1\row}\pard b", "T4 | right | x\nb", id="table-of-word"
    ),
    pytest.param(rb"\trowd a\cell b\cell c\cell\row\pard d", "a | b | c\nd", id="table-without-intbl"),
    pytest.param(rb"a\cell b\row c", "a | bc", id="cells-outside-a-table"),
    pytest.param(rb"{\shp{\*\shpinst{\sp{\sn n}{\sv v}}{\shptxt box\par}}{\shprslt x}}a", "box\na", id="text-box"),
    pytest.param("é Ω".encode(), "é Ω", id="raw-utf-8"),
    pytest.param(b"\xe9\x96", "é–", id="raw-bytes"),
    pytest.param(rb"a\'zb\u\u99999999999 \uc-3 c\f\fcharset\ansicpg", "azb c", id="damaged-words"),
    pytest.param(b"a}b", "a", id="after-the-end"),
    pytest.param(rb"a{{{b", "ab", id="cut-off"),
    pytest.param(b"a\\", "a}", id="backslash-before-the-end"),
]


@pytest.mark.parametrize(("body", "expected"), RTF)
def test_rtf(body: bytes, expected: str) -> None:
    found = extract(RTF_HEAD + body + b"}", "application/rtf")
    assert (found.text, found.format) == (expected, Format.RTF)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (rb"\ansi\ansicpg1251", "яйц"),
        (rb"\mac", "ˇÈˆ"),
        (rb"\pc", "     "),
        (rb"\ansi\ansicpg99999", "ÿéö"),
        (rb"\ansi", "ÿéö"),
    ],
)
def test_code_page_of_rtf(head: bytes, expected: str) -> None:
    assert extract(b"{\\rtf1" + head + rb" \'ff\'e9\'f6}").text.strip() == (
        bytes([0xFF, 0xE9, 0xF6]).decode("cp437").strip() if head == rb"\pc" else expected
    )


def document(body: str, head: str = "") -> bytes:
    return f'{head}<ClinicalDocument xmlns="urn:hl7-org:v3">{body}</ClinicalDocument>'.encode()


def section(text: str, title: str = "Procedure") -> str:
    return f"<component><section><title>{title}</title><text>{text}</text></section></component>"


CDA = [
    pytest.param(section("<paragraph>a</paragraph><paragraph>b</paragraph>"), "Procedure\na\nb", id="paragraphs"),
    pytest.param(
        f"<title>Note</title>{section('a')}{section('b', 'Plan')}", "Note\n\nProcedure\na\n\nPlan\nb", id="titles"
    ),
    pytest.param(section("Side: right\n  Level: T4"), "Procedure\nSide: right\nLevel: T4", id="lines-without-markup"),
    pytest.param(section("a\n <content styleCode='Bold'>b</content>\nc<br/>d"), "Procedure\na b c\nd", id="content"),
    pytest.param(
        section(
            "<list><item>a</item><item><paragraph>b</paragraph></item></list>"
            "<list listType='ordered'><item>c</item></list>"
        ),
        "Procedure\n- a\n- b\n1. c",
        id="lists",
    ),
    pytest.param(
        section(
            "<table><thead><tr><th>Level</th><th>Side</th></tr></thead><tbody><tr><td>T4</td><td>right</td></tr>"
            "</tbody></table>"
        ),
        "Procedure\nLevel | Side\nT4 | right",
        id="table",
    ),
    pytest.param(section("<table><tr><td>Side</td><td>right</td></tr></table>"), "Procedure\nSide: right", id="form"),
    pytest.param(
        section("<content revised='delete'>left</content><content>right</content>"), "Procedure\nright", id="deleted"
    ),
    pytest.param(
        section("a") + "<component><section><entry><act><text>b</text></act></entry></section></component>",
        "Procedure\na",
        id="entries",
    ),
    pytest.param(section("T<sup>4</sup> &lt; &#x2265; &amp;"), "Procedure\nT4 < ≥ &", id="characters"),
    pytest.param(
        '<component><nonXMLBody><text mediaType="text/plain">a &amp; b</text></nonXMLBody></component>',
        "a & b",
        id="plain-body",
    ),
]


@pytest.mark.parametrize(("body", "expected"), CDA)
def test_cda(body: str, expected: str) -> None:
    assert extract(document(body), "text/xml").text == expected


@pytest.mark.parametrize("form", ["rtf", "pdf", "html-paragraphs"])
def test_a_document_inside_a_cda(form: str) -> None:
    content_type, make = FORMATS[form]
    data = base64.b64encode(make("Right T4")).decode()
    text = f'<text mediaType="{content_type}" representation="B64">\n{data}\n</text>'
    assert extract(document(f"<component><nonXMLBody>{text}</nonXMLBody></component>")).text.strip() == "Right T4"


@pytest.mark.parametrize(
    ("content", "content_type", "expected"),
    [
        ('<meta charset="windows-1251"><p>яйцо</p>'.encode("cp1251"), "text/html", "яйцо"),
        ("<meta content='text/html; charset=windows-1250'><p>ł</p>".encode("cp1250"), "text/html", "ł"),
        ("<meta charset=windows-1251><p>я</p>".encode("cp1250", "replace"), "text/html;charset=windows-1250", "?"),
        ("<p>≥ é</p>".encode(), "text/html; charset=iso-8859-1", "≥ é"),
        ("<p>é–</p>".encode("cp1252"), "text/html; charset=iso-8859-1", "é–"),
        ("<html><p>≥</p></html>".encode("utf-16"), "text/html", "≥"),
        ("<html><p>≥</p></html>".encode("utf-16-le"), "text/html", "≥"),
        ('<meta charset="utf-16"><p>é</p>'.encode("cp1252"), "text/html", "é"),
        (b'<meta charset="rot13"><p>a</p>', "text/html", "a"),
        (b'<?xml version="1.0"?>\n<div xmlns="http://www.w3.org/1999/xhtml"><p>a</p></div>', "text/xhtml", "a"),
        (document(section("é"), '<?xml version="1.0" encoding="ISO-8859-2"?>'), "text/xml", "Procedure\né"),
        (
            document(section("ł"), '<?xml version="1.0" encoding="ISO-8859-2"?>').decode().encode("iso-8859-2"),
            "text/xml",
            "Procedure\nł",
        ),
        (
            document(section("ł"), '<?xml version="1.0" encoding="utf-16"?>').decode().encode("utf-16"),
            "application/xml",
            "Procedure\nł",
        ),
    ],
)
def test_charset_stated_inside(content: bytes, content_type: str, expected: str) -> None:
    assert extract(content, content_type).text == expected


PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R >>"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def one_page(stream: bytes, members: str = "", trailer: str = "") -> bytes:
    contents = b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(stream), members.encode(), stream)
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return pdf_file([b"<< /Type /Catalog /Pages 2 0 R >>", pages, PAGE, FONT, contents], trailer)


def test_pages_are_joined() -> None:
    note = "\n".join(f"Line {number}: T4–T6 (right)" for number in range(150))
    assert extract(pdf(note), "application/pdf").text.split() == note.split()


def test_a_compressed_page() -> None:
    stream = zlib.compress(b"BT /F1 9 Tf (Right T4) Tj ET")
    assert extract(one_page(stream, "/Filter /FlateDecode")).text.strip() == "Right T4"


def at(x: int, y: int, words: str) -> str:
    return f"BT /F1 10 Tf 1 0 0 1 {x} {y} Tm ({words}) Tj ET\n"


ROWS = [("Side:", "right"), ("Level:", "T5"), ("Guidance", "ultrasound, image saved")]
LABELS = "".join(at(50, 800 - 14 * row, label) for row, (label, _) in enumerate(ROWS))
VALUES = "".join(at(200, 800 - 14 * row, value) for row, (_, value) in enumerate(ROWS))
BY_ROWS = "".join(at(50, 800 - 14 * n, row[0]) + at(200, 800 - 14 * n, row[1]) for n, row in enumerate(ROWS))


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(BY_ROWS, "Side: right\nLevel: T5\nGuidance ultrasound, image saved", id="by-rows"),
        pytest.param(LABELS + VALUES, "Side: right\nLevel: T5\nGuidance | ultrasound, image saved", id="by-columns"),
        pytest.param(at(50, 700, "b") + at(50, 800, "a") + at(50, 600, "c"), "a\nb\nc", id="from-below"),
        pytest.param("BT /F1 10 Tf 50 800 Td (10) Tj 4 Ts (6) Tj 0 Ts ( mL) Tj ET", "106 mL", id="superscript"),
        pytest.param(
            "BT /F1 10 Tf 50 800 Td [(Ri)-20(ght)-300(T5)] TJ 0 -14 Td (b) Tj ET", "Right T5\nb", id="kerning"
        ),
    ],
)
def test_a_page_is_read_as_it_looks(stream: str, expected: str) -> None:
    assert extract(one_page(stream.encode())).text.strip() == expected


LAUGHS = '<!DOCTYPE a [<!ENTITY b "ha">' + "".join(f'<!ENTITY c{n} "{"&b;" * 9}">' for n in range(9)) + "]>"
SHELL = "<html>{}</html>"
REFUSED = [
    pytest.param(document("&c8;", LAUGHS), "the XML has a document type definition", id="billion-laughs"),
    pytest.param(
        document("a", '<!DOCTYPE a SYSTEM "http://127.0.0.1/x">'), "the XML has a document type definition", id="dtd"
    ),
    pytest.param(document("&b;"), "the XML is not well formed", id="unknown-entity"),
    pytest.param(document("<a>"), "the XML is not well formed", id="not-well-formed"),
    pytest.param(b"<?xml version='1.0'?><x/>", "XML other than C-CDA is not read yet", id="other-xml"),
    pytest.param(document("<a>" * 1000 + "</a>" * 1000), "the attachment is nested too deeply", id="deep-xml"),
    pytest.param(document("<a/>" * 250_000), "the attachment is too complex to read", id="many-elements"),
    pytest.param(
        document("<nonXMLBody><text/></nonXMLBody>"), "the body of the C-CDA was not sent with it", id="no-body"
    ),
    pytest.param(
        document("<nonXMLBody><text representation='B64'>%</text></nonXMLBody>"),
        "the body of the C-CDA is not base64",
        id="body-not-base64",
    ),
    pytest.param(
        document(
            f"<nonXMLBody><text>{base64.b64encode(document('')).decode()}</text></nonXMLBody>".replace(
                "<text>", "<text representation='B64'>"
            )
        ),
        "a C-CDA inside a C-CDA is not read",
        id="cda-in-cda",
    ),
    pytest.param(SHELL.format("<div>" * 1000).encode(), "the attachment is nested too deeply", id="deep-html"),
    pytest.param(SHELL.format("<b></b>" * 250_000).encode(), "the attachment is too complex to read", id="many-tags"),
    pytest.param(
        SHELL.format("x" * (LARGEST_TEXT + 1)).encode(),
        "the text of the attachment is larger than 1 MiB",
        id="long-html",
    ),
    pytest.param(b"{\\rtf1" + b"{" * 2000, "the attachment is nested too deeply", id="deep-rtf"),
    pytest.param(b"{\\rtf1" + b"\\b" * 1_100_000, "the attachment is too complex to read", id="many-words"),
    pytest.param(
        b"{\\rtf1 " + b"x" * (LARGEST_TEXT + 1), "the text of the attachment is larger than 1 MiB", id="long-rtf"
    ),
    pytest.param(one_page(b"BT ET"), "the PDF has no text layer", id="scanned"),
    pytest.param(
        one_page(b"", trailer="/Encrypt << /Filter /Standard /V 1 /R 2 /O (a) /U (b) /P 0 >>"),
        "the PDF is encrypted",
        id="encrypted",
    ),
    pytest.param(pdf("Right\n" * 60 * 110), "the PDF has more than 100 pages", id="many-pages"),
    pytest.param(
        one_page(zlib.compress(b" " * 50_000_000), "/Filter /FlateDecode"),
        "the attachment is too complex to read",
        id="bomb",
    ),
    pytest.param(
        one_page(b"BT /F1 9 Tf " + b"(a) Tj " * 200_000), "the attachment is too complex to read", id="operators"
    ),
    pytest.param(pdf("Right")[:200], "the PDF cannot be read", id="cut-off"),
]


@pytest.mark.parametrize(("content", "reason"), REFUSED)
def test_what_is_refused_is_said_in_time_and_without_its_words(content: bytes, reason: str) -> None:
    started = time.thread_time()
    with pytest.raises(Unreadable) as refused:
        extract(content)
    assert str(refused.value) == reason
    assert time.thread_time() - started < 5


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_file_gives_the_same_text_to_every_thread(form: str) -> None:
    content = FORMATS[form][1]("Side: right\nLevel: T4")
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: extract(content, FORMATS[form][0]), range(32)))) == 1


FILES = [make("Side: right\nLevel: T4–T6 é\nGiven: 20 mL\n\nEnd") for _, make in FORMATS.values()]
HEADS = [
    b"",
    b"<html>",
    b"<table><tr><td>",
    b"{\\rtf1",
    b"%PDF-1.4\n",
    b"<ClinicalDocument>",
    b"\xff\xfe",
    b"\xfe\xff<",
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Return a file of which parts are left out, doubled, or overwritten."""
    content = bytearray(draw(st.sampled_from(FILES)))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, max(len(content) - 1, 0)))
        end = start + draw(st.integers(0, 40))
        content[start:end] = draw(
            st.one_of(st.binary(max_size=12), st.just(bytes(content[start:end]) * 2), st.sampled_from(HEADS))
        )
    return bytes(content)


@settings(max_examples=300, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
@given(
    mutated() | st.builds(bytes.__add__, st.sampled_from(HEADS), st.binary(max_size=300)),
    st.none() | st.sampled_from([content_type for content_type, _ in FORMATS.values()]) | st.text(max_size=20),
)
def test_no_bytes_break_it(content: bytes, content_type: str | None) -> None:
    try:
        found = extract(content, content_type)
    except Unreadable:
        return
    found.text.encode()
    assert extract(content, content_type) == found


@pytest.mark.parametrize(
    "unit",
    [
        b"<",
        b"&",
        b"<!--",
        b"<p>a",
        b"<table>",
        b"<a b",
        b"</p>",
        b"<td>",
        b"<b></i>",
        b"&#",
        b"<?",
        b"<![CDATA[",
        b"\xa0",
    ],
)
@pytest.mark.parametrize("head", [b"<html>", b"<?xml version='1.0'?><ClinicalDocument>"])
def test_time_is_linear_in_markup(head: bytes, unit: bytes) -> None:
    assert _seconds(head + unit * (LARGEST_TEXT // len(unit))) < 5


@pytest.mark.parametrize(
    "unit",
    [
        b"{",
        b"}",
        b"\\",
        b"\\'",
        b"\\u1?",
        b"\\'e9",
        b"{}",
        b"\\cell",
        b"\\intbl x\\cell\\row",
        b"{\\fonttbl\\f1",
        b"\xe9",
        b"{\\listtext",
        b"\\par",
        b"{\\field{\\*\\fldinst{HYPERLINK ",
    ],
)
def test_time_is_linear_in_rtf(unit: bytes) -> None:
    assert _seconds(b"{\\rtf1 " + unit * (LARGEST_TEXT // len(unit))) < 5


@pytest.mark.parametrize(
    "unit", [b"<<", b"[", b"(", b"1 0 obj ", b"xref ", b"trailer ", b"startxref 9 ", b"/", b"%PDF-"]
)
def test_time_is_bounded_in_pdf(unit: bytes) -> None:
    junk = unit * (LARGEST_TEXT // len(unit))
    assert _seconds(b"%PDF-1.4\n" + junk) < 5
    assert _seconds(one_page(junk)) < 5


def _seconds(content: bytes) -> float:
    started = time.thread_time()
    with contextlib.suppress(Unreadable):
        extract(content)
    return time.thread_time() - started


def test_rtf_of_the_tool_is_ascii() -> None:
    assert rtf("é 😀 {}").isascii()
