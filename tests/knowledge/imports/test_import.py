"""Importing CMS's files: what is kept, what is passed over, and that all else stays as it was."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.imports.errors import MalformedError, RefusedError
from cds_service.knowledge.imports.importer import Imported, import_table
from cds_service.knowledge.imports.quarter import Quarter
from cds_service.knowledge.library import load

Q4 = Quarter(2026, 4)
Write = Callable[..., Path]


def rows(done: Imported) -> list[str]:
    """The rows written, without their rationale."""
    keep = {"ptp": 3, "mue": 3, "addon": 3, "mpfs": 7}[done.reading.kind]
    with done.file.open(encoding="utf-8", newline="") as text:
        return [" ".join(row[:keep]) for row in list(csv.reader(text))[1:]]


def run(
    kind: str, paths: Path | Sequence[Path], site: Path, quarter: Quarter = Q4, *, replace: bool = False
) -> Imported:
    return import_table(kind, [paths] if isinstance(paths, Path) else paths, quarter, site, replace=replace)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# --- procedure-to-procedure edits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected", "why"),
    [
        pytest.param("64461 96372 20200101 * 1", ["64461 96372 1"], None, id="in force"),
        pytest.param("00540 64461 20200101 * 0", ["00540 64461 0"], None, id="block in column 2"),
        pytest.param("76942 77002 20200101 * 0", ["76942 77002 0"], None, id="two codes that are no blocks"),
        pytest.param("00540 77002 20200101 * 0", ["00540 77002 0"], None, id="imaging beside anesthesia"),
        pytest.param("00540 99213 20200101 * 0", [], "about other codes", id="anesthesia beside a stranger"),
        pytest.param("64461 96372 20261001 20261231 1", ["64461 96372 1"], None, id="exactly the quarter"),
        pytest.param("64461 96372 20261231 * 1", ["64461 96372 1"], None, id="begins on the last day"),
        pytest.param("64461 96372 20200101 20261001 1", ["64461 96372 1"], None, id="ends on the first day"),
        pytest.param("64461 96372 20200101 20260930 1", [], "deleted before the quarter", id="ended the day before"),
        pytest.param("64461 96372 20270101 * 1", [], "not yet in force in the quarter", id="begins the day after"),
        pytest.param("64461 96372 20200101 20200101 9", [], "marked not applicable (indicator 9)", id="indicator 9"),
        pytest.param("64461 96372 20200101 * 9", [], "marked not applicable (indicator 9)", id="9 without end"),
        pytest.param("64461 96372 20261101 20261001 1", [], "never in force", id="ends before it begins"),
        pytest.param("99213 97110 20200101 * 1", [], "about other codes", id="no code of ours"),
        pytest.param("76942 99213 20200101 * 1", [], "about other codes", id="imaging beside a stranger"),
    ],
)
def test_pairs_in_force_in_the_quarter_are_kept(
    given: str, expected: list[str], why: str | None, published: SimpleNamespace, file: Write, site: Path
) -> None:
    always = "64463 96372 20200101 * 0"
    done = run("ptp", file(published.ptp(given, always), "ccipra-v323r0-f1.txt"), site)
    assert rows(done) == sorted([*expected, "64463 96372 0"])
    assert done.reading.read == 2
    assert done.reading.ignored == ({why: 1} if why else {})


def test_a_pair_deleted_and_added_anew_counts_as_it_is_last(
    published: SimpleNamespace, file: Write, site: Path
) -> None:
    text = published.ptp(
        "64461 96372 20200101 20261031 0", "64461 96372 20261101 * 1", "64461 96372 20150101 20191231 0"
    )
    assert rows(run("ptp", file(text, "edits.txt"), site)) == ["64461 96372 1"]


def test_all_parts_of_a_table_are_one(published: SimpleNamespace, file: Write, site: Path) -> None:
    parts = [
        file(published.ptp("00540 64461 20200101 * 0"), "ccipra-v323r0-f1.TXT"),
        file(published.zipped({"ccipra-v323r0-f2.txt": published.ptp("64461 96372 20200101 * 1")}), "f2.zip"),
        file(
            published.xlsx([["Column 1", "Column 2", "*=in existence prior to 1996", "Effective Date",
                             "Deletion Date *=no data", "Modifier 0=not allowed 1=allowed 9=not applicable",
                             "PTP Edit Rationale"], ["64463", "96372", "", 20200101, "*", 1, "Practice"]]),
            "ccipra-v323r0-f3.xlsx",
        ),
    ]  # fmt: skip
    done = run("ptp", parts, site)
    assert rows(done) == ["00540 64461 0", "64461 96372 1", "64463 96372 1"]
    assert "f1 to f3" in done.reading.notes[0]


def test_a_zip_with_the_same_part_twice_is_read_once(published: SimpleNamespace, file: Write, site: Path) -> None:
    text = published.ptp("64461 96372 20200101 * 1")
    archive = published.zipped(
        {"a/ccipra-v323r0-f1.txt": text, "a/ccipra-v323r0-f1.xlsx": b"broken", "__MACOSX/ccipra-v323r0-f1.txt": b"\0"}
    )
    assert run("ptp", file(archive, "edits.zip"), site).reading.read == 1


def test_a_missing_part_is_refused(published: SimpleNamespace, file: Write, site: Path) -> None:
    text = published.ptp("64461 96372 20200101 * 1")
    paths = [file(text, f"ccipra-v323r0-f{part}.txt") for part in (1, 3)]
    with pytest.raises(RefusedError, match="f1, f3 were given without f2"):
        run("ptp", paths, site)
    assert contents(site) == {}


# --- the other tables ------------------------------------------------------------------------------------------------


def test_unlikely_edits(published: SimpleNamespace, file: Write, site: Path) -> None:
    text = published.mue("64461 1 2", "64421 4 3", "99213 2 1", "64461 1 2")
    done = run("mue", file(text.encode("cp1252"), "MCR_MUE_PractitionerServices_Eff_10-01-2026.csv"), site)
    assert rows(done) == ["64421 4 3", "64461 1 2"]
    assert done.reading.ignored == {"about other codes": 1, "repeated": 1}


def test_unlikely_edits_of_a_workbook(published: SimpleNamespace, file: Write, site: Path) -> None:
    head = ["HCPCS/\nCPT Code", "Practitioner Services MUE Values", "MUE Adjudication Indicator", "MUE Rationale"]
    book = published.xlsx(
        [["A second sheet comes first"]], [["Copyright"], head, ["64461", 1, "2 Date of Service Edit: Policy", "CMS"]]
    )
    assert rows(run("mue", file(book, "mue.xlsx"), site)) == ["64461 1 2"]


def test_add_ons_of_a_workbook(published: SimpleNamespace, file: Write, site: Path) -> None:
    sheet = published.addon(
        "1 64462 64461 2016001 -",
        "1 64421 64420 2013091 2026273",
        "1 64421 64461 2027001 -",
        "3 76942 20206 2013091 2026274",
        "2 77002 CCCCC 2013091 -",
        "1 99292 99291 2013091 -",
    )
    done = run("addon", file(published.xlsx(sheet), "AOC_V2026Q4-MCR.xlsx"), site)
    assert rows(done) == ["20206 76942 3", "64461 64462 1", "CCCCC 77002 2"]
    assert done.reading.notes == (
        "Type 2, the contractor says which primaries there are: 77002.",
        "Type 3, the contractor may add primaries to those listed: 76942.",
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("164462       64461       2016001", ["64461 64462 1"], id="start only"),
        pytest.param("164462       64461       2016001       Some note", ["64461 64462 1"], id="with a note"),
        pytest.param("276942   CCCCC   2013091   Contractor Defined", ["CCCCC 76942 2"], id="contractors"),
        pytest.param("164462       6446120262732016001", [], id="primary deleted before"),
        pytest.param("164462       64461       20160012026273", [], id="edit deleted before"),
        pytest.param("164462202627364461       2016001", [], id="add-on deleted before"),
        pytest.param("164462       6446120273652016001", ["64461 64462 1"], id="primary deleted after"),
        pytest.param("1\t64462\t\t64461\t\t2016001\t\t", ["64461 64462 1"], id="tabs without a header"),
    ],
)
def test_add_ons_of_the_text_form(line: str, expected: list[str], file: Write, site: Path) -> None:
    text = f"CPT only copyright 2025 American Medical Association.\n{line}\n177002       20206       2016001\n"
    assert rows(run("addon", file(text, "AOC_V2026Q4-MCR.txt"), site)) == ["20206 77002 1", *expected]


def test_indicators_of_the_fee_schedule(published: SimpleNamespace, file: Write, site: Path) -> None:
    text = published.mpfs(
        "64461 - A 000 2 1 1 0", "64462 - A ZZZ 0 1 1 0", "76942 26 A XXX 0 0 0 1", "99213 - A XXX 0 0 0 0"
    )
    done = run("mpfs", file(text, "PPRRVU2026_Oct_nonQPP.csv"), site)
    assert rows(done) == ["64461 A 000 2 1 1 0", "64462 A ZZZ 0 1 1 0"]
    assert done.reading.ignored == {"about a component or a modifier (26, TC, 53)": 1, "about other codes": 1}
    assert load(site).sources["cms-mpfs-2026q4"].published == "2026-09-15"


def test_no_description_is_ever_stored(published: SimpleNamespace, file: Write, site: Path) -> None:
    run("mpfs", file(published.mpfs("64461 - A 000 2 1 1 0"), "a.csv"), site)
    assert not any(published.secret.encode() in content for content in contents(site).values())


def test_the_fee_schedule_is_found_in_its_zip(published: SimpleNamespace, file: Write, site: Path) -> None:
    archive = published.zipped(
        {
            "GPCI2026.csv": "a,b,c\n",
            "PPRRVU2026_Oct_QPP.csv": published.mpfs("64461 - A 000 2 0 1 0"),
            "PPRRVU2026_Oct_nonQPP.csv": published.mpfs("64461 - A 000 2 1 1 0"),
        }
    )
    assert rows(run("mpfs", file(archive, "rvu26d.zip"), site)) == ["64461 A 000 2 1 1 0"]


# --- what an import does to the folder -------------------------------------------------------------------------------


def test_the_table_is_used_from_then_on_and_cites_its_source(
    published: SimpleNamespace, file: Write, site: Path
) -> None:
    run("mue", file(published.mue("64461 7 3"), "mue.csv"), site)
    knowledge = load(site)
    edit = knowledge.on(date(2026, 11, 1)).mue("64461")
    assert edit is not None
    assert (edit.units, edit.mai, edit.edition) == (7, 3, "2026 Q4")
    source = knowledge.sources[edit.source]
    assert (source.published, source.publisher) == ("2026-10-01", "Centers for Medicare & Medicaid Services")
    assert knowledge.on(date(2024, 8, 1)).mue("64461") != edit


def test_the_same_quarter_is_replaced(published: SimpleNamespace, file: Write, site: Path) -> None:
    run("mue", file(published.mue("64461 7 3", "64462 1 2"), "mue.csv"), site)
    done = run("mue", file(published.mue("64461 8 3"), "mue.csv"), site)
    assert done.replaced == ("mue-2026q4",)
    assert rows(done) == ["64461 8 3"]
    assert len(tomllib.loads((site / "tables.toml").read_text())) == 1


def test_a_shipped_quarter_is_replaced_by_laying_over_it(published: SimpleNamespace, file: Write, site: Path) -> None:
    run("mue", file(published.mue("64461 7 3"), "mue.csv"), site, Quarter(2024, 3))
    edit = load(site).on(date(2024, 8, 1)).mue("64461")
    assert edit is not None
    assert edit.units == 7


HAND_EDITED = """# Our tables. Ask compliance before changing one.

