"""Errors as FHIR OperationOutcomes: what is wrong and where, never a value of the request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong.

    `code` is a FHIR IssueType ("required", "value" ...), `text` a sentence without any value of the request,
    `expression` the place in the request ("context.patientId").
    """

    code: str
    text: str
    expression: str | None = None
    severity: str = "error"

    def to_json(self) -> dict[str, Any]:
        """Return `OperationOutcome.issue` in JSON form."""
        issue: dict[str, Any] = {"severity": self.severity, "code": self.code, "details": {"text": self.text}}
        if self.expression:
            issue["expression"] = [self.expression]
        return issue


class ProtocolError(Exception):
    """A call that is answered with `status` and an OperationOutcome. The texts are shown to the client."""

    def __init__(self, status: int, *issues: Issue) -> None:
        super().__init__(f"{status}: {'; '.join(issue.text for issue in issues)}")
        self.status = status
        self.issues = issues


class MissingDataError(ProtocolError):
    """Data any answer needs came neither by prefetch nor from the FHIR server (412).

    Args:
        keys: the prefetch keys that would have held it.
        reason: what was tried, in one sentence without patient data.
        details: of some keys, why reading them failed; without patient data.
    """

    def __init__(self, keys: tuple[str, ...], reason: str, details: Mapping[str, str] | None = None) -> None:
        told = {key: f"{key}: {details[key]}" if details and key in details else key for key in keys}
        super().__init__(
            412, *(Issue("required", f"{reason} (prefetch key {told[key]})", f"prefetch.{key}") for key in keys)
        )
        self.keys = keys
        self.reason = reason


class FailedRuleError(ProtocolError):
    """A rule failed and nothing else was found (500): an empty list of cards would read as a clean record.

    Args:
        failures: of each rule, its id and what is said of its failure; without patient data.
    """

    def __init__(self, failures: Mapping[str, str]) -> None:
        told = (f"{rule}: {reason}" for rule, reason in failures.items())
        super().__init__(
            500, *(Issue("exception", f"Nothing was found, but not all was judged. {text}") for text in told)
        )


class BadBundleError(ProtocolError, ValueError):
    """The Bundle or an option of an assessment cannot be used: 400, or 422 where it is well formed."""

    def __init__(self, text: str, expression: str | None = None, status: int = 422) -> None:
        super().__init__(status, Issue("value", text, expression))


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """Return an OperationOutcome of `issues` in JSON form."""
    return {"resourceType": "OperationOutcome", "issue": [issue.to_json() for issue in issues]}
