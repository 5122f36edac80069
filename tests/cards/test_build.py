import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cds_service.cards.build import build
from cds_service.chart.model import Evidence
from cds_service.knowledge.model import Source
from cds_service.review.assessment import Assessment

URL = "https://cds.example.org/"
DISCHARGE = "encounter-discharge"
Forbidden = Callable[[Any], list[str]]


def everything(make: Any, **members: Any) -> Assessment:
    """An assessment that calls for all three cards."""
    settled = {
        "claim": make.claim("64462 x3", "00540"),
        "findings": (make.finding("units-exceed-documentation", "64462"),),
        "documentation": (make.element("consent"),),
        "queries": (make.query("How many sites were injected?", "1", "2"),),
        **members,
    }
    return make.assessment("64461-RT", "64462-RT", **settled)


def kinds(cards: list[dict[str, Any]]) -> list[str]:
    return [card["extension"]["org.paravertebral-cds.card"]["kind"] for card in cards]


def test_a_good_chart_gets_no_card(make: Any) -> None:
    good = make.assessment(
        "64461-RT", claim=make.claim("64461-RT"), documentation=(make.element("consent", "documented"),)
    )
    assert build([good], DISCHARGE, URL) == []
    assert build([], DISCHARGE, URL) == []


def test_the_most_important_card_comes_first(make: Any) -> None:
    cards = build([everything(make)], DISCHARGE, URL)
    assert kinds(cards) == ["suggested-codes", "missing-documentation", "clarification"]
    assert [card["indicator"] for card in cards] == ["warning", "warning", "info"]
    assert [card["source"]["topic"]["code"] for card in cards] == ["claim", "guideline", "claim"]


def test_of_several_assessments_the_three_most_important_cards_are_shown(make: Any) -> None:
    calm = make.assessment("64463", claim=make.claim("64461"), encounter="Encounter/2")
    cards = build([calm, everything(make), everything(make, encounter="Encounter/3")], DISCHARGE, URL)
    assert kinds(cards) == ["suggested-codes"] * 3
    assert [card["indicator"] for card in cards] == ["warning", "warning", "info"]


def test_the_same_assessment_twice_is_said_once(make: Any) -> None:
    assert len(build([everything(make), everything(make)], DISCHARGE, URL)) < 3


def test_a_card_in_full(make: Any) -> None:
    (card,) = build([everything(make, documentation=(), queries=())], DISCHARGE, URL, "Anesthesia coding desk")
    resource = card["suggestions"][0]["actions"][0].pop("resource")
    assert resource["resourceType"] == "Claim"
    assert card.pop("overrideReasons")
    assert UUID(card.pop("uuid")).version == 5
    assert UUID(card["suggestions"][0].pop("uuid")).version == 5
    assert card.pop("detail").startswith("What units-exceed-documentation is about.")
    assert card == {
        "summary": "Report 64461-RT ×1 and 64462-RT ×1; claim has 64462 ×3.",
        "indicator": "warning",
        "source": {
            "label": "Anesthesia coding desk",
            "url": "https://cds.example.org",
            "topic": {
                "system": "http://terminology.hl7.org/CodeSystem/cdshooks-card-type",
                "code": "claim",
                "display": "Claim",
            },
        },
        "suggestions": [
            {
                "label": "Correct the claim: 64461-RT ×1 and 64462-RT ×1",
                "isRecommended": True,
                "actions": [
                    {
                        "type": "update",
                        "description": (
                            "Change 64462 ×3 to 64462-RT ×1. Add 64461-RT ×1. "
                            "Everything else on the claim stays as it is."
                        ),
                    }
                ],
            }
        ],
        "selectionBehavior": "any",
        "links": [
            {
                "label": "About the rule units-exceed-documentation",
                "url": "https://cds.example.org/rules/units-exceed-documentation",
                "type": "absolute",
            },
            {"label": "About code 64461", "url": "https://cds.example.org/codes/64461", "type": "absolute"},
        ],
        "extension": {
            "org.paravertebral-cds.card": {"kind": "suggested-codes", "rules": ["units-exceed-documentation"]}
        },
    }


@pytest.mark.conformance("link-url")
def test_links_name_three_rules_and_one_code_and_are_safe_addresses(make: Any) -> None:
    findings = tuple(make.finding(f"rule {n}/x") for n in range(5))
    (card,) = build([everything(make, findings=findings, documentation=(), queries=())], DISCHARGE, URL)
    assert [link["url"] for link in card["links"]] == [
        "https://cds.example.org/rules/rule%200%2Fx",
        "https://cds.example.org/rules/rule%201%2Fx",
        "https://cds.example.org/rules/rule%202%2Fx",
        "https://cds.example.org/codes/64461",
    ]


@pytest.mark.parametrize("label", ["", " \n", "<b>"])
def test_a_label_is_always_there(make: Any, label: str) -> None:
    shown = build([everything(make)], DISCHARGE, URL, label)[0]["source"]["label"]
    assert shown
    assert "<b" not in shown


def test_a_refired_hook_brings_the_same_cards(make: Any) -> None:
    first, again = (build([everything(make)], DISCHARGE, URL) for _ in range(2))
    assert first == again


def test_a_claim_stored_again_unchanged_is_not_new(make: Any) -> None:
    older, newer = (
        build([everything(make, claim=make.claim("64462 x3", meta={"versionId": version}))], DISCHARGE, URL)
        for version in "12"
    )
    assert [card["uuid"] for card in older] == [card["uuid"] for card in newer]


