"""Reading what the client did not send from its FHIR server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from cds_service.fhir.record import PrefetchKey, Resource, Unread


class RecordSource(Protocol):
    """Where prefetch keys that were not sent can be read."""

    def read(self, keys: Sequence[PrefetchKey]) -> Mapping[PrefetchKey, Resource | Unread | None]:
        """Return what each key would have held: a resource, a Bundle, or an `Unread` where reading failed.

        A key that cannot be asked for (its query needs an encounter, and none is known) is left out of the answer.
        Never raises.
        """
        ...
