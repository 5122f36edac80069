"""Who may call: signed tokens (JWT) of registered clients, as in CDS Hooks 2.0, *Trusting CDS Clients*.

A caller who is refused learns nothing but that (401); the log has the reason, made of our own words only: neither the
token nor a claim of it is written there. Of a call that is taken the audit line names the issuer and the tenant.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any, Final

import jwt
import orjson
from flask import Flask, Response, request

from cds_service.hooks.caller import Caller, remember_caller
from cds_service.hooks.clients import TrustedClient
from cds_service.hooks.errors import outcome_response
from cds_service.hooks.jwks import Key, KeySource, at_hand, from_web
from cds_service.hooks.outcome import Issue
from cds_service.store.model import StoreUnavailableError

_MOST_CHARACTERS: Final = 8192
_MOST_OF_TENANT: Final = 200
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999
_TOKEN: Final = re.compile(r"bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)", re.IGNORECASE)
_FAMILIES: Final = {"ES": "EC", "RS": "RSA", "PS": "RSA"}
_FEEDBACK: Final = "/feedback"
_RETRY_AFTER_S: Final = 30

_JWS: Final = jwt.PyJWS(options={"verify_signature": True, "enforce_minimum_key_length": True})
_log = logging.getLogger(__name__)

FirstUse = Callable[[str, str, float], bool]
"""Remembers a token by issuer, `jti` and the second from which it is refused anyway; False for one used before."""


class NotTrustedError(Exception):
    """A call without a token that can be trusted. The message is the reason, for the log alone."""


class Trust:
    """Judges the tokens of registered clients. Safe to share between threads.

    Args:
        clients: the registered ones.
        base_url: the address clients use, without a slash at the end; the audience of a token begins with it.
        first_use: see `FirstUse`. May raise `StoreUnavailableError`; then no token is taken.
        now: Unix time.
    """

    def __init__(
        self,
        clients: Iterable[TrustedClient],
        base_url: str,
        first_use: FirstUse,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._issuers = {client.issuer: _Issuer(client) for client in clients}
        self._base_url = base_url
        self._first_use = first_use
        self._now = now

    def verify(self, authorization: str | None, path: str) -> Caller:
        """Return who calls `path` with the header `Authorization`; the token is used up by it.

        Raises:
            NotTrustedError: there is no token that can be trusted.
            StoreUnavailableError: it could not be known whether the token was used before.
        """
        token = _token(authorization)
        try:
            decoded = _JWS.decode_complete(token, options={"verify_signature": False})
        except jwt.PyJWTError:
            raise NotTrustedError("the token cannot be decoded") from None
        header, claimed = decoded["header"], _object(decoded["payload"])
        issuer = self._issuer(claimed)
        issuer.verify(token, header)
        # From here on the claims are those of the issuer.
        client = issuer.client
        self._check_audience(claimed, client, path)
        expires = _check_times(claimed, client, self._now())
        tenant = _check_tenant(claimed, client)
        self._check_first_use(claimed, client, expires)
        return Caller(client.issuer, tenant)

    def _check_audience(self, claims: Mapping[str, Any], client: TrustedClient, path: str) -> None:
        audience = claims.get("aud")
        values = audience if isinstance(audience, list) else [audience]
        accepted = client.audiences or _addresses(self._base_url, path)
        if not any(isinstance(value, str) and value in accepted for value in values):
            # Not the path: the client may have written anything into it.
            expected = " or ".join(client.audiences) or f"{self._base_url} and the path that was called"
            raise NotTrustedError(f"aud is not {expected}; client {client.issuer}")

    def _issuer(self, claims: Mapping[str, Any]) -> _Issuer:
        name = claims.get("iss")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        if issuer is None:
            raise NotTrustedError("iss is not a registered client")
        return issuer

    def _check_first_use(self, claims: Mapping[str, Any], client: TrustedClient, expires: float) -> None:
        jti = claims.get("jti")
        if not isinstance(jti, str) or not jti:
            raise NotTrustedError(f"no jti; client {client.issuer}")
        if not self._first_use(client.issuer, jti, expires):
            raise NotTrustedError(f"jti was used before; client {client.issuer}")


class _Issuer:
    """One registered client with its key sources."""

    def __init__(self, client: TrustedClient) -> None:
        self.client = client
        self._named = {address: KeySource(address, from_web(address)) for address in client.jku}
        self._agreed: KeySource | None = None
        if client.jwks_url is not None:
            self._agreed = KeySource(client.jwks_url, from_web(client.jwks_url))
        elif read := at_hand(client):
            self._agreed = KeySource(str(client.jwks_file or f"of {client.issuer}"), read)

    def verify(self, token: str, header: Mapping[str, Any]) -> None:
        """Do nothing where `token` was signed by this issuer. Raises `NotTrustedError`."""
        key = self._key(header)
        try:
            _JWS.decode_complete(token, key.public, algorithms=[header["alg"]])
        except (jwt.PyJWTError, TypeError, ValueError):
            raise self._refusal("the signature is not that of the key") from None

    def _key(self, header: Mapping[str, Any]) -> Key:
        algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ")
        if algorithm not in self.client.algorithms:
            raise self._refusal(f"alg is none of {', '.join(self.client.algorithms)}")
        if "crit" in header or "b64" in header:
            raise self._refusal("the header asks for an extension (crit)")
        if not isinstance(kind, str) or kind.upper() != "JWT":
            raise self._refusal("typ is not JWT")
        if not isinstance(kid, str) or not kid:
            raise self._refusal("no kid")
        key = self._source(header).find(kid, _FAMILIES[algorithm[:2]])
        if key is None or key.algorithm not in (None, algorithm):
            raise self._refusal("kid is no key of the client for this alg")
        return key

    def _source(self, header: Mapping[str, Any]) -> KeySource:
        """Return where the key is looked for: an address of the token's only where that is registered."""
        address = header.get("jku")
        if self._named and address is not None:
            source = self._named.get(address) if isinstance(address, str) else None
            if source is None:
                raise self._refusal("jku is not registered")
            return source
        if self._agreed is None:
            raise self._refusal("no jku")
        return self._agreed

    def _refusal(self, reason: str) -> NotTrustedError:
        return NotTrustedError(f"{reason}; client {self.client.issuer}")


