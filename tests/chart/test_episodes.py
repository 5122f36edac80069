"""Which resources belong to an encounter, a day, a patient."""

from __future__ import annotations

import pytest

from cds_service.chart.episodes import all_episodes, encounters_of, of_encounter
from cds_service.fhir.prefetch import from_prefetch

ENCOUNTER = {"resourceType": "Encounter", "id": "1", "period": {"start": "2026-03-01", "end": "2026-03-05"}}
OTHER = {"resourceType": "Encounter", "id": "2", "period": {"start": "2026-04-01", "end": "2026-04-05"}}


def references(episode):
    return [entry.reference for entry in episode.entries]


def layout(record):
    return [(e.encounter, str(e.day) if e.day else None, references(e)) for e in all_episodes(record)]


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Procedure", "encounter": {"reference": "Encounter/1"}},
        {"resourceType": "Procedure", "encounter": {"reference": "Encounter/1/_history/3"}},
        {"resourceType": "Procedure", "encounter": {"reference": "https://ehr.example.org/fhir/Encounter/1"}},
        {"resourceType": "Procedure", "encounter": {"reference": "urn:uuid:9E5D0B36-4C2C-4F2B-8B1B-6A5C7B1A0001"}},
        {"resourceType": "Procedure", "encounter": [{"reference": "Encounter/1"}]},
        {"resourceType": "Claim", "item": [{}, {"encounter": [{"reference": "Encounter/1"}]}]},
        {"resourceType": "DocumentReference", "context": {"encounter": [{"reference": "Encounter/1"}]}},
        {"resourceType": "MedicationAdministration", "context": {"reference": "Encounter/1"}},
        {"resourceType": "Observation", "encounter": {"reference": "Encounter/1"}},
        {"resourceType": "ServiceRequest", "encounter": {"reference": "Encounter/1"}},
    ],
)
def test_an_encounter_is_named_in_every_form(resource, record_of):
    record = record_of(ENCOUNTER, {**resource, "id": "x"}, **{"1": "urn:uuid:9e5d0b36-4c2c-4f2b-8b1b-6a5c7b1a0001"})
    entry = record.of_type(resource["resourceType"])[0]
    assert encounters_of(entry, record) == {"Encounter/1"}


@pytest.mark.parametrize(
    "reference",
    [None, 7, "", "#", "#gone", "Patient/1", "EpisodeOfCare/1", "http://", {"reference": []}, ["Encounter/1"], {}],
)
@pytest.mark.parametrize("member", ["encounter", "context"])
def test_what_is_no_encounter_names_none(member, reference, record_of):
    place = reference if isinstance(reference, dict | list) else {"reference": reference}
    record = record_of({"resourceType": "Procedure", "id": "x", member: place})
    assert encounters_of(record.entries[0], record) == frozenset()


def test_an_episode_of_care_under_a_urn_is_no_encounter(record_of):
    urn = "urn:uuid:9e5d0b36-4c2c-4f2b-8b1b-6a5c7b1a0002"
    given = {"resourceType": "MedicationAdministration", "id": "m", "context": {"reference": urn}}
    record = record_of({"resourceType": "EpisodeOfCare", "id": "e"}, given, e=urn)
    assert encounters_of(record.of_type("MedicationAdministration")[0], record) == frozenset()


def test_an_encounter_known_by_its_address_only_is_one(record_of):
    encounter = {"resourceType": "Encounter", "period": ENCOUNTER["period"]}
    entries = [
        {"fullUrl": "https://ehr.example.org/fhir/Encounter/1", "resource": encounter},
        {"resource": {"resourceType": "Procedure", "id": "p", "encounter": {"reference": "Encounter/1"}}},
    ]
    record = from_prefetch({}, {"all": {"resourceType": "Bundle", "entry": entries}})
    assert layout(record) == [("https://ehr.example.org/fhir/Encounter/1", None, ["Procedure/p"])]


@pytest.mark.parametrize(
    ("resource", "inside"),
    [
        ({"resourceType": "Procedure", "performedDateTime": "2026-03-01T00:10:00+01:00"}, True),
        ({"resourceType": "Procedure", "performedPeriod": {"start": "2026-03-05"}}, True),
        ({"resourceType": "Procedure", "performedDateTime": "2026-02-28"}, False),
        ({"resourceType": "Procedure", "performedDateTime": "2026-03-06"}, False),
        ({"resourceType": "Procedure", "performedDateTime": "2026"}, True),
        ({"resourceType": "Procedure", "performedDateTime": ["2026-03-06"]}, True),
        ({"resourceType": "Procedure"}, True),
        ({"resourceType": "Claim", "item": [{"servicedDate": "2026-03-02"}]}, True),
        ({"resourceType": "Claim", "item": [{"servicedDate": "2026-05-02"}]}, False),
        ({"resourceType": "Claim", "billablePeriod": {"start": "2026-05-02"}}, False),
        ({"resourceType": "DocumentReference", "date": "2026-03-04T10:00:00Z"}, True),
        ({"resourceType": "DocumentReference", "date": "2026-05-02T10:00:00Z"}, False),
        (
            {
                "resourceType": "DocumentReference",
                "date": "2026-05-02T10:00:00Z",
                "context": {"period": {"start": "2026-03-02"}},
            },
            True,
        ),
        ({"resourceType": "Procedure", "encounter": {"reference": "Encounter/2"}}, False),
        (
            {"resourceType": "Procedure", "encounter": {"reference": "Encounter/1"}, "performedDateTime": "1999-01-01"},
            True,
        ),
    ],
)
def test_what_names_no_encounter_belongs_by_its_time(resource, inside, record_of):
    record = record_of(ENCOUNTER, {**resource, "id": "x"})
    assert bool(of_encounter(record, "Encounter/1").entries) is inside


