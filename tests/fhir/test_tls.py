"""TLS to a FHIR server: the checked address is connected to, and the certificate is held against the name."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cds_service.fhir.access import FhirAccess, Grant, Limits
from cds_service.fhir.queries import TEMPLATES
from cds_service.fhir.record import PrefetchKey, Unread

PATIENT = {"resourceType": "Patient", "id": "p"}
BODY = json.dumps(PATIENT).encode()
UNREACHABLE = "the FHIR server could not be reached"
LATE = "the FHIR server did not answer in time"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n"


def plain(connection: ssl.SSLSocket) -> None:
    while connection.recv(4096):
        connection.sendall(HEAD % len(BODY) + BODY)


def drip(connection: ssl.SSLSocket) -> None:
    connection.recv(4096)
    connection.sendall(HEAD % 9999)
    for _ in range(200):
        connection.sendall(b" ")
        time.sleep(0.02)


def certificate(folder: Path, name: str) -> Path:
    """Return the file of a new key with a certificate it has signed itself for `name`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return file


class TlsServer:
    def __init__(self, pem: Path, answer: Callable[[ssl.SSLSocket], None]) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        context.sni_callback = lambda _, name, __: self.names.append(name)
        self.names: list[str | None] = []
        self._context = context
        self._answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), self._context.wrap_socket(connection, server_side=True) as secured:
            self._answer(secured)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Return a way to read from https://fhir.example, which a server on loopback with a certificate answers."""
    servers: list[TlsServer] = []
    genuine = socket.getaddrinfo

    def start(name: str, answer: Callable[[ssl.SSLSocket], None], trusted: bool = True, **limits: Any) -> Any:
        pem = certificate(tmp_path, name)
        server = TlsServer(pem, answer)
        servers.append(server)
        monkeypatch.setattr(socket, "getaddrinfo", lambda _, port, **named: genuine("127.0.0.1", port, **named))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem if trusted else certificate(tmp_path, "other.example")))
        base = f"https://fhir.example:{server.port}/r4"
        access = FhirAccess(Limits(**limits), [IPv4Network("127.0.0.0/8")])
        reader = access.source(base, Grant("t"), "p", None, templates=TEMPLATES["order-sign"], allowed=[base])
        return server, reader

    yield start
    for server in servers:
        server.listener.close()


def test_the_name_is_what_the_certificate_must_be_for(site: Callable[..., Any]) -> None:
    server, reader = site("fhir.example", plain)
    assert reader.read([PrefetchKey.PATIENT]) == {PrefetchKey.PATIENT: PATIENT}
    assert reader.read([PrefetchKey.PATIENT]) == {PrefetchKey.PATIENT: PATIENT}
    assert server.names == ["fhir.example"]


@pytest.mark.conformance("transport-fhir-tls")
@pytest.mark.parametrize(("name", "trusted"), [("elsewhere.example", True), ("fhir.example", False)])
def test_another_certificate_is_refused(site: Callable[..., Any], name: str, trusted: bool) -> None:
    _, reader = site(name, plain, trusted)
    assert reader.read([PrefetchKey.PATIENT]) == {PrefetchKey.PATIENT: Unread("patient", UNREACHABLE)}


def test_a_slow_answer_is_ended_at_the_deadline(site: Callable[..., Any]) -> None:
    _, reader = site("fhir.example", drip, deadline=0.4)
    began = time.monotonic()
    assert reader.read([PrefetchKey.PATIENT]) == {PrefetchKey.PATIENT: Unread("patient", LATE)}
    assert time.monotonic() - began < 1


def test_a_handshake_that_never_comes_is_ended_too(site: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TlsServer, "_serve", lambda *_: time.sleep(2))
    _, reader = site("fhir.example", plain, deadline=0.4)
    began = time.monotonic()
    assert reader.read([PrefetchKey.PATIENT]) == {PrefetchKey.PATIENT: Unread("patient", LATE)}
    assert time.monotonic() - began < 1
