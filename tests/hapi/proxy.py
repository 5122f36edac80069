"""A proxy before a FHIR server: it lets nobody pass without the token, notes who asks for what, and makes trouble."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

_COUNT: Final = re.compile(r"(?<=[?&]_count=)\d+")
_SLOW_S: Final = 12.0


class Trouble(Enum):
    """What the proxy does in place of an answer, or to it."""

    SLOW = "slow"
    UNAUTHORIZED = "401"
    BROKEN = "500"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Seen:
    """One read (anything else gets 501): of what, and whether it brought the token."""

    path: str
    authorized: bool


class CheckingProxy:
    """A base address of its own before that of `server`; `token` is what `Authorization: Bearer` must have, exactly.

    `seen` are the requests so far. `trouble` befalls those whose path has `where` in it. With `page_size`, searches
    get pages of that size, as at a server that allows no larger ones. Call `close` at the end.
    """

    def __init__(self, server: str, token: str) -> None:
        self.server = server
        self.token = token
        self.seen: list[Seen] = []
        self.trouble: Trouble | None = None
        self.where = ""
        self.page_size: int | None = None
        self._listener = _Listener(("127.0.0.1", 0), _Handler)
        self._listener.proxy = self
        self.base = f"http://127.0.0.1:{self._listener.server_port}{urlsplit(server).path}"
        self._thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def reset(self) -> None:
        """Forget the requests, the trouble and the size of pages."""
        self.seen.clear()
        self.trouble, self.where, self.page_size = None, "", None

    def asked(self) -> list[str]:
        """Return the types (or, for further pages, "") asked for, each as often as it was."""
        return [_below_base(seen.path).partition("?")[0].partition("/")[0] for seen in self.seen]

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


def _below_base(path: str) -> str:
    return path.removeprefix("/fhir").removeprefix("/")


class _Listener(ThreadingHTTPServer):
    proxy: CheckingProxy
    request_queue_size = 64  # of the usual 5, the reads of one hook lose some, which come again a second later
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up: some tests are about that."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_GET(self) -> None:
        proxy = self.server.proxy
        authorized = self.headers.get_all("Authorization") == [f"Bearer {proxy.token}"]
        proxy.seen.append(Seen(self.path, authorized))
        trouble = proxy.trouble if proxy.where in self.path else None
        if not authorized or trouble is Trouble.UNAUTHORIZED:
            self._refuse(401, "login")
        elif trouble is Trouble.BROKEN:
            self._refuse(500, "exception")
        else:
            if trouble is Trouble.SLOW:
                time.sleep(_SLOW_S)
            self._forward(cut=trouble is Trouble.CUT)

    def _refuse(self, status: int, code: str) -> None:
        issue = {"severity": "error", "code": code}
        self._answer(status, "application/fhir+json", _json({"resourceType": "OperationOutcome", "issue": [issue]}))

    def _forward(self, *, cut: bool) -> None:
        proxy = self.server.proxy
        path = self.path if proxy.page_size is None else _COUNT.sub(str(proxy.page_size), self.path)
        target = urlsplit(proxy.server)
        # The server writes its links, and so the next pages, with the address it was asked by.
        headers = {"Accept": self.headers.get("Accept", "*/*"), "X-Forwarded-Host": self.headers["Host"]}
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)
        try:
            connection.request("GET", path, headers=headers)
            reply = connection.getresponse()
            body = reply.read()
        except OSError:
            return self._refuse(502, "transient")
        finally:
            connection.close()
        return self._answer(reply.status, reply.headers["Content-Type"], body, cut=cut)

    def _answer(self, status: int, kind: str, body: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing: what was asked for is in `seen`."""


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
