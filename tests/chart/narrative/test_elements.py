"""Notes in many voices and which documentation elements each holds: the data stands in `elements/*.toml`."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from cds_service.chart.narrative.reader import read

FOLDER = Path(__file__).parent / "elements"
SETS = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.toml"))}
NOTES = [
    pytest.param({"asked": group.get("asked"), **note}, id=f"{name}: {note['name']}")
    for name, group in SETS.items()
    for note in group["note"]
]
"""A set that names what is `asked` is compared on those elements only."""

OF_THE_BLOCK = {"technique", "laterality", "levels", "site-count", "guidance", "catheter", "diagnosis"}
"""Read with the block itself and tested there; a diagnosis is hardly ever absent from a note."""


@pytest.mark.parametrize("note", NOTES)
def test_what_a_note_documents(note: dict[str, Any]) -> None:
    documented = set(note["documented"].split())
    either = set(note.get("either", "").split())
    affirmed = {said.element for said in read(note["text"]).statements if said.affirmed}
    asked = set(note["asked"].split()) if note["asked"] else (affirmed | documented) - OF_THE_BLOCK
    assert (affirmed - either) & asked == (documented - either) & asked


@pytest.mark.parametrize("note", [note for note in NOTES if {"denied", "values", "first"} & note.values[0].keys()])
def test_what_a_note_denies_and_which_values_it_gives(note: dict[str, Any]) -> None:
    """`first`: the note calls the block the first, which is no result of an earlier one and yet worth knowing."""
    said = read(note["text"]).statements
    assert {s.element for s in said if not s.affirmed} >= set(note.get("denied", "").split())
    assert {f"{s.element}={s.value}" for s in said if s.affirmed} >= set(note.get("values", ()))
    firsts = [s for s in said if (s.element, s.affirmed, s.value) == ("prior-block-response", False, "first block")]
    assert bool(firsts) is note.get("first", bool(firsts))


@pytest.mark.parametrize("note", NOTES)
def test_every_statement_quotes_the_note(note: dict[str, Any]) -> None:
    text = note["text"]
    for said in read(text).statements:
        assert text[said.span.start : said.span.end].strip(), said


BLOCK = "Right T5 paravertebral block, ropivacaine 0.5%. "


@pytest.mark.parametrize(
    ("line", "element", "documented"),
    [
        ("Consent for mastectomy was signed.", "consent", False),
        ("Surgical consent verified.", "consent", False),
        ("Consent for mastectomy and nerve block was signed.", "consent", True),
        ("Consent signed before the mastectomy.", "consent", True),
        ("Pt consented.", "consent", True),
        ("Consent for operation and block on file.", "consent", True),
        ("Emergency, implied consent.", "consent", True),
        ("Consent pending.", "consent", False),
        ("Consent: will be obtained by the surgeon", "consent", False),
        ("Consent (Y/N): N", "consent", False),
        ("The lobectomy ended without complications.", "complications", False),
        ("No immediate comps.", "complications", True),
        ("No comps.", "complications", True),
        ("Uneventful.", "complications", True),
        ("Complications: ***", "complications", False),
        ("Complications: {none:12}", "complications", False),
        ("Pain 3/10 after 30 minutes.", "response", True),
        ("Pain 8/10 after thoracotomy.", "pain-score-after", False),
        ("NRS from eight to three.", "pain-score-after", True),
        ("Aldrete 9/10.", "pain-score-before", False),
        ("Aldrete 9/10.", "pain-score-after", False),
        ("Sensory level not assessed.", "response", False),
        ("Dermatomal loss to ice T3-T7.", "response", True),
        ("Comfortable, deep breathing easier.", "response", True),
        ("3 mL at each rib (15 mL total).", "anesthetic-amount", True),
        ("Bupi 0.25% w/ epi, 3 mL at each rib.", "anesthetic-amount", True),
        ("Volume (mL): 30", "anesthetic-amount", True),
        ("Volume (mL): ___", "anesthetic-amount", False),
        ("Surgeon infiltrated the wound with 20 mL bupivacaine.", "anesthetic-amount", False),
        ("Dr. Amato asked us to place it.", "requesting-provider", True),
        ("Cardiology requested an echocardiogram.", "requesting-provider", False),
        ("The patient requested sedation.", "requesting-provider", False),
        ("The patient tolerated the procedure well.", "complications", False),
        ("The patient tolerated the procedure well.", "response", False),
        ("Tolerated well without incident.", "complications", True),
        ("Tolerated well, no issues.", "complications", True),
        ("No vascular puncture, paresthesia or pain on injection.", "complications", True),
        ("No signs of LAST or pneumothorax.", "complications", True),
        ("The artery was punctured and pressure was held.", "complications", True),
        ("Risks include pneumothorax and bleeding.", "complications", False),
        ("No complications from last admission.", "complications", False),
        ("Nothing of note.", "complications", True),
        ("We expect no complications.", "complications", False),
        ("There were no complications of the surgery.", "complications", False),
        ("No bleeding disorder.", "complications", False),
        ("Will check sensory level in PACU.", "response", False),
        ("Goal: comfortable with deep breathing.", "response", False),
        ("We expect good analgesia.", "response", False),
        ("Block was performed to provide good analgesia.", "response", False),
        ("Response: see PACU record", "response", False),
        ("No pain on injection.", "response", False),
        ("Patient sat up for the block.", "response", False),
        ("Takes no pain meds.", "response", False),
        ("Pain 7/10 last week.", "response", False),
        ("No analgesia needed in recovery.", "response", True),
        ("Cold absent T2-T6.", "response", True),
        ("Denies pain in recovery.", "response", True),
        ("Block failed, pain unchanged.", "response", True),
        ("VAS pre 7, post 1.", "response", True),
        ("Incentive spirometry up, IS now 1500.", "response", True),
        ("Opioid requirement fell by half.", "response", True),
        ("Ropi 0.5% 15/15.", "anesthetic-amount", True),
        ("20 of half percent ropi.", "anesthetic-amount", True),
        ("Bupivacaine 0.25% 30.", "anesthetic-amount", True),
        ("Ropivacaine 0.2%, 0.5 mL/kg.", "anesthetic-amount", True),
        ("Bupivacaine, maximum 2.5 mg/kg.", "anesthetic-amount", False),
        ("Ropivacaine 0.5%.", "anesthetic-amount", False),
        ("Vol: 20", "anesthetic-amount", True),
        ("Total 20 mL.", "anesthetic-amount", True),
        ("10/10 mL.", "anesthetic-amount", True),
        ("5 mL/level.", "anesthetic-amount", True),
        ("EBL 5 mL.", "anesthetic-amount", False),
        ("Flushed with 10 mL saline.", "anesthetic-amount", False),
        ("Vol:", "anesthetic-amount", False),
        ("Risks, benefits and alternatives were discussed.", "consent", False),
        ("Pt is agreeable.", "consent", True),
        ("Two-physician consent.", "consent", True),
        ("Per trauma team.", "requesting-provider", True),
        ("Thank you for referring this patient.", "requesting-provider", True),
        ("For pain control following reconstruction.", "purpose", True),
        ("For pain control following reconstruction.", "indication", True),
        ("History of post operative discomfort.", "purpose", False),
        ("Image intensifier used.", "guidance", True),
        ("She was getting relief as she dressed.", "response", True),
        ("Watched for numbness about the lips, with questions on peri-oral numbness.", "response", False),
        ("Injected in the standing position.", "position", True),
        ("Standing makes it worse.", "position", False),
        ("Needle pulled back a little.", "aspiration", False),
        ("Aspiration was not performed.", "aspiration", False),
        ("No contrast was given.", "contrast", False),
        ("No contrast was given because of hives.", "contrast", True),
        ("ODI 40.", "functional-scale", True),
        ("ODI: ***", "functional-scale", False),
        ("Rate your pain from 0 to 10 every hour.", "pain-score-after", False),
        ("80% relief with omeprazole.", "response", False),
        ("A prior block gave 80% relief.", "prior-block-response", True),
        ("A prior block gave 80% relief.", "response", False),
        ("If the first block gives 80% relief a second follows.", "prior-block-response", False),
        ("CT-guided biopsy last month.", "guidance", False),
    ],
)
def test_what_a_line_adds_to_a_block(line: str, element: str, documented: bool) -> None:
    affirmed = {said.element for said in read(f"{BLOCK}\n{line}\n").statements if said.affirmed}
    assert (element in affirmed) is documented


@pytest.mark.parametrize(
    ("drug", "value"),
    [
        ("rupivacaine", "ropivacaine"),
        ("ropvacaine", "ropivacaine"),
        ("bupvacaine", "bupivacaine"),
        ("lidocane", "lidocaine"),
        ("marciane", "bupivacaine"),
        ("sensocaine", "bupivacaine"),
        ("procaine", None),
        ("cocaine", None),
    ],
)
def test_a_long_name_is_read_one_slip_away(drug: str, value: str | None) -> None:
    said = read(f"Right T5 paravertebral block, 20 mL 0.5% {drug}.").statements
    assert [s.value for s in said if s.element == "anesthetic-agent"] == ([value] if value else [])
