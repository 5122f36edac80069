"""Key servers that keep callers waiting: nothing of theirs lasts longer than its deadline."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from cds_service.hooks import jwks
from cds_service.hooks.jwks import KeysError, KeySource, from_web

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture
def dripping(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the address of a server that sends `request.param` at once and then a byte ten times a second."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)

        def drip(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                connection.recv(4096)
                connection.sendall(request.param)
                while not stop.wait(0.1):
                    connection.sendall(b"x")

        def serve() -> None:
            while not stop.is_set():
                with contextlib.suppress(OSError):
                    threading.Thread(target=drip, args=[listener.accept()[0]], daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/jwks"
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    "dripping",
    [
        pytest.param(b"", id="the-status-line"),
        pytest.param(HEAD + b"X-Long: ", id="a-header"),
        pytest.param(HEAD + b"Content-Length: 9999\r\n\r\n{", id="the-body"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;x=", id="a-chunk"),
    ],
    indirect=True,
)
def test_a_read_ends_at_its_deadline(dripping: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "_DEADLINE_S", 0.6)
    start = time.monotonic()
    with pytest.raises(KeysError):
        from_web(dripping)()
    assert time.monotonic() - start < 2
    assert KeySource("drip", from_web(dripping)).find("kid", "EC") is None


def test_no_password_of_a_netrc_file_is_sent(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login us password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                heard.append(connection.recv(4096))
                connection.sendall(HEAD + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert from_web(f"http://127.0.0.1:{listener.getsockname()[1]}/jwks")() == b"{}"
        thread.join(5)
    assert b"uthorization" not in heard[0]
