"""Which edition of a table of CMS answers for a day, and that it is said where that is not the day's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from cds_service.knowledge.library import Knowledge, View, load

ENTRY = """
[{kind}-{year}q{number}]
kind = "{kind}"
file = "{kind}_{year}q{number}.csv"
edition = "{year} Q{number}"
from = {first}
to = {last}
source = "cms-ncci-mue-2024q3"
origin = "CMS"
"""
YEARS = {"2024": ("2024-10-01", "2024-12-31"), "2027": ("2027-10-01", "2027-12-31")}
HEADERS = {"addon": "primary,add_on,type", "mpfs": "code,status,global_days,multiple,bilateral,assistant,pctc"}


@pytest.fixture
def site(overlay: Callable[[Mapping[str, str]], Path]) -> Knowledge:
    """The shipped tables, and two more editions of each kind: 64462 with another primary and indicator in each."""
    entries = [
        ENTRY.format(kind=kind, year=year, number=4, first=first, last=last)
        for kind in HEADERS
        for year, (first, last) in YEARS.items()
    ]
    rows = {
        "addon_2024q4.csv": "64461,64462,1\n64463,64462,1\n",
        "addon_2027q4.csv": "64461,64462,1\nCCCCC,64462,3\nCCCCC,77002,2\n",
        "mpfs_2024q4.csv": "64462,A,ZZZ,0,2,1,0\n",
        "mpfs_2027q4.csv": "64462,A,ZZZ,0,3,1,0\n",
    }
    tables = {name: f"{HEADERS[name[:-11]]}\n{text}" for name, text in rows.items()}
    return load(overlay({"tables.toml": "".join(entries), **tables}))


@pytest.mark.parametrize(
    ("day", "primaries", "bilateral"),
    [
        pytest.param("2024-11-15", {"64461", "64463"}, "2", id="within an edition"),
        pytest.param("2025-02-01", {"64461", "64463"}, "2", id="soon after it"),
        pytest.param("2025-10-15", {"64461", "64463"}, "1", id="within an edition of one kind only"),
        pytest.param("2027-12-31", {"64461"}, "3", id="last day of an edition"),
        pytest.param("2030-01-01", {"64461"}, "3", id="after all"),
        pytest.param("2010-01-01", {"64461"}, "2", id="before all"),
    ],
)
def test_a_code_is_as_the_edition_for_the_day_has_it(
    day: str, primaries: set[str], bilateral: str, site: Knowledge
) -> None:
    code = site.on(date.fromisoformat(day)).code("64462")
    assert code is not None
    assert (code.primaries, code.bilateral) == (primaries, bilateral)


def test_pages_without_a_day_show_the_newest(site: Knowledge) -> None:
    assert site.codes["64462"].bilateral == "3"


def test_a_code_that_an_edition_lacks_is_taken_from_the_nearest_that_has_it(site: Knowledge) -> None:
    view = site.on(date(2027, 11, 1))
    code = view.code("64461")
    assert code is not None
    assert code.bilateral == "1"
    assert "of 2026 Q3" in str(view.edition_gap("mpfs", "64461"))
    assert view.edition_gap("mpfs", "64462") is None


def test_primaries_left_to_the_contractors_are_none_that_is_known(site: Knowledge) -> None:
    view = site.on(date(2027, 11, 1))
    code = view.code("77002")
    assert code is not None
    assert "CCCCC" not in code.primaries
    assert "of 2024 Q3" in str(view.edition_gap("addon", "77002"))


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        ("addon", "64462", "outside the loaded Medicare NCCI add-on code edits of 2024 Q3 (2024-07-01 to 2024-09-30)"),
        ("addon", "64461", "The loaded Medicare NCCI add-on code edits do not have 64461."),
        ("mpfs", "64462", "of 2025 Q4 (2025-10-01 to 2025-12-31); that edition was used all the same."),
    ],
)
def test_an_edition_of_another_quarter_is_named(kind: str, code: str, expected: str, on: Callable[..., View]) -> None:
    assert expected in str(on("2026-03-02").edition_gap(kind, code))


def test_within_the_quarter_nothing_is_said(on: Callable[..., View]) -> None:
    assert on("2024-08-01").edition_gap("addon", "64462") is None
    assert on("2026-08-01").edition_gap("mpfs", "64462") is None
