"""What is remembered of calls answered before, and what must not be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cds_service.answers import Answers
from cds_service.cases import load_case
from cds_service.hooks.request import HookRequest
from cds_service.hooks.response import Answer
from cds_service.knowledge.library import load
from cds_service.pipeline import Pipeline
from cds_service.resources import cases_folder
from cds_service.settings import Settings

DISCHARGE = "encounter-discharge"


class CountingPipeline(Pipeline):
    """Counts how often something was really judged."""

    def review_request(self, *args: Any, **kwargs: Any) -> Any:
        JUDGED.append(args[0])
        return super().review_request(*args, **kwargs)


JUDGED: list[str] = []
DAYS: list[date] = [date(2026, 11, 1)]


@pytest.fixture
def answers() -> Answers:
    JUDGED.clear()
    DAYS[:] = [date(2026, 11, 1)]
    return Answers(CountingPipeline(load(), today=lambda: DAYS[0]), Settings(database_url="sqlite://"))


def call(case_id: str = "thoracotomy-addon-three-units", **changes: Any) -> HookRequest:
    body = load_case(cases_folder() / case_id).request(DISCHARGE)
    request = HookRequest(
        service_id="paravertebral-encounter-discharge",
        hook=DISCHARGE,
        hook_instance="one",
        context=body["context"],
        prefetch=body["prefetch"],
    )
    return replace(request, **changes)


def summaries(cards: Sequence[Mapping[str, Any]]) -> list[str]:
    return [card["summary"] for card in cards]


def test_the_same_call_is_judged_once_whoever_sends_it(answers: Answers) -> None:
    first = answers.answer(call())
    again = answers.answer(call(hook_instance="two"))
    assert first == again
    assert summaries(first.cards)
    assert JUDGED == [DISCHARGE]


def test_a_call_with_other_content_is_judged_anew(answers: Answers) -> None:
    answers.answer(call())
    assert answers.answer(call("perfect-chart-default")) == Answer([], [], [])
    assert len(JUDGED) == 2


def test_an_answer_without_cards_is_remembered_too(answers: Answers) -> None:
    silent = answers.answer(call("perfect-chart-default"))
    assert silent == Answer([], [], [])
    assert answers.answer(call("perfect-chart-default")) is silent
    assert len(JUDGED) == 1


def test_another_day_is_another_call(answers: Answers) -> None:
    answers.answer(call())
    DAYS[0] = date(2026, 11, 2)
    answers.answer(call())
    assert len(JUDGED) == 2


def test_what_a_fhir_server_was_asked_for_is_asked_again(answers: Answers) -> None:
    request = call(fhir_server="http://127.0.0.1:9/fhir")
    prefetch = {key: value for key, value in (request.prefetch or {}).items() if key != "observations"}
    answers.answer(replace(request, prefetch=prefetch))
    answers.answer(replace(request, prefetch=prefetch))
    assert len(JUDGED) == 2
