"""The clients whose tokens are accepted: whether their key sets can be read, and their keys used."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import jwt
import orjson

from cds_service.checkup.check import Check, absent, fails, without_secrets, works
from cds_service.hooks.clients import TrustedClient
from cds_service.hooks.jwks import Key, Keys, KeysError, Read, at_hand, from_web, read_keys
from cds_service.settings import Settings

KIND: Final = "clients"
_AT_A_TIME: Final = 8
_MOST_SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class _KeySet:
    client: TrustedClient
    name: str
    read: Read

    @property
    def subject(self) -> str:
        return f"{self.client.issuer}, {self.name}"


def check_clients(settings: Settings) -> Iterator[Check]:
    """Yield for each key set of each client whether it can be had, and which of its keys can be used."""
    if not settings.trusted_clients:
        found = "none: whoever reaches the port may call, without a token"
        yield absent(KIND, "registration", found, "register the EHR before others than this machine can call")
        return
    key_sets = [key_set for client in settings.trusted_clients for key_set in _key_sets(client)]
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        yield from pool.map(_check, key_sets)


def _key_sets(client: TrustedClient) -> Iterator[_KeySet]:
    local = at_hand(client)
    if local is not None:
        yield _KeySet(client, "jwks" if client.jwks is not None else f"jwks_file {client.jwks_file}", local)
    if client.jwks_url is not None:
        yield _KeySet(client, f"jwks_url {without_secrets(client.jwks_url)}", from_web(client.jwks_url))
    for address in client.jku:
        yield _KeySet(client, f"jku {without_secrets(address)}", from_web(address))


def _check(key_set: _KeySet) -> Check:
    try:
        document = key_set.read()
        keys = read_keys(document)
    except KeysError as error:
        to_do = "ask the client's operator, or correct the registration: its tokens are refused (401)"
        return fails(KIND, key_set.subject, f"the key set {error}", to_do)
    entries: list[Any] = orjson.loads(document)["keys"]
    if any(isinstance(entry, dict) and "d" in entry for entry in entries):
        to_do = "the client must replace that key at once: whoever reads the set can sign in its name"
        return fails(KIND, key_set.subject, "the key set publishes a private key", to_do)
    return _usable(key_set, keys, len(entries))


def _usable(key_set: _KeySet, keys: Keys, published: int) -> Check:
    algorithms = key_set.client.algorithms
    fitting = {kid: fits for (kid, _), key in keys.items() if (fits := _algorithms(key, algorithms))}
    if not fitting:
        to_do = "add the algorithm of its keys to algorithms in the registration, if the client signs with it"
        kids = _listed([kid for kid, _ in keys])
        return fails(KIND, key_set.subject, f"no key is for {', '.join(algorithms)}; kid: {kids}", to_do)
    kids = _listed([f"{kid} ({', '.join(fits)})" for kid, fits in fitting.items()])
    return works(KIND, key_set.subject, f"{len(fitting)} of {published} keys can be used; kid: {kids}")


def _algorithms(key: Key, algorithms: tuple[str, ...]) -> list[str]:
    """Return those of `algorithms` a key is for: made for it, and of its family and curve."""
    return [name for name in algorithms if key.algorithm in (None, name) and _takes(name, key)]


def _takes(algorithm: str, key: Key) -> bool:
    try:
        jwt.get_algorithm_by_name(algorithm).prepare_key(key.public)
    except (jwt.PyJWTError, TypeError, ValueError):
        return False
    return True


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_SHOWN
    return ", ".join(names[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
