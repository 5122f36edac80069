"""Bytes to characters."""

from __future__ import annotations

import re
from typing import Final

# Only these: Python knows "charsets" that are no character sets, and a sender's typing error must not find one.
_CHARSET: Final = re.compile(
    r"utf-?(?:8|16|16-?[lb]e)|iso-?8859-(?:[2-9]|1\d)|(?:windows-|cp)(?:125\d|874)|koi8-[ru]|shift_jis|euc-(?:jp|kr)|"
    r"gb(?:2312|k|18030)|big5|macintosh",
    re.IGNORECASE,
)
_PARAMETER: Final = re.compile(r"charset\s*=\s*[\"']?([^\s;\"'/>]+)", re.IGNORECASE)
_XML: Final = re.compile(r"\s*<\?xml[^>]{0,200}?\bencoding\s*=\s*[\"']([^\"'>]{1,40})[\"']", re.IGNORECASE)
_META: Final = re.compile(r"<meta\b[^>]{0,300}?\bcharset\s*=\s*[\"']?([^\s;\"'/>]{1,40})", re.IGNORECASE)
_HEAD: Final = 4096
"""Bytes at the start of a file in which it can state its charset."""


def characters(content: bytes, parameters: str = "", *, markup: bool = False) -> str:
    """Decode by what the bytes themselves show, then by the stated charset, then as Windows-1252, then Latin-1.

    `parameters` are those of the content type; with `markup`, a charset stated in the file (XML declaration, HTML meta)
    counts where they state none. Bytes that are valid UTF-8 are UTF-8 whatever is stated. Latin-1 is read as
    Windows-1252, as browsers do (https://encoding.spec.whatwg.org/#names-and-labels): it is what is sent under that
    name, dashes and all.
    """
    stated = _stated(content, parameters, markup=markup)
    charsets = ["utf-8-sig", stated, "cp1252"]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        charsets = ["utf-16"]
    elif stated.startswith("utf-16") or stated == "utf16":
        charsets = [stated if stated[-1] == "e" else "utf-16-le", *charsets]
    elif markup and content.startswith((b"<\0", b"\0<")):  # https://www.w3.org/TR/xml/#sec-guessing-no-ext-info
        charsets = ["utf-16-le" if content[0] else "utf-16-be"]
    for charset in charsets:
        try:
            return content.decode(charset)
        except (UnicodeError, LookupError):
            continue
    return content.decode("latin-1")


def _stated(content: bytes, parameters: str, *, markup: bool) -> str:
    """Return the charset the content type states, else the file itself, else UTF-8."""
    found = [_PARAMETER.search(parameters)]
    if markup:
        head = content[:_HEAD].decode("latin-1")
        found += [_XML.match(head), _META.search(head)]
    names = (match[1].lower() for match in found if match is not None)
    known = [name for name in names if _CHARSET.fullmatch(name)]
    # A file that could be searched for the name of its charset is not UTF-16, whatever it says.
    return next((name for name in known if not (markup and "16" in name and b"\0" not in content)), "utf-8")
