from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from cds_service import resources


@pytest.mark.parametrize(
    "name",
    ["discovery", "order-sign-request", "encounter-discharge-request", "response", "feedback", "assessment"],
)
def test_a_protocol_schema_is_a_valid_schema_that_says_what_it_is_for(name):
    schema = resources.schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:paravertebral-cds:schema:{name}"
    assert schema["title"]
    assert schema["description"]


def test_an_unknown_schema_is_said_with_those_there_are():
    with pytest.raises(FileNotFoundError, match=r"no schema 'cards'; there are: .*feedback.*response"):
        resources.schema("cards")


def test_the_copy_inside_an_installed_package_comes_first(tmp_path, monkeypatch):
    package = tmp_path / "cds_service"
    inside, beside = package / "_data" / "schemas", tmp_path / "schemas"
    inside.mkdir(parents=True)
    beside.mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resources.schemas_folder() == inside
    inside.rmdir()
    assert resources.schemas_folder() == beside


def test_a_broken_installation_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "cds_service")
    with pytest.raises(FileNotFoundError, match="reinstall"):
        resources.cases_folder()
