"""Where the JSON Schemas and the cases are: at the top of a checkout, inside the package of an installed wheel."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent


def schemas_folder() -> Path:
    """Return the folder of the JSON Schemas.

    Raises:
        FileNotFoundError: neither the checkout nor the wheel has it.
    """
    return _folder("schemas")


def cases_folder() -> Path:
    """Return the folder of the cases, a folder each.

    Raises:
        FileNotFoundError: neither the checkout nor the wheel has it.
    """
    return _folder("fhir_fixtures")


@cache
def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of `name` ("response", "order-sign-request" ...). Shared by all callers: do not change it.

    Raises:
        FileNotFoundError: there is no such schema; the message lists those there are.
    """
    path = schemas_folder() / f"{name}.schema.json"
    if not path.is_file():
        known = ", ".join(sorted(file.name.removesuffix(".schema.json") for file in path.parent.glob("*.schema.json")))
        raise FileNotFoundError(f"no schema {name!r}; there are: {known}")
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _folder(name: str) -> Path:
    # The wheel's own copy first: beside an installed package, `schemas` may be somebody else's folder.
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"the folder {name!r} is missing from this installation; reinstall paravertebral-cds")