[mue-2026]   # the whole year
kind = "mue"
file = "mue_2026.csv"
edition = "2026 Q1"
from = 2026-01-01
to = {to}
source = "cms-ncci-mue-2024q3"
origin = "Typed by hand"
"""


def by_hand(site: Path, to: str) -> None:
    (site / "tables.toml").write_text(HAND_EDITED.format(to=to))
    (site / "mue_2026.csv").write_text("code,units,mai,rationale\n64461,2,2,By hand\n")


def test_what_people_wrote_stays(published: SimpleNamespace, file: Write, site: Path) -> None:
    by_hand(site, "2026-09-30")
    run("mue", file(published.mue("64461 7 3"), "mue.csv"), site)
    run("mue", file(published.mue("64461 7 3"), "mue.csv"), site)
    text = (site / "tables.toml").read_text()
    assert text.startswith(HAND_EDITED.format(to="2026-09-30"))
    assert tomllib.loads(text)["mue-2026q4"]["from"] == date(2026, 10, 1)


def test_an_overlap_is_refused_unless_it_may_be_replaced(published: SimpleNamespace, file: Write, site: Path) -> None:
    by_hand(site, "2026-12-31")
    before = contents(site)
    path = file(published.mue("64461 7 3"), "mue.csv")
    with pytest.raises(RefusedError, match=r"overlaps mue-2026 of .*--replace removes that entry"):
        run("mue", path, site)
    assert contents(site) == before
    done = run("mue", path, site, replace=True)
    assert done.replaced == ("mue-2026",)
    assert set(contents(site)) == {"mue_2026q4.csv", "sources.toml", "tables.toml"}
    assert (site / "tables.toml").read_text().startswith("# Our tables.")


def test_entries_in_a_folder_of_tables_are_changed_where_they_are(
    published: SimpleNamespace, file: Write, site: Path
) -> None:
    run("mue", file(published.mue("64461 7 3"), "mue.csv"), site)
    (site / "tables").mkdir()
    (site / "tables.toml").rename(site / "tables" / "mue.toml")
    run("mue", file(published.mue("64461 8 3"), "mue.csv"), site)
    assert not (site / "tables.toml").exists()


def test_a_folder_that_would_not_load_is_put_back(
    published: SimpleNamespace, file: Write, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("mue", file(published.mue("64461 7 3"), "mue.csv"), site)
    before = contents(site)
    calls = []

    def refuses(folder: Path) -> object:
        calls.append(contents(folder))
        if len(calls) == 1:
            return load(folder)
        raise KnowledgeError("tables.toml", "", "does not load")

    monkeypatch.setattr("cds_service.knowledge.imports.importer.load", refuses)
    with pytest.raises(KnowledgeError):
        run("mue", file(published.mue("64461 8 3"), "mue.csv"), site)
    assert calls[1] != before
    assert contents(site) == before


def test_a_write_that_fails_leaves_everything_as_it_was(
    published: SimpleNamespace, file: Write, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("mue", file(published.mue("64461 7 3"), "mue.csv"), site)
    before = contents(site)
    real = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == "tables.toml":
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(RefusedError, match="No space left"):
        run("mue", file(published.mue("64461 8 3"), "mue.csv"), site)
    assert contents(site) == before


def test_a_folder_that_is_missing_is_made_only_when_needed(
    published: SimpleNamespace, file: Write, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    with pytest.raises(MalformedError):
        run("mue", file(published.mue("64461 many 3"), "mue.csv"), folder)
    assert not folder.exists()
    run("mue", file(published.mue("64461 7 3"), "mue.csv"), folder)
    assert set(contents(folder)) == {"mue_2026q4.csv", "sources.toml", "tables.toml"}


def test_a_broken_folder_is_not_touched(published: SimpleNamespace, file: Write, site: Path) -> None:
    (site / "tables.toml").write_text("[mue\n")
    with pytest.raises(KnowledgeError, match="is not TOML"):
        run("mue", file(published.mue("64461 7 3"), "mue.csv"), site)
    assert contents(site) == {"tables.toml": b"[mue\n"}


def test_a_table_of_other_days_keeps_its_file(published: SimpleNamespace, file: Write, site: Path) -> None:
    by_hand(site, "2026-09-30")
    text = (site / "tables.toml").read_text().replace("mue_2026.csv", "mue_2026q4.csv")
    (site / "tables.toml").write_text(text)
    (site / "mue_2026.csv").rename(site / "mue_2026q4.csv")
    before = contents(site)
    with pytest.raises(RefusedError, match=r"mue-2026 of .* uses the name mue_2026q4\.csv"):
        run("mue", file(published.mue("64461 7 3"), "mue.csv"), site)
    assert contents(site) == before


def test_an_overlapping_entry_elsewhere_is_removed_with_its_table(
    published: SimpleNamespace, file: Write, site: Path
) -> None:
    by_hand(site, "2026-12-31")
    (site / "tables").mkdir()
    (site / "tables.toml").rename(site / "tables" / "own.toml")
    run("mue", file(published.mue("64461 7 3"), "mue.csv"), site, replace=True)
    assert set(contents(site)) == {"mue_2026q4.csv", "sources.toml", "tables.toml", "tables/own.toml"}
    assert tomllib.loads((site / "tables" / "own.toml").read_text()) == {}


def test_a_shipped_overlap_cannot_be_removed(
    published: SimpleNamespace, file: Write, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Quarter, "first", date(2024, 9, 1))
    with pytest.raises(RefusedError, match=r"overlaps mue-2024q3 of tables\.toml .* which is shipped"):
        run("mue", file(published.mue("64461 7 3"), "mue.csv"), site, replace=True)
