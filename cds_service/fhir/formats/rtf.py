"""RTF to text: one pass over its control words (Rich Text Format Specification 1.9.1), in time linear in its size.

What is not shown is left out: headers and footers, footnotes and comments, hidden, deleted and struck-out words,
pictures and the instructions of fields.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace
from typing import Final

from cds_service.fhir.formats.lines import Lines
from cds_service.fhir.formats.unreadable import TOO_COMPLEX, TOO_DEEP, Unreadable

DEEPEST: Final = 1000
"""Groups inside one another."""
_MOST_TOKENS: Final = 1_000_000
"""Control words, braces and runs of words: a page of a word processor has some thousands."""

_TOKEN: Final = re.compile(
    r"\\(?:(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?|'(?P<hex>[0-9a-fA-F]{2})|(?P<symbol>[^a-zA-Z]))|"
    r"(?P<brace>[{}])|[\r\n]+|(?P<words>[^\\{}\r\n]+)",
    re.DOTALL,
)
_SKIPPED: Final = frozenset({
    "annotation", "atnauthor", "atndate", "atnicn", "atnid", "atnref", "atntime", "author", "buptim", "colortbl",
    "comment", "company", "creatim", "datafield", "do", "doccomm", "docvar", "falt", "fldinst", "filetbl", "footer",
    "footerf", "footerl", "footerr", "footnote", "ftncn", "ftnsep", "ftnsepc", "header", "headerf", "headerl",
    "headerr", "info", "keywords", "listtable", "listoverridetable", "manager", "mmathPict", "nonesttables",
    "nonshppict", "objclass", "objdata", "objname", "operator", "pict", "printim", "private", "revtim", "revtbl",
    "rsidtbl", "rxe", "shprslt", "sn", "sp", "stylesheet", "subject", "sv", "tc", "template", "title", "txe", "xe",
    "themedata", "colorschememapping", "latentstyles", "generator",
})  # fmt: skip
"""Destinations whose words are not those of the page."""
_SHOWN: Final = frozenset({"shpinst", "shptxt"})
"""Destinations that may be passed over by a reader that does not know them, and hold words of the page: text boxes."""
_BULLETS: Final = frozenset({"listtext", "pntext"})
_CHARACTERS: Final = {
    "tab": "\t", "emdash": "—", "endash": "–", "emspace": " ", "enspace": " ", "qmspace": " ", "bullet": "•",
    "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "nestcell": " | ",
}  # fmt: skip
_SYMBOLS: Final = {"~": " ", "_": "-", "{": "{", "}": "}", "\\": "\\", "\t": "\t"}
_BREAKS: Final = frozenset({"line", "softline", "lbr", "page", "column", "nestrow"})
_CHARSETS: Final = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "cp936", 136: "cp950", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
"""\\fcharset to code page, as in the specification's table of font character sets."""
_WINGDINGS: Final = {0x6F: "☐", 0x71: "☐", 0xA8: "☐", 0x78: "☒", 0xFD: "☒", 0xFE: "☑", 0xFC: "✓", 0x52: "☑"}
_SYMBOL: Final = {0xB7: "•", 0xB1: "±", 0xB0: "°", 0xA3: "≤", 0xB3: "≥", 0x6D: "µ", 0xB4: "×", 0xAE: "→", 0xDE: "→"}
_PRIVATE: Final = range(0xF000, 0xF100)
"""Where Word puts the characters of symbol fonts in Unicode."""
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)
class _Font:
    name: str = ""
    codec: str | None = None
    symbols: bool = False


@dataclass(frozen=True, slots=True)
class _State:
    """What a group has of its own, given back at its end."""

    skipped: bool = False
    hidden: frozenset[str] = frozenset()
    """The control words that hide what is said."""
    fonts: bool = False
    """Inside the font table."""
    bullet: bool = False
    font: str | None = None
    after_unicode: int = 1
    """Characters that stand for a Unicode one, for readers that know none (\\uc)."""