@pytest.mark.parametrize(
    "changes",
    [
        {"encounter": "Encounter/2"},
        {"date_of_service": None},
        {"lines": ()},
        {"findings": ()},
    ],
)
def test_other_content_has_another_identity(make: Any, changes: dict[str, Any]) -> None:
    one, other = everything(make), replace(everything(make), **changes)
    assert build([one], DISCHARGE, URL)[0]["uuid"] != build([other], DISCHARGE, URL)[0]["uuid"]


WORDS = st.one_of(
    st.text(max_size=200),
    st.sampled_from(
        [
            "",
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "</blockquote><a href='javascript:x'>x</a>",
            "[x](javascript:alert(1)) ![y](http://evil.example/y.png)",
            "\n\n# Title\n\n| a | b |\n|---|---|\n```\ncode",
            "https://evil.example www.evil.example a@evil.example",
            "&lt;b&gt; & &#60;i&#62;",
            "Ω 漢字 🙂 \u202e \u2028 \x00 \ud800",
            "word " * 2000,
            "x" * 5000,
        ]
    ),
)
EVIDENCE = st.lists(st.builds(Evidence, WORDS, WORDS, st.none() | WORDS, st.none() | st.just(0)), max_size=4).map(tuple)
SOURCES = st.lists(st.builds(Source, WORDS, WORDS, WORDS, WORDS), max_size=4).map(tuple)


@st.composite
def hostile(draw: st.DrawFn, make: Any) -> Assessment:
    """An assessment of any shape whose every text came from a record nobody controls."""
    texts = st.lists(WORDS, max_size=4).map(tuple)
    lines = st.lists(st.sampled_from(["64461", "64461-RT-59 x2", "64462-LT", "76942-26"]), max_size=5)
    rules = st.sampled_from(["surgical-anesthesia", "charge-not-documented", "imaging-included", "other-rule"])
    finding = st.builds(
        lambda rule, severity, **changes: make.finding(rule, "64461", severity=severity, **changes),
        rules,
        st.sampled_from(["info", "warning"]),
        message=WORDS,
        remedy=WORDS,
        evidence=EVIDENCE,
        citations=SOURCES,
    )
    element = st.builds(
        make.element,
        st.sampled_from(["consent", "levels", "image-record", "response"]),
        st.sampled_from(["missing", "contradicted", "documented"]),
        evidence=EVIDENCE,
        citations=SOURCES,
    )
    query = st.builds(lambda q, options, e: make.query(q, *options, evidence=e), WORDS, texts, EVIDENCE)
    members: dict[str, Any] = {
        "findings": tuple(draw(st.lists(finding, max_size=4))),
        "documentation": tuple(draw(st.lists(element, max_size=6))),
        "queries": tuple(draw(st.lists(query, max_size=4))),
        "encounter": draw(st.none() | WORDS),
        "correctable": draw(st.booleans()),
    }
    if draw(st.booleans()):
        members["claim"] = make.claim(*draw(lines), note=[{"text": draw(WORDS)}])
    elif draw(st.booleans()):
        members["orders"] = tuple(make.order(code, n) for n, code in enumerate(["64461", "76942"]))
    return make.assessment(*draw(lines), **members)


def check_card(card: dict[str, Any]) -> None:
    told = {name: member for name, member in card.items() if name != "suggestions"}
    assert json.dumps(told, ensure_ascii=False).encode(), "no lone surrogate is left"
    assert 0 < len(card["summary"]) <= 139
    assert "\n" not in card["summary"]
    assert card["indicator"] in ("info", "warning")
    assert ("selectionBehavior" in card) == ("suggestions" in card)
    for suggestion in card.get("suggestions", []):
        assert len(suggestion["actions"]) == 1
        assert suggestion["actions"][0]["description"]
    detail = card.get("detail", "")
    assert "<" not in detail
    rendered = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(detail)
    assert set(re.findall(r"</?([a-z0-9]+)", rendered)) <= {"p", "ul", "li", "blockquote", "em"}


@pytest.mark.conformance("card-summary-length", "card-detail-markdown", "3.0-no-html", "json-nothing-empty")
@settings(deadline=None)
@given(st.data())
def test_whatever_the_record_says_the_cards_are_safe_and_whole(
    make: Any, forbidden_in: Forbidden, data: st.DataObject
) -> None:
    assessment = data.draw(hostile(make))
    hook = data.draw(st.sampled_from([DISCHARGE, "order-sign"]))
    cards = build([assessment], hook, URL)
    assert forbidden_in(cards or [1]) == []
    assert len(cards) <= 3
    for card in cards:
        check_card(card)
    assert build([assessment], hook, URL) == cards
    assert len({card["uuid"] for card in cards}) == len(cards)


@pytest.mark.parametrize("length", [1, 30, 3000])
def test_details_stay_readable(make: Any, length: int) -> None:
    words = "word " * length
    evidence = tuple(make.quote(f"{n} {words}") for n in range(9))
    findings = tuple(
        make.finding(f"rule-{n}", message=words, remedy=words, evidence=evidence) for n in range(length % 7 + 1)
    )
    query = make.query(words, *[f"{n} {words}" for n in range(5)], evidence=evidence)
    cards = build([everything(make, findings=findings, queries=(query, query))], DISCHARGE, URL)
    assert len(cards) == 3
    assert max(len(card["detail"]) for card in cards) <= 1500
