from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from cds_service.settings import (
    Settings,
    SettingsError,
    load_settings,
    refuse_unsafe,
    unknown_variables,
    unsafe_reasons,
)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    import os

    for name in [name for name in os.environ if name.upper().startswith("CDS_")]:
        monkeypatch.delenv(name)


def test_with_nothing_set_the_service_runs_on_loopback_with_a_file_of_its_own(monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "/var/lib/somebody")
    settings = load_settings()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8080, 1)
    assert settings.database_url == "sqlite:////var/lib/somebody/cds-service/cds-service.db"
    assert settings.on_loopback
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.allowed_origins == ("*",)
    assert unsafe_reasons(settings) == []


def test_the_default_database_is_in_the_home_of_the_user(monkeypatch):
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert load_settings().database_url.startswith(f"sqlite:///{Path.home()}/.local/state/")


@pytest.mark.parametrize(
    ("variable", "text", "member", "value"),
    [
        ("CDS_HOST", "::1", "host", "::1"),
        ("CDS_PORT", "9000", "port", 9000),
        ("cds_port", "9000", "port", 9000),
        ("CDS_WORKERS", "4", "workers", 4),
        ("CDS_THREADS", "8", "threads", 8),
        ("CDS_BASE_URL", "https://cds.example.org/", "base_url", "https://cds.example.org"),
        ("CDS_DATABASE_URL", "postgresql+psycopg://u:p@h/d", "database_url", "postgresql+psycopg://u:p@h/d"),
        (
            "CDS_FHIR_SERVERS",
            "https://a.example/r4, http://localhost:8081/fhir/",
            "fhir_servers",
            ("https://a.example/r4", "http://localhost:8081/fhir"),
        ),
        ("CDS_FHIR_SERVERS", "", "fhir_servers", ()),
        ("CDS_FHIR_NETWORKS", "10.20.0.0/16 fd00::/8", "fhir_networks", ("10.20.0.0/16", "fd00::/8")),
        ("CDS_FHIR_CLIENT_IDS", "a b", "fhir_client_ids", ("a", "b")),
        ("CDS_FHIR_DEADLINE_S", "0.5", "fhir_deadline_s", 0.5),
        ("CDS_PUBLIC", "discovery metrics", "public", ("discovery", "metrics")),
        ("CDS_PUBLIC", "none", "public", ()),
        ("CDS_CORS_ORIGINS", "*", "cors_origins", ("*",)),
        (
            "CDS_CORS_ORIGINS",
            "https://a.example https://b.example:444",
            "cors_origins",
            ("https://a.example", "https://b.example:444"),
        ),
        ("CDS_MAX_BODY_BYTES", "2048", "max_body_bytes", 2048),
        ("CDS_RATE_LIMIT", "600/minute", "rate_limit", "600/minute"),
        ("CDS_ALLOW_UNSAFE", "true", "allow_unsafe", True),
        ("CDS_PORT", "", "port", 8080),
    ],
)
def test_a_variable_sets_its_member(monkeypatch, variable, text, member, value):
    monkeypatch.setenv(variable, text)
    assert getattr(load_settings(), member) == value


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("CDS_PORT", "http"),
        ("CDS_PORT", "0"),
        ("CDS_PORT", "65536"),
        ("CDS_WORKERS", "0"),
        ("CDS_WORKERS", "two"),
        ("CDS_THREADS", "-1"),
        ("CDS_BASE_URL", "cds.example.org"),
        ("CDS_BASE_URL", "ftp://cds.example.org"),
        ("CDS_BASE_URL", "https://"),
        ("CDS_FHIR_SERVERS", "https://a.example,file:///etc/passwd"),
        ("CDS_FHIR_SERVERS", "https://[broken"),
        ("CDS_FHIR_NETWORKS", "10.0.0.1/8"),
        ("CDS_FHIR_NETWORKS", "inside.example"),
        ("CDS_FHIR_DEADLINE_S", "0"),
        ("CDS_FHIR_DEADLINE_S", "inf"),
        ("CDS_FHIR_MAX_PAGES", "0"),
        ("CDS_FHIR_MAX_ANSWER_BYTES", "1"),
        ("CDS_CORS_ORIGINS", "ehr.example.org"),
        ("CDS_MAX_BODY_BYTES", "1"),
        ("CDS_MAX_JSON_DEPTH", "251"),
        ("CDS_RATE_LIMIT", "600"),
        ("CDS_RATE_LIMIT", "0/minute"),
        ("CDS_RATE_LIMIT", "5/fortnight"),
        ("CDS_ALLOW_UNSAFE", "perhaps"),
        ("CDS_KNOWLEDGE_DIR", "/nowhere/at/all"),
        ("CDS_CPT_DESCRIPTORS", "/nowhere/at/all.csv"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable_and_the_value(monkeypatch, variable, text):
    monkeypatch.setenv(variable, text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert message.startswith(f"{variable}: ")
    assert "\n" not in message
    assert text.split(",")[0] in message


@pytest.mark.parametrize("url", ["mysql://u:pass-word@h/d", "postgresql://u:pass-word@h/d", "x"])
def test_a_bad_database_address_is_named_but_not_shown(monkeypatch, url):
    monkeypatch.setenv("CDS_DATABASE_URL", url)
    with pytest.raises(SettingsError, match=r"^CDS_DATABASE_URL: must start with") as caught:
        load_settings()
    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize("variable", ["CDS_BASE_URL", "CDS_FHIR_SERVERS", "CDS_CORS_ORIGINS"])
def test_an_address_with_a_password_is_refused_and_not_shown(monkeypatch, variable):
    monkeypatch.setenv(variable, "https://user:pass-word@example.org")
    with pytest.raises(SettingsError, match=f"^{variable}: .*user name") as caught:
        load_settings()
    assert "pass-word" not in str(caught.value)


def test_several_bad_values_are_still_one_line(monkeypatch):
    monkeypatch.setenv("CDS_PORT", "x")
    monkeypatch.setenv("CDS_WORKERS", "y")
    with pytest.raises(SettingsError, match=r"CDS_PORT: .*; CDS_WORKERS: ") as caught:
        load_settings()
    assert "\n" not in str(caught.value)


def test_options_of_the_command_line_win_and_none_is_no_option(monkeypatch):
    monkeypatch.setenv("CDS_PORT", "9000")
    assert load_settings(port=9001, host=None).port == 9001
    assert load_settings(port=None).port == 9000
    with pytest.raises(SettingsError, match="CDS_PROT"):
        load_settings(prot=1)


def test_folders_and_files_of_the_site(monkeypatch, tmp_path):
    file = tmp_path / "descriptors.csv"
    file.write_text("code,descriptor\n")
    monkeypatch.setenv("CDS_KNOWLEDGE_DIR", str(tmp_path))
    monkeypatch.setenv("CDS_CPT_DESCRIPTORS", str(file))
    settings = load_settings()
    assert (settings.knowledge_dir, settings.cpt_descriptors) == (tmp_path, file)


CLIENT = {"issuer": "https://ehr.example", "jwks_url": "https://ehr.example/keys"}


@pytest.mark.parametrize(
    ("servers", "client", "host", "issuer", "expected"),
    [
        pytest.param("", None, "127.0.0.1", None, None, id="a first try: any on loopback"),
        pytest.param("", None, "10.0.0.1", None, (), id="beyond loopback none"),
        pytest.param("", {}, "127.0.0.1", "https://ehr.example", (), id="with clients none"),
        pytest.param("https://a.example", None, "127.0.0.1", None, ("https://a.example",), id="the list"),
        pytest.param("https://a.example", {}, "::1", "https://ehr.example", ("https://a.example",), id="a client's"),
        pytest.param(
            "https://a.example",
            {"fhir_servers": ["https://b.example"]},
            "127.0.0.1",
            "https://ehr.example",
            ("https://b.example",),
            id="its own instead",
        ),
        pytest.param("https://a.example", {"fhir_servers": []}, "::1", "https://ehr.example", (), id="its own: none"),
        pytest.param(
            "https://a.example",
            {"fhir_servers": ["https://b.example"]},
            "::1",
            None,
            ("https://a.example",),
            id="others",
        ),
    ],
)
def test_which_fhir_servers_a_call_may_name(servers, client, host, issuer, expected):
    clients = None if client is None else json.dumps([{**CLIENT, **client}])
    settings = load_settings(fhir_servers=servers, trusted_clients=clients, host=host)
    assert settings.fhir_servers_of(issuer) == expected


def test_a_client_may_not_register_an_open_fhir_server(monkeypatch):
    monkeypatch.setenv("CDS_TRUSTED_CLIENTS", json.dumps([{**CLIENT, "fhir_servers": ["http://a.example"]}]))
    with pytest.raises(SettingsError, match=r"fhir_servers.*https"):
        load_settings()


def test_misspelled_variables_are_found():
    environment = {"CDS_PORT": "1", "CDS_PROT": "1", "cds_hosts": "x", "PATH": "/bin"}
    assert unknown_variables(environment) == ("CDS_PROT", "cds_hosts")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("10.0.0.1", False),
        ("cds.example.org", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host, loopback):
    assert load_settings(host=host).on_loopback is loopback


def test_an_address_of_version_6_is_written_in_brackets():
    assert load_settings(host="::1", port=81).public_url == "http://[::1]:81"


def test_beyond_loopback_no_page_may_call_unless_named():
    assert load_settings(host="10.0.0.1").allowed_origins == ()
    assert load_settings(host="10.0.0.1", cors_origins="https://a.example").allowed_origins == ("https://a.example",)
    assert load_settings(cors_origins=()).allowed_origins == ()


@pytest.mark.conformance("transport-tls", "transport-fhir-tls")
@pytest.mark.parametrize(
    ("options", "variable"),
    [
        ({}, "CDS_BASE_URL"),
        ({"base_url": "http://cds.example.org"}, "CDS_BASE_URL"),
        ({"cors_origins": "*"}, "CDS_CORS_ORIGINS"),
        ({"fhir_servers": "http://fhir.example.org/r4"}, "CDS_FHIR_SERVERS"),
    ],
)
def test_each_unsafe_setting_is_named(options, variable):
    assert [reason for reason in unsafe_reasons(load_settings(host="10.0.0.1", **options)) if variable in reason]


def test_a_fhir_server_on_loopback_needs_no_encryption():
    options = {"base_url": "https://cds.example.org", "fhir_servers": "http://localhost:8081/fhir"}
    assert len(unsafe_reasons(load_settings(host="10.0.0.1", **options))) == 1


@pytest.mark.conformance("transport-tls")
def test_serving_unsafely_is_refused_unless_allowed():
    with pytest.raises(SettingsError, match=r"^CDS_HOST: refusing to listen on 10\.0\.0\.1\. .*CDS_ALLOW_UNSAFE"):
        refuse_unsafe(load_settings(host="10.0.0.1"))
    refuse_unsafe(load_settings(host="10.0.0.1", allow_unsafe=True))
    refuse_unsafe(load_settings())


def test_settings_can_be_shown_sent_and_not_changed():
    settings = load_settings(database_url="postgresql+psycopg://u:pass-word@h/d")
    assert "pass-word" not in repr(settings)
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1
    assert isinstance(settings, Settings)
