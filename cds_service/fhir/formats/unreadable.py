"""Why a file gives no text, and how large one may be."""

from __future__ import annotations

from typing import Final

LARGEST_TEXT: Final = 1024 * 1024
"""Bytes of plain text, or characters got from a file, that are read; a longer text is reported, not cut: half a note
is not the note."""
LARGEST_FILE: Final = 4 * LARGEST_TEXT
"""Bytes of a file of another format: letterheads and styles weigh more than the words."""
TOO_LARGE: Final = "the attachment is larger than 1 MiB"
TOO_LONG: Final = "the text of the attachment is larger than 1 MiB"
TOO_COMPLEX: Final = "the attachment is too complex to read"
TOO_DEEP: Final = "the attachment is nested too deeply"


class Unreadable(Exception):  # noqa: N818 - not an error but an answer, which becomes an `Unread`
    """Why a file gives no text, in words a person can act on and none of its content."""
