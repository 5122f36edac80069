"""The port: whether the service could listen there, or does already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import requests

from cds_service.checkup.check import Check, fails, works
from cds_service.server import free_address
from cds_service.settings import Settings, SettingsError

KIND: Final = "port"
_WAIT_S: Final = 2.0
_EVERY = "0.0.0.0"  # nosec B104 # noqa: S104 - not listened on: where to ask who does
_ANY: Final = {_EVERY: "127.0.0.1", "::": "::1"}
"""Where a server that listens on every address is asked."""


def check_port(settings: Settings) -> Iterator[Check]:
    """Yield whether host and port of the settings are free."""
    subject = f"{settings.host} port {settings.port}"
    try:
        free_address(settings.host, settings.port)
    except SettingsError as error:
        if _is_alive(settings):
            to_do = "nothing, if it is the one that should run there; else stop it, or set CDS_PORT"
            yield works(KIND, subject, "a service like this one answers there already (GET /healthz)", to_do)
        else:
            to_do = "set CDS_HOST to an address of this machine, and CDS_PORT to a port that is free and permitted"
            yield fails(KIND, subject, str(error), to_do)
    else:
        yield works(KIND, subject, "free")


def _is_alive(settings: Settings) -> bool:
    host = _ANY.get(settings.host, settings.host)
    address = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/healthz"
    with requests.Session() as session:
        session.trust_env = False  # no proxy between this machine and itself
        try:
            with session.get(address, timeout=_WAIT_S, allow_redirects=False, stream=True) as answer:
                return bool(answer.raw.read(200) == b'{"status":"ok"}')
        except (requests.RequestException, OSError, ValueError):
            return False