@dataclass(slots=True)
class _Rtf:
    """Reads one file."""

    lines: Lines = field(default_factory=Lines)
    state: _State = field(default_factory=_State)
    groups: list[_State] = field(default_factory=list)
    fonts: dict[str, _Font] = field(default_factory=dict)
    codec: str = "cp1252"
    default_font: str | None = None
    pending: bytearray = field(default_factory=bytearray)
    """Bytes of characters that may take more than one."""
    high: str = ""
    """The first half of a character beyond U+FFFF."""
    lead: list[str] = field(default_factory=list)
    skip: int = 0
    starred: bool = False
    tabled: bool = False
    """The paragraph is of a table (\\intbl), or a row is defined and not yet ended (\\trowd)."""
    rowed: bool = False
    table: bool = False
    row: bool = False
    cell: bool = False

    def read(self, source: str) -> str:
        """Return the text. Everything that stands after the outermost group is no part of the document."""
        at = 0
        for _ in range(_MOST_TOKENS):
            match = _TOKEN.match(source, at)
            if match is None:  # the end, or a backslash at the end
                break
            at = match.end()
            kind = match.lastgroup
            if kind == "words":
                self._run(match["words"])
            elif kind == "hex":
                self._byte(int(match["hex"], 16))
            elif kind == "brace":
                if self._brace(match["brace"]):
                    break
            elif kind == "symbol":
                self._symbol(match["symbol"])
            elif match["word"] is not None:
                number = None if match["number"] is None else int(match["number"])
                at += self._word(match["word"], number)
        else:
            raise Unreadable(TOO_COMPLEX)
        self._flush()
        self._end_table()
        return self.lines.text()

    # What is shown

    def _out(self, text: str) -> None:
        state = self.state
        if state.skipped or state.hidden:
            return
        if state.fonts:
            self._font().name += text
        elif state.bullet:
            self.lead.append(text)
        else:
            self._place()
            self.lines.words(text)

    def _run(self, words: str) -> None:
        if self.skip:
            left = words[self.skip :]
            self.skip = max(self.skip - len(words), 0)
            words = left
        if not words:
            return
        font = self.fonts.get(self.state.font or "")
        if words.isascii() and not (font is not None and font.symbols):
            self._flush()
            self._out(words)
            return
        self.pending += words.encode("latin-1", "replace")

    def _byte(self, value: int) -> None:
        if self.skip:
            self.skip -= 1
        else:
            self.pending.append(value)

    def _flush(self) -> None:
        """Decode the bytes read by the code page of their font."""
        if self.pending:
            content = bytes(self.pending)
            self.pending.clear()
            font = self.fonts.get(self.state.font or "")
            if font is not None and font.symbols and not self.state.fonts:
                self._out("".join(_symbol(value, font.name) for value in content))
            else:
                self._out(_decoded(content, (font.codec if font is not None else None) or self.codec))

    def _unicode(self, number: int | None) -> None:
        self.skip = self.state.after_unicode
        code = (number or 0) % 0x10000 if (number or 0) < 0 else number or 0
        if code in _PRIVATE:
            font = self.fonts.get(self.state.font or "")
            self._out(_symbol(code - _PRIVATE.start, font.name if font is not None else ""))
        elif 0xD800 <= code < 0xDC00:
            self.high = chr(code)
        elif 0xDC00 <= code < 0xE000:
            pair = (self.high + chr(code)).encode("utf-16-le", "surrogatepass")
            self.high = ""
            self._out(pair.decode("utf-16-le", "replace"))
        elif 0x20 <= code < 0x110000:
            self._out(chr(code))

    # Groups

    def _brace(self, brace: str) -> bool:
        """Open or close a group; return whether it was the document."""
        self._flush()
        self.skip, self.starred = 0, False
        if brace == "{":
            self.groups.append(self.state)
            if len(self.groups) > DEEPEST:
                raise Unreadable(TOO_DEEP)
            return False
        if not self.groups:
            return True
        was, self.state = self.state, self.groups.pop()
        if was.bullet and not (self.state.bullet or self.state.skipped):
            self._place()
            self.lines.item(_lead("".join(self.lead)))
            self.lead.clear()
        return not self.groups

    def _symbol(self, symbol: str) -> None:
        self._flush()
        self.skip = 0
        if symbol == "*":
            self.starred = True
        elif symbol in "\r\n":
            self._paragraph()
        elif symbol in _SYMBOLS:
            self._out(_SYMBOLS[symbol])

    # Control words

    def _word(self, word: str, number: int | None) -> int:
        """Act on a control word; return how many characters after it are pictures' bytes, no RTF."""
        self._flush()
        self.skip = 0
        starred, self.starred = self.starred, False
        if word == "bin":
            return max(number or 0, 0)
        if (starred and word not in _SHOWN and word not in _BULLETS) or word in _SKIPPED:
            self.state = replace(self.state, skipped=True)
        elif word == "fonttbl":
            self.state = replace(self.state, fonts=True)
        elif word in _BULLETS:
            self.state = replace(self.state, bullet=True)
        elif word == "u":
            self._unicode(number)
        elif word in _CHARACTERS:
            self._out(_CHARACTERS[word])
        elif not (self._format(word, number) or self._font_word(word, number)):
            self._page(word)
        return 0

    def _format(self, word: str, number: int | None) -> bool:
        """Take how words look, as far as it hides them."""
        if word == "uc":
            self.state = replace(self.state, after_unicode=min(max(number or 0, 0), 8))
        elif word in ("v", "deleted", "strike", "striked"):
            hidden = self.state.hidden - {word} if number == 0 else self.state.hidden | {word}
            self.state = replace(self.state, hidden=hidden)
        elif word == "plain":
            self.state = replace(self.state, hidden=frozenset(), font=self.default_font)
        else:
            return False
        return True

    def _font_word(self, word: str, number: int | None) -> bool:
        if word == "f":
            self.state = replace(self.state, font=str(number))
        elif word == "deff":
            self.default_font = str(number)
            self.state = replace(self.state, font=self.default_font)
        elif word == "fcharset" and self.state.fonts:
            self._font().symbols = number == 2
            self._font().codec = _CHARSETS.get(number or 0) if number else None
        elif word in ("ansicpg", "cpg"):
            codec = _codec(number)
            if word == "ansicpg":
                self.codec = codec
            elif self.state.fonts:
                self._font().codec = codec
        elif word in ("mac", "pc", "pca"):
            self.codec = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}[word]
        else:
            return False
        return True

    def _font(self) -> _Font:
        return self.fonts.setdefault(self.state.font or "", _Font())

    def _page(self, word: str) -> None:
        """Take paragraphs, lines and tables."""
        if self.state.skipped or self.state.bullet or self.state.fonts:
            return
        if word in ("par", "sect"):
            self._paragraph()
        elif word in _BREAKS:
            self.lines.line_break()
        elif word == "intbl":
            self.tabled = True
        elif word == "pard":
            self.tabled = False
        elif word == "trowd":
            self.rowed = True
        elif word == "cell":
            self._end_cell()
        elif word == "row":
            self.lines.end_cell()
            self.rowed = self.row = self.cell = False

    def _paragraph(self) -> None:
        if self.state.skipped or self.state.bullet or self.state.fonts:
            return
        if self.cell or not (self.tabled or self.rowed):
            self._place()
            self.lines.line_break()

    def _place(self) -> None:
        """Go to where words belong: into a cell, opened where none is, or out of a table that has ended."""
        if not (self.tabled or self.rowed):
            self._end_table()
            return
        if not self.table:
            self.lines.start_table()
        if not self.row:
            self.lines.start_row()
        if not self.cell:
            self.lines.start_cell()
        self.table = self.row = self.cell = True

    def _end_cell(self) -> None:
        if not (self.tabled or self.rowed):
            self._out(" | ")
            return
        self._place()
        self.lines.end_cell()
        self.cell = False

    def _end_table(self) -> None:
        if self.table:
            self.lines.end_table()
            self.table = self.row = self.cell = False


