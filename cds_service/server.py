"""The production server: Granian in front of the Flask app."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from granian import Granian
from granian.constants import Interfaces

from cds_service.settings import Settings, refuse_unsafe

# The path, never the query string: nobody controls what clients put there.
ACCESS_LOG = '[%(time)s] %(addr)s "%(method)s %(path)s" %(status)d %(dt_ms).1f ms'

_STOP_WITHIN_S = 10

_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "[%(asctime)s] %(levelname)s %(name)s %(message)s"},
        "access": {"format": "%(message)s"},
    },
    "handlers": {
        "plain": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"},
        "access": {"class": "logging.StreamHandler", "formatter": "access", "stream": "ext://sys.stdout"},
    },
    "loggers": {
        "_granian": {"handlers": ["plain"], "level": "INFO", "propagate": False},
        "granian.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
        "cds_service": {"handlers": ["plain"], "level": "INFO", "propagate": False},
    },
}


def run(settings: Settings, create_app: Callable[[Settings], Any]) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first.

    Args:
        settings: where to listen, with how many workers and threads.
        create_app: makes the WSGI app, in each worker; a function of a module, so that it can be sent to one.

    Raises:
        SettingsError: the settings would be unsafe beyond this machine.
    """
    refuse_unsafe(settings)
    server = Granian(
        "cds_service",  # only a name for the log: the loader below makes the app
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_WITHIN_S,
        log_access=True,
        log_access_format=ACCESS_LOG,
        log_dictconfig=_LOGGING,
    )
    # Every worker makes its app from these very settings, whatever the environment says meanwhile.
    server.serve(target_loader=partial(create_app, settings), wrap_loader=False)
