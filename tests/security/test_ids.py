"""Ids of patients and encounters that would change what a FHIR server is asked for."""

from __future__ import annotations

import pytest

from cds_service.fhir.queries import fill
from cds_service.fhir.references import plain_id

_SEARCH = "Procedure?patient={{context.patientId}}&_count=50"
_READ = "Patient/{{context.patientId}}"


@pytest.mark.parametrize(
    "identifier", ["1,2", "1|2", "1$2", "1\\,2", ",", "..", ".", " ", "x/../../Practitioner", "a/b"]
)
@pytest.mark.parametrize("template", [_SEARCH, _READ], ids=["search", "read"])
def test_what_is_no_single_id_is_not_asked_for(template: str, identifier: str) -> None:
    assert fill(template, {"patientId": plain_id(identifier, "Patient")}) is None


@pytest.mark.parametrize(
    "identifier", ["a&_include=*", "a?b", "a#b", "a%2Fb", "a\r\nX: y", "a b", "a;b", "é", "a=b", "\0"]
)
@pytest.mark.parametrize("template", [_SEARCH, _READ], ids=["search", "read"])
def test_other_ids_stay_one_value(template: str, identifier: str) -> None:
    query = fill(template, {"patientId": identifier})
    assert query is not None
    before, _, after = template.partition("{{context.patientId}}")
    value = query.removeprefix(before).removesuffix(after)
    assert set(value) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%_.~-")
