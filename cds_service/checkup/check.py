"""What one check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

State = Literal["works", "does not work", "not configured"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    `kind` is what it belongs to ("database"), `subject` which one of them it is. `found` and `to_do` are one line each;
    what works may have something to do as well, what needs nothing has "". None of them holds a secret.
    """

    kind: str
    subject: str
    state: State
    found: str
    to_do: str = ""


def works(kind: str, subject: str, found: str, to_do: str = "") -> Check:
    """Return a check of something that works, perhaps with something that would make it better."""
    return Check(kind, subject, "works", _line(found), _line(to_do))


def fails(kind: str, subject: str, found: str, to_do: str) -> Check:
    """Return a check of something that does not work."""
    return Check(kind, subject, "does not work", _line(found), _line(to_do))


def absent(kind: str, subject: str, found: str, to_do: str = "") -> Check:
    """Return a check of something the site has not set up, and what that means."""
    return Check(kind, subject, "not configured", _line(found), _line(to_do))


def without_secrets(address: str) -> str:
    """Return a web address without what may be secret in it: user, password, query and fragment."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return "an address that cannot be understood"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    query = "?..." if parts.query else ""
    return _line(f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}{query}")


def _line(text: str) -> str:
    """Return text on one line, without characters that could steer a terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
