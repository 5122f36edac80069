"""The CMS tables by edition, and the one to use on a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Generic, TypeVar

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.files import Entry, Files
from cds_service.knowledge.model import FeePolicy, Mue, Ptp

T = TypeVar("T")
KINDS: Mapping[str, str] = {
    "ptp": "Medicare NCCI procedure-to-procedure edits",
    "mue": "Medicare NCCI medically unlikely edits",
    "addon": "Medicare NCCI add-on code edits",
    "mpfs": "payment policy indicators of the Medicare fee schedule",
}
"""The kinds a day is asked of, as a sentence names them."""
CONTRACTORS_CHOICE = "CCCCC"
"""Stands in the add-on code edits for primaries that the Medicare contractors choose."""


@dataclass(frozen=True)
class Table(Generic[T]):
    """One edition of a CMS table; `rows` by what it is looked up with (a code, or a pair of codes)."""

    id: str
    kind: str
    edition: str
    valid_from: date
    valid_to: date
    source: str
    rows: Mapping[T, object]

    def covers(self, day: date) -> bool:
        """Return whether `day` lies in the quarter of the edition."""
        return self.valid_from <= day <= self.valid_to

    def days_from(self, day: date) -> int:
        """Return how many days `day` lies outside the quarter of the edition, 0 within it."""
        return max(0, (self.valid_from - day).days, (day - self.valid_to).days)


@dataclass(frozen=True)
class PtpTable(Table[tuple[str, str]]):
    """Procedure-to-procedure edits; `columns1` are the codes a code of column 2 is paired with, in file order."""

    rows: Mapping[tuple[str, str], Ptp]
    columns1: Mapping[str, tuple[str, ...]]
    codes: frozenset[str]


@dataclass(frozen=True)
class MueTable(Table[str]):
    """Medically unlikely edits by code."""

    rows: Mapping[str, Mue]


@dataclass(frozen=True)
class AddonTable(Table[str]):
    """The primaries by add-on, where the edits name any (types 2 and 3 leave some or all to the contractors)."""

    rows: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class MpfsTable(Table[str]):
    """The bilateral indicators of the fee schedule by code, and all its indicators in `policies`."""

    rows: Mapping[str, str]
    policies: Mapping[str, FeePolicy]


@dataclass(frozen=True)
class Tables:
    """Every loaded edition, oldest first. `primaries` and `bilateral` are those of the newest edition with the code."""

    ptp: tuple[PtpTable, ...]
    mue: tuple[MueTable, ...]
    addon: tuple[AddonTable, ...]
    mpfs: tuple[MpfsTable, ...]
    primaries: Mapping[str, frozenset[str]]
    bilateral: Mapping[str, str]
    newest_edition: str
    source_ids: frozenset[str]


def build_tables(files: Files) -> Tables:
    """Return the tables the manifest names.

    Raises `KnowledgeError` where a table's file is missing, nobody's, or unlike its kind, and where two editions of
    a kind overlap.
    """
    by_kind: dict[str, list[tuple[str, Entry]]] = {"ptp": [], "mue": [], "addon": [], "mpfs": []}
    for id_, entry in sorted(files.entries("tables").items(), key=lambda item: str(item[1].value["from"])):
        _check_entry(files, id_, entry)
        by_kind[entry.value["kind"]].append((id_, entry))
    for entries in by_kind.values():
        _check_apart(entries)
    _check_no_strangers(files)
    editions = [entry.value for entries in by_kind.values() for _, entry in entries]
    addon = tuple(_addon_table(files, id_, entry.value) for id_, entry in by_kind["addon"])
    mpfs = tuple(_mpfs_table(files, id_, entry.value) for id_, entry in by_kind["mpfs"])
    return Tables(
        ptp=tuple(_ptp_table(files, id_, entry.value) for id_, entry in by_kind["ptp"]),
        mue=tuple(_mue_table(files, id_, entry.value) for id_, entry in by_kind["mue"]),
        addon=addon,
        mpfs=mpfs,
        primaries={add_on: primaries for table in addon for add_on, primaries in table.rows.items()},
        bilateral={code: indicator for table in mpfs for code, indicator in table.rows.items()},
        newest_edition=max((e["edition"] for e in editions), default="no tables"),
        source_ids=frozenset(e["source"] for e in editions),
    )


def _check_entry(files: Files, id_: str, entry: Entry) -> None:
    value = entry.value
    if value["file"] not in files.tables:
        raise KnowledgeError(entry.file, f"{id_}.file", f"there is no file {value['file']}")
    if value["to"] < value["from"]:
        raise KnowledgeError(entry.file, f"{id_}.to", f"ends ({value['to']}) before it starts ({value['from']})")


def _check_apart(entries: Sequence[tuple[str, Entry]]) -> None:
    for (earlier_id, earlier), (id_, entry) in pairwise(entries):
        if entry.value["from"] <= earlier.value["to"]:
            raise KnowledgeError(entry.file, f"{id_}.from", f"overlaps {earlier_id}, in force to {earlier.value['to']}")


def _check_no_strangers(files: Files) -> None:
    named = {entry.value["file"] for entry in files.entries("tables").values()}
    for name, (label, _) in files.tables.items():
        if name not in named:
            raise KnowledgeError(label, "", "no entry of tables.toml names this file")


def _frame(id_: str, value: Mapping[str, str]) -> tuple[str, str, str, date, date, str]:
    start, end = date.fromisoformat(value["from"]), date.fromisoformat(value["to"])
    return id_, value["kind"], value["edition"], start, end, value["source"]


def _ptp_table(files: Files, id_: str, value: Mapping[str, str]) -> PtpTable:
    edition, source = value["edition"], value["source"]
    rows = {
        (column1, column2): Ptp(column1, column2, indicator, rationale, edition, source)
        for column1, column2, indicator, rationale in files.rows(value["file"], "ptp")
    }
    columns1: dict[str, tuple[str, ...]] = {}
    for column1, column2 in rows:
        columns1[column2] = (*columns1.get(column2, ()), column1)
    return PtpTable(*_frame(id_, value), rows, columns1, frozenset(code for pair in rows for code in pair))


def _mue_table(files: Files, id_: str, value: Mapping[str, str]) -> MueTable:
    edition, source = value["edition"], value["source"]
    rows = {
        code: Mue(code, int(units), int(mai), edition, source)
        for code, units, mai, _ in files.rows(value["file"], "mue")
    }
    return MueTable(*_frame(id_, value), rows)


def _addon_table(files: Files, id_: str, value: Mapping[str, str]) -> AddonTable:
    primaries: dict[str, set[str]] = {}
    for primary, add_on, _ in files.rows(value["file"], "addon"):
        if primary != CONTRACTORS_CHOICE:
            primaries.setdefault(add_on, set()).add(primary)
    return AddonTable(*_frame(id_, value), {add_on: frozenset(codes) for add_on, codes in primaries.items()})


def _mpfs_table(files: Files, id_: str, value: Mapping[str, str]) -> MpfsTable:
    edition, source = value["edition"], value["source"]
    policies = {
        code: FeePolicy(code, status, days, multiple, bilateral, assistant, pctc, edition, source)
        for code, status, days, multiple, bilateral, assistant, pctc in files.rows(value["file"], "mpfs")
    }
    return MpfsTable(*_frame(id_, value), {code: policy.bilateral for code, policy in policies.items()}, policies)
