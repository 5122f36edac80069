"""What holds of every text: exact words, no exceptions, the same answer twice."""

from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.chart.model import AnesthesiaType
from cds_service.chart.narrative.folding import LIMIT, fold
from cds_service.chart.narrative.lexicon import Lexicon, first_keys, shipped_tables
from cds_service.chart.narrative.reader import mentions_block, read
from cds_service.chart.narrative.reading import NoteReading, Span, Status

WORDS = [
    "right",
    "left",
    "bilateral",
    "PVB",
    "paravertebral",
    "block",
    "T4",
    "T5-6",
    "T4-T8",
    ",",
    ".",
    ";",
    ":",
    "-",
    "/",
    "(",
    ")",
    "\n",
    "\n\n",
    "and",
    "no",
    "not",
    "without",
    "was",
    "placed",
    "aborted",
    "ropivacaine",
    "0.5%",
    "20",
    "mL",
    "cc",
    "catheter",
    "Plan:",
    "History:",
    "Consent:",
    "***",
    "ESP",
    "ribs",
    "5-8",
    "spaces",
    "four",
    "to",
    "eight",
    "repeated",
    "at",
    "each",
    "level",
    "x3",
    "two",
    "injections",
    "ultrasound",
    "İ",
    "ß",
    "–",
    "\xa0",
    "pain",
    "8/10",
    "to",
    "2/10",
    "03/02/2026",
    "mastectomy",
    "today",
    "general",
    "anesthesia",
    "L34",
    "(R)",
    "R",
    "L",
]


def spans(reading: NoteReading) -> Iterator[Span]:
    for block in reading.blocks:
        yield block.span
        yield from (site.span for site in block.sites)
        yield from (said.span for said in block.guidance)
        singles = (
            block.plane, block.site_count, block.side, block.continuous, block.image_saved, block.purpose,
            block.performed_by_surgeon, block.requested,
        )  # fmt: skip
        yield from (said.span for said in singles if said is not None)
    yield from (said.span for said in reading.statements)
    yield from (said.span for said in reading.anesthesia)
    yield from (said.span for said in (reading.operation, reading.service_date) if said is not None)


def check(text: str) -> None:
    reading = read(text)
    assert read(text) == reading
    for span in spans(reading):
        assert 0 <= span.start < span.end <= len(text)
        assert text[span.start : span.end].strip()
    if reading.operation is not None:
        assert reading.operation.value == text[reading.operation.span.start : reading.operation.span.end]
    if any(True for _ in reading.blocks):
        assert mentions_block(text)


@given(st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read(text: str) -> None:
    check(text)


@given(st.lists(st.sampled_from(WORDS), max_size=60))
@settings(max_examples=250, deadline=None)
def test_any_salad_of_the_right_words_is_read(words: list[str]) -> None:
    check(" ".join(words))


@given(st.text(max_size=200))
def test_folding_keeps_every_offset(text: str) -> None:
    assert len(fold(text)) == len(text)


@pytest.mark.parametrize(
    "piece",
    [
        *("a", " ", "\n", ":", "T4, ", "T4-", "right PVB ", "block ", "no ", "PVB was aborted ", "left lateral "),
        *("1111111", "a:", "*** ", "ropivacaine 20 mL ", "ribs 5, ", "catheter a b c ", "four to ", "pain 8 to "),
        *("\u0130", "x3 ", "(", "on date of "),
    ],
)
def test_a_megabyte_of_anything_is_read(piece: str) -> None:
    text = (piece * (1_000_000 // len(piece)))[:1_000_000]
    assert all(span.end <= LIMIT for span in spans(read(text)))


@pytest.mark.parametrize("text", ["", " ", "\n\n", "***", "T4", "PVB"])
def test_next_to_nothing_is_no_performed_block(text: str) -> None:
    assert read(text).blocks == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Right PVB at T4", True),
        ("EPIDURAL", True),
        ("intercostal nerves", True),
        ("Hypertension, on lisinopril.", False),
        ("", False),
    ],
)
def test_the_quick_look(text: str, expected: bool) -> None:
    assert mentions_block(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Date of procedure: 03/02/2026", date(2026, 3, 2)),
        ("DOS 2026-03-02", date(2026, 3, 2)),
        ("Date of service: 2 March 2026", date(2026, 3, 2)),
        ("Date: March 2, 2026", date(2026, 3, 2)),
        ("Date of birth: 03/02/1966", None),
        ("Date of procedure: 13/32/2026", None),
        ("Date of procedure: ***", None),
    ],
)
def test_the_day(text: str, expected: date | None) -> None:
    said = read(text).service_date
    assert (said.value if said else None) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ANESTHESIA: General", [AnesthesiaType.GENERAL]),
        ("Right PVB placed before induction of general anesthesia.", [AnesthesiaType.GENERAL]),
        ("GETA for VATS, left PVB T5.", [AnesthesiaType.GENERAL]),
        ("Anesthesia: MAC", [AnesthesiaType.SEDATION]),
        ("PVB done. Midazolam 2 mg IV for anxiolysis during the block.", []),
        ("Anesthesia: none", []),
        ("PVB T3-T5 as the sole anesthetic for mastectomy", [AnesthesiaType.BLOCK_ONLY]),
        ("No general anesthesia was given.", []),
    ],
)
def test_the_anesthesia_of_the_operation(text: str, expected: list[AnesthesiaType]) -> None:
    assert [said.value for said in read(text).anesthesia] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Left PVB before induction. Patient scheduled for left mastectomy today.", "left mastectomy"),
        ("OPERATION: Right VATS lobectomy\nRight PVB at T5.", "Right VATS lobectomy"),
        ("POD 2 after right thoracotomy. Right PVB at T5 placed.", None),
        ("History of mastectomy. Right PVB at T5.", None),
    ],
)
def test_the_operation_of_the_day(text: str, expected: str | None) -> None:
    said = read(text).operation
    assert (said.value if said else None) == expected


