"""Hook requests to records: every key in each of its states, and whatever else a client may send."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.bundle import FIRST_PAGE, RESOURCE_TYPES, from_bundle
from cds_service.fhir.prefetch import from_prefetch
from cds_service.fhir.record import KeyState, PrefetchKey, Unread

CONTEXT = {"patientId": "p1", "encounterId": "e1", "userId": "Practitioner/1"}
SECRET = "Jane Roe"
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "forbidden", "diagnostics": f"no access to {SECRET}"}],
}


def bundle(*resources: Any, **members: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "entry": [{"resource": each} for each in resources], **members}


def resource(kind: str, identifier: str = "1", **members: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": identifier, **members}


def sent(key: PrefetchKey, value: Any) -> Any:
    return from_prefetch(CONTEXT, {key.value: value})


@pytest.mark.parametrize("key", PrefetchKey)
class TestEachKey:
    def test_absent(self, key: PrefetchKey) -> None:
        record = from_prefetch(CONTEXT, {})
        assert record.states[key] is KeyState.ABSENT
        assert not record.unread

    @pytest.mark.parametrize(
        "value",
        [
            None,
            bundle(),
            {"resourceType": "Bundle"},
            {"resourceType": "Bundle", "type": "searchset", "total": 0},
            {"resourceType": "Bundle", "entry": None, "total": 0},
        ],
    )
    def test_none(self, key: PrefetchKey, value: Any) -> None:
        record = sent(key, value)
        assert record.states[key] is KeyState.NONE
        assert not record.unread

    @pytest.mark.parametrize(
        "value",
        [
            OUTCOME,
            bundle(OUTCOME, type="searchset"),
            {"resourceType": "Bundle", "entry": [{"resource": OUTCOME, "search": {"mode": "outcome"}}]},
            {"resourceType": "OperationOutcome"},
        ],
    )
    def test_failed(self, key: PrefetchKey, value: Any) -> None:
        record = sent(key, value)
        assert record.states[key] is KeyState.FAILED
        assert [unread.subject for unread in record.unread] == [key.value]
        assert SECRET not in repr(record.unread)

    @pytest.mark.parametrize(
        "value",
        ["text", "", 7, 0, True, False, 1.5, [], [{"resourceType": "Procedure"}], {}, {"id": "1"}, {"resourceType": 3}],
        ids=repr,
    )
    def test_of_a_wrong_type(self, key: PrefetchKey, value: Any) -> None:
        record = sent(key, value)
        assert record.states[key] is KeyState.FAILED
        assert record.unread == (Unread(key.value, "not a FHIR resource"),)

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda each: each,
            bundle,
            lambda each: bundle(each, type="searchset", total=1),
            lambda each: {"resourceType": "Bundle", "entry": [{}, {"resource": each}]},
            lambda each: {"resourceType": "Bundle", "entry": {"resource": each}},
            lambda each: bundle(bundle(each)),
        ],
        ids=["resource", "no type", "searchset", "entry without resource", "entry not a list", "nested"],
    )
    def test_present(self, key: PrefetchKey, wrap: Any) -> None:
        kind = RESOURCE_TYPES[key]
        record = sent(key, wrap(resource(kind, "x" * 200)))
        assert record.states[key] is KeyState.PRESENT
        assert [entry.reference for entry in record.of_type(kind)] == [f"{kind}/{'x' * 200}"]
        assert not record.unread

    @pytest.mark.parametrize(
        "members",
        [
            {"link": [{"relation": "self", "url": "a"}, {"relation": "next", "url": "b"}]},
            {"total": 2},
            {"total": 2, "type": "searchset"},
            {"link": {"relation": "next"}},
        ],
    )
    def test_paged(self, key: PrefetchKey, members: dict[str, Any]) -> None:
        record = sent(key, bundle(resource(RESOURCE_TYPES[key]), **members))
        assert record.states[key] is KeyState.PRESENT
        assert record.unread == (Unread(key.value, FIRST_PAGE),)

    def test_counted_but_not_sent_is_not_none(self, key: PrefetchKey) -> None:
        record = sent(key, {"resourceType": "Bundle", "total": 3})
        assert record.states[key] is KeyState.FAILED
        assert record.unread == (Unread(key.value, FIRST_PAGE),)

    def test_entries_without_any_resource_are_not_none(self, key: PrefetchKey) -> None:
        record = sent(key, {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:1"}]})
        assert record.states[key] is KeyState.FAILED
        assert len(record.unread) == 1

    def test_satisfied_under_another_name(self, key: PrefetchKey) -> None:
        record = from_prefetch(CONTEXT, {"their own name": bundle(resource(RESOURCE_TYPES[key]))})
        assert record.states[key] is KeyState.PRESENT

    def test_holding_other_data_is_a_name_of_the_clients_own(self, key: PrefetchKey) -> None:
        record = sent(key, bundle(resource("Medication")))
        assert record.states[key] is KeyState.ABSENT
        assert [entry.type for entry in record.entries] == ["Medication"]


class TestWhatElseIsSent:
    def test_an_error_beside_results_is_said(self) -> None:
        record = sent(PrefetchKey.CLAIMS, bundle(resource("Claim"), OUTCOME))
        assert record.states[PrefetchKey.CLAIMS] is KeyState.PRESENT
        assert record.unread == (Unread("claims", "reading it failed (forbidden)"),)

    @pytest.mark.parametrize("severity", ["warning", "information"])
    def test_a_hint_beside_results_is_not(self, severity: str) -> None:
        hint = {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "processing"}]}
        assert not sent(PrefetchKey.CLAIMS, bundle(resource("Claim"), hint)).unread

    def test_issue_codes_outside_the_value_set_are_not_repeated(self) -> None:
        outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": SECRET}]}
        assert sent(PrefetchKey.CLAIMS, outcome).unread == (Unread("claims", "reading it failed"),)

    def test_included_resources_do_not_count_against_the_total(self) -> None:
        value = bundle(resource("Claim"), type="searchset", total=1)
        value["entry"].append({"resource": resource("Organization"), "search": {"mode": "include"}})
        assert not sent(PrefetchKey.CLAIMS, value).unread
        value["total"] = 2
        assert sent(PrefetchKey.CLAIMS, value).unread

    def test_odd_entries_do_not_hide_good_ones(self) -> None:
        value = bundle(resource("Claim"))
        value["entry"] += [None, "x", {"resource": []}, {"resource": {"id": "2"}}]
        record = sent(PrefetchKey.CLAIMS, value)
        assert record.states[PrefetchKey.CLAIMS] is KeyState.PRESENT
        assert record.unread == (Unread("claims", "some entries are not FHIR resources"),)

    def test_a_page_of_data_nobody_judges_is_not_worth_a_word(self) -> None:
        assert not from_prefetch(CONTEXT, {"locations": bundle(resource("Location"), total=9)}).unread
        assert from_prefetch(CONTEXT, {"notes": bundle(resource("DocumentReference"), total=9)}).unread

    @pytest.mark.parametrize(
        ("name", "subject"), [("mine", "mine"), (f"{SECRET}'s notes", "prefetch"), ("", "prefetch")]
    )
    def test_names_that_are_no_names_are_not_repeated(self, name: str, subject: str) -> None:
        assert [unread.subject for unread in from_prefetch(CONTEXT, {name: 3}).unread] == [subject]

    def test_failed_under_our_name_but_sent_under_another(self) -> None:
        record = from_prefetch(CONTEXT, {"procedures": OUTCOME, "mine": resource("Procedure")})
        assert record.states[PrefetchKey.PROCEDURES] is KeyState.PRESENT
        assert len(record.unread) == 1

    def test_resources_sent_twice_are_listed_once(self) -> None:
        record = from_prefetch(CONTEXT, {"procedures": bundle(resource("Procedure")), "mine": resource("Procedure")})
        assert len(record.entries) == 1

    def test_resources_without_an_id_are_all_kept(self) -> None:
        record = sent(PrefetchKey.PROCEDURES, bundle({"resourceType": "Procedure"}, {"resourceType": "Procedure"}))
        assert [entry.reference for entry in record.entries] == ["Procedure", "Procedure"]

    @pytest.mark.parametrize(
        ("first", "second", "kept"),
        [
            ({}, {}, 0),
            ({"versionId": "1"}, {"versionId": "2"}, 1),
            ({"versionId": "10"}, {"versionId": "9"}, 0),
            ({"versionId": "a"}, {"versionId": "b"}, 0),
            ({"lastUpdated": "2026-03-02T10:00:00Z"}, {"lastUpdated": "2026-03-02T10:00:01Z"}, 1),
            ({"lastUpdated": "2026-03-02T10:00:00-05:00"}, {"lastUpdated": "2026-03-02T12:00:00Z"}, 0),
            ({"lastUpdated": "2026-03-02"}, {"lastUpdated": "2026-03-03T00:00:00Z"}, 1),
            ({"versionId": "1", "lastUpdated": "2026-01-01T00:00:00Z"}, {"lastUpdated": "2026-02-01T00:00:00Z"}, 1),
            ({"lastUpdated": "yesterday"}, {"lastUpdated": 3}, 0),
            ([], "x", 0),
        ],
    )
    def test_the_later_version_stays(self, first: Any, second: Any, kept: int) -> None:
        versions = [resource("Claim", meta=first), resource("Claim", meta=second)]
        (entry,) = sent(PrefetchKey.CLAIMS, bundle(*versions)).entries
        assert entry.resource is versions[kept]

    def test_contained_resources_are_listed_after_their_holder(self) -> None:
        claim = resource("Claim", contained=[resource("Coverage", "c1"), {"resourceType": "Organization"}, "x"])
        record = sent(PrefetchKey.CLAIMS, bundle(claim, resource("Claim", "2")))
        assert [entry.reference for entry in record.entries] == ["Claim/1", "Claim/1#c1", "Claim/1#", "Claim/2"]
        assert record.states[PrefetchKey.COVERAGE] is KeyState.ABSENT

    def test_resources_are_not_copied(self) -> None:
        claim = resource("Claim")
        assert sent(PrefetchKey.CLAIMS, claim).entries[0].resource is claim


class TestContext:
    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("p1", "p1"),
            (" p1 ", "p1"),
            ("Patient/p1", "p1"),
            ("Patient/p1/_history/3", "p1"),
            ("https://ehr.example/fhir/Patient/p1", "p1"),
            ("Encounter/p1", None),
            ("a/b/c", None),
            ("", None),
            (None, None),
            (7, None),
            (["p1"], None),
        ],
    )
    def test_patient(self, written: Any, read: str | None) -> None:
        assert from_prefetch({"patientId": written}, None).patient_id == read

    def test_encounter(self) -> None:
        assert from_prefetch({"encounterId": "Encounter/e1"}, {}).encounter_id == "e1"
        assert from_prefetch({}, {}).encounter_id is None

    def test_drafts_are_apart_and_all_kept(self) -> None:
        drafts = bundle(resource("ServiceRequest", "draft"), resource("ServiceRequest", "draft"))
        drafts["entry"] += [{"fullUrl": "urn:uuid:1"}, None, {"resource": {"resourceType": "ServiceRequest"}}]
        record = from_prefetch({"draftOrders": drafts}, {})
        expected = ["ServiceRequest/draft", "ServiceRequest/draft", "ServiceRequest"]
        assert [entry.reference for entry in record.draft_orders] == expected
        assert not record.entries
        assert record.states[PrefetchKey.ORDERS] is KeyState.ABSENT

    def test_drafts_can_be_referred_to(self) -> None:
        record = from_prefetch({"draftOrders": bundle(resource("ServiceRequest", "d"))}, {})
        assert record.resolve("ServiceRequest/d") is record.draft_orders[0]

    @pytest.mark.parametrize("drafts", ["x", 3, [], {"entry": "x"}, True])
    def test_drafts_of_a_wrong_type(self, drafts: Any) -> None:
        record = from_prefetch({"draftOrders": drafts}, {})
        assert record.draft_orders == ()
        assert record.unread == (Unread("draftOrders", "not a FHIR Bundle"),)


class Source:
    """A source that remembers what it was asked for."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {PrefetchKey(name): value for name, value in answers.items()}
        self.asked: tuple[PrefetchKey, ...] = ()

    def read(self, keys: Any, pages: Any = None) -> Any:
        self.asked, self.pages = tuple(keys), pages
        return self.answers


