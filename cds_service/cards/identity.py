"""Identifiers that stay: the same content in the same encounter has the same uuid, so a re-fired hook is not new."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from cds_service.review.assessment import Assessment

NAMESPACE = UUID("5f0c7a52-6a3e-5d0b-9b3c-2f8a4f5e6d17")
"""The namespace of all card and suggestion ids of this service; changing it makes every card look new."""


def scope_of(assessment: Assessment) -> str:
    """Return what tells one encounter's cards from another's: encounter, date of service and patient, as JSON."""
    resources = [order.resource for order in assessment.orders]
    if assessment.claim is not None:
        resources.append(assessment.claim.resource)
    patients = sorted(set(map(_patient, resources)))
    day = assessment.date_of_service.isoformat() if assessment.date_of_service else None
    return _canonical([assessment.encounter, day, patients])


def _patient(resource: Mapping[str, Any]) -> str:
    return _canonical(resource.get("patient") or resource.get("subject"))


def stable_uuid(scope: str, kind: str, content: object) -> str:
    """Return the uuid5 of `content` (JSON-like) of one `kind` ("suggested-codes", "suggestion" ...) in `scope`."""
    return str(uuid5(NAMESPACE, _canonical([scope, kind, content])))


def action_identity(action: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `action` without the `meta` of its resource: a server that stores the same again changes only that."""
    resource = action.get("resource")
    if not isinstance(resource, Mapping):
        return action
    return {**action, "resource": {name: member for name, member in resource.items() if name != "meta"}}


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)