def test_every_shipped_phrase_is_well_formed() -> None:
    tables = shipped_tables()
    assert len(tables) > 80
    Lexicon(tables)


@pytest.mark.parametrize("phrase", ["(a )?block", "((a|b) c) d", "*", "t*"])
def test_a_phrase_must_begin_with_a_word(phrase: str) -> None:
    with pytest.raises(ValueError, match="word"):
        list(first_keys(phrase))


@pytest.mark.parametrize(
    "text",
    [
        "Right PVB not carried out, INR 2.1.",
        "Because of the INR we refrained from the paravertebral block.",
        "Paravertebral block: not done.",
        "Paravertebral block: no\nAnalgesia: PCA",
        "A paravertebral block was avoided given her coagulopathy.",
        "The right PVB was never placed.",
    ],
)
def test_a_block_that_was_not_done_is_not_performed(text: str) -> None:
    assert [block.status for block in read(text).blocks] == [Status.NOT_DONE]


@pytest.mark.parametrize(
    "text",
    [
        "Paravertebral block: No complications. 20 mL ropivacaine at T5 right.",
        "Right PVB at T5, 20 mL ropivacaine, taking care to avoid the pleura.",
        "Right PVB at T5, 20 mL ropivacaine, and at T6. The T7 injection was not done.",
    ],
)
def test_nor_is_every_no_beside_a_block_its_denial(text: str) -> None:
    assert [block.status for block in read(text).blocks] == [Status.PERFORMED]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        pytest.param("Left TAP block for pain (laparotomy yesterday).", Status.PERFORMED, id="the operation was"),
        pytest.param("Left TAP block for pain (placed in the OR yesterday).", Status.HISTORICAL, id="the block was"),
        pytest.param("Last seen on May 14, when a left TAP block was done.", Status.HISTORICAL, id="a visit before"),
        pytest.param("On May 14 a left TAP block was performed.", Status.PERFORMED, id="May is a month"),
        pytest.param("We may do a left TAP block.", Status.PLANNED, id="may is no month"),
        pytest.param("Left TAP block at the previously marked site.", Status.PERFORMED, id="the mark was before"),
        pytest.param("Previously had a left TAP block.", Status.HISTORICAL, id="the block was before"),
        pytest.param("If pain returns, first gabapentin, then left TAP block.", Status.PLANNED, id="if, then"),
        pytest.param("Left TAP block if positive.", Status.PLANNED, id="if positive"),
        pytest.param("Good left TAP block candidate.", Status.PLANNED, id="candidate"),
        pytest.param("R/o left TAP block candidate.", Status.PLANNED, id="ruled out"),
        pytest.param(
            "Left TAP block. Procedure stopped before the needle was inserted.", Status.NOT_DONE, id="stopped"
        ),
        pytest.param("Pain returned, so first gabapentin, then left TAP block.", Status.PERFORMED, id="then alone"),
    ],
)
def test_when_a_block_is(text: str, status: Status) -> None:
    assert [block.status for block in read(text).blocks] == [status]


