from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from cds_service.cards.identity import action_identity, scope_of, stable_uuid

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
)


@given(JSON, JSON)
def test_the_same_content_has_the_same_uuid_and_other_content_another(one: Any, other: Any) -> None:
    first = stable_uuid("scope", "kind", ["resource", one])
    assert first == stable_uuid("scope", "kind", ["resource", one])
    assert UUID(first).version == 5
    if one != other:
        assert first != stable_uuid("scope", "kind", ["resource", other])


def test_kind_and_scope_tell_apart() -> None:
    assert len({stable_uuid(scope, kind, "x") for scope in "ab" for kind in "cd"}) == 4


def test_storing_a_resource_again_does_not_make_it_new() -> None:
    older, newer = ({"type": "update", "resource": {"id": "7", "meta": {"versionId": version}}} for version in "12")
    assert action_identity(older) == action_identity(newer) == {"type": "update", "resource": {"id": "7"}}


def test_a_delete_is_its_own_identity() -> None:
    action = {"type": "delete", "resourceId": "ServiceRequest/1"}
    assert action_identity(action) == action


def test_encounter_day_and_patient_are_the_scope(make: Any) -> None:
    claim, other = make.claim("64461"), make.claim("64461", patient={"reference": "Patient/2"})
    assessments = [
        make.assessment(),
        make.assessment(encounter=None),
        make.assessment(encounter=None, date_of_service=None),
        make.assessment(claim=claim),
        make.assessment(claim=other),
        make.assessment(orders=(make.order("64461", subject={"reference": "Patient/3"}),)),
    ]
    assert len(set(map(scope_of, assessments))) == len(assessments)
    assert scope_of(make.assessment(claim=claim)) == scope_of(make.assessment("64461", claim=claim))
