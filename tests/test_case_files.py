"""The cases are well formed: what they expect of the service is tested elsewhere."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest
from fhir.resources.R4B import get_fhir_model_class
from jsonschema import Draft202012Validator, FormatChecker

from cds_service.cases import BUNDLE, Case, CaseBlock, CaseLine, load_case, load_cases
from cds_service.resources import cases_folder, schema

ROOT = Path(__file__).resolve().parent.parent
CASES = load_cases(cases_folder())
CPT = "http://www.ama-assn.org/go/cpt"

each_case = pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("build_cases", ROOT / "tools" / "build_cases.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def resources(case: Case) -> list[dict]:
    return [entry["resource"] for entry in case.bundle()["entry"]]


def members(value):
    """Every object below `value`, itself included."""
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from members(member)
    elif isinstance(value, list):
        for item in value:
            yield from members(item)


def test_there_are_cases_for_both_hooks_and_several_profiles():
    assert len(CASES) >= 60
    assert {hook for case in CASES for hook in case.hooks} == {"order-sign", "encounter-discharge"}
    assert {"default", "medicare"} < {case.profile for case in CASES}
    assert len({case.title for case in CASES}) == len(CASES)


def test_every_folder_is_a_case():
    assert {path.name for path in cases_folder().iterdir() if path.is_dir()} == {case.id for case in CASES}


@each_case
def test_case_file_follows_its_schema(case):
    import tomllib

    data = tomllib.loads((case.folder / "case.toml").read_text(encoding="utf-8"))
    errors = Draft202012Validator(schema("case"), format_checker=FormatChecker()).iter_errors(data)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", case.id)
    assert {name for name in data["expected"] if name in {"order-sign", "encounter-discharge"}} <= set(case.hooks)


@each_case
def test_generated_files_are_up_to_date(case, build):
    stale = [path.name for path, text in build.generated(case).items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run: python -m tools.build_cases"


@each_case
def test_folder_holds_nothing_else(case, build):
    known = {"case.toml", *(path.name for path in build.generated(case)), *(["notes"] if case.note_files() else [])}
    if "order-sign" in case.hooks:
        known.add("draft-orders.json")
    assert {path.name for path in case.folder.iterdir()} == known


@each_case
def test_record_is_valid_fhir(case):
    get_fhir_model_class("Bundle").model_validate(case.bundle())


@each_case
def test_draft_orders_are_valid_fhir_unless_broken_on_purpose(case):
    orders = case.draft_orders()
    if orders and not case.requests.invalid_orders:
        get_fhir_model_class("Bundle").model_validate(orders)


@each_case
def test_hook_requests_follow_their_schemas(case):
    for hook in case.hooks:
        Draft202012Validator(schema(f"{hook}-request")).validate(case.request(hook))


@each_case
def test_references_lead_to_resources_of_the_bundle(case):
    there = {f"{resource['resourceType']}/{resource['id']}" for resource in resources(case)}
    named = {value["reference"] for value in members(case.bundle()) if isinstance(value.get("reference"), str)}
    assert named <= there


@each_case
def test_persons_are_invented_and_codes_carry_no_licensed_text(case):
    patients = [resource for resource in resources(case) if resource["resourceType"] == "Patient"]
    assert [patient["name"][0]["family"] for patient in patients] == ["Sample"]
    for part in members([case.bundle(), case.draft_orders()]):
        assert not (part.get("system") == CPT and "display" in part)


def test_ids_are_unique_so_that_all_cases_fit_on_one_server():
    seen: dict[str, str] = {}
    for case in CASES:
        for resource in resources(case):
            reference, content = f"{resource['resourceType']}/{resource['id']}", json.dumps(resource, sort_keys=True)
            assert seen.setdefault(reference, content) == content, f"{reference} differs between cases"
            assert re.fullmatch(r"[A-Za-z0-9.-]{1,64}", resource["id"])


ADVICE = {"diagnosis-support", "facet-third-level", "session-frequency"}
"""Rules that also give advice, which alone makes no card."""


@each_case
def test_expectations_are_consistent(case):
    for way in (BUNDLE, *case.hooks):
        expected = case.expected(way)
        assert not expected.findings & expected.findings_allowed
        assert not expected.missing & expected.missing_allowed
        assert ("missing-documentation" in expected.cards) == bool(
            expected.missing | expected.contradicted
        ) or way == BUNDLE
        assert ("clarification" in expected.cards) == bool(expected.queries) or way == BUNDLE
        assert "suggested-codes" in expected.cards or not expected.findings - ADVICE or way == BUNDLE
        assert expected.cards or not expected.summary_contains


def write_case(folder: Path, toml: str, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "case.toml").write_text(toml, encoding="utf-8")
    for name, text in files.items():
        (folder / name.replace("_json", ".json")).write_text(text, encoding="utf-8")
    return folder


TOML = """
title = "A case"
story = \"\"\"
Two
lines.
\"\"\"
hooks = ["order-sign"]
profile = "default"