@pytest.mark.parametrize(
    ("text", "purpose"),
    [
        ("Right PVB T4 for analgesia after sternotomy.", "postoperative-analgesia"),
        ("Right PVB T4 for pain control after the mastectomy.", "postoperative-analgesia"),
        ("History of pain after mastectomy in 2019.\nRight PVB T4.", None),
        ("Right PVB T4 before mastectomy.", None),
        ("Labor epidural, L3-L4, catheter secured, bupivacaine infusion.", "surgical-anesthesia"),
        ("L3-L4 epidural catheter for labour pain, bupivacaine infusion.", "surgical-anesthesia"),
        ("TAP block both sides. Labor epidural was removed before.", None),
        ("L3-L4 epidural steroid injection. Had a labor epidural years ago.", None),
    ],
)
def test_what_a_block_is_for(text: str, purpose: str | None) -> None:
    done = [block for block in read(text).blocks if block.status is Status.PERFORMED]
    assert {block.purpose.value if block.purpose else None for block in done if block.technique != "other"} == {purpose}


@pytest.mark.parametrize(
    ("text", "level", "side"),
    [
        ("Indication: rib fractures T5-T7 on the right. Consent obtained. Left PVB at T4.", "T4", "left"),
        ("Indication: right rib fractures. US-guided PVB at T4 on the left, 20 mL ropivacaine.", "T4", "left"),
        ("Left PVB.\nIndication: fracture of T7. Consent signed. Level T4 injected.", "T4", "left"),
        ("Left PVB. Indication: rib fx. US guidance. T4: 15 mL ropivacaine. T6: nothing injected.", "T4", "left"),
        ("Left PVB. At T4 15 mL ropivacaine. At T6 blood, no drug was injected.", "T4", "left"),
    ],
)
def test_the_reason_ends_where_what_was_done_begins(text: str, level: str, side: str) -> None:
    (block,) = (block for block in read(text).blocks if block.status is Status.PERFORMED)
    assert [(site.level, site.side) for site in block.sites] == [(level, side)]


@pytest.mark.parametrize(
    ("text", "affirmed"),
    [
        ("Left L2 lumbar sympathetic block, no psoas or vessel pattern, images saved.", True),
        ("Left L2 lumbar sympathetic block, no heme, images or films saved.", False),
        ("Left L2 lumbar sympathetic block, images not saved.", False),
    ],
)
def test_a_no_reaches_over_its_own_list_only(text: str, affirmed: bool) -> None:
    assert {said.affirmed for said in read(text).statements if said.element == "image-record"} == {affirmed}


@pytest.mark.parametrize(
    "text", ["Continuous thoracic paravertebral block", "PVB, continuous infusion ropivacaine 0.2% 8 mL/h"]
)
def test_a_text_that_is_one_line_may_say_that_a_block_is_continuous(text: str) -> None:
    (block,) = read(text).blocks
    assert block.continuous is not None
    assert block.continuous.value


def test_a_plane_may_be_told_by_where_the_needle_went() -> None:
    text = "The needle was placed deep to the serratus anterior on the right. 30 mL ropivacaine 0.25% was injected."
    (block,) = read(text).blocks
    assert (block.technique, block.plane and block.plane.value) == ("fascial-plane", "serratus-anterior")
    assert not read("The needle biopsy was taken deep to the serratus anterior on the right.").blocks


def test_a_space_may_name_the_block_where_a_needle_is_told_of_later() -> None:
    text = (
        "The T6 paravertebral space on the right was seen. Skin anesthetized with 2 mL lidocaine. "
        "A Tuohy needle was advanced in plane. 15 mL ropivacaine 0.375% was injected and a catheter was threaded."
    )
    (block,) = read(text).blocks
    assert [(site.level, site.side) for site in block.sites] == [("T6", "right")]
    assert block.continuous is not None


@pytest.mark.parametrize(
    ("text", "scores"),
    [
        ("Pain score: 9 \u2192 3", ["9", "3"]),
        ("VAS: 8 to 2", ["8", "2"]),
        ("NRS: 8 (before), 3 (after)", ["8", "3"]),
        ("VAS pre/post: 8/2", ["8", "2"]),
        ("He left with leg pain 2/10 (6/10 before).", ["2", "6"]),
        ("Pain scale: 0 to 10", []),
        ("Pain: for 9 months", []),
    ],
)
def test_a_field_of_scores(text: str, scores: list[str]) -> None:
    found = read(f"Left PVB T6, 20 mL ropivacaine 0.5%.\n{text}").statements
    assert [said.value for said in found if said.element.startswith("pain-score")] == scores


@pytest.mark.parametrize(
    ("text", "techniques"),
    [
        ("Left C4 and C5 medial branch RFA. Two medial branch blocks each gave more than 80% relief.", 1),
        ("Left C4 and C5 medial branch blocks gave 90% relief at 20 minutes.", 1),
        ("Left C4 and C5 medial branch RFA. Right L3 and L4 medial branch blocks, with 90% relief.", 2),
    ],
)
def test_blocks_told_by_their_relief_are_those_before_radiofrequency(text: str, techniques: int) -> None:
    assert len([block for block in read(text).blocks if block.status is Status.PERFORMED]) == techniques


