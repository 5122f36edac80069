"""What the knowledge says on a day, for a payer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from cds_service.knowledge.diagnoses import lookup
from cds_service.knowledge.library import Knowledge, KnowledgeError, View, load
from cds_service.knowledge.model import DiagnosisGroup

Overlay = Callable[[Mapping[str, str]], Path]


@pytest.mark.parametrize(
    ("day", "continuous", "counting", "codes"),
    [
        ("2024-12-31", False, "unlisted", ("64999",)),
        ("2025-01-01", False, "one-or-both-sides", ("64466", "64468")),
        ("2024-12-31", True, "unlisted", ("64999",)),
        ("2025-01-01", True, "one-or-both-sides", ("64467", "64469")),
    ],
)
def test_fascial_planes_have_codes_of_their_own_from_2025(
    on: Callable[..., View], day: str, continuous: bool, counting: str, codes: tuple[str, ...]
) -> None:
    scheme = on(day).scheme("fascial-plane", continuous)
    assert scheme is not None
    assert (scheme.counting, scheme.codes) == (counting, codes)


@pytest.mark.parametrize(
    ("family", "continuous", "day", "codes"),
    [
        ("paravertebral", False, "2015-12-31", None),
        ("paravertebral", False, "2016-01-01", ("64461", "64462")),
        ("paravertebral", True, "2015-12-31", None),
        ("paravertebral", True, "2016-01-01", ("64463",)),
        ("intercostal", False, "2019-12-31", None),
        ("intercostal", False, "2020-01-01", ("64420", "64421")),
        ("intercostal", True, "2026-03-02", None),
        ("no-such-family", False, "2026-03-02", None),
    ],
)
def test_the_scheme_in_force(
    on: Callable[..., View], family: str, continuous: bool, day: str, codes: tuple[str, ...] | None
) -> None:
    scheme = on(day).scheme(family, continuous)
    assert (scheme.codes if scheme else None) == codes


def test_a_family_of_another_day_is_asked_for_this_day(knowledge: Knowledge, on: Callable[..., View]) -> None:
    newest = knowledge.families["fascial-plane"]
    scheme = on("2024-12-31").scheme(newest, False)
    assert scheme is not None
    assert scheme.primary == "64999"


@pytest.mark.parametrize(("day", "included"), [("2024-12-31", False), ("2025-01-01", True)])
def test_whether_imaging_is_included_follows_the_codes_in_force(
    on: Callable[..., View], day: str, included: bool
) -> None:
    family = on(day).family("fascial-plane")
    assert family is not None
    assert family.imaging_included is included


@pytest.mark.parametrize(
    ("code", "day", "valid"),
    [
        ("64461", "2015-12-31", False),
        ("64461", "2016-01-01", True),
        ("64466", "2024-12-31", False),
        ("64466", "2025-01-01", True),
        ("64469", "2024-12-31", False),
        ("64469", "2025-01-01", True),
        ("64420", "2005-06-01", True),
        ("77002", "2006-12-31", False),
        ("77002", "2007-01-01", True),
        ("99213", "2026-03-02", None),
        ("", "2026-03-02", None),
    ],
)
def test_validity_by_day(on: Callable[..., View], code: str, day: str, valid: bool | None) -> None:
    assert on(day).valid(code) is valid


@pytest.mark.parametrize(
    ("technique", "region", "plane", "family"),
    [
        ("paravertebral", "thoracic", None, "paravertebral"),
        ("paravertebral", None, None, "paravertebral"),
        ("paravertebral", "lumbar", None, None),
        ("paravertebral", "cervical", None, None),
        ("fascial-plane", "thoracic", "erector-spinae", "fascial-plane"),
        ("fascial-plane", None, "serratus-anterior", "fascial-plane"),
        ("fascial-plane", None, "transversus-abdominis", "abdominal-plane"),
        ("fascial-plane", "thoracic", "quadratus-lumborum", "unlisted-plane"),
        ("fascial-plane", "lumbar", "erector-spinae", None),
        ("intercostal", None, None, "intercostal"),
        ("intercostal", "thoracic", None, "intercostal"),
        ("fascial-plane", "thoracic", "retrolaminar", None),
        ("facet", "thoracic", None, "facet-cervical-thoracic"),
        ("facet", "sacral", None, "facet-lumbar-sacral"),
        ("facet", None, None, None),
        ("sympathetic", None, None, None),
        ("", None, None, None),
    ],
)
def test_the_family_of_a_technique(
    on: Callable[..., View], technique: str, region: str | None, plane: str | None, family: str | None
) -> None:
    found = on("2026-03-02").family_for(technique, region, plane)
    assert (found.id if found else None) == family


@pytest.mark.parametrize(
    ("code", "anesthesia"),
    [
        ("00100", True),
        ("00540", True),
        ("01990", True),
        ("01999", True),
        ("01991", False),
        ("01992", False),
        ("01996", False),
        ("00099", False),
        ("02000", False),
        ("0213T", False),
        ("0054", False),
        ("64461", False),
        ("", False),
    ],
)
def test_which_codes_are_anesthesia_for_an_operation(on: Callable[..., View], code: str, anesthesia: bool) -> None:
    assert on("2026-03-02").is_anesthesia(code) is anesthesia


@pytest.mark.parametrize(
    ("day", "gap"),
    [("2024-06-30", True), ("2024-07-01", False), ("2024-09-30", False), ("2024-10-01", True)],
)
@pytest.mark.parametrize("kind", ["ptp", "mue"])
def test_a_table_of_another_quarter_is_used_and_said(on: Callable[..., View], kind: str, day: str, gap: bool) -> None:
    view = on(day)
    sentence = view.edition_gap(kind)
    assert (sentence is not None) is gap
    assert sentence is None or (day in sentence and "2024 Q3" in sentence and sentence.endswith("."))
    assert view.ptp("64461", "76942") is not None
    assert view.mue("64461") is not None


@pytest.mark.parametrize(("code", "covered"), [("64461", True), ("76942", True), ("64466", False), ("64999", False)])
def test_what_the_pair_table_can_say_nothing_about(on: Callable[..., View], code: str, covered: bool) -> None:
    assert on("2026-03-02").ptp_covers(code) is covered


@pytest.mark.parametrize(
    ("code", "bundled"),
    [("64461", True), ("64463", True), ("64420", True), ("64462", False), ("64466", False), ("77002", False)],
)
def test_what_anesthesia_codes_include(on: Callable[..., View], code: str, bundled: bool) -> None:
    assert on("2026-03-02").bundled_into_anesthesia(code) is bundled


@pytest.mark.parametrize("profile", ["default", "medicare"])
@pytest.mark.parametrize("day", ["1999-01-01", "2016-01-01", "2026-03-02", "9999-12-31"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("addon_bilateral", "mod50_one_unit"),
        ("primary_bilateral", "mod50"),
        ("distinct_modifier", "59"),
        ("distinct_modifiers", "59 XE XS XP XU"),
        ("monitored_care_modifiers", "QS G8 G9"),
    ],
)
def test_parameters_have_a_value_and_sources_on_any_day(
    on: Callable[..., View], profile: str, day: str, name: str, value: str
) -> None:
    view = on(day, profile)
    assert view.parameter(name) == value
    assert all(source.title for source in view.parameter_sources(name))


def test_a_profile_has_sources_of_its_own(on: Callable[..., View]) -> None:
    ids = [source.id for source in on("2026-03-02", "medicare").parameter_sources("distinct_modifier")]
    assert ids[0] == "ngs-postoperative-pain-2023"


def test_an_unknown_parameter_source_or_profile_is_an_error(knowledge: Knowledge, on: Callable[..., View]) -> None:
    view = on("2026-03-02")
    with pytest.raises(KeyError):
        view.parameter("no_such_parameter")
    with pytest.raises(KeyError):
        view.source("no-such-source")
    with pytest.raises(KnowledgeError, match="no such profile; there are aetna, bcbs"):
        knowledge.on(date(2026, 3, 2), "acme")


def test_views_are_made_once(knowledge: Knowledge) -> None:
    assert knowledge.on(date(2026, 3, 2), "default") is knowledge.on(date(2026, 3, 2), "default")


def test_sources_come_in_order_each_once(on: Callable[..., View]) -> None:
    sources = on("2026-03-02").sources(["cpt-2025", "cpt-2016", "cpt-2025"])
    assert [source.id for source in sources] == ["cpt-2025", "cpt-2016"]


@pytest.mark.parametrize(
    ("words", "profile"),
    [
        ((), "default"),
        (("",), "default"),
        (("medicare",), "medicare"),
        (("Medicare",), "medicare"),
        (("mdcr", "medicare part b"), "medicare"),
        (("railroad medicare",), "medicare"),
        (("medicare (non-managed care)",), "medicare"),
        (("medicare", "aarp medicare supplement"), "medicare"),
        (("medicare advantage",), "default"),
        (("medicare", "humana gold plus hmo"), "default"),
        (("medicare (managed care)",), "default"),
        (("medicare part c",), "default"),
        (("medicare part d",), "default"),
        (("medicare secondary payer",), "default"),
        (("non-medicare",), "default"),
        (("medicaid",), "default"),
        (("medicare-medicaid plan",), "default"),
        (("centers for medicare & medicaid services",), "default"),
        (("centers for medicare and medicaid services", "medicare part b"), "medicare"),
        (("centers for medicare and medicaid services", "medicaid"), "default"),
        (("premedicare",), "default"),
        (("medicare", "blue cross blue shield of texas"), "default"),
        (("palmetto gba medicare part b",), "medicare"),
        (("aetna", "commercial"), "aetna"),
        (("Aetna Life Insurance Company",), "aetna"),
        (("aetna choice pos ii",), "aetna"),
        (("aetna medicare",), "default"),
        (("aetna", "medicare advantage hmo"), "default"),
        (("aetna", "medicare"), "default"),
        (("aetna better health of ohio", "medicaid"), "default"),
        (("aetna better health premier medicare",), "default"),
        (("UnitedHealthcare",), "uhc"),
        (("United Healthcare Insurance Company", "PPO"), "uhc"),
        (("United Health Care", "HMO"), "uhc"),
        (("UHC choice plus",), "uhc"),
        (("UnitedHealthcare Community Plan",), "default"),
        (("UnitedHealthcare Dual Complete", "medicare"), "default"),
        (("UHC Medicare Advantage",), "default"),
        (("UnitedHealthcare", "MEDICARE", "AARP Medicare Advantage (PPO)"), "default"),
        (("UnitedHealthcare", "group retiree", "Medicare"), "default"),
        (("United Airlines",), "default"),
        (("United of Omaha",), "default"),
        (("Optum",), "default"),
        (("UMR", "United Airlines employees"), "default"),
        (("Cigna",), "cigna"),
        (("Cigna Healthcare", "open access plus"), "cigna"),
        (("Cigna HealthSpring",), "default"),
        (("Cigna Medicare",), "default"),
        (("eviCore healthcare",), "default"),
        (("Blue Cross Blue Shield of Michigan",), "bcbs"),
        (("BlueCross BlueShield of South Carolina", "PPO"), "bcbs"),
        (("Blue Cross and Blue Shield of Kansas City",), "bcbs"),
        (("BCBS",), "bcbs"),
        (("bcbsnc blue options",), "bcbs"),
        (("Blue Cross of Idaho",), "bcbs"),
        (("Blue Cross",), "bcbs"),
        (("Anthem",), "bcbs"),
        (("Anthem Blue Cross", "HMO"), "bcbs"),
        (("Highmark Blue Shield",), "bcbs"),
        (("Horizon BCBSNJ",), "bcbs"),
        (("Horizon NJ Health", "medicaid"), "default"),
        (("Anthem MediBlue", "blue cross blue shield"), "default"),
        (("Anthem Medicare Preferred",), "default"),
        (("Blue Cross Medicare",), "default"),
        (("Blue Cross Street Bakery",), "default"),
        (("Anthem Country Club",), "default"),
        (("Horizon Airlines",), "default"),
        (("Aetna", "Cigna"), "default"),
        (("UnitedHealthcare", "Blue Cross Street Bakery"), "uhc"),
        (("tricare", "humana military"), "default"),
        (("workers compensation", "aetna"), "default"),
        (("self-pay",), "default"),
    ],
)
def test_the_profile_for_a_coverage(knowledge: Knowledge, words: tuple[str, ...], profile: str) -> None:
    assert knowledge.profile_for(words) == profile


@pytest.mark.parametrize(
    ("profile", "kind", "places", "chosen"),
    [
        ("medicare", "institutional", ("24",), "medicare-asc-facility"),
        ("medicare", "institutional", ("24", "22"), "medicare"),
        ("medicare", "institutional", ("22",), "medicare"),
        ("medicare", "institutional", (), "medicare"),
        ("medicare", "professional", ("24",), "medicare"),
        ("medicare", None, ("24",), "medicare"),
        ("default", "institutional", ("24",), "default"),
        ("aetna", "institutional", ("24",), "aetna"),
    ],
)
def test_the_form_of_a_claim_chooses_the_profile_of_a_facility(
    knowledge: Knowledge, profile: str, kind: str | None, places: tuple[str, ...], chosen: str
) -> None:
    assert knowledge.profile_of_claim(profile, kind, places) == chosen


@pytest.mark.parametrize(
    ("profile", "day", "expected"),
    [
        ("cpt", "2019-12-31", {"addon_bilateral": "mod50_one_unit", "unit_edits": "none"}),
        ("cpt", "2020-01-01", {"addon_bilateral": "two_units", "diagnostic_facet_modifier": "none"}),
        ("medicare-asc-facility", "2026-03-02", {"addon_bilateral": "two_lines_rt_lt", "facet_levels_covered": "2"}),
        ("medicare", "2021-04-30", {"facet_levels_covered": "not-limited", "radiofrequency_sessions": "not-limited"}),
        ("medicare", "2021-05-01", {"facet_levels_covered": "2", "facet_diagnostic_sessions": "4"}),
        ("medicare", "2026-03-02", {"facet_therapeutic_sessions": "4", "radiofrequency_sessions": "2"}),
        ("uhc", "2026-03-02", {"addon_bilateral": "mod50_one_unit", "facet_levels_covered": "not-limited"}),
        ("bcbs", "2026-03-02", {"addon_bilateral": "mod50_one_unit", "diagnostic_facet_modifier": "none"}),
    ],
)
def test_the_values_of_a_profile(on: Callable[..., View], profile: str, day: str, expected: dict[str, str]) -> None:
    view = on(day, profile)
    assert {name: view.parameter(name) for name in expected} == expected


def test_the_version_names_the_newest_edition_and_is_the_same_for_the_same_files(knowledge: Knowledge) -> None:
    edition, digest = knowledge.version.split("-")
    assert edition == "2026Q3"
    assert len(digest) == 10
    assert load().version == knowledge.version


PAYER = """
[acme]
title = "Acme Health"
extends = "medicare"
coverage = { any = ["acme"] }