[requests]
absent = ["documents"]

[expected]
findings = ["mue-exceeded"]
queries = 1
cards = ["clarification"]

[[expected.blocks]]
technique = "paravertebral"

[[expected.lines]]
code = "64461"
units = 1
modifiers = ["RT", "59"]

[expected.documentation]
missing = ["consent"]

[expected.order-sign]
queries = 0
cards = []
blocks = []
"""


def test_loader_reads_a_case(tmp_path):
    case = load_case(write_case(tmp_path / "a-case", TOML))
    expected = case.expected(BUNDLE)
    assert (case.id, case.story, case.hooks, case.requests.absent) == (
        "a-case",
        "Two lines.",
        ("order-sign",),
        ("documents",),
    )
    assert expected.blocks == (CaseBlock("paravertebral", None, None),)
    assert expected.lines == (CaseLine("64461", 1, ("RT", "59")),)
    assert (expected.findings, expected.missing, expected.queries) == ({"mue-exceeded"}, {"consent"}, 1)
    assert case.draft_orders() is None
    assert case.notes() == {}


def test_a_hook_replaces_whole_members_and_keeps_the_rest(tmp_path):
    expected = load_case(write_case(tmp_path / "a-case", TOML)).expected("order-sign")
    assert (expected.blocks, expected.queries, expected.cards) == ((), 0, ())
    assert (expected.findings, expected.missing) == ({"mue-exceeded"}, {"consent"})


@pytest.mark.parametrize(
    ("toml", "error"),
    [("title = ", ValueError), ('title = "no more"', KeyError), (TOML.replace("absent", "absence"), TypeError)],
)
def test_loader_refuses_what_is_not_a_case(tmp_path, toml, error):
    with pytest.raises(error):
        load_case(write_case(tmp_path / "a-case", toml))


def test_loader_needs_a_case_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_case(tmp_path)
    assert load_cases(tmp_path) == ()


@pytest.mark.parametrize(
    ("title", "notes"), [("a.txt", {}), ("a.txt", {"b.txt": b"text"}), ("a.txt", {"a.txt": b"text", "b.txt": b"text"})]
)
def test_notes_and_attachments_must_match(build, title, notes):
    bundle = {"id": "x", "entry": [{"resource": {"content": [{"attachment": {"title": title}}]}}]}
    with pytest.raises(ValueError, match="do not match"):
        build.with_notes(bundle, notes)


@pytest.mark.parametrize(("key", "state"), [("absent", "gone"), ("null", None), ("failed", "OperationOutcome")])
def test_prefetch_keys_can_be_absent_null_or_failed(tmp_path, build, key, state):
    toml = TOML.replace("absent", key)
    entries = [
        {"resource": {"resourceType": kind, "id": kind.lower()}}
        for kind in ("Patient", "Encounter", "Practitioner", "DocumentReference")
    ]
    case = load_case(write_case(tmp_path / "a-case", toml))
    prefetch = build.hook_request(case, "encounter-discharge", {"entry": entries})["prefetch"]
    documents = prefetch.get("documents", "gone")
    assert (documents["resourceType"] if isinstance(documents, dict) else documents) == state
    assert prefetch["procedures"] is None
