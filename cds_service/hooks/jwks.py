"""The public keys of clients (JWKS, RFC 7517): where they are read from, how long they are kept.

The addresses come from the site's registration only, never from a token alone. What a stranger can bring about with
made-up key ids is one read of a key set in `PAUSE_S`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import jwt
import orjson
import requests
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from urllib3.exceptions import HTTPError

from cds_service.connections import Adapter, ended_after
from cds_service.hooks.clients import TrustedClient

FRESH_S: Final = 600
"""How long keys are used without asking again: after that a key that was withdrawn is gone."""
STALE_S: Final = 24 * 3600
"""How long keys are used where their source does not answer."""
PAUSE_S: Final = 30
"""The least time between two reads of one source, whatever the reason."""

_DEADLINE_S: Final = 3.0
_WAIT_S: Final = 2.0
_MOST_BYTES: Final = 256 * 1024
_CHUNK: Final = 16 * 1024
_LEAST_RSA_BITS: Final = 2048  # NIST SP 800-131A

PublicKey: TypeAlias = EllipticCurvePublicKey | RSAPublicKey
Read: TypeAlias = Callable[[], bytes]

_log = logging.getLogger(__name__)


class KeysError(Exception):
    """A key set that cannot be had or used. The message holds nothing of its content."""


@dataclass(frozen=True, slots=True)
class Key:
    """One public key. `family` is "EC" or "RSA"; `algorithm` the only one it is for, None for any of its family."""

    public: PublicKey
    family: str
    algorithm: str | None


Keys: TypeAlias = Mapping[tuple[str, str], Key]
"""Keys by key id and family; one id may stand for a key of each."""


def read_keys(document: bytes) -> Keys:
    """Return the usable keys of a JWKS: public EC and RSA keys for signatures, with an id.

    A private key is not used: whoever can read the set could sign with it.

    Raises:
        KeysError: it is not a JWKS, or no key of it can be used.
    """
    try:
        parsed = orjson.loads(document)
    except orjson.JSONDecodeError:
        raise KeysError("is not JSON") from None
    entries = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(entries, list):
        raise KeysError("is not a JWKS: it has no list of keys")
    keys: dict[tuple[str, str], Key] = {}
    for entry in entries:
        if isinstance(entry, dict) and (key := _key(entry)):
            keys.setdefault((entry["kid"], key.family), key)
    if not keys:
        raise KeysError("has no public EC or RSA key (2048 bits or more) for signatures with a kid")
    return keys


def _key(entry: dict[str, Any]) -> Key | None:
    named = isinstance(entry.get("kid"), str) and entry["kid"]
    operations = entry.get("key_ops", ["verify"])
    verifies = entry.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
    if not (named and verifies) or entry.get("kty") not in ("EC", "RSA") or "d" in entry:
        return None
    try:
        public = jwt.PyJWK({**entry, "alg": None}).key
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
    if isinstance(public, RSAPublicKey) and public.key_size < _LEAST_RSA_BITS:
        return None
    return Key(public, entry["kty"], entry.get("alg"))


class KeySource:
    """The keys of one source, kept in memory. Safe to share between threads.

    Args:
        name: what the log calls the source.
        read: gives the JWKS as it is now; raises `KeysError`.
        clock: seconds that only go forward.
    """

    def __init__(self, name: str, read: Read, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Keys = {}
        self._read_at = self._tried_at = float("-inf")

    def find(self, kid: str, family: str) -> Key | None:
        """Return the key `kid` of `family`, or None where the source has none or was not to be had.

        The source is asked again where the key is unknown or what is known is old. While one thread asks, the
        others go on with the keys they know, and wait only for one they do not.
        """
        key = self._known(kid, family)
        if key is not None and self._age() < FRESH_S:
            return key
        if self._lock.acquire(blocking=key is None):
            try:
                if self._clock() - self._tried_at >= PAUSE_S:
                    self._refresh()
            finally:
                self._lock.release()
        return self._known(kid, family)

    def _known(self, kid: str, family: str) -> Key | None:
        return self._keys.get((kid, family)) if self._age() < STALE_S else None

    def _age(self) -> float:
        return self._clock() - self._read_at

    def _refresh(self) -> None:
        try:
            self._keys = read_keys(self._read())
            self._read_at = self._clock()
        except KeysError as error:
            _log.warning("key set %s: %s", self._name, error)
        finally:
            self._tried_at = self._clock()


def at_hand(client: TrustedClient) -> Read | None:
    """Return what reads the key set `client` is registered with, where that needs no network."""
    if client.jwks is not None:
        document = orjson.dumps(dict(client.jwks))
        return lambda: document
    if (path := client.jwks_file) is None:
        return None

    def read() -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise KeysError(f"cannot be read ({type(error).__name__})") from None

    return read


def from_web(address: str) -> Read:
    """Return what reads the key set at `address`: without following redirects, within bounds of time and size."""

    def read() -> bytes:
        until = time.monotonic() + _DEADLINE_S
        try:
            body = _get(address)
        except (requests.RequestException, HTTPError, OSError) as error:
            if time.monotonic() < until:
                raise KeysError(f"does not answer ({type(error).__name__})") from None
        else:
            if time.monotonic() < until:
                return body
        raise KeysError(f"takes longer than {_DEADLINE_S:.0f} seconds")  # what was ended may look whole

    return read


def _get(address: str) -> bytes:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    body = bytearray()
    with (
        ended_after(_DEADLINE_S),
        _session() as session,
        # (Without `auth`, requests would look for a password in a .netrc file.)
        session.get(
            address, headers=headers, auth=_as_it_is, timeout=_WAIT_S, allow_redirects=False, stream=True
        ) as response,
    ):
        if response.status_code != requests.codes.ok:
            raise KeysError(f"answers with status {response.status_code}")
        while chunk := response.raw.read1(_CHUNK):
            body += chunk
            if len(body) > _MOST_BYTES:
                raise KeysError(f"is larger than {_MOST_BYTES} bytes")
    return bytes(body)


def _session() -> requests.Session:
    session = requests.Session()
    session.mount("https://", Adapter())
    session.mount("http://", Adapter())
    return session


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