class TestFetching:
    def test_only_what_the_client_left_out_is_asked_for(self) -> None:
        source = Source()
        prefetch = {
            "patient": resource("Patient"),
            "coverage": None,
            "procedures": OUTCOME,
            "observations": "odd",
            "medications": bundle(resource("Medication")),
            "mine": bundle(resource("Claim")),
        }
        from_prefetch(CONTEXT, prefetch, source)
        left = {"encounter", "documents", "medications", "conditions", "orders"}
        assert {key.value for key in source.asked} == left

    def test_nothing_is_asked_when_nothing_is_missing(self) -> None:
        source = Source()
        from_prefetch(CONTEXT, {key.value: None for key in PrefetchKey}, source)
        assert source.asked == ()

    def test_answers_give_states(self) -> None:
        source = Source(
            claims=bundle(resource("Claim"), total=2),
            procedures=bundle(),
            documents=Unread("documents", "the FHIR server answered 500"),
            patient=OUTCOME,
        )
        record = from_prefetch(CONTEXT, {}, source)
        assert record.states[PrefetchKey.CLAIMS] is KeyState.PRESENT
        assert record.states[PrefetchKey.PROCEDURES] is KeyState.NONE
        assert record.states[PrefetchKey.DOCUMENTS] is KeyState.FAILED
        assert record.states[PrefetchKey.PATIENT] is KeyState.FAILED
        assert record.states[PrefetchKey.ENCOUNTER] is KeyState.ABSENT
        assert {unread.subject for unread in record.unread} == {"claims", "documents", "patient"}


