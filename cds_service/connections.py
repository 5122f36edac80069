"""Connections to other servers that can be ended from another thread, whatever the server does.

Requests does the HTTP. Its timeouts hold for each wait, so that a server which sends a byte now and then would keep a
thread for as long as it likes. What is added sits at its one official seam, the transport adapter, and below it in the
connection classes of urllib3.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any, Final

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection


class Call:
    """One read in one thread, and the way to end it from another."""

    def __init__(self) -> None:
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


@contextlib.contextmanager
def running(call: Call) -> Iterator[None]:
    """Make `call` the one of this thread, for the connections it uses."""
    _current.call = call
    try:
        yield
    finally:
        _current.call = Call()


@contextlib.contextmanager
def ended_after(seconds: float) -> Iterator[None]:
    """End the connection this thread uses after so many seconds: what waits for it then fails."""
    call = Call()
    timer = threading.Timer(seconds, call.end)
    timer.daemon = True
    timer.start()
    try:
        with running(call):
            yield
    finally:
        timer.cancel()


def current() -> Call:
    """Return the call of this thread."""
    return _current.call


class Ending(HTTPConnection):
    """A connection that the call of its thread can end."""

    def opened(self) -> socket.socket:
        """Return a socket that is connected to the server."""
        return super()._new_conn()

    def _new_conn(self) -> socket.socket:
        # Held before there is TLS, whose handshake waits for the server as well.
        current().hold(self)
        return self.opened()

    def request(self, *args: Any, **named: Any) -> None:
        """Send a request as HTTPConnection does, perhaps over a connection that another call has opened."""
        current().hold(self)
        super().request(*args, **named)


class EndingTls(Ending, HTTPSConnection):
    """The same over TLS."""


class Adapter(HTTPAdapter):
    """The transport of a requests session whose connections are of two classes, without and with TLS.

    Args:
        plain: the class of connections without TLS.
        tls: that of connections with TLS.
        options: of `HTTPAdapter`.
    """

    def __init__(self, plain: type[Ending] = Ending, tls: type[EndingTls] = EndingTls, **options: Any) -> None:
        self._pools = {
            "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("TlsPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
        }
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        """Have pools of the two classes made, directly to servers."""
        super().init_poolmanager(*args, **named)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: Any, **named: Any) -> Any:
        """Return what leads through a proxy, with pools of the two classes as well."""
        manager = super().proxy_manager_for(proxy, **named)
        if type(manager) is ProxyManager:
            manager.pool_classes_by_scheme = self._pools
        return manager
