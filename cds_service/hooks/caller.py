"""Who sent the request that is being answered; apart from the check of tokens, which loads cryptography."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g


@dataclass(frozen=True, slots=True)
class Caller:
    """A registered client: its issuer, and which of its sites (`tenant`) where the token says so."""

    issuer: str
    tenant: str | None = None


def caller() -> Caller | None:
    """Return who sent the request that is being answered; None where no token was needed."""
    found: Caller | None = g.get("caller")
    return found


def remember_caller(who: Caller) -> None:
    """Keep `who` for the rest of the request."""
    g.caller = who
