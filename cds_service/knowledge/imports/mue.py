"""The practitioner table of medically unlikely edits, "MCR_MUE_PractitionerServices_Eff_10-01-2026.csv" or ".xlsx".

A copyright notice of several lines in one cell, one line of header, then code, value, adjudication indicator with its
meaning ("2 Date of Service Edit: Policy") and rationale.
"""

from __future__ import annotations

import re

from cds_service.knowledge.imports.layout import Cells, Ignored, Kept, Layout, Outcome, Scope, code, pick, remark


def _judge(cells: Cells, scope: Scope) -> Outcome:
    name = code(cells, "code")
    units = pick(cells, "MUE_value", "[0-9]{1,4}")
    mai = pick(cells, "adjudication_indicator", "[123]( .*)?")[0]
    if name not in scope.codes:
        return Ignored("about other codes")
    return Kept((name, units, mai, remark(cells["rationale"])))


LAYOUT = Layout(
    kind="mue",
    title="NCCI medically unlikely edits for practitioners",
    header=re.compile(r".*\bmue values?"),
    columns={
        "code": re.compile(r"(hcpcs|cpt)( hcpcs| cpt)? codes?"),
        "MUE_value": re.compile(r"(practitioner services )?mue values?"),
        "adjudication_indicator": re.compile(r"(practitioner services )?mue adjudication indicator"),
        "rationale": re.compile(r"mue rationale"),
    },
    files=re.compile(r"mue"),
    foreign=re.compile(r"outpatient ?hospital|hospital ?services|dme ?supplier|(?<!& )(?<!and )medicaid"),
    suffixes=(".csv", ".xlsx", ".txt"),
    judge=_judge,
)
"""How the file is recognized and read."""
