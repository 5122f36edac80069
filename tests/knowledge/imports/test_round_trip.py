"""Whatever rows a published table has, those in force about our codes come back from the knowledge, and no others."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.knowledge.imports.importer import import_table
from cds_service.knowledge.imports.quarter import Quarter
from cds_service.knowledge.library import load

Q4 = Quarter(2026, 4)
OURS = ("64461", "64462", "64463", "64420")
OTHERS = ("99213", "96374", "G0463", "0001T", "00540", "77002")
CODES = st.sampled_from((*OURS, *OTHERS))
DAYS = st.integers(-200, 200).map(lambda days: Q4.first + timedelta(days=days))

mues = st.dictionaries(CODES, st.tuples(st.integers(0, 9999), st.sampled_from("123")), min_size=1)
pairs = st.dictionaries(st.tuples(CODES, CODES), st.tuples(DAYS, st.none() | DAYS, st.sampled_from("0119")), min_size=1)


def imported(kind: str, content: str | bytes, name: str):
    with tempfile.TemporaryDirectory() as folder:
        site, file = Path(folder) / "site", Path(folder) / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        done = import_table(kind, [file], Q4, site, replace=False)
        return done, load(site)


@settings(max_examples=8, deadline=None)
@given(rows=mues, as_workbook=st.booleans())
def test_every_limit_comes_back(published: SimpleNamespace, rows: dict, as_workbook: bool) -> None:
    rows = {"64461": (1, "2")} | rows
    if as_workbook:
        head = ["HCPCS/CPT Code", "Practitioner Services MUE Values", "MUE Adjudication Indicator", "MUE Rationale"]
        cells = [[code, units, f"{mai} Date of Service Edit", "CMS"] for code, (units, mai) in rows.items()]
        done, knowledge = imported("mue", published.xlsx([["Copyright"], head, *cells]), "mue.xlsx")
    else:
        text = published.mue(*(f"{code} {units} {mai}" for code, (units, mai) in rows.items()))
        done, knowledge = imported("mue", text, "mue.csv")
    ours = {code: row for code, row in rows.items() if code in knowledge.codes}
    assert {row[0] for row in done.reading.rows} == set(ours)
    assert done.reading.read == len(rows) == len(ours) + sum(done.reading.ignored.values())
    view = knowledge.on(date(2026, 11, 1))
    for code, (units, mai) in ours.items():
        edit = view.mue(code)
        assert edit is not None
        assert (edit.units, edit.mai, edit.edition) == (units, int(mai), "2026 Q4")


@settings(max_examples=8, deadline=None)
@given(rows=pairs)
def test_every_pair_in_force_comes_back(published: SimpleNamespace, rows: dict) -> None:
    rows = {("64461", "96372"): (date(2020, 1, 1), None, "1")} | rows
    text = published.ptp(
        *(
            f"{one} {other} {since:%Y%m%d} {until.strftime('%Y%m%d') if until else '*'} {indicator}"
            for (one, other), (since, until, indicator) in rows.items()
        )
    )
    done, knowledge = imported("ptp", text, "ccipra-v323r0-f1.txt")
    view = knowledge.on(date(2026, 11, 1))
    blocks = {code.code for code in knowledge.codes.values() if code.is_block}
    for (one, other), (since, until, indicator) in rows.items():
        holds = any(since <= Q4.first + timedelta(days=n) <= (until or date.max) for n in range(92))
        named = {one, other} & knowledge.codes.keys()
        ours = {one, other} & blocks or named == {one, other} or (named and "00540" in {one, other})
        pair = view.ptp(one, other)
        assert (pair is not None) == bool(holds and ours and indicator != "9"), (one, other)
        assert pair is None or pair.indicator == indicator
    assert done.reading.read == len(rows) == len(done.reading.rows) + sum(done.reading.ignored.values())
