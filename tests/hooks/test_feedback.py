"""CDS Hooks 2.0, feedback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.hooks.feedback import FeedbackReader
from cds_service.store.database import Database
from cds_service.store.feedback import FeedbackStore
from cds_service.store.model import Feedback, StoreUnavailableError

URL = "/cds-services/paravertebral-encounter-discharge/feedback"
CARD = "6f1a1b7e-4a60-5c1e-8a59-0d1f6b3c2a11"
WHEN = "2026-03-02T10:05:31Z"
ACCEPTED = {"card": CARD, "outcome": "accepted", "acceptedSuggestions": [{"id": "s1"}], "outcomeTimestamp": WHEN}
OVERRIDDEN = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": WHEN}
CODING = {"code": "other", "system": "urn:example:reasons", "display": "Other"}


@pytest.mark.conformance("feedback-endpoint", "feedback-override-reason")
@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        (ACCEPTED, Feedback(CARD, "accepted", WHEN, ("s1",))),
        (
            ACCEPTED | {"acceptedSuggestions": [{"id": "a"}, {"id": "b", "more": 1}]},
            Feedback(CARD, "accepted", WHEN, ("a", "b")),
        ),
        (ACCEPTED | {"acceptedSuggestions": []}, Feedback(CARD, "accepted", WHEN)),
        (OVERRIDDEN, Feedback(CARD, "overridden", WHEN)),
        (OVERRIDDEN | {"acceptedSuggestions": None, "overrideReason": None}, Feedback(CARD, "overridden", WHEN)),
        (OVERRIDDEN | {"overrideReason": {}}, Feedback(CARD, "overridden", WHEN)),
        (
            OVERRIDDEN | {"overrideReason": {"reason": CODING, "userComment": "Known."}},
            Feedback(CARD, "overridden", WHEN, (), "other", "urn:example:reasons", "Other", "Known."),
        ),
        (
            OVERRIDDEN | {"overrideReason": {"reason": {"code": "other"}}},
            Feedback(CARD, "overridden", WHEN, (), "other"),
        ),
        (OVERRIDDEN | {"overrideReason": {"reason": "other"}}, Feedback(CARD, "overridden", WHEN, (), "other")),
        (
            OVERRIDDEN | {"overrideReason": {"userComment": "Known."}},
            Feedback(CARD, "overridden", WHEN, user_comment="Known."),
        ),
        (
            OVERRIDDEN | {"outcomeTimestamp": "yesterday", "card": "c" * 500},
            Feedback("c" * 500, "overridden", "yesterday"),
        ),
        (OVERRIDDEN | {"unknown": [None]}, Feedback(CARD, "overridden", WHEN)),
    ],
)
def test_feedback_is_kept_as_it_was_meant(client, fake, entry, kept):
    response = client.post(URL, json={"feedback": [entry]})
    assert (response.status_code, response.data) == (200, b"{}")
    assert fake.feedback == [("paravertebral-encounter-discharge", kept)]


@pytest.mark.conformance("feedback-repeated")
def test_a_batch_with_repeated_and_contradicting_outcomes_is_kept_in_order(client, fake):
    client.post(URL, json={"feedback": [ACCEPTED, ACCEPTED, OVERRIDDEN]})
    client.post(URL, json={"feedback": [ACCEPTED]})
    assert [entry.outcome for _, entry in fake.feedback] == ["accepted", "accepted", "overridden", "accepted"]


@pytest.mark.conformance(
    "feedback-list", "feedback-card", "feedback-outcome", "feedback-accepted-suggestions", "feedback-timestamp"
)
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "feedback"),
        ({"feedback": []}, "feedback"),
        ({"feedback": ACCEPTED}, "feedback"),
        ({"feedback": [None]}, "feedback[0]"),
        ({"feedback": [OVERRIDDEN, {**OVERRIDDEN, "card": ""}]}, "feedback[1].card"),
        ({"feedback": [{**OVERRIDDEN, "outcome": "ignored"}]}, "feedback[0].outcome"),
        ({"feedback": [{**OVERRIDDEN, "outcome": "accepted"}]}, "feedback[0].acceptedSuggestions"),
        ({"feedback": [{**ACCEPTED, "acceptedSuggestions": None}]}, "feedback[0].acceptedSuggestions"),
        ({"feedback": [{**ACCEPTED, "acceptedSuggestions": ["s1"]}]}, "feedback[0].acceptedSuggestions[0]"),
        ({"feedback": [{**ACCEPTED, "acceptedSuggestions": [{}]}]}, "feedback[0].acceptedSuggestions[0].id"),
        ({"feedback": [{**OVERRIDDEN, "overrideReason": "other"}]}, "feedback[0].overrideReason"),
        ({"feedback": [{**OVERRIDDEN, "overrideReason": {"reason": 7}}]}, "feedback[0].overrideReason.reason"),
        ({"feedback": [{**OVERRIDDEN, "overrideReason": {"reason": {}}}]}, "feedback[0].overrideReason.reason"),
        (
            {"feedback": [{**OVERRIDDEN, "overrideReason": {"userComment": 7}}]},
            "feedback[0].overrideReason.userComment",
        ),
        ({"feedback": [{"card": CARD, "outcome": "overridden"}]}, "feedback[0].outcomeTimestamp"),
    ],
)
def test_wrong_feedback_is_400_and_named_and_nothing_of_it_is_kept(client, fake, body, place):
    response = client.post(URL, json=body)
    assert response.status_code == 400
    assert [place] in [issue["expression"] for issue in response.get_json()["issue"]]
    assert fake.feedback == []


def test_feedback_that_could_not_be_kept_is_not_acknowledged(client, fake, caplog):
    fake.error = StoreUnavailableError("the feedback database is not available (OperationalError)")
    response = client.post(URL, json={"feedback": [OVERRIDDEN | {"overrideReason": {"userComment": "Jane Doe"}}]})
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert response.get_json()["issue"][0]["code"] == "transient"
    assert "OperationalError" in caplog.text
    assert "Jane" not in caplog.text + response.text


def test_a_comment_is_never_shown(caplog):
    body = json.dumps({"feedback": [OVERRIDDEN | {"overrideReason": {"userComment": "Jane Doe"}}]}).encode()
    assert "Jane" not in repr(FeedbackReader().read(body))


entries = st.fixed_dictionaries(
    {
        "card": st.text(min_size=1, max_size=5),
        "outcome": st.sampled_from(["accepted", "overridden"]),
        "outcomeTimestamp": st.text(min_size=1, max_size=5),
        "acceptedSuggestions": st.lists(st.fixed_dictionaries({"id": st.text(min_size=1, max_size=3)}), max_size=2),
    },
    optional={
        "overrideReason": st.fixed_dictionaries({}, optional={"reason": st.text(max_size=3), "userComment": st.text()})
    },
)


@given(feedback=st.lists(entries, min_size=1, max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_whatever_the_reader_takes_the_store_keeps(feedback: list[dict[str, Any]]):
    database = Database("sqlite://")
    store = FeedbackStore(database)
    read = FeedbackReader().read(json.dumps({"feedback": feedback}).encode())
    store.keep("s", read)
    kept = {row.feedback.card for row in store.entries()}
    database.close()
    assert kept == {entry["card"].replace("\x00", "\ufffd") for entry in feedback}
