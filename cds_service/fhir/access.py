"""Reading what the client did not send from its FHIR server.

The server's address comes with the request, so it is not trusted: only servers the site allows are asked, and the
token goes nowhere else.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from http.cookiejar import DefaultCookiePolicy
from typing import Final
from urllib.parse import urlsplit

import orjson
import requests

from cds_service.fhir.queries import fill
from cds_service.fhir.record import PrefetchKey, RecordSource, Resource, Unread
from cds_service.fhir.references import plain_id

__all__ = ["HttpRecordSource", "RecordSource", "is_allowed", "new_session"]

LARGEST_ANSWER: Final = 8 * 1024 * 1024
"""Bytes of one answer that are read."""

_CHUNK: Final = 64 * 1024
_PARALLEL: Final = 6
_TOO_LATE: Final = "the FHIR server did not answer in time"


class HttpRecordSource:
    """Reads keys from a FHIR server, side by side and within one deadline.

    `server` is the base address, `token` the bearer token or None for an open server; `patient_id` and `encounter_id`
    may be bare ids or references. `templates` are the queries of the hook (`queries.TEMPLATES`). `allowed` are the
    base addresses of the servers that may be asked; where it is empty, only servers on loopback. `timeout` (seconds)
    holds for each wait on the network, `deadline` (seconds) for all reads together. `session` may be shared between
    requests to keep connections open; see `new_session`.
    """

    def __init__(
        self,
        server: str,
        token: str | None,
        patient_id: str | None,
        encounter_id: str | None,
        *,
        templates: Mapping[PrefetchKey, str],
        allowed: Collection[str] = (),
        timeout: float = 2.0,
        deadline: float = 3.0,
        session: requests.Session | None = None,
    ) -> None:
        self._base = _base(server) if is_allowed(server, allowed) else None
        self._headers = {"Accept": "application/fhir+json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._context = {
            "patientId": plain_id(patient_id, "Patient"),
            "encounterId": plain_id(encounter_id, "Encounter"),
        }
        self._templates = templates
        self._timeout = timeout
        self._deadline = deadline
        self._session = session or new_session()

    def read(self, keys: Sequence[PrefetchKey]) -> Mapping[PrefetchKey, Resource | Unread]:
        """Return what each key would have held (see `RecordSource.read`)."""
        queries = {key: fill(self._templates[key], self._context) for key in keys if key in self._templates}
        asked = {key: query for key, query in queries.items() if query is not None}
        if self._base is None:
            return {key: Unread(key.value, "this FHIR server is not one that may be asked") for key in asked}
        if not asked:
            return {}
        return self._read_all(asked)

    def _read_all(self, queries: Mapping[PrefetchKey, str]) -> dict[PrefetchKey, Resource | Unread]:
        end = time.monotonic() + self._deadline
        pool = ThreadPoolExecutor(max_workers=min(_PARALLEL, len(queries)), thread_name_prefix="fhir-read")
        try:
            reads = {key: pool.submit(self._get, query, end) for key, query in queries.items()}
            wait(reads.values(), timeout=self._deadline)
        finally:
            # A read that is late is not waited for; it ends by itself at its own timeout.
            pool.shutdown(wait=False, cancel_futures=True)
        return {key: _outcome(key, read) for key, read in reads.items()}

    def _get(self, query: str, end: float) -> Resource | str:
        """Return a resource, or why there is none. The reason holds no address and no token: both are secrets."""
        remaining = end - time.monotonic()
        if remaining <= 0:
            return _TOO_LATE
        try:
            with self._session.get(
                f"{self._base}/{query}",
                headers=self._headers,
                timeout=min(self._timeout, remaining),
                allow_redirects=False,
                stream=True,
            ) as answer:
                if answer.status_code != requests.codes.ok:
                    return f"the FHIR server answered {answer.status_code}"
                return _parse(answer.iter_content(_CHUNK), end)
        except requests.Timeout:
            return _TOO_LATE
        except (requests.RequestException, OSError, ValueError):
            return "the FHIR server could not be reached"


def new_session() -> requests.Session:
    """Return a session that sends what it is told and nothing of its own.

    No cookies, and nothing from the environment: a `.netrc` entry would take the place of the client's token.
    """
    # Queries name the patient, and urllib3 logs them, at DEBUG and where headers are odd at WARNING.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def is_allowed(server: str, allowed: Collection[str]) -> bool:
    """Return whether a FHIR server may be asked.

    It must be one of `allowed` (base addresses; where there is none, any server on loopback), and be reached by
    https or on loopback.
    """
    base = _base(server)
    if base is None:
        return False
    return base in {_base(each) for each in allowed} if allowed else _is_loopback(urlsplit(base).hostname)


def _base(address: object) -> str | None:
    """Return a base address in one form, or None where no request may go there."""
    if not isinstance(address, str):
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    odd = parts.query or parts.fragment or parts.username is not None or "\\" in address or ".." in parts.path
    if not host or odd or any(character.isspace() for character in address):
        return None
    if scheme != "https" and not (scheme == "http" and _is_loopback(host)):
        return None
    shown = f"[{host}]" if ":" in host else host
    standard = {"https": 443, "http": 80}[scheme]
    return f"{scheme}://{shown}{'' if port in (None, standard) else f':{port}'}{parts.path.rstrip('/')}"


def _is_loopback(host: str | None) -> bool:
    if host is None or host == "localhost":
        return host is not None
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parse(chunks: Iterable[bytes], end: float) -> Resource | str:
    """Return the resource of a body that arrives in time and is of a size that can be meant."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > LARGEST_ANSWER:
            return "the answer of the FHIR server is too large"
        if time.monotonic() > end:
            return _TOO_LATE
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = None
    return value if isinstance(value, dict) else "the answer of the FHIR server is not FHIR JSON"


def _outcome(key: PrefetchKey, read: Future[Resource | str]) -> Resource | Unread:
    """Return what a read came to; one that did not end in time counts as failed."""
    found = read.result() if read.done() and not read.cancelled() else _TOO_LATE
    return Unread(key.value, found) if isinstance(found, str) else found
