"""The clients whose signed tokens are accepted, as a site registers them (`CDS_TRUSTED_CLIENTS`)."""

from __future__ import annotations

import ipaddress
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

Algorithm = Literal["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
"""Asymmetric ones only: CDS Hooks forbids `none` and those with a shared secret."""

_RECOMMENDED: Final[tuple[Algorithm, ...]] = ("ES384", "RS384")


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    encrypted = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not encrypted or not parts.hostname or parts.username:
        raise ValueError("must be an https address without a user name (http only on loopback)")
    return value


Text = Annotated[str, Field(min_length=1)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


class TrustedClient(BaseModel):
    """One issuer of client tokens, and what its tokens must be.

    Its keys come from `jku` where the token names one of these addresses, else from the one of `jwks_url`,
    `jwks_file` and `jwks` that is given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: Text
    """The token's `iss`, exactly."""
    algorithms: tuple[Algorithm, ...] = Field(default=_RECOMMENDED, min_length=1)
    """The algorithms its tokens may be signed with."""
    audiences: tuple[Text, ...] = ()
    """The values of `aud` accepted at every endpoint. None: the address of the endpoint that is called."""
    jwks_url: WebAddress | None = None
    """Where its key set (JWKS) is read from."""
    jwks_file: Path | None = None
    """A file that holds its key set, relative to the file of this registration."""
    jwks: Mapping[str, Any] | None = None
    """Its key set itself."""
    jku: tuple[WebAddress, ...] = ()
    """The addresses of key sets its tokens may name in their header."""
    tenants: tuple[Text, ...] = ()
    """The values of `tenant` accepted. None: any, or no `tenant` at all."""
    fhir_servers: tuple[WebAddress, ...] | None = None
    """The FHIR servers its calls may name. None: those of the settings."""
    leeway_seconds: int = Field(default=30, ge=0, le=300)
    """How far its clock may differ."""
    max_lifetime_seconds: int = Field(default=3600, ge=1, le=3600)
    """The longest time from `iat` to `exp`. Five minutes are usual, a quarter of an hour is seen; each is good once."""

    @model_validator(mode="after")
    def _has_keys(self) -> Self:
        given = [name for name in ("jwks_url", "jwks_file", "jwks") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"has {' and '.join(given)}: only one of them can be meant")
        if not given and not self.jku:
            raise ValueError("needs its keys: jwks_url, jwks_file, jwks or jku")
        return self


class ClientsError(ValueError):
    """A registration that cannot be used. The message is one line and shows no value."""


def read_clients(text: str) -> tuple[TrustedClient, ...]:
    """Return the clients registered in `text`.

    Args:
        text: JSON, or the path of a JSON or TOML file: a list of issuers, or an object whose `issuers` is that
            list. The members of an issuer are those of `TrustedClient`.

    Raises:
        ClientsError: it cannot be read, a member is unknown or wrong, or an issuer has no usable key.
    """
    document, folder = _document(text.strip())
    entries = document.get("issuers") if isinstance(document, dict) and set(document) == {"issuers"} else document
    if not isinstance(entries, list) or not entries:
        raise ClientsError("must be a list of issuers, or an object with nothing but the member issuers")
    clients = tuple(_client(entry, place, folder) for place, entry in enumerate(entries))
    if len({client.issuer for client in clients}) < len(clients):
        raise ClientsError("has an issuer twice")
    return clients


def is_loopback(host: str) -> bool:
    """Return whether `host`, a name or an address, is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _document(text: str) -> tuple[Any, Path]:
    if text.startswith(("{", "[")):
        return _parsed(text, json.loads, "JSON"), Path()
    path = Path(text).expanduser()
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ClientsError(f"is neither JSON nor a file that can be read ({type(error).__name__})") from None
    if content.lstrip().startswith("{") or path.suffix == ".json":
        return _parsed(content, json.loads, "JSON"), path.parent
    return _parsed(content, tomllib.loads, "TOML"), path.parent


def _parsed(text: str, parse: Any, form: str) -> Any:
    try:
        return parse(text)
    except (ValueError, RecursionError) as error:
        place = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ClientsError(f"is not valid {form}{place}") from None


def _client(entry: object, place: int, folder: Path) -> TrustedClient:
    try:
        client = TrustedClient.model_validate(entry)
    except ValidationError as error:
        raise ClientsError("; ".join(_line(problem, place) for problem in error.errors())) from None
    if client.jwks_file is not None:
        client = client.model_copy(update={"jwks_file": folder / client.jwks_file.expanduser()})
    _check_keys_at_hand(client, place)
    return client


def _check_keys_at_hand(client: TrustedClient, place: int) -> None:
    """Read the keys that need no network, so that a mistake shows at start and not at the first call."""
    from cds_service.hooks.jwks import KeysError, at_hand, read_keys  # noqa: PLC0415 - cryptography, only where needed

    read = at_hand(client)
    if read is None:
        return
    try:
        read_keys(read())
    except KeysError as error:
        name = "jwks" if client.jwks is not None else "jwks_file"
        raise ClientsError(f"issuers[{place}].{name}: {error}") from None


def _line(problem: Any, place: int) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem["loc"])
    return f"issuers[{place}]{''.join(steps)}: {problem['msg'].removeprefix('Value error, ')}"