def test_of_an_encounter_of_unknown_time_is_all_that_names_no_other(record_of):
    old = {"resourceType": "Procedure", "id": "old", "performedDateTime": "1999-01-01"}
    record = record_of({"resourceType": "Encounter", "id": "1"}, old)
    assert references(of_encounter(record, "Encounter/1")) == ["Procedure/old"]
    assert references(of_encounter(record_of(old), "Encounter/not-here")) == ["Procedure/old"]


def test_several_encounters_and_what_is_of_none_of_them(record_of, procedure):
    record = record_of(
        ENCOUNTER,
        OTHER,
        procedure("named", encounter={"reference": "Encounter/2"}, performedDateTime="2026-03-02"),
        procedure("in-march", performedDateTime="2026-03-02"),
        procedure("in-may", performedDateTime="2026-05-09"),
        procedure("undated"),
    )
    assert layout(record) == [
        ("Encounter/1", None, ["Procedure/in-march"]),
        ("Encounter/2", None, ["Procedure/named"]),
        (None, "2026-05-09", ["Procedure/in-may", "Procedure/undated"]),
    ]


def test_what_may_be_of_two_encounters_is_of_its_day(record_of, procedure):
    overlapping = {**OTHER, "period": {"start": "2026-03-02"}}
    record = record_of(ENCOUNTER, overlapping, procedure("p", performedDateTime="2026-03-03"))
    assert layout(record)[2] == (None, "2026-03-03", ["Procedure/p"])


def test_beside_a_single_encounter_what_is_of_another_time_is_of_its_day(record_of, procedure):
    record = record_of(ENCOUNTER, procedure("late", performedDateTime="2026-07-01"), procedure("p"))
    assert layout(record) == [("Encounter/1", None, ["Procedure/p"]), (None, "2026-07-01", ["Procedure/late"])]


def test_without_encounters_each_day_is_an_episode(record_of, procedure):
    record = record_of(
        procedure("a", performedDateTime="2026-03-02"), procedure("b", performedDateTime="2026-03-01"), procedure("c")
    )
    assert layout(record) == [
        (None, "2026-03-01", ["Procedure/b", "Procedure/c"]),
        (None, "2026-03-02", ["Procedure/a", "Procedure/c"]),
    ]
    assert layout(record_of(procedure("c"))) == [(None, None, ["Procedure/c"])]
    assert layout(record_of()) == []


def test_an_empty_encounter_is_an_episode(record_of):
    assert layout(record_of(ENCOUNTER)) == [("Encounter/1", None, [])]


def test_contained_resources_are_part_of_their_own(record_of, procedure):
    record = record_of(ENCOUNTER, procedure("p", contained=[procedure("inner"), {**OTHER}]))
    assert layout(record) == [("Encounter/1", None, ["Procedure/p"])]


@pytest.mark.parametrize(
    ("subject", "left_out"),
    [
        ({"subject": {"reference": "Patient/me"}}, False),
        ({"subject": {"reference": "https://ehr.example.org/Patient/me"}}, False),
        ({"subject": {"reference": "urn:uuid:0aaa0b36-4c2c-4f2b-8b1b-6a5c7b1a0001"}}, False),
        ({"subject": {"reference": "Patient/you"}}, True),
        ({"patient": {"reference": "Patient/you"}}, True),
        ({"subject": {"reference": "https://ehr.example.org/Patient/you/_history/2"}}, True),
        ({"subject": {"reference": "Group/1"}}, False),
        ({"subject": {"display": "somebody"}}, False),
        ({"subject": "Patient/you"}, True),
        ({"subject": ["Patient/you"]}, False),
        ({"subject": {"reference": "#p"}}, False),
        ({}, False),
    ],
)
def test_what_names_another_patient_is_left_out_of_the_encounter_and_named(subject, left_out, record_of):
    record = record_of(
        {"resourceType": "Patient", "id": "me"},
        ENCOUNTER,
        {"resourceType": "Procedure", "id": "x", "encounter": {"reference": "Encounter/1"}, **subject},
        me="urn:uuid:0aaa0b36-4c2c-4f2b-8b1b-6a5c7b1a0001",
    )
    for episode in (of_encounter(record, "Encounter/1"), all_episodes(record)[0]):
        assert references(episode) == ([] if left_out else ["Procedure/x"])
        assert episode.of_others == (("Procedure/x",) if left_out else ())


