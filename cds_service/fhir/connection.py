"""Connections that go where they were checked to go, and end when they are told to.

Requests does the HTTP; what is added sits at its one official seam, the transport adapter, and below it in the
connection classes of urllib3: the host is resolved once, every address is checked, and the checked address is what is
connected to, so that no second resolution can lead elsewhere. Certificates are still checked against the name.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Collection, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from cds_service.fhir.servers import Network, is_loopback, may_connect


class AddressRefusedError(Exception):
    """The host resolves to an address that may not be connected to."""


class Call:
    """One read in one thread: what it may connect to, and the way to end it from another thread."""

    def __init__(self, networks: Collection[Network] = ()) -> None:
        self.networks = networks
        self._connection: HTTPConnection | None = None
        self._ended = threading.Event()

    def hold(self, connection: HTTPConnection) -> None:
        """Remember the connection this call uses now."""
        self._connection = connection

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than until the call is ended."""
        self._ended.wait(seconds)

    def end(self) -> None:
        """End what the call waits for: its connection gives no more bytes."""
        self._ended.set()
        used = getattr(self._connection, "sock", None)
        if isinstance(used, socket.socket):
            # The plain socket's way also for TLS: taking TLS down beneath a thread that reads is not defined.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(used, socket.SHUT_RDWR)


class _Current(threading.local):
    call: Call = Call()


_current: Final = _Current()


class running:  # noqa: N801 - reads as a word: with running(call)
    """Make `call` the one of this thread, for the connections it uses."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __enter__(self) -> None:
        _current.call = self._call

    def __exit__(self, *_: object) -> None:
        _current.call = Call()


class _Checked(HTTPConnection):
    """A connection to checked addresses only. Through a proxy the proxy resolves, and only the list protects."""

    def _new_conn(self) -> socket.socket:
        if self.proxy is not None:
            return super()._new_conn()
        timeout = self.timeout if isinstance(self.timeout, int | float) else None
        try:
            return _connect(self.host, self.port, timeout)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "connecting timed out") from error
        except OSError as error:
            raise NewConnectionError(self, "connecting failed") from error

    def request(self, *args: Any, **named: Any) -> None:
        _current.call.hold(self)
        super().request(*args, **named)


class _CheckedTls(_Checked, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Checked


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _CheckedTls


_POOLS: Final = {"http": _Pool, "https": _TlsPool}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        super().init_poolmanager(*args, **named)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: Any, **named: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **named)
        if type(manager) is ProxyManager:
            manager.pool_classes_by_scheme = _POOLS
        return manager


def new_session(connections: int) -> requests.Session:
    """Return a session that sends what it is told and nothing of its own, with `connections` kept open per server.

    No cookies, no redirects of its own making, and nothing from the environment but what `route` takes: a `.netrc`
    entry would take the place of the client's token.
    """
    # Queries name the patient, and urllib3 logs them, at DEBUG and where headers are odd at WARNING.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_maxsize=connections)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def route(address: str, host: str) -> Mapping[str, Any]:
    """Return what the site's environment says of the way to a server, as arguments of a request.

    As requests does: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY; REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE. Never a proxy
    to loopback: the token would leave the machine.
    """
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    return {"proxies": {} if is_loopback(host) else get_environ_proxies(address), "verify": bundle or True}


def _connect(host: str, port: int, timeout: float | None) -> socket.socket:
    """Return a socket to the first address of a host that can be connected to, after all of them were checked."""
    # A scope id or brackets are no part of a name.
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    networks = _current.call.networks
    if not all(may_connect(str(address[0]), host, networks) for *_, address in found):
        raise AddressRefusedError
    end = None if timeout is None else time.monotonic() + timeout
    failure: OSError | None = None
    for family, kind, protocol, _, address in found:
        connected = socket.socket(family, kind, protocol)
        try:
            connected.settimeout(None if end is None else max(end - time.monotonic(), 0.001))
            connected.connect(address)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connected.close()
            failure = error
        else:
            connected.settimeout(timeout)
            return connected
    raise failure or OSError("the name has no address")
