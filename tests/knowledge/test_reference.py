"""What the code pages say: every part is there, and no text contradicts the tables, the profiles or another page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest

from cds_service.knowledge.library import Knowledge, load
from cds_service.knowledge.model import Code, Reference

CODES = sorted(load().codes)
CODE = re.compile(r"\b(?:[0-9]{5}|[0-9]{4}T)\b")
LINE = re.compile(r"\b([0-9]{5}|[0-9]{4}T)((?:-(?:[A-Z]{2}|[0-9]{2}))*)(?!\w)(?!-[0-9]{5})")
UNITS = re.compile(
    r"(?<![0-9A-Z-])([0-9]{5}|[0-9]{4}T)((?:-(?:[A-Z]{2}|[0-9]{2}))*)(?:,| with) (one|two|three|four) units?\b"
)
NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4}
WRONG = ("too many", "never together", "wrong", "is not reported", "not reported", " no ", "and not", " not ")
"""Words by which an example says that it shows what is not to be done."""
HUBS = {"imaging", "anesthesia", "follow-up", "unlisted"}
"""Roles of codes that many others name and that name only some of them."""


def texts(code: Code) -> Iterator[str]:
    """Everything that is said of a code."""
    told = code.reference
    yield from (code.title, code.plain, code.counts)
    yield from (told.used_when, told.context, told.sides, told.imaging, told.documentation, *told.examples)


def mistakes(knowledge: Knowledge, code: Code) -> list[str]:
    """What the examples of a code get wrong by the tables and profiles, as far as it can be seen cheaply."""
    view = knowledge.on(max(code.valid_from, knowledge.tables.mpfs[-1].valid_from))
    found = []
    for example in code.reference.examples:
        found += _wrong_modifiers(knowledge, example)
        if any(word in example for word in WRONG):
            continue
        found += [
            f"{name}: more units than Medicare pays in a day"
            for name, _, units in UNITS.findall(example)
            if (mue := view.mue(name)) and NUMBERS[units] > mue.units and "strict CPT" not in example
        ]
        named = set(CODE.findall(example))
        found += [
            f"{name}: without a primary"
            for name in named
            if (known := knowledge.codes.get(name)) and known.role == "add-on" and not known.primaries & named
        ]
    return found


def _wrong_modifiers(knowledge: Knowledge, example: str) -> Iterator[str]:
    for name, modifiers in LINE.findall(example):
        code = knowledge.codes.get(name)
        if code is None:
            yield f"{name}: not a code we know"
            continue
        both = any(scheme.both_sides and scheme.primary == name for scheme in knowledge.schemes(code.family or ""))
        for modifier in filter(None, modifiers.split("-")):
            if modifier in ("RT", "LT", "50") and code.bilateral != "1":
                yield f"{name}-{modifier}: the code has no side"
            if modifier == "50" and both:
                yield f"{name}-50: both sides are another code"
            family = knowledge.families.get(code.family or "")
            if modifier == "KX" and not (family and family.diagnostic_modifier):
                yield f"{name}-KX: no diagnostic line"


@pytest.mark.parametrize("code", CODES)
def test_every_part_of_a_page_is_there(knowledge: Knowledge, code: str) -> None:
    told = knowledge.codes[code].reference
    assert [member.name for member in fields(Reference) if not getattr(told, member.name)] == []


@pytest.mark.parametrize("code", CODES)
def test_a_text_names_only_codes_we_know(knowledge: Knowledge, code: str) -> None:
    named = {name for text in texts(knowledge.codes[code]) for name in CODE.findall(text)}
    assert named <= knowledge.codes.keys()


@pytest.mark.parametrize("code", CODES)
def test_an_example_names_its_code_and_ends_as_a_sentence(knowledge: Knowledge, code: str) -> None:
    for example in knowledge.codes[code].reference.examples:
        assert example.endswith(".")
        assert CODE.findall(example)
    assert any(code in example for example in knowledge.codes[code].reference.examples)


@pytest.mark.parametrize("code", CODES)
def test_no_example_contradicts_the_tables(knowledge: Knowledge, code: str) -> None:
    assert mistakes(knowledge, knowledge.codes[code]) == []


@pytest.mark.parametrize(
    ("code", "example", "mistake"),
    [
        pytest.param("64517", "Both sides: 64517-50, one unit.", "the code has no side", id="no-side"),
        pytest.param("64468", "Left: 64468-LT, one unit.", "the code has no side", id="bilateral-in-itself"),
        pytest.param("64486", "Both sides: 64486-50, one unit.", "both sides are another code", id="other-code"),
        pytest.param("64461", "T4 to T6: 64461-RT and 64462-RT, two units.", "more units than", id="once-a-day"),
        pytest.param("64495", "Third level: 64495-LT, one unit.", "without a primary", id="no-primary"),
        pytest.param("64461", "A diagnostic block: 64461-KX, one unit.", "no diagnostic line", id="kx"),
        pytest.param("64461", "See 64460.", "not a code we know", id="unknown"),
    ],
)
def test_a_wrong_example_would_be_noticed(knowledge: Knowledge, code: str, example: str, mistake: str) -> None:
    known = knowledge.codes[code]
    altered = replace(known, reference=replace(known.reference, examples=(example,)))
    assert any(mistake in found for found in mistakes(knowledge, altered))


@pytest.mark.parametrize("code", CODES)
def test_related_codes_name_one_another(knowledge: Knowledge, code: str) -> None:
    for other in knowledge.codes[code].reference.related:
        known = knowledge.codes[other]
        assert other != code
        assert code in known.reference.related or HUBS & {known.role, knowledge.codes[code].role}, other


@pytest.mark.parametrize("code", CODES)
def test_an_add_on_and_its_primary_are_related(knowledge: Knowledge, code: str) -> None:
    known = knowledge.codes[code]
    if known.role == "add-on":
        assert {name for name in known.primaries if name in knowledge.codes} & set(known.reference.related)


@pytest.mark.parametrize("code", CODES)
def test_what_is_said_of_sides_fits_the_indicator(knowledge: Knowledge, code: str) -> None:
    known = knowledge.codes[code]
    said = known.reference.sides
    if known.bilateral == "1":
        assert "One side" in said
    else:
        assert said.startswith(("None", "Both sides are in the code", "Modifiers for the side do not apply"))


@pytest.mark.parametrize("code", CODES)
def test_what_is_said_of_imaging_fits_the_code(knowledge: Knowledge, code: str) -> None:
    known = knowledge.codes[code]
    if known.imaging_included:
        assert re.search(r"[Gg]uidance( and the contrast)? (is|are) part of the code", known.reference.imaging)
    elif known.family and knowledge.families[known.family].imaging_codes and known.role == "primary":
        assert all(name in known.reference.imaging for name in knowledge.families[known.family].imaging_codes), (
            known.reference.imaging
        )


@pytest.mark.parametrize("code", CODES)
def test_an_imaging_page_names_the_blocks_it_goes_beside(knowledge: Knowledge, code: str) -> None:
    known = knowledge.codes[code]
    families = [family for family in knowledge.families.values() if code in family.imaging_codes]
    beside = {s.primary for family in families for s in knowledge.schemes(family.id)}
    assert beside <= set(CODE.findall(known.reference.used_when))


CLAIMS = (
    ("Medicare covers", "Medicare"),
    ("Medicare has covered", "Medicare"),
    ("Medicare's contractors", "Medicare"),
    ("Medicare's edits", "Medicare"),
    ("strict CPT", "AHIMA"),
    ("depends on the payer", "AHIMA"),
    ("is a visit", "National Government Services"),
    ("are visits", "National Government Services"),
)
"""What a text says, and who among the publishers of its sources must have said it."""


@pytest.mark.parametrize("code", CODES)
def test_what_is_said_of_payers_and_conventions_is_cited(knowledge: Knowledge, code: str) -> None:
    known = knowledge.codes[code]
    publishers = " ".join(knowledge.sources[id_].publisher for id_ in known.sources)
    said = " ".join(texts(known))
    assert [words for words, publisher in CLAIMS if words in said and publisher not in publishers] == []
