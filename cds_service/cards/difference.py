"""Where the judged lines (of the Claim, or the draft orders read as lines) and the expected lines differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cds_service.chart.model import Line, OrderFacts, Origin
from cds_service.review.assessment import Assessment, ExpectedLine

Agree = Callable[[Line, ExpectedLine], bool]
Pair = tuple[Line, ExpectedLine]


@dataclass(frozen=True)
class Difference:
    """What the record supports beside what is claimed or ordered, line by line.

    `right` are pairs that agree, `wrong` pairs of one code whose units or modifiers differ, `surplus` lines the
    record does not support, `lacking` expected lines that are not there. `ordered`: the lines are draft orders.
    """

    present: tuple[Line, ...]
    expected: tuple[ExpectedLine, ...]
    right: tuple[Pair, ...]
    wrong: tuple[Pair, ...]
    surplus: tuple[Line, ...]
    lacking: tuple[ExpectedLine, ...]
    ordered: bool

    def __bool__(self) -> bool:
        """Return whether anything differs."""
        return bool(self.wrong or self.surplus or self.lacking)

    @property
    def only_surplus_codes(self) -> bool:
        """True where leaving out lines whose code the record does not support at all is the whole correction."""
        supported = {line.code for line in self.expected}
        return bool(self.surplus) and not (
            self.wrong or self.lacking or any(line.code in supported for line in self.surplus)
        )


def difference(assessment: Assessment) -> Difference:
    """Compare the judged lines of `assessment` with the lines it expects.

    Draft orders have no place for modifiers, and an order without a quantity says nothing about units; so orders
    are compared by code, and by units only where these are stated.
    """
    if assessment.orders:
        present = judged((order.line for order in assessment.orders), assessment)
        stated = {order.reference for order in assessment.orders if states_quantity(order)}
        expected = _by_code(assessment.expected_lines)
        return compare(
            present, expected, lambda line, want: line.reference not in stated or line.units == want.units, ordered=True
        )
    return compare(judged(assessment.lines, assessment), assessment.expected_lines, same_line)


def only_ordered(assessment: Assessment) -> bool:
    """Return whether nothing was done yet: draft orders are judged, or every block was read from an order."""
    origins = {origin for block in assessment.blocks for origin in block.origins}
    return bool(assessment.orders) or origins == {Origin.ORDER}


def judged(lines: Iterable[Line], assessment: Assessment) -> list[Line]:
    """Return those of `lines` the review may correct: their code is judged or expected, and they are not left open."""
    codes = assessment.judged_codes | {line.code for line in assessment.expected_lines}
    return [line for line in lines if line.code in codes and line not in assessment.open_lines]


def states_quantity(order: OrderFacts) -> bool:
    """Return whether the draft order itself says how many units."""
    quantity = order.resource.get("quantityQuantity")
    return isinstance(quantity, Mapping) and quantity.get("value") is not None


def same_line(line: Line, want: ExpectedLine) -> bool:
    """Return whether code, units and modifiers (in any order) are equal."""
    return (line.code, line.units, sorted(line.modifiers)) == (want.code, want.units, sorted(want.modifiers))


def compare(
    present: Sequence[Line], expected: Sequence[ExpectedLine], agree: Agree = same_line, *, ordered: bool = False
) -> Difference:
    """Pair each expected line with the most similar line of its code; `agree` tells whether a pair is right."""
    pairs = _paired(present, expected)
    paired = {index for index, _ in pairs}
    wanted = {index for _, index in pairs}
    matched = [(present[i], expected[j]) for i, j in sorted(pairs)]
    return Difference(
        present=tuple(present),
        expected=tuple(expected),
        right=tuple(pair for pair in matched if agree(*pair)),
        wrong=tuple(pair for pair in matched if not agree(*pair)),
        surplus=tuple(line for i, line in enumerate(present) if i not in paired),
        lacking=tuple(line for j, line in enumerate(expected) if j not in wanted),
        ordered=ordered,
    )


def _paired(present: Sequence[Line], expected: Sequence[ExpectedLine]) -> list[tuple[int, int]]:
    """Return index pairs of equal code, the most similar first, each line used once."""
    candidates = [
        (_similarity(line, want), -i, -j)
        for i, line in enumerate(present)
        for j, want in enumerate(expected)
        if line.code == want.code
    ]
    pairs: list[tuple[int, int]] = []
    for _, i, j in sorted(candidates, reverse=True):
        if all(-i != first and -j != second for first, second in pairs):
            pairs.append((-i, -j))
    return pairs


def _similarity(line: Line, want: ExpectedLine) -> tuple[bool, bool, int, bool]:
    """Rank: the day of service first, then equal modifiers, then modifiers in common, then units."""
    same_day = None in (line.service_date, want.service_date) or line.service_date == want.service_date
    shared = len(set(line.modifiers) & set(want.modifiers))
    return same_day, sorted(line.modifiers) == sorted(want.modifiers), shared, line.units == want.units


def _by_code(expected: Iterable[ExpectedLine]) -> list[ExpectedLine]:
    """Return one line per code with the units added up: what of the expected lines an order can carry."""
    lines: dict[str, ExpectedLine] = {}
    for line in expected:
        before = lines.get(line.code)
        lines[line.code] = replace(before, units=before.units + line.units) if before else line
    return list(lines.values())


def likeness(code: str, other: str) -> int:
    """Return how many leading characters two codes have in common: codes of one section share the first two."""
    pairs = zip(code, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(code), len(other)))


def replaceable(code: str, other: str) -> bool:
    """Return whether one code can stand for the other: both of one section (64...), not a block for imaging."""
    return likeness(code, other) >= _SAME_SECTION


_SAME_SECTION = 2
