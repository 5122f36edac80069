"""All checks, one kind after the other. One that goes wrong itself does not keep the others from being made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from cds_service.checkup.check import Check, fails
from cds_service.checkup.clients import check_clients
from cds_service.checkup.clock import Reading, check_clock
from cds_service.checkup.database import check_database
from cds_service.checkup.environment import check_settings
from cds_service.checkup.formats import check_formats
from cds_service.checkup.knowledge import check_diagnoses, check_knowledge
from cds_service.checkup.port import check_port
from cds_service.checkup.servers import ask_servers
from cds_service.settings import Settings


def run_checks(settings: Settings, today: date) -> tuple[Check, ...]:
    """Return what was found of an installation with `settings`, looked at on `today`. Nothing is changed."""
    clocks: list[Reading] = []

    def servers() -> Iterable[Check]:
        answers = ask_servers(settings)
        clocks.extend(answer.clock for answer in answers if answer.clock is not None)
        return [answer.check for answer in answers]

    kinds: tuple[tuple[str, Callable[[], Iterable[Check]]], ...] = (
        ("settings", lambda: check_settings(settings)),
        ("knowledge", lambda: check_knowledge(settings, today)),
        ("diagnoses", lambda: check_diagnoses(today)),
        ("note formats", check_formats),
        ("database", lambda: check_database(settings)),
        ("clients", lambda: check_clients(settings)),
        ("FHIR servers", servers),
        ("clock", lambda: check_clock(settings, clocks)),
        ("port", lambda: check_port(settings)),
    )
    return tuple(check for kind, look in kinds for check in _made(kind, look))


def _made(kind: str, look: Callable[[], Iterable[Check]]) -> list[Check]:
    try:
        return list(look())
    except Exception as error:  # noqa: BLE001 - its message could hold a secret, and the other checks are still wanted
        to_do = "report this as an error of the program"
        return [fails(kind, "check", f"could not be made: internal error ({type(error).__qualname__})", to_do)]
