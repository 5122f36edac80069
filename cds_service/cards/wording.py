"""Every fixed text of the cards in one place: plain names, reasons in short, and neutral requests.

Nothing here leads a clinician to an answer: a request names what a complete note states, never what it should say.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from cds_service.chart.model import Block, Technique

DEFAULT_LABEL = "Nerve block coding and documentation"
"""Who is speaking, where the site gives no name of its own."""

TOPICS: Mapping[str, str] = {"claim": "Claim", "guideline": "Guideline"}
"""Card topics used, with the display of the HL7 code system."""

SEE_DETAIL = "see the detail"


class Reason(NamedTuple):
    """Why, in a few words, as the end of a sentence. `apart`: the code is part of something else reported."""

    text: str
    apart: bool = False


_REASONS: Mapping[str, Reason] = {
    "addon-without-primary": Reason("an add-on needs its primary code"),
    "addon-once-per-day": Reason("the add-on stands for all further sites"),
    "units-exceed-documentation": Reason("more units than sites documented"),
    "mue-exceeded": Reason("more units than the daily limit allows"),
    "bilateral-reporting": Reason("both sides are reported in another form"),
    "laterality-mismatch": Reason("the side differs from the record"),
    "catheter-code": Reason("injection and catheter have codes of their own"),
    "imaging-included": Reason("imaging is included in the block code", apart=True),
    "imaging-separate": Reason("imaging needs documented guidance and a stored image", apart=True),
    "ptp-conflict": Reason("the two codes are not paid side by side", apart=True),
    "distinct-service-modifier": Reason("beside anesthesia it needs a distinct-service modifier"),
    "surgical-anesthesia": Reason("the block was the surgical anesthetic", apart=True),
    "surgeon-own-block": Reason("a block by the surgeon is part of the operation", apart=True),
    "anesthesia-for-own-block": Reason("anesthesia for one's own block is part of the block", apart=True),
    "technique-mismatch": Reason("the record describes another technique"),
    "guidance-code": Reason("imaging decides between two codes"),
    "region-mismatch": Reason("the record describes another region"),
    "facet-imaging-required": Reason("the code is for other imaging than the record documents"),
    "facet-joint-count": Reason("joints are counted, not nerves"),
    "facet-third-level": Reason("a third level is not covered"),
    "diagnostic-kx": Reason("a diagnostic facet line carries KX"),
    "session-frequency": Reason("more sessions than the payer allows"),
    "charge-not-documented": Reason("the record does not show that the block was done"),
    "service-not-charged": Reason("the claim has no line for this block"),
    "code-not-valid-on-date": Reason("the code is not valid on the date of service"),
    "date-mismatch": Reason("the dates of claim and record differ"),
    "diagnosis-support": Reason("the diagnosis code cannot be reported as it is"),
    "unlisted-procedure": Reason("a listed code and the unlisted one are not interchangeable"),
    "continuous-follow-up": Reason("follow-up of a catheter is reported in another way", apart=True),
    "sympathetic-target": Reason("the record names another target beside the spine"),
}

NOT_DONE = Reason("the record says the block was not done")
"""Why, where the record has words for it and is not merely silent."""


def reason(rule: str) -> Reason | None:
    """Return why, in short, for a rule id; None for a rule this catalog does not know."""
    return _REASONS.get(rule)


class ElementWords(NamedTuple):
    """A documentation element in plain words, and what a complete note states about it."""

    name: str
    complete: str


_ELEMENTS: Mapping[str, ElementWords] = {
    "indication": ElementWords("indication", "why the block was done"),
    "diagnosis": ElementWords("diagnosis", "the diagnosis the block was done for"),
    "requesting-provider": ElementWords("requesting clinician", "who asked for the block"),
    "purpose": ElementWords(
        "purpose", "what the block was for, such as pain relief after surgery or surgical anesthesia"
    ),
    "performing-provider": ElementWords("performing clinician", "who performed the block"),
    "consent": ElementWords("consent", "whether and how consent was obtained"),
    "time-out": ElementWords("time-out", "whether a time-out was held"),
    "monitoring": ElementWords("monitoring", "how the patient was monitored"),
    "asepsis": ElementWords("asepsis", "the skin preparation and sterile technique"),
    "position": ElementWords("patient position", "how the patient was positioned"),
    "technique": ElementWords("technique", "which block was done and how the needle reached its target"),
    "laterality": ElementWords("side", "the side or sides of the block"),
    "levels": ElementWords("vertebral levels", "each level that was injected"),
    "site-count": ElementWords("number of injections", "how many separate injections were made on each side"),
    "guidance": ElementWords("guidance", "how the needle was guided, or that landmarks were used"),
    "image-record": ElementWords("stored image", "whether an image was stored, and where"),
    "needle": ElementWords("needle", "the needle used"),
    "needle-confirmation": ElementWords("needle position check", "how the position of the needle was confirmed"),
    "aspiration": ElementWords("aspiration", "the result of aspiration before injection"),
    "contrast": ElementWords("contrast", "whether contrast was given and how it spread, or why none was given"),
    "anesthetic-agent": ElementWords("anesthetic agent", "the agent injected, with its concentration"),
    "anesthetic-amount": ElementWords("anesthetic amount", "the amount injected at each site"),
    "catheter": ElementWords("catheter", "whether a catheter was placed, and its depth and fixation"),
    "pain-score-before": ElementWords("pain score before", "the pain score before the block"),
    "pain-score-after": ElementWords("pain score after", "the pain score after the block"),
    "response": ElementWords("response", "the effect of the block on the patient"),
    "complications": ElementWords("complications", "whether there were complications, and which"),
    "post-procedure-plan": ElementWords("plan afterwards", "the plan after the block"),
    "pain-history": ElementWords("pain history", "the course and the site of the pain"),
    "conservative-treatment": ElementWords(
        "conservative treatment", "what was tried before, for how long, with what result"
    ),
    "functional-scale": ElementWords("functional scale", "the score of a functional scale, with its name"),
    "prior-block-response": ElementWords("response to earlier blocks", "the result of earlier blocks, with dates"),
    "separate-from-anesthesia": ElementWords(
        "relation to anesthesia", "whether the anesthetic for the operation depended on the block"
    ),
}


def element_words(element: str) -> ElementWords:
    """Return the plain words for a documentation element; an unknown one is named by its id."""
    name = element.replace("-", " ")
    return _ELEMENTS.get(element) or ElementWords(name, f"the {name}")


def known_elements() -> frozenset[str]:
    """Return the ids of the elements that have plain words."""
    return frozenset(_ELEMENTS)


def known_rules() -> frozenset[str]:
    """Return the ids of the rules that have a reason in short."""
    return frozenset(_REASONS)


_TECHNIQUES: Mapping[Technique, str] = {
    Technique.PARAVERTEBRAL: "paravertebral block",
    Technique.FACET: "facet joint injection",
    Technique.SYMPATHETIC: "sympathetic block",
    Technique.INTERCOSTAL: "intercostal block",
    Technique.TRANSFORAMINAL: "transforaminal epidural injection",
    Technique.INTERLAMINAR: "interlaminar epidural injection",
    Technique.FASCIAL_PLANE: "fascial plane block",
    Technique.RADIOFREQUENCY: "radiofrequency treatment",
    Technique.TRIGGER_POINT: "trigger point injection",
}


def block_name(blocks: tuple[Block, ...]) -> str:
    """Return what to call the blocks: "paravertebral block", or "block" / "blocks" where techniques differ."""
    techniques = {block.technique for block in blocks}
    if len(techniques) == 1:
        return _TECHNIQUES.get(next(iter(techniques)), "block")
    return "blocks" if techniques else "block"


def on_day(day: date | None) -> str:
    """Return " on 2026-03-02", or "" where the day is not known."""
    return f" on {day.isoformat()}" if day else ""


ADDENDUM = (
    "Where one of these was done and observed, the author of the note can add it in a dated addendum. "
    "What was not done is not to be added."
)
"""How to complete a note without asking anyone to write what did not happen."""

DISAGREES = "the record says different things"
NOT_CHECKED = "Not checked"
"""Introduces what could not be judged, so that silence does not read as clean."""
