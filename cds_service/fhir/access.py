"""Reading what the client did not send from its FHIR server: missing keys, further pages, attachments.

Everything one hook reads has one deadline. What cannot be had is said with its reason, and never waited for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final, TypeVar

from cds_service.fhir.bundle import RESOURCE_TYPES, failure_reason
from cds_service.fhir.connection import Call
from cds_service.fhir.exchange import TOO_LATE, Allowance, Exchange, Limits, NotFetched, Reply
from cds_service.fhir.grant import Grant
from cds_service.fhir.paging import completed
from cds_service.fhir.queries import fill
from cds_service.fhir.record import AttachedFile, Partial, PrefetchKey, RecordSource, Resource, Unread
from cds_service.fhir.references import plain_id, reference_id
from cds_service.fhir.replies import file_of, media_type, resource_of
from cds_service.fhir.servers import Network, base_of, is_allowed, within

__all__ = ["FhirAccess", "Grant", "HttpRecordSource", "Limits", "RecordSource", "is_allowed"]

_log = logging.getLogger(__name__)

NOT_LISTED: Final = "this FHIR server is not one that may be asked"
_FHIR_JSON: Final = "application/fhir+json"
_GRACE_S: Final = 0.1
"""For reads that were ended to hand over what they have."""

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class FhirAccess:
    """What all hooks of a process share: connections, threads, and which servers do not answer.

    `networks` are those that a name on the list may lead into although they are not public; `client_ids` the ids this
    service is registered under at authorization servers (see `Grant.problem`). It opens no connection and starts no
    thread before the first read, so it may be made before a process forks.
    """

    def __init__(
        self, limits: Limits | None = None, networks: Collection[Network] = (), client_ids: Collection[str] = ()
    ) -> None:
        self.limits = limits or Limits()
        self.exchange = Exchange(self.limits, tuple(networks))
        self.client_ids = tuple(client_ids)
        self.pool = ThreadPoolExecutor(self.limits.parallel, thread_name_prefix="fhir-read")

    def source(
        self,
        server: str,
        grant: Grant | None,
        patient_id: str | None,
        encounter_id: str | None,
        *,
        templates: Mapping[PrefetchKey, str],
        allowed: Collection[str] | None = None,
    ) -> HttpRecordSource:
        """Return where the data of one hook is read; its deadline starts now.

        `server` is the base address, `grant` the token or None for an open server; `patient_id` and `encounter_id` may
        be bare ids or references. `templates` are the queries of the hook (`queries.TEMPLATES`), `allowed` the base
        addresses of the servers that may be asked, None for any on loopback.
        """
        base = base_of(server) if is_allowed(server, allowed) else None
        context = {"patientId": plain_id(patient_id, "Patient"), "encounterId": plain_id(encounter_id, "Encounter")}
        return HttpRecordSource(self, base, grant, context, templates)


class HttpRecordSource:
    """Reads for one hook from one FHIR server, side by side and within one deadline (see `FhirAccess.source`)."""

    def __init__(
        self,
        access: FhirAccess,
        base: str | None,
        grant: Grant | None,
        context: Mapping[str, str | None],
        templates: Mapping[PrefetchKey, str],
    ) -> None:
        self._access = access
        self._limits = access.limits
        self.listed = base is not None
        """Whether the server is one that may be asked; where not, each read says so."""
        self._base = base or ""
        self._grant = grant
        self._context = context
        self._templates = templates
        self._allowance = Allowance(access.limits)
        problem = grant.problem(context["patientId"], access.client_ids) if grant is not None else None
        self._problem = problem if base is not None else NOT_LISTED
        lifetime = grant.expires_in if grant is not None and grant.expires_in is not None else float("inf")
        self._token_ends = time.monotonic() + lifetime

    def read(
        self, keys: Sequence[PrefetchKey], pages: Mapping[PrefetchKey, Resource] | None = None
    ) -> Mapping[PrefetchKey, Resource | Partial | Unread]:
        """Return what each key would have held, and the Bundles of `pages` completed (see `RecordSource.read`)."""
        queries = {key: fill(self._templates[key], self._context) for key in keys if key in self._templates}
        asked = {key: query for key, query in queries.items() if query is not None}
        begun = pages or {}
        if self._problem is not None:
            refused = {key: Unread(key.value, self._problem) for key in asked}
            return refused | {key: Partial(page, self._problem) for key, page in begun.items()}
        readers = {key: self._reader(key, query) for key, query in asked.items()}
        found = self._all(readers | {key: self._follower(key, page) for key, page in begun.items()})
        return {key: _said(key, value, begun.get(key)) for key, value in found.items()}

    def files(self, wanted: Sequence[AttachedFile]) -> Mapping[str, Resource | Unread]:
        """Return the Binary resources behind addresses of attachments (see `RecordSource.files`)."""
        if self._problem is not None:
            return {each.address: Unread(each.document, self._problem) for each in wanted}
        documents = {each.address: each.document for each in wanted}
        readers = {each.address: self._file_reader(each) for each in wanted[: self._limits.attachments]}
        left_out: dict[str, Resource | str] = dict.fromkeys(
            list(documents)[self._limits.attachments :], "more attachments than are fetched for one request"
        )
        found = self._all(readers) | left_out
        return {
            address: Unread(documents[address], value) if isinstance(value, str) else value
            for address, value in found.items()
        }

    def _reader(self, key: PrefetchKey, query: str) -> Callable[[Call], Resource | Partial]:
        kind = RESOURCE_TYPES[key]

        def read(call: Call) -> Resource | Partial:
            found = resource_of(self._get(f"{self._base}/{query}", call, kind), "Bundle" if "?" in query else kind)
            return self._completed(key, found, call)

        return read

    def _follower(self, key: PrefetchKey, page: Resource) -> Callable[[Call], Resource | Partial]:
        return lambda call: self._completed(key, page, call)

    def _file_reader(self, wanted: AttachedFile) -> Callable[[Call], Resource]:
        def read(call: Call) -> Resource:
            address = within(self._base, wanted.address)
            name = reference_id(address)
            if address is None or name is None or not name.startswith("Binary/"):
                raise NotFetched("the attachment is at an address that is not fetched")
            kind = media_type(wanted.content_type)
            accept = f"{kind}, {_FHIR_JSON};q=0.9" if kind else f"{_FHIR_JSON}, */*;q=0.5"
            binary = file_of(self._get(address, call, "Binary", accept), kind)
            return {**binary, "id": name.partition("/")[2]}

        return read

    def _completed(self, key: PrefetchKey, first: Resource, call: Call) -> Resource | Partial:
        def page(address: str) -> Resource:
            found = resource_of(self._get(address, call, RESOURCE_TYPES[key]), "Bundle")
            if found.get("resourceType") != "Bundle":
                raise NotFetched(failure_reason(found))
            return found

        return completed(first, page, self._base, self._limits)

    def _get(self, address: str, call: Call, kind: str, accept: str = _FHIR_JSON) -> Reply:
        # Packed files that broke off would look whole: unlike JSON, half a text is a text.
        headers = {"Accept": accept, "Accept-Encoding": "gzip" if accept == _FHIR_JSON else "identity"}
        if self._grant is not None:
            if time.monotonic() >= self._token_ends:
                raise NotFetched("the access token has expired")
            headers["Authorization"] = f"Bearer {self._grant.token}"
        reply = self._access.exchange.get(address, headers, self._allowance, call)
        if reply.status in (401, 403) and self._grant is not None and not self._grant.covers(kind):
            raise NotFetched(f"the FHIR server answered {reply.status}; the scopes of the token do not cover {kind}")
        return reply

    def _all(self, reads: Mapping[K, Callable[[Call], T]]) -> dict[K, T | str]:
        """Return what each read came to, or why it failed; those that are late are ended and not waited for."""
        calls = {key: self._access.exchange.new_call() for key in reads}
        running = {key: self._access.pool.submit(read, calls[key]) for key, read in reads.items()}
        _, late = wait(running.values(), timeout=self._allowance.remaining)
        if late:
            for key, read in running.items():
                if not read.cancel() and read in late:
                    calls[key].end()
            wait([read for read in late if not read.cancelled()], timeout=_GRACE_S)
        return {key: _outcome(read) for key, read in running.items()}


def _said(key: PrefetchKey, value: Resource | Partial | str, begun: Resource | None) -> Resource | Partial | Unread:
    """Return what a read came to; a page that the client sent stays, also where no more can be had."""
    if not isinstance(value, str):
        return value
    return Unread(key.value, value) if begun is None else Partial(begun, f"not all pages were read: {value}")


def _outcome(read: Future[Any]) -> Any:
    if not read.done() or read.cancelled():
        return TOO_LATE
    failure = read.exception()
    if failure is None:
        return read.result()
    if not isinstance(failure, NotFetched):
        # Only the kind: what it says may quote the record. One read less must not take the answer down.
        _log.error("a read from the FHIR server failed: %s", type(failure).__qualname__)
        return "reading it failed"
    return str(failure)
