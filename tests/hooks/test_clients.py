"""Registrations of clients: what a site may write, and that a mistake is one line that names the member."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cds_service.hooks.clients import ClientsError, TrustedClient, read_clients
from tests.hooks.signing import jwk, jwks

EHR = {"issuer": "https://ehr.example.org", "jwks_url": "https://ehr.example.org/jwks.json"}
KEYS = jwks("P-384")


def written(*entries):
    return json.dumps({"issuers": list(entries)})


def test_the_least_a_client_needs_is_an_issuer_and_its_keys():
    (client,) = read_clients(written(EHR))
    assert (client.issuer, client.jwks_url) == (EHR["issuer"], EHR["jwks_url"])
    assert client.algorithms == ("ES384", "RS384")
    assert (client.audiences, client.jku, client.tenants) == ((), (), ())
    assert (client.leeway_seconds, client.max_lifetime_seconds) == (30, 3600)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(written(EHR), id="object"),
        pytest.param(json.dumps([EHR]), id="list"),
        pytest.param(f"\n {json.dumps([EHR])}\n", id="with spaces around"),
    ],
)
def test_json_is_read_as_it_is(text):
    assert [client.issuer for client in read_clients(text)] == [EHR["issuer"]]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("clients.json", written(EHR)),
        ("clients.json", json.dumps([EHR])),
        ("clients", written(EHR)),
        ("clients.toml", f'[[issuers]]\nissuer = "{EHR["issuer"]}"\njwks_url = "{EHR["jwks_url"]}"\n'),
        ("clients", f'[[issuers]]\nissuer = "{EHR["issuer"]}"\njwks_url = "{EHR["jwks_url"]}"\n'),
    ],
)
def test_a_file_is_read_as_what_it_is(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    assert read_clients(str(path)) == read_clients(written(EHR))


def test_a_file_of_keys_is_found_beside_the_registration(tmp_path, monkeypatch):
    (tmp_path / "keys.json").write_text(json.dumps(KEYS))
    (tmp_path / "clients.toml").write_text('[[issuers]]\nissuer = "https://a.example"\njwks_file = "keys.json"\n')
    monkeypatch.chdir("/")
    (client,) = read_clients(str(tmp_path / "clients.toml"))
    assert client.jwks_file == tmp_path / "keys.json"


@pytest.mark.parametrize(
    "address", ["http://localhost:8081/jwks", "http://127.0.0.1/jwks", "http://[::1]:1/jwks", "https://10.0.0.1/jwks"]
)
def test_keys_travel_encrypted_or_on_this_machine(address):
    (client,) = read_clients(written({"issuer": "a", "jwks_url": address, "jku": [address]}))
    assert client.jku == (address,)


PRIVATE = {"keys": [jwk("P-384", d="secret-d")]}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("{", "is not valid JSON at line 1", id="broken JSON"),
        pytest.param("[" * 100_000, "is not valid JSON", id="nested JSON"),
        pytest.param("[]", "must be a list of issuers", id="empty list"),
        pytest.param("{}", "must be a list of issuers", id="empty object"),
        pytest.param('{"issuers": []}', "must be a list of issuers", id="no issuers"),
        pytest.param(
            json.dumps({"issuers": [EHR], "more": 1}), "must be a list of issuers", id="member beside issuers"
        ),
        pytest.param(json.dumps(EHR), "must be a list of issuers", id="one issuer"),
        pytest.param("/nowhere/clients.toml", r"neither JSON nor a file .*FileNotFoundError", id="no file"),
        pytest.param("https://ehr.example.org", "neither JSON nor a file", id="an address"),
        pytest.param("/", "neither JSON nor a file", id="a folder"),
        pytest.param("a\0b", "neither JSON nor a file", id="no name of a file"),
        pytest.param(written(EHR, EHR), "has an issuer twice", id="twice"),
        pytest.param(written(EHR, 7), r"issuers\[1\]: ", id="a number"),
        pytest.param(written({**EHR, "issuer": ""}), r"issuers\[0\]\.issuer: ", id="empty issuer"),
        pytest.param(written({"jwks_url": EHR["jwks_url"]}), r"issuers\[0\]\.issuer: Field required", id="no issuer"),
        pytest.param(written({**EHR, "audience": "x"}), r"issuers\[0\]\.audience: Extra inputs", id="misspelled"),
        pytest.param(written({**EHR, "algorithms": []}), r"issuers\[0\]\.algorithms: ", id="no algorithm"),
        pytest.param(written({**EHR, "algorithms": "ES384"}), r"issuers\[0\]\.algorithms: ", id="algorithm as text"),
        *(
            pytest.param(
                written({**EHR, "algorithms": ["ES384", name]}),
                r"issuers\[0\]\.algorithms\[1\]: ",
                id=f"algorithm {name}",
                marks=pytest.mark.conformance("jwt-symmetric") if name.startswith("HS") else (),
            )
            for name in ("none", "HS256", "HS384", "HS512", "es384", "ES256K", "EdDSA", "")
        ),
        pytest.param(written({"issuer": "a"}), r"issuers\[0\]: needs its keys", id="no keys"),
        pytest.param(written({"issuer": "a", "jku": []}), "needs its keys", id="no address in jku"),
        pytest.param(
            written({**EHR, "jwks": KEYS}), r"issuers\[0\]: has jwks_url and jwks: only one", id="two key sets"
        ),
        *(
            pytest.param(
                written({"issuer": "a", "jwks_url": address}), r"issuers\[0\]\.jwks_url: must be an https", id=address
            )
            for address in (
                "http://ehr.example.org/jwks",
                "http://10.0.0.1/jwks",
                "http://localhost.evil.example/jwks",
                "file:///etc/passwd",
                "ftp://ehr.example.org/jwks",
                "https://",
                "https://user:secret-d@ehr.example.org/jwks",
                "jwks.json",
            )
        ),
        pytest.param(
            written({"issuer": "a", "jku": ["http://b.example"]}), r"\.jku\[0\]: must be an https", id="bad jku"
        ),
        pytest.param(written({"issuer": "a", "jwks": {}}), r"issuers\[0\]\.jwks: is not a JWKS", id="no key set"),
        pytest.param(written({"issuer": "a", "jwks": {"keys": []}}), r"\.jwks: has no public", id="no key in it"),
        pytest.param(written({"issuer": "a", "jwks": PRIVATE}), r"\.jwks: has no public", id="private key"),
        pytest.param(
            written({"issuer": "a", "jwks_file": "/nowhere"}), r"\.jwks_file: cannot be read", id="no key file"
        ),
        pytest.param(written({**EHR, "leeway_seconds": -1}), r"\.leeway_seconds: ", id="negative leeway"),
        pytest.param(written({**EHR, "leeway_seconds": 301}), r"\.leeway_seconds: ", id="long leeway"),
        pytest.param(written({**EHR, "max_lifetime_seconds": 3601}), r"\.max_lifetime_seconds: ", id="long lifetime"),
        pytest.param(written({**EHR, "max_lifetime_seconds": 0}), r"\.max_lifetime_seconds: ", id="no lifetime"),
    ],
)
def test_a_registration_that_cannot_be_used_is_one_line_without_its_values(text, complaint):
    with pytest.raises(ClientsError, match=complaint) as caught:
        read_clients(text)
    assert "\n" not in str(caught.value)
    assert "secret-d" not in str(caught.value)


@pytest.mark.parametrize("content", ["[[issuers]", "issuers = 1 2", "\0"])
def test_a_broken_toml_file_is_said(tmp_path, content):
    path = tmp_path / "clients.toml"
    path.write_text(content)
    with pytest.raises(ClientsError, match="is not valid TOML"):
        read_clients(str(path))


def test_a_file_that_is_no_text_is_said(tmp_path):
    path = tmp_path / "clients.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ClientsError, match="neither JSON nor a file that can be read"):
        read_clients(str(path))


# --- what is written about it ----------------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs" / "integration.md").read_text(encoding="utf-8")


def shown(default):
    if isinstance(default, tuple):
        return ", ".join(f"`{value}`" for value in default) or "none"
    return "none" if default is None else str(default)


def test_the_page_shows_every_member_with_its_default():
    (table,) = re.findall(r"\| member \| default \|.+?\n\n", PAGE, re.DOTALL)
    listed = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", table, re.MULTILINE))
    fields = TrustedClient.model_fields
    defaults = {name: "required" if field.is_required() else shown(field.default) for name, field in fields.items()}
    taken_over = {"fhir_servers": "`CDS_FHIR_SERVERS`"}
    assert listed == {**defaults, **taken_over}


@pytest.mark.parametrize("example", re.findall(r"```toml\n(.+?)```", PAGE, re.DOTALL))
def test_the_registrations_on_the_page_can_be_used(tmp_path, example):
    path = tmp_path / "clients.toml"
    path.write_text(example)
    assert read_clients(str(path))
