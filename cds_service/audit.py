"""A line for each call that hands over a record or feedback: in the log, and in the database where the site wants it.

It says who called which service when, how it was answered and how long that took; nothing of the patient, and no id
of a patient or encounter.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from cds_service.cards.frame import EXTENSION
from cds_service.hooks.audit import Call
from cds_service.store.model import AuditEntry

LOGGER: Final = "cds_service.audit"

_log = logging.getLogger(LOGGER)


class Audit:
    """Writes the line of a call.

    Args:
        knowledge_version: what the answers are worked out with.
        add: keeps an entry in the database as well; must neither wait nor fail.
    """

    def __init__(self, knowledge_version: str, add: Callable[[AuditEntry], None] | None = None) -> None:
        self._knowledge_version = knowledge_version
        self._add = add

    def __call__(self, call: Call) -> None:
        """Write the line of `call`."""
        entry = AuditEntry(
            at=datetime.now(UTC),
            call=call.kind,
            status=call.status,
            duration_ms=call.duration_ms,
            knowledge_version=self._knowledge_version,
            service_id=call.service_id,
            client=call.client,
            hook_instance=call.hook_instance,
            kinds=tuple(about["kind"] for about in _about(call.cards)),
            rules=tuple(dict.fromkeys(rule for about in _about(call.cards) for rule in about.get("rules", ()))),
        )
        if _log.isEnabledFor(logging.INFO):
            _log.info(orjson.dumps(_line(entry)).decode())
        if self._add is not None:
            self._add(entry)


def _about(cards: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    return (card["extension"][EXTENSION] for card in cards)


def _line(entry: AuditEntry) -> dict[str, Any]:
    members = {
        "audit": entry.call,
        "at": entry.at,
        "service": entry.service_id,
        "client": entry.client,
        "hookInstance": entry.hook_instance,
        "status": entry.status,
        "ms": entry.duration_ms,
        "cards": entry.kinds,
        "rules": entry.rules,
        "knowledge": entry.knowledge_version,
    }
    return {name: value for name, value in members.items() if value is not None}
