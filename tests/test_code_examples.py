"""The worked examples of the code pages, read as notes: the service must not answer with a code they do not name."""

from __future__ import annotations

import re
from datetime import date

import pytest

from cds_service.knowledge.library import load
from cds_service.pipeline import Pipeline

KNOWLEDGE = load()
DAY = date(2026, 6, 1)
CODE = re.compile(r"\b(?:[0-9]{5}|[0-9]{4}T)\b")
LEADS = {
    "paravertebral": "Thoracic paravertebral block",
    "intercostal": "Intercostal nerve block",
    "fascial-plane": "Fascial plane block",
    "facet": "Facet joint injection",
    "radiofrequency": "Radiofrequency ablation",
    "transforaminal-epidural": "Transforaminal epidural injection",
    "interlaminar-epidural": "Interlaminar epidural injection",
    "sympathetic": "Sympathetic block",
    "trigger-point": "Trigger point injection",
}
"""What stands before an example, by technique, since an example on its page need not name the block again."""


def stories() -> list[tuple[str, str, str, str]]:
    """The code, the block, what was done, and the whole text of each example that tells of a block."""
    found = []
    for code in KNOWLEDGE.codes.values():
        family = KNOWLEDGE.families.get(code.family or "")
        lead = LEADS.get(family.technique, "") if family else ""
        for example in code.reference.examples if lead else ():
            done = example[: CODE.search(example).start()].rstrip(" :,")  # type: ignore[union-attr]
            # What came before or after the block is another procedure, with words of its own.
            if done and not done.startswith("The same"):
                found.append((code.code, lead, re.split(r" (?:before|after) ", done)[0], example))
    return found


STORIES = stories()


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(KNOWLEDGE)


def answered(pipeline: Pipeline, lead: str, done: str, example: str) -> list[str]:
    profile = "medicare" if "Medicare" in example else "default"
    day = date(2024, 12, 31) if "2024" in example else DAY
    assessment = pipeline.review_note(f"{lead} was performed. {done}.", profile, day)
    return [line.code for line in assessment.expected_lines]


@pytest.mark.parametrize(("code", "lead", "done", "example"), STORIES, ids=[f"{s[0]}-{s[2][:40]}" for s in STORIES])
def test_no_code_is_expected_that_the_example_does_not_name(
    pipeline: Pipeline, code: str, lead: str, done: str, example: str
) -> None:
    assert set(answered(pipeline, lead, done, example)) <= set(CODE.findall(example)), code


def test_most_examples_arrive_at_the_code_of_their_page(pipeline: Pipeline) -> None:
    right = [code for code, lead, done, example in STORIES if code in answered(pipeline, lead, done, example)]
    assert len(right) >= 0.8 * len(STORIES)
