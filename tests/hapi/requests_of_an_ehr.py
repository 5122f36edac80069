"""The cases as an EHR holds and sends them: as transactions for its FHIR server, and as hook requests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from cds_service.cases import Case, CaseRequests, load_cases
from cds_service.resources import cases_folder
from tools.build_cases import hook_request

TOKEN: Final = "lent-for-this-call-only.Zm9yIHRlc3Rz_-~+/=="
CASES: Final = load_cases(cases_folder())
FIRED: Final = [(case, hook) for case in CASES for hook in case.hooks]
Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook of a case: the request with all that an EHR would prefetch."""

    name: str
    full: Mapping[str, Any]

    def without(self, *keys: str) -> Resource:
        """Return the request with only the other keys; with all keys named, without prefetch."""
        kept = {key: value for key, value in self.full["prefetch"].items() if key not in keys}
        body = {name: value for name, value in self.full.items() if name != "prefetch"}
        return {**body, "prefetch": kept} if kept else body

    @property
    def keys(self) -> tuple[str, ...]:
        """The prefetch keys, in the order of discovery."""
        return tuple(self.full["prefetch"])


def hook_of(case: Case, name: str, bundle: Resource | None = None) -> Hook:
    """Return a hook of a case, with everything sent that the prefetch templates ask for.

    The cases that are about keys which are null, failed or not sent are taken without that: here every key is filled,
    and the FHIR server holds the same.
    """
    wishes = CaseRequests(encounter=case.requests.encounter, without_encounter=case.requests.without_encounter)
    return Hook(name, hook_request(replace(case, requests=wishes), name, bundle or case.bundle()))


def lent(body: Mapping[str, Any], server: str, token: str | None = TOKEN, **changes: Any) -> Resource:
    """Return a hook request that names a FHIR server and lends a token for it, or None for an open server."""
    if token is None:
        return {**body, "fhirServer": server}
    grant = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.rs",
        "subject": "cds-service",
    }
    return {**body, "fhirServer": server, "fhirAuthorization": {**grant, **changes}}


def renamed(case: Case, prefix: str) -> Resource:
    """Return a case's Bundle with `prefix` before the ids that are its own: another patient with the same record."""
    text = json.dumps(case.bundle()).replace(f'"{case.id}-', f'"{prefix}-{case.id}-')
    bundle = json.loads(text.replace(f"/{case.id}-", f"/{prefix}-{case.id}-"))
    assert isinstance(bundle, dict)
    return bundle


def linked(case: Case, server: str) -> tuple[Resource, Resource]:
    """Return a case's Bundle under other ids, with its attachments as they are, and as links to Binary resources.

    The addresses of the links are relative and absolute by turns.
    """
    inline, with_links = renamed(case, "linked"), renamed(case, "linked")
    binaries = []
    for number, attachment in enumerate(attachments(with_links)):
        identifier = f"linked-{case.id}-file-{number}"
        attachment["url"] = f"Binary/{identifier}" if number % 2 else f"{server}/Binary/{identifier}"
        binary = {"resourceType": "Binary", "id": identifier, "contentType": attachment["contentType"]}
        binaries.append({"resource": binary | {"data": attachment.pop("data")}})
    with_links["entry"] += binaries
    return inline, with_links


def attachments(bundle: Resource) -> Iterator[Resource]:
    """Yield the attachments of a Bundle's documents."""
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "DocumentReference":
            yield from (content["attachment"] for content in entry["resource"]["content"])


def cards(answer: Any) -> list[Any]:
    """Return the cards of an answer, without what a FHIR server adds to the resources it keeps (`meta`)."""
    assert answer.status_code == 200, answer.text[:500]
    found = _without_meta(answer.json()["cards"])
    assert isinstance(found, list)
    return found


def _without_meta(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_meta(each) for name, each in value.items() if name != "meta"}
    return [_without_meta(each) for each in value] if isinstance(value, list) else value
