"""The Flask routes of the protocol. What the services answer is handed in; nothing here knows of blocks or codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from cds_service.hooks.audit import remember_answer
from cds_service.hooks.cors import cors_headers
from cds_service.hooks.feedback import FeedbackReader
from cds_service.hooks.limits import check_depth, check_resources
from cds_service.hooks.outcome import Issue, ProtocolError
from cds_service.hooks.request import HookRequest, RequestReader
from cds_service.hooks.response import Answer, envelope, to_json
from cds_service.hooks.services import SERVICES, Service
from cds_service.hooks.validation import read_json_object
from cds_service.store.model import Feedback


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What the routes need to answer.

    Attributes:
        answer: a hook call to its answer. May raise `MissingDataError` (412) and `FailedRuleError` (500).
        keep_feedback: keeps feedback to the service of an id; may raise `StoreUnavailableError` (503).
        assess: a FHIR Bundle, a profile id or None, a date of service or None, to assessments in JSON form.
            May raise `BadBundleError` (400, 422).
        services: the services of discovery.
        cors_origins: origins whose pages may call; `*` for any.
        max_body_bytes: larger bodies are refused (413).
        max_json_depth: bodies with more values in one another are refused (400).
        max_resources: requests with more FHIR resources are refused (413).
    """

    answer: Callable[[HookRequest], Answer]
    keep_feedback: Callable[[str, list[Feedback]], None]
    assess: Callable[[Mapping[str, Any], str | None, date | None], Sequence[Mapping[str, Any]]]
    services: tuple[Service, ...] = SERVICES
    cors_origins: tuple[str, ...] = ()
    max_body_bytes: int = 10 * 1024 * 1024
    max_json_depth: int = 100
    max_resources: int = 5000


def create_blueprint(protocol: Protocol) -> Blueprint:
    """Return the routes of `protocol`: discovery, services, feedback, assessments.

    Needs `register_error_handlers` on the same app. Validators and the discovery document are built here, once.
    """
    views = _Views(protocol)
    blueprint = Blueprint("hooks", __name__)
    blueprint.add_url_rule("/cds-services", "discovery", views.discovery, strict_slashes=False)
    blueprint.add_url_rule("/cds-services/<service_id>", "service", views.service, methods=["POST"])
    blueprint.add_url_rule("/cds-services/<service_id>/feedback", "feedback", views.feedback, methods=["POST"])
    blueprint.add_url_rule("/assessments", "assessments", views.assessments, methods=["POST"])
    # For the whole app: a 404 or 405 belongs to no blueprint, and a page must be able to read that too.
    blueprint.after_app_request(cors_headers(protocol.cors_origins))
    return blueprint


class _Views:
    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._readers = {service.id: RequestReader(service) for service in protocol.services}
        self._feedback_reader = FeedbackReader()
        self._discovery = to_json({"services": [service.to_json() for service in protocol.services]})

    def discovery(self) -> Response:
        return _json(self._discovery)

    def service(self, service_id: str) -> Response:
        reader = self._readers.get(service_id) or _unknown_service()
        call = replace(reader.read(self._body()), issuer=_issuer())
        sent = (*(call.prefetch or {}).values(), call.context.get("draftOrders"))
        check_resources(sent, self._protocol.max_resources)
        remember_answer(call.hook_instance)
        answer = envelope(self._protocol.answer(call))
        remember_answer(call.hook_instance, answer["cards"])
        return _json(to_json(answer))

    def feedback(self, service_id: str) -> Response:
        if service_id not in self._readers:
            _unknown_service()
        self._protocol.keep_feedback(service_id, self._feedback_reader.read(self._body()))
        return _json(b"{}")

    def assessments(self) -> Response:
        bundle = read_json_object(self._body())
        if bundle.get("resourceType") != "Bundle":
            raise ProtocolError(400, Issue("structure", "The body must be a FHIR Bundle.", "resourceType"))
        check_resources([bundle], self._protocol.max_resources)
        found = self._protocol.assess(bundle, request.args.get("profile") or None, _date(request.args.get("date")))
        return _json(to_json({"assessments": list(found)}))

    def _body(self) -> bytes:
        limit = self._protocol.max_body_bytes
        # Where no length is announced (chunked), reading stops silently at the most allowed: one byte more tells.
        request.max_content_length = limit + 1
        body = request.get_data(cache=False)
        if len(body) > limit:
            raise RequestEntityTooLarge
        check_depth(body, self._protocol.max_json_depth)
        return body


def _issuer() -> str | None:
    """Return who signed the token of the call; `hooks.trust`, loaded only where clients are registered, leaves it."""
    caller = g.get("caller")
    return None if caller is None else caller.issuer


def _json(body: bytes) -> Response:
    return Response(body, mimetype="application/json")


def _unknown_service() -> Any:
    raise ProtocolError(
        404, Issue("not-found", "There is no service with this id; GET /cds-services lists the services.")
    )


def _date(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ProtocolError(400, Issue("value", "date must be a day such as 2026-03-02.", "date")) from None
