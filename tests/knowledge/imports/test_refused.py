"""Files that are wrong: each gives one clear message, rows their numbers, and nothing is written."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from cds_service.knowledge.imports import sheets
from cds_service.knowledge.imports.errors import MalformedError, RefusedError
from cds_service.knowledge.imports.importer import import_table
from cds_service.knowledge.imports.quarter import Quarter, quarters_named

Q4 = Quarter(2026, 4)
Write = Callable[..., Path]
GOOD = {"ptp": "64463 96372 20200101 * 0", "mue": "64463 1 2", "mpfs": "64463 - A 000 2 1 1 0"}


@pytest.fixture
def refused(file: Write, site: Path) -> Callable[[str, str | bytes, str], str]:
    """Import a file that must be refused; return the message."""

    def attempt(kind: str, content: str | bytes, name: str) -> str:
        with pytest.raises(RefusedError) as error:
            import_table(kind, [file(content, name)], Q4, site, replace=False)
        assert list(site.iterdir()) == []
        assert "\n" not in str(error.value)
        return str(error.value)

    return attempt


@pytest.mark.parametrize(
    ("kind", "row", "reason"),
    [
        ("ptp", "6446 96372 20200101 * 1", "column 1 '6446' is no code"),
        ("ptp", "64461 9637X2 20200101 * 1", "column 2 '9637X2' is no code"),
        ("ptp", "64461 96372 20201301 * 1", "'20201301' is no day (YYYYMMDD)"),
        ("ptp", "64461 96372  * 1", "'' is no day (YYYYMMDD)"),
        ("ptp", "64461 96372 20200101 never 1", "'never' is no day (YYYYMMDD)"),
        ("ptp", "64461 96372 20200101 * 2", "modifier indicator '2' cannot be read"),
        ("ptp", "99213 96372 20200101 * x", "modifier indicator 'x' cannot be read"),
        ("ptp", "64463 96372 20200101 * 1", "says other of 64463 and 96372 than"),
        ("mue", "64461 one 2", "MUE value 'one' cannot be read"),
        ("mue", "64461 -1 2", "MUE value '-1' cannot be read"),
        ("mue", "64461 1.5 2", "MUE value '1.5' cannot be read"),
        ("mue", "64461 1 4", "adjudication indicator '4' cannot be read"),
        ("mue", "64461 1 23", "adjudication indicator '23' cannot be read"),
        ("mue", "ABCDE 1 2", "code 'ABCDE' is no code"),
        ("mue", "64463 2 2", "says other of 64463 than"),
        ("mpfs", "64461 - AA 000 2 1 1 0", "status 'AA' cannot be read"),
        ("mpfs", "64461 - A 00X 2 1 1 0", "global days '00X' cannot be read"),
        ("mpfs", "64461 - A 000 2 7 1 0", "bilateral surgery '7' cannot be read"),
        ("mpfs", "64461 265 A 000 2 1 1 0", "modifier '265' cannot be read"),
        ("mpfs", "6446 - A 000 2 1 1 0", "HCPCS '6446' is no code"),
    ],
)
def test_a_wrong_row_is_named_with_its_line_and_nothing_is_written(
    kind: str, row: str, reason: str, published: SimpleNamespace, file: Write, site: Path
) -> None:
    text = getattr(published, kind)(GOOD[kind], row)
    with pytest.raises(MalformedError) as error:
        import_table(kind, [file(text, "table.csv" if kind != "ptp" else "table.txt")], Q4, site, replace=False)
    (problem,) = error.value.problems
    assert problem.reason.startswith(reason)
    place, _, line = problem.place.rpartition(" line ")
    assert place.startswith("table.")
    assert row[:4] in text.splitlines()[int(line) - 1]
    assert list(site.iterdir()) == []


def test_every_wrong_row_is_counted_and_the_first_are_listed(
    published: SimpleNamespace, file: Write, site: Path
) -> None:
    text = published.ptp(*["64461 96372 20200101 * 7"] * 70)
    with pytest.raises(MalformedError) as error:
        import_table("ptp", [file(text, "a.txt")], Q4, site, replace=False)
    assert error.value.count == 70
    assert [problem.place for problem in error.value.problems] == [f"a.txt, line {n}" for n in range(7, 57)]


def test_rows_of_a_workbook_are_named_by_their_number(published: SimpleNamespace, file: Write, site: Path) -> None:
    sheet = [[], *published.addon("1 64462 64461 2016001 -", "4 64462 64461 2016001 -", "1 64462 64461 2016367 -")]
    sheet.append(["1", "64462"])
    with pytest.raises(MalformedError) as error:
        import_table("addon", [file(published.xlsx(sheet), "a.xlsx")], Q4, site, replace=False)
    assert [(problem.place, problem.reason) for problem in error.value.problems] == [
        ("a.xlsx, row 5", "edit type '4' cannot be read"),
        ("a.xlsx, row 6", "'2016367' is no day (YYYYDDD)"),
        ("a.xlsx, row 7", "primary code '' is no code"),
    ]


def test_a_code_whose_zeros_were_lost_is_not_guessed(published: SimpleNamespace, file: Write, site: Path) -> None:
    head = ["HCPCS/CPT Code", "Practitioner Services MUE Values", "MUE Adjudication Indicator", "MUE Rationale"]
    book = published.xlsx([head, ["64461", 1, "2 Policy", "CMS"], [540, 1, "2 Policy", "CMS"]])
    with pytest.raises(MalformedError) as error:
        import_table("mue", [file(book, "mue.xlsx")], Q4, site, replace=False)
    assert error.value.problems[0].reason == "code '540' is no code"


def test_a_sentence_below_the_table_is_no_row(published: SimpleNamespace, file: Write, site: Path) -> None:
    text = published.mue("64461 1 2") + "Fee schedules are not assigned by the AMA.,,,\n,,,\n"
    assert import_table("mue", [file(text, "mue.csv")], Q4, site, replace=False).reading.read == 1


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("ptp", "ccipra-v322r0-f1.txt", "is of 2026 Q3 by its own name or title, not of 2026 Q4"),
        ("ptp", "medicare-ncci-2026q3-practitioner-ptp-edits.txt", "is of 2026 Q3"),
        ("ptp", "ccioph-v323r0-f1.txt", "'ccioph' is none of NCCI procedure-to-procedure edits for practitioners"),
        ("ptp", "medicaid-ncci-2026q4-ptp.txt", "'medicaid' is none of"),
        ("mue", "MCR_MUE_PractitionerServices_Eff_07-01-2026.csv", "is of 2026 Q3"),
        ("mue", "MCR_MUE_OutpatientHospitalServices_Eff_10-01-2026.csv", "'outpatienthospital' is none of"),
        ("mpfs", "PPRRVU2026_Jul_nonQPP.csv", "is of 2026 Q3"),
    ],
)
def test_a_file_that_names_another_quarter_or_setting_is_refused(
    kind: str, name: str, message: str, published: SimpleNamespace, refused: Callable[..., str]
) -> None:
    assert message in refused(kind, getattr(published, kind)(GOOD[kind]), name)


def test_a_title_of_another_quarter_is_refused(published: SimpleNamespace, refused: Callable[..., str]) -> None:
    text = published.mpfs(GOOD["mpfs"]).replace("October", "January")
    assert "is of 2026 Q1 by its own name or title" in refused("mpfs", text, "prices.csv")


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        ("mue", "ptp", "is a file of NCCI procedure-to-procedure edits for practitioners; import it with --kind ptp"),
        ("ptp", "mue", "is a file of NCCI medically unlikely edits for practitioners; import it with --kind mue"),
        ("addon", "mpfs", "--kind mpfs"),
        ("mpfs", "mue", "--kind mue"),
    ],
)
def test_another_kind_of_table_is_named(
    kind: str, given: str, message: str, published: SimpleNamespace, refused: Callable[..., str]
) -> None:
    assert message in refused(kind, getattr(published, given)(GOOD[given]), "download.csv")


def test_the_table_of_another_setting_is_refused_by_its_title(
    published: SimpleNamespace, refused: Callable[..., str]
) -> None:
    text = published.mue("64461 1 2").replace("Practitioner Services", "Outpatient Hospital Services")
    assert "'outpatient hospital' is none of" in refused("mue", text, "table.csv")


def test_a_header_without_a_column_is_refused(published: SimpleNamespace, refused: Callable[..., str]) -> None:
    text = published.mpfs(GOOD["mpfs"]).replace("BILAT", "BOTH")
    assert "has no column for bilateral surgery" in refused("mpfs", text, "a.csv")


def bomb(size: int, name: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as part:
        for _ in range(size // 2**20):
            part.write(bytes(2**20))
    return content.getvalue()


def lying(content: bytes, name: bytes) -> bytes:
    """A zip whose first member claims, in both its headers, to be a byte long when unpacked."""
    changed = bytearray(content)
    central = changed.rindex(b"PK\x01\x02", 0, changed.rindex(name))
    changed[22:26] = changed[central + 24 : central + 28] = (1).to_bytes(4, "little")
    return bytes(changed)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        pytest.param(b"", "a.csv", "has no header of", id="empty"),
        pytest.param(b"code,units\n64461,1\n", "a.csv", "has no header of", id="another csv"),
        pytest.param(b"%PDF-1.7\n\0\0\n", "a.pdf", "is not text", id="pdf"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "a.xls", "is not text", id="old workbook"),
        pytest.param(b"PK\x03\x04" + bytes(60), "a.xlsx", "is not text", id="cut workbook"),
        pytest.param(b'"HCPCS/CPT Code","MUE', "a.csv", "is not CSV", id="open quote"),
        pytest.param(b"a" * (2**20 + 1), "a.csv", "is longer than a line", id="one endless line"),
        pytest.param(b"\xff\xfea\0b", "a.csv", "is not text", id="half a letter of UTF-16"),
        pytest.param(bomb(64 * 2**20, "mue.csv"), "a.zip", "which no table of CMS does", id="zip bomb"),
        pytest.param(bomb(64 * 2**20, "xl/workbook.xml"), "a.xlsx", "which no table of CMS does", id="xlsx bomb"),
        pytest.param(lying(bomb(2**20, "mue.csv"), b"mue.csv"), "a.zip", "is damaged", id="lying zip"),
        pytest.param(lying(bomb(2**20, "xl/workbook.xml"), b"xl/work"), "a.xlsx", "is damaged", id="lying xlsx"),
        pytest.param(bomb(0, "xl/workbook.xml"), "a.xlsx", "is no xlsx workbook that can be read", id="empty workbook"),
        pytest.param(bomb(0, "readme.md"), "a.zip", "holds no file of NCCI medically unlikely edits", id="other zip"),
    ],
)
def test_files_that_are_no_table(content: bytes, name: str, message: str, refused: Callable[..., str]) -> None:
    assert message in refused("mue", content, name)


@pytest.mark.parametrize("place", ["XFD1048576", "BA2", "A1048576"])
def test_a_lone_cell_far_out_is_refused_before_room_is_made_for_it(
    place: str, published: SimpleNamespace, refused: Callable[..., str]
) -> None:
    book = published.xlsx([["HCPCS/CPT Code"], ["@64461"]])
    parts = zipfile.ZipFile(io.BytesIO(book))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in parts.namelist():
            text = (
                parts.read(name).decode().replace('<c t="inlineStr"><is><t>@', f'<c r="{place}" t="inlineStr"><is><t>')
            )
            archive.writestr(name, text)
    assert "has cells far from all others" in refused("mue", content.getvalue(), "mue.xlsx")


def test_a_part_that_does_not_unpack_is_refused(published: SimpleNamespace, refused: Callable[..., str]) -> None:
    book = bytearray(published.xlsx([["HCPCS/CPT Code"], ["64461"]]))
    start = 30 + len("[Content_Types].xml")
    book[start : start + 12] = bytes(range(100, 112))
    assert "is damaged" in refused("mue", bytes(book), "mue.xlsx")


def test_damage_far_into_a_zip_is_one_line(published: SimpleNamespace, refused: Callable[..., str]) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as parts:
        parts.writestr("mue.csv", published.mue(*["64461 1 2"] * 5000))
    content = archive.getvalue().replace(b"64461,1,2", b"64461,1,3", 1)
    assert "is damaged (BadZipFile)" in refused("mue", content, "a.zip")


def test_a_missing_file_is_named(site: Path, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"nothing\.csv: No such file"):
        import_table("mue", [tmp_path / "nothing.csv"], Q4, site, replace=False)


def test_a_zip_of_too_many_files_is_refused(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_MOST_MEMBERS", 0)
    assert "holds 1 files" in refused("mue", bomb(0, "mue.csv"), "a.zip")


@pytest.mark.parametrize("line", ["64461 1 2 Policy,,,", "6446 is not what it was,,,"])
def test_a_row_that_lost_its_commas_is_no_sentence(
    line: str, published: SimpleNamespace, file: Write, site: Path
) -> None:
    with pytest.raises(MalformedError):
        import_table("mue", [file(published.mue("64461 1 2") + line, "a.csv")], Q4, site, replace=False)


def test_a_table_without_any_of_our_codes_is_refused(published: SimpleNamespace, refused: Callable[..., str]) -> None:
    assert "none of the 1 rows is in force and about a code" in refused("mue", published.mue("99213 1 2"), "a.csv")


def test_utf_16_is_read(published: SimpleNamespace, file: Write, site: Path) -> None:
    content = published.mue("64461 1 2").encode("utf-16")
    assert import_table("mue", [file(content, "a.csv")], Q4, site, replace=False).reading.read == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ccipra-v323r0-f1.txt", ["2026 Q4"]),
        ("ccipra-v301r0-f4.xlsx", ["2024 Q2"]),
        ("medicare-ncci-2026-q3-practitioner-services-mue-table.zip", ["2026 Q3"]),
        ("MCR_MUE_PractitionerServices_Eff_01-01-2027.csv", ["2027 Q1"]),
        ("add-code-edits-medicare-effective-07012026.zip", ["2026 Q3"]),
        ("AOC_V2025Q4_01-MCR.txt", ["2025 Q4"]),
        ("PPRRVU2026_Jul_nonQPP.csv", ["2026 Q3"]),
        ("PPRRVU24_JAN.xlsx", ["2024 Q1"]),
        ("rvu26c-updated-06-30-2026.zip", ["2026 Q3"]),
        ("2025 National Physician Fee Schedule Relative Value File October Release", ["2025 Q4"]),
        ("CPT only copyright 2025 American Medical Association.", []),
        ("edits.txt", []),
        ("Eff_13-01-2026", []),
    ],
)
def test_quarters_are_read_from_names_and_titles(text: str, expected: list[str]) -> None:
    assert sorted(map(str, quarters_named(text))) == expected


@pytest.mark.parametrize("text", ["2026", "2026Q5", "26Q4", "Q42026", "", "2026Q4x"])
def test_a_wrong_quarter_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="is no quarter; write it as 2026Q4"):
        Quarter.parse(text)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026Q1", "2026-01-01", "2026-03-31"),
        ("2026-q2", "2026-04-01", "2026-06-30"),
        ("2024 Q4", "2024-10-01", "2024-12-31"),
    ],
)
def test_a_quarter_has_its_days(text: str, first: str, last: str) -> None:
    quarter = Quarter.parse(text)
    assert (quarter.first.isoformat(), quarter.last.isoformat()) == (first, last)
