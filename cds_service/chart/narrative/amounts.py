"""Reads volumes and doses, and which of them are the block's local anesthetic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.chart.narrative.document import UNDER_SKIN, Document
from cds_service.chart.narrative.lexicon import Mention
from cds_service.chart.narrative.reading import Span

_AMOUNT = re.compile(
    r"(?:(?<![a-z0-9.,/])|(?<=\d/))(?P<number>\d{1,3}(?:[.,]\d{1,3})?|\.\d{1,3}|"
    r"(?:one[- ])?half(?: an?)?(?=\s)|(?:(?:twenty|thirty|forty)-)?(?:one|two|three|four|five|"
    r"six|seven|eight|nine)|ten|twelve|fifteen|eighteen|twenty|thirty|forty|sixty)"
    r"\s{0,2}-?\s{0,2}(?P<unit>ml|mls|cc|ccs|milliliters?|millilitres?|mg|mgs|"
    r"milligrams?)(?![a-z])(?P<rate>\s{0,2}(?:/|per )\s{0,2}(?:h|hr|"
    r"hour)(?![a-z]))?(?P<weight>\s{0,2}(?:/|per )\s{0,2}kg(?![a-z]))?(?!\s{0,2}/\s{0,2}(?:kg|ml|m2|cc))"
)
_UNIT = re.compile("ml|cc|mg|milli")
_STRENGTH = (
    r"(?:\d{0,2}\.?\d{1,3}\s?%|(?:one )?(?:half|quarter|eighth)(?: of)?(?: a)? percent|"
    r"(?:zero )?point \w+(?: \w+)? percent)"
)
_EPINEPHRINE = r"(?:\s(?:w/|with|\+)\s?epi\w*(?:\s1\s?:\s?\d{3}(?:k|,?000)?)?)?"
_UNITLESS = (
    re.compile(
        rf"\s{{0,2}}{_STRENGTH}{_EPINEPHRINE}[\s,\-]{{1,3}}(?P<number>[1-9]\d?(?:\.5)?|0?\.\d)"
        r"(?=\s(?:ea|each|per|total|x|at|bilat\w*|on|in)(?![a-z])|\s?[/+]\s?\d{1,2}(?!\d|\.\d|[/%])|\s{0,2}(?:[;,)\n]|\.(?!\d)|\Z))"
    ),
    re.compile(
        rf"(?:\s{{0,2}}{_STRENGTH})?{_EPINEPHRINE}[\s,(\-]{{1,3}}vol(?:ume)?\.?(?: of)?[\s:=]{{1,2}}"
        r"(?P<number>[1-9]\d?)(?!\d|\.\d|\s?%)"
    ),
    re.compile(r"[\s(\-]{1,3}(?P<number>[1-9]\d)(?=\s{0,2}(?:[;)\n]|\.(?!\d)|\Z))"),
)
"""A volume after the drug and its strength, with no unit: "ropi 0.5% 10 ea", "ropi 0.5% 15/15", "bupi vol 20"."""
_UNITLESS_BEFORE = re.compile(rf"(?<![\w./\-])(?P<number>[1-9]\d?)\s(?:of\s)?(?:{_STRENGTH}\s|(?<=of\s)(?:plain\s)?)\Z")
"""A volume before them: "20 of half percent ropi"."""
_NUMBER_BEFORE = re.compile(r"(?<![\w./:%\-])(?P<number>[1-9][05])\s\Z")
_LIMIT = re.compile(r"\b(?:max|maximum|limit|toxic|not (?:to )?exceed\w*)\b[^.;,]*\Z|<\s?\Z")
_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_WORDS |= {"twelve": 12, "fifteen": 15, "eighteen": 18, "twenty": 20, "thirty": 30, "forty": 40, "sixty": 60}
_INTRAVENOUS = re.compile(r".{0,25}\b(?:iv\b|intravenous|patch|ointment|jelly|gel\b|spray|nebul)")
_SKIN_REACH = 60
_SHORT = 40
"""Characters of a sentence that says no more than an amount."""
_APART = re.compile(r",(?!\d)|[;+]|\b(?:and|with|then|plus)\b")
_OF_LOCAL = re.compile(
    r"\s(?:of )?(?:the )?(?:dilute )?(?:local anesth|local anaesth|la\b|injectate|anesthetic|anaesthetic)"
)
"""After a volume: a local anesthetic that is not named."""
_MASS = ("mg", "milligram")


@dataclass(frozen=True, slots=True)
class Amount:
    """A volume or dose as "20 mL" or "100 mg", and its words."""

    value: str
    start: int
    end: int


def with_drugs(document: Document) -> list[int]:
    """Return the sentences that name a local anesthetic or a unit it is measured in, in order: no others tell of it."""
    measured = {document.layout.index_at(unit.start()) for unit in _UNIT.finditer(document.folded)}
    return sorted(measured.union(document.misspelled, (index for index, _ in document.all("drug"))))


def agents(document: Document, index: int) -> Iterator[Mention]:
    """Yield the local anesthetics of the block in a sentence: not those for the skin or into a vein."""
    yield from _of_the_block(document, index, _drugs(document, index))


def _of_the_block(document: Document, index: int, drugs: list[Mention]) -> Iterator[Mention]:
    end = document.sentence(index).end
    for drug in drugs:
        if not _for_skin(document, index, drug, drugs) and not _INTRAVENOUS.match(
            document.folded, drug.end, min(drug.end + 40, end)
        ):
            yield drug


def _drugs(document: Document, index: int) -> list[Mention]:
    """Return the local anesthetics a sentence names, those with a slip in their name too."""
    named = list(document.of(index, "drug"))
    starts = {drug.start for drug in named}
    slips = [drug for drug in document.misspelled.get(index, ()) if drug.start not in starts]
    return sorted(named + slips, key=lambda drug: drug.start) if slips else named


def amounts(document: Document, index: int) -> Iterator[tuple[Amount, Span]]:
    """Yield the amounts of the block's local anesthetic in a sentence."""
    sentence, drugs = document.sentence(index), _drugs(document, index)
    used = list(_of_the_block(document, index, drugs))
    chosen = {drug.start for drug in used}
    for drug in used:
        if bare := _without_unit(document.folded, drug, sentence.start, sentence.end):
            yield Amount(f"{bare['number']} mL", *bare.span("number")), Span(*bare.span("number"))
    for match in _AMOUNT.finditer(document.folded, sentence.start, sentence.end):
        if _is_anesthetic(document, index, match, drugs, chosen):
            yield Amount(_normal(match), match.start(), match.end()), Span(match.start(), match.end())


