"""What the monitoring of a site asks for: how many calls, how they were answered, how fast. Nothing of a patient.

The figures have no label that a caller could fill: services, statuses, kinds of cards and rules are the service's own.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from cds_service.cards.frame import EXTENSION
from cds_service.hooks.audit import Call

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SHARED_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where the workers of one server add up their figures: the name is the library's, read when it is loaded."""

_IN_MEMORY: Final = Path("/dev/shm")  # nosec B108 # noqa: S108 - a folder of our own is made in it
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper ends of the time buckets: from a call without a block to one that waited for a slow FHIR server."""

_log = logging.getLogger(__name__)


class Metrics:
    """Counts calls, and writes the counts in the text format of Prometheus.

    Args:
        version: of the service.
        knowledge_version: what the answers are worked out with.
    """

    def __init__(self, version: str, knowledge_version: str) -> None:
        # Loaded here, since the library settles where it keeps its figures when it is first loaded.
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram  # noqa: PLC0415

        own = CollectorRegistry()
        self._own = own
        self._calls = Counter(
            "cds_calls", "Calls that hand over a record or feedback.", ("call", "service", "status"), registry=own
        )
        self._seconds = Histogram(
            "cds_call_seconds",
            "Seconds until their answer was ready.",
            ("call", "service"),
            buckets=_SECONDS,
            registry=own,
        )
        self._cards = Counter("cds_cards", "Cards given.", ("service", "kind"), registry=own)
        self._rules = Counter(
            "cds_card_rules", "Cards given, by the rules behind them.", ("service", "rule"), registry=own
        )
        self._about = Gauge(
            "cds_build", "What answers: always 1.", ("version", "knowledge"), registry=own, multiprocess_mode="max"
        )
        self._about.labels(version, knowledge_version).set(1)

    def __call__(self, call: Call) -> None:
        """Count `call`. A disk that is full costs a figure, not an answer."""
        try:
            self._count(call)
        except OSError as error:
            _log.warning("A call could not be counted (%s).", error.strerror)

    def exposition(self, accepted: str) -> tuple[bytes, str]:
        """Return the figures of all workers and their content type.

        Args:
            accepted: what the caller takes, as its Accept header says it; OpenMetrics where it asks for that.
        """
        from prometheus_client.exposition import choose_encoder  # noqa: PLC0415

        encode, content_type = choose_encoder(accepted)
        return encode(self._of_all_workers()), content_type

    def _count(self, call: Call) -> None:
        service = call.service_id or ""
        self._calls.labels(call.kind, service, str(call.status)).inc()
        self._seconds.labels(call.kind, service).observe(call.duration_ms / 1000)
        for card in call.cards:
            about = card["extension"][EXTENSION]
            self._cards.labels(service, about["kind"]).inc()
            for rule in about.get("rules", ()):
                self._rules.labels(service, rule).inc()

    def _of_all_workers(self) -> CollectorRegistry:
        if SHARED_FOLDER not in os.environ:
            return self._own
        from prometheus_client import CollectorRegistry  # noqa: PLC0415
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return together


@contextmanager
def shared_by_workers() -> Iterator[None]:
    """Give the workers of a server a folder to add up their figures in; one that the operator named is left as it is.

    In memory where the system has such a folder: the figures are mapped files, and a full disk would end a worker.
    """
    if SHARED_FOLDER in os.environ:
        yield
        return
    with TemporaryDirectory(
        prefix="cds-service-", dir=_IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    ) as folder:
        os.environ[SHARED_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[SHARED_FOLDER]
