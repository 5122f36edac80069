"""What an answer of a FHIR server means: a resource, a file, or a reason why it is neither."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from cds_service.fhir.bundle import failure_reason
from cds_service.fhir.exchange import NOT_FHIR, NotFetched, Reply
from cds_service.fhir.reading import text
from cds_service.fhir.record import Resource

_OK: Final = 200
_WEB_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
# RFC 9110, 8.3.1; a content type comes from the record and goes into a header.
_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9][\w!#$&^.+-]{0,63}/[A-Za-z0-9][\w!#$&^.+-]{0,63}", re.ASCII)


def resource_of(reply: Reply, *types: str) -> Resource:
    """Return the resource of an answer, one of `types` or an OperationOutcome. Raises `NotFetched`."""
    if reply.status != _OK:
        raise NotFetched(_status_reason(reply))
    resource = _json(reply)
    if text(resource.get("resourceType")) not in (*types, "OperationOutcome"):
        raise NotFetched("the FHIR server answered with another resource than was asked for")
    return resource


def media_type(content_type: str | None) -> str | None:
    """Return the media type of a content type in lower case and without parameters, or None where it is none."""
    written = (content_type or "").partition(";")[0].strip()
    return written.lower() if _MEDIA_TYPE.fullmatch(written) else None


def file_of(reply: Reply, content_type: str | None) -> dict[str, Any]:
    """Return the file of an answer as a Binary resource; `content_type` is the media type that was asked for.

    A server may send the file itself, or a Binary in FHIR JSON (https://hl7.org/fhir/R4/binary.html#rest). Raises
    `NotFetched`.
    """
    if reply.status != _OK:
        raise NotFetched(_status_reason(reply))
    if "json" in reply.content_type and content_type != reply.content_type:
        return dict(_binary(reply))
    if reply.content_type in _WEB_PAGES and content_type not in (None, *_WEB_PAGES):
        raise NotFetched(_PAGE)
    stated = reply.content_type if reply.content_type and content_type is None else content_type
    data = base64.b64encode(reply.body).decode("ascii")
    return {"resourceType": "Binary", "data": data} | ({"contentType": stated} if stated else {})


_PAGE: Final = "the FHIR server answered with a web page, perhaps to sign in"


def _binary(reply: Reply) -> Resource:
    found = resource_of(reply, "Binary")
    if found.get("resourceType") == "OperationOutcome":
        raise NotFetched(failure_reason(found))
    return found


def _json(reply: Reply) -> Resource:
    if reply.content_type in _WEB_PAGES:
        raise NotFetched(_PAGE)
    try:
        value = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, Mapping):
        raise NotFetched(NOT_FHIR)
    return value


def _status_reason(reply: Reply) -> str:
    """Say the status and, from an OperationOutcome, the types of its issues; the rest may hold patient data."""
    said = f"the FHIR server answered {reply.status}"
    try:
        outcome = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return said
    if not isinstance(outcome, Mapping) or outcome.get("resourceType") != "OperationOutcome":
        return said
    _, _, kinds = failure_reason(outcome).partition("(")
    return f"{said} ({kinds}" if kinds else said