def _without_unit(folded: str, drug: Mention, start: int, end: int) -> re.Match[str] | None:
    """Return the volume told beside a drug with no unit; a number alone stands for no strength and no dose."""
    for pattern in _UNITLESS:
        if found := pattern.match(folded, drug.end, end):
            return found
    begin = max(start, drug.start - 50)
    return _UNITLESS_BEFORE.search(folded, begin, drug.start) or _NUMBER_BEFORE.search(folded, begin, drug.start)


def _normal(match: re.Match[str]) -> str:
    number = match["number"].replace(",", ".")
    if number[0].isalpha():
        number = "0.5" if "half" in number else str(sum(_WORDS[word] for word in number.split("-")))
    number = f"0{number}" if number.startswith(".") else number
    unit = "mg" if match["unit"].startswith(_MASS) else "mL"
    return f"{number} {unit}" + ("/h" if match["rate"] else "/kg" if match["weight"] else "")


def _for_skin(document: Document, index: int, drug: Mention, drugs: list[Mention]) -> bool:
    if _under_skin_as_treatment(document, index):
        return False
    for skin in document.of(index, "skin"):
        start, end = sorted((drug, skin), key=lambda mention: mention.start)
        if end.start - start.end > _SKIN_REACH:
            continue
        between = document.folded[start.end : end.start]
        if any(start.end <= other.start < end.start for other in drugs if other is not drug):
            continue
        if skin.start > drug.start and re.search(r"[;,]|\b(?:inject|deposit|administer|then|and)", between):
            continue
        if skin.start < drug.start and re.search(
            r"paravertebral|\bthen\b.{0,40}(?:inject|advanc)|needle .{0,30}advanced", between
        ):
            continue
        return _is_skin_word(document, skin, drug, between)
    return False


def _under_skin_as_treatment(document: Document, index: int) -> bool:
    """Whether the infiltration under the skin is what the note or the sentence tells of: then its drug counts."""
    return document.treated_under_skin or any(
        mention.concept.attributes.get("target") == UNDER_SKIN and document.has(index, "painful-place")
        for mention in document.of(index, "technique")
    )


def _is_skin_word(document: Document, skin: Mention, drug: Mention, between: str) -> bool:
    """A bare "skin" counts only right beside the drug: "skin was prepped" says nothing of it."""
    if document.folded[skin.start : skin.end] != "skin":
        return True
    return drug.value == "lidocaine" and not re.search(r"prep|clean|steril", between)


def _is_anesthetic(
    document: Document, index: int, match: re.Match[str], drugs: list[Mention], chosen: set[int]
) -> bool:
    """An amount belongs to the substance nearest to it; with none named, to an injection at a level."""
    nearest, distance = None, 10_000
    if _LIMIT.search(document.folded, max(match.start() - 25, document.sentence(index).start), match.start()):
        return False
    for substance in (*drugs, *document.of(index, "substance")):
        if substance.value == "additive" and not match["unit"].startswith(_MASS):
            continue
        gap = substance.start - match.end() if substance.start >= match.end() else match.start() - substance.end
        if gap >= distance:
            continue
        between = document.folded[min(match.end(), substance.end) : max(match.start(), substance.start)]
        gap += 25 * len(_APART.findall(between))
        if gap < distance:
            nearest, distance = substance, gap
    if nearest is not None:
        return nearest.start in chosen and not re.match(
            r"\s{0,2}(?:syringe|saline)", document.folded[match.end() : match.end() + 20]
        )
    if match["unit"].startswith(_MASS):
        return document.sentence(index).section == "agent"
    section = document.sentence(index).section
    skin = document.has(index, "skin")
    told = document.has(index, "injection", "technique", "multiple") or index in document.levels
    told = told or _OF_LOCAL.match(document.folded, match.end()) is not None
    told = told or section in {"agent", "catheter"} or _goes_on_about_the_drug(document, index)
    return told and not skin and section not in {"history", "anesthesia"}


def _goes_on_about_the_drug(document: Document, index: int) -> bool:
    """Return whether a short sentence tells how much of the drug the one before it names: "Total 20 mL."."""
    sentence = document.sentence(index)
    if not index or sentence.end - sentence.start > _SHORT:
        return False
    return next(agents(document, index - 1), None) is not None
