"""A note made ready: its layout, and every mention of the lexicon in its place."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from cds_service.chart.narrative.folding import fold
from cds_service.chart.narrative.layout import Layout, Sentence, lay_out
from cds_service.chart.narrative.levels import Form, Levels, find_levels
from cds_service.chart.narrative.lexicon import Mention, shipped
from cds_service.chart.narrative.misspelled import misspelled_drugs
from cds_service.chart.narrative.reading import Span

UNDER_SKIN = "subcutaneous"
"""The target of local anesthetic under the skin over what hurts, as the treatment itself."""
_BEFORE_TREATMENT = frozenset({"history", "findings", "plan", "indication", "diagnosis", "consent"})
"""Sections whose painful place may be why something else was done under numbed skin."""
_AS_A_MEANS = re.compile(r"\b(?:under|with|after|by|local)\b")
"""Before the infiltration in the name of a procedure: it only numbed for that."""
_OTHER_DOSE = re.compile(r"\d\s?(?:units?|iu|mg|mcg)\b")
"""In a sentence without a local anesthetic: something else went under the skin, "heparin 5000 units"."""
_COVERS = {
    "decoy": frozenset({"technique"}),
    "side-decoy": frozenset({"side"}),
    "guidance-decoy": frozenset({"guidance"}),
    "catheter-decoy": frozenset({"continuous"}),
    "requested-decoy": frozenset({"requested"}),
    "image-decoy": frozenset({"image"}),
    "element-decoy": frozenset({"element", "purpose"}),
    "surgeon": frozenset({"not-site"}),
    "element": frozenset({"trigger"}),
    "continuous": frozenset({"trigger"}),
}
"""Which kinds of mention a longer one of this kind hides: "no complications" negates nothing after it."""
_DECOYS = frozenset(kind for kind in _COVERS if kind.endswith("decoy"))
_PAST = "historical"
"""A trigger that no element hides: "relieved with facet injections" tells of a response, and that it is past."""
_BOX_BEFORE = re.compile(r"(?:[\[(]([ _x*✓]{0,3})[\])]|(?P<sign>[☐☑☒✓✔□■])) {0,2}\Z")
_BOX_AFTER = re.compile(r" {0,2}\[([ _x*✓]{0,3})\](?P<sign>)")
_EMPTY = frozenset("☐□")
_BOX_ENDS = frozenset("])☐☑☒✓✔□■")
_ANY_BOX = re.compile(r"[\[(☐☑☒✓✔□■](?:(?<=[^\[(])|[ _x*✓]{0,3}[\])])")
_UNRESOLVED = re.compile(r"\{[^{}\n]{0,120}:\d{1,9}\}|\{\*{3}[^{}\n]{0,120}\}|@[a-z]\w{0,30}@")
"""What a template leaves behind where nobody chose, "{consent:12345}" or "@LA@": it says nothing."""
_ONE_AT_A_PLACE = frozenset({"technique", "side", "anesthesia", "continuous", "muscle"})
_REACH = 120
"""Characters before a mention in which what hides it can start."""


@dataclass(frozen=True)
class Document:
    """A text, folded, laid out and scanned. `mentions` maps a sentence's index to what it mentions, in order."""

    text: str
    folded: str
    layout: Layout
    mentions: dict[int, list[Mention]]
    levels: dict[int, list[Levels]]
    kinds: dict[str, list[tuple[int, Mention]]] = field(default_factory=dict)
    """By kind, every mention with the index of its sentence, in order."""
    present: dict[int, set[str]] = field(default_factory=dict)
    """By the index of the sentence, the kinds of its mentions."""
    _said: dict[tuple[int, str], bool] = field(default_factory=dict, repr=False, compare=False)
    misspelled: dict[int, list[Mention]] = field(default_factory=dict)
    """By the index of the sentence, the drugs whose name has a slip in it."""

    @cached_property
    def treated_under_skin(self) -> bool:
        """Whether an infiltration under the skin is the procedure itself: its drug may stand anywhere in the note.

        It is the one technique named, and the value of the procedure's field, or told of a painful place.
        """
        named = self.kinds.get("technique", ())
        if {mention.concept.attributes.get("target") for _, mention in named} != {UNDER_SKIN}:
            return False
        if self.kinds.get("operated") or not self.kinds.get("drug"):
            return False
        return any(self._is_treatment(index, mention) for index, mention in named)

    @cached_property
    def operated(self) -> tuple[int | None, int | None]:
        """The sentences in which an operation is first begun and last ended; None where that is not told."""
        opened = [index for index, mention in self.all("stage") if mention.value == "opening"]
        closed = [index for index, mention in self.all("stage") if mention.value == "closing"]
        return min(opened, default=None), max(closed, default=None)

    def _is_treatment(self, index: int, mention: Mention) -> bool:
        start, end, section = self.sentence(index)
        if not self.has(index, "drug") and _OTHER_DOSE.search(self.folded, start, end):
            return False
        if section == "title" and not self.has(index, "operation"):
            return _AS_A_MEANS.search(self.folded, start, mention.start) is None
        if section in _BEFORE_TREATMENT:
            return False
        if self.has(index, "painful-place"):
            return True
        before = index > 0 and self.sentence(index - 1).section not in _BEFORE_TREATMENT
        return before and self.has(index - 1, "painful-place") and self.has(index, "drug")

    def says(self, index: int, pattern: str) -> bool:
        """Return whether a sentence has words of a pattern; looked for once, however many mentions ask."""
        known = self._said.get((index, pattern))
        if known is None:
            start, end, _ = self.sentence(index)
            known = re.search(pattern, self.folded[start:end]) is not None
            self._said[index, pattern] = known
        return known

    def sentence(self, index: int) -> Sentence:
        """Return the sentence with this index."""
        return self.layout.sentences[index]

    def of(self, index: int, *kinds: str) -> Iterator[Mention]:
        """Yield the mentions of these kinds in a sentence."""
        if not self.has(index, *kinds):
            return iter(())
        return (mention for mention in self.mentions[index] if mention.kind in kinds)

    def all(self, *kinds: str) -> Iterator[tuple[int, Mention]]:
        """Yield (sentence index, mention) of every mention of these kinds, kind by kind."""
        for kind in kinds:
            yield from self.kinds.get(kind, ())

    def has(self, index: int, *kinds: str) -> bool:
        """Return whether a sentence has a mention of one of these kinds."""
        present = self.present.get(index)
        return present is not None and not present.isdisjoint(kinds)