def test_of_two_patients_on_one_day_each_has_an_episode(record_of, procedure):
    record = record_of(
        procedure("a", subject={"reference": "Patient/1"}, performedDateTime="2026-03-02"),
        procedure("b", subject={"reference": "Patient/2"}, performedDateTime="2026-03-02"),
        procedure("c", subject={"reference": "Patient/2"}),
    )
    assert layout(record) == [
        (None, "2026-03-02", ["Procedure/a"]),
        (None, "2026-03-02", ["Procedure/b", "Procedure/c"]),
    ]


def test_one_who_is_not_named_is_the_one_who_is(record_of, procedure):
    record = record_of(
        procedure("a", subject={"reference": "Patient/1"}, performedDateTime="2026-03-02"),
        procedure("b", performedDateTime="2026-03-02"),
    )
    assert layout(record) == [(None, "2026-03-02", ["Procedure/a", "Procedure/b"])]


def test_the_patient_of_the_encounter_counts_where_a_bundle_has_several(record_of, procedure):
    record = record_of(
        {"resourceType": "Patient", "id": "1"},
        {"resourceType": "Patient", "id": "2"},
        {**ENCOUNTER, "subject": {"reference": "Patient/1"}},
        procedure("a", subject={"reference": "Patient/1"}, encounter={"reference": "Encounter/1"}),
        procedure("b", subject={"reference": "Patient/2"}, encounter={"reference": "Encounter/1"}),
        procedure("c", subject={"reference": "Patient/2"}, performedDateTime="2026-03-02"),
    )
    assert layout(record) == [
        ("Encounter/1", None, ["Procedure/a"]),
        (None, "2026-03-02", ["Procedure/c"]),
    ]
    assert all_episodes(record)[0].of_others == ("Procedure/b",)


def test_a_text_is_decoded_once(record_of, document):
    record = record_of(document("n", "A note."))
    episode = all_episodes(record)[0]
    assert episode.texts_of(episode.entries[0]) is episode.texts_of(episode.entries[0])


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("2026-03-02", {"2026-03-02": ["DocumentReference/n", "Procedure/p"]}),
        ("2026-03-03", {"2026-03-02": ["DocumentReference/n", "Procedure/p"]}),
        ("2026-03-05", {"2026-03-02": ["DocumentReference/n", "Procedure/p"]}),
        ("2026-03-06", {"2026-03-02": ["Procedure/p"], "2026-03-06": ["DocumentReference/n"]}),
        ("2026-03-01", {"2026-03-01": ["DocumentReference/n"], "2026-03-02": ["Procedure/p"]}),
    ],
)
def test_a_note_written_a_little_later_is_of_the_day_it_tells_of(written, days, record_of):
    entries = [
        {"resourceType": "Procedure", "id": "p", "performedDateTime": "2026-03-02"},
        {"resourceType": "DocumentReference", "id": "n", "date": f"{written}T08:00:00Z"},
    ]
    record = record_of(*entries)
    found = {str(each.day): sorted(entry.reference for entry in each.entries) for each in all_episodes(record)}
    assert found == days


@pytest.mark.parametrize(("written", "belongs"), [("2026-03-06", True), ("2026-03-07", True), ("2026-03-20", False)])
def test_a_note_without_an_encounter_may_be_signed_after_the_discharge(written, belongs, record_of):
    entries = [
        {"resourceType": "Encounter", "id": "e", "period": {"start": "2026-03-01", "end": "2026-03-05"}},
        {"resourceType": "DocumentReference", "id": "n", "date": written},
    ]
    record = record_of(*entries)
    assert bool(of_encounter(record, "Encounter/e").of_type("DocumentReference")) is belongs


@pytest.mark.parametrize(("written", "belongs"), [("2026-03-06", True), ("2026-03-20", False)])
def test_a_bundle_places_a_late_note_as_a_hook_does(written, belongs, record_of):
    note = {"resourceType": "DocumentReference", "id": "n", "date": written}
    homes = {each.encounter for each in all_episodes(record_of(ENCOUNTER, note)) if each.of_type("DocumentReference")}
    assert homes == {"Encounter/1" if belongs else None}


def test_a_note_of_one_encounters_time_is_not_a_late_note_of_another(record_of):
    next_stay = {"resourceType": "Encounter", "id": "2", "period": {"start": "2026-03-06", "end": "2026-03-08"}}
    note = {"resourceType": "DocumentReference", "id": "n", "date": "2026-03-07"}
    episodes = all_episodes(record_of(ENCOUNTER, next_stay, note))
    assert [each.encounter for each in episodes if each.of_type("DocumentReference")] == ["Encounter/2"]
