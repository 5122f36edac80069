"""What a file given to `check` is: a Bundle, a hook request or a note in any format that attachments are read in."""

from __future__ import annotations

import codecs
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from cds_service.commands.loading import InputError
from cds_service.fhir.formats.extract import extract
from cds_service.fhir.formats.unreadable import LARGEST_FILE, Unreadable
from cds_service.hooks.outcome import ProtocolError
from cds_service.hooks.request import HookRequest, RequestReader
from cds_service.hooks.services import SERVICES

# A note may begin with a brace or a bracket ("[x] consent"); with one of these it was meant to be JSON.
_MEANT_AS_JSON = re.compile(r"\{\s*[\"}]|\[\s*[{\]]")


@dataclass(frozen=True, slots=True)
class NoteInput:
    """The text of one procedure note."""

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
    data = _data(file)
    text = _decoded(data)
    if not text.strip():
        raise InputError(f"{_name(file)} is empty")
    if _MEANT_AS_JSON.match(text.lstrip()):
        return _from_json(text)
    return _note(file, data)


def _data(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: {error.strerror or 'cannot be read'}") from None


def _note(file: Path, data: bytes) -> NoteInput:
    """Return the text of a note; what format it has, its bytes say."""
    if len(data) > LARGEST_FILE:
        raise InputError(f"{_name(file)} is larger than 4 MiB")
    try:
        text = extract(data).text
    except Unreadable as reason:
        said = str(reason).replace("the attachment", "it")
        raise InputError(f"{_name(file)} cannot be read as a note: {said}") from None
    if not text.strip():
        raise InputError(f"{_name(file)} is empty")
    return NoteInput(text)


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
