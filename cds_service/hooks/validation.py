"""Requests against their JSON Schemas, with complaints that never repeat a value of the request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from cds_service import resources
from cds_service.hooks.outcome import Issue, ProtocolError

_MOST_ISSUES = 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_COMPLAINTS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "const": ("value", lambda limit: f"must be {limit!r}"),
    "enum": ("value", lambda limit: f"must be one of {', '.join(limit)}"),
    "minItems": ("value", lambda _: "must not be empty"),
    "minLength": ("value", lambda _: "must not be empty"),
    "pattern": ("value", lambda _: "has another form than expected"),
    "type": ("structure", lambda limit: f"must be of type {limit if isinstance(limit, str) else ' or '.join(limit)}"),
}
"""The kind of issue and the complaint, by schema keyword; the complaint is made from the keyword's value."""


def read_json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`.

    Raises:
        ProtocolError: 400 where it is not JSON (RFC 8259, UTF-8) or not an object.
    """
    try:
        document = orjson.loads(body.removeprefix(_BYTE_ORDER_MARK))
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ProtocolError(400, Issue("structure", f"The body is not valid JSON (at {place}).")) from None
    if not isinstance(document, dict):
        raise ProtocolError(400, Issue("structure", "The body must be a JSON object."))
    return document


class Validator:
    """One JSON Schema of `schemas/`, compiled once.

    Args:
        name: the schema ("feedback").
        quick: a cheap test that is True only for documents the schema accepts; the schema judges all others.
    """

    def __init__(self, name: str, quick: Callable[[dict[str, Any]], bool] | None = None) -> None:
        self._validator = Draft202012Validator(resources.schema(name))
        self._quick = quick

    def require(self, document: dict[str, Any]) -> None:
        """Do nothing where `document` is valid.

        Raises:
            ProtocolError: 400 with an issue for each thing that is wrong.
        """
        if self._quick is not None and self._quick(document):
            return
        issues: list[Issue] = []
        for error in self._validator.iter_errors(document):
            issues += _issues(error)
            if len(issues) >= _MOST_ISSUES:
                break
        if issues:
            raise ProtocolError(400, *dict.fromkeys(issues))


def _issues(error: ValidationError) -> list[Issue]:
    place = _place(error)
    limit: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "required":
        absent = [name for name in limit if name not in instance]
        return [Issue("required", f"{_joined(place, name)} is required.", _joined(place, name)) for name in absent]
    code, complaint = _COMPLAINTS.get(str(error.validator), ("structure", lambda _: "is not as expected"))
    meant = error.schema.get("description") if isinstance(error.schema, dict) else None
    text = f"{place or 'The body'} {complaint(limit)}{f': {meant}' if meant else ''}."
    return [Issue(code, text, place or None)]


def _place(error: ValidationError) -> str:
    place = ""
    for step in error.absolute_path:
        place = f"{place}[{step}]" if isinstance(step, int) else _joined(place, step)
    return place


def _joined(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
