"""`cds-service keys`: what it prints works with the real server, and it never overwrites anything."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import shlex
import socket
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import jwt
import pytest
from click.testing import CliRunner

from cds_service import cli
from cds_service.hooks.clients import read_clients

FILES = ("private-key.pem", "jwks.json", "trusted-clients.toml")


@pytest.fixture(autouse=True)
def _environment(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("CDS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def keys():
    return lambda *arguments: CliRunner().invoke(cli.main, ["keys", *map(str, arguments)])


@dataclass(frozen=True)
class Call:
    """The call that is printed."""

    url: str
    headers: list[tuple[str, str]]
    body: bytes

    def send(self, *more: tuple[str, str]) -> int:
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
        connection.putrequest("POST", address.path)
        for name, value in [*self.headers, ("Content-Length", str(len(self.body))), *more]:
            connection.putheader(name, value)
        connection.endheaders(self.body)
        status = connection.getresponse().status
        connection.close()
        return status


def printed_call(output: str) -> Call:
    curl, url, *options = shlex.split(output[output.index("\ncurl ") :].replace("\\\n", ""))
    pairs = list(zip(options[::2], options[1::2], strict=True))
    headers = [value.partition(": ") for name, value in pairs if name == "--header"]
    (data,) = (value for name, value in pairs if name == "--data")
    assert (curl, len(pairs)) == ("curl", len(headers) + 1)
    return Call(url, [(name, value) for name, _, value in headers], data.encode())


def printed_token(output: str) -> str:
    (found,) = re.findall(r"^eyJ\S+$", output, re.MULTILINE)
    return found


def test_it_makes_a_key_pair_its_registration_and_a_token(keys, tmp_path):
    result = keys("--out", tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    assert result.exit_code == 0, result.output
    assert {path.name for path in folder.iterdir()} == set(FILES)
    assert stat.S_IMODE((folder / "private-key.pem").stat().st_mode) == 0o600
    (client,) = read_clients(str(folder / "trusted-clients.toml"))
    assert client.algorithms == ("ES384",)
    (key,) = json.loads((folder / "jwks.json").read_text())["keys"]
    assert "d" not in key
    made = printed_token(result.stdout)
    assert jwt.get_unverified_header(made) == {"alg": "ES384", "kid": key["kid"], "typ": "JWT"}
    claims = jwt.decode(made, jwt.PyJWK(key), audience=printed_call(result.stdout).url)
    assert (claims["iss"], claims["exp"] - claims["iat"]) == (client.issuer, 300)


def test_the_key_is_not_shown(keys, tmp_path):
    output = keys("--out", tmp_path / "k").output
    pem = (tmp_path / "k" / "private-key.pem").read_text()
    assert "PRIVATE" not in output
    assert not any(line in output for line in pem.splitlines()[1:-1])


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_can_read_the_key_whatever_the_umask(keys, tmp_path, umask):
    before = os.umask(umask)
    try:
        keys("--out", tmp_path / "k")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "k" / "private-key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) & 0o077 == 0


def test_a_second_time_the_same_key_signs_another_token(keys, tmp_path):
    first = keys("--out", tmp_path / "k")
    before = {name: (tmp_path / "k" / name).read_bytes() for name in FILES}
    second = keys("--out", tmp_path / "k")
    assert second.exit_code == 0
    assert {name: (tmp_path / "k" / name).read_bytes() for name in FILES} == before
    assert printed_token(first.stdout) != printed_token(second.stdout)


@pytest.mark.parametrize("name", FILES)
def test_what_is_there_is_never_overwritten(keys, tmp_path, name):
    (tmp_path / name).write_text("mine")
    result = keys("--out", tmp_path)
    assert result.exit_code == 2
    assert re.fullmatch(rf"Error: \S+ has {name} already; nothing was written: .*\n", result.stderr)
    assert (tmp_path / name).read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} & set(FILES) == {name}


def test_a_link_that_leads_nowhere_is_there_too(keys, tmp_path):
    (tmp_path / "private-key.pem").symlink_to(tmp_path / "elsewhere")
    assert keys("--out", tmp_path).exit_code == 2
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("content", ["", "no key", "{}"])
def test_files_of_somebody_else_are_said(keys, tmp_path, content):
    for name in FILES:
        (tmp_path / name).write_text(content)
    result = keys("--out", tmp_path)
    assert result.exit_code == 2
    assert "has no key of this command" in result.stderr


def test_a_folder_that_cannot_be_written_is_one_line(keys):
    result = keys("--out", "/proc/nowhere")
    assert result.exit_code == 2
    assert re.fullmatch(r"Error: /proc/nowhere\S* cannot be written \(.+\)\n", result.stderr)


def test_a_registration_that_is_broken_does_not_keep_it_from_making_another(keys, tmp_path, monkeypatch):
    monkeypatch.setenv("CDS_TRUSTED_CLIENTS", "/nowhere")
    monkeypatch.setenv("CDS_BASE_URL", "https://cds.example.org")
    result = keys("--out", tmp_path / "k")
    assert result.exit_code == 0, result.output
    assert printed_call(result.stdout).url.startswith("https://cds.example.org/cds-services/")


@pytest.fixture
def served(keys, tmp_path, monkeypatch):
    """The real server with two workers, as the printed line starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("CDS_PORT", str(port))
    output = keys().stdout
    (variable,) = re.findall(r"^CDS_TRUSTED_CLIENTS=(\S+) cds-service serve$", output, re.MULTILINE)
    package = str(Path(cli.__file__).parents[1])
    environment = os.environ | {"CDS_TRUSTED_CLIENTS": variable, "CDS_WORKERS": "2", "PYTHONPATH": package}
    log = tmp_path / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "cds_service", "serve"], env=environment, stdout=file, stderr=file
        )
        try:
            for _ in range(300):
                assert process.poll() is None, log.read_text()
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield log
        finally:
            process.terminate()
            process.wait(30)


def test_what_is_printed_works_once_and_leaves_no_trace_of_the_token(served, keys):
    made = [keys().stdout for _ in range(4)]
    first, second, third, fourth = (printed_call(output) for output in made)
    assert [first.send() for _ in range(4)] == [200, 401, 401, 401]
    assert second.send(("Authorization", "Basic dTpw")) == 401
    assert second.send(*[header for header in second.headers if header[0] == "Authorization"]) == 401
    assert second.send() == 200
    assert Call(third.url + "/feedback", third.headers, b"{}").send() == 400
    huge = [(name, value + "A" * 20_000 if name == "Authorization" else value) for name, value in fourth.headers]
    assert Call(fourth.url, huge, fourth.body).send() in {400, 401, 431}
    log = served.read_text()
    assert "jti was used before" in log
    for output in made:
        for part in printed_token(output).split("."):
            assert part not in log
            assert base64.urlsafe_b64decode(part + "==").decode(errors="replace") not in log
