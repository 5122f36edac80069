"""How the accounts of one encounter become blocks, and what they contradict each other in."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.chart.assembly import assemble
from cds_service.chart.model import Block, Evidence, Fact, Guidance, Origin, Side, Site, SiteCount, Technique
from cds_service.chart.narrative.reading import Status
from cds_service.chart.telling import Telling

DAY, NEXT = date(2026, 3, 2), date(2026, 3, 3)
PVB, ESP = Technique.PARAVERTEBRAL, Technique.FASCIAL_PLANE


def evidence(source, quote="words"):
    return (Evidence(source, "text", quote),)


def told(
    source="note",
    technique=PVB,
    side=None,
    levels="",
    *,
    status=Status.PERFORMED,
    coded=False,
    codes=(),
    by_code=None,
    **rest,
):
    origin = Origin(source.split("-")[0])
    shown = evidence(source)
    facing = None if side is None else Side(side)
    own = (Side.RIGHT, Side.LEFT) if facing is Side.BILATERAL else (facing,)
    block = Block(
        technique=technique,
        evidence=shown,
        origins=frozenset({origin}),
        sites=tuple(Site(level, each, shown) for level in levels.split() for each in own),
        side=Fact(facing, shown) if facing else None,
        reported_codes=codes,
        service_date=rest.pop("day", DAY),
        **rest,
    )
    return Telling(block, status, coded=coded, by_code=by_code and by_code(block))


def sites(block):
    return [f"{site.level} {site.side.value if site.side else '-'}" for site in block.sites]


def test_a_note_and_its_procedure_are_one_block():
    found = assemble(
        [told("procedure", side="right", levels="T4 T5", coded=True, codes=("64461",)), told(side="right", levels="T4")]
    )
    (block,) = found.blocks
    assert sites(block) == ["T4 right"]
    assert block.origins == {Origin.NOTE, Origin.PROCEDURE}
    assert block.reported_codes == ("64461",)
    assert [e.reference for e in block.evidence] == ["note", "procedure"]
    assert found.contradictions == ()


def test_orders_for_parts_of_a_block_count_all_their_levels():
    one = {"site_count": SiteCount(1, 1, evidence("order-1"))}
    (block,) = assemble([told("order-1", side="right", levels="T4", **one), told("order-2", levels="T5 T6")]).blocks
    assert (len(block.sites), block.site_count) == (3, None)
    (block,) = assemble([told("order-1", side="right", levels="T4", **one), told("order-2", levels="T4")]).blocks
    assert block.site_count is not None


def test_what_the_note_leaves_out_the_procedure_adds():
    (block,) = assemble([told(), told("procedure", side="left", levels="T6", performers=("Practitioner/1",))]).blocks
    assert (block.side.value, sites(block), block.performers) == (Side.LEFT, ["T6 left"], ("Practitioner/1",))


def test_procedures_for_each_code_are_one_block():
    further = lambda block: Block(**{**fields(block), "site_count": SiteCount(2, None)})  # noqa: E731 - said where used
    (block,) = assemble(
        [
            told("procedure-1", coded=True, codes=("64461",), by_code=lambda block: block),
            told("procedure-2", coded=True, codes=("64462",), by_code=further),
        ]
    ).blocks
    assert block.reported_codes == ("64461", "64462")
    assert block.site_count == SiteCount(2, None)


def fields(block):
    return {name: getattr(block, name) for name in Block.__dataclass_fields__}


def test_what_only_a_code_claims_counts_only_where_no_note_tells_of_the_block():
    infused = lambda block: Block(**{**fields(block), "continuous": Fact(True)})  # noqa: E731 - said where used
    coded = told("procedure", coded=True, codes=("64463",), by_code=infused)
    assert assemble([coded]).blocks[0].continuous == Fact(True)
    assert assemble([coded, told()]).blocks[0].continuous is None


def test_right_and_left_procedures_are_a_block_on_both_sides():
    found = assemble([told("procedure-1", side="right", levels="T4"), told("procedure-2", side="left", levels="T4")])
    (block,) = found.blocks
    assert block.side.value is Side.BILATERAL
    assert sites(block) == ["T4 right", "T4 left"]
    assert found.contradictions == ()


def test_a_note_and_a_procedure_for_each_side_are_a_block_on_both_sides():
    notes = [told("note-1", side="right", levels="T4"), told("note-2", side="left", levels="T6")]
    done = [told("procedure-1", side="right"), told("procedure-2", side="left")]
    found = assemble([*notes, *done])
    (block,) = found.blocks
    assert (block.side.value, sites(block), found.contradictions) == ("bilateral", ["T4 right", "T6 left"], ())
    assert assemble([*notes, done[0]]).contradictions
    assert assemble([notes[0], *done]).contradictions


def test_a_code_of_another_technique_is_a_report_of_the_block_the_words_tell_of():
    (block,) = assemble([told(technique=ESP), told("procedure", coded=True, codes=("64461",))]).blocks
    assert (block.technique, block.reported_codes) == (ESP, ("64461",))


def test_a_code_of_another_day_is_a_block_of_its_own():
    found = assemble([told(technique=ESP), told("procedure", coded=True, codes=("64461",), day=NEXT)])
    assert {block.technique for block in found.blocks} == {ESP, PVB}


@pytest.mark.parametrize(("day", "blocks"), [(DAY, 0), (None, 0), (NEXT, 1)])
def test_words_that_it_was_not_done_stand_against_a_code_of_the_day(day, blocks):
    found = assemble([told(status=Status.NOT_DONE), told("procedure", coded=True, codes=("64461",), day=day)])
    assert (len(found.blocks), len(found.not_done)) == (blocks, 1)


@pytest.mark.parametrize("status", [Status.PLANNED, Status.HISTORICAL])
def test_what_was_planned_or_done_before_is_no_block(status):
    found = assemble([told(status=status)])
    assert (found.blocks, found.not_done) == ((), ())


def test_two_days_are_two_blocks_and_the_undated_joins_one_of_them():
    found = assemble([told(day=None, side="right"), told("note-2", day=NEXT), told("note-3")])
    assert [block.service_date for block in found.blocks] == [DAY, NEXT] or [
        block.service_date for block in found.blocks
    ] == [NEXT, DAY]
    assert sum(block.side is not None for block in found.blocks) == 1


@pytest.mark.parametrize(
    ("accounts", "elements"),
    [
        ([told(side="right"), told("procedure", side="left")], ["laterality"]),
        ([told(side="right"), told("procedure", side="bilateral")], ["laterality"]),
        ([told(side="right"), told("note-2", side="left")], ["laterality"]),
        ([told(side="right"), told("procedure", side="right")], []),
        ([told(side="right"), told("procedure")], []),
        ([told(levels="T4"), told("procedure", levels="T7")], ["levels"]),
        ([told(levels="T4 T5"), told("procedure", levels="T5")], []),
        ([told(levels="T4-T5"), told("procedure", levels="T4")], []),
        ([told(levels="T4-T5"), told("procedure", levels="T6")], ["levels"]),
        ([told(side="right", levels="T4"), told("procedure", side="left", levels="T9")], ["laterality", "levels"]),
        ([told(side="right"), told("procedure", side="left", day=NEXT)], []),
        ([told(side="right"), told("procedure", technique=ESP, side="left")], []),
    ],
)
def test_contradictions(accounts, elements):
    found = assemble(accounts).contradictions
    assert [contradiction.element for contradiction in found] == elements
    assert all(len(contradiction.facts) == 2 for contradiction in found)


def test_the_guidance_of_the_note_comes_first_in_its_own_words():
    by_note = Fact(Guidance.ULTRASOUND, evidence("note", "sonography"))
    others = (Fact(Guidance.LANDMARK, evidence("procedure")), Fact(Guidance.ULTRASOUND, evidence("procedure")))
    (block,) = assemble([told("procedure", guidance=others), told(guidance=(by_note,))]).blocks
    assert block.guidance == (by_note, others[0])


def test_one_site_in_two_notes_is_one_site_with_both_quotes():
    (block,) = assemble([told(side="right", levels="T4"), told("note-2", side="right", levels="T4")]).blocks
    assert [[e.reference for e in site.evidence] for site in block.sites] == [["note", "note-2"]]


CATHETER, SINGLE = Fact(True, evidence("note", "catheter")), Fact(False, evidence("note", "single shot"))


@pytest.mark.parametrize(
    "accounts",
    [
        [],
        [told("procedure", side="bilateral")],
        [told("procedure", side="left")],
        [told("procedure", side="right", coded=True), told("procedure-2", side="left", coded=True)],
        [told("note-2", side="left")],
    ],
)
def test_a_catheter_on_one_side_and_a_single_injection_on_the_other_stay_two(accounts):
    halves = [told(side="right", levels="T5", continuous=CATHETER), told(side="left", levels="T5", continuous=SINGLE)]
    found = assemble([*halves, *accounts])
    assert [(block.side.value, block.continuous.value) for block in found.blocks] == [("right", True), ("left", False)]
    assert found.contradictions == ()


def test_two_notes_that_differ_in_side_and_catheter_contradict_each_other():
    accounts = [told(side="right", continuous=CATHETER), told("note-2", side="left", continuous=SINGLE)]
    found = assemble(accounts)
    assert len(found.blocks) == 1
    assert [contradiction.element for contradiction in found.contradictions] == ["laterality"]


def test_nothing_told_is_nothing_done():
    assert assemble([]).blocks == ()