[[acme.parameters.addon_bilateral]]
value = "two_units"
from = 2020-01-01
to = 2025-12-31
sources = ["acme-manual"]

[[acme.parameters.addon_bilateral]]
value = "two_lines_rt_lt"
from = 2026-01-01
sources = ["acme-manual"]
"""
MANUAL = """
[acme-manual]
title = "Provider manual"
publisher = "Acme Health"
published = "2026-01"
"""
ASKED = """
[[intercostal]]
elements = ["consent", "laterality"]
level = "required"
when = "always"
sources = ["acme-manual"]

[[intercostal]]
profile = "acme"
elements = ["consent"]
level = "none"
when = "always"
sources = ["acme-manual"]

[[intercostal]]
profile = "acme"
elements = ["image-record"]
level = "required"
when = "always"
from = 2026-01-01
sources = ["acme-manual"]
"""


def test_a_site_adds_a_payer_of_its_own(overlay: Overlay, knowledge: Knowledge) -> None:
    own = load(overlay({"profiles.toml": PAYER, "sources.toml": MANUAL}))
    assert own.profile_for(["acme ppo"]) == "acme"
    assert own.on(date(2025, 12, 31), "acme").parameter("addon_bilateral") == "two_units"
    assert own.on(date(2026, 1, 1), "acme").parameter("addon_bilateral") == "two_lines_rt_lt"
    assert (
        own.on(date(2026, 1, 1), "acme").parameter_sources("distinct_modifier")[0].id == "ngs-postoperative-pain-2023"
    )
    assert own.profiles["acme"].parameters["addon_bilateral"] == "two_lines_rt_lt"
    assert own.profiles["acme"].parameters["monitored_care_modifiers"] == "QS G8 G9"
    assert own.version != knowledge.version
    assert own.codes == knowledge.codes


def test_words_of_two_payers_choose_neither(overlay: Overlay) -> None:
    own = load(overlay({"profiles.toml": PAYER, "sources.toml": MANUAL}))
    assert own.profile_for(["acme", "medicare"]) == "default"


def test_a_payer_adds_and_relaxes_documentation(overlay: Overlay) -> None:
    own = load(overlay({"profiles.toml": PAYER, "sources.toml": MANUAL, "documentation.toml": ASKED}))

    def asked(day: date, profile: str) -> list[str]:
        return [requirement.element for requirement in own.on(day, profile).requirements("intercostal", False)]

    assert asked(date(2026, 1, 1), "default") == ["consent", "laterality"]
    assert asked(date(2025, 12, 31), "acme") == ["laterality"]
    assert asked(date(2026, 1, 1), "acme") == ["laterality", "image-record"]


def test_an_entry_of_the_same_id_replaces_the_shipped_one(overlay: Overlay, knowledge: Knowledge) -> None:
    entry = '[207L00000X]\nkind = "taxonomy"\ntitle = "Anesthesiology physician"\nsources = ["nucc-taxonomy"]\n'
    own = load(overlay({"terms.toml": entry}))
    assert own.terms["207L00000X"].title == "Anesthesiology physician"
    assert own.terms.keys() == knowledge.terms.keys()


def test_a_csv_of_the_same_name_replaces_the_shipped_table(overlay: Overlay) -> None:
    own = load(overlay({"mue_2024q3.csv": "code,units,mai,rationale\n64461,2,3,Local\n"}))
    view = own.on(date(2024, 8, 15), "default")
    mue = view.mue("64461")
    assert mue is not None
    assert (mue.units, mue.mai) == (2, 3)
    assert view.mue("64462") is None


def test_a_newer_quarter_is_used_from_its_first_day(overlay: Overlay) -> None:
    table = """
