"""What is loaded, and above all what is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from cds_service.knowledge.files import DOCUMENTS
from cds_service.knowledge.library import Knowledge, KnowledgeError
from cds_service.knowledge.status import Days, Kind, Status, status

Overlay = Callable[[Mapping[str, str]], Path]
MUE = """
[mue-{id}]
kind = "mue"
file = "mue_{id}.csv"
edition = "{edition}"
from = {first}
to = {last}
source = "cms-ncci-mue-2024q3"
origin = "CMS"
"""
ROWS = "code,units,mai,rationale\n64461,1,2,CMS Policy\n64462,1,2,CMS Policy\n"


def mue(id_: str, edition: str, first: str, last: str) -> str:
    return MUE.format(id=id_, edition=edition, first=first, last=last)


def seen(folder: Path | None, today: str, kind: str = "mue") -> tuple[Status, Kind]:
    found = status(folder, date.fromisoformat(today))
    return found, next(one for one in found.kinds if one.kind == kind)


@pytest.mark.parametrize(
    ("today", "covers", "uncovered"),
    [
        pytest.param("2024-06-30", False, [], id="before the first edition: no gap yet"),
        pytest.param("2024-07-01", True, [], id="first day"),
        pytest.param("2024-09-30", True, [], id="last day"),
        pytest.param("2024-10-01", False, [("2024-10-01", "2024-10-01")], id="the day after"),
        pytest.param("2026-11-01", False, [("2024-10-01", "2026-11-01")], id="years later"),
    ],
)
def test_the_days_in_no_edition(today: str, covers: bool, uncovered: list[tuple[str, str]]) -> None:
    _, kind = seen(None, today)
    assert kind.covers_today is covers
    assert kind.uncovered == tuple(Days(date.fromisoformat(a), date.fromisoformat(b)) for a, b in uncovered)
    assert kind.newest_day == date(2024, 9, 30)


def test_days_between_editions_are_uncovered_and_days_that_join_are_not(overlay: Overlay) -> None:
    tables = mue("2024q4", "2024 Q4", "2024-10-01", "2024-12-31") + mue("2026q4", "2026 Q4", "2026-10-01", "2026-12-31")
    folder = overlay({"tables.toml": tables, "mue_2024q4.csv": ROWS, "mue_2026q4.csv": ROWS})
    _, kind = seen(folder, "2026-11-01")
    assert kind.uncovered == (Days(date(2025, 1, 1), date(2026, 9, 30)),)
    assert kind.used.id == "mue-2026q4"
    _, earlier = seen(folder, "2025-03-01")
    assert earlier.uncovered == (Days(date(2025, 1, 1), date(2025, 3, 1)),)
    assert earlier.used.id == "mue-2024q4"


def test_codes_of_ours_without_a_row_are_named_for_each_kind(knowledge: Knowledge) -> None:
    found = status(None, date(2026, 11, 1))
    by_kind = {kind.kind: kind for kind in found.kinds}
    for kind in ("ptp", "mue"):
        (edition,) = by_kind[kind].editions
        assert "64466" in edition.lacks  # a code of 2025, tables of 2024
        assert "64461" not in edition.lacks
    assert set(by_kind["addon"].editions[0].lacks) <= {c.code for c in knowledge.codes.values() if c.role == "add-on"}
    for edition in by_kind["mpfs"].editions:
        assert set(edition.lacks) < set(knowledge.codes)


def test_an_edition_says_its_rows_file_and_source(overlay: Overlay) -> None:
    tables = mue("2026q4", "2026 Q4", "2026-10-01", "2026-12-31")
    folder = overlay({"tables.toml": tables, "mue_2026q4.csv": ROWS})
    _, kind = seen(folder, "2026-11-01")
    shipped, own = kind.editions
    assert (shipped.from_site, shipped.file) == (False, "mue_2024q3.csv")
    assert (own.from_site, own.file, own.rows) == (True, str(folder / "mue_2026q4.csv"), 2)
    assert own.source.publisher == "Centers for Medicare & Medicaid Services"


def test_a_shipped_table_the_site_laid_its_own_over_is_the_sites(overlay: Overlay) -> None:
    _, kind = seen(overlay({"mue_2024q3.csv": ROWS}), "2026-11-01")
    assert kind.editions[0].from_site
    assert kind.editions[0].rows == 2


def test_documents_say_which_entries_are_the_sites(overlay: Overlay) -> None:
    found = status(overlay({"sources.toml": '[own]\ntitle="A"\npublisher="A"\npublished="2026"\n'}), date(2026, 11, 1))
    documents = {document.name: document for document in found.documents}
    assert set(documents) == set(DOCUMENTS)
    assert documents["sources"].from_site == ("own",)
    assert documents["codes"].from_site == ()
    assert documents["profiles"].entries >= 2


def test_a_folder_named_from_where_one_is_counts_as_the_sites(
    overlay: Overlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = overlay({"mue_2024q3.csv": ROWS})
    monkeypatch.chdir(folder.parent)
    found = status(Path(folder.name), date(2026, 11, 1))
    assert found.folder == folder.resolve()
    assert any(edition.from_site for kind in found.kinds for edition in kind.editions)


def test_a_broken_folder_is_said(overlay: Overlay) -> None:
    with pytest.raises(KnowledgeError):
        status(overlay({"codes.toml": "[64461\n"}), date(2026, 11, 1))


def test_every_day_is_either_covered_or_uncovered(overlay: Overlay) -> None:
    tables = mue("2025q4", "2025 Q4", "2025-10-01", "2025-12-31")
    folder = overlay({"tables.toml": tables, "mue_2025q4.csv": ROWS})
    today = date(2026, 2, 1)
    _, kind = seen(folder, today.isoformat())
    day = date(2024, 7, 1)
    while day <= today:
        within = sum(edition.valid_from <= day <= edition.valid_to for edition in kind.editions)
        outside = sum(days.first <= day <= days.last for days in kind.uncovered)
        assert within + outside == 1, day
        day += timedelta(days=1)
