"""What a file given to `check` is: a Bundle, a hook request or the text of a note."""

from __future__ import annotations

import codecs
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from cds_service.commands.loading import InputError
from cds_service.hooks.outcome import ProtocolError
from cds_service.hooks.request import HookRequest, RequestReader
from cds_service.hooks.services import SERVICES

# A note may begin with a brace or a bracket ("[x] consent"); with one of these it was meant to be JSON.
_MEANT_AS_JSON = re.compile(r"\{\s*[\"}]|\[\s*[{\]]")
_BINARY = ("%PDF-", "PK\x03\x04", "{\\rtf")


@dataclass(frozen=True, slots=True)
class NoteInput:
    """The plain text of one procedure note."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BundleInput:
    """A FHIR Bundle; a single resource is put into one."""

    bundle: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class HookInput:
    """A CDS Hooks request to one of the services."""

    request: HookRequest


Input = NoteInput | BundleInput | HookInput


def read_input(file: Path) -> Input:
    """Return what `file` holds ("-" is standard input).

    Raises:
        click.ClickException: exit code 2; it cannot be read, or is none of these. Never quotes the file.
    """
    text = _text(file)
    if _MEANT_AS_JSON.match(text.lstrip()):
        return _from_json(text)
    return NoteInput(text)


def _text(file: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: {error.strerror or 'cannot be read'}") from None
    text = _decoded(data)
    if not text.strip():
        raise InputError(f"{_name(file)} is empty")
    if "\0" in text or text.startswith(_BINARY):
        raise InputError(
            f"{_name(file)} is not plain text; give the text of the note, or a Bundle that holds the document"
        )
    return text


def _decoded(data: bytes) -> str:
    """Decode as UTF-16 where it says so, as UTF-8, else as Latin-1, which every file can be."""
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # what Windows' shells write
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _from_json(text: str) -> Input:
    document = _parsed(text)
    if isinstance(document, dict) and isinstance(document.get("hook"), str):
        return HookInput(_request(document["hook"], text))
    if isinstance(document, dict) and isinstance(document.get("resourceType"), str):
        return BundleInput(_as_bundle(document))
    raise InputError("this JSON is neither a FHIR resource (resourceType) nor a CDS Hooks request (hook)")


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InputError(f"not valid JSON (at line {error.lineno}, column {error.colno})") from None


def _as_bundle(resource: dict[str, Any]) -> dict[str, Any]:
    if resource["resourceType"] == "Bundle":
        return resource
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]}


def _request(hook: str, text: str) -> HookRequest:
    service = next((service for service in SERVICES if service.hook == hook), None)
    if service is None:
        raise InputError(f"no service answers this hook; they answer {', '.join(service.hook for service in SERVICES)}")
    try:
        return RequestReader(service).read(text.encode())
    except ProtocolError as error:
        raise InputError("; ".join(issue.text for issue in error.issues)) from None


def _name(file: Path) -> str:
    return "standard input" if str(file) == "-" else str(file)
