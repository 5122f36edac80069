"""`GET /openapi.json`: the public interface as an OpenAPI 3.1 document.

Made of what there is: the JSON Schemas of `schemas/`, the services of discovery, sample cases for the examples, and the
table of operations below. `tests/web/test_openapi.py` holds the table to the routes of the application.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import orjson
from flask import Blueprint, Response

from cds_service import __version__, resources
from cds_service.hooks.services import Service

Json = dict[str, Any]

_OUTCOME: Final = "OperationOutcome"
_SCHEMAS: Final = (
    "discovery", "order-sign-request", "encounter-discharge-request", "response", "feedback", "bundle", "assessment",
    "operation-outcome", "operations", "reference",
)  # fmt: skip
_EXAMPLES: Final = ("thoracotomy-addon-three-units", "order-addon-three-units", "no-block-at-all")
"""Cases whose requests are shown, with the answers to them."""


_READ: Final = {
    400: "The body is not JSON, is nested too deep, or lacks what the call needs.",
    413: "The body is larger, or holds more FHIR resources, than the service reads.",
}
_NOT_KEPT: Final = (
    "The data could not be kept, or the token could not be checked; send it again after `Retry-After` seconds."
)
_NO_TOKENS: Final = "Tokens cannot be checked at the moment; send it again after `Retry-After` seconds."


@dataclass(frozen=True, kw_only=True)
class Interface:
    """What the document tells that is not the same for every installation.

    Attributes:
        address: where clients reach the service.
        services: the services of discovery.
        profiles: the rule sets an assessment may ask for.
        needs_token: whether an endpoint ("hooks.discovery") needs a token.
        is_limited: whether calls of an endpoint are counted against a rate.
        cards: the answer to a hook request of a service, for the examples.
        assessments: the answer to a Bundle, for the examples.
    """

    address: str
    services: Sequence[Service]
    profiles: Sequence[str]
    needs_token: Callable[[str], bool]
    is_limited: Callable[[str], bool]
    cards: Callable[[Service, Json], Json]
    assessments: Callable[[Json], Json]


def create_openapi(interface: Interface) -> Blueprint:
    """Return `GET /openapi.json`. The document is made when it is first asked for, since hardly any start needs it."""
    document = _Document(interface)
    blueprint = Blueprint("openapi", __name__)

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        return Response(document.body, mimetype="application/json")

    return blueprint


class _Document:
    def __init__(self, interface: Interface) -> None:
        self._of = interface

    @cached_property
    def body(self) -> bytes:
        """The document as it is sent."""
        return orjson.dumps(self.document())

    def document(self) -> Json:
        """Return the document."""
        secured = any(map(self._of.needs_token, ("hooks.service", "hooks.discovery")))
        security = {"securitySchemes": {"client": _SECURITY}} if secured else {}
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "Coding and documentation of nerve blocks (CDS Hooks)",
                "version": __version__,
                "description": _DESCRIPTION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": self._of.address}],
            "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
            "paths": dict(self._paths()),
            "components": {"schemas": _components(), **security},
        }

    def _paths(self) -> Iterator[tuple[str, Json]]:
        yield "/cds-services", {"get": self._discovery()}
        for service in self._of.services:
            yield f"/cds-services/{service.id}", {"post": self._service(service)}
        yield "/cds-services/{id}/feedback", {"post": self._feedback()}
        yield "/assessments", {"post": self._assessments()}
        for kind, name in (("codes", "code"), ("rules", "rule")):
            yield f"/{kind}", {"get": self._pages(kind)}
            yield f"/{kind}/{{{name}}}", {"get": self._page(name)}
        yield "/healthz", {"get": self._health()}
        yield "/readyz", {"get": self._readiness()}
        yield "/metrics", {"get": self._metrics()}
        yield "/openapi.json", {"get": self._itself()}

    def _operation(self, endpoint: str, tag: str, summary: str, answers: Mapping[int, Json], **more: Any) -> Json:
        """Return an operation: what it answers, with what any operation of this installation may answer."""
        found = {**answers, **{status: _error(text) for status, text in self._refusals(endpoint, answers)}}
        operation = {
            "operationId": endpoint.replace(".", "-"),
            "tags": [tag],
            "summary": summary,
            **more,
            "responses": {str(status): found[status] for status in sorted(found)},
        }
        if self._of.needs_token(endpoint):
            operation["security"] = [{"client": []}]
            operation["responses"]["401"]["headers"] = {"WWW-Authenticate": _header("`Bearer`")}
        for status in {"429", "503"} & operation["responses"].keys():
            if endpoint != "operations.readyz":
                operation["responses"][status]["headers"] = {"Retry-After": _header("seconds to wait")}
        return operation

    def _refusals(self, endpoint: str, answers: Mapping[int, Json]) -> Iterator[tuple[int, str]]:
        if self._of.needs_token(endpoint):
            yield 401, "There is no valid token of a registered client. Why is in the log of the service."
            if 503 not in answers:
                yield 503, _NO_TOKENS
        if self._of.is_limited(endpoint):
            yield 429, "There were too many requests of this client."

    def _discovery(self) -> Json:
        known = {"services": [service.to_json() for service in self._of.services]}
        answer = _json("The services, with the prefetch templates of each.", "Discovery", {"services": known})
        return self._operation("hooks.discovery", "CDS Hooks", "Discovery", {200: answer})

    def _service(self, service: Service) -> Json:
        requests = {case: request for case in _EXAMPLES if (request := _request(case, service.hook)) is not None}
        answers = {case: self._of.cards(service, request) for case, request in requests.items()}
        operation = self._operation(
            "hooks.service",
            "CDS Hooks",
            service.title,
            {
                200: _json("The cards; none where there is nothing to say.", "Response", answers),
                **_errors(_READ),
                412: _error("The data that any answer needs came neither by prefetch nor from the FHIR server."),
            },
            description=service.description,
            requestBody=_body(_component(f"{service.hook}-request"), requests),
        )
        return {**operation, "operationId": service.id}

    def _feedback(self) -> Json:
        ids = [service.id for service in self._of.services]
        return self._operation(
            "hooks.feedback",
            "CDS Hooks",
            "What became of the cards",
            {
                200: _json("It is kept.", None, {"kept": {}}),
                **_errors(_READ),
                404: _error("There is no service with this id."),
                503: _error(_NOT_KEPT),
            },
            parameters=[_in_path("id", {"type": "string", "enum": ids}, "the id of a service")],
            requestBody=_body("Feedback", {"overridden": _FEEDBACK}),
        )

    def _assessments(self) -> Json:
        case = _EXAMPLES[0]
        bundle = _bundle(case)
        found = {case: self._of.assessments(bundle)}
        return self._operation(
            "hooks.assessments",
            "Assessments",
            "The full judgement of a record",
            {
                200: _json("An assessment for each encounter with a block in it.", "AssessmentAssessments", found),
                **_errors(_READ),
                422: _error("There is no such profile."),
            },
            parameters=[
                _in_query("profile", {"type": "string", "enum": list(self._of.profiles)}, "the rules of this payer"),
                _in_query("date", {"type": "string", "format": "date"}, "judge as if it had been done on this day"),
            ],
            requestBody=_body("Bundle", {case: bundle}),
        )

    def _pages(self, kind: str) -> Json:
        answer = _page_or_json(f"The {kind} known.", f"Reference{kind.title()}")
        return self._operation(f"pages.{kind}", "Reference", f"All {kind}", {200: answer})

    def _page(self, name: str) -> Json:
        shape = {"type": "string", "pattern": "^[^/]+$"}
        return self._operation(
            f"pages.{name}",
            "Reference",
            f"One {name}",
            {
                200: _page_or_json(f"What is known of the {name}.", f"Reference{name.title()}"),
                404: _page_or_json(f"There is no such {name}.", _OUTCOME),
            },
            parameters=[_in_path(name, shape, f"as listed by /{name}s")],
        )

    def _health(self) -> Json:
        answer = _json("The process answers.", "OperationsHealth", {"alive": {"status": "ok"}})
        return self._operation("operations.healthz", "Operations", "Is it alive?", {200: answer})

    def _readiness(self) -> Json:
        answers = {
            200: _json("It can do its work.", "OperationsReadiness"),
            503: _json("Something it needs does not work.", "OperationsReadiness"),
        }
        return self._operation("operations.readyz", "Operations", "Can it do its work?", answers)

    def _metrics(self) -> Json:
        answer = {
            "description": "For Prometheus.",
            "content": {kind: {"schema": {"type": "string"}} for kind in _FIGURES},
        }
        return self._operation("operations.metrics", "Operations", "Figures of all workers", {200: answer})

    def _itself(self) -> Json:
        answer = {"description": "This document.", "content": {"application/json": {"schema": {"type": "object"}}}}
        return self._operation("openapi.openapi", "Operations", "This document", {200: answer})


_DESCRIPTION: Final = (
    "CDS Hooks 2.0 services that check the coding and documentation of paravertebral and neighboring nerve blocks. "
    "Requests are read tolerantly: members that are not described are ignored, a content type is not asked for, and of "
    "FHIR resources whatever cannot be read counts as not stated. Every error is an OperationOutcome that repeats no "
    "value of the request: also 404 for an address that is not here, 405 for a method an address does not have, and "
    "500 for a fault of the service, whose log has the id that is told."
)
_TAGS: Final[Mapping[str, str]] = {
    "CDS Hooks": "What an EHR calls (https://cds-hooks.hl7.org/2.0/).",
    "Assessments": "The judgement behind the cards.",
    "Reference": "Pages of codes and rules; JSON where `Accept` asks for it.",
    "Operations": "What load balancers and engineers ask.",
}
_FIGURES: Final = ("text/plain", "application/openmetrics-text")
_SECURITY: Final[Json] = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A token signed by a registered client, for one call (CDS Hooks 2.0, Trusting CDS Clients).",
}
_FEEDBACK: Final[Json] = {
    "feedback": [
        {
            "card": "6f1a1b7e-4a60-5c1e-8a59-0d1f6b3c2a11",
            "outcome": "accepted",
            "acceptedSuggestions": [{"id": "6f1a1b7e-4a60-5c1e-8a59-0d1f6b3c2a12"}],
            "outcomeTimestamp": "2026-03-02T10:05:31Z",
        }
    ]
}


# --- parts of operations ---------------------------------------------------------------------------------------------


def _reference(component: str) -> Json:
    return {"$ref": f"#/components/schemas/{component}"}


def _content(component: str | None, examples: Mapping[str, Json] | None = None) -> Json:
    schema = _reference(component) if component else {"type": "object", "maxProperties": 0}
    shown = {"examples": {name: {"value": value} for name, value in examples.items()}} if examples else {}
    return {"application/json": {"schema": schema, **shown}}


def _json(description: str, component: str | None, examples: Mapping[str, Json] | None = None) -> Json:
    return {"description": description, "content": _content(component, examples)}


def _page_or_json(description: str, component: str) -> Json:
    return {"description": description, "content": {**_content(component), "text/html": {"schema": {"type": "string"}}}}


def _body(component: str, examples: Mapping[str, Json]) -> Json:
    return {"required": True, "content": _content(component, examples)}


def _error(description: str) -> Json:
    return _json(description, _OUTCOME)


def _errors(said: Mapping[int, str]) -> dict[int, Json]:
    return {status: _error(description) for status, description in said.items()}


def _header(description: str) -> Json:
    return {"required": True, "description": description, "schema": {"type": "string"}}


def _in_path(name: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _in_query(name: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _request(case: str, hook: str) -> Json | None:
    file = resources.cases_folder() / case / f"{hook}.json"
    return orjson.loads(file.read_bytes()) if file.exists() else None


def _bundle(case: str) -> Json:
    found: Json = orjson.loads((resources.cases_folder() / case / "bundle.json").read_bytes())
    return found


# --- schemas ---------------------------------------------------------------------------------------------------------


def _components() -> dict[str, Json]:
    """Return every schema of the interface and each of its parts under a name of its own.

    Parts of a document are not found by all tools where schemas in it have addresses (`$id`) of their own.
    """
    return {name: schema for schema_name in _SCHEMAS for name, schema in _flattened(schema_name)}


def _flattened(name: str) -> Iterator[tuple[str, Json]]:
    schema = resources.schema(name)
    yield _component(name), _moved({k: v for k, v in schema.items() if k not in {"$schema", "$id", "$defs"}}, name)
    for part, meant in schema.get("$defs", {}).items():
        yield _component(name, part), _moved(meant, name)


def _moved(value: Any, name: str) -> Any:
    """Return a schema with its references to `$defs` led to the components."""
    if isinstance(value, list):
        return [_moved(item, name) for item in value]
    if not isinstance(value, dict):
        return value
    moved = {key: _moved(item, name) for key, item in value.items()}
    if isinstance(moved.get("$ref"), str):
        moved |= _reference(_component(name, moved["$ref"].rpartition("/")[2]))
    return moved


def _component(name: str, part: str = "") -> str:
    """Return the name of a component: "order-sign-request" is "OrderSignRequest", its part "x" "OrderSignRequestX"."""
    words = f"{name}-{part}".strip("-").split("-")
    return "".join(re.sub("^.", lambda first: first[0].upper(), word) for word in words)
