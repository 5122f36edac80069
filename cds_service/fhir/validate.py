"""Strict reading of the few resources that are judged, with the FHIR R4B models of `fhir.resources`."""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import orjson
from pydantic import ValidationError

from cds_service.fhir.record import Resource
from cds_service.memory import Recent

# Codes of required bindings, which the models take as any string (FHIR R4 claim.html, procedure.html,
# servicerequest.html).
_BINDINGS: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "Claim": {
        "status": frozenset({"active", "cancelled", "draft", "entered-in-error"}),
        "use": frozenset({"claim", "preauthorization", "predetermination"}),
    },
    "Procedure": {
        "status": frozenset(
            {
                "preparation",
                "in-progress",
                "not-done",
                "on-hold",
                "stopped",
                "completed",
                "entered-in-error",
                "unknown",
            }
        ),
    },
    "ServiceRequest": {
        "status": frozenset({"draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"}),
        "intent": frozenset(
            {
                "proposal",
                "plan",
                "directive",
                "order",
                "original-order",
                "reflex-order",
                "filler-order",
                "instance-order",
                "option",
            }
        ),
    },
}

_KINDS: Final = {
    "missing": "is missing",
    "model_field_validation.missing": "is missing",
    "extra_forbidden": "holds a member that FHIR does not define",
    "string_type": "is not a string",
    "too_short": "is empty",
}
_NAME: Final = re.compile(r"[a-z][A-Za-z]{0,40}")
_KEPT: Final = 2048


_UNKNOWN: Final = "?"
"""No verdict yet: unlike None (valid), and no reason ever reads like this."""

_verdicts: Final[Recent[str | None]] = Recent(_KEPT)


def problem(resource: Resource) -> str | None:
    """Return why a Procedure, Claim or ServiceRequest is not valid FHIR R4, or None where it is.

    The reason names the element and what is wrong with it ("item[0].productOrService is missing"), never a value:
    it may be logged and shown. Resources of other types are not looked at, and give None.
    """
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or kind not in _BINDINGS:
        return None
    digest = _digest(resource)
    if digest is None:
        return "is not JSON that can be read"
    found = _verdicts.get(digest, _UNKNOWN)
    if found is _UNKNOWN:
        found = _binding_problem(kind, resource) or _model_problem(kind, resource)
        _verdicts.put(digest, found)
    return found


def load() -> None:
    """Import the models now, at start, instead of with the first resource."""
    for kind in _BINDINGS:
        _model(kind)


@cache
def _model(kind: str) -> Any:
    """Return the model class of a type. Imported when first needed: the models are slow to load."""
    return getattr(importlib.import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)


def _digest(resource: Resource) -> bytes | None:
    try:
        canonical = orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # numbers beyond 64 bits, broken surrogates, nesting beyond reason
        return None
    return hashlib.blake2b(canonical, digest_size=16).digest()


def _binding_problem(kind: str, resource: Resource) -> str | None:
    for name, allowed in _BINDINGS[kind].items():
        value = resource.get(name)
        if value is None:
            # A primitive may be given by an extension alone (data-absent-reason).
            if f"_{name}" not in resource:
                return f"{name} is missing"
        elif not isinstance(value, str) or value not in allowed:
            return f"{name} is not one of FHIR's codes"
    return None


def _model_problem(kind: str, resource: Resource) -> str | None:
    try:
        _model(kind).model_validate(resource)
    except ValidationError as error:
        return _reason(error.errors(include_url=False, include_context=False, include_input=False)[0])
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        # The models raise these for what they have no message for, such as a contained resource of an unknown type.
        return "holds a part that is not FHIR R4"
    return None


def _reason(error: Mapping[str, Any]) -> str:
    """Say where and what, in our own words: messages of the models may quote values, and extra members are values."""
    steps = error["loc"][:-1] if error["type"] == "extra_forbidden" else error["loc"]
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif _NAME.fullmatch(step):
            path += f".{step}" if path else step
    return f"{path or 'the resource'} {_KINDS.get(error['type'], 'is not valid')}"
