"""What a load balancer asks, is the process alive and can it do its work, and what monitoring asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, Response, request

from cds_service.hooks.response import to_json

Check = Callable[[], str | None]
"""Returns None where all is well, else why not, in words without secrets."""


Exposition = Callable[[str], tuple[bytes, str]]
"""Takes an Accept header and returns the figures and their content type."""


def create_operations(checks: Mapping[str, Check], exposition: Exposition) -> Blueprint:
    """Return `GET /healthz` (200 while the process answers), `/readyz` (503 while a check fails) and `/metrics`.

    Args:
        checks: by name ("database"), run at each `/readyz`.
        exposition: what `/metrics` answers.
    """
    blueprint = Blueprint("operations", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return _status(200, {"status": "ok"})

    @blueprint.get("/readyz")
    def readyz() -> Response:
        results = {name: check() for name, check in checks.items()}
        ready = not any(results.values())
        document = {
            "status": "ok" if ready else "unavailable",
            "checks": {name: result or "ok" for name, result in results.items()},
        }
        return _status(200 if ready else 503, document)

    @blueprint.get("/metrics")
    def metrics() -> Response:
        figures, content_type = exposition(request.headers.get("Accept", ""))
        return _of_this_moment(Response(figures, content_type=content_type))

    return blueprint


def _status(status: int, document: Mapping[str, object]) -> Response:
    return _of_this_moment(Response(to_json(document), status, mimetype="application/json"))


def _of_this_moment(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
