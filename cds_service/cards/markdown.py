"""Record text made safe for a card: one line, no HTML, no Markdown, no links, still readable as plain text.

Clients differ: some render GitHub-flavored Markdown with raw HTML switched on, some show the source as it is.
So `<` becomes an entity (safe in both), Markdown's own characters get a backslash, and addresses are broken by
an invisible word joiner, because some renderers turn bare addresses into links after unescaping.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from cds_service.chart.model import Evidence

QUOTE_LIMIT = 160
"""Characters of a quote that are shown; a clinician recognizes the own sentence by fewer."""

REFERENCE_LIMIT = 60
"""Characters of a reference that are shown; ids of real servers run over 200 characters."""

_WORD_JOINER = "\u2060"
# Bidirectional controls can make text read as something else than it says.
_DROPPED = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_INLINE = re.compile(r"[\\`*_\[\]~|]")
_LINE_START = re.compile(r"^(?:[#>+=-]|\d+(?=[.)]))")
_ENTITY = re.compile(r"&(?=#?\w)")
_ADDRESS = re.compile(r"(://|@|(?<=\bwww)\.)", re.IGNORECASE)
_TAG_START = re.compile(r"<(?=[\w/!?])")


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":  # a lone surrogate cannot be sent as UTF-8
        return ""
    return " " if category in ("Cc", "Zl", "Zp") else character


def collapsed(text: str) -> str:
    """Return `text` on one line: runs of whitespace and control characters are one space, none at the ends."""
    if not text.isprintable():
        text = "".join(map(_visible, _DROPPED.sub("", text)))
    return " ".join(text.split())


def cut(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters, cut at a word boundary and ended with "…" where it was longer.

    A single word longer than that is cut within.
    """
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    within_word = not (head[-1:].isspace() or text[limit - 1].isspace())
    if within_word and " " in head.strip():
        head = head[: head.rfind(" ")]
    return head.rstrip(" ,;:-") + "…"


def plain(text: str) -> str:
    """Return `text` for a plain-text member (summary, label): one line, and no tag even if read as HTML."""
    return _TAG_START.sub("<" + _WORD_JOINER, collapsed(text))


def _start_escaped(match: re.Match[str]) -> str:
    mark = match.group()
    return f"{mark}\\" if mark.isdigit() else f"\\{mark}"


def escaped(text: str, limit: int | None = None) -> str:
    """Return `text` as Markdown that shows it literally, on one line, cut to `limit` characters before escaping."""
    line = collapsed(text)
    if limit is not None:
        line = cut(line, limit)
    line = _ADDRESS.sub(lambda match: _WORD_JOINER + match.group(), line)
    line = _INLINE.sub(lambda match: "\\" + match.group(), line)
    line = _LINE_START.sub(_start_escaped, line)
    return _ENTITY.sub("&amp;", line).replace("<", "&lt;")


def source_of(evidence: Evidence) -> str:
    """Return the reference of `evidence` in italics, for example `*DocumentReference/123*`."""
    return f"*{escaped(evidence.reference, REFERENCE_LIMIT)}*"


def quoted(evidence: Evidence, limit: int = QUOTE_LIMIT) -> str:
    """Return one Markdown quote line: the record's words, then where they are from. The quote must not be blank."""
    return f"> “{escaped(evidence.words or '', limit)}” {source_of(evidence)}"


def telling(evidence: Iterable[Evidence], most: int) -> list[Evidence]:
    """Return at most `most` pieces whose words tell a reader something, those of notes first, no sentence twice.

    Bare codes and values without letters are left out: they are in the text of the card anyway.
    """
    seen: dict[str, Evidence] = {}
    for piece in evidence:
        words = collapsed(piece.words or "")
        if any(character.isalpha() for character in words):
            seen.setdefault(words.casefold(), piece)
    return sorted(seen.values(), key=lambda piece: piece.start is None)[:most]
