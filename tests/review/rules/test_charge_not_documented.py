import pytest

RULE = "charge-not-documented"
PLANE = {"technique": "fascial-plane"}


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([{}], {"claim": "64461-RT"}, id="documented"),
        pytest.param([{}], {"claim": "64461-RT", "notes": "none"}, id="a Procedure without a note"),
        pytest.param([], {"claim": "64461-RT", "notes": "unknown"}, id="notes not read: unknown is not no"),
        pytest.param([], {"claim": "64461-RT", "not_read": ["DocumentReference/scan"]}, id="one note not read"),
        pytest.param([], {"claim": "64461-RT", "not_read": ["procedures"], "notes": "none"}, id="Procedures not read"),
        pytest.param([], {"claim": "", "notes": "none"}, id="nothing charged"),
        pytest.param([], {"claim": "00541", "notes": "none"}, id="no block code"),
        pytest.param([], {"claim": "76942", "notes": "none"}, id="imaging may be for anything"),
        pytest.param([PLANE], {"claim": "64461-RT"}, id="another technique: not here"),
        pytest.param([{}], {"claim": "64461-RT", "not_done": [{}]}, id="given up first, done then"),
        pytest.param([PLANE], {"claim": "64999"}, id="unlisted for a code: not here"),
        pytest.param([PLANE], {"claim": "64999", "day": "2024-12-31"}, id="unlisted, as it was"),
        pytest.param([], {"orders": "64461", "notes": "none"}, id="an order is no charge"),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize("notes", ["read", "none"])
def test_nothing_tells_of_a_block(notes, judge):
    (finding,) = judge(RULE, claim="64461-RT, 64462-RT", notes=notes)
    assert finding.message == (
        "64461 and 64462 are reported, but no note or procedure of this encounter tells of a block."
    )
    assert {evidence.reference for evidence in finding.evidence} == {"Claim/1"}


@pytest.mark.parametrize("notes", ["read", "none", "unknown"])
def test_a_cancelled_block_is_quoted(notes, judge):
    (finding,) = judge(RULE, claim="64461-RT", not_done=[{}], notes=notes)
    assert finding.message == "64461 is reported, but the record says the thoracic paravertebral block was not done."
    assert [evidence.quote for evidence in finding.evidence] == ["64461", "paravertebral block"]
    assert finding.remedy == "Remove 64461."


def test_a_cancelled_block_beside_another_that_was_done(judge):
    (finding,) = judge(RULE, PLANE, claim="64461-RT, 64466-RT", not_done=[{}])
    assert finding.codes == ("64461",)


def test_the_cancellation_of_another_block_does_not_explain_the_charge(judge):
    (finding,) = judge(RULE, claim="64461-RT", not_done=[PLANE])
    assert finding.message.endswith("no note or procedure of this encounter tells of a block.")


@pytest.mark.parametrize("subject", ["coverage", "Claim/2"])
def test_what_cannot_tell_of_a_block_may_be_unread(subject, judge):
    assert judge(RULE, claim="64461-RT", not_read=[subject])


def test_where_notes_were_read_they_are_the_documentation(judge):
    (finding,) = judge(RULE, claim="64461-RT", not_read=["procedures"])
    assert finding.message == "64461 is reported, but no note of this encounter tells of a block."


def test_the_same_cancelled_block_told_twice_is_named_once(judge):
    (finding,) = judge(RULE, claim="64461-RT", not_done=[{"region": None}, {}])
    assert "says the thoracic paravertebral block was not done" in finding.message
