"""Addresses that lead elsewhere than they seem to."""

from __future__ import annotations

import ipaddress

import pytest

from cds_service.fhir.servers import is_allowed, may_connect, within

BASE = "https://fhir.example.org/r4"


@pytest.mark.parametrize(
    "address",
    [
        "https://fhir.example.org/r4/a/..;/..;/admin",
        "https://fhir.example.org/r4/..;x=1/admin/Binary/1",
        "https://fhir.example.org/r4/%2e%2e;/admin",
        "https://fhir.example.org/r4/%2e%2e%3b/admin",
        "https://fhir.example.org/r4/.;/admin",
        "..;/admin",
    ],
)
def test_steps_up_with_parameters_are_steps_up(address: str) -> None:
    assert within(BASE, address) is None
    assert not is_allowed(address, (address,))


@pytest.mark.parametrize("address", ["Claim/1;v=2", "Claim?code=..;", "Binary/a..b", "Binary/..b", "Binary/a;.."])
def test_other_dots_and_parameters_are_not(address: str) -> None:
    assert within(BASE, address) == f"{BASE}/{address}"


@pytest.mark.parametrize(
    "found",
    [
        pytest.param("::10.0.0.1", id="compatible"),
        pytest.param("::7f00:1", id="compatible-loopback"),
        pytest.param("::ffff:0:10.0.0.1", id="translated"),
        pytest.param("64:ff9b:1::a00:1", id="nat64-of-the-site"),
        pytest.param("64:ff9b::a00:1", id="nat64"),
        pytest.param("fec0::1", id="site-local"),
        pytest.param("fe80::1%eth0", id="link-local"),
        pytest.param("::", id="unspecified"),
    ],
)
def test_no_form_of_ipv6_leads_into_the_inner_network(found: str) -> None:
    assert not may_connect(found, "fhir.example.org", ())


@pytest.mark.parametrize(
    ("found", "network"), [("fec0::1", "fec0::/64"), ("64:ff9b:1::a00:1", "64:ff9b:1::/96"), ("10.0.0.1", "10.0.0.0/8")]
)
def test_the_site_may_list_a_network_of_its_own(found: str, network: str) -> None:
    assert may_connect(found, "fhir.example.org", (ipaddress.ip_network(network),))


@pytest.mark.parametrize("found", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_connected_to(found: str) -> None:
    assert may_connect(found, "fhir.example.org", ())
