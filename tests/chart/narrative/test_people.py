"""Who did a block, and who asked for it."""

import pytest

from cds_service.chart.narrative.reader import read
from cds_service.chart.narrative.reading import BlockReading, Status


def _block(text: str) -> BlockReading:
    (block,) = (block for block in read(text).blocks if block.status is Status.PERFORMED)
    return block


@pytest.mark.parametrize(
    ("text", "surgeon"),
    [
        ("SURGEON performs the left paravertebral block at T5, 20 mL 0.25% bupivacaine, before he closes.", True),
        ("Left T5 paravertebral block done by the operating surgeon, 20 mL of 0.25% bupivacaine.", True),
        (
            "At closure the thoracic surgeon injected 20 mL bupivacaine for left intercostal nerve blocks T4-T6.",
            True,
        ),
        ("Dr. Lee (operating surgeon) performed a right T5 paravertebral block with 20 mL bupivacaine.", True),
        ("The surgeon, Dr. Petrov, then placed a left paravertebral catheter at T6. 20 mL bupivacaine given.", True),
        ("Right paravertebral block at T5, 20 mL ropi injected. Proceduralist: Surgeon", True),
        ("Block performed by: [x] Surgeon [ ] Anesthesiologist\nRight PVB at T4, 20 mL ropi injected.", True),
        ("Surgeon-placed left PVB at T5, 20 mL bupivacaine injected.", True),
        ("Block performed by: [ ] Surgeon [x] Anesthesiologist\nRight PVB at T4, 20 mL ropi injected.", None),
        ("Operative note\nBilateral TAP blocks under direct laparoscopic vision, 20 mL bupivacaine each.", True),
        ("REPORT OF OPERATION\nVATS wedge.\nI then injected 20 mL for left intercostal nerve blocks T4-T6.", True),
        ("Operative note\nVATS wedge. A right PVB at T5 had been placed by anesthesia.", None),
        ("Pre-operative note\nI performed a right PVB at T5, 20 mL ropi injected.", None),
        ("Post operative note\nI performed a right PVB at T5, 20 mL ropi injected.", None),
        ("Procedure note\nSurgeon: Lee\nI performed a right PVB at T5, 20 mL ropi injected.", None),
        ("Right PVB T4, 20 mL ropivacaine, performed at the request of the surgeon.", None),
        ("At the request of the surgeon performed right T4 PVB with 20 mL ropi.", None),
        ("Right PVB done by surgeon's request, T4, 20 mL ropivacaine.", None),
        ("Right PVB T4, 20 mL ropivacaine 0.5%. Surgeon Dr. Harlan requested the block.", None),
        ("Right PVB at T4 with 20 mL ropivacaine, performed by anesthesia for the surgeon.", None),
        ("Right PVB at T4 with 20 mL ropi performed by anesthesiology. Surgeon: Dr. Lee", None),
        ("Surgeon gave 10 mL bupivacaine to the port sites. I placed a right PVB at T5, 20 mL ropi injected.", None),
        ("The surgeon asked that we perform right PVB at T5, 20 mL ropi injected.", None),
        ("After the block the surgeon did a mastectomy. Right PVB T4, 15 mL ropivacaine injected.", None),
        ("Right mastectomy done by the surgeon after right PVB T4 with 20 mL ropi injected.", None),
        ("Needle advanced under direct visualization with ultrasound; right PVB at T4, 20 mL ropi injected.", None),
    ],
)
def test_who_did_it(text: str, surgeon: bool | None) -> None:
    by_surgeon = _block(text).performed_by_surgeon
    assert (by_surgeon and by_surgeon.value) is surgeon


@pytest.mark.parametrize(
    ("text", "requested"),
    [
        ("Requested by surgeon: Yes\nRight PVB T4, 15 mL ropi injected.", True),
        ("Requested by: Dr. Moss\nRight PVB T4, 15 mL ropi injected.", True),
        ("The surgeon, Doctor Moss, asked me for a block.\nRight PVB T4, 15 mL ropi injected.", True),
        ("Miss Moss, the surgeon, was told.\nRight PVB T4, 15 mL ropi injected.", None),
        ("Right PVB T4, 15 mL ropi injected. Requested by surgeon: No", None),
        ("Right PVB T4, 15 mL ropi injected. Requested by surgeon: ___", None),
        ("Right PVB T4, 15 mL ropi injected. Block was not requested by the surgeon.", None),
        ("Right PVB T4, 15 mL ropi injected. No request from the surgeon was documented.", None),
        ("Right PVB T4, 15 mL ropi injected. The patient requested it.", None),
    ],
)
def test_who_asked(text: str, requested: bool | None) -> None:
    asked = _block(text).requested
    assert (asked and asked.value) is requested
