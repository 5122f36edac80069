"""Tokens as a client makes them, and as a forger would: every part of them can be wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = 1_800_000_000
EHR = "https://ehr.example.org"
BASE = "https://cds.example.org"
PATH = "/cds-services/paravertebral-order-sign"

Sign = Callable[[bytes], bytes]
CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}


@cache
def private_key(name: str) -> Any:
    """The key `name`: "P-384", "RSA-2048", with anything behind a space to tell keys of one kind apart."""
    kind = name.partition(" ")[0]
    if kind in CURVES:
        return ec.generate_private_key(CURVES[kind])
    return rsa.generate_private_key(65537, int(kind.removeprefix("RSA-")))


def jwk(name: str, **members: Any) -> dict[str, Any]:
    """The public half of the key `name`; its name is its kid. A member that is None is left out."""
    public = private_key(name).public_key()
    algorithm = jwt.algorithms.RSAAlgorithm if name.startswith("RSA") else jwt.algorithms.ECAlgorithm
    key = {**algorithm.to_jwk(public, as_dict=True), "kid": name, **members}
    return {member: value for member, value in key.items() if value is not None}


def private_jwk(name: str) -> dict[str, Any]:
    """The whole key `name`, as no client should publish it."""
    algorithm = jwt.algorithms.RSAAlgorithm if name.startswith("RSA") else jwt.algorithms.ECAlgorithm
    return {**algorithm.to_jwk(private_key(name), as_dict=True), "kid": name, "key_ops": ["sign", "verify"]}


def jwks(*names: str) -> dict[str, Any]:
    return {"keys": [jwk(name) for name in names]}


def signed(name: str, algorithm: str = "ES384") -> Sign:
    return lambda message: jwt.get_algorithm_by_name(algorithm).sign(message, private_key(name))


def shared_secret(name: str, form: Encoding = Encoding.PEM) -> Sign:
    """The old trick: what is public is taken for a secret."""
    secret = private_key(name).public_key().public_bytes(form, PublicFormat.SubjectPublicKeyInfo)
    return lambda message: hmac.new(secret, message, hashlib.sha256).digest()


@dataclass(frozen=True)
class Token:
    """A token as it should be, but for what is changed: None takes a member away."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    sign: Sign

    def text(self) -> str:
        message = f"{_part(self.header)}.{_part(self.claims)}".encode()
        return f"{message.decode()}.{base64.urlsafe_b64encode(self.sign(message)).decode().rstrip('=')}"


def token(*, header: Mapping[str, Any] | None = None, sign: Sign | None = None, **claims: Any) -> Token:
    base_header = {"alg": "ES384", "kid": "P-384", "typ": "JWT"}
    base_claims = {"iss": EHR, "aud": BASE + PATH, "iat": NOW, "exp": NOW + 300, "jti": "1"}
    return Token(
        _without_none({**base_header, **(header or {})}),
        _without_none({**base_claims, **claims}),
        sign or signed("P-384"),
    )


def _part(value: Any) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
