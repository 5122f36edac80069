"""The libraries that turn files into text: each reads a file of a few words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

from cds_service.checkup.check import Check, fails, works
from cds_service.fhir.formats.unreadable import Unreadable

KIND: Final = "note formats"
_WORDS: Final = "Right T4"

_PDF: Final = b"""%PDF-1.4
1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj
2 0 obj <</Type /Pages /Kids [3 0 R] /Count 1>> endobj
3 0 obj <</Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Resources <</Font <</F 5 0 R>>>> /Contents 4 0 R>> endobj
4 0 obj <</Length 35>> stream
BT /F 12 Tf 9 9 Td (Right T4) Tj ET
endstream endobj
5 0 obj <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>> endobj
xref
0 6
trailer <</Root 1 0 R /Size 6>>
startxref
0
%%EOF
"""
_CDA: Final = (
    b'<ClinicalDocument xmlns="urn:hl7-org:v3"><component><structuredBody><component><section>'
    b"<text>Right T4</text></section></component></structuredBody></component></ClinicalDocument>"
)
_SAMPLES: Final[Mapping[str, bytes]] = {
    "html": b"<p>Right T4</p>",
    "rtf": rb"{\rtf1 Right T4\par}",
    "cda": _CDA,
    "pdf": _PDF,
}
"""By the module of `cds_service/fhir/formats/` that reads it."""


def check_formats() -> Iterator[Check]:
    """Yield for each format whether it can be read; plain text needs no library."""
    for name, sample in _SAMPLES.items():
        reason = _failure(name, sample)
        if reason is None:
            yield works(KIND, name, "can be read")
        else:
            to_do = "install the service anew with all it depends on; such notes are named in notChecked until then"
            yield fails(KIND, name, f"cannot be read: {reason}", to_do)


def _failure(name: str, sample: bytes) -> str | None:
    """Return why a format cannot be read, None where it can. Past the memory of files that were read before."""
    try:
        text = getattr(import_module(f"cds_service.fhir.formats.{name}"), f"{name}_text")(sample)
    except ImportError as error:
        return f"{error.name or 'a library'} is not installed, or broken"
    except Unreadable as reason:
        return str(reason)
    return None if _WORDS in text else "its words do not come out as they went in"
