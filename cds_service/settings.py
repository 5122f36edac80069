"""Settings from environment variables with the prefix `CDS_`. All are optional; a bad one is named in one line."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cds_service.hooks.clients import TrustedClient, is_loopback, read_clients
from cds_service.store.model import Retention

PREFIX = "CDS_"
_SECRET = frozenset({"database_url", "trusted_clients"})

Words = Annotated[tuple[str, ...], NoDecode]
"""A list written as words with commas or spaces between them."""

PUBLIC_PARTS = ("discovery", "pages", "metrics")
"""What may be open to callers without a token. None of it holds data of patients."""


class SettingsError(ValueError):
    """A setting that cannot be used. The message is one line and names the environment variable."""


def default_database_url() -> str:
    """Return the address of the embedded SQLite file, in the user's state folder.

    Not in the current folder: feedback may hold words about patients and should not end up in whatever folder
    (a checkout, a share) the service happened to be started from.
    """
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return f"sqlite:///{Path(state).expanduser() / 'cds-service' / 'cds-service.db'}"


class Settings(BaseSettings):
    """What can be set. Each member is the environment variable `CDS_` + its name in capitals.

    Use `load_settings()`, which turns pydantic's report into one line.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(default=8080, ge=1, le=65535)
    """The port to listen on."""
    workers: int = Field(default=1, ge=1, le=256)
    """Processes that answer."""
    threads: int = Field(default=4, ge=1, le=512)
    """Threads of each worker. More than a few help only while requests wait for a FHIR server."""
    base_url: str | None = None
    """The address clients use (`https://cds.example.org`), for links and, behind a proxy, token audiences."""
    database_url: str = Field(default_factory=default_database_url, repr=False)
    """An SQLAlchemy address: `sqlite:///file.db` or `postgresql+psycopg://user:password@host/name`."""
    keep_comments: bool = False
    """Keep what people write in feedback, which may tell of patients."""
    audit_database: bool = False
    """Keep the audit trail in the database as well as in the log."""
    retention_feedback_days: int = Field(default=0, ge=0)
    """Days that feedback is kept; 0 is for good."""
    retention_cards_days: int = Field(default=365, ge=0)
    """Days that it is remembered what a card was about; 0 is for good."""
    retention_audit_days: int = Field(default=365, ge=0)
    """Days that the audit trail is kept in the database; 0 is for good."""
    knowledge_dir: Path | None = None
    """A folder of the site's own knowledge files, laid over those shipped."""
    cpt_descriptors: Path | None = None
    """A CSV file (code, descriptor) of a licensee of the AMA."""
    fhir_servers: Words = ()
    """FHIR servers that may be read from. Empty: none, or while no client is registered, any on loopback."""
    fhir_networks: Words = ()
    """Networks that are not public and that names of `fhir_servers` may lead into (`10.20.0.0/16`)."""
    fhir_client_ids: Words = ()
    """The client ids of this service at authorization servers. Tokens issued to another one are not used."""
    fhir_deadline_s: float = Field(default=3.0, gt=0, le=60)
    """Seconds for everything one hook reads."""
    fhir_connect_timeout_s: float = Field(default=1.5, gt=0, le=60)
    """Seconds to connect."""
    fhir_read_timeout_s: float = Field(default=2.0, gt=0, le=60)
    """Seconds in which a FHIR server must send something."""
    fhir_parallel: int = Field(default=16, ge=1, le=256)
    """Reads at a time, of all hooks of a worker, and connections kept open to each server."""
    fhir_retries: int = Field(default=2, ge=0, le=10)
    """How often a busy server (429, 503) is asked again."""
    fhir_max_pages: int = Field(default=5, ge=1, le=1000)
    """Pages read of each prefetch key."""
    fhir_max_resources: int = Field(default=500, ge=1)
    """Resources read of each prefetch key."""
    fhir_max_attachments: int = Field(default=20, ge=0)
    """Attachments read for one hook."""
    fhir_max_answer_bytes: int = Field(default=8 * 1024 * 1024, ge=1024)
    """The largest answer read."""
    fhir_max_hook_bytes: int = Field(default=32 * 1024 * 1024, ge=1024)
    """The most that is read for one hook."""
    fhir_breaker_failures: int = Field(default=5, ge=1)
    """Reads in a row without an answer after which a server is left alone."""
    fhir_breaker_pause_s: float = Field(default=30.0, gt=0)
    """Seconds for which it is."""
    crd_coverage_information: bool = False
    """Write on each draft order, by a system action, that its coverage is not known here (Da Vinci CRD)."""
    trusted_clients: Annotated[tuple[TrustedClient, ...], NoDecode] = ()
    """The issuers whose signed tokens are accepted: JSON, or a JSON or TOML file. Empty: anyone may call."""
    public: Words = ("discovery", "pages")
    """What needs no token where clients are registered: some of `PUBLIC_PARTS`, or `none` of them."""
    cors_origins: Words | None = None
    """Origins whose pages may call (`https://ehr.example.org`), or `*`. Unset: any on loopback, else none."""
    max_body_bytes: int = Field(default=10 * 1024 * 1024, ge=1024)
    """The largest request body read."""
    max_json_depth: int = Field(default=100, ge=20, le=250)
    """How many values of a request body may be in one another."""
    max_resources: int = Field(default=5000, ge=1)
    """How many FHIR resources a request may hold."""
    rate_limit: str | None = None
    """Requests of one client: `600/minute`. Unset: any number. A client is an authenticated issuer, else an address."""
    allow_unsafe: bool = False
    """Serve beyond loopback although `unsafe_reasons` has something to say."""

    @field_validator("fhir_servers", "fhir_networks", "fhir_client_ids", "public", "cors_origins", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("trusted_clients", mode="before")
    @classmethod
    def _trusted_clients(cls, value: object) -> object:
        return read_clients(value) if isinstance(value, str) else value

    @field_validator("public")
    @classmethod
    def _public(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parts = () if value == ("none",) else value
        if not set(parts) <= set(PUBLIC_PARTS):
            raise ValueError(f"must be some of {', '.join(PUBLIC_PARTS)}, or none")
        return parts

    @field_validator("base_url")
    @classmethod
    def _base_url(cls, value: str | None) -> str | None:
        return None if value is None else _web_address(value)

    @field_validator("fhir_servers")
    @classmethod
    def _fhir_servers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_web_address(address) for address in value)

    @field_validator("rate_limit")
    @classmethod
    def _rate(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[1-9]\d{0,8} ?/ ?(second|minute|hour)", value):
            raise ValueError("must be a number of requests in a second, minute or hour, such as 600/minute")
        return value

    @field_validator("fhir_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ipaddress.ip_network(network)
            except ValueError:
                raise ValueError("must be networks such as 10.20.0.0/16") from None
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return value and tuple(origin if origin in {"*", "null"} else _web_address(origin) for origin in value)

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: str) -> str:
        if not value.startswith(("sqlite://", "postgresql+psycopg://")):
            raise ValueError("must start with sqlite:/// or postgresql+psycopg://")
        return value

    @field_validator("knowledge_dir")
    @classmethod
    def _existing_folder(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_dir():
            raise ValueError("is not a folder")
        return value

    @field_validator("cpt_descriptors")
    @classmethod
    def _existing_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("is not a file")
        return value

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        return is_loopback(self.host)

    @property
    def retention(self) -> Retention:
        """For how long what is stored is kept."""
        return Retention(self.retention_feedback_days, self.retention_cards_days, self.retention_audit_days)

    @property
    def public_url(self) -> str:
        """The address clients use, without a slash at the end."""
        if self.base_url is not None:
            return self.base_url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def fhir_servers_of(self, issuer: str | None = None) -> tuple[str, ...] | None:
        """Return the FHIR servers a call may name; None for any on loopback.

        Args:
            issuer: who signed the call's token, where that was checked.
        """
        for client in self.trusted_clients:
            if client.issuer == issuer and client.fhir_servers is not None:
                return client.fhir_servers
        # Anything but a first try: a caller could otherwise reach what only this machine is meant to reach.
        trying = self.on_loopback and not self.trusted_clients
        return None if not self.fhir_servers and trying else self.fhir_servers

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins whose pages may call the service."""
        if self.cors_origins is not None:
            return self.cors_origins
        return ("*",) if self.on_loopback else ()


def load_settings(**overrides: Any) -> Settings:
    """Return the settings of the environment; `overrides` that are not None win (command line options).

    Raises:
        SettingsError: a value cannot be used.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise SettingsError("; ".join(_line(problem) for problem in error.errors())) from None


def unknown_variables(environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the `CDS_` variables that are no setting: most likely misspelled."""
    names = os.environ if environment is None else environment
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    return tuple(sorted(name for name in names if name.upper().startswith(PREFIX) and name.upper() not in known))


def unsafe_reasons(settings: Settings) -> list[str]:
    """Return why serving with `settings` would be unsafe, in sentences; empty on loopback or where nothing is."""
    if settings.on_loopback:
        return []
    reasons = []
    if not settings.trusted_clients:
        reasons.append("Clients are not authenticated: whoever reaches the port may call (CDS_TRUSTED_CLIENTS).")
    if not settings.public_url.startswith("https://"):
        reasons.append("CDS_BASE_URL is not an https address: requests with patient data may travel unencrypted.")
    if "*" in settings.allowed_origins:
        reasons.append("CDS_CORS_ORIGINS allows every web page to call.")
    reasons += [
        f"CDS_FHIR_SERVERS has {server}: access tokens would travel unencrypted."
        for server in settings.fhir_servers
        if server.startswith("http://") and not is_loopback(urlsplit(server).hostname or "")
    ]
    return reasons


def refuse_unsafe(settings: Settings) -> None:
    """Do nothing where serving with `settings` is safe, or allowed all the same.

    Raises:
        SettingsError: says why it is not, and what to do.
    """
    reasons = unsafe_reasons(settings)
    if reasons and not settings.allow_unsafe:
        raise SettingsError(
            f"CDS_HOST: refusing to listen on {settings.host}. {' '.join(reasons)} "
            "Put it right, listen on 127.0.0.1, or set CDS_ALLOW_UNSAFE=true."
        )


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise ValueError("must be an http or https address without a user name")
    return value.rstrip("/")


def _line(problem: Any) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else "settings"
    reason = problem["msg"].removeprefix("Value error, ")
    value = str(problem["input"])
    secret = name in _SECRET or "@" in value  # an address with a password in it
    shown = "" if secret else f" (is {value[:80]!r})"
    return f"{PREFIX}{name.upper()}: {reason}{shown}"