def rtf_text(content: bytes) -> str:
    """Return the text of an RTF file.

    Raises:
        Unreadable: it is too large or nested too deeply.
    """
    reader = _Rtf()
    return _SURROGATES.sub("\ufffd", reader.read(content.decode("latin-1")))


def _decoded(content: bytes, codec: str) -> str:
    """Decode bytes of a document. Bytes above 127 are often written raw, as UTF-8."""
    if not content.isascii():
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            pass
    return content.decode(codec, "replace")


def _codec(number: int | None) -> str:
    names = {65001: "utf-8", 10000: "mac_roman"}
    name = names.get(number or 0, f"cp{number}")
    try:
        codecs.lookup(name)
    except LookupError:
        return "cp1252"
    return name


def _symbol(value: int, font: str) -> str:
    """Return what a character of a symbol font shows; what is unknown is a bullet or a mark."""
    if "wingdings" in font.lower():
        return _WINGDINGS.get(value, "•" if value > 0x20 else " ")
    return _SYMBOL.get(value, chr(value) if 0x20 <= value < 0x7F else "•")


def _lead(written: str) -> str:
    """Return how a list item begins: its number, or a dash for any bullet."""
    mark = " ".join(written.split())
    return f"{mark} " if mark != "o" and any(character.isalnum() for character in mark) else "- "