def prepare(text: str) -> Document:
    """Return the text as a document."""
    folded = fold(text)
    if "{" in folded or "@" in folded:
        folded = _UNRESOLVED.sub(lambda left: "*" * len(left[0]), folded)
    layout = lay_out(folded, text)
    if not layout.sentences:
        return Document(text, folded, layout, {}, {})
    mentions: dict[int, list[Mention]] = defaultdict(list)
    kinds: dict[str, list[tuple[int, Mention]]] = defaultdict(list)
    present: dict[int, set[str]] = defaultdict(set)
    index, following = 0, [*layout.starts[1:], len(folded)]
    for mention in _undisguised(text, folded, shipped().scan(folded)):
        while mention.start >= following[index]:
            index += 1
        mentions[index].append(mention)
        kinds[mention.kind].append((index, mention))
        present[index].add(mention.kind)
    document = Document(text, folded, layout, dict(mentions), {}, dict(kinds), dict(present))
    for drug in misspelled_drugs(folded):
        document.misspelled.setdefault(layout.index_at(drug.start), []).append(drug)
    for levels in _in_order(find_levels(folded), document.kinds.get("level", ())):
        document.levels.setdefault(layout.index_at(levels.start), []).append(levels)
    return document


def _in_order(numbered: list[Levels], named: Sequence[tuple[int, Mention]]) -> list[Levels]:
    """Return the levels with a number and those with a name ("third occipital nerve", "sacral ala") in order."""
    if not named:
        return numbered
    others = [Levels(Form.LEVEL, (mention.value,), mention.start, mention.end) for _, mention in named]
    return sorted(numbered + others, key=lambda levels: levels.start)


def _undisguised(text: str, folded: str, mentions: Sequence[Mention]) -> Iterator[Mention]:
    """Yield mentions that no decoy hides, that are in capitals where they must, one technique name at a place."""
    decoys: dict[str, list[Mention]] = {}
    for mention in mentions:
        for covered in _COVERS.get(mention.kind, ()):
            decoys.setdefault(covered, []).append(mention)
    ends = dict.fromkeys(_ONE_AT_A_PLACE, 0)
    boxes = _ANY_BOX.search(folded) is not None
    for mention in mentions:
        kind = mention.kind
        if kind in _DECOYS or _is_disguised(text, mention, decoys.get(kind)) or mention.start < ends.get(kind, 0):
            continue
        if boxes and kind != "trigger" and _is_unticked(folded, mention):
            continue
        if kind in ends:
            ends[kind] = mention.end
        yield mention


def _is_disguised(text: str, mention: Mention, decoys: list[Mention] | None) -> bool:
    """Return whether a mention is hidden by a decoy, or not in the capitals it needs."""
    if "upper" in mention.concept.attributes and not text[mention.start : mention.end].isupper():
        return True
    return decoys is not None and mention.value != _PAST and _hides(decoys, mention)


def _is_unticked(folded: str, mention: Mention) -> bool:
    """Return whether a mention is a choice with an empty box: "[x] right [ ] left", "right [x] left [ ]"."""
    if not (
        folded[max(mention.start - 3, 0) : mention.start].rstrip()[-1:] in _BOX_ENDS or _opens(folded, mention.end)
    ):
        return False
    before = _BOX_BEFORE.search(folded, max(mention.start - 6, 0), mention.start)
    box = before or _BOX_AFTER.match(folded, mention.end)
    if box is None:
        return False
    return box["sign"] in _EMPTY if box["sign"] else not (box[1] or "").strip(" _")


def _opens(folded: str, end: int) -> bool:
    return folded[end : end + 3].lstrip().startswith("[")


def _hides(decoys: list[Mention], mention: Mention) -> bool:
    """Return whether one of the decoys, in order of their start, overlaps the mention and is no shorter."""
    at = bisect_left(decoys, mention.start - _REACH, key=lambda decoy: decoy.start)
    while at < len(decoys) and decoys[at].start < mention.end:
        decoy = decoys[at]
        if mention.start < decoy.end and mention.end - mention.start <= decoy.end - decoy.start:
            return True
        at += 1
    return False


def span_of(mention: Mention | Levels) -> Span:
    """Return the span of a mention."""
    return Span(mention.start, mention.end)
