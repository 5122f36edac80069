"""Tells of every call that hands over a record or feedback, also of those that are refused; nothing of the patient."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask, Response, g, request

KINDS: Final[Mapping[str, str]] = {
    "hooks.service": "hook",
    "hooks.feedback": "feedback",
    "hooks.assessments": "assessment",
}
"""What a call is, by its endpoint. Other calls hand over nothing."""

_INSTANCE: Final = re.compile(r"[0-9A-Fa-f-]{32,36}")


@dataclass(frozen=True, slots=True)
class Call:
    """One call and how it was answered.

    `client` is the issuer of its token, with its tenant where it names one; None where no token was needed, or it was
    refused. `hook_instance` is None where it is no UUID: it could be anything.
    """

    kind: str
    status: int
    duration_ms: float
    service_id: str | None = None
    client: str | None = None
    hook_instance: str | None = None
    cards: Sequence[Mapping[str, Any]] = ()


def tell_of_calls(app: Flask, services: Collection[str], told: Callable[[Call], None]) -> None:
    """Have `told` hear of each call of `app` once its answer is ready.

    To be registered before whatever may refuse a call, so that refusals are timed and told of too.

    Args:
        app: the application.
        services: the ids of its services; others in an address are made up by the caller, and not repeated.
        told: must not fail.
    """

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def tell(response: Response) -> Response:
        kind = KINDS.get(request.endpoint or "")
        if kind is not None and request.method != "OPTIONS":
            told(_call(kind, response.status_code, services))
        return response


def remember_answer(hook_instance: str, cards: Sequence[Mapping[str, Any]] = ()) -> None:
    """Keep, until the call is told of, which hook instance it is and the cards it is answered with."""
    g.hook_instance = hook_instance
    g.cards = cards


def _call(kind: str, status: int, services: Collection[str]) -> Call:
    service = (request.view_args or {}).get("service_id")
    instance = g.get("hook_instance")
    return Call(
        kind=kind,
        status=status,
        duration_ms=round((time.perf_counter() - g.started) * 1000, 2),
        service_id=service if service in services else None,
        client=_client(g.get("caller")),
        hook_instance=instance if instance and _INSTANCE.fullmatch(instance) else None,
        cards=g.get("cards", ()),
    )


def _client(caller: Any) -> str | None:
    if caller is None:
        return None
    name = f"{caller.issuer} {caller.tenant}" if caller.tenant else str(caller.issuer)
    return "".join(filter(str.isprintable, name))  # a tenant is whatever the client writes
