"""What every answer must be, whatever was asked."""

from __future__ import annotations

import json
import re
from functools import cache

from jsonschema import Draft202012Validator

from cds_service.resources import schema

STATUSES = frozenset({200, 400, 404, 405, 412, 413, 422})
_GIVEN_AWAY = re.compile(rb"Traceback|File \"|\.py\b|/site-packages/|Error\b|Exception\b")
"""What a stack trace, the message of an exception or a path of the installation would have in it."""
_FAILED = re.compile(rb"error id [0-9a-f]{12}")
"""How `notChecked` says that a rule raised an exception."""


def judge(path: str, status: int, body: bytes) -> None:
    """Do nothing where an answer is as it must be, else raise AssertionError.

    No body may tell of a fault of the service, also none that was caught; 200 follows the schema of the answer, and
    everything else is an OperationOutcome that tells nothing of the inside.
    """
    assert status in STATUSES, f"{status}: {body[:500]!r}"
    assert not _FAILED.search(body), _FAILED.findall(body)
    kind = _kind(path) if status == 200 else "operation-outcome"
    if kind is None:
        assert body == b"{}"
    else:
        _validator(kind).validate(json.loads(body))
    if status != 200:
        assert not _GIVEN_AWAY.search(body), body[:500]


def _kind(path: str) -> str | None:
    if path.endswith("/feedback"):
        return None
    return "assessment" if path == "/assessments" else "response"


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema(name))
