"""The command line: what it prints, and the exit codes that scripts depend on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from cds_service import __version__, resources
from cds_service.app import create_app
from cds_service.cases import load_cases
from cds_service.cli import COMMANDS, main
from cds_service.hooks.services import SERVICES
from cds_service.settings import SettingsError, load_settings
from tools.note_formats import FORMATS

CASES = {case.id: case for case in load_cases(resources.cases_folder())}
NOTE = """Procedure note, 2026-03-02
Thoracic paravertebral block for pain after right thoracotomy. Risks were explained and consent was given.
Ultrasound guidance. Right T4 and T6 were injected, 10 mL of 0.5 % ropivacaine at each level after negative aspiration.
No complications.
"""
NO_BLOCK = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Patient"}}]}


@pytest.fixture(autouse=True)
def _environment(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("CDS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture
def run():
    return lambda *arguments, stdin=None: CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)


@pytest.fixture
def file(tmp_path):
    def write(content, name="input"):
        path = tmp_path / name
        if isinstance(content, dict | list):
            content = json.dumps(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    return create_app(load_settings(database_url=f"sqlite:///{folder / 'test.db'}")).test_client()


def assert_one_line(result, exit_code):
    assert result.exit_code == exit_code, result.output
    assert result.stdout == ""
    *usage, last = result.stderr.rstrip("\n").split("\n")
    assert last.startswith("Error: ")
    assert all(line.startswith(("Usage: ", "Try ")) or not line for line in usage)
    return last


# --- the group -------------------------------------------------------------------------------------------------------


def test_help_lists_every_command_and_the_exit_codes(run):
    result = run("--help")
    assert result.exit_code == 0
    for name, about in COMMANDS.items():
        assert re.search(rf"{name}\s+{about}", result.stdout)
    assert "Exit codes: 0 done; 1" in " ".join(result.stdout.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(run, name):
    command = import_module(f"cds_service.commands.{name}").command
    assert isinstance(command, click.Command)
    assert command.name == name
    result = run(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: main {name}")


def test_every_module_with_a_command_is_listed():
    folder = Path(str(import_module("cds_service.commands").__file__)).parent
    commands = {path.stem for path in folder.glob("*.py") if "\ncommand" in path.read_text().replace("def ", "")}
    assert commands == set(COMMANDS)


def test_the_version_is_that_of_the_package(run):
    assert run("--version").stdout == f"cds-service, version {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["chek"], ["--colour"], ["serve", "--port", "0"], ["check"], ["rules", "a", "b"]]
)
def test_wrong_usage_is_2(run, arguments):
    assert_one_line(run(*arguments), 2)


def test_asking_for_help_loads_none_of_the_heavy_parts():
    heavy = "['rich', 'flask', 'requests', 'pydantic', 'granian', 'cds_service.knowledge', 'sqlalchemy']"
    code = (
        "import sys; from cds_service.cli import main; main(['--help'], standalone_mode=False); "
        f"sys.exit(str([m for m in {heavy} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"


def test_serving_does_not_load_the_libraries_of_the_terminal():
    heavy = "['rich', 'cds_service.demo']"
    code = f"import sys, cds_service.commands.serve; sys.exit(str([m for m in {heavy} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"


def test_an_error_of_the_program_is_one_line_without_the_record(run, file, monkeypatch):
    def broken(*_):
        raise KeyError("Jane Doe")

    monkeypatch.setattr("cds_service.pipeline.Pipeline.review_note", broken)
    line = assert_one_line(run("check", file(NOTE)), 70)
    assert re.fullmatch(r"Error: internal error, KeyError at .*test_cli\.py:\d+", line)
    assert "Jane" not in line


# --- check: what it is given -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        NOTE,
        NOTE.replace("\n", "\r\n"),
        "\ufeff" + NOTE,
        NOTE.encode("utf-16"),
        NOTE.replace("Risks", "Größe 1,70 m. Risks").encode("latin-1"),
        "[x] time-out\n" + NOTE,
        "{Anesthesia} " + NOTE,
    ],
)
def test_the_text_of_a_note_is_read_in_whatever_encoding(run, file, content):
    result = run("check", file(content), "--format", "json")
    assert result.exit_code == 1
    (assessment,) = json.loads(result.stdout)["assessments"]
    assert [block["technique"] for block in assessment["blocks"]] == ["paravertebral"]


def test_standard_input_is_a_dash(run, file):
    by_file = run("check", file(NOTE), "--format", "json")
    assert run("check", "-", "--format", "json", stdin=NOTE).stdout == by_file.stdout


def test_a_single_resource_is_as_good_as_a_bundle_of_it(run, file):
    procedure = next(
        e["resource"]
        for e in CASES["procedure-without-note"].bundle()["entry"]
        if e["resource"]["resourceType"] == "Procedure"
    )
    alone = run("check", file(procedure), "--format", "json")
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": procedure}]}
    assert alone.stdout == run("check", file(bundle), "--format", "json").stdout
    assert json.loads(alone.stdout)["assessments"][0]["blocks"]


@pytest.mark.parametrize("form", FORMATS)
def test_a_note_in_any_format(run, file, form):
    typed = json.loads(run("check", file(NOTE), "--format", "json").stdout)["assessments"][0]
    found = json.loads(run("check", file(FORMATS[form][1](NOTE)), "--format", "json").stdout)["assessments"][0]
    assert found["blocks"]
    assert found["expectedLines"][0]["code"] == typed["expectedLines"][0]["code"]
    assert [each["status"] for each in found["documentation"]] == [each["status"] for each in typed["documentation"]]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty"),
        (" \n\t", "is empty"),
        (b"%PDF-1.7 some", "the PDF cannot be read"),
        (b"PK\x03\x04\x00\x00", "it is not text"),
        (r"{\rtf1 }", "is empty"),
        (b"note\x00note", "it is not text"),
        ('{"resourceType": "Bundle"', "not valid JSON (at line 1, column"),
        ('{"a": NaN}', "not valid JSON"),
        ('[{"a": 1}]', "neither a FHIR resource"),
        ("{}", "neither a FHIR resource"),
        ("[]", "neither a FHIR resource"),
        ('{"resourceType": 5}', "neither a FHIR resource"),
        ('{"hook": 5}', "neither a FHIR resource"),
        ('{"hook": "patient-view"}', "they answer order-sign, encounter-discharge"),
        ('{"hook": "order-sign"}', "hookInstance is required"),
        ('{"hook": "order-sign", "hookInstance": "1", "context": []}', "must be of type object"),
        (
            {
                "hook": "encounter-discharge",
                "hookInstance": "1",
                "context": {"userId": "Practitioner/1", "patientId": "Jane", "encounterId": "1"},
            },
            "nothing to judge: the prefetch has none of procedures, claims, documents",
        ),
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "cards"])
def test_what_cannot_be_read_is_2_with_one_line_and_no_word_of_it(run, file, content, complaint, form):
    line = assert_one_line(run("check", file(content), "--format", form), 2)
    assert complaint in line
    assert "Jane" not in line


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["check", "no/such/file"], "No such file"),
        (["check", "."], "Is a directory"),
        (["check", "-", "--profile", "acme"], "there are aetna, bcbs"),
        (["check", "-", "--date", "2026-02-30"], "2026-02-30"),
        (["check", "-", "--date", "yesterday"], "yesterday"),
        (["check", "-", "--format", "xml"], "xml"),
    ],
)
def test_options_and_files_that_are_not_are_2(run, arguments, complaint):
    assert complaint in assert_one_line(run(*arguments, stdin=NOTE), 2)


@pytest.mark.parametrize("option", [["--profile", "medicare"], ["--date", "2026-01-01"]])
def test_a_hook_request_says_payer_and_day_itself(run, option):
    request = CASES["addon-alone"].folder / "encounter-discharge.json"
    assert "a hook request says both itself" in assert_one_line(run("check", request, *option), 2)


# --- check: what it answers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_json_is_what_the_service_answers(run, service, name):
    file = CASES[name].folder / "bundle.json"
    result = run("check", file, "--format", "json")
    document = json.loads(result.stdout)
    Draft202012Validator(resources.schema("assessment")).validate(document)
    assert document == service.post("/assessments", data=file.read_bytes()).json
    assert result.stderr == ""
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize(("name", "hook"), [(case.id, hook) for case in CASES.values() for hook in case.hooks])
def test_cards_are_what_the_hook_answers(run, service, name, hook):
    file = CASES[name].folder / f"{hook}.json"
    result = run("check", file, "--format", "cards")
    service_id = next(s.id for s in SERVICES if s.hook == hook)
    answer = service.post(f"/cds-services/{service_id}", data=file.read_bytes()).json
    assert json.loads(result.stdout) == answer
    # Whoever gets a card has something to look at, and the exit code says so.
    assert result.exit_code == (1 if answer["cards"] else 0)


@pytest.mark.parametrize("name", CASES)
def test_the_report_is_printed_for_every_case(run, name):
    result = run("check", CASES[name].folder / "bundle.json")
    assert result.exit_code in (0, 1)
    assert ("To look at" in result.stdout) == (result.exit_code == 1)
    assert result.stderr == ""


def test_a_bundle_or_note_gets_the_cards_of_a_discharge(run, file):
    for given in (CASES["addon-alone"].folder / "bundle.json", file(NOTE)):
        cards = json.loads(run("check", given, "--format", "cards").stdout)["cards"]
        assert cards[0]["extension"]["org.paravertebral-cds.card"]["kind"] == "suggested-codes"


def test_no_block_is_nothing_to_say(run, file):
    result = run("check", file({**NO_BLOCK, "entry": []}))
    assert (result.exit_code, json.loads(run("check", file({**NO_BLOCK, "entry": []}), "--format", "json").stdout)) == (
        0,
        {"assessments": []},
    )
    assert "nothing to say" in result.stdout


def test_a_note_is_reported_with_lines_quotes_and_what_is_missing(run, file):
    shown = run("check", file(NOTE)).stdout
    for words in (
        "64461-RT ×1",
        "64462-RT ×1",
        "“Ultrasound",
        "response  missing",
        "T4 right, T6 right",
        "Required by",
    ):
        assert words in shown


def test_payer_and_day_can_be_given(run, file):
    arguments = ["--format", "json", "--profile", "medicare", "--date", "2025-11-03"]
    (assessment,) = json.loads(run("check", file(NOTE), *arguments).stdout)["assessments"]
    assert (assessment["profile"], assessment["dateOfService"]) == ("medicare", "2025-11-03")
    shown = run("check", file(NOTE), "--date", "2025-11-03").stdout
    assert shown.startswith("Monday 2025-11-03")


def test_a_record_does_not_steer_the_terminal(run, file):
    note = NOTE.replace("Risks were", "\x1b[2J\x1b]0;owned\x07[bold]Risks[/bold] were")
    result = run("check", file(note))
    assert "\x1b" not in result.stdout
    assert "\x07" not in result.stdout


# --- settings and knowledge that cannot be used ----------------------------------------------------------------------


@pytest.mark.parametrize("command", [["check", "-"], ["codes"], ["codes", "64461"], ["rules"], ["serve"]])
@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [("CDS_PORT", "http", "CDS_PORT"), ("CDS_KNOWLEDGE_DIR", "/no/such", "CDS_KNOWLEDGE_DIR: is not a folder")],
)
def test_a_setting_that_cannot_be_used_is_3(run, monkeypatch, command, name, value, complaint):
    monkeypatch.setenv(name, value)
    assert complaint in assert_one_line(run(*command, stdin=NOTE), 3)


@pytest.mark.parametrize("command", [["check", "-"], ["codes"], ["rules"], ["serve"]])
def test_knowledge_that_cannot_be_used_is_3(run, monkeypatch, tmp_path, command):
    (tmp_path / "codes.toml").write_text("[64461\n")
    monkeypatch.setenv("CDS_KNOWLEDGE_DIR", str(tmp_path))
    assert "codes.toml" in assert_one_line(run(*command, stdin=NOTE), 3)


def test_descriptors_that_cannot_be_used_are_3(run, monkeypatch, file):
    monkeypatch.setenv("CDS_CPT_DESCRIPTORS", str(file("64461\n", "cpt.csv")))
    assert "row 1 must have two columns" in assert_one_line(run("codes", "64461"), 3)


# --- rules, codes, serve ---------------------------------------------------------------------------------------------


def test_rules_are_listed_and_shown(run):
    listed = run("rules").stdout
    ids = [line.split()[0] for line in listed.split("\n")[2:] if line.strip()]
    assert "mue-exceeded" in ids
    for rule in ids:
        shown = run("rules", rule)
        assert shown.exit_code == 0
        for heading in ("What it checks", "Why it matters", "Known limits", "Cited"):
            assert heading in shown.stdout
    assert "no rule 'zebra'" in assert_one_line(run("rules", "zebra"), 2)


def test_codes_are_listed_and_shown(run, monkeypatch, file):
    codes = re.findall(r"^(\w{5})  ", run("codes").stdout, re.MULTILINE)
    assert {"64461", "64462", "64463", "76942"} <= set(codes)
    for code in codes:
        shown = run("codes", code)
        assert shown.exit_code == 0
        assert "copyright of the American Medical Association" in shown.stdout
        assert "Sources" in shown.stdout
    assert "no code '99999'" in assert_one_line(run("codes", "99999"), 2)
    monkeypatch.setenv("CDS_CPT_DESCRIPTORS", str(file("64461,[b]licensed[/b]\n", "cpt.csv")))
    assert "CPT descriptor: [b]licensed[/b]" in run("codes", "64461").stdout


def test_options_of_serve_win_over_the_environment(run, monkeypatch):
    served = []
    monkeypatch.setenv("CDS_PORT", "9001")
    monkeypatch.setenv("CDS_THREADS", "7")
    monkeypatch.setattr("cds_service.commands.serve.run", lambda settings, create: served.append((settings, create)))
    assert run("serve", "--port", "9002", "--workers", "2").exit_code == 0
    ((settings, create),) = served
    assert (settings.host, settings.port, settings.workers, settings.threads) == ("127.0.0.1", 9002, 2, 7)
    assert create is create_app


def test_serving_unsafely_is_refused(run):
    assert "CDS_ALLOW_UNSAFE" in assert_one_line(run("serve", "--host", "0.0.0.0"), 3)  # noqa: S104 - it is refused


def test_a_server_that_cannot_run_is_said_in_one_line(run, monkeypatch):
    def taken(settings, _create):
        raise SettingsError(f"CDS_PORT: cannot listen on {settings.host}\nport {settings.port}")

    monkeypatch.setattr("cds_service.commands.serve.run", taken)
    assert assert_one_line(run("serve"), 3) == "Error: CDS_PORT: cannot listen on 127.0.0.1 port 8080"


# --- as a real process -----------------------------------------------------------------------------------------------


def _process(*arguments, stdin=b"", **environment):
    return subprocess.run(
        [sys.executable, "-m", "cds_service", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "exit_code"),
    [
        (["check", CASES["no-block-at-all"].folder / "encounter-discharge.json"], {}, 0),
        (["check", CASES["addon-alone"].folder / "bundle.json"], {}, 1),
        (["check", "/no/such/file"], {}, 2),
        (["check", "-"], {"CDS_PORT": "x"}, 3),
        (["codes", "64461"], {"PYTHONIOENCODING": "ascii"}, 0),
    ],
)
def test_exit_codes_of_the_process(arguments, environment, exit_code):
    done = _process(*arguments, **environment)
    assert done.returncode == exit_code, done.stderr
    assert b"Traceback" not in done.stderr
    assert (done.stderr == b"") == (exit_code < 2)


def test_a_terminal_that_cannot_show_a_sign_still_gets_the_report():
    done = _process("check", CASES["addon-alone"].folder / "bundle.json", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"64461-RT ?1" in done.stdout


def test_json_is_utf8_whatever_the_terminal_speaks():
    done = _process("check", CASES["addon-alone"].folder / "bundle.json", "--format", "json", PYTHONIOENCODING="ascii")
    assert json.loads(done.stdout.decode("utf-8"))["assessments"]
    assert "×" in done.stdout.decode("utf-8")


def test_a_reader_that_goes_away_is_no_error_of_ours():
    process = subprocess.Popen(
        [sys.executable, "-m", "cds_service", "codes", "64461"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait()


def test_check_explains_where_it_read_what(run):
    result = run("check", "-", "--explain", stdin=NOTE)
    assert "[Ultrasound|guidance] guidance." in result.stdout
    assert "[Right|side]" in result.stdout


def test_explaining_is_for_the_report(run):
    assert_one_line(run("check", "-", "--explain", "--format", "json", stdin=NOTE), 2)
