"""Imaging beside a block that does not include it needs its own documentation.

## What it checks

For blocks whose code does not include imaging (intercostal, sympathetic, trigger point): an imaging code that does not
go with the block, or whose guidance or stored image the record does not document; and guidance, with a stored image
where the code asks for one, that is documented and not reported.

## Why it matters

Imaging is paid beside these blocks only with a description of the guidance and a permanently stored image. Without
them the line is taken back; with them, and unreported, the service is given away.

## Sources

The Medicare add-on edits list the blocks that 77002 and 77003 go with; the edits between code pairs do not bundle these
imaging codes into the codes of their blocks.

## Known limits

"Not documented" is said only where all notes could be read. An imaging line with a distinct-service modifier belongs
to something else. Where every block done includes imaging, `imaging-included` speaks. That an image was stored is
taken from the record; whether it can still be found is not checked.

## Example

64420-RT ×1 and 76942-26 ×1, while the note says "under ultrasound guidance" and nothing of an image.

## Corrected

64420-RT ×1, or the imaging line kept once a stored image is documented.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Evidence, Line
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, not_reported, unexpected
from cds_service.review.rule import Draft, Rule
from cds_service.review.selection import Selection
from cds_service.review.words import are, codes_words, joined, lines_words, with_article


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per imaging line that is not supported, or one for supported imaging that is not reported."""
    lines = unexpected(case, Mismatch.IMAGING_SEPARATE)
    yield from (_unsupported(case, line) for line in lines)
    if not lines and (case.claim is not None or case.lines):
        yield from _unreported(case)


def _separate(case: Case) -> list[Selection]:
    return [selection for selection in case.selections if selection.family.imaging_codes]


def _unsupported(case: Case, line: Line) -> Draft:
    blocks = _separate(case)
    return Draft(
        message=f"{line.code} is reported, but {_why(case, line, blocks)}.",
        remedy=f"Remove {line.code}. If guidance was used and an image stored, the author of the note can add it in a "
        "dated addendum.",
        evidence=(line_evidence(line), *_words(blocks)),
        codes=(line.code,),
    )


def _why(case: Case, line: Line, blocks: list[Selection]) -> str:
    fitting = {code for selection in blocks for code in selection.family.imaging_codes}
    if line.code not in fitting:
        names = joined(with_article(selection.family.title.lower()) for selection in blocks)
        return f"imaging beside {names} is {' or '.join(sorted(fitting))}"
    code = case.view.code(line.code)
    guidance = code.guidance if code else None
    if not any(fact.value.value == guidance for selection in blocks for fact in selection.block.guidance):
        return f"the record does not document guidance by {guidance}"
    return "the record does not document a stored image"


def _words(blocks: list[Selection]) -> Iterator[Evidence]:
    for selection in blocks:
        block = selection.block
        yield from (e for fact in block.guidance for e in fact.evidence)
        yield from block.image_saved.evidence if block.image_saved else ()
        if not block.guidance:
            yield from block.evidence


def _unreported(case: Case) -> Iterator[Draft]:
    lines = [line for line in not_reported(case) if (code := case.view.code(line.code)) and code.role == "imaging"]
    if lines:
        yield Draft(
            message=f"{codes_words(lines)} {are(lines)} not reported, though what it needs is documented.",
            remedy=f"Add {lines_words(lines)}.",
            evidence=tuple(e for line in lines for e in line.evidence),
            codes=tuple(line.code for line in lines),
        )


RULE = Rule(
    id="imaging-separate",
    title="Imaging needs its own documentation",
    severity=Severity.WARNING,
    sources=("cms-ncci-addon-2024q3", "cms-ncci-ptp-2024q3"),
    check=check,
    families=(
        "intercostal",
        "sympathetic-chain",
        "stellate-ganglion",
        "hypogastric-plexus",
        "trigger-point",
        "other-peripheral",
        "blood-patch",
    ),
)
