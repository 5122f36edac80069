"""Whole notes in many styles, and what must be read from them. Each note was written for this test."""

from dataclasses import dataclass, field

import pytest

from cds_service.chart.narrative.reader import read
from cds_service.chart.narrative.reading import BlockReading, Status


@dataclass(frozen=True)
class Note:
    """`blocks` maps "technique[/plane] status" to what is expected of that block; missing members are not checked."""

    text: str
    blocks: dict[str, dict[str, object]]
    documents: set[str] = field(default_factory=set)
    """Elements the note affirms."""
    denies: set[str] = field(default_factory=set)
    """Elements the note says are missing or not done."""
    silent: set[str] = field(default_factory=set)
    """Elements the note says nothing about."""


PVB = "paravertebral performed"

NOTES = {
    "prose with repeated injections": Note(
        "The patient was seen in the holding area before a right VATS scheduled for today. Written consent was signed. "
        "She sat on the edge of the bed with ASA monitors on. A time-out was held. The back was prepped with "
        "chlorhexidine. The skin was numbed with 3 mL of 1% lidocaine. With a linear probe an 18 "
        "gauge Tuohy needle was "
        "brought in plane into the right T4 paravertebral space. After negative aspiration 6 mL of 0.5% ropivacaine "
        "was injected and the pleura moved downward. The same was done at T6 and T8. There were no complications.",
        {PVB: {"levels": ["T4", "T6", "T8"], "side": "right", "count": (3, 3), "guidance": ["ultrasound"]}},
        {
            "consent",
            "time-out",
            "asepsis",
            "needle",
            "aspiration",
            "anesthetic-agent",
            "anesthetic-amount",
            "complications",
        },
        silent={"image-record", "response", "catheter", "contrast"},
    ),
    "terse line": Note(
        "R PVB T4, T5, T6. US. Ropi 0.5% 5 mL each level. Neg asp. No complic.",
        {PVB: {"levels": ["T4", "T5", "T6"], "side": "right", "count": (3, 3), "guidance": ["ultrasound"]}},
        {"aspiration", "anesthetic-agent", "anesthetic-amount"},
        silent={"consent", "response"},
    ),
    "key and value template": Note(
        "Block: Thoracic paravertebral\nLaterality: Left\nLevels: T3, T5\nNumber of injections: "
        "2\nGuidance: ultrasound\n"
        "Images: saved to PACS\nNeedle: 22G echogenic\nLocal anesthetic: bupivacaine 0.25% 20 "
        "mL\nAspiration: negative\n"
        "Consent: obtained\nTime out: 0815\nComplications: none\nResponse: decreased cold sensation T2-T6\n",
        {PVB: {"levels": ["T3", "T5"], "side": "left", "count": (2, 2), "guidance": ["ultrasound"], "image": True}},
        {
            "consent",
            "time-out",
            "needle",
            "anesthetic-agent",
            "anesthetic-amount",
            "aspiration",
            "complications",
            "response",
            "image-record",
        },
    ),
    "all capitals": Note(
        "PROCEDURE: LEFT T5 AND T7 PARAVERTEBRAL NERVE BLOCKS WITH ULTRASOUND GUIDANCE.\n"
        "INDICATION: POSTOPERATIVE PAIN AFTER LEFT MASTECTOMY.\nCONSENT OBTAINED. TIME OUT PERFORMED.\n"
        "ROPIVACAINE 0.5% 10 ML WAS INJECTED AT EACH LEVEL AFTER NEGATIVE ASPIRATION.\nNO IMMEDIATE COMPLICATIONS.",
        {
            PVB: {
                "levels": ["T5", "T7"],
                "side": "left",
                "count": (2, 2),
                "guidance": ["ultrasound"],
                "purpose": "postoperative-analgesia",
            }
        },
        {"indication", "consent", "time-out", "anesthetic-agent", "anesthetic-amount", "aspiration", "complications"},
    ),
    "one interspace or two levels": Note(
        "Procedure: Right thoracic paravertebral block at T4-5.\nRopivacaine 0.5%, 20 mL injected under ultrasound.",
        {PVB: {"levels": ["T4-T5"], "side": "right", "count": (1, 2)}},
    ),
    "interspace said": Note(
        "Left PVB performed at the T4-T5 interspace, 20 mL ropivacaine 0.5% injected.",
        {PVB: {"levels": ["T4-T5"], "side": "left", "count": (1, 1)}},
    ),
    "between two levels": Note(
        "Left paravertebral block. The needle was advanced between T4 and T5 and 20 mL bupivacaine 0.25% was injected.",
        {PVB: {"levels": ["T4-T5"], "count": (1, 1)}},
    ),
    "range left open": Note(
        "Right PVB T4-T6 done with 20 mL ropivacaine 0.5%.",
        {PVB: {"levels": ["T4", "T5", "T6"], "count": (1, 3)}},
    ),
    "range with each level": Note(
        "Right PVB from T3 through T6, 5 mL of ropivacaine 0.5% injected at each level.",
        {PVB: {"levels": ["T3", "T4", "T5", "T6"], "count": (4, 4)}},
    ),
    "range with one injection": Note(
        "Right PVB covering T4-T6 by a single injection of 20 mL ropivacaine.",
        {PVB: {"side": "right", "count": (1, 1), "continuous": False}},
    ),
    "range with stated number": Note(
        "Left thoracic paravertebral block T4-T6, three separate injections, bupivacaine 0.5% 15 mL.",
        {PVB: {"levels": ["T4", "T5", "T6"], "count": (3, 3), "side": "left"}},
    ),
    "number without levels": Note(
        "Paravertebral block, right side, two levels injected with ropivacaine 0.2%, 10 mL per level.",
        {PVB: {"levels": [], "count": (2, 2), "side": "right"}},
        silent={"levels"},
    ),
    "list against number": Note(
        "Left PVB at T4, T5 and T6. Two injections were made, 10 mL ropivacaine each.",
        {PVB: {"levels": ["T4", "T5", "T6"], "count": (2, 3)}},
    ),
    "both sides": Note(
        "Bilateral paravertebral blocks at T5 under ultrasound, 15 mL ropivacaine 0.375% per side.",
        {PVB: {"sites": [("T5", "right"), ("T5", "left")], "side": "bilateral", "count": (1, 1)}},
    ),
    "levels by side": Note(
        "Paravertebral blocks performed: right T4 and T6, left T5. 5 mL bupivacaine 0.5% injected at each.",
        {PVB: {"sites": [("T4", "right"), ("T5", "left"), ("T6", "right")], "side": "bilateral", "count": (2, 2)}},
    ),
    "second side as a repetition": Note(
        "Right T5 paravertebral block was performed with 15 mL ropivacaine 0.5%. The same "
        "procedure was repeated on the "
        "left at T5.",
        {PVB: {"sites": [("T5", "right"), ("T5", "left")], "side": "bilateral", "count": (1, 1)}},
    ),
    "contradicting sides": Note(
        "PROCEDURE: Right paravertebral block, T5.\nDESCRIPTION: The patient was sitting. The left "
        "T5 paravertebral space "
        "was entered and 20 mL of ropivacaine 0.5% was injected.",
        {PVB: {"side": "right", "levels": ["T5"]}},
        {"laterality"},
    ),
    "position is not the side": Note(
        "Paravertebral block at T6. Patient in left lateral decubitus. Ultrasound guided, 20 mL ropivacaine injected.",
        {PVB: {"side": None, "levels": ["T6"]}},
        {"position"},
        silent={"laterality"},
    ),
    "operation's side is not the block's": Note(
        "PVB at T5 placed for analgesia after right thoracotomy. Ropivacaine 0.5% 20 mL.",
        {PVB: {"side": None}},
        silent={"laterality"},
    ),
    "catheter": Note(
        "PROCEDURE: Continuous left thoracic paravertebral block with catheter, T6.\nLoss of resistance technique; "
        "anatomic landmarks only. A 20G catheter was threaded 4 cm past the needle tip and secured at 9 cm. Bolus of "
        "15 mL ropivacaine 0.2%, then an infusion was started at 8 mL/hr.",
        {PVB: {"continuous": True, "guidance": ["landmark"], "levels": ["T6"], "side": "left", "count": (1, 1)}},
        {"catheter", "anesthetic-amount", "needle-confirmation"},
    ),
    "no catheter": Note(
        "Single-shot right T4 PVB, 20 mL 0.5% ropivacaine. No catheter was placed. Chest tube catheter site clean.",
        {PVB: {"continuous": False, "levels": ["T4"], "count": (1, 1)}},
        denies={"catheter"},
    ),
    "other people's catheters": Note(
        "Right PVB at T5 with 20 mL ropivacaine. Foley catheter in place. Central venous catheter "
        "placed with ultrasound.",
        {PVB: {"continuous": None, "guidance": []}},
        silent={"catheter", "guidance"},
    ),
    "without imaging": Note(
        "Left PVB T4 by landmark technique without ultrasound: walked off the transverse process 1 cm, 10 cc Marcaine "
        "0.5% injected.",
        {PVB: {"guidance": ["landmark"], "levels": ["T4"]}},
    ),
    "images not saved": Note(
        "Ultrasound guided right T4 PVB. Images were not saved. 20 mL ropivacaine injected.",
        {PVB: {"image": False, "guidance": ["ultrasound"]}},
        denies={"image-record"},
    ),
    "planned only": Note(
        "Assessment: rib fractures on the right.\nPlan: will place right paravertebral block T5 "
        "tomorrow if pain persists.",
        {"paravertebral planned": {}},
    ),
    "offered": Note(
        "Pain service consult. A paravertebral catheter was offered and discussed; patient wishes to think about it.",
        {"paravertebral planned": {}},
    ),
    "declined": Note(
        "Left paravertebral block was offered for rib fractures but the patient declined the block.",
        {"paravertebral not-done": {}},
    ),
    "aborted": Note(
        "PROCEDURE: Right paravertebral block T5\nThe space could not be seen. The procedure was "
        "aborted before injection.",
        {"paravertebral not-done": {}},
    ),
    "another instead": Note(
        "Because of anticoagulation, instead of PVB an erector spinae plane block was performed on the left at T5 with "
        "20 mL ropivacaine 0.5%.",
        {
            "paravertebral not-done": {},
            "fascial-plane/erector-spinae performed": {"side": "left", "levels": ["T5"]},
        },
    ),
    "done earlier": Note(
        "History: had a left PVB at T4 in 2019 with good relief.\nToday right PVB at T6 performed "
        "with 20 mL bupivacaine "
        "0.25%.",
        {
            "paravertebral historical": {"levels": ["T4"], "side": "left"},
            PVB: {"levels": ["T6"], "side": "right", "count": (1, 1)},
        },
    ),
    "two techniques": Note(
        "PROCEDURES: Right T4 paravertebral block and right serratus anterior plane block.\n"
        "PVB: needle in the T4 paravertebral space, 15 mL ropivacaine 0.5%.\nSerratus plane block at rib 5, 20 mL "
        "ropivacaine 0.25%.",
        {
            PVB: {"levels": ["T4"], "side": "right"},
            "fascial-plane/serratus-anterior performed": {"side": "right", "levels": ["rib 5"]},
        },
    ),
    "erector spinae": Note(
        "Left ESP block at T5 for rib fractures 4-7. Ultrasound guided. 30 mL 0.25% bupivacaine deep to the erector "
        "spinae muscle.",
        {"fascial-plane/erector-spinae performed": {"side": "left", "levels": ["T5"], "purpose": "trauma-analgesia"}},
    ),
    "through the muscle": Note(
        "Right PVB: the needle passed through the erector spinae muscle to the T7 paravertebral "
        "space; 20 mL ropivacaine.",
        {PVB: {"levels": ["T7"]}},
    ),
    "intercostal": Note(
        "Intercostal nerve blocks, left, ribs 5-8, 4 mL bupivacaine 0.5% each after negative aspiration.",
        {"intercostal performed": {"levels": ["rib 5", "rib 6", "rib 7", "rib 8"], "side": "left", "count": (4, 4)}},
    ),
    "intercostal in words": Note(
        "The 4th, 5th and 6th intercostal nerves on the right were blocked with 3 cc of 0.5 % Marcaine each.",
        {"intercostal performed": {"levels": ["rib 4", "rib 5", "rib 6"], "side": "right", "count": (3, 3)}},
    ),
    "sympathetic": Note(
        "Right L2 lumbar paravertebral sympathetic block under fluoroscopy, 10 mL bupivacaine 0.25%.",
        {"sympathetic performed": {"levels": ["L2"], "side": "right", "guidance": ["fluoroscopy"]}},
    ),
    "facet": Note(
        "Bilateral L4-5 facet joint injections under fluoroscopy with 1 mL bupivacaine each.",
        {"facet performed": {"sites": [("L4-L5", "right"), ("L4-L5", "left")], "count": None}},
    ),
    "paravertebral facet": Note(
        "Left T9 paravertebral facet joint nerve block performed, 0.5 mL lidocaine 2%.",
        {"facet performed": {"side": "left"}},
    ),
    "spread and coverage are not sites": Note(
        "Right PVB at T5, 20 mL ropivacaine 0.5%. Spread seen from T3 to T7. Sensory loss T2-T8. "
        "Fractures of ribs 4-7.",
        {PVB: {"levels": ["T5"], "count": (1, 1)}},
        {"response"},
    ),
    "counting is not a site": Note(
        "Left PVB. Counting down from C7 the T4 level was found. T7 identified by the scapular "
        "tip. Needle inserted at T4 "
        "and 15 mL ropivacaine injected.",
        {PVB: {"levels": ["T4"], "count": (1, 1)}},
    ),
    "landmark beside the site": Note(
        "Right PVB T4. Needle contacted the T5 transverse process and was walked off. 10 mL ropivacaine injected.",
        {PVB: {"levels": ["T4"], "count": (1, 1)}},
    ),
    "decimal comma and cc": Note(
        "PVB Th5 links? Nein: left. Ropivacaine 0,5 % 20 cc injected at Th5.",
        {PVB: {"levels": ["T5"], "side": "left"}},
        {"anesthetic-amount"},
    ),
    "blanks document nothing": Note(
        "Procedure: Right T4 paravertebral block\nConsent: ***\nTime out: [ ]\nComplications: \nResponse: ____\n"
        "Position: N/A\nLocal anesthetic: ropivacaine 0.5% *** mL",
        {PVB: {"levels": ["T4"]}},
        {"anesthetic-agent"},
        silent={"consent", "time-out", "complications", "response", "position", "anesthetic-amount"},
    ),
    "consent refused": Note(
        "Right T5 PVB done, 20 mL ropivacaine. Consent could not be obtained as the patient was intubated.",
        {PVB: {}},
        denies={"consent"},
    ),
    "skin drug is not the block's": Note(
        "Right T5 PVB performed. Skin wheal with 2 mL lidocaine 1%. Patient tolerated the procedure well.",
        {PVB: {}},
        silent={"anesthetic-agent", "anesthetic-amount", "response"},
    ),
    "surgeon's block": Note(
        "At the end of the VATS the right paravertebral block was placed by the surgeon under direct vision at T4-T8, "
        "20 mL liposomal bupivacaine.",
        {PVB: {"surgeon": True, "side": "right"}},
    ),
    "sole anesthetic": Note(
        "Lumpectomy today. Left T2-T5 paravertebral blocks, 5 mL ropivacaine 0.5% per level, as "
        "the sole anesthetic for "
        "surgery, with IV sedation.",
        {PVB: {"purpose": "surgical-anesthesia", "count": (4, 4), "side": "left"}},
    ),
    "bullets": Note(
        "Regional note\n- Technique: PVB, US-guided\n- Side/level: right T3, T4, T5\n- Drug: "
        "ropivacaine 0.5% 15 mL total\n"
        "- Complications: none\n- At the request of Dr. Hill for postop pain control\n",
        {
            PVB: {
                "levels": ["T3", "T4", "T5"],
                "side": "right",
                "count": (3, 3),
                "requested": True,
                "purpose": "postoperative-analgesia",
            }
        },
        {"requesting-provider", "complications"},
    ),
    "pain scores": Note(
        "Left T6 PVB for rib fractures, 20 mL bupivacaine 0.25%. Pain decreased from 8/10 to 2/10.",
        {PVB: {"purpose": "trauma-analgesia"}},
        {"pain-score-before", "pain-score-after", "response", "indication"},
    ),
    "anatomy is no technique": Note(
        "Tenderness over the paravertebral muscles. No paravertebral mass. Chest tube through the "
        "fifth intercostal space. "
        "Erector spinae muscle spasm. Right bundle branch block.",
        {},
    ),
    "a catheter's later day": Note(
        "POD 2. Paravertebral catheter in place, site clean. Continue ropivacaine infusion at 8 mL/hr.",
        {"paravertebral historical": {}},
    ),
    "anatomy in a description": Note(
        "Description:\nA healed scar lies at the left paravertebral back. Complete heart block. Lidocaine on the skin.",
        {},
        silent={"technique", "laterality"},
    ),
    "before waking up": Note(
        "Left VATS wedge under GETA. Prior to emergence, left PVB at T5, T6 and T7 under US, 7 mL each of 0.5% ropi.",
        {PVB: {"levels": ["T5", "T6", "T7"], "side": "left", "count": (3, 3), "guidance": ["ultrasound"]}},
    ),
    "what was not done": Note(
        "Left PVB at T4 performed. Ultrasound not used. Time-out not performed. Images not archived. Aspiration not "
        "documented.",
        {PVB: {"levels": ["T4"], "guidance": [], "image": False}},
        denies={"guidance", "time-out", "image-record", "aspiration"},
    ),
    "neighboring joints": Note(
        "Right T9-10, T10-11 and T11-12 facet joint injections under fluoroscopy, starting at the T11-12 facet joint.",
        {"facet performed": {"levels": ["T9-T10", "T10-T11", "T11-T12"], "count": None, "side": "right"}},
    ),
    "refused before it began": Note("Right PVB planned; pt refused; GA only.", {"paravertebral not-done": {}}),
    "deferred": Note("Right paravertebral block deferred due to INR 2.1.", {"paravertebral not-done": {}}),
    "never possible": Note("Unable to perform PVB due to body habitus.", {"paravertebral not-done": {}}),
    "considered": Note(
        "Paravertebral block considered but given coagulopathy ESP catheter placed instead at right T5.",
        {
            "paravertebral planned": {},
            "fascial-plane/erector-spinae performed": {"continuous": True, "levels": ["T5"], "side": "right"},
        },
    ),
    "attempted, then another": Note(
        "PVB was attempted at T5 but was unsuccessful and abandoned. A right serratus anterior plane block was then "
        "performed with 30 mL 0.25% bupivacaine.",
        {"paravertebral not-done": {}, "fascial-plane/serratus-anterior performed": {"side": "right"}},
    ),
    "done at the second attempt": Note(
        "PVB unsuccessful at T4; repeated at T5 successfully with 20 mL ropivacaine 0.5%, right side.",
        {PVB: {"side": "right", "levels": ["T5"]}},
    ),
    "options discussed": Note(
        "Discussed options: epidural vs paravertebral block vs ESP. Patient elects PVB. "
        "Left T6 PVB performed in preop, "
        "20 mL ropi 0.5%.",
        {
            PVB: {"levels": ["T6"], "side": "left"},
            "fascial-plane/erector-spinae planned": {},
        },
    ),
    "ticked boxes": Note(
        "Block: TPVB\nSide: [x] Right [ ] Left\nLevel: T4\nCatheter: no\nGuidance: [x] ultrasound [ ] fluoroscopy\n"
        "LA: bupivacaine 0.25% 20 mL",
        {PVB: {"side": "right", "levels": ["T4"], "continuous": False, "guidance": ["ultrasound"]}},
        {"anesthetic-agent", "anesthetic-amount"},
        {"catheter"},
    ),
    "each side in its own sentence": Note(
        "Rt PVB @ T5. Lt PVB @ T5. 15cc 0.5% ropi ea side.",
        {PVB: {"sites": [("T5", "right"), ("T5", "left")], "side": "bilateral", "count": (1, 1)}},
    ),
    "two levels as a pair": Note(
        "Two-level left PVB T4-T5, 10 mL each", {PVB: {"levels": ["T4", "T5"], "count": (2, 2), "side": "left"}}
    ),
    "lower case without stops": Note(
        "rt pvb t4 t5 t6 us 0.5% ropi 15ml total no comp",
        {PVB: {"levels": ["T4", "T5", "T6"], "side": "right", "count": (3, 3)}},
    ),
    "catheter taken out again": Note(
        "PVB right T5 under US; catheter was placed but then removed due to leak.", {PVB: {"continuous": None}}
    ),
    "surgeon operates, another blocks": Note(
        "The surgeon performed right VATS. I performed right T5 PVB at the surgeon's request with 20 mL ropi.",
        {PVB: {"surgeon": None, "requested": True, "side": "right"}},
        {"requesting-provider", "performing-provider"},
    ),
    "wrapped lines": Note(
        "Under sterile conditions and with continuous ultrasound guidance the left\nparavertebral "
        "space was entered at the "
        "levels of T2, 4\nand 6, and 5 mL of ropivacaine 0.5% was deposited at each\nof these "
        "levels without difficulty.",
        {PVB: {"levels": ["T2", "T4", "T6"], "side": "left", "count": (3, 3), "guidance": ["ultrasound"]}},
    ),
}


