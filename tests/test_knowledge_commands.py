"""`cds-service knowledge`: what it prints, where it writes, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from cds_service.cli import main

HEAD = "HCPCS/CPT Code,Practitioner Services MUE Values,MUE Adjudication Indicator,MUE Rationale\n"
GOOD = HEAD + "64461,1,2 Date of Service Edit: Policy,CMS Policy\n99213,2,3 Date of Service Edit: Clinical,Data\n"
BAD = HEAD + "64461,one,2 Policy,CMS\n64462,1,2 Policy,CMS\n6446,1,5,CMS\n"


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("CDS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(main, ["knowledge", *(str(a) for a in arguments)])


@pytest.fixture
def table(tmp_path):
    def write(text, name="mue.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


def mue(path, *more):
    return ("import", "--kind", "mue", "--quarter", "2026Q4", path, *more)


def test_an_import_says_what_it_did(run, table, site):
    result = run(*mue(table(GOOD), "--into", site))
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        f"Imported mue of 2026 Q4 into {site / 'mue_2026q4.csv'}",
        "         2 rows read",
        "         1 kept",
        "         1 ignored: about other codes",
    ]
    assert "In place of mue-2026q4" in run(*mue(table(GOOD), "--into", site)).stdout


def test_the_folder_of_the_settings_is_the_one(run, table, site, monkeypatch):
    monkeypatch.setenv("CDS_KNOWLEDGE_DIR", str(site))
    assert run(*mue(table(GOOD))).exit_code == 0
    assert (site / "mue_2026q4.csv").exists()


def test_several_files_are_one_table(run, table, site):
    head = "Column 1,Column 2,*,Effective Date,Deletion Date,Modifier,PTP Edit Rationale\n"
    parts = [
        table(f"{head}64461,{code},,20200101,*,1,Practice\n", f"ccipra-v323r0-f{part}.csv")
        for part, code in ((1, "96372"), (2, "96374"))
    ]
    result = run("import", "--kind", "ptp", "--quarter", "2026Q4", "--into", site, *parts)
    assert result.exit_code == 0, result.output
    assert "2 kept" in result.stdout
    assert "f1 to f2" in result.stdout


def test_malformed_rows_are_listed_and_nothing_is_written(run, table, site):
    result = run(*mue(table(BAD), "--into", site))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "mue.csv, line 2: MUE value 'one' cannot be read",
        "mue.csv, line 4: code '6446' is no code",
        "Error: nothing was imported: 2 rows cannot be understood",
    ]
    assert list(site.iterdir()) == []


def test_a_long_list_is_cut(run, table, site):
    result = run(*mue(table(HEAD + "64461,one,2,CMS\n" * 80), "--into", site))
    lines = result.stderr.splitlines()
    assert len(lines) == 52
    assert lines[-2:] == ["... and 30 more", "Error: nothing was imported: 80 rows cannot be understood"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--quarter", "2026Q7"), "'2026Q7' is no quarter; write it as 2026Q4"),
        (("--quarter", "2026Q4", "--kind", "ptp"), "import it with --kind mue"),
        (("--quarter", "2026Q4", "--kind", "icd"), "'icd' is not one of"),
    ],
)
def test_wrong_usage(arguments, message, run, table, site):
    result = run("import", "--kind", "mue", *arguments, table(GOOD), "--into", site)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert list(site.iterdir()) == []


def test_without_a_folder_it_asks_for_one(run, table):
    result = run(*mue(table(GOOD)))
    assert result.exit_code == 2
    assert "--into DIR, or set CDS_KNOWLEDGE_DIR" in result.stderr


def test_a_file_must_be_named(run, site):
    assert run("import", "--kind", "mue", "--quarter", "2026Q4", "--into", site).exit_code == 2


def test_a_broken_folder_ends_it_with_3(run, table, site):
    (site / "codes.toml").write_text("[64461\n")
    result = run(*mue(table(GOOD), "--into", site))
    assert result.exit_code == 3
    assert result.stderr.startswith("Error: ")
    assert "is not TOML" in result.stderr
    assert [path.name for path in site.iterdir()] == ["codes.toml"]


def test_an_overlap_needs_replace(run, table, site):
    run(*mue(table(GOOD), "--into", site))
    entry = (site / "tables.toml").read_text().replace("[mue-2026q4]", "[mue-own]")
    (site / "tables.toml").write_text(entry)
    refused = run(*mue(table(GOOD), "--into", site))
    assert refused.exit_code == 2
    assert "overlaps mue-own of" in refused.stderr
    assert "In place of mue-own" in run(*mue(table(GOOD), "--into", site, "--replace")).stdout


def test_status_for_machines(run, table, site, monkeypatch):
    monkeypatch.setenv("CDS_KNOWLEDGE_DIR", str(site))
    run(*mue(table(GOOD)))
    told = json.loads(run("status", "--format", "json").stdout)
    assert told["siteFolder"] == str(site)
    shipped, own = told["tables"]["mue"]["editions"]
    assert (shipped["origin"], own["origin"]) == ("shipped", "site")
    assert (own["from"], own["to"], own["rows"]) == ("2026-10-01", "2026-12-31", 1)
    assert own["source"]["date"] == "2026-10-01"
    assert "64466" in own["lacks"]
    assert told["documents"]["tables"]["fromSite"] == ["mue-2026q4"]
    assert set(told["tables"]) == {"ptp", "mue", "addon", "mpfs"}


def test_status_for_people(run, table, site, monkeypatch):
    monkeypatch.setenv("CDS_KNOWLEDGE_DIR", str(site))
    run(*mue(table(GOOD)))
    text = run("status").stdout
    assert f"with {site} laid over it" in " ".join(text.split())
    assert "2026-10-01   2026-12-31   1      site" in text
    assert "In no edition: 2024-10-01 to 2026-09-30." in text
    assert "of ours not in 2024 Q3: 62273, 64466, 64467" in text


def test_status_of_a_broken_folder(run, site, monkeypatch):
    monkeypatch.setenv("CDS_KNOWLEDGE_DIR", str(site))
    (site / "tables.toml").write_text("[x\n")
    result = run("status")
    assert result.exit_code == 3
    assert "is not TOML" in result.stderr


def test_the_service_starts_without_the_libraries_of_the_import():
    code = (
        "import sys, cds_service.app; from cds_service.settings import load_settings\n"
        "print({'python_calamine', 'tomlkit', 'cds_service.knowledge.imports'} & sys.modules.keys())"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"