def require_tokens(app: Flask, trust: Trust, public: Set[str]) -> None:
    """Let nobody call `app` without a token of `trust`, but for what is public.

    Preflights are answered without, as browsers send them without; so is an address that leads nowhere (404, 405).
    Who called is in `caller()` of `cds_service/hooks/caller.py` for the rest of the request.

    Args:
        app: the application.
        trust: the judge.
        public: endpoints ("hooks.discovery") and blueprints ("pages") that need no token.
    """

    @app.before_request
    def check() -> Response | None:
        endpoint = request.endpoint
        if endpoint is None or request.method == "OPTIONS" or public & _names(endpoint):
            return None
        try:
            remember_caller(trust.verify(request.headers.get("Authorization"), request.path))
        except NotTrustedError as error:
            _log.warning("401 at %s: %s", endpoint, error)
            return _unauthorized()
        except StoreUnavailableError as error:
            _log.error("503 at %s: %s, so that used tokens cannot be told", endpoint, error)
            return _unavailable()
        return None


def _names(endpoint: str) -> set[str]:
    return {endpoint, endpoint.partition(".")[0]}


def _unauthorized() -> Response:
    response = outcome_response(401, Issue("login", "This call needs a valid token of a registered client."))
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _unavailable() -> Response:
    response = outcome_response(503, Issue("transient", "Tokens cannot be checked at the moment; try again later."))
    response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    return response


def _token(authorization: str | None) -> str:
    if authorization is None:
        raise NotTrustedError("no Authorization header")
    if len(authorization) > _MOST_CHARACTERS:
        raise NotTrustedError(f"the Authorization header is longer than {_MOST_CHARACTERS} characters")
    match = _TOKEN.fullmatch(authorization.strip())
    if match is None:
        raise NotTrustedError("the Authorization header is not a single bearer token")
    return match[1]


def _object(payload: bytes) -> dict[str, Any]:
    try:
        claims = orjson.loads(payload)
    except orjson.JSONDecodeError:
        claims = None
    if not isinstance(claims, dict):
        raise NotTrustedError("the claims are not a JSON object")
    return claims


def _addresses(base_url: str, path: str) -> tuple[str, ...]:
    """Return the audiences of a call to `path`: its address; for feedback also that of the service it is about."""
    address = base_url + path.rstrip("/")
    return (address, address.removesuffix(_FEEDBACK)) if address.endswith(_FEEDBACK) else (address,)


def _check_times(claims: Mapping[str, Any], client: TrustedClient, now: float) -> float:
    """Return the second from which the token is refused."""
    expires, issued = _second(claims, client, "exp"), _second(claims, client, "iat")
    valid_from = _second(claims, client, "nbf") if "nbf" in claims else issued
    if now >= expires + client.leeway_seconds:
        raise NotTrustedError(f"exp has passed; client {client.issuer}")
    if now < issued - client.leeway_seconds:
        raise NotTrustedError(f"iat is in the future; client {client.issuer}")
    if now < valid_from - client.leeway_seconds:
        raise NotTrustedError(f"nbf is in the future; client {client.issuer}")
    if not 0 < expires - issued <= client.max_lifetime_seconds:
        raise NotTrustedError(f"exp is not within {client.max_lifetime_seconds} s after iat; client {client.issuer}")
    return expires + client.leeway_seconds


def _second(claims: Mapping[str, Any], client: TrustedClient, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_SECOND:
        raise NotTrustedError(f"{name} is not a time in seconds; client {client.issuer}")
    return value


def _check_tenant(claims: Mapping[str, Any], client: TrustedClient) -> str | None:
    tenant = claims.get("tenant")
    # The audit line names it, so it is held to what a line can bear.
    if tenant is not None and not (
        isinstance(tenant, str) and 0 < len(tenant) <= _MOST_OF_TENANT and tenant.isprintable()
    ):
        raise NotTrustedError(f"tenant is not a line of text; client {client.issuer}")
    if client.tenants and tenant not in client.tenants:
        raise NotTrustedError(f"tenant is not registered; client {client.issuer}")
    return tenant
