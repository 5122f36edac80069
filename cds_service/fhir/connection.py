"""Connections to FHIR servers, which go where they were checked to go and end when they are told to.

The host is resolved once, every address is checked, and the checked address is what is connected to, so that no second
resolution can lead elsewhere. Certificates are still checked against the name.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Collection, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.utils import get_environ_proxies
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from cds_service import connections
from cds_service.connections import Adapter, Ending, EndingTls
from cds_service.fhir.servers import Network, is_loopback, may_connect


class AddressRefusedError(Exception):
    """The host resolves to an address that may not be connected to."""


class Call(connections.Call):
    """One read of a FHIR server: what it may connect to, besides the public network."""

    def __init__(self, networks: Collection[Network] = ()) -> None:
        super().__init__()
        self.networks = networks


class _Checked(Ending):
    """A connection to checked addresses only. Through a proxy the proxy resolves, and only the list protects."""

    def opened(self) -> socket.socket:
        if self.proxy is not None:
            return super().opened()
        timeout = self.timeout if isinstance(self.timeout, int | float) else None
        try:
            return _connect(self.host, self.port, timeout)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "connecting timed out") from error
        except OSError as error:
            raise NewConnectionError(self, "connecting failed") from error


class _CheckedTls(_Checked, EndingTls):
    pass


def new_session(kept: int) -> requests.Session:
    """Return a session that sends what it is told and nothing of its own, with `kept` connections kept open per server.

    No cookies, no redirects of its own making, and nothing from the environment but what `route` takes: a `.netrc`
    entry would take the place of the client's token.
    """
    # Queries name the patient, and urllib3 logs them, at DEBUG and where headers are odd at WARNING.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = Adapter(_Checked, _CheckedTls, pool_maxsize=kept)
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
    call = connections.current()
    networks = call.networks if isinstance(call, Call) else ()
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
