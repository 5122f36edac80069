import pytest

from cds_service.chart.narrative.folding import fold
from cds_service.chart.narrative.levels import Form, find_levels, region_of

TABLE = [
    ("T4, T5 and T6", [("level", "T4"), ("level", "T5"), ("level", "T6")]),
    ("T4/5/6", [("level", "T4"), ("level", "T5"), ("level", "T6")]),
    ("T4,5,6", [("level", "T4"), ("level", "T5"), ("level", "T6")]),
    ("T2, 4 and 6", [("level", "T2"), ("level", "T4"), ("level", "T6")]),
    ("T4 T6 T8", [("level", "T4"), ("level", "T6"), ("level", "T8")]),
    ("T4-T6", [("range", "T4-T6")]),
    ("T4–6", [("range", "T4-T6")]),
    ("T4 through T6", [("range", "T4-T6")]),
    ("from T3 down to T6", [("range", "T3-T6")]),
    ("T6 to T4", [("range", "T4-T6")]),
    ("T5-6-7", [("range", "T5-T7")]),
    ("T4-5", [("pair", "T4-T5")]),
    ("T4/5", [("pair", "T4-T5")]),
    ("T3/4 and T5/6", [("pair", "T3-T4"), ("pair", "T5-T6")]),
    ("T3-4 and T5-6 interspaces", [("interspace", "T3-T4"), ("interspace", "T5-T6")]),
    ("T4 and T5 interspace", [("pair", "T4-T5")]),
    ("T4 and T5 paravertebral spaces", [("level", "T4"), ("level", "T5")]),
    ("T4-5 level", [("interspace", "T4-T5")]),
    ("T4-5 level(s)", [("pair", "T4-T5")]),
    ("T4-5 levels", [("pair", "T4-T5")]),
    ("T4-5 paravertebral spaces", [("pair", "T4-T5")]),
    ("at the level of T4-5", [("interspace", "T4-T5")]),
    ("T three, T four and T five", [("level", "T3"), ("level", "T4"), ("level", "T5")]),
    ("T three to T six", [("range", "T3-T6")]),
    ("third, fourth and fifth thoracic levels", [("level", "T3"), ("level", "T4"), ("level", "T5")]),
    ("third through seventh interspaces", [("range", "rib 3-rib 7")]),
    ("T4-5 paravertebral space", [("interspace", "T4-T5")]),
    ("T4-T5 interspace", [("interspace", "T4-T5")]),
    ("between T4 and T5", [("interspace", "T4-T5")]),
    ("T9-10, 10-11", [("pair", "T9-T10"), ("pair", "T10-T11")]),
    ("C7-T1 and T12-L1", [("pair", "C7-T1"), ("pair", "T12-L1")]),
    ("L34, L45, L5S1", [("interspace", "L3-L4"), ("interspace", "L4-L5"), ("interspace", "L5-S1")]),
    ("Th7 and th 8", [("level", "T7"), ("level", "T8")]),
    ("T 6", [("level", "T6")]),
    ("thoracic 4", [("level", "T4")]),
    ("thoracic levels 4 and 5", [("level", "T4"), ("level", "T5")]),
    ("4th thoracic vertebra", [("level", "T4")]),
    ("fourth thoracic", [("level", "T4")]),
    ("ribs 5-8", [("range", "rib 5-rib 8")]),
    ("4th, 5th and 6th intercostal nerves", [("level", "rib 4"), ("level", "rib 5"), ("level", "rib 6")]),
    ("fifth through eighth ribs", [("range", "rib 5-rib 8")]),
    ("spaces four to eight", [("range", "rib 4-rib 8")]),
    ("T4, 5 mL and T6, 5 mL", [("level", "T4"), ("level", "T6")]),
    ("T4 20 mL", [("level", "T4")]),
    ("T4x3", [("level", "T4")]),
    ("T3, T4, 3 injections", [("level", "T3"), ("level", "T4")]),
    ("T5\nNeedle 22G", [("level", "T5")]),
    ("T2N0M0", []),
    ("T13 and C9 and L7", []),
    ("0.5% in 20 mL", []),
    ("patient's 4 children", []),
]


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=[text for text, _ in TABLE])
def test_expressions(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(part.form.value, part.name) for part in find_levels(fold(text))] == expected


def test_a_range_names_every_level_in_it() -> None:
    (part,) = find_levels("t4-t7")
    assert part.form is Form.RANGE
    assert part.levels == ("T4", "T5", "T6", "T7")


@pytest.mark.parametrize(
    ("level", "region"),
    [("T4", "thoracic"), ("rib 4", "thoracic"), ("C5", "cervical"), ("L2", "lumbar"), ("S1", "sacral"), ("x", None)],
)
def test_regions(level: str, region: str | None) -> None:
    assert region_of(level) == region
