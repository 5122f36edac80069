"""Files of one sign again and again: reading them costs no more than their size."""

from __future__ import annotations

import contextlib
from itertools import count

import pytest

from cds_service.fhir.formats.extract import extract
from cds_service.fhir.formats.unreadable import Unreadable
from tests.security.cost import assert_linear

_number = count()
_HEAD = (
    '<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><component><structuredBody><component><section>'
    "<text>{} "
)
_WRAPPED = {
    "text/html": ("<html><body>{} ", "</body></html>"),
    "application/rtf": ("{{\\rtf1 {} ", "}}"),
    "text/xml": ("{}", ""),
    "application/hl7-sda+xml": (_HEAD, "</text></section></component></structuredBody></component></ClinicalDocument>"),
    "text/plain": ("{} ", ""),
}
_UNITS = (
    *(
        "<",
        ">",
        "&",
        "&amp;",
        "&#x",
        "<p>",
        "<table><tr><td>",
        "<td>",
        "</div>",
        "<!--",
        "<!-- -->",
        "<![CDATA[",
        '<a b="',
    ),
    *("{", "}", "\\", "\\'e9", "\\u233?", "\\par ", "\\bin9 ", "{\\*\\x ", "{\\fonttbl ", "\\cell", "\\uc9 "),
    *(" ", "\n", "\t", "\u00a0", "\u2003", "\u200b", "a", '<span style="display:none">', "<meta charset", "<?xml "),
    *("<ul><li>", "<paragraph>", "<list><item>", "<b><i>", "<select><option>", "<!DOCTYPE", "\u202e"),
)


@pytest.mark.parametrize("unit", _UNITS, ids=map(ascii, _UNITS))
@pytest.mark.parametrize("content_type", _WRAPPED)
def test_time_is_in_proportion_to_size(content_type: str, unit: str) -> None:
    before, after = _WRAPPED[content_type]

    def file(size: int) -> bytes:
        return (before.format(next(_number)) + unit * (size // len(unit)) + after).encode()

    def work(content: bytes) -> None:
        with contextlib.suppress(Unreadable):
            extract(content, content_type)

    assert_linear(file, work, 20_000, most_s=2.0)


def test_blanks_before_what_is_no_clinical_document() -> None:
    """Without a number in front: a search for the declaration once began anew at each blank."""
    assert_linear(lambda size: ("\u00a0" * size + "x" * (next(_number) + 1)).encode(), _read_as_xml, 20_000, most_s=1.0)


def _read_as_xml(content: bytes) -> None:
    with contextlib.suppress(Unreadable):
        extract(content, "text/xml")
