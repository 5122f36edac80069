"""Where a read may go: no address a request or a server can name leads anywhere but to a listed server."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from cds_service.fhir.access import FhirAccess, Grant, is_allowed
from cds_service.fhir.connection import route
from cds_service.fhir.queries import TEMPLATES
from cds_service.fhir.record import PrefetchKey, Unread
from cds_service.fhir.servers import may_connect, within

PATIENT = PrefetchKey.PATIENT
REFUSED = Unread("patient", "the address of the FHIR server is not one that may be connected to")
UNLISTED = Unread("patient", "this FHIR server is not one that may be asked")
UNREACHABLE = Unread("patient", "the FHIR server could not be reached")


@pytest.mark.parametrize(
    ("found", "host", "networks", "expected"),
    [
        # By a name of the list
        ("93.184.216.34", "fhir.example", [], True),
        ("2606:2800:220:1::1", "fhir.example", [], True),
        ("127.0.0.1", "fhir.example", [], False),
        ("127.8.8.8", "fhir.example", [], False),
        ("::1", "fhir.example", [], False),
        ("0.0.0.0", "fhir.example", [], False),  # noqa: S104
        ("::", "fhir.example", [], False),
        ("10.1.2.3", "fhir.example", [], False),
        ("172.16.0.1", "fhir.example", [], False),
        ("172.32.0.1", "fhir.example", [], True),
        ("192.168.1.1", "fhir.example", [], False),
        ("100.64.0.1", "fhir.example", [], False),
        ("169.254.169.254", "fhir.example", [], False),
        ("fd00:ec2::254", "fhir.example", [], False),
        ("fe80::1", "fhir.example", [], False),
        ("fe80::1%eth0", "fhir.example", [], False),
        ("224.0.0.1", "fhir.example", [], False),
        ("ff02::1", "fhir.example", [], False),
        ("255.255.255.255", "fhir.example", [], False),
        ("198.18.0.1", "fhir.example", [], False),
        # IPv4 inside IPv6: mapped, NAT64, 6to4, Teredo
        ("::ffff:127.0.0.1", "fhir.example", [], False),
        ("::ffff:169.254.169.254", "fhir.example", [], False),
        ("::ffff:10.0.0.1", "fhir.example", [], False),
        ("64:ff9b::7f00:1", "fhir.example", [], False),
        ("64:ff9b::a9fe:a9fe", "fhir.example", [], False),
        ("2002:7f00:1::", "fhir.example", [], False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "fhir.example", [], False),
        # Networks the site lists
        ("10.20.3.4", "fhir.example", ["10.20.0.0/16"], True),
        ("10.21.3.4", "fhir.example", ["10.20.0.0/16"], False),
        ("fd00::5", "fhir.example", ["fd00::/8"], True),
        ("169.254.169.254", "fhir.example", ["10.20.0.0/16"], False),
        # Addresses the site lists
        ("10.1.2.3", "10.1.2.3", [], True),
        ("fd00::5", "fd00::5", [], True),
        ("fd00::5", "[FD00:0::5]", [], True),
        ("127.0.0.1", "127.0.0.1", [], True),
        ("10.1.2.4", "10.1.2.3", [], False),
        # This machine
        ("127.0.0.1", "localhost", [], True),
        ("::1", "localhost", [], True),
        ("10.1.2.3", "localhost", [], False),
        ("93.184.216.34", "localhost", [], False),
        # Numbers that are no addresses are names, and resolve to something else than they are
        ("127.0.0.1", "2130706433", [], False),
        ("127.0.0.1", "0x7f000001", [], False),
        ("127.0.0.1", "0177.0.0.1", [], False),
        ("127.0.0.1", "127.1", [], False),
    ],
)
def test_what_a_name_may_lead_to(found: str, host: str, networks: list[str], expected: bool) -> None:
    assert may_connect(found, host, [ipaddress.ip_network(network) for network in networks]) is expected


@pytest.mark.parametrize(
    "server",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254/latest/meta-data",
        "http://[fd00:ec2::254]/",
        "http://metadata.google.internal/",
        "https://[::ffff:127.0.0.1]/fhir",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "https://0/",
        "https://user@fhir.example/r4",
        "https://user:secret@fhir.example/r4",
        "https://:@fhir.example/r4",
        "https://fhir.example@evil.example/r4",
        "https://fhir.example:443@evil.example/r4",
        "https://fhir.example:8443/r4",
        "https://fhir.example:22/r4",
        "https://fhir.example./r4",
        "https://fhir.example.evil.example/r4",
        "https://fhir.exаmple/r4",
        "https://fhir。example/r4",
        "https://fhir.example/r4/../admin",
        "https://fhir.example/r4/%2e%2e/admin",
        "https://fhir.example/r4/..%2fadmin",
        "https://fhir.example/r4/x",
        "https://fhir.example/r4;x",
        "https://fhir.example/r4?x",
        "https://fhir.example/r4#x",
        "https://fhir.example\\r4",
        "https://fhir.example\t/r4",
        "https://fhir.example/r4\n",
        "http://fhir.example/r4",
        "//fhir.example/r4",
        "fhir.example/r4",
        "gopher://fhir.example/r4",
    ],
)
def test_only_what_is_listed_is_asked(server: str) -> None:
    allowed = ["https://fhir.example/r4"]
    assert not is_allowed(server, allowed)
    reader = FhirAccess().source(server, Grant("t"), "p", None, templates=TEMPLATES["order-sign"], allowed=allowed)
    assert reader.read([PATIENT]) == {PATIENT: UNLISTED}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("Claim?page=2", "https://fhir.example/r4/Claim?page=2"),
        ("https://fhir.example/r4?_getpages=x&_bundletype=searchset", "https://fhir.example/r4?_getpages=x&_bundletype=searchset"),
        ("https://FHIR.example:443/r4/Claim?page=2", "https://fhir.example/r4/Claim?page=2"),
        ("/r4/Claim?page=2#x", "https://fhir.example/r4/Claim?page=2"),
        ("https://fhir.example/r4/Claim?next=https://evil.example/../x", "https://fhir.example/r4/Claim?next=https://evil.example/../x"),
        ("https://fhir.example/r4b/Claim", None),
        ("https://fhir.example/R4/Claim", None),
        ("https://fhir.example/", None),
        ("../Claim", None),
        ("javascript:alert(1)", None),
        ("https://[fhir.example/r4/Claim", None),
        (3, None),
        (None, None),
    ],
)  # fmt: skip
def test_links_stay_on_their_server(address: Any, expected: str | None) -> None:
    assert within("https://fhir.example/r4", address) == expected


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Counting:
    """A server that counts connections and answers none."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()


