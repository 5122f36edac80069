"""What is shipped: every value has a source that resolves, every file its schema, the CMS figures are CMS's."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from cds_service.knowledge.checks import SCHEME_MEMBERS
from cds_service.knowledge.files import DOCUMENTS, HEADERS, SHIPPED, schema_of, validator
from cds_service.knowledge.library import Knowledge, View

CODES = [
    "64461",
    "64462",
    "64463",
    "64466",
    "64467",
    "64468",
    "64469",
    "64420",
    "64421",
    "64473",
    "64474",
    "64486",
    "64487",
    "64488",
    "64489",
    "64490",
    "64491",
    "64492",
    "64493",
    "64494",
    "64495",
    "0213T",
    "0214T",
    "0215T",
    "0216T",
    "0217T",
    "0218T",
    "64625",
    "64633",
    "64634",
    "64635",
    "64636",
    "64510",
    "64517",
    "64520",
    "64530",
    "64479",
    "64480",
    "64483",
    "64484",
    "62273",
    "62320",
    "62321",
    "62322",
    "62323",
    "62324",
    "62325",
    "62326",
    "62327",
    "20552",
    "20553",
    "64450",
    "64451",
    "96372",
    "64999",
    "76942",
    "77002",
    "77003",
    "77012",
    "01991",
    "01992",
    "01996",
]
REQUIRED = {
    ("paravertebral", False): "indication consent technique laterality levels guidance anesthetic-agent "
    "anesthetic-amount response complications purpose requesting-provider",
    ("paravertebral", True): "indication consent technique laterality levels guidance anesthetic-agent "
    "anesthetic-amount response complications purpose requesting-provider catheter",
    ("fascial-plane", False): "indication consent technique laterality guidance anesthetic-agent "
    "anesthetic-amount response complications purpose requesting-provider",
    ("intercostal", False): "indication consent laterality levels anesthetic-agent anesthetic-amount complications "
    "guidance image-record",
}


def source_ids(value: Any) -> Iterator[str]:
    """Walk every dataclass, mapping and sequence of the knowledge and yield the source ids it names."""
    if is_dataclass(value):
        for member in fields(value):
            found = getattr(value, member.name)
            if member.name in ("source", "sources") and not isinstance(found, dict):
                yield from [found] if isinstance(found, str) else found
            elif member.name == "parameter_sources":
                yield from (id_ for ids in found.values() for id_ in ids)
            else:
                yield from source_ids(found)
    elif isinstance(value, dict):
        for member in value.values():
            yield from source_ids(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from source_ids(member)


def test_every_source_named_anywhere_resolves_to_a_title_a_publisher_and_a_date(knowledge: Knowledge) -> None:
    named = set(source_ids(knowledge))
    assert len(named) > 15
    for source_id in named:
        source = knowledge.sources[source_id]
        assert source.title
        assert source.publisher
        assert re.match(r"(20\d\d|as \w+( \w+)? 20\d\d)", source.published), source


def test_every_value_has_a_source(knowledge: Knowledge) -> None:
    owners = [
        *knowledge.codes.values(),
        *knowledge.families.values(),
        *knowledge.terms.values(),
        *(scheme for id_ in knowledge.families for scheme in knowledge.schemes(id_)),
        *(group for groups in knowledge.groups.values() for group in groups),
        *(dated for rules in knowledge.rules.values() for values in rules.parameters.values() for dated in values),
        *knowledge.ranges,
        *(group for lists in knowledge.diagnoses.values() for group in lists),
        *knowledge.positions.values(),
        *knowledge.joints.values(),
    ]
    assert all(owner.sources for owner in owners)


def test_no_mirror_passes_for_a_publisher(knowledge: Knowledge) -> None:
    assert not [s for s in knowledge.sources.values() if "github" in f"{s.publisher} {s.url}".lower()]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_shipped_document_fits_its_schema(document: str) -> None:
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(member) for key, member in value.items()}
        if isinstance(value, list):
            return [plain(member) for member in value]
        return value if isinstance(value, str | bool | int) else value.isoformat()

    files = [*SHIPPED.glob(f"{document}.toml"), *SHIPPED.glob(f"{document}/*.toml")]
    assert files
    for file in files:
        assert not list(validator(document).iter_errors(plain(tomllib.loads(file.read_text(encoding="utf-8")))))


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.csv")), ids=lambda path: path.name)
def test_each_row_of_the_shipped_tables_fits_its_schema(path: Path) -> None:
    kind = path.name.split("_")[0]
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert not [row for row in rows if not validator(kind).is_valid(row)]


@pytest.mark.parametrize("kind", [*DOCUMENTS, *HEADERS])
def test_each_kind_of_file_has_a_valid_schema_of_its_own(kind: str) -> None:
    validator(kind).check_schema(schema_of(kind))


@pytest.mark.parametrize("kind", HEADERS)
def test_the_schema_of_a_table_names_its_columns(kind: str) -> None:
    assert tuple(schema_of(kind)["properties"]) == HEADERS[kind]


def test_the_schema_and_the_checks_know_the_same_counting_strategies() -> None:
    scheme = schema_of("families")["$defs"]["scheme"]
    assert set(scheme["properties"]["counting"]["enum"]) == set(SCHEME_MEMBERS)


def test_the_codes_of_this_version(knowledge: Knowledge) -> None:
    assert sorted(knowledge.codes) == sorted(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_page_can_be_made_for_each_code(knowledge: Knowledge, code: str) -> None:
    known = knowledge.codes[code]
    page = known.reference
    assert known.title
    assert known.plain
    assert known.counts
    assert all((page.used_when, page.sides, page.imaging, page.documentation, page.examples, page.related))
    assert {knowledge.terms[place].kind for place in page.places_of_service} == {"place-of-service"}
    assert {knowledge.terms[taxonomy].kind for taxonomy in page.taxonomies} == {"taxonomy"}


@pytest.mark.parametrize(
    ("code", "role", "family", "bilateral", "continuous", "both"),
    [
        ("64461", "primary", "paravertebral", "1", False, False),
        ("64462", "add-on", "paravertebral", "1", False, False),
        ("64463", "primary", "paravertebral", "1", True, False),
        ("64466", "primary", "fascial-plane", "1", False, False),
        ("64467", "primary", "fascial-plane", "1", True, False),
        ("64468", "primary", "fascial-plane", "2", False, True),
        ("64469", "primary", "fascial-plane", "2", True, True),
        ("64420", "primary", "intercostal", "1", False, False),
        ("64421", "add-on", "intercostal", "1", False, False),
        ("64999", "unlisted", None, "0", None, False),
        ("76942", "imaging", None, "0", None, False),
        ("77002", "imaging", None, "0", None, False),
        ("77003", "imaging", None, "0", None, False),
    ],
)
def test_what_reporting_a_code_claims(
    knowledge: Knowledge,
    code: str,
    role: str,
    family: str | None,
    bilateral: str,
    continuous: bool | None,
    both: bool,
) -> None:
    known = knowledge.codes[code]
    assert (known.role, known.family, known.bilateral) == (role, family, bilateral)
    assert (known.continuous, known.inherently_bilateral) == (continuous, both)


WITHOUT_IMAGING = [
    "64420",
    "64421",
    "62273",
    "62320",
    "62322",
    "62324",
    "62326",
    "64510",
    "64517",
    "64520",
    "64530",
    "20552",
    "20553",
    "64450",
    "96372",
    "64999",
    "76942",
    "77002",
    "77003",
    "77012",
    "01991",
    "01992",
    "01996",
]


@pytest.mark.parametrize("code", CODES)
def test_which_codes_include_imaging(knowledge: Knowledge, code: str) -> None:
    assert knowledge.codes[code].imaging_included == (code not in WITHOUT_IMAGING)


@pytest.mark.parametrize(
    ("add_on", "primary"), [("64462", "64461"), ("64421", "64420"), ("77002", "64420"), ("77002", "64421")]
)
def test_primaries_come_from_the_cms_table(knowledge: Knowledge, add_on: str, primary: str) -> None:
    assert primary in knowledge.codes[add_on].primaries


def test_the_blocks_spinal_fluoroscopy_goes_with(knowledge: Knowledge) -> None:
    assert knowledge.codes["77003"].primaries & knowledge.codes.keys() == {"62273", "64510", "64517", "64520"}


@pytest.mark.parametrize(
    ("code", "units", "mai"),
    [
        ("64461", 1, 2),
        ("64462", 1, 2),
        ("64463", 1, 3),
        ("64420", 1, 2),
        ("64421", 4, 3),
        ("64999", 1, 3),
        ("76942", 1, 3),
        ("77002", 1, 3),
        ("77003", 1, 3),
    ],
)
def test_medically_unlikely_edits(on: Callable[..., View], code: str, units: int, mai: int) -> None:
    mue = on("2024-08-15").mue(code)
    assert mue is not None
    assert (mue.units, mue.mai, mue.edition) == (units, mai, "2024 Q3")


@pytest.mark.parametrize("code", ["64466", "64467", "64468", "64469", "99213"])
def test_a_code_the_table_does_not_hold_has_no_edit(on: Callable[..., View], code: str) -> None:
    assert on("2026-03-02").mue(code) is None


@pytest.mark.parametrize(
    ("column1", "column2", "indicator"),
    [
        ("64461", "76942", "1"),
        ("64463", "77003", "1"),
        ("64461", "64420", "0"),
        ("64463", "64421", "0"),
        ("64462", "64420", "0"),
        ("64461", "62320", "0"),
        ("62320", "64462", "0"),
        ("64461", "01992", "0"),
        ("00540", "64461", "1"),
        ("00404", "64420", "1"),
        ("20552", "64461", "1"),
        ("64633", "64461", "0"),
        ("64461", "64463", None),
        ("64463", "64461", None),
        ("00540", "64462", None),
        ("76942", "64461", None),
        ("64420", "76942", None),
        ("64420", "77002", None),
    ],
)
def test_procedure_pairs(on: Callable[..., View], column1: str, column2: str, indicator: str | None) -> None:
    pair = on("2024-08-15").ptp(column1, column2)
    assert (pair.indicator if pair else None) == indicator


@pytest.mark.parametrize(("family", "continuous"), REQUIRED)
def test_what_the_record_must_contain(on: Callable[..., View], family: str, continuous: bool) -> None:
    requirements = on("2026-03-02").requirements(family, continuous)
    required = [r.element for r in requirements if r.level == "required"]
    assert sorted(required) == sorted(REQUIRED[family, continuous].split())


@pytest.mark.parametrize(
    ("family", "element", "when"),
    [
        ("paravertebral", "purpose", "operation-same-day"),
        ("paravertebral", "requesting-provider", "operation-same-day"),
        ("paravertebral", "catheter", "infusion"),
        ("fascial-plane", "purpose", "operation-same-day"),
        ("intercostal", "guidance", "imaging-billed"),
        ("intercostal", "image-record", "imaging-billed"),
        ("paravertebral", "guidance", "always"),
    ],
)
def test_when_an_element_is_asked_for(on: Callable[..., View], family: str, element: str, when: str) -> None:
    requirements = on("2026-03-02").requirements(family, True)
    assert [r.when for r in requirements if r.element == element] == [when]


@pytest.mark.parametrize("family", ["paravertebral", "fascial-plane", "intercostal"])
def test_an_acute_block_is_never_asked_for_the_history_of_chronic_pain(on: Callable[..., View], family: str) -> None:
    asked = {r.element for r in on("2026-03-02").requirements(family, True)}
    assert not asked & {"conservative-treatment", "functional-scale", "pain-history", "prior-block-response"}


def test_levels_are_recommended_where_the_code_does_not_count_them(on: Callable[..., View]) -> None:
    requirements = on("2026-03-02").requirements("fascial-plane", False)
    assert [r.level for r in requirements if r.element == "levels"] == ["recommended"]


def test_paravertebral_codes_reach_from_t2_to_l1(knowledge: Knowledge) -> None:
    assert knowledge.families["paravertebral"].levels == (*(f"T{n}" for n in range(2, 13)), "L1")
