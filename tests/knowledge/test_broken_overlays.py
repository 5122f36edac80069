"""A broken knowledge folder is refused with one line that names the file, the place and the problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cds_service.knowledge.library import KnowledgeError, load

SOURCES = 'sources = ["cpt-2016"]'
CODE = f'title = "A"\nplain = "A"\ncounts = "A"\nfrom = 2016-01-01\n{SOURCES}\n'
FAMILY = f'title = "A"\ntechnique = "paravertebral"\nregions = []\nimaging_codes = []\n{SOURCES}\n'
ACME = '[acme]\ntitle = "A"\nextends = "default"\n'
PARAMETER = "[[acme.parameters.addon_bilateral]]"
SAID = f'statement = "Asks first."\nfrom = 2026-01-01\n{SOURCES}\n'
IN_2020 = f'{ACME}{PARAMETER}\nvalue = "two_units"\nfrom = 2020-01-01\nto = 2020-12-31\n{SOURCES}\n'
TABLE = 'kind = "mue"\nedition = "2026 Q4"\nsource = "cms-ncci-mue-2024q3"\norigin = "CMS"\nfrom = 2026-10-01\n'
LISTED = f'[a]\ntitle = "A"\nkind = "listed"\nfamilies = ["intercostal"]\n[[a.lists]]\nfrom = 2026-01-01\n{SOURCES}\n'


def scheme(text: str, kind: str = "injection", family: str = "paravertebral") -> str:
    return f"[{family}]\n{FAMILY}[[{family}.{kind}]]\n{SOURCES}\n{text}\n"


@pytest.mark.parametrize(
    ("file", "text", "key", "problem"),
    [
        # the file
        ("codes.toml", "[64461\n", "", "is not TOML"),
        ("code.toml", "", "", "is not a knowledge file; known are sources.toml"),
        ("mue_2030q1.csv", "code,units,mai,rationale\n", "", "no entry of tables.toml names this file"),
        # the shape
        ("codes.toml", "[64461]\n", "64461", "'title' is a required property"),
        ("codes.toml", f'[6446]\nrole = "unlisted"\n{CODE}', "", "'6446' does not match"),
        ("codes.toml", f'[64999]\nrole = "unlisted"\nprice = 3\n{CODE}', "64999", "('price' was unexpected)"),
        ("codes.toml", f'[64999]\nrole = "main"\n{CODE}', "64999.role", "'main' is not one of primary, add-on"),
        ("codes.toml", f'[64999]\nrole = "unlisted"\nonce_per_day = "no"\n{CODE}', "64999.once_per_day", "not of type"),
        (
            "codes.toml",
            CODE.replace("2016-01-01", '"soon"').join(['[64999]\nrole="unlisted"\n', ""]),
            "64999.from",
            "date",
        ),
        ("codes.toml", '[64999]\nrole="unlisted"\n' + CODE.replace('["cpt-2016"]', "[]"), "64999.sources", "is empty"),
        ("sources.toml", '[a]\ntitle = "A"\npublisher = "A"\npublished = 2026\n', "a.published", "not of type string"),
        ("sources.toml", '[a]\ntitle="A"\npublisher="A"\npublished="2026"\nurl="ftp://a"\n', "a.url", "'ftp://a'"),
        ("documentation.toml", "paravertebral = []\n", "paravertebral", "is empty"),
        (
            "documentation.toml",
            f'[[intercostal]]\nelements = ["shoe-size"]\nlevel = "required"\nwhen = "always"\n{SOURCES}\n',
            "intercostal.0.elements.0",
            "'shoe-size' is not one of indication",
        ),
        (
            "profiles.toml",
            f'{ACME}{PARAMETER}\nvalue = "two_unit"\nfrom = 2026-01-01\n{SOURCES}\n',
            "acme.parameters.addon_bilateral.0.value",
            "'two_unit' is not one of mod50_one_unit",
        ),
        (
            "profiles.toml",
            f"{ACME}[acme.parameters]\ncolor = []\n",
            "acme.parameters",
            "'color' was unexpected",
        ),
        (
            "families.toml",
            scheme('counting = "by-weight"\nprimary = "64461"\nfrom = 2016-01-01'),
            "counting",
            "by-weight",
        ),
        # ids that resolve
        (
            "codes.toml",
            '[64999]\nrole="unlisted"\n' + CODE.replace("cpt-2016", "cpt-1066"),
            "64999.sources",
            "'cpt-1066'",
        ),
        ("codes.toml", f'[64461]\nrole = "primary"\n{CODE}', "64461", "role primary needs a family"),
        ("codes.toml", f'[64461]\nrole = "primary"\nfamily = "spinal"\n{CODE}', "64461.family", "no family 'spinal'"),
        (
            "codes.toml",
            f'[64461]\nrole = "primary"\nfamily = "paravertebral"\n{CODE}',
            "64461",
            "whether it is continuous",
        ),
        (
            "codes.toml",
            f'[64999]\nrole = "add-on"\nfamily = "paravertebral"\ncontinuous = false\n{CODE}',
            "64999.role",
            "an add-on needs a primary",
        ),
        ("codes.toml", f'[64999]\nrole = "unlisted"\nrelated = ["12345"]\n{CODE}', "64999.related", "no '12345'"),
        (
            "codes.toml",
            f'[64999]\nrole = "unlisted"\nplaces_of_service = ["99"]\n{CODE}',
            "64999.places_of_service",
            "no '99' in terms.toml",
        ),
        ("families.toml", f"[spinal]\n{FAMILY}", "spinal", "documentation.toml says nothing of it"),
        (
            "families.toml",
            "[intercostal]\n" + FAMILY.replace("imaging_codes = []", 'imaging_codes = ["64461"]'),
            "intercostal.imaging_codes",
            "'64461' is no imaging code",
        ),
        (
            "families.toml",
            scheme('counting = "per-side"\nprimary = "64460"\nfrom = 2016-01-01'),
            "paravertebral.injection from 2016-01-01",
            "no code '64460' in codes.toml",
        ),
        (
            "families.toml",
            scheme('counting = "per-side"\nprimary = "64420"\nfrom = 2016-01-01'),
            "paravertebral.injection from 2016-01-01",
            "64420 belongs to the family intercostal",
        ),
        (
            "families.toml",
            scheme('counting = "first-and-further-once"\nprimary = "64461"\nfrom = 2016-01-01'),
            "paravertebral.injection from 2016-01-01",
            "first-and-further-once takes the members: primary, add_on",
        ),
        (
            "families.toml",
            scheme('counting = "first-and-further-once"\nprimary = "64463"\nadd_on = "64462"\nfrom = 2016-01-01'),
            "paravertebral.injection from 2016-01-01",
            "64462 is no add-on of 64463",
        ),
        (
            "documentation.toml",
            f'[[spinal]]\nelements = ["consent"]\nlevel = "required"\nwhen = "always"\n{SOURCES}\n',
            "spinal",
            "no family 'spinal'",
        ),
        (
            "documentation.toml",
            f'[[intercostal]]\nprofile = "x"\nelements = ["consent"]\nlevel = "none"\nwhen = "always"\n{SOURCES}\n',
            "intercostal.0.profile",
            "no profile 'x'",
        ),
        ("profiles.toml", '[acme]\ntitle = "A"\nparameters = {}\n', "acme", "extends 'default'"),
        ("positions.toml", f'[a]\nprofile = "x"\ncodes = ["64461"]\n{SAID}', "a.profile", "no profile 'x'"),
        ("positions.toml", f'[a]\nprofile = "uhc"\ncodes = ["99999"]\n{SAID}', "a.codes", "no code '99999'"),
        ("positions.toml", f'[a]\nprofile = "uhc"\nfamilies = ["spinal"]\n{SAID}', "a.families", "no family 'spinal'"),
        ("positions.toml", f'[a]\nprofile = "uhc"\n{SAID}', "a", "is not valid"),
        (
            "positions.toml",
            f'[a]\nprofile = "uhc"\nto = 2015-01-01\ncodes = ["64461"]\n{SAID}',
            "a.to",
            "before it starts",
        ),
        ("profiles.toml", '[acme]\ntitle = "A"\nextends = "b"\nparameters = {}\n', "acme.extends", "no profile 'b'"),
        ("profiles.toml", '[acme]\ntitle = "A"\nextends = "acme"\nparameters = {}\n', "acme.extends", "extends this"),
        ("profiles.toml", '[default]\ntitle = "A"\nparameters = {}\n', "default.parameters", "has no addon_bilateral"),
        # dates that fit
        ("codes.toml", f'[64999]\nrole = "unlisted"\nto = 2015-12-31\n{CODE}', "64999.to", "before it starts"),
        (
            "families.toml",
            scheme('counting = "per-side"\nprimary = "64463"\nfrom = 2015-01-01', "infusion"),
            "paravertebral.infusion from 2015-01-01",
            "64463 is not valid on every day of the scheme",
        ),
        (
            "families.toml",
            scheme('counting = "per-side"\nprimary = "64463"\nfrom = 2016-01-01', "infusion")
            + f'[[paravertebral.infusion]]\ncounting = "per-side"\nprimary = "64463"\nfrom = 2020-01-01\n{SOURCES}\n',
            "paravertebral.infusion",
            "the one from 2020-01-01 overlaps the one from 2016-01-01",
        ),
        (
            "documentation.toml",
            f'[[intercostal]]\nelements = ["consent"]\nlevel = "required"\nwhen = "always"\n{SOURCES}\n' * 2,
            "intercostal.consent",
            "overlaps",
        ),
        (
            "profiles.toml",
            IN_2020,
            "acme.parameters.addon_bilateral",
            "has no value after 2020-12-31",
        ),
        (
            "profiles.toml",
            f'{IN_2020}{PARAMETER}\nvalue = "two_units"\nfrom = 2022-01-01\n{SOURCES}\n',
            "acme.parameters.addon_bilateral",
            "has no value between 2020-12-31 and 2022-01-01",
        ),
        (
            "anesthesia.toml",
            f'[a]\nfirst = "01999"\nlast = "00100"\nfrom = 2016-01-01\n{SOURCES}\n',
            "a.last",
            "lies before first",
        ),
        (
            "anesthesia.toml",
            f'[a]\nfirst = "00100"\nlast = "01999"\nfrom = 2016-01-01\nto = 2015-01-01\n{SOURCES}\n',
            "a.to",
            "ends before it starts",
        ),
        # diagnoses
        ("diagnoses.toml", LISTED, "a.lists.0", "'codes' is a required property"),
        ("diagnoses.toml", LISTED + 'codes = ["S2241"]\n', "a.lists.0.codes.0", "does not match"),
        ("diagnoses.toml", LISTED + 'codes = ["S22.42-S22.41"]\n', "a.lists", "'S22.42-S22.41' is no range"),
        ("diagnoses.toml", LISTED + 'codes = ["S22-S22.42"]\n', "a.lists", "is no range of codes of equal length"),
        ("diagnoses.toml", LISTED.replace("intercostal", "dental") + 'codes = ["S22"]\n', "a.families", "'dental'"),
        (
            "diagnoses.toml",
            LISTED.replace("kind", 'profile = "acme"\nkind') + 'codes = ["S22"]\n',
            "a.profile",
            "no profile 'acme'",
        ),
        ("diagnoses.toml", LISTED.replace("cpt-2016", "cpt-1066") + 'codes = ["S22"]\n', "a.lists.0.sources", "1066"),
        (
            "diagnoses.toml",
            LISTED + f'codes = ["S22"]\n[[a.lists]]\ncodes = ["S23"]\nfrom = 2026-06-01\n{SOURCES}\n',
            "a.lists",
            "the one from 2026-06-01 overlaps the one from 2026-01-01",
        ),
        # tables
        ("tables.toml", f'[a]\nfile = "a.csv"\nto = 2026-12-31\n{TABLE}', "a.file", "there is no file a.csv"),
        ("tables.toml", f'[a]\nfile = "mue_2024q3.csv"\nto = 2026-01-31\n{TABLE}', "a.to", "before it starts"),
        (
            "tables.toml",
            f'[a]\nfile = "mue_2024q3.csv"\nto = 2026-12-31\n{TABLE}'.replace("2026-10-01", "2024-09-30"),
            "a.from",
            "overlaps mue-2024q3",
        ),
        ("mue_2024q3.csv", "", "line 1", "has the columns code, units, mai, rationale"),
        ("mue_2024q3.csv", "code,mai,units,rationale\n64461,2,1,\n", "line 1", "has the columns"),
        ("mue_2024q3.csv", "code,units,mai,rationale\n64461,one,2,x\n", "line 2, units", "'one' does not fit"),
        ("mue_2024q3.csv", "code,units,mai,rationale\n64461,1,4,x\n", "line 2, mai", "'4' does not fit"),
        ("mue_2024q3.csv", "code,units,mai,rationale\n64461,1\n", "line 2", "has 2 columns, not 4"),
        (
            "mue_2024q3.csv",
            "code,units,mai,rationale\n64461,1,2,x\n64461,2,2,x\n",
            "line 3",
            "64461 is on line 2 already",
        ),
        ("mue_2024q3.csv", "code,units,mai,rationale\n" + "6" * 200_000, "", "is not CSV"),
        ("ptp_2024q3.csv", "column1,column2,indicator,rationale\n64461,7694,1,x\n", "line 2, column2", "'7694'"),
        ("addon_2024q3.csv", "primary,add_on,type\n64461,64462,9\n", "line 2, type", "'9'"),
    ],
)
def test_a_broken_folder_is_refused_in_one_line(
    overlay: Callable[[Mapping[str, str]], Path], file: str, text: str, key: str, problem: str
) -> None:
    folder = overlay({file: text})
    with pytest.raises(KnowledgeError) as caught:
        load(folder)
    error = caught.value
    assert error.file == str(folder / file)
    assert key in error.key
    assert problem in error.problem
    assert "\n" not in str(error)
    assert str(error).startswith(f"{error.file}: ")
    assert len(str(error)) < 700


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="is no folder that can be read: No such file"):
        load(tmp_path / "none")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "codes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KnowledgeError, match="is not UTF-8 text"):
        load(tmp_path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "codes.toml").mkdir()
    with pytest.raises(KnowledgeError, match="cannot be read"):
        load(tmp_path)


def test_files_that_are_not_knowledge_are_left_alone(overlay: Callable[[Mapping[str, str]], Path]) -> None:
    folder = overlay({"README.md": "ours", ".hidden": ""})
    assert load(folder).codes == load().codes


def test_an_empty_folder_changes_nothing(tmp_path: Path) -> None:
    assert load(tmp_path).version == load().version


def test_an_entry_in_two_files_of_one_folder_is_refused(overlay: Callable[[Mapping[str, str]], Path]) -> None:
    folder = overlay({"codes.toml": f'[64999]\nrole = "unlisted"\n{CODE}'})
    (folder / "codes").mkdir()
    (folder / "codes" / "own.toml").write_text(f'[64999]\nrole = "unlisted"\n{CODE}', encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"64999: is in .*own\.toml already"):
        load(folder)
