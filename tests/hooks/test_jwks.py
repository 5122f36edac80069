"""Key sets of clients: read from a real server that behaves, and from one that does not."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cds_service.hooks import jwks as module
from cds_service.hooks.clients import TrustedClient
from cds_service.hooks.jwks import FRESH_S, PAUSE_S, STALE_S, KeysError, KeySource, from_web, read_keys
from cds_service.hooks.trust import NotTrustedError, Trust
from tests.hooks.signing import BASE, EHR, NOW, PATH, jwk, jwks, private_jwk, private_key, signed, token


@dataclass
class KeyServer:
    """A key server, and how it behaves."""

    http: Any = None
    address: str = ""
    document: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait_s: float = 0
    drip_s: float = 0
    asked: list[str] = field(default_factory=list)
    got: list[dict[str, str]] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        return self.document if isinstance(self.document, bytes) else json.dumps(self.document).encode()


@pytest.fixture
def server() -> Iterator[KeyServer]:
    behavior = KeyServer(document=jwks("P-384"))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            behavior.asked.append(self.path)
            behavior.got.append(dict(self.headers))
            time.sleep(behavior.wait_s)
            body = behavior.body
            try:
                self.send_response(behavior.status)
                for name, value in {"Content-Length": str(len(body)), **behavior.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                step = 1 if behavior.drip_s else len(body) or 1
                for start in range(0, len(body), step):
                    self.wfile.write(body[start : start + step])
                    time.sleep(behavior.drip_s)
            except OSError:
                pass  # the client had enough

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is given by the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        http.block_on_close = False
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        behavior.http = http
        behavior.address = f"http://127.0.0.1:{http.server_address[1]}/jwks.json"
        try:
            yield behavior
        finally:
            http.shutdown()
            thread.join()


@dataclass
class Clock:
    now: float = 0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def source(server: KeyServer, clock: Clock) -> KeySource:
    return KeySource("of the test", from_web(server.address), clock)


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    monkeypatch.setattr(module, "_WAIT_S", 0.3)
    monkeypatch.setattr(module, "_DEADLINE_S", 0.5)


# --- what a key set may hold -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "family"),
    [
        pytest.param(jwk("P-384"), "EC", id="EC"),
        pytest.param(jwk("P-384", use="sig", alg="ES384", key_ops=["verify"]), "EC", id="EC with all it may say"),
        pytest.param(jwk("RSA-2048"), "RSA", id="RSA"),
        pytest.param(jwk("RSA-2048", key_ops=None), "RSA", id="RSA without operations"),
        pytest.param(jwk("P-384", x5c=["x"], more={}), "EC", id="unknown members"),
    ],
)
def test_a_public_key_for_signatures_is_used(key, family):
    assert set(read_keys(json.dumps({"keys": [key]}).encode())) == {(key["kid"], family)}


UNUSABLE = [
    pytest.param(jwk("P-384", kid=None), id="no kid"),
    pytest.param(jwk("P-384", kid=""), id="empty kid"),
    pytest.param(jwk("P-384", kid=7), id="kid a number"),
    pytest.param(jwk("P-384", kty=None), id="no kty"),
    pytest.param(jwk("P-384", kty=["EC"]), id="kty a list"),
    pytest.param(jwk("P-384", kty="RSA"), id="kty of another kind"),
    pytest.param({"kty": "oct", "kid": "k", "k": "c2VjcmV0"}, id="shared secret"),
    pytest.param(
        {"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}, id="OKP"
    ),
    pytest.param(private_jwk("P-384"), id="private key"),
    pytest.param(private_jwk("RSA-2048"), id="private RSA key"),
    pytest.param(jwk("P-384", use="enc"), id="for encryption"),
    pytest.param(jwk("P-384", key_ops=["encrypt"]), id="for other operations"),
    pytest.param(jwk("P-384", key_ops="verify"), id="operations no list"),
    pytest.param(jwk("P-384", crv="P-999"), id="unknown curve"),
    pytest.param(jwk("P-384", crv="P-256"), id="another curve"),
    pytest.param(jwk("P-384", x="AAAA"), id="short point"),
    pytest.param(jwk("P-384", x=jwk("P-384")["y"]), id="point not on the curve"),
    pytest.param(jwk("P-384", x=7), id="point a number"),
    pytest.param(jwk("P-384", x=None), id="no point"),
    pytest.param(jwk("RSA-1024"), id="RSA of 1024 bits"),
    pytest.param(jwk("RSA-2048", n="AQAB"), id="RSA of 17 bits"),
    pytest.param(jwk("RSA-2048", n=None), id="RSA without modulus"),
    pytest.param(jwk("RSA-2048", e="AQ"), id="RSA with exponent 1"),
    pytest.param("P-384", id="text"),
    pytest.param(None, id="null"),
]


@pytest.mark.parametrize("key", UNUSABLE)
def test_any_other_key_is_passed_over(key):
    with pytest.raises(KeysError, match="no public EC or RSA key"):
        read_keys(json.dumps({"keys": [key]}).encode())
    both = read_keys(json.dumps({"keys": [key, jwk("P-384 good")]}).encode())
    assert set(both) == {("P-384 good", "EC")}


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (b"", "is not JSON"),
        (b"<html>", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "no list of keys"),
        (b"{}", "no list of keys"),
        (b'{"keys": {}}', "no list of keys"),
        (b'{"keys": []}', "no public"),
    ],
)
def test_what_is_no_key_set_is_said(document, complaint):
    with pytest.raises(KeysError, match=complaint):
        read_keys(document)


# --- when it is read -------------------------------------------------------------------------------------------------


def test_keys_are_read_once_and_kept(source, server, clock):
    for clock.now in (0, 1, FRESH_S - 1):
        assert source.find("P-384", "EC")
    assert server.asked == ["/jwks.json"]
    assert server.got[0]["Accept"] == "application/json"
    assert "Authorization" not in server.got[0]


def test_a_key_belongs_to_its_family(source):
    assert source.find("P-384", "RSA") is None


@pytest.mark.conformance("practice-keys-rotate", "3.0-jku")
def test_a_new_key_is_found_at_its_first_token(source, server, clock):
    assert source.find("P-384", "EC")
    server.document = jwks("P-384 new")
    clock.now = PAUSE_S
    assert source.find("P-384 new", "EC")
    assert source.find("P-384", "EC") is None
    assert len(server.asked) == 2


def test_a_withdrawn_key_is_gone_when_the_set_is_read_again(source, server, clock):
    assert source.find("P-384", "EC")
    server.document = jwks("P-384 new")
    clock.now = FRESH_S
    assert source.find("P-384", "EC") is None


@pytest.mark.conformance("practice-keys-rotate")
def test_made_up_ids_make_us_ask_once_in_a_while_only(source, server, clock):
    for second in range(PAUSE_S * 2):
        clock.now = second
        assert all(source.find(f"made up {second} {number}", "EC") is None for number in range(20))
    assert len(server.asked) == 2


def test_made_up_ids_of_many_threads_make_one_call(source, server):
    server.wait_s = 0.1
    threads = [threading.Thread(target=source.find, args=(str(number), "EC")) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.asked) == 1


def test_while_one_thread_asks_the_others_go_on_with_the_keys_they_know(source, server, clock):
    assert source.find("P-384", "EC")
    clock.now = FRESH_S
    server.wait_s = 0.25
    slow = threading.Thread(target=source.find, args=("unknown", "EC"))
    slow.start()
    while len(server.asked) < 2:
        time.sleep(0.001)
    before = time.monotonic()
    assert source.find("P-384", "EC")
    assert time.monotonic() - before < 0.1
    slow.join()


def test_threads_that_need_a_new_key_wait_for_the_one_that_asks(source, server, clock):
    server.wait_s = 0.1
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(source.find("P-384", "EC"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert None not in found
    assert len(server.asked) == 1


# --- servers that misbehave ------------------------------------------------------------------------------------------

MISBEHAVIORS = [
    pytest.param({"status": 500}, "answers with status 500", id="500"),
    pytest.param({"status": 404}, "answers with status 404", id="404"),
    pytest.param({"status": 204, "document": b""}, "answers with status 204", id="204"),
    pytest.param({"status": 302, "headers": {"Location": "/elsewhere.json"}}, "answers with status 302", id="redirect"),
    pytest.param({"wait_s": 1}, "does not answer", id="slow to answer"),
    pytest.param({"drip_s": 0.02}, "takes longer than", id="a byte at a time"),
    pytest.param({"document": b"<html>Sign in</html>"}, "is not JSON", id="not JSON"),
    pytest.param({"document": b""}, "is not JSON", id="empty"),
    pytest.param({"document": b" " * 300_000}, "is larger than", id="huge"),
    pytest.param({"document": {"keys": []}}, "has no public", id="no keys"),
    pytest.param({"headers": {"Content-Length": "99999"}}, "does not answer", id="less than announced"),
    pytest.param({"headers": {"Content-Encoding": "gzip"}, "document": b"\x1f\x8b\0"}, "is not JSON", id="compressed"),
]


@pytest.mark.parametrize(("behavior", "complaint"), MISBEHAVIORS)
def test_without_any_key_a_server_that_misbehaves_means_no_key_and_a_line_in_the_log(
    source, server, caplog, behavior, complaint
):
    for name, value in behavior.items():
        setattr(server, name, value)
    assert source.find("P-384", "EC") is None
    assert f"key set of the test: {complaint}" in caplog.text
    assert server.asked == ["/jwks.json"]


@pytest.mark.parametrize(("behavior", "complaint"), MISBEHAVIORS)
def test_the_keys_known_last_are_used_for_a_day(source, server, clock, behavior, complaint):
    assert source.find("P-384", "EC")
    for name, value in behavior.items():
        setattr(server, name, value)
    clock.now = FRESH_S
    assert source.find("P-384", "EC")
    clock.now = FRESH_S + 1
    assert source.find("P-384", "EC")
    assert len(server.asked) == 2
    clock.now = STALE_S
    assert source.find("P-384", "EC") is None


def test_a_server_that_comes_back_is_found_after_the_pause(source, server, clock):
    server.status = 500
    assert source.find("P-384", "EC") is None
    server.status = 200
    assert source.find("P-384", "EC") is None
    clock.now = PAUSE_S
    assert source.find("P-384", "EC")


def test_a_server_that_is_not_there_is_said_without_more(caplog):
    assert KeySource("of the test", from_web("http://127.0.0.1:9/jwks.json")).find("P-384", "EC") is None
    assert "key set of the test: does not answer (ConnectionError)" in caplog.text


@pytest.fixture
def certificate(tmp_path) -> Path:
    """A certificate for 127.0.0.1 that only its owner signed, with its key, in one file."""
    private = private_key("P-256 tls")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(private, hashes.SHA256())
    )
    path = tmp_path / "tls.pem"
    key = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key + made.public_bytes(Encoding.PEM))
    return path


@pytest.mark.parametrize("trusted", [False, True])
def test_a_certificate_nobody_vouches_for_is_not_taken(server, certificate, monkeypatch, trusted):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    source = KeySource("of the test", from_web(server.address.replace("http:", "https:")))
    assert (source.find("P-384", "EC") is not None) is trusted
    assert len(server.asked) == trusted


# --- through tokens --------------------------------------------------------------------------------------------------


def judge(**registration: Any) -> Trust:
    client = TrustedClient.model_validate({"issuer": EHR, **registration})
    return Trust([client], BASE, lambda *_: True, now=lambda: NOW)


def header(**changes: Any) -> str:
    return f"Bearer {token(header=changes).text()}"


def test_keys_come_from_the_registered_address(server):
    assert judge(jwks_url=server.address).verify(header(), PATH)


@pytest.mark.conformance("jwt-jku", "3.0-jku")
def test_a_registered_jku_is_asked(server):
    assert judge(jku=[server.address]).verify(header(jku=server.address), PATH)


@pytest.mark.conformance("jwt-allow-list")
@pytest.mark.parametrize("end", ["?", "#x", "/", "?a=b", ".evil.example"])
def test_a_jku_that_only_looks_like_a_registered_one_is_never_asked(server, end):
    with pytest.raises(NotTrustedError, match="jku is not registered"):
        judge(jku=[server.address]).verify(header(jku=server.address + end), PATH)
    assert server.asked == []


@pytest.mark.conformance("jwt-allow-list")
def test_a_jku_nobody_registered_is_never_asked(server):
    """The CRD reference implementation reads the key from wherever the token says, and keeps it for later tokens."""
    server.document = jwks("P-384 evil")
    forged = token(header={"kid": "P-384 evil", "jku": server.address}, sign=signed("P-384 evil")).text()
    trust = judge(jwks=jwks("P-384"))
    for _ in range(2):
        with pytest.raises(NotTrustedError, match="kid is no key"):
            trust.verify(f"Bearer {forged}", PATH)
    assert server.asked == []


def test_a_file_is_read_again_for_a_new_key(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PAUSE_S", 0)
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(jwks("P-384 old")))
    trust = judge(jwks_file=path)
    with pytest.raises(NotTrustedError, match="kid is no key"):
        trust.verify(header(), PATH)
    path.write_text(json.dumps(jwks("P-384")))
    assert trust.verify(header(), PATH)
    path.unlink()
    assert trust.verify(header(), PATH)
