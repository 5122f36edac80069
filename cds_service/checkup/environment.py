"""The settings: which are set, which are misspelled, and which would be unsafe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from cds_service.checkup.check import Check, fails, without_secrets, works
from cds_service.settings import PREFIX, Settings, unknown_variables, unsafe_reasons

KIND: Final = "settings"


def check_settings(settings: Settings) -> Iterator[Check]:
    """Yield what is set, each variable that is no setting, and each reason why serving would be unsafe."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    values = {name.upper(): value for name, value in os.environ.items()}
    given = [name for name in known if values.get(name)]
    yield works(KIND, "read", f"{len(given)} set: {', '.join(given)}" if given else "none is set: all have defaults")
    for name in unknown_variables():
        likely = get_close_matches(name.upper(), known, n=1)
        hint = f"perhaps {likely[0]} is meant; " if likely else ""
        yield fails(KIND, name, "is no setting, so it has no effect", f"{hint}correct its name, or remove it")
    yield from _safety(settings)


def _safety(settings: Settings) -> Iterator[Check]:
    reasons = unsafe_reasons(settings)
    if not reasons:
        where = "loopback only" if settings.on_loopback else f"{settings.host}, with nothing unsafe about it"
        yield works(KIND, "safety", f"listens on {where}")
    for reason in reasons:
        for server in settings.fhir_servers:
            reason = reason.replace(server, without_secrets(server))  # noqa: PLW2901 - the same reason, fit to show
        if settings.allow_unsafe:
            to_do = "for trying only: put it right and remove CDS_ALLOW_UNSAFE before a record of a patient comes"
            yield works(KIND, "safety", f"unsafe, and allowed by CDS_ALLOW_UNSAFE: {reason}", to_do)
        else:
            to_do = "put it right, or listen on 127.0.0.1; until then serve refuses to start"
            yield fails(KIND, "safety", f"unsafe to listen on {settings.host}: {reason}", to_do)
