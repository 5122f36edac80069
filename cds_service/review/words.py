"""How findings name sites, sides and lines, so that every rule says the same thing the same way."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.chart.model import Block, Line, Side, Technique
from cds_service.knowledge.model import Family
from cds_service.review.assessment import ExpectedLine
from cds_service.review.case import Case
from cds_service.review.joints import names_nerves
from cds_service.review.selection import Selection
from cds_service.review.sites import SideCount

_ON_SIDE = {Side.RIGHT: " on the right", Side.LEFT: " on the left", None: ""}


def joined(items: Iterable[str]) -> str:
    """Return "A", "A and B" or "A, B and C", each item once."""
    parts = list(dict.fromkeys(items))
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def verb(items: Iterable[Line | ExpectedLine], one: str, several: str) -> str:
    """Return the form of a verb for lines: by how many codes they name."""
    return one if len({item.code for item in items}) == 1 else several


def are(items: Iterable[Line | ExpectedLine]) -> str:
    """Return "is" or "are" for the codes of lines."""
    return verb(items, "is", "are")


def line_words(line: Line | ExpectedLine, *, modifiers: bool = True) -> str:
    """Return a line as a coder writes it: "64461-RT ×1"."""
    name = "-".join((line.code, *line.modifiers)) if modifiers else line.code
    return f"{name} ×{line.units:g}"


def lines_words(lines: Iterable[Line | ExpectedLine], *, modifiers: bool = True) -> str:
    """Return lines as a coder writes them: "64461-RT ×1 and 64462-RT ×1"."""
    return joined(line_words(line, modifiers=modifiers) for line in lines)


def supported_words(case: Case, *codes: str) -> str:
    """Return the expected lines (of `codes`, where given) in words; an order has no place for modifiers."""
    lines = case.expected_of(*codes) if codes else case.expected
    return lines_words(lines, modifiers=not case.ordered)


def codes_words(lines: Iterable[Line | ExpectedLine]) -> str:
    """Return the codes of lines: "64461 and 64462"."""
    return joined(line.code for line in lines)


def codes_of(*groups: Iterable[Line | ExpectedLine]) -> tuple[str, ...]:
    """Return the codes of all lines, each once, in order."""
    return tuple(dict.fromkeys(line.code for group in groups for line in group))


def sides_words(sides: Iterable[Side]) -> str:
    """Return "the right", "the left" or "both sides"."""
    named = set(sides)
    return f"the {named.pop().value}" if len(named) == 1 else "both sides"


def sites_words(selection: Selection) -> str:
    """Return what is counted of a block with its names: "3 sites on the right (T4, T5, T6)".

    Joints that were treated through their nerves are named by both: "2 nerves (L3, L4) supply 1 joint (L4-L5)".
    """
    counts = selection.counts
    said = [_counted(selection.block, count) for count in counts]
    if (
        len(counts) > 1
        and len({(count.low, count.high, *words) for count, words in zip(counts, said, strict=True)}) == 1
    ):
        return f"{said[0][0]} on each side{said[0][1]}"
    return joined(f"{what}{_ON_SIDE[count.side]}{names}" for count, (what, names) in zip(counts, said, strict=True))


def _counted(block: Block, count: SideCount) -> tuple[str, str]:
    """Return what is counted on a side, and its names, which come behind the side."""
    levels = tuple(dict.fromkeys(site.level for site in block.sites if site.side in (count.side, None) and site.level))
    names = f" ({', '.join(count.names)})" if count.names else ""
    if count.noun != "joint" or set(levels) <= set(count.names):
        return _number(count), names or (f" ({', '.join(levels)})" if levels else "")
    if set(levels) & set(count.names) or not names_nerves(block, levels):
        named = (*count.names, f"from {', '.join(levels)}") if count.names else levels
        return _number(count), f" ({', '.join(named)})"
    nerves = "1 nerve" if len(levels) == 1 else f"{len(levels)} nerves"
    return nerves, f" ({', '.join(levels)}) {'supplies' if len(levels) == 1 else 'supply'} {_number(count)}{names}"


def _number(count: SideCount) -> str:
    noun = count.noun if count.high == 1 or (count.high is None and count.low == 1) else f"{count.noun}s"
    if count.high is None:
        return f"at least {count.low} {noun}"
    if count.low == 0:
        return f"at most {count.high} {noun}"
    return f"{count.low} {noun}" if count.low == count.high else f"{count.low} to {count.high} {noun}"


def arithmetic(case: Case, selection: Selection) -> str:
    """Return how the sites of a block come to codes: "3 sites on the right (...): 64461 ×1 and 64462 ×1"."""
    lines = supported_words(case, *selection.scheme.codes)
    return f"{sites_words(selection)}: {lines}" if lines else sites_words(selection)


_TECHNIQUES = {
    Technique.TRANSFORAMINAL: "transforaminal epidural injection",
    Technique.INTERLAMINAR: "interlaminar epidural injection",
    Technique.FACET: "facet joint injection",
    Technique.RADIOFREQUENCY: "radiofrequency treatment",
    Technique.TRIGGER_POINT: "trigger point injection",
    Technique.OTHER: "block of another kind",
}


_SYMPATHETIC = {
    "stellate": "stellate ganglion block",
    "celiac": "celiac plexus block",
    "splanchnic": "splanchnic nerve block",
    "superior-hypogastric": "superior hypogastric plexus block",
    "impar": "ganglion impar block",
}


def block_words(block: Block) -> str:
    """Return what a block is called, with its region, plane or target: "erector spinae plane block"."""
    if block.plane is not None:
        return f"{block.plane.value.replace('-', ' ')} plane block"
    if block.target is not None and block.technique is Technique.OTHER:
        return f"{block.target.value.replace('-', ' ')} block"
    if block.target is not None and block.target.value in _SYMPATHETIC:
        return _SYMPATHETIC[block.target.value]
    name = _TECHNIQUES.get(block.technique, f"{block.technique.value.replace('-', ' ')} block")
    return f"{block.region} {name}" if block.region else name


def block_names(blocks: Iterable[Block]) -> tuple[str, ...]:
    """Return what blocks are called, each once; a name another one only makes more precise is left out."""
    names = tuple(dict.fromkeys(block_words(block) for block in blocks))
    return tuple(name for name in names if not any(other.endswith(f" {name}") for other in names))


def blocks_words(blocks: Iterable[Block]) -> str:
    """Return what blocks are called, each once, with an article: "an erector spinae plane block"."""
    return joined(map(with_article, block_names(blocks)))


def with_article(name: str) -> str:
    """Return a name with "a" or "an"."""
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def by_family(case: Case, lines: Iterable[Line]) -> list[tuple[Family, list[Line]]]:
    """Return block lines by the family of their code, in claim order."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        code = case.view.code(line.code)
        if code and code.family:
            found.setdefault(code.family, []).append(line)
    return [(family, own) for name, own in found.items() if (family := case.view.family(name))]


def reported_words(case: Case) -> str:
    """Return "ordered" or "reported"."""
    return "ordered" if case.ordered else "reported"


def tells_words(case: Case) -> str:
    """Return what introduces the block there is: "the order asks for" or "the record describes"."""
    return "the order asks for" if case.ordered else "the record describes"


def place(case: Case) -> str:
    """Return what was judged: "the order" or "the Claim"."""
    return "the order" if case.ordered else "the Claim"


def instead(case: Case) -> str:
    """Return what the record supports, as the remedy: "Report 64461-RT ×1 and 64462-RT ×1."; "" where nothing."""
    if not case.expected:
        return ""
    return f"{'Order' if case.ordered else 'Report'} {supported_words(case)}."