def test_boxes_of_another_kind() -> None:
    text = (
        "\u2611 Paravertebral \u2610 Erector spinae\n\u2611 Left \u2610 Right\nLevel: T6\nDrug: ropivacaine 0.5% 20 mL"
    )
    (block,) = read(text).blocks
    assert (block.technique, [(site.level, site.side) for site in block.sites]) == ("paravertebral", [("T6", "left")])


@pytest.mark.parametrize(
    ("text", "element"),
    [
        ("Consent obtained\nUltrasound guided", "consent"),
        ("Time-out performed\nUltrasound guided", "time-out"),
        ("He could use the incentive spirometer to 1750 mL.", "response"),
        ("Complications N.", "complications"),
        ("30 mL of local anesthetic spread well.", "anesthetic-amount"),
        ("C-arm in AP and lateral: needles at the pillars.", "needle-confirmation"),
    ],
)
def test_what_a_line_documents(text: str, element: str) -> None:
    found = read(f"Left PVB T6, 20 mL ropivacaine 0.5%\n{text}\n").statements
    assert any(said.element == element and said.affirmed for said in found)


def test_a_catheter_in_the_name_of_a_field_is_of_its_side() -> None:
    text = (
        "RIGHT T6 paravertebral CATHETER: ultrasound, 15 mL ropivacaine 0.375%\n"
        "LEFT T5 paravertebral single injection: ultrasound, 10 mL ropivacaine 0.375%\n"
    )
    told = {
        (block.side and block.side.value, block.continuous and block.continuous.value) for block in read(text).blocks
    }
    assert told == {("right", True), ("left", False)}


def test_a_phrase_may_reach_over_a_decimal_number() -> None:
    text = "Right L3 and L4 medial branch blocks, contrast 0.2 mL confirmed position."
    assert "needle-confirmation" in {said.element for said in read(text).statements}


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("BLOCK: right T6 paravertebral, USG, 20 ml 0.5% ropivacaine, single injection.\nPOST: NRS 3", "T6"),
        ("BLOCK: right T6 paravertebral", "T6"),
    ],
)
def test_a_block_named_in_its_field_may_be_followed_by_more(text: str, level: str) -> None:
    (block,) = read(text).blocks
    assert [(site.level, site.side) for site in block.sites] == [(level, "right")]


def test_a_note_with_needle_and_drug_documents_without_the_name_of_a_block() -> None:
    text = "She consented. The needle came in from below; 18 mL of 0.375% ropivacaine was injected. No complications."
    found = {said.element for said in read(text).statements if said.affirmed}
    assert {"consent", "anesthetic-agent", "anesthetic-amount", "complications"} <= found


def test_a_lone_label_has_the_next_line_for_its_value() -> None:
    text = (
        "Technique\nErector spinae plane block\nLaterality\nRight\nLevel\nT5\nImaging\nUltrasound\nIndication\n"
        "Rib fractures\nMedication\nRopivacaine 0.25% 30 mL\nComplications\nNone"
    )
    (block,) = read(text).blocks
    assert [(site.level, site.side) for site in block.sites] == [("T5", "right")]
    found = {said.element for said in read(text).statements if said.affirmed}
    assert {"indication", "guidance", "complications", "laterality"} <= found


@pytest.mark.parametrize(
    "text",
    [
        "His roommate had a paravertebral catheter.",
        "Another patient received a left PVB at T5 with 20 mL ropivacaine.",
        "A friend had a TAP block last year.",
    ],
)
def test_a_block_of_somebody_else_is_none_of_the_patient(text: str) -> None:
    assert [block for block in read(text).blocks if block.status is Status.PERFORMED] == []


def test_the_side_done_counts_over_those_planned_and_consented_to() -> None:
    text = (
        "Plan and consent: bilateral paravertebral blocks.\n"
        "Right T5 PVB done, 20 mL ropivacaine 0.375%. Saturation 89%, so the left side was not done.\n"
    )
    (block,) = read(text).blocks
    assert [(site.level, site.side) for site in block.sites] == [("T5", "right")]
    (block,) = read("Consent: right PVB T5.\nPVB T5 done, 20 mL ropivacaine 0.375%.\n").blocks
    assert [(site.level, site.side) for site in block.sites] == [("T5", "right")]


def test_a_history_ends_where_consent_is_told_of() -> None:
    text = "History: neck pain.\nFailed PT.\nConsent, time-out. Left PVB T4, 20 mL ropivacaine. No complications.\n"
    assert {"anesthetic-agent", "complications"} <= {said.element for said in read(text).statements}