@pytest.fixture
def counting() -> Iterator[Counting]:
    running = Counting()
    yield running
    running.listener.close()


def resolve(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """Make every name resolve to these addresses: the first answer once, then the next, the last for good."""
    queue = list(answers)

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        found = queue.pop(0) if len(queue) > 1 else queue[0]
        families = (socket.AF_INET6 if ":" in each else socket.AF_INET for each in found)
        return [(family, socket.SOCK_STREAM, 6, "", (each, port)) for family, each in zip(families, found, strict=True)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def asked(server: str, networks: tuple[str, ...] = ()) -> Any:
    access = FhirAccess(networks=[ipaddress.ip_network(network) for network in networks])
    reader = access.source(server, Grant("t"), "p", None, templates=TEMPLATES["order-sign"], allowed=[server])
    return reader.read([PATIENT])[PATIENT]


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["10.0.0.1"],
        ["93.184.216.34", "127.0.0.1"],
        ["127.0.0.1", "93.184.216.34"],
    ],
    ids=" ".join,
)
def test_a_listed_name_that_leads_inside_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, counting: Counting, found: list[str]
) -> None:
    resolve(monkeypatch, found)
    assert asked(f"https://fhir.example:{counting.port}/r4") == REFUSED
    assert counting.connections == 0


def test_it_is_where_the_site_lists_the_network(monkeypatch: pytest.MonkeyPatch, counting: Counting) -> None:
    resolve(monkeypatch, ["127.0.0.1"])
    assert asked(f"https://fhir.example:{counting.port}/r4", ("127.0.0.0/8",)) == UNREACHABLE
    assert counting.connections == 1


def test_what_was_checked_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch, counting: Counting) -> None:
    """A name that is public when it is checked and inside when it is used (DNS rebinding)."""
    connected: list[Any] = []

    def connect(self: socket.socket, address: Any) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    resolve(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    monkeypatch.setattr(socket.socket, "connect", connect)
    assert asked(f"https://fhir.example:{counting.port}/r4") == UNREACHABLE
    assert connected == [("93.184.216.34", counting.port)]
    assert counting.connections == 0


def test_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert asked("https://fhir.example/r4") == UNREACHABLE


def test_the_next_address_is_tried_where_one_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, counting: Counting
) -> None:
    resolve(monkeypatch, ["127.0.0.9", "127.0.0.1"])
    assert asked(f"https://fhir.example:{counting.port}/r4", ("127.0.0.0/8",)) == UNREACHABLE
    assert counting.connections == 1


def test_a_proxy_of_the_site_is_used_but_never_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example")
    assert route("https://fhir.example/r4", "fhir.example")["proxies"]["https"] == "http://proxy.example:3128"
    assert route("https://inside.example/r4", "inside.example")["proxies"] == {}
    for host in ("localhost", "127.0.0.1", "::1"):
        assert route("http://x/r4", host)["proxies"] == {}


def test_the_token_goes_through_a_proxy_only_inside_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def serve() -> None:
            connection, _ = proxy.accept()
            with connection:
                received.append(connection.recv(4096))

        thread = threading.Thread(target=serve)
        thread.start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        assert asked("https://fhir.example/r4") == UNREACHABLE
        thread.join()
    assert received[0].startswith(b"CONNECT fhir.example:443 ")
    assert b"Authorization: Bearer" not in received[0]


def test_certificates_of_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    assert route("https://fhir.example", "fhir.example")["verify"] is True
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/site.pem")
    assert route("https://fhir.example", "fhir.example")["verify"] == "/etc/ssl/site.pem"