class TestFromBundle:
    def test_what_is_not_in_it_stays_unknown(self) -> None:
        record = from_bundle(bundle(resource("Procedure"), resource("Patient", "p1"), type="collection"))
        assert record.states[PrefetchKey.PROCEDURES] is KeyState.PRESENT
        assert record.states[PrefetchKey.CLAIMS] is KeyState.ABSENT
        assert set(record.states) == set(PrefetchKey)
        assert record.patient_id == "p1"

    @pytest.mark.parametrize(
        "odd",
        [
            {"link": [{"relation": "next", "url": "u"}]},
            {"total": 9},
            {"entry": [{"resource": OUTCOME}]},
            {"entry": [{"response": {"status": "404 Not Found"}}]},
            {"entry": ["x"]},
        ],
    )
    def test_a_bundle_that_is_not_whole_is_as_unknown(self, odd: dict[str, Any]) -> None:
        record = from_bundle({"resourceType": "Bundle", **odd})
        assert set(record.states.values()) == {KeyState.ABSENT}
        assert record.unread

    def test_two_patients_name_none(self) -> None:
        assert from_bundle(bundle(resource("Patient", "1"), resource("Patient", "2"))).patient_id is None

    def test_contained_resources_count(self) -> None:
        record = from_bundle(bundle(resource("Claim", contained=[resource("Coverage", "c")])))
        assert record.states[PrefetchKey.COVERAGE] is KeyState.PRESENT

    def test_a_deleted_resource_is_gone_from_a_history(self) -> None:
        history = {
            "resourceType": "Bundle",
            "type": "history",
            "entry": [
                {"request": {"method": "DELETE", "url": "Procedure/1"}},
                {"resource": resource("Procedure", "1"), "request": {"method": "PUT", "url": "Procedure/1"}},
                {"resource": resource("Procedure", "2"), "request": {"method": "PUT", "url": "Procedure/2"}},
            ],
        }
        assert [entry.reference for entry in from_bundle(history).entries] == ["Procedure/2"]

    @pytest.mark.parametrize("value", [None, [], "x", 3, {}, {"resourceType": "Patient"}])
    def test_not_a_bundle(self, value: Any) -> None:
        record = from_bundle(value)
        assert not record.entries
        assert set(record.states.values()) == {KeyState.ABSENT}
        assert record.unread == (Unread("Bundle", "not a FHIR Bundle"),)

    def test_bundles_in_bundles_end_somewhere(self) -> None:
        nested = bundle(resource("Claim"))
        for _ in range(50):
            nested = bundle(nested)
        assert from_bundle(nested).unread == (Unread("Bundle", "some entries are not FHIR resources"),)


