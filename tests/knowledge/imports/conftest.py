"""Small files in the layouts CMS publishes. The codes are real numbers; the rows are made up."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from xml.sax.saxutils import escape

import pytest

COPYRIGHT = "CPT only copyright 2025 American Medical Association.  All rights reserved."
PTP_HEAD = (
    f"{COPYRIGHT}\t\t\t\t\t\t\r\nColumn1/Column2 Edits\t\t\t\t\t\t\r\n"
    "Column 1\tColumn 2\t*=in existence\tEffective\tDeletion\tModifier\tPTP Edit Rationale\r\n"
    "\t\tprior to 1996\tDate\tDate\t0=not allowed\t\r\n"
    "\t\t\t\t*=no data\t1=allowed\t\r\n\t\t\t\t\t9=not applicable\t\r\n"
)
MUE_HEAD = (
    '"Current Procedural Terminology (CPT) codes, descriptions and other data only are copyright 2025 American Medical '
    'Association. All rights reserved. \n\nCPT® is a registered trademark, see www.ama-assn.org.",,,\n'
    '"HCPCS/\nCPT Code",Practitioner Services MUE Values,MUE Adjudication Indicator,MUE Rationale\n'
)
ADDON_HEAD = (
    "AOC_Edit_Type",
    "Add-On_Code",
    "AOC_DelDT",
    "Primary_Code",
    "Primary_Code_DelDT",
    "AOC_Edit_EffDT",
    "AOC_Edit_DelDT",
    "Special_Instruction_Notes",
)
_UPPER = "STATUS,MEDICARE,WORK,NON-FAC,NA,FACILITY,NA,MP,NON-FACILITY,FACILITY,PCTC,GLOB,PRE,INTRA,POST,MULT,BILAT,ASST"
_LOWER = "CODE,PAYMENT,RVU,PE RVU,INDICATOR,PE RVU,INDICATOR,RVU,TOTAL,TOTAL,IND,DAYS,OP,OP,OP,PROC,SURG,SURG"
MPFS_HEAD = (
    ",,2026 National Physician Fee Schedule Relative Value File October Release,,\r\n"
    ",,CPT codes and descriptions only are copyright 2026 American Medical Association.,,\r\n,,,,\r\n"
    ",,RELEASED 09/15/2026,,\r\n,,,,NOT USED,,,\r\n,,,,FOR,,,NON-FAC,,\r\n"
    f",,,{_UPPER},CO-,TEAM\r\nHCPCS,MOD,DESCRIPTION,{_LOWER},SURG,SURG\r\n"
)
SECRET = "Descriptor nobody may keep"


def ptp(*rows: str) -> str:
    """The text of a part of the edits; a row is "64461 96372 20200101 * 1", rationale added."""
    return PTP_HEAD + "".join(f"{_ptp_row(row)}\r\n" for row in rows)


def _ptp_row(row: str) -> str:
    column1, column2, since, until, indicator = row.split(" ")
    return f"{column1}\t{column2}\t\t{since}\t{until}\t{indicator}\tStandards of practice"


def mue(*rows: str) -> str:
    """The text of the MUE table; a row is "64461 1 2"."""
    names = {"1": "1 Line Edit", "2": "2 Date of Service Edit: Policy", "3": "3 Date of Service Edit: Clinical"}
    cells = (row.split(" ") for row in rows)
    return MUE_HEAD + "".join(f"{code},{units},{names.get(mai, mai)},Clinical: Data\n" for code, units, mai in cells)


def mpfs(*rows: str) -> str:
    """The text of the fee schedule; a row is "64461 - A 000 2 1 1 0": modifier, status, days, indicators."""
    return MPFS_HEAD + "".join(f"{_mpfs_row(row)}\r\n" for row in rows)


def _mpfs_row(row: str) -> str:
    code, modifier, status, days, multiple, bilateral, assistant, pctc = row.split(" ")
    money = ",".join(["0.00"] * 9)
    tail = f"{pctc},{days},0.00,0.00,0.00,{multiple},{bilateral},{assistant},0,0"
    return f"{code},{modifier.strip('-')},{SECRET},{status},{money},{tail}"


def addon(*rows: str) -> list[Sequence[object]]:
    """The cells of the add-on workbook; a row is "1 64462 64461 2016001 -": type, codes, first day, last day."""
    cells = [row.replace("-", "").split(" ") for row in rows]
    return [
        (COPYRIGHT,),
        ADDON_HEAD,
        *((int(kind), add_on, "", primary, "", since, until, "") for kind, add_on, primary, since, until in cells),
    ]


def xlsx(*sheets: Iterable[Sequence[object]]) -> bytes:
    """A workbook of these rows, numbers as numbers."""
    names = [f"sheet{number}" for number in range(1, len(sheets) + 1)]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", _types(names))
        book.writestr("_rels/.rels", _relations(["officeDocument", "xl/workbook.xml"]))
        listed = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="rId{i}"/>' for i, n in enumerate(names, start=1))
        book.writestr("xl/workbook.xml", f"<workbook {_MAIN} {_OFFICE}><sheets>{listed}</sheets></workbook>")
        book.writestr(
            "xl/_rels/workbook.xml.rels", _relations(*(["worksheet", f"worksheets/{name}.xml"] for name in names))
        )
        for name, rows in zip(names, sheets, strict=True):
            book.writestr(f"xl/worksheets/{name}.xml", _sheet(rows))
    return content.getvalue()


_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _types(names: Iterable[str]) -> str:
    parts = {"/xl/workbook.xml": "sheet.main"} | {f"/xl/worksheets/{name}.xml": "worksheet" for name in names}
    listed = "".join(f'<Override PartName="{part}" ContentType="{_TYPE}.{kind}+xml"/>' for part, kind in parts.items())
    default = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    return f'<Types xmlns="{_PACKAGE}/content-types">{default}{listed}</Types>'


def _relations(*targets: Sequence[str]) -> str:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    listed = "".join(
        f'<Relationship Id="rId{i}" Type="{kind}/{name}" Target="{target}"/>'
        for i, (name, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _sheet(rows: Iterable[Sequence[object]]) -> str:
    listed = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
    return f"<worksheet {_MAIN}><sheetData>{listed}</sheetData></worksheet>"


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A zip of files, by name."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


@pytest.fixture(scope="session")
def published() -> SimpleNamespace:
    """The writers of published layouts."""
    return SimpleNamespace(ptp=ptp, mue=mue, mpfs=mpfs, addon=addon, xlsx=xlsx, zipped=zipped, secret=SECRET)


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Write a file as it was downloaded."""

    def write(content: str | bytes, name: str) -> Path:
        path = tmp_path / "downloads" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """An empty folder of the site."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder
