"""The cases of `fhir_fixtures/`: what a record holds and what the service has to say about it.

A case is a folder; `fhir_fixtures/README.md` describes it and `schemas/case.schema.json` is its schema. The demo,
the playground and the tests read cases through this module; `tools/build_cases.py` makes their generated files.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BUNDLE = "bundle"
"""The way in that is not a hook: the case's Bundle through `POST /assessments` or `cds-service check`."""


@dataclass(frozen=True, slots=True)
class CaseBlock:
    """A block the record tells of. `sites` ("T4 right", "rib 5 left") and `continuous` None: not compared."""

    technique: str
    sites: tuple[str, ...] | None = None
    continuous: bool | None = None


@dataclass(frozen=True, slots=True)
class CaseLine:
    """An expected claim line. `modifiers` are the coding modifiers in their order, without payment modifiers."""

    code: str
    units: int
    modifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseExpectation:
    """What the service has to find, by one way in.

    `findings` are the rule ids that must fire, `findings_allowed` those that may; no other may. `missing` and
    `contradicted` are required documentation elements, `missing_allowed` those that may be missing too.
    `not_checked` must be among the assessment's `notChecked`. `cards` are the kinds of card in order and
    `summary_contains` words that some card's summary must hold; both are for hooks only.
    """

    date_of_service: str | None = None
    blocks: tuple[CaseBlock, ...] = ()
    lines: tuple[CaseLine, ...] = ()
    findings: frozenset[str] = frozenset()
    findings_allowed: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    missing_allowed: frozenset[str] = frozenset()
    contradicted: frozenset[str] = frozenset()
    not_checked: frozenset[str] = frozenset()
    queries: int = 0
    cards: tuple[str, ...] = ()
    summary_contains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseRequests:
    """How the hook requests differ from what the Bundle would give.

    `null`, `absent` and `failed` are prefetch keys in these states. `scope` "patient" puts the resources of every
    encounter in the prefetch, "encounter" those of the request's encounter. `encounter` is the id of that encounter
    (None: the first of the Bundle). `without_encounter` leaves it out of an order-sign request. `invalid_orders`
    says that the draft orders break FHIR on purpose.
    """

    null: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    scope: str = "encounter"
    encounter: str | None = None
    without_encounter: bool = False
    invalid_orders: bool = False


@dataclass(frozen=True)
class Case:
    """One case. `hooks` are the hooks it has a request for; `profile` is the rule set its Coverage leads to."""

    id: str
    title: str
    story: str
    hooks: tuple[str, ...]
    profile: str
    folder: Path
    requests: CaseRequests
    _expected: Mapping[str, Any] = field(repr=False)

    def expected(self, way: str) -> CaseExpectation:
        """Return what is expected by a way in: one of `hooks`, or `BUNDLE`.

        A member stated for the way replaces the one stated for all.
        """
        shared = {name: value for name, value in self._expected.items() if name not in {*self.hooks, BUNDLE}}
        return _expectation({**shared, **self._expected.get(way, {})})

    def bundle(self) -> dict[str, Any]:
        """Return the record as a FHIR collection Bundle, notes included."""
        return _json(self.folder / "bundle.json")

    def draft_orders(self) -> dict[str, Any] | None:
        """Return the Bundle of draft orders, or None where the case has none."""
        path = self.folder / "draft-orders.json"
        return _json(path) if path.exists() else None

    def request(self, hook: str) -> dict[str, Any]:
        """Return the hook request, ready to be posted.

        Raises:
            FileNotFoundError: `hook` is not one of `hooks`.
        """
        return _json(self.folder / f"{hook}.json")

    def notes(self) -> dict[str, str]:
        """Return the texts of the plain notes by file name."""
        return {path.name: path.read_text(encoding="utf-8") for path in sorted(self.folder.glob("notes/*.txt"))}

    def note_files(self) -> dict[str, bytes]:
        """Return the notes by file name as they are sent, those that are not plain text (HTML, RTF ...) included."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.glob("notes/*.*"))}


def load_case(folder: Path) -> Case:
    """Read the case of one folder.

    Raises:
        FileNotFoundError: The folder has no `case.toml`.
        tomllib.TOMLDecodeError: `case.toml` is not TOML.
        KeyError: A mandatory member is missing.
    """
    data = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    wishes: dict[str, Any] = data.get("requests", {})
    requests: dict[str, Any] = {name: _frozen(value) for name, value in wishes.items()}
    return Case(
        id=folder.name,
        title=data["title"],
        story=" ".join(data["story"].split()),
        hooks=tuple(data["hooks"]),
        profile=data["profile"],
        folder=folder,
        requests=CaseRequests(**requests),
        _expected=data["expected"],
    )


def load_cases(root: Path) -> tuple[Case, ...]:
    """Read every case below `root` (`fhir_fixtures/`), in the order of their ids."""
    return tuple(load_case(path.parent) for path in sorted(root.glob("*/case.toml")))


def _expectation(data: Mapping[str, Any]) -> CaseExpectation:
    documentation = data.get("documentation", {})
    return CaseExpectation(
        date_of_service=data.get("date_of_service"),
        blocks=tuple(_block(block) for block in data.get("blocks", ())),
        lines=tuple(CaseLine(line["code"], line["units"], tuple(line["modifiers"])) for line in data.get("lines", ())),
        findings=frozenset(data.get("findings", ())),
        findings_allowed=frozenset(data.get("findings_allowed", ())),
        missing=frozenset(documentation.get("missing", ())),
        missing_allowed=frozenset(documentation.get("missing_allowed", ())),
        contradicted=frozenset(documentation.get("contradicted", ())),
        not_checked=frozenset(data.get("not_checked", ())),
        queries=data.get("queries", 0),
        cards=tuple(data.get("cards", ())),
        summary_contains=tuple(data.get("summary_contains", ())),
    )


def _block(data: Mapping[str, Any]) -> CaseBlock:
    sites = data.get("sites")
    return CaseBlock(data["technique"], None if sites is None else tuple(sites), data.get("continuous"))


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
