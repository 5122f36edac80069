"""Every error of the application as an OperationOutcome, without patient data in the answer or in the log."""

from __future__ import annotations

import logging
import traceback
import uuid

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from cds_service.hooks.outcome import Issue, ProtocolError, operation_outcome
from cds_service.hooks.response import to_json
from cds_service.store.model import StoreUnavailableError

_log = logging.getLogger(__name__)
_RETRY_AFTER_S = 30

_HTTP_ISSUES = {
    400: Issue("structure", "The request could not be read."),
    404: Issue("not-found", "There is nothing at this address; GET /cds-services lists the services."),
    405: Issue("not-supported", "This address does not support the method; see the Allow header."),
    413: Issue("too-long", "The body is larger than this service reads (CDS_MAX_BODY_BYTES)."),
}


def register_error_handlers(app: Flask) -> None:
    """Make `app` answer every error, its own and unforeseen ones, with an OperationOutcome."""
    app.register_error_handler(ProtocolError, _protocol_error)
    app.register_error_handler(StoreUnavailableError, _store_unavailable)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unforeseen)


def outcome_response(status: int, *issues: Issue) -> Response:
    """Return `issues` as a response with `status`."""
    return Response(to_json(operation_outcome(issues)), status, mimetype="application/json")


def _protocol_error(error: ProtocolError) -> Response:
    return outcome_response(error.status, *error.issues)


def _store_unavailable(error: StoreUnavailableError) -> Response:
    _log.error("%s: %s", request.endpoint, error)
    response = outcome_response(503, Issue("transient", "The data could not be kept; send it again later."))
    response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    return response


def _http_error(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if status < 400:  # redirects are raised too
        return error
    issue = _HTTP_ISSUES.get(status) or Issue("exception" if status >= 500 else "processing", f"{error.name}.")
    response = outcome_response(status, issue)
    response.headers.extend((name, value) for name, value in error.get_headers() if name in {"Allow", "Retry-After"})
    return response


def _unforeseen(error: Exception) -> Response:
    error_id = uuid.uuid4().hex[:12]
    # Only the kind of the error and where it was raised: its message may quote the record.
    _log.error("error %s in %s: %s at %s", error_id, request.endpoint, type(error).__qualname__, _places(error))
    return outcome_response(500, Issue("exception", f"Internal error {error_id}; the log of the service has more."))


def _places(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames[-8:]))