[mue-2026q4]
kind = "mue"
file = "mue_2026q4.csv"
edition = "2026 Q4"
from = 2026-10-01
to = 2026-12-31
source = "cms-ncci-mue-2024q3"
origin = "CMS"
"""
    rows = "code,units,mai,rationale\n64466,1,2,CMS Policy\n"
    own = load(overlay({"tables.toml": table, "mue_2026q4.csv": rows}))
    older, newer, later = (own.on(day, "default") for day in (date(2024, 8, 1), date(2026, 10, 1), date(2027, 2, 1)))
    assert older.mue("64461") is not None
    assert newer.mue("64461") is None
    assert newer.mue("64466") is not None
    assert newer.edition_gap("mue") is None
    assert later.mue("64466") is not None
    assert "2026 Q4" in str(later.edition_gap("mue"))
    assert own.version.startswith("2026Q4-")


def test_a_document_may_be_a_folder(overlay: Overlay, tmp_path: Path, knowledge: Knowledge) -> None:
    folder = overlay({"sources.toml": MANUAL})
    (folder / "profiles").mkdir()
    (folder / "profiles" / "acme.toml").write_text(PAYER, encoding="utf-8")
    assert load(folder).profile_for(["acme ppo"]) == "acme"
    assert load(folder).rules.keys() == knowledge.rules.keys() | {"acme"}


LISTS = """
[acme-ribs]
title = "what Acme pays a rib block for"
kind = "listed"
profile = "acme"
families = ["intercostal"]
note = "Acme's list only."
[[acme-ribs.lists]]
codes = ["S22.3-S22.4", "G58.0"]
from = 2026-01-01
to = 2026-06-30
sources = ["acme-manual"]
[[acme-ribs.lists]]
codes = ["S22.5"]
from = 2026-07-01
to = 2026-12-31
sources = ["acme-manual"]
"""


@pytest.mark.parametrize(
    ("family", "profile", "day", "expected"),
    [
        pytest.param("intercostal", "acme", "2026-03-02", ("S22.3-S22.4", "G58.0"), id="in force"),
        pytest.param("intercostal", "acme", "2026-07-01", ("S22.5",), id="the next list"),
        pytest.param("intercostal", "acme", "2025-03-02", ("S22.3-S22.4", "G58.0"), id="before the first"),
        pytest.param("intercostal", "acme", "2027-03-02", None, id="after the last"),
        pytest.param("intercostal", "default", "2026-03-02", None, id="another payer"),
        pytest.param("paravertebral", "acme", "2026-03-02", None, id="another family"),
        pytest.param("dental", "acme", "2026-03-02", None, id="an unknown family"),
    ],
)
def test_groups_of_diagnoses_by_family_payer_and_day(overlay: Overlay, family, profile, day, expected) -> None:
    own = load(overlay({"profiles.toml": PAYER, "sources.toml": MANUAL, "diagnoses.toml": LISTS}))
    groups = own.on(date.fromisoformat(day), profile).diagnosis_groups(family)
    assert [group.codes for group in groups if group.kind == "listed"] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("S22.31XA", True),
        ("S22.49XD", True),
        ("S22.3", True),
        ("G58.0", True),
        ("G58.8", False),
        ("S22.5XXA", False),
        ("S22", False),
        ("G58", False),
        ("", False),
    ],
)
def test_what_a_group_of_diagnoses_holds(code: str, expected: bool) -> None:
    codes = ("S22.3-S22.4", "G58.0")
    group = DiagnosisGroup("a", "A", "listed", None, (), codes, date(2026, 1, 1), None, ())
    assert group.holds(code) is expected


def test_every_code_of_the_shipped_groups_exists(knowledge: Knowledge) -> None:
    spans = [span for lists in knowledge.diagnoses.values() for group in lists for span in group.codes]
    assert spans
    assert not [code for span in spans for code in span.split("-") if lookup(code) is None]


@pytest.mark.parametrize(
    ("code", "published", "silent"),
    [
        ("64461", {}, {"aetna", "bcbs", "cigna", "medicare"}),
        ("64463", {"aetna"}, {"bcbs", "cigna", "medicare"}),
        ("64495", {"bcbs", "cigna", "medicare", "uhc"}, {"aetna"}),
        ("0218T", {"medicare", "uhc"}, {"aetna"}),
        ("64635", {"cigna", "medicare", "uhc"}, {"aetna"}),
        ("64420", {"aetna"}, {"medicare"}),
        ("76942", {}, {"aetna", "bcbs", "cigna", "medicare", "uhc"}),
    ],
)
def test_what_payers_have_published_of_a_code(
    knowledge: Knowledge, code: str, published: set[str], silent: set[str]
) -> None:
    found = knowledge.positions_on(knowledge.codes[code])
    assert {"default", "cpt", "medicare-asc-facility"}.isdisjoint(found)
    assert {payer for payer, positions in found.items() if positions} >= set(published)
    assert {payer for payer, positions in found.items() if not positions} >= silent


def test_a_site_adds_what_its_payer_has_published(overlay: Overlay, knowledge: Knowledge) -> None:
    said = '[acme-blocks]\nprofile = "acme"\ncodes = ["64461"]\nstatement = "Asks first."\nfrom = 2026-01-01\n'
    files = {"profiles.toml": PAYER, "sources.toml": MANUAL, "positions.toml": f'{said}sources = ["acme-manual"]\n'}
    own = load(overlay(files))
    (position,) = own.positions_on(own.codes["64461"])["acme"]
    assert (position.id, position.statement) == ("acme-blocks", "Asks first.")
    assert own.positions_on(own.codes["64462"])["acme"] == ()
