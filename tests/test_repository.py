"""The files around the code: what they promise one another, read as a person or a container engine would read them."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import random
import re
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
import yaml
from flask.testing import FlaskClient

from cds_service.resources import schema
from cds_service.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILES = ("Dockerfile", "docker/hapi.Dockerfile")
LOCKS = ("requirements.txt", "requirements-build.txt", "requirements-dev.txt", "bench/requirements-healthchain.txt")
ONE_SHOT = {"seed"}

PINNED = re.compile(r"^[a-z0-9/._-]+:v?\d+\.\d+[\w.-]*$")
SECRET_NAME = re.compile(r"password|secret|token|api_?key", re.IGNORECASE)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def instructions(name: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, continued lines joined, comments left out."""
    lines = [line for line in text(name).splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def arguments(name: str, instruction: str) -> list[str]:
    return [rest for word, rest in instructions(name) if word == instruction]


def compose() -> dict[str, Any]:
    document = yaml.safe_load(text("docker-compose.yml"))
    assert isinstance(document, dict)
    return document


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(text("pyproject.toml"))["project"]
    return found


def load(path: str, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # a dataclass looks its module up by name
    spec.loader.exec_module(module)
    return module


def fixed_chance() -> random.Random:
    return random.Random(1)  # noqa: S311 - the same requests every time, no secret


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text(name), re.MULTILINE))


def make_targets() -> set[str]:
    (line,) = re.findall(r"^\.PHONY: (.+)$", text("Makefile"), re.MULTILINE)
    return set(line.split())


