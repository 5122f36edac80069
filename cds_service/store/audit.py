"""The audit trail in the database, for sites that want it there as well as in the log."""

from __future__ import annotations

from dataclasses import asdict

from cds_service.store.model import AuditEntry, time_text
from cds_service.store.recorder import Recorder
from cds_service.store.schema import AUDIT


class AuditTrail:
    """Adds to the audit trail, in the background: the log has every line, the database those that could be written."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def add(self, entry: AuditEntry) -> None:
        """Add `entry`. Never waits and never fails."""
        self._recorder.put(AUDIT, asdict(entry) | {"at": time_text(entry.at)})