WORDS = (
    st.sampled_from(
        [
            "resourceType",
            "Bundle",
            "entry",
            "resource",
            "search",
            "mode",
            "include",
            "fullUrl",
            "contained",
            "meta",
            "total",
        ]
    )
    | st.sampled_from(
        [
            "versionId",
            "lastUpdated",
            "link",
            "relation",
            "next",
            "OperationOutcome",
            "issue",
            "severity",
            "code",
            "Claim",
        ]
    )
    | st.sampled_from(
        [
            "Patient",
            "id",
            "request",
            "response",
            "status",
            "method",
            "DELETE",
            "url",
            "claims",
            "draftOrders",
            "patientId",
        ]
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=6)
        | st.builds(lambda kind, more: {**more, "resourceType": kind}, WORDS, st.dictionaries(WORDS, inner, max_size=4))
    ),
    max_leaves=30,
)


@given(prefetch=st.dictionaries(st.sampled_from([*PrefetchKey, "mine"]) | st.text(max_size=5), JSON), context=JSON)
def test_any_json_gives_a_record(prefetch: Any, context: Any) -> None:
    record = from_prefetch(context, prefetch)
    assert set(record.states) == set(PrefetchKey)
    assert all(isinstance(entry.reference, str) for entry in record.entries)


@given(value=JSON)
def test_any_json_in_place_of_the_prefetch_or_a_bundle_gives_a_record(value: Any) -> None:
    from_prefetch({}, value)
    from_bundle(value)
