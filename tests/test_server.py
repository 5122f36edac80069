"""The production server, really started: a free port, two workers, real HTTP."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from cds_service import server
from cds_service.settings import SettingsError, load_settings

APP = """
import pathlib
import time

from flask import Flask

from cds_service.server import run
from cds_service.settings import load_settings


def slow():
    pathlib.Path("started").touch()
    time.sleep(0.5)
    return "done"


def create_app(settings):
    app = Flask("app")
    app.add_url_rule("/port", view_func=lambda: str(settings.port), endpoint="port")
    app.add_url_rule("/slow", view_func=slow)
    return app


if __name__ == "__main__":
    run(load_settings(), create_app)
"""


@pytest.fixture
def running(tmp_path):
    script = tmp_path / "app.py"
    script.write_text(APP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "CDS_HOST": "localhost",
        "CDS_PORT": str(port),
        "CDS_WORKERS": "2",
        "PYTHONPATH": str(Path(server.__file__).parents[1]),
    }
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, str(script)],
            cwd=tmp_path,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/port", process)
            yield process, f"http://127.0.0.1:{port}", tmp_path / "log"
        finally:
            with contextlib.suppress(ProcessLookupError):  # its workers too
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(url, process):
    def answers():
        assert process.poll() is None, "the server stopped by itself"
        try:
            return _get(url)
        except OSError:
            return None

    _wait_until(answers)


def _wait_until(true):
    for _ in range(300):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("waited 30 s for nothing")


def _get(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read().decode()


def test_the_server_answers_with_its_settings_logs_no_query_and_finishes_what_is_under_way(running):
    process, url, log = running
    assert _get(f"{url}/port?patient=jane-doe") == url.rpartition(":")[2]

    client = subprocess.Popen(
        [sys.executable, "-c", f"import urllib.request as u; print(u.urlopen('{url}/slow').read().decode())"],
        stdout=subprocess.PIPE,
        text=True,
    )
    _wait_until((log.parent / "started").exists)
    process.send_signal(signal.SIGTERM)
    assert client.communicate(timeout=20)[0] == "done\n"
    assert process.wait(timeout=20) == 0
    assert '"GET /port" 200' in log.read_text()
    assert "jane-doe" not in log.read_text()


HEAD = b"GET /port HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param(b"GET /port HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", b"HTTP/1.1 200", id="long"),
        pytest.param(
            b"GET /port HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000 + b"\r\n", b"HTTP/1.1 431", id="too-long"
        ),
        pytest.param(HEAD + b"".join(b"X-%d: x\r\n" % n for n in range(300)) + b"\r\n", b"HTTP/1.1 431", id="too-many"),
        pytest.param(b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n", b"HTTP/1.1 4", id="long-address"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"", id="http-2"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01", b"HTTP/1.1 4", id="tls"),
    ],
)
def test_heads_have_a_limit_and_only_http_1_is_spoken(running, head, status):
    _, url, _ = running
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(head)
        answer = connection.recv(100)
        assert answer.startswith(status)
        assert bool(answer) is bool(status)


def test_unsafe_settings_are_refused_before_anything_is_opened():
    with pytest.raises(SettingsError, match="CDS_ALLOW_UNSAFE"):
        server.run(load_settings(host="10.0.0.1"), never)


def never(settings):
    raise AssertionError("no app should have been made")


def test_a_port_in_use_is_said_in_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"^CDS_PORT: cannot listen on 127.0.0.1 port {port} \("):
            server.run(load_settings(port=port), never)


def test_a_host_without_an_address_is_said_in_one_line():
    with pytest.raises(SettingsError, match=r"^CDS_HOST: 'no host' has no address \("):
        server.run(load_settings(host="no host", allow_unsafe=True), never)


def test_an_address_of_another_machine_is_said_in_one_line():
    with pytest.raises(SettingsError, match=r"^CDS_PORT: cannot listen on 192\.0\.2\.1 port"):
        server.run(load_settings(host="192.0.2.1", allow_unsafe=True), never)


def test_an_app_that_cannot_be_made_is_an_error_of_the_caller():
    def broken(settings):
        raise SettingsError("CDS_KNOWLEDGE_DIR: nothing in it")

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SettingsError, match="CDS_KNOWLEDGE_DIR"):
        server.run(load_settings(port=port), broken)