def _named(block: BlockReading) -> str:
    plane = f"/{block.plane.value}" if block.plane else ""
    return f"{block.technique}{plane} {block.status}"


def _facts(block: BlockReading) -> dict[str, object]:
    def value(said: object) -> object:
        return getattr(said, "value", None)

    return {
        "levels": sorted({site.level for site in block.sites}, key=lambda level: (len(level or ""), level)),
        "sites": sorted(((site.level, str(site.side)) for site in block.sites), key=str),
        "count": (block.site_count.low, block.site_count.high) if block.site_count else None,
        "side": value(block.side),
        "continuous": value(block.continuous),
        "guidance": sorted(str(said.value) for said in block.guidance),
        "image": value(block.image_saved),
        "purpose": value(block.purpose),
        "requested": value(block.requested),
        "surgeon": value(block.performed_by_surgeon),
    }


@pytest.mark.parametrize("name", NOTES)
def test_note(name: str) -> None:
    note = NOTES[name]
    reading = read(note.text)
    blocks = {_named(block): _facts(block) for block in reading.blocks}
    assert set(blocks) == set(note.blocks)
    for block, expected in note.blocks.items():
        wanted = {key: sorted(value, key=str) if key == "sites" else value for key, value in expected.items()}
        assert {key: blocks[block][key] for key in wanted} == wanted
    affirmed = {said.element for said in reading.statements if said.affirmed}
    denied = {said.element for said in reading.statements if not said.affirmed}
    assert note.documents <= affirmed
    assert note.denies <= denied
    assert not note.silent & (affirmed | denied)


def test_contradicting_sides_are_both_stated() -> None:
    said = read(NOTES["contradicting sides"].text).statements
    assert [s.value for s in said if s.element == "laterality"] == ["right", "left"]


def test_statuses_cover_the_type() -> None:
    told = {status for note in NOTES.values() for name in note.blocks for status in Status if name.endswith(status)}
    assert told == set(Status)