class TestDockerfiles:
    @pytest.mark.parametrize("name", DOCKERFILES)
    def test_every_base_image_is_pinned_by_version(self, name: str) -> None:
        for image in arguments(name, "FROM"):
            assert PINNED.match(image.split(" ")[0]), image

    @pytest.mark.parametrize("name", DOCKERFILES)
    def test_runs_as_a_user_that_is_visibly_not_root(self, name: str) -> None:
        last_stage = instructions(name)[max(i for i, (word, _) in enumerate(instructions(name)) if word == "FROM") :]
        users = [rest for word, rest in last_stage if word == "USER"]
        assert users, "no USER"
        assert int(users[-1]) > 0

    @pytest.mark.parametrize("name", DOCKERFILES)
    def test_tells_the_engine_how_to_ask_for_health_without_a_shell(self, name: str) -> None:
        (check,) = arguments(name, "HEALTHCHECK")
        program, *_ = json.loads(check.partition("CMD ")[2])
        assert program in {"python", "/usr/bin/wget"}

    @pytest.mark.parametrize("name", DOCKERFILES)
    def test_holds_no_secret(self, name: str) -> None:
        for line in arguments(name, "ENV") + arguments(name, "ARG"):
            assert not SECRET_NAME.search(line), line

    def test_health_is_asked_of_readyz_at_the_port_of_the_settings(self) -> None:
        (check,) = arguments("Dockerfile", "HEALTHCHECK")
        assert "/readyz" in check
        assert "CDS_PORT" in check
        environment = " ".join(arguments("Dockerfile", "ENV"))
        assert f"CDS_PORT={arguments('Dockerfile', 'EXPOSE')[0]}" in environment
        assert "CDS_HOST=0.0.0.0" in environment

    def test_does_not_allow_unsafe_settings_by_itself(self) -> None:
        assert "CDS_ALLOW_UNSAFE" not in " ".join(arguments("Dockerfile", "ENV"))

    def test_everything_from_outside_is_checked_by_hash(self) -> None:
        for command in arguments("Dockerfile", "RUN"):
            for call in re.findall(r"pip install[^&]*", command):
                assert "--require-hashes" in call or "--no-deps dist/" in call, call

    def test_everything_copied_is_let_in_and_exists(self) -> None:
        ignored = text(".dockerignore").splitlines()
        assert "*" in ignored
        for copied in arguments("Dockerfile", "COPY"):
            if copied.startswith("--from"):
                continue
            for source in copied.split(" ")[:-1]:
                assert f"!{source}" in ignored, source
                assert (ROOT / source).exists(), source

    def test_everything_the_wheel_needs_is_copied(self) -> None:
        copied = " ".join(arguments("Dockerfile", "COPY")).split(" ")
        wheel = tomllib.loads(text("pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["wheel"]
        needed = {*wheel["packages"], *wheel["force-include"], project()["readme"], *project()["license-files"]}
        assert needed <= set(copied)


class TestCompose:
    def test_images_are_pinned_by_version(self) -> None:
        for name, service in services().items():
            assert PINNED.match(service["image"]), name

    def test_own_images_carry_the_version_of_what_is_in_them(self) -> None:
        assert services()["cds"]["image"] == f"paravertebral-cds:{project()['version']}"
        assert services()["seed"]["image"] == services()["cds"]["image"]
        (_, hapi) = arguments("docker/hapi.Dockerfile", "FROM")
        assert services()["hapi"]["image"].partition(":")[2] == hapi.partition(":v")[2]

    def test_the_fhir_server_of_the_sandbox_is_that_of_the_integration_tests(self) -> None:
        (tested,) = re.findall(r"<hapi\.version>(.+)</hapi\.version>", text("tests/hapi/launcher/pom.xml"))
        (_, sandbox) = arguments("docker/hapi.Dockerfile", "FROM")
        assert sandbox.partition(":v")[2].partition("-")[0] == tested

    def test_every_service_that_stays_has_a_health_check(self) -> None:
        without = {name for name, service in services().items() if "healthcheck" not in service}
        assert without == ONE_SHOT

    def test_what_is_done_once_is_not_restarted(self) -> None:
        for name in ONE_SHOT:
            assert services()[name]["restart"] == "no"

    def test_secrets_come_from_the_environment_and_have_no_default(self) -> None:
        for name, service in services().items():
            for variable, value in service.get("environment", {}).items():
                if SECRET_NAME.search(variable):
                    assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", value), f"{name}: {variable}"

    def test_no_address_holds_a_password(self) -> None:
        for user_info in re.findall(r"://([^@/\s]+)@", text("docker-compose.yml")):
            assert user_info.partition(":")[2].startswith("${"), user_info

    def test_the_file_of_the_password_stays_out_of_version_control_and_image(self) -> None:
        assert ".env" in text(".gitignore").splitlines()
        assert "**/.env" in text(".dockerignore").splitlines()
        assert not re.search(r"^env_file", text("docker-compose.yml"), re.MULTILINE)

    def test_ports_are_open_on_loopback_only(self) -> None:
        for name, service in services().items():
            for port in service.get("ports", ()):
                assert port.startswith("127.0.0.1:"), name

    def test_ports_of_the_host_differ(self) -> None:
        taken = [port.split(":")[1] for service in services().values() for port in service.get("ports", ())]
        assert len(taken) == len(set(taken))

    def test_settings_exist(self) -> None:
        for variable in services()["cds"]["environment"]:
            assert variable.removeprefix(PREFIX).lower() in Settings.model_fields

    def test_mounted_files_exist(self) -> None:
        for service in services().values():
            for volume in service.get("volumes", ()):
                source = volume.split(":")[0]
                assert source in compose()["volumes"] or (ROOT / source).exists(), volume

    def test_services_wait_for_what_they_need(self) -> None:
        for service in services().values():
            for needed, how in service.get("depends_on", {}).items():
                assert needed in services()
                if how["condition"] == "service_healthy":
                    assert "healthcheck" in services()[needed]

    def test_the_fhir_server_the_seed_fills_is_one_the_service_may_read(self) -> None:
        server = services()["seed"]["command"][0]
        assert server == services()["cds"]["environment"]["CDS_FHIR_SERVERS"]


@pytest.fixture(scope="module")
def seed() -> ModuleType:
    return load("docker/seed_hapi.py", "seed_hapi")


@contextlib.contextmanager
def fhir_server(answer: int) -> Iterator[tuple[str, list[Any]]]:
    """A FHIR server that is there, keeps what is posted to it, and answers that with one status."""
    posted: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(200)

        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._reply(answer)

        def _reply(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is given by the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/fhir", posted
        finally:
            server.shutdown()
            thread.join()


class TestSeed:
    def test_puts_every_resource_in_its_place(self, seed: ModuleType) -> None:
        bundle = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                {"resource": {"resourceType": "Patient", "id": "p1"}},
                {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Claim", "id": "7"}},
            ],
        }
        assert seed.transaction(bundle, "one-site") == {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "resource": {"resourceType": "Patient", "id": "p1"},
                    "request": {"method": "PUT", "url": "Patient/p1"},
                },
                {
                    "fullUrl": "urn:uuid:1",
                    "resource": {"resourceType": "Claim", "id": "7"},
                    "request": {"method": "PUT", "url": "Claim/7"},
                },
            ],
        }

    def test_names_what_has_no_id_after_its_case_and_leaves_the_case_as_it_was(self, seed: ModuleType) -> None:
        resource = {"resourceType": "Observation"}
        (entry,) = seed.transaction({"entry": [{"resource": resource}]}, "thin-note")["entry"]
        assert entry["request"]["url"] == "Observation/thin-note-1"
        assert entry["resource"]["id"] == "thin-note-1"
        assert resource == {"resourceType": "Observation"}

    @pytest.mark.parametrize("bundle", [{}, {"entry": None}, {"entry": []}, {"entry": [{}, {"resource": {}}]}])
    def test_a_bundle_that_holds_nothing_gives_an_empty_transaction(self, seed: ModuleType, bundle: object) -> None:
        assert seed.transaction(bundle, "empty")["entry"] == []

    def test_two_resources_for_one_place_are_refused(self, seed: ModuleType) -> None:
        entry = {"resource": {"resourceType": "Patient", "id": "p1"}}
        with pytest.raises(ValueError, match="one-site: more than one resource for Patient/p1"):
            seed.transaction({"entry": [entry, entry]}, "one-site")

    def test_cases_that_would_overwrite_each_other_are_named(self, seed: ModuleType) -> None:
        def case(gender: str) -> object:
            return seed.transaction(
                {"entry": [{"resource": {"resourceType": "Patient", "id": "p", "gender": gender}}]}, ""
            )

        assert seed.conflicts({"a": case("male"), "b": case("male")}) == []
        assert seed.conflicts({"a": case("male"), "b": case("female")}) == ["Patient/p differs between a and b"]

    def test_the_sample_cases_can_be_loaded_together(self, seed: ModuleType) -> None:
        bundles = sorted((ROOT / "fhir_fixtures").glob("*/bundle.json"))
        cases = {
            path.parent.name: seed.transaction(json.loads(path.read_text("utf-8")), path.parent.name)
            for path in bundles
        }
        assert seed.conflicts(cases) == []

    @pytest.mark.parametrize(("answer", "status"), [(200, 0), (422, 1)])
    def test_the_status_says_whether_every_case_was_taken(
        self, seed: ModuleType, tmp_path: Path, answer: int, status: int
    ) -> None:
        (tmp_path / "one-site").mkdir()
        bundle = {"entry": [{"resource": {"resourceType": "Patient", "id": "p1"}}]}
        (tmp_path / "one-site" / "bundle.json").write_text(json.dumps(bundle), encoding="utf-8")
        with fhir_server(answer) as (address, posted):
            assert seed.main(f"{address}/", str(tmp_path)) == status
        assert posted == [seed.transaction(bundle, "one-site")]

    def test_the_status_says_when_there_is_nothing_to_load(self, seed: ModuleType, tmp_path: Path) -> None:
        assert seed.main("http://127.0.0.1:9/fhir", str(tmp_path)) == 2


