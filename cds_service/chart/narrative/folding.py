"""Folds text to one plain form, character by character, so that offsets stay those of the original."""

from __future__ import annotations

LIMIT = 200_000
"""Characters read of one text. A procedure note has a few thousand; what lies beyond is not read."""

_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_PLAIN = {
    **dict.fromkeys(map(ord, "\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"), "-"),
    **dict.fromkeys(
        map(ord, "\u00a0\u2002\u2003\u2007\u2009\u200a\u200b\u202f\u3000\ufeff\t\v\f\x1c\x1d\x1e\x1f"), " "
    ),
    **dict.fromkeys(map(ord, "\r\u0085\u2028\u2029"), "\n"),
    **dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u00b4`"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d"), '"'),
    **dict.fromkeys(map(ord, "\u2022\u25cf\u25aa\u25e6\u2023\u00b7"), "*"),
    ord("\u00d7"): "x",
}


def fold(text: str) -> str:
    """Return `text` in lower case with plain dashes, spaces, quotes and bullets; same length, up to `LIMIT`.

    Only one-to-one replacements are made: `fold(text)[a:b]` stands for `text[a:b]`.
    """
    text = text[:LIMIT]
    if text.isascii():
        return text.lower().replace("\r", "\n").replace("\t", " ")
    return text.translate(_LOWER).translate(_PLAIN)
