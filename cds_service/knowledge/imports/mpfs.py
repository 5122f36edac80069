"""The relative value file of the physician fee schedule, "PPRRVU2026_Oct_nonQPP.csv" or ".xlsx".

Titles and copyright above a header of several lines. Only the payment policy indicators are read: the column
with the descriptions, which are the AMA's, is never looked at. The two files of 2026 (with and without QPP) differ in
prices only.
"""

from __future__ import annotations

import re

from cds_service.knowledge.imports.layout import Cells, Ignored, Kept, Layout, Outcome, Scope, code, pick


def _judge(cells: Cells, scope: Scope) -> Outcome:
    name = code(cells, "HCPCS")
    modifier = pick(cells, "modifier", "([0-9A-Z]{2})?")
    if modifier:
        return Ignored("about a component or a modifier (26, TC, 53)")
    if name not in scope.codes:
        return Ignored("about other codes")
    days = cells["global_days"]
    # A workbook that holds them as numbers has lost the leading zeros; 0, 10 and 90 are all there are.
    days = days.zfill(3) if days.isdigit() else days
    return Kept(
        (
            name,
            pick(cells, "status", "[A-Z]"),
            pick({"global_days": days}, "global_days", "[0-9]{3}|XXX|YYY|ZZZ|MMM"),
            pick(cells, "multiple_procedure", "[0-9]"),
            pick(cells, "bilateral_surgery", "[01239]"),
            pick(cells, "assistant_at_surgery", "[0-9]"),
            pick(cells, "PCTC", "[0-9]"),
        )
    )


LAYOUT = Layout(
    kind="mpfs",
    title="the physician fee schedule's relative value file (PPRRVU)",
    header=re.compile(r"hcpcs"),
    columns={
        "HCPCS": re.compile(r"hcpcs"),
        "modifier": re.compile(r"mod"),
        "status": re.compile(r"status code"),
        "PCTC": re.compile(r"pc ?tc ind(icator)?"),
        "global_days": re.compile(r"glob(al)? days"),
        "multiple_procedure": re.compile(r"mult proc"),
        "bilateral_surgery": re.compile(r"bilat surg"),
        "assistant_at_surgery": re.compile(r"asst surg"),
    },
    files=re.compile(r"pprrvu(?!.*(?<!non)qpp)"),
    foreign=re.compile(r"anesthesia conversion|opps cap"),
    suffixes=(".csv", ".xlsx", ".txt"),
    judge=_judge,
    above=1,
)
"""How the file is recognized and read."""
