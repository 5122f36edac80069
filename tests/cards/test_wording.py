from datetime import date
from typing import Any

import pytest

from cds_service.cards import wording
from cds_service.chart.model import Technique

ELEMENTS = [
    "indication",
    "diagnosis",
    "requesting-provider",
    "purpose",
    "performing-provider",
    "consent",
    "time-out",
    "monitoring",
    "asepsis",
    "position",
    "technique",
    "laterality",
    "levels",
    "site-count",
    "guidance",
    "image-record",
    "needle",
    "needle-confirmation",
    "aspiration",
    "contrast",
    "anesthetic-agent",
    "anesthetic-amount",
    "catheter",
    "pain-score-before",
    "pain-score-after",
    "response",
    "complications",
    "post-procedure-plan",
    "pain-history",
    "conservative-treatment",
    "functional-scale",
    "prior-block-response",
    "separate-from-anesthesia",
]


def test_every_documentation_element_has_plain_words() -> None:
    assert wording.known_elements() == set(ELEMENTS)
    names = [wording.element_words(element).name for element in ELEMENTS]
    assert len(set(names)) == len(names)


def test_a_new_element_is_named_by_its_id() -> None:
    assert wording.element_words("skin-mark") == ("skin mark", "the skin mark")


@pytest.mark.parametrize("element", ELEMENTS)
def test_requests_do_not_suggest_an_answer(element: str) -> None:
    complete = f" {wording.element_words(element).complete} "
    assert not any(f" {word} " in complete for word in ("no", "not", "successful", "without", "normal", "uneventful"))


def test_reasons_leave_room_for_codes() -> None:
    for rule in wording.known_rules():
        reason = wording.reason(rule)
        assert reason is not None
        assert len(reason.text) <= 70
        assert not reason.text.endswith(".")
    assert wording.reason("unheard-of") is None


@pytest.mark.parametrize(
    ("techniques", "name"),
    [
        ([], "block"),
        ([Technique.PARAVERTEBRAL], "paravertebral block"),
        ([Technique.PARAVERTEBRAL, Technique.PARAVERTEBRAL], "paravertebral block"),
        ([Technique.PARAVERTEBRAL, Technique.FACET], "blocks"),
        ([Technique.OTHER], "block"),
    ],
)
def test_blocks_are_named_by_their_technique(make: Any, techniques: list[Technique], name: str) -> None:
    assert wording.block_name(tuple(make.block(technique) for technique in techniques)) == name


@pytest.mark.parametrize(("day", "text"), [(date(2026, 3, 2), " on 2026-03-02"), (None, "")])
def test_days(day: date | None, text: str) -> None:
    assert wording.on_day(day) == text
