"""Cross-origin calls from browser clients (CDS Hooks requires a service to allow them).

No cookies are used, so credentials are never allowed. A preflight carries no token and is answered before any
check of the client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flask import Response, request

_PATHS = ("/cds-services", "/assessments")
_MAX_AGE_S = 3600


def cors_headers(origins: Iterable[str]) -> Callable[[Response], Response]:
    """Return a Flask `after_request` function that lets pages of `origins` call the protocol's addresses.

    Args:
        origins: `https://ehr.example.org` and the like; `*` for any; none at all sends no header.
    """
    allowed = frozenset(origins)

    def add(response: Response) -> Response:
        origin = request.headers.get("Origin")
        if not allowed or not request.path.startswith(_PATHS):
            return response
        if "*" not in allowed:
            response.vary.add("Origin")
        if origin is None or not ("*" in allowed or origin in allowed):
            return response
        response.headers["Access-Control-Allow-Origin"] = "*" if "*" in allowed else origin
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
            response.headers["Access-Control-Max-Age"] = str(_MAX_AGE_S)
        return response

    return add
