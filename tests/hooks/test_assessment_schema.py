from __future__ import annotations

import copy
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cds_service import resources
from cds_service.chart.model import Guidance, Purpose, Technique
from cds_service.review.assessment import ElementStatus, Severity

SCHEMA = Draft202012Validator(resources.schema("assessment"), format_checker=Draft202012Validator.FORMAT_CHECKER)
ENVELOPE = SCHEMA.evolve(schema={"$ref": "#/$defs/assessments"})

EVIDENCE = {
    "reference": "DocumentReference/123",
    "path": "content[0].attachment",
    "quote": "right T4",
    "start": 10,
    "end": 18,
}
CITATION = {"source": "cms-ncci", "title": "Policy manual", "publisher": "CMS", "date": "2026"}
BARE: dict[str, Any] = {
    "profile": "default",
    "knowledgeVersion": "2026.1",
    "blocks": [],
    "expectedLines": [],
    "claimLines": [],
    "findings": [],
    "documentation": [],
    "queries": [],
    "notChecked": [],
}
FULL: dict[str, Any] = {
    "encounter": "Encounter/1",
    "dateOfService": "2026-03-02",
    "profile": "medicare",
    "knowledgeVersion": "2026.1",
    "blocks": [
        {
            "technique": "paravertebral",
            "region": "thoracic",
            "sites": [{"level": "T4", "side": "right"}, {}],
            "continuous": False,
            "guidance": "ultrasound",
            "purpose": "postoperative-analgesia",
            "date": "2026-03-02",
            "plane": "erector-spinae",
            "evidence": [EVIDENCE],
        }
    ],
    "expectedLines": [{"code": "64461", "units": 1, "modifiers": ["RT"], "evidence": [], "rules": ["mue-exceeded"]}],
    "claimLines": [{"code": "64462", "units": 3, "modifiers": [], "reference": "Claim/7"}],
    "findings": [
        {
            "rule": "addon-once-per-day",
            "severity": "warning",
            "message": "m",
            "remedy": "r",
            "citations": [CITATION, CITATION | {"url": "https://cms.gov"}],
            "evidence": [{"reference": "Claim/7", "path": "item[0]"}],
        }
    ],
    "documentation": [
        {"element": "consent", "status": "missing", "requirement": "required", "evidence": [], "citations": []}
    ],
    "queries": [{"question": "Which side?", "options": ["right", "left"], "evidence": []}],
    "notChecked": [{"rule": "ptp-conflict", "reason": "no table for that quarter"}],
}


@pytest.mark.parametrize("assessment", [BARE, FULL], ids=["bare", "full"])
def test_the_schema_takes(assessment):
    SCHEMA.validate(assessment)
    ENVELOPE.validate({"assessments": [assessment]})


@pytest.mark.parametrize("member", BARE)
def test_lists_and_identity_are_always_there(member):
    assert not SCHEMA.is_valid({name: value for name, value in BARE.items() if name != member})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("more", 1),
        ("dateOfService", "02.03.2026"),
        ("dateOfService", "2026-02-30"),
        ("dateOfService", None),
        ("encounter", ""),
        ("blocks.0.technique", "acupuncture"),
        ("blocks.0.guidance", ["ultrasound"]),
        ("blocks.0.sites.0.side", "bilateral"),
        ("blocks.0.sites.0.level", None),
        ("expectedLines.0.code", "6446"),
        ("expectedLines.0.units", 0),
        ("expectedLines.0.units", 1.5),
        ("expectedLines.0.modifiers", None),
        ("claimLines.0.reference", ""),
        ("findings.0.severity", "critical"),
        ("findings.0.rule", "Addon_Once"),
        ("findings.0.citations", ["CMS"]),
        ("findings.0.evidence.0.quote", ""),
        ("findings.0.evidence.0", {"reference": "Claim/7", "path": "item[0]", "start": 1, "end": 2}),
        ("documentation.0.status", "unknown"),
        ("documentation.0.requirement", "optional"),
        ("queries.0.options", ["right"]),
        ("notChecked.0.reason", ""),
    ],
)
def test_the_schema_refuses(path, value):
    assessment = copy.deepcopy(FULL)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = assessment
    for step in way:
        place = place[step]
    place[last] = value
    assert not SCHEMA.is_valid(assessment)
    assert not ENVELOPE.is_valid({"assessments": [assessment]})


@pytest.mark.parametrize(
    ("definition", "member", "words"),
    [
        ("block", "technique", Technique),
        ("block", "guidance", Guidance),
        ("block", "purpose", Purpose),
        ("finding", "severity", Severity),
        ("element", "status", ElementStatus),
    ],
)
def test_the_words_of_the_schema_are_those_of_the_code(definition, member, words):
    assert resources.schema("assessment")["$defs"][definition]["properties"][member]["enum"] == [
        str(word) for word in words
    ]
