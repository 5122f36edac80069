"""PDF with a text layer to text, by pypdf. What is only a picture of a page gives none: characters are not guessed."""

from __future__ import annotations

import io
import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from cds_service.fhir.formats.unreadable import LARGEST_TEXT, TOO_COMPLEX, TOO_LONG, Unreadable

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

MOST_PAGES: Final = 100
MOST_SECONDS: Final = 2.0
"""CPU time for one file. The bounds below keep a file that is no attack far from it."""

_LARGEST_STREAM: Final = 4 * LARGEST_TEXT
_BOUNDS: Final[Mapping[str, Any]] = {
    "maximum_declared_stream_length": _LARGEST_STREAM,
    "array_based_stream_maximum_output_length": _LARGEST_STREAM,
    "lzw_maximum_output_length": _LARGEST_STREAM,
    "run_length_maximum_output_length": _LARGEST_STREAM,
    "zlib_maximum_output_length": _LARGEST_STREAM,
    "zlib_maximum_recovery_input_length": LARGEST_TEXT,
    "brotli_maximum_output_length": _LARGEST_STREAM,
    "stream_filters_maximum_length": 4,
    "stream_decoding_work_maximum_length": 4 * _LARGEST_STREAM,
    "stream_parsing_work_maximum_count": 200_000,
    "page_tree_maximum_entries": 10 * MOST_PAGES,
    "page_tree_maximum_page_entries": 10_000,
    "page_tree_maximum_depth": 50,
    "xform_maximum_invocations_per_extraction": 200,
    "jbig2dec_binary": None,
    "disable_legacy_handling": True,
}
"""Of pypdf (https://pypdf.readthedocs.io/, "Configuration"): a note has a few thousand operators on a page."""
_LIGATURES: Final = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\xa0": " ", "\xad": "-"}
)
_SHOWS: Final = frozenset({b"Tj", b"TJ", b"'", b'"'})
_UP: Final = 6.0
"""Points by which text stands above the text before it: a table written by columns, or a field filled in later."""
_APART: Final = re.compile(r"(?<=\S) {3,}(?=\S)")
_UNREADABLE: Final = "the PDF cannot be read"


def pdf_text(content: bytes) -> str:
    """Return the text layer of a PDF, page after page.

    Raises:
        Unreadable: it is damaged, encrypted, without text, or larger inside than a document can be.
    """
    from pypdf import apply_configuration  # noqa: PLC0415 - 0.1 s, for the first PDF
    from pypdf.errors import LimitReachedError  # noqa: PLC0415

    # Its warnings may quote the file.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        with apply_configuration(**_BOUNDS):
            text = "\n".join(_pages(content))
    except Unreadable:
        raise
    except (LimitReachedError, MemoryError, RecursionError):
        raise Unreadable(TOO_COMPLEX) from None
    except Exception:  # noqa: BLE001 - a damaged file may raise anything, and is only a file that gives no text
        raise Unreadable(_UNREADABLE) from None
    if not text.strip():
        raise Unreadable("the PDF has no text layer")
    return text


def _pages(content: bytes) -> Iterator[str]:
    from pypdf import PdfReader  # noqa: PLC0415

    reader = PdfReader(io.BytesIO(content), strict=False, root_object_recovery_limit=1000)
    if reader.is_encrypted:
        raise Unreadable("the PDF is encrypted")
    if reader.get_num_pages() > MOST_PAGES:
        raise Unreadable(f"the PDF has more than {MOST_PAGES} pages")
    yield from _texts(reader)


def _texts(reader: PdfReader) -> Iterator[str]:
    size, watch = 0, _Watch(time.thread_time() + MOST_SECONDS)
    for page in reader.pages:
        watch.start_page()
        text = page.extract_text(visitor_operand_before=watch)
        if watch.jumps:
            text = _in_reading_order(page)
        text = text.translate(_LIGATURES)
        size += len(text)
        if size > LARGEST_TEXT:
            raise Unreadable(TOO_LONG)
        yield "\n".join(line.rstrip() for line in text.splitlines())
    watch.check()


class _Watch:
    """Sees each operator of a page: stops a file that takes too long, and counts where writing goes back up."""

    def __init__(self, end: float) -> None:
        self._end = end
        self._height: float | None = None
        self.jumps = 0

    def start_page(self) -> None:
        self.check()
        self._height, self.jumps = None, 0

    def check(self) -> None:
        if time.thread_time() > self._end:
            raise Unreadable(TOO_COMPLEX)

    def __call__(self, operator: Any, _operands: Any, page: Sequence[float], line: Sequence[float]) -> None:
        self.check()
        if operator in _SHOWS:
            height = line[4] * page[1] + line[5] * page[3] + page[5]
            self.jumps += self._height is not None and height > self._height + _UP
            self._height = height


def _in_reading_order(page: PageObject) -> str:
    """Return a page whose text is not written from top to bottom, row by row; what stands apart in a row stays so."""
    text = page.extract_text(extraction_mode="layout", layout_mode_space_vertically=False)
    rows = (_APART.sub(_join, row.strip()) for row in text.splitlines())
    return "\n".join(row for row in rows if row)


def _join(gap: re.Match[str]) -> str:
    return " " if gap.string[gap.start() - 1] == ":" else " | "
