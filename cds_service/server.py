"""The production server: Granian in front of the Flask app."""

from __future__ import annotations

import gc
import multiprocessing
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from cds_service.access_log import KnownAddresses
from cds_service.metrics import shared_by_workers
from cds_service.settings import Settings, SettingsError, refuse_unsafe

# The path as far as it is known (`access_log`), never the query string: nobody controls what clients put there.
ACCESS_LOG = '[%(time)s] %(addr)s "%(method)s %(path)s" %(status)d %(dt_ms).1f ms'

_STOP_WITHIN_S = 10
_LARGEST_HEAD = 64 * 1024
"""Bytes of the first line and the headers of a request together; a larger head is answered with 431."""
_NEW_OBJECTS = 20_000
"""Objects made before the garbage collector looks for cycles; a request makes a few thousand."""

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
        "cds_service.audit": {"handlers": ["access"], "level": "INFO", "propagate": False},
        "cds_service": {"handlers": ["plain"], "level": "INFO", "propagate": False},
    },
}


def run(settings: Settings, create_app: Callable[[Settings], Any]) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first.

    Args:
        settings: where to listen, with how many workers and threads.
        create_app: makes the Flask app; a function of a module. It must open no connection and start no thread:
            it is called before the workers are forked, so that they share its memory and its errors come
            from here, once.

    Raises:
        SettingsError: the settings would be unsafe beyond this machine, or the address cannot be listened on.
    """
    refuse_unsafe(settings)
    address = free_address(settings.host, settings.port)
    with shared_by_workers():
        _serve(settings, address, create_app)


def _serve(settings: Settings, address: str, create_app: Callable[[Settings], Any]) -> None:
    app = create_app(settings)
    # What was built at start stays: no collection needs to walk it again, and forked workers keep sharing it. With
    # that out of sight Python would collect the little that is left far too often, hence the higher threshold.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 20, 20)
    forks = multiprocessing.get_start_method() == "fork"
    server = Granian(
        "cds_service",  # only a name for the log: the loader below gives the app
        address=address,
        port=settings.port,
        interface=Interfaces.WSGI,
        # Proxies speak HTTP/1 to what is behind them; what is not spoken cannot be attacked.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=_LARGEST_HEAD),
        workers=settings.workers,
        blocking_threads=settings.threads,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_WITHIN_S,
        log_access=True,
        log_access_format=ACCESS_LOG,
        log_dictconfig=_logging(app),
    )
    server.serve(target_loader=(lambda: app) if forks else partial(create_app, settings), wrap_loader=False)


def _logging(app: Any) -> dict[str, Any]:
    """Return what is logged where; `app` says which addresses are known."""
    rules = [rule.rule for rule in app.url_map.iter_rules()]
    access = {**_LOGGING["loggers"]["granian.access"], "filters": ["addresses"]}
    return {
        **_LOGGING,
        "filters": {"addresses": {"()": KnownAddresses, "rules": rules}},
        "loggers": {**_LOGGING["loggers"], "granian.access": access},
    }


def free_address(host: str, port: int) -> str:
    """Return the IP address of `host`, after trying that `port` is free there; Granian takes no names.

    Raises:
        SettingsError: the name has no address, or another program listens there.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            # A port of a server that has just stopped counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise SettingsError(f"CDS_HOST: {host!r} has no address ({error.strerror})") from None
    except OSError as error:
        raise SettingsError(f"CDS_PORT: cannot listen on {host} port {port} ({error.strerror})") from None
    return str(address[0])
