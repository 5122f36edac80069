"""What a load balancer asks: is the process alive, can it do its work."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, Response

from cds_service.hooks.response import to_json

Check = Callable[[], str | None]
"""Returns None where all is well, else why not, in words without secrets."""


def create_operations(checks: Mapping[str, Check]) -> Blueprint:
    """Return `GET /healthz` (200 while the process answers) and `GET /readyz` (503 while a check fails).

    Args:
        checks: by name ("database"), run at each `/readyz`.
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

    return blueprint


def _status(status: int, document: Mapping[str, object]) -> Response:
    response = Response(to_json(document), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
