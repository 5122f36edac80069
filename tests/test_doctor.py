"""`cds-service doctor`: each kind of thing it looks at, working and broken, and what it never shows."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bench.postgresql import MISSING, LocalPostgresql, programs
from cds_service.checkup import run as checkup_run
from cds_service.checkup import servers
from cds_service.cli import main
from tests.fhir.test_tls import certificate
from tests.hooks.signing import jwk, jwks, private_jwk

CAPABILITIES = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}
STATES = {"works", "does not work", "not configured"}
ANYWHERE = "0.0.0.0"  # noqa: S104 - nothing listens
SECRET = "hush-hush"

Answer = tuple[int, Any, dict[str, str]]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.upper().startswith("CDS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("CDS_PORT", str(free_port()))


@pytest.fixture(autouse=True)
def _knowledge_only_where_it_is_meant(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out, for tests of something else, what takes longest."""
    if request.cls not in {TestAsAWhole, TestKnowledge}:
        monkeypatch.setattr(checkup_run, "check_knowledge", lambda *_: ())


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Found]:
    """Run the command with settings, and return what it found."""

    def run(**settings: object) -> Found:
        for name, value in settings.items():
            monkeypatch.setenv(f"CDS_{name.upper()}", value if isinstance(value, str) else json.dumps(value))
        return Found(CliRunner().invoke(main, ["doctor", "--format", "json"]))

    return run