class TestReadme:
    def test_opens_with_demo_and_test(self) -> None:
        first_block = text("README.md").split("```")[1]
        assert re.findall(r"^make (\w+)", first_block, re.MULTILINE) == ["demo", "test"]

    def test_names_every_make_target_and_no_other(self) -> None:
        named = set(re.findall(r"`make ([\w-]+)", text("README.md")))
        assert named == make_targets()

    def test_every_target_says_what_it_does(self) -> None:
        described = set(re.findall(r"^([a-z-]+):.*## ", text("Makefile"), re.MULTILINE))
        assert described == make_targets()

    def test_lists_every_setting_and_no_other(self) -> None:
        listed = set(re.findall(r"^\| `(CDS_[A-Z_]+)`", text("README.md"), re.MULTILINE))
        assert listed == {PREFIX + name.upper() for name in Settings.model_fields}

    def test_gives_the_defaults_that_hold(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
            monkeypatch.delenv(name)
        settings = Settings().model_dump()
        for name, default in re.findall(r"^\| `CDS_([A-Z_]+)` \| `([^`]+)` \|", text("README.md"), re.MULTILINE):
            assert default == str(settings[name.lower()]).lower(), name

    def test_its_hook_request_is_answered_with_a_card(self, client: FlaskClient) -> None:
        (request,) = re.findall(r"--data '\n(.+?)'\n```", text("README.md"), re.DOTALL)
        response = client.post("/cds-services/paravertebral-order-sign", json=json.loads(request))
        assert response.status_code == 200
        assert response.get_json()["cards"]

    def test_the_sample_requests_it_sends_exist(self) -> None:
        sent = re.findall(r"--data @(\S+)", text("README.md"))
        assert sent
        assert all((ROOT / path).is_file() for path in sent)

    @pytest.mark.parametrize(
        "page", ["README.md", "CHANGELOG.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
    )
    def test_links_to_files_lead_somewhere(self, page: str) -> None:
        for target in re.findall(r"\]\(([^)#:]+)\)", text(page)):
            assert (ROOT / page).parent.joinpath(target).exists(), target


class TestLocks:
    @pytest.mark.parametrize("name", LOCKS)
    def test_every_package_has_a_version_and_hashes(self, name: str) -> None:
        packages = re.split(r"\n(?=\S)", text(name).strip())
        assert packages
        for package in packages:
            assert re.match(r"[A-Za-z0-9._-]+==\S+", package), package[:80]
            assert "--hash=sha256:" in package, package[:80]

    @pytest.mark.parametrize("name", LOCKS)
    def test_no_index_is_named(self, name: str) -> None:
        assert not re.search(r"https?://|--index-url|--extra-index-url|--find-links", text(name))

    @pytest.mark.parametrize("name", ["requirements.txt", "requirements-build.txt"])
    def test_the_service_is_tested_with_the_versions_it_runs_with(self, name: str) -> None:
        assert pins(name).items() <= pins("requirements-dev.txt").items()

    def test_every_dependency_is_locked_and_has_its_reason(self) -> None:
        locked = pins("requirements.txt")
        reasons = set(re.findall(r"^\| ([a-z0-9.-]+)(?: \(optional\))? \|", text("docs/decisions.md"), re.MULTILINE))
        optional = [name for names in project()["optional-dependencies"].values() for name in names]
        for requirement in [*project()["dependencies"], *optional]:
            (name,) = re.findall(r"^[A-Za-z0-9._-]+", requirement)
            assert name.replace(".", "-") in locked, requirement
            assert name in reasons, requirement


@pytest.fixture(scope="module")
def charts() -> ModuleType:
    return load("bench/charts.py", "charts")


class TestBench:
    """What is measured must be what the page says is measured."""

    @pytest.mark.parametrize("block", [False, True])
    def test_requests_are_as_large_as_their_titles_say(self, charts: ModuleType, block: bool) -> None:
        order_sign, discharge, long_stay = (kind.build(fixed_chance(), block=block) for kind in charts.KINDS)
        assert 4500 <= len(charts.body(order_sign)) <= 5500
        types = [resource["resourceType"] for resource in charts.resources(discharge)]
        assert {"Claim", "Procedure", "DocumentReference"} <= set(types)
        types = [resource["resourceType"] for resource in charts.resources(long_stay)]
        assert (len(types), types.count("DocumentReference")) == (50, 5)

    @pytest.mark.parametrize("name", ["BLOCK_NOTE", "OTHER_NOTE"])
    def test_notes_are_of_two_kilobytes(self, charts: ModuleType, name: str) -> None:
        assert 1800 <= len(charts.note(getattr(charts, name), fixed_chance())) <= 2200

    def test_new_content_shares_no_id_and_hardly_a_sentence(self, charts: ModuleType) -> None:
        chance = fixed_chance()
        for kind in charts.KINDS:
            first, second = (kind.build(chance, block=True) for _ in range(2))
            ids = [{resource["id"] for resource in charts.resources(request)} for request in (first, second)]
            assert not ids[0] & ids[1]
        notes = [set(charts.note(charts.BLOCK_NOTE, chance).splitlines()) for _ in range(2)]
        assert len(notes[0] & notes[1]) <= len(notes[0]) / 2

    def test_fired_again_only_the_instance_is_new(self, charts: ModuleType) -> None:
        chance = fixed_chance()
        request = charts.KINDS[0].build(chance, block=True)
        again = charts.fired_again(request, chance)
        assert again["hookInstance"] != request["hookInstance"]
        assert {**again, "hookInstance": ""} == {**request, "hookInstance": ""}

    @pytest.mark.parametrize("block", [False, True])
    def test_requests_are_valid(self, charts: ModuleType, block: bool) -> None:
        for kind in charts.KINDS:
            jsonschema.validate(kind.build(fixed_chance(), block=block), schema(f"{kind.hook}-request"))

    def test_the_page_has_a_place_for_the_figures(self) -> None:
        page = text("docs/performance.md")
        marks = re.findall(r'"(<!-- measured: \w+ -->)"', text("bench/run.py"))
        assert [page.count(mark) for mark in marks] == [1, 1]
        assert page.index(marks[0]) < page.index(marks[1])


def test_ci_checks_demonstrates_and_tests() -> None:
    script = text(".ci/run")
    assert script.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in script
    for target in ("check", "demo", "test"):
        assert re.search(rf"^make {target}\b(?!-)", script, re.MULTILINE)
    assert "\nCI=true make test-integration\n" in script, "without CI it may skip everything"
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_license_is_the_one_declared() -> None:
    assert project()["license"] == "Apache-2.0"
    assert "Apache License" in text("LICENSE")
    assert "Version 2.0, January 2004" in text("LICENSE")
