"""A hook call as plain data, and how it is read from a request body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_service.hooks.configuration import EVERYTHING, Configuration, read_configuration
from cds_service.hooks.services import Service
from cds_service.hooks.validation import Validator, read_json_object

_WEB_ADDRESS = re.compile(r"https?://[^\s/]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FhirAuthorization:
    """The token the client lends for its FHIR server. Use it for this request only: never store, share or log it."""

    access_token: str = field(repr=False)
    token_type: str | None = None
    expires_in: int | None = None
    """Seconds."""
    scope: str | None = None
    subject: str | None = None
    patient: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HookRequest:
    """One hook call.

    `context` has no member without a value (a null or empty `encounterId` is left out). `prefetch` is None where
    the client sent none; its values are as they came: a resource, an OperationOutcome, `None` for "there is none".
    `configuration` is what the client chose of the answer. `repr` shows no patient data and no token.
    """

    service_id: str
    hook: str
    hook_instance: str = field(repr=False)
    context: Mapping[str, Any] = field(repr=False)
    prefetch: Mapping[str, Any] | None = field(default=None, repr=False)
    fhir_server: str | None = None
    fhir_authorization: FhirAuthorization | None = None
    extension: Mapping[str, Any] = field(default_factory=dict, repr=False)
    configuration: Configuration = EVERYTHING
    issuer: str | None = None
    """Who signed the call's token, where that was checked; which FHIR servers may be read depends on it."""


class RequestReader:
    """Reads the calls of one service; built once at start."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._validator = Validator(f"{service.hook}-request", quick=self._plainly_valid)

    def read(self, body: bytes) -> HookRequest:
        """Return the hook call in `body`.

        Raises:
            ProtocolError: 400; the body is not JSON, lacks a member, or calls another hook than this service's.
        """
        document = read_json_object(body)
        self._validator.require(document)
        extension = document.get("extension") or {}
        return HookRequest(
            service_id=self._service.id,
            hook=document["hook"],
            hook_instance=document["hookInstance"],
            context={name: value for name, value in document["context"].items() if value not in (None, "")},
            prefetch=document.get("prefetch"),
            fhir_server=document.get("fhirServer"),
            fhir_authorization=_authorization(document.get("fhirAuthorization")),
            extension=extension,
            configuration=read_configuration(extension),
        )

    def _plainly_valid(self, document: dict[str, Any]) -> bool:
        # The JSON Schema costs 60-100 µs on every call; nearly all calls pass these few tests, which promise
        # no more than the schema asks. `tests/hooks/test_request.py` holds the two together.
        context = document.get("context")
        return (
            document.get("hook") == self._service.hook
            and _is_text(document.get("hookInstance"))
            and type(context) is dict
            and all(_is_text(context.get(name)) for name in self._service.required_context)
            and _is_text(context.get("encounterId", "-"))
            and ("draftOrders" not in self._service.required_bundles or _is_bundle(context.get("draftOrders")))
            and type(document.get("prefetch", {})) is dict
            and type(document.get("extension", {})) is dict
            and _is_plain_access(document)
        )


def _is_text(value: object) -> bool:
    return type(value) is str and value != ""


def _is_bundle(value: object) -> bool:
    return type(value) is dict and value.get("resourceType") == "Bundle" and type(value.get("entry", [])) is list


def _is_plain_access(document: dict[str, Any]) -> bool:
    server = document.get("fhirServer")
    authorization = document.get("fhirAuthorization")
    if server is None:
        return authorization is None
    if type(server) is not str or not _WEB_ADDRESS.match(server):
        return False
    return authorization is None or (type(authorization) is dict and _is_text(authorization.get("access_token")))


def _authorization(members: Mapping[str, Any] | None) -> FhirAuthorization | None:
    if not members:
        return None
    seconds = members.get("expires_in")
    return FhirAuthorization(
        access_token=members["access_token"],
        token_type=_text(members, "token_type"),
        expires_in=seconds if type(seconds) is int else None,
        scope=_text(members, "scope"),
        subject=_text(members, "subject"),
        patient=_text(members, "patient"),
    )


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) and value else None