class Found:
    """The checks of a run. Every one of them is whole, and the exit code is that of the worst."""

    def __init__(self, result: Result) -> None:
        self.output = result.output
        document = json.loads(result.stdout)
        self.checks = document["checks"]
        failing = any(check["state"] == "does not work" for check in self.checks)
        assert result.exit_code == (1 if failing else 0)
        assert document["works"] is not failing
        for check in self.checks:
            assert check["state"] in STATES
            assert check["found"]
            assert "\n" not in check["found"]
            assert check["toDo"] or check["state"] != "does not work"

    def one(self, kind: str, subject: str = "") -> dict[str, str]:
        (check,) = [each for each in self.checks if each["kind"] == kind and subject in each["subject"]]
        return check

    def states(self, kind: str) -> list[str]:
        return [check["state"] for check in self.checks if check["kind"] == kind]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def web_server(answer: Callable[[str], Answer], pem: Path | None = None, date: float | None = 0) -> Iterator[str]:
    """Serve what `answer` gives for a path; `date` is how many seconds its clock is ahead, None for no clock."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body, headers = answer(self.path)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response_only(status)
            if date is not None:
                self.send_header("Date", formatdate(time.time() + date, usegmt=True))
            for name, value in {"Content-Type": "application/fhir+json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", headers.get("Content-Length", str(len(content))))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # clients that hang up are wanted here
    scheme = "http"
    if pem is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"{scheme}://{'localhost' if pem else '127.0.0.1'}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def always(status: int, body: Any, **headers: str) -> Callable[[str], Answer]:
    return lambda _: (status, body, headers)


class TestAsAWhole:
    def test_nothing_set_is_nothing_wrong(self, doctor: Callable[..., Found], tmp_path: Path) -> None:
        found = doctor()
        assert {check["kind"] for check in found.checks} == {
            "settings", "knowledge", "note formats", "database", "clients", "FHIR server", "clock", "port",
        }  # fmt: skip
        assert found.states("note formats") == ["works"] * 4
        assert found.one("knowledge", "ICD-10-CM")["state"] == "works"
        assert found.one("knowledge", "site's folder")["state"] == "not configured"
        assert found.one("clients")["state"] == "not configured"
        assert found.one("FHIR server")["state"] == "not configured"
        assert found.one("clock")["state"] == "not configured"
        assert not (tmp_path / "state").exists()

    def test_people_get_a_line_for_each_and_a_sum(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "40")
        monkeypatch.setenv("CDS_PROT", "9")
        result = CliRunner().invoke(main, ["doctor"])
        lines = result.stdout.splitlines()
        assert result.exit_code == 1
        place = lines.index("does not work   settings  CDS_PROT: is no setting, so it has no effect")
        assert lines[place + 1] == "                to do: perhaps CDS_PORT is meant; correct its name, or remove it"
        assert lines[-1].startswith("works: ")
        assert "does not work: 1, not configured: 5" in lines[-1]

    @pytest.mark.parametrize("form", ["text", "json"])
    def test_unusable_settings_are_one_line_and_code_3(self, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
        monkeypatch.setenv("CDS_DATABASE_URL", f"mysql://cds:{SECRET}@db/cds")
        result = CliRunner().invoke(main, ["doctor", "--format", form])
        assert result.exit_code == 3
        assert result.stdout == ""
        assert result.stderr == "Error: CDS_DATABASE_URL: must start with sqlite:/// or postgresql+psycopg://\n"

    def test_a_check_that_breaks_keeps_no_other_from_being_made(
        self, doctor: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken() -> list[Any]:
            raise RuntimeError(SECRET)

        monkeypatch.setattr(checkup_run, "check_formats", broken)
        found = doctor()
        assert found.one("note formats")["found"] == "could not be made: internal error (RuntimeError)"
        assert found.one("port")["state"] == "works"
        assert SECRET not in found.output

    def test_no_secret_is_shown(self, doctor: Callable[..., Found]) -> None:
        server = f"https://127.0.0.1:{free_port()}/r4?token={SECRET}"
        client = {"issuer": "https://ehr.example.org", "jwks_url": f"https://127.0.0.1:{free_port()}/?key={SECRET}"}
        found = doctor(
            prot=SECRET,
            host=ANYWHERE,
            fhir_servers=server,
            trusted_clients=[client],
            database_url=f"postgresql+psycopg://cds:{SECRET}@127.0.0.1:{free_port()}/cds?password={SECRET}",
        )
        assert SECRET not in found.output
        assert "cds:***@127.0.0.1" in found.one("database")["subject"]

    @pytest.mark.parametrize(
        "url",
        [f"postgresql+psycopg://cds:a@{SECRET}@127.0.0.1:1/cds", f"postgresql+psycopg://cds:{SECRET}@h:port/cds"],
        ids=["at sign in the password", "port is no number"],
    )
    def test_no_password_is_shown_of_a_wrong_address(self, doctor: Callable[..., Found], url: str) -> None:
        found = doctor(database_url=url)
        assert found.one("database")["state"] == "does not work"
        assert SECRET not in found.output


class TestSettings:
    def test_what_is_set_is_named_without_its_value(self, doctor: Callable[..., Found]) -> None:
        found = doctor(threads="7")
        assert found.one("settings", "read")["found"] == "2 set: CDS_PORT, CDS_THREADS"

    @pytest.mark.parametrize(
        ("settings", "states", "words"),
        [
            pytest.param({}, ["works"], "loopback only", id="loopback"),
            pytest.param({"host": ANYWHERE}, ["does not work"] * 2, "not authenticated", id="open"),
            pytest.param({"host": ANYWHERE, "allow_unsafe": "true"}, ["works"] * 2, "CDS_ALLOW_UNSAFE", id="allowed"),
            pytest.param(
                {
                    "host": ANYWHERE,
                    "base_url": "https://cds.example.org",
                    "trusted_clients": [{"issuer": "i", "jwks": jwks("P-384")}],
                },
                ["works"],
                "nothing unsafe",
                id="safe beyond loopback",
            ),
        ],
    )
    def test_what_is_unsafe_is_said(
        self, doctor: Callable[..., Found], settings: dict[str, Any], states: list[str], words: str
    ) -> None:
        found = [check for check in doctor(**settings).checks if check["subject"] == "safety"]
        assert [check["state"] for check in found] == states
        assert words in found[0]["found"]


class TestKnowledge:
    def test_a_table_that_is_not_of_today_says_what_to_import(self, doctor: Callable[..., Found]) -> None:
        check = doctor().one("knowledge", "ptp")
        assert check["state"] == "works"
        assert "2024-07-01 to 2024-09-30" in check["found"]
        assert check["toDo"].startswith("cds-service knowledge import FILE --kind ptp --quarter 20")

    @pytest.mark.parametrize(
        ("file", "content", "state", "words"),
        [
            pytest.param("profiles/ours.toml", "this is not TOML", "does not work", "ours.toml", id="broken"),
            pytest.param("README.txt", "nothing of ours", "works", "loads", id="no knowledge in it"),
        ],
    )
    def test_the_folder_of_the_site(
        self, doctor: Callable[..., Found], tmp_path: Path, file: str, content: str, state: str, words: str
    ) -> None:
        path = tmp_path / "site" / file
        path.parent.mkdir(parents=True)
        path.write_text(content)
        found = doctor(knowledge_dir=str(tmp_path / "site"))
        check = found.one("knowledge", "loading")
        assert check["state"] == state
        assert words in check["found"]

    def test_a_folder_of_which_nothing_is_used_is_said(self, doctor: Callable[..., Found], tmp_path: Path) -> None:
        check = doctor(knowledge_dir=str(tmp_path)).one("knowledge", "site's folder")
        assert check["found"].endswith("entries 0, tables 0")
        assert check["toDo"]

    @pytest.mark.parametrize(
        ("content", "state"), [("64461,Our words\n", "works"), ("64461\n", "does not work")], ids=["usable", "broken"]
    )
    def test_licensed_descriptors(self, doctor: Callable[..., Found], tmp_path: Path, content: str, state: str) -> None:
        (tmp_path / "cpt.csv").write_text(content)
        assert doctor(cpt_descriptors=str(tmp_path / "cpt.csv")).one("knowledge", "descriptors")["state"] == state


class TestNoteFormats:
    @pytest.mark.parametrize(("library", "name"), [("pypdf", "pdf"), ("lxml", "html"), ("lxml", "cda")])
    def test_a_library_that_is_missing_is_named(
        self, doctor: Callable[..., Found], monkeypatch: pytest.MonkeyPatch, library: str, name: str
    ) -> None:
        for module in [each for each in sys.modules if each == library or each.startswith(f"{library}.")]:
            monkeypatch.setitem(sys.modules, module, None)
        monkeypatch.setitem(sys.modules, library, None)
        check = doctor().one("note formats", name)
        assert check["state"] == "does not work"
        assert library in check["found"]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[LocalPostgresql]:
    if programs() is None:
        pytest.skip(MISSING)
    server = LocalPostgresql()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql").new_database())
    path = tmp_path / "there.db"
    path.touch()
    return f"sqlite:///{path}"


class TestDatabase:
    def test_an_empty_one_is_not_filled_and_one_up_to_date_stays_so(
        self, doctor: Callable[..., Found], url: str
    ) -> None:
        for _ in range(2):
            state, writing = (check for check in doctor(database_url=url).checks if check["kind"] == "database")
            assert state["state"] == writing["state"] == "works"
            assert "empty" in state["found"]
            assert "cds-service db upgrade" in state["toDo"]
        assert CliRunner().invoke(main, ["db", "upgrade"]).exit_code == 0
        for _ in range(2):
            state, writing = (check for check in doctor().checks if check["kind"] == "database")
            assert "up to date" in state["found"]
            assert state["toDo"] is None
            assert writing["found"] == "takes a write, which was undone"

    def test_one_of_a_newer_version(self, doctor: Callable[..., Found], tmp_path: Path) -> None:
        doctor(database_url=f"sqlite:///{tmp_path / 'x.db'}")
        CliRunner().invoke(main, ["db", "upgrade"])
        with sqlite3.connect(tmp_path / "x.db") as connection:
            connection.execute("update cds_schema_version set version_num = '0999'")
        connection.close()
        check = doctor().one("database")
        assert check["state"] == "does not work"
        assert "0999" in check["found"]

    @pytest.mark.parametrize(
        ("name", "found"),
        [
            pytest.param("text.db", "is not an SQLite database", id="another file"),
            pytest.param("file:{}/empty.db?mode=ro&uri=true", "may not be written", id="read-only"),
            pytest.param("text.db/below/x.db", "cannot be made", id="a file where a folder must be"),
            pytest.param("", "cannot be opened", id="a folder"),
        ],
    )
    def test_a_file_that_cannot_be_used(
        self, doctor: Callable[..., Found], tmp_path: Path, name: str, found: str
    ) -> None:
        (tmp_path / "text.db").write_text("no database at all, but a text of some length " * 9)
        (tmp_path / "empty.db").touch()
        name = name.format(tmp_path) if ":" in name else str(tmp_path / name)
        checks = [check for check in doctor(database_url=f"sqlite:///{name}").checks if check["kind"] == "database"]
        assert [check["state"] for check in checks][-1] == "does not work"
        assert found in checks[-1]["found"]

    def test_a_file_that_is_to_come_is_not_made(self, doctor: Callable[..., Found], tmp_path: Path) -> None:
        check = doctor(database_url=f"sqlite:///{tmp_path / 'new' / 'x.db'}").one("database")
        assert (check["state"], "can be made" in check["found"]) == ("works", True)
        assert not (tmp_path / "new").exists()

    def test_a_postgresql_where_nothing_listens(self, doctor: Callable[..., Found]) -> None:
        check = doctor(database_url=f"postgresql+psycopg://cds:x@127.0.0.1:{free_port()}/cds").one("database")
        assert (check["state"], check["found"]) == ("does not work", "nothing listens there")

    def test_a_postgresql_without_the_database(self, doctor: Callable[..., Found], postgresql: LocalPostgresql) -> None:
        url = postgresql.new_database()
        check = doctor(database_url=f"{url}_not").one("database")
        assert check["found"] == "it has no such database or user"

    def test_a_postgresql_that_takes_no_writes(self, doctor: Callable[..., Found], postgresql: LocalPostgresql) -> None:
        url = f"{postgresql.new_database()}?options=-c%20default_transaction_read_only%3Don"
        check = doctor(database_url=url).one("database", "writing")
        assert check["found"] == "it takes no writes"


KEY_SETS = [
    pytest.param(200, jwks("P-384"), {}, "works", "1 of 1 keys can be used; kid: P-384 (ES384)", id="good"),
    pytest.param(200, jwks("P-384", "P-256"), {}, "works", "1 of 2 keys", id="one of another curve"),
    pytest.param(200, jwks("P-256"), {}, "does not work", "no key is for ES384, RS384; kid: P-256", id="other curve"),
    pytest.param(
        200, jwks("P-256"), {"algorithms": ["ES256"]}, "works", "kid: P-256 (ES256)", id="the curve registered"
    ),
    pytest.param(
        200, {"keys": [jwk("RSA-2048", alg="RS256")]}, {}, "does not work", "no key is for", id="for another algorithm"
    ),
    pytest.param(200, {"keys": []}, {}, "does not work", "has no public", id="empty"),
    pytest.param(
        200,
        {"keys": [jwk("P-384"), private_jwk("P-384 b")]},
        {},
        "does not work",
        "publishes a private key",
        id="private key",
    ),
    pytest.param(200, b"<html>", {}, "does not work", "is not JSON", id="a page"),
    pytest.param(200, [], {}, "does not work", "is not a JWKS", id="a list"),
    pytest.param(404, {}, {}, "does not work", "answers with status 404", id="not found"),
    pytest.param(500, jwks("P-384"), {}, "does not work", "answers with status 500", id="error"),
    pytest.param(302, {}, {}, "does not work", "answers with status 302", id="redirect"),
]


class TestClients:
    @pytest.mark.parametrize("source", ["jwks_url", "jku"])
    @pytest.mark.parametrize(("status", "body", "members", "state", "words"), KEY_SETS)
    def test_a_key_set_on_the_web(
        self,
        doctor: Callable[..., Found],
        source: str,
        status: int,
        body: Any,
        members: dict[str, Any],
        state: str,
        words: str,
    ) -> None:
        with web_server(always(status, body, Location="/elsewhere")) as address:
            where = [address] if source == "jku" else address
            found = doctor(trusted_clients=[{"issuer": "https://ehr.example.org", source: where, **members}])
        check = found.one("clients", source)
        assert check["subject"].startswith("https://ehr.example.org, ")
        assert check["state"] == state
        assert words in check["found"]

    def test_every_key_set_of_every_client_is_looked_at(self, doctor: Callable[..., Found], tmp_path: Path) -> None:
        (tmp_path / "keys.json").write_text(json.dumps(jwks("P-384 file")))
        down = f"http://127.0.0.1:{free_port()}/jwks"
        with web_server(always(200, jwks("P-384 web"))) as address:
            found = doctor(
                trusted_clients=[
                    {"issuer": "a", "jwks_file": str(tmp_path / "keys.json"), "jku": [f"{address}/1", down]},
                    {"issuer": "b", "jwks": jwks("P-384 inside")},
                ]
            )
        assert "P-384 file" in found.one("clients", "a, jwks_file")["found"]
        assert "P-384 web" in found.one("clients", f"a, jku {address}/1")["found"]
        assert found.one("clients", f"a, jku {down}")["found"].startswith("the key set does not answer")
        assert "P-384 inside" in found.one("clients", "b, jwks")["found"]


SERVERS = [
    pytest.param(always(200, CAPABILITIES), "works", "FHIR R4 (4.0.1)", id="R4"),
    pytest.param(always(401, {}), "works", "asks for a token (401)", id="token needed"),
    pytest.param(always(403, b""), "works", "asks for a token (403)", id="token of another scope needed"),
    pytest.param(always(200, {**CAPABILITIES, "fhirVersion": "5.0.0"}), "does not work", "FHIR 5.0.0", id="R5"),
    pytest.param(always(200, {**CAPABILITIES, "fhirVersion": "4.3.0"}), "does not work", "FHIR 4.3.0", id="R4B"),
    pytest.param(always(200, {"resourceType": "CapabilityStatement"}), "does not work", "FHIR None", id="no version"),
    pytest.param(always(200, {"resourceType": "Bundle"}), "does not work", "no CapabilityStatement", id="a Bundle"),
    pytest.param(always(200, b"<html>"), "does not work", "no CapabilityStatement", id="a page"),
    pytest.param(always(200, b"[" * 9_000), "does not work", "no CapabilityStatement", id="nested too deep"),
    pytest.param(always(302, {}, Location="https://x.example"), "does not work", "status 302", id="redirect"),
    pytest.param(always(404, {}), "does not work", "status 404", id="not found"),
    pytest.param(always(500, {}), "does not work", "status 500", id="error"),
    pytest.param(always(503, {}), "does not work", "status 503", id="busy"),
    pytest.param(always(200, b"x" * 20_000), "does not work", "larger than 10000 bytes", id="too large"),
    pytest.param(
        always(200, b"\0\1", **{"Content-Encoding": "gzip"}), "does not work", "breaks off", id="not what it says"
    ),
]


class TestFhirServers:
    @pytest.mark.parametrize(("answer", "state", "words"), SERVERS)
    def test_what_a_server_answers(
        self, doctor: Callable[..., Found], answer: Callable[[str], Answer], state: str, words: str
    ) -> None:
        asked: list[str] = []

        def noted(path: str) -> Answer:
            asked.append(path)
            return answer(path)

        with web_server(noted) as address:
            check = doctor(fhir_servers=f"{address}/r4/", fhir_max_answer_bytes="10000").one("FHIR server", address)
        assert check["state"] == state
        assert words in check["found"]
        assert asked == ["/r4/metadata"]

    def test_one_where_nothing_listens(self, doctor: Callable[..., Found]) -> None:
        check = doctor(fhir_servers=f"http://127.0.0.1:{free_port()}").one("FHIR server")
        assert (check["state"], check["found"]) == ("does not work", "cannot be reached, or breaks off")

    @pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
    def test_one_that_hangs_is_given_up(
        self, doctor: Callable[..., Found], monkeypatch: pytest.MonkeyPatch, before: bytes
    ) -> None:
        monkeypatch.setattr(servers, "DEADLINE_S", 0.4)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            held: list[socket.socket] = []

            def accept() -> None:
                connection, _ = listener.accept()
                held.append(connection)
                connection.sendall(before)

            threading.Thread(target=accept, daemon=True).start()
            began = time.monotonic()
            check = doctor(fhir_servers=f"http://127.0.0.1:{listener.getsockname()[1]}").one("FHIR server")
            assert time.monotonic() - began < 5
            assert (check["state"], check["found"]) == ("does not work", "does not answer in time")
            for connection in held:
                connection.close()

    @pytest.mark.parametrize(
        "address",
        ["http://fhir.example.org/r4", "https://fhir.example.org/r4/../x", "https://fhir.example.org/r4?x=1"],
        ids=["http beyond loopback", "climbs", "has a query"],
    )
    def test_one_that_is_never_asked(self, doctor: Callable[..., Found], address: str) -> None:
        check = doctor(fhir_servers=address).one("FHIR server")
        assert (check["state"], check["found"]) == ("does not work", "is not an address that is asked")

    def test_a_name_that_leads_inside_is_said(
        self, doctor: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        genuine = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", lambda _, port, **named: genuine("127.0.0.1", port, **named))
        check = doctor(fhir_servers="https://fhir.example.org/r4").one("FHIR server")
        assert check["state"] == "does not work"
        assert "CDS_FHIR_NETWORKS" in check["toDo"]

    @pytest.mark.parametrize(
        ("name", "trusted", "state"),
        [("localhost", True, "works"), ("localhost", False, "does not work"), ("other.example", True, "does not work")],
        ids=["good certificate", "unknown issuer", "another name"],
    )
    def test_its_certificate(
        self,
        doctor: Callable[..., Found],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        name: str,
        trusted: bool,
        state: str,
    ) -> None:
        pem = certificate(tmp_path, name)
        if trusted:
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
        with web_server(always(200, CAPABILITIES), pem) as address:
            check = doctor(fhir_servers=f"{address}/r4").one("FHIR server")
        assert check["state"] == state
        assert ("https" if state == "works" else "certificate") in check["found"]

    def test_plain_http_behind_an_https_address(self, doctor: Callable[..., Found]) -> None:
        with web_server(always(200, CAPABILITIES)) as address:
            check = doctor(fhir_servers=address.replace("http:", "https:")).one("FHIR server")
        assert "TLS" in check["found"]

    def test_those_of_single_clients_are_asked_too_and_each_once(self, doctor: Callable[..., Found]) -> None:
        with web_server(always(200, CAPABILITIES)) as one, web_server(always(401, {})) as other:
            client = {"issuer": "a", "jwks": jwks("P-384"), "fhir_servers": [one, other]}
            found = doctor(fhir_servers=f"{one}/", trusted_clients=[client])
        assert found.states("FHIR server") == ["works", "works"]


class TestClock:
    @pytest.mark.parametrize(
        ("ahead", "leeway", "state", "words"),
        [
            (0, 30, "works", "0 s"),
            (0, 0, "works", "0 s"),
            (20, 30, "works", "20 s behind"),
            (20, 5, "does not work", "20 s behind"),
            (3600, 300, "does not work", "3600 s behind"),
            (-3600, 300, "does not work", "3600 s ahead of"),
            (None, 30, "not configured", "no server"),
        ],
    )
    @pytest.mark.parametrize("of", ["FHIR server", "key set"])
    def test_how_far_it_is_from_that_of_a_server(
        self, doctor: Callable[..., Found], ahead: float | None, leeway: int, state: str, words: str, of: str
    ) -> None:
        client = {"issuer": "i", "leeway_seconds": leeway}
        with web_server(
            lambda path: (200, CAPABILITIES if "metadata" in path else jwks("P-384"), {}), date=ahead
        ) as at:
            if of == "key set":
                check = doctor(trusted_clients=[{**client, "jwks_url": at}]).one("clock")
            else:
                check = doctor(fhir_servers=at, trusted_clients=[{**client, "jwks": jwks("P-384")}]).one("clock")
        assert check["state"] == state
        # A second may begin between the two clocks' readings.
        near = [words, *(words.replace(str(abs(ahead or 0)), str(abs(ahead or 0) + by), 1) for by in (-1, 1))]
        assert any(each in check["found"] for each in near), check["found"]

    def test_the_nearest_clock_counts(self, doctor: Callable[..., Found]) -> None:
        good, wrong = web_server(always(200, CAPABILITIES)), web_server(always(200, CAPABILITIES), date=-7200)
        with good as one, wrong as other:
            found = doctor(fhir_servers=f"{other} {one}")
        assert found.one("clock")["state"] == "works"
        assert one in found.one("clock")["found"]


class TestPort:
    def test_one_that_something_else_has(self, doctor: Callable[..., Found]) -> None:
        with web_server(always(404, {})) as address:
            check = doctor(port=address.rpartition(":")[2]).one("port")
        assert check["state"] == "does not work"
        assert "cannot listen" in check["found"]

    def test_one_where_the_service_runs(self, doctor: Callable[..., Found]) -> None:
        with web_server(always(200, b'{"status":"ok"}')) as address:
            check = doctor(port=address.rpartition(":")[2]).one("port")
        assert check["state"] == "works"
        assert "already" in check["found"]

    @pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"], ids=["not of this machine", "no address"])
    def test_a_host_that_cannot_be_listened_on(self, doctor: Callable[..., Found], host: str) -> None:
        assert doctor(host=host).one("port")["state"] == "does not work"
