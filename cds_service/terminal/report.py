"""An assessment as a report for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cds_service.cards.difference import Difference, difference
from cds_service.cards.markdown import telling
from cds_service.cards.wording import element_words
from cds_service.chart.model import Block, Line, Site
from cds_service.review.assessment import (
    Assessment,
    Element,
    ElementStatus,
    ExpectedLine,
    Finding,
    NotChecked,
    Query,
    Severity,
)
from cds_service.review.words import line_words
from cds_service.terminal.layout import (
    Bullet,
    bullets,
    counted,
    heading,
    new_console,
    quote,
    quotes,
    safe,
    sources_line,
    stacked,
)
from cds_service.terminal.verdict import Verdict, is_open, verdict

NOTHING = "No paravertebral or neighbouring block, and no code of one, in this record: nothing to say."

Row = tuple[ExpectedLine | None, Line | None, str, str]


def print_report(found: Sequence[Assessment], titles: Mapping[str, str]) -> None:
    """Print the assessments of one record on standard output; `titles` are the names of codes, in our own words."""
    console = new_console()
    if not found:
        console.print(NOTHING)
    for number, assessment in enumerate(found, start=1):
        if number > 1:
            console.rule(style="dim")
        aside = f"{number} of {len(found)}" if len(found) > 1 else ""
        _print_assessment(console, assessment, titles, aside)


def _print_assessment(console: Console, assessment: Assessment, titles: Mapping[str, str], aside: str) -> None:
    console.print(_title(assessment, aside))
    for part in (
        _blocks(assessment.blocks),
        _lines(assessment, titles),
        _findings(assessment.findings),
        _documentation(assessment.documentation),
        _queries(assessment.queries),
        _not_checked(assessment.not_checked),
    ):
        console.print(*part, sep="\n", end="\n" if part else "")
    console.print()
    console.print(_conclusion(verdict(assessment), unchecked=bool(assessment.not_checked)))


def _title(assessment: Assessment, aside: str) -> Text:
    day = assessment.date_of_service
    parts = [
        f"profile {assessment.profile}",
        safe(assessment.encounter or ""),
        f"knowledge {assessment.knowledge_version}",
        aside,
    ]
    shown = f"{day:%A} {day.isoformat()}" if day else "Date of service not stated"
    return Text.assemble((shown, "bold reverse"), (f"  {' · '.join(filter(None, parts))}", "dim"))


def _blocks(blocks: Sequence[Block]) -> list[RenderableType]:
    if not blocks:
        return [heading("Blocks"), Text("  none found", "dim")]
    return [heading("Blocks"), bullets(Bullet("•", "cyan", _block(block)) for block in blocks)]


def _block(block: Block) -> Text:
    facts = [
        block.region,
        block.plane and block.plane.value.replace("-", " "),
        _way(block),
        *(fact.value.value.replace("-", " ") for fact in block.guidance[:1]),
        block.purpose and block.purpose.value.value.replace("-", " "),
        block.service_date and block.service_date.isoformat(),
    ]
    told = ", ".join(fact for fact in facts if fact)
    name = Text.assemble((block.technique.value.replace("-", " "), "bold"), (f"  {told}" if told else ""))
    return stacked(name, _sites(block.sites), quotes(block.evidence))


def _way(block: Block) -> str | None:
    if block.continuous is None:
        return None
    return "catheter" if block.continuous.value else "single injection"


def _sites(sites: Iterable[Site]) -> Text:
    named = [" ".join(filter(None, (site.level, site.side and site.side.value))) or "unnamed site" for site in sites]
    return Text(", ".join(named), "cyan")


def _lines(assessment: Assessment, titles: Mapping[str, str]) -> list[RenderableType]:
    found = difference(assessment)
    rows = list(_rows(found, assessment))
    if not rows:
        return []
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim", border_style="dim")
    for column in ("Expected", "Ordered" if found.ordered else "On the claim", ""):
        table.add_column(column, no_wrap=True)
    table.add_column("")
    for expected, present, says, style in rows:
        table.add_row(
            line_words(expected) if expected else "–",
            line_words(present) if present else "–",
            Text(says, style),
            Text(titles.get(_code(expected, present), ""), "dim"),
        )
    return [heading("Lines"), Padding(table, (0, 0, 0, 2), expand=False)]


def _rows(found: Difference, assessment: Assessment) -> Iterator[Row]:
    lacking = "not there" if assessment.lines else "no line to compare"
    accused = {code for finding in assessment.findings for code in finding.codes}
    yield from ((want, line, "equal", "green") for line, want in found.right)
    yield from ((want, line, "differs", "yellow") for line, want in found.wrong)
    yield from ((want, None, lacking, "yellow") for want in found.lacking)
    for line in found.surplus:
        # Without a finding nobody can say so: the notes may not have been sent.
        yield (None, line, "not supported", "yellow") if line.code in accused else (None, line, "not compared", "dim")
    yield from ((None, line, "not judged", "dim") for line in assessment.lines if line not in found.present)


def _code(*lines: ExpectedLine | Line | None) -> str:
    return next((line.code for line in lines if line), "")


def _findings(findings: Sequence[Finding]) -> list[RenderableType]:
    if not findings:
        return []
    return [heading("Findings"), bullets(_finding(finding) for finding in findings)]


def _finding(finding: Finding) -> Bullet:
    warning = finding.severity is Severity.WARNING
    body = stacked(
        Text(safe(finding.message), "bold"),
        Text(f"→ {safe(finding.remedy)}" if finding.remedy else ""),
        quotes(finding.evidence),
        Text(f"Rule: {finding.rule}", "dim"),
        sources_line(finding.citations),
    )
    return Bullet("▲" if warning else "•", "yellow" if warning else "cyan", body)


def _documentation(elements: Sequence[Element]) -> list[RenderableType]:
    if not elements:
        return []
    required = [element for element in elements if element.requirement == "required"]
    documented = [element for element in elements if element.status is ElementStatus.DOCUMENTED]
    open_ones = [element for element in required if is_open(element)]
    contradicted = [e for e in elements if e.status is ElementStatus.CONTRADICTED and e not in open_ones]
    wished = [
        element_words(e.element).name for e in elements if e.status is ElementStatus.MISSING and e not in open_ones
    ]
    applying = [element for element in required if element.status is not ElementStatus.NOT_APPLICABLE]
    entries = [
        *(_open_element(element) for element in (*open_ones, *contradicted)),
        *(_documented(element) for element in documented),
    ]
    entries += _read_in(documented)
    if wished:
        entries.append(Bullet("·", "dim", Text(f"Recommended, not found: {', '.join(wished)}", "dim")))
    there = len(applying) - len(open_ones)
    sources = [source for element in open_ones for source in element.citations]
    return [
        heading("Documentation", f"{there} of {len(applying)} required elements"),
        bullets(entries),
        *([Padding(sources_line(sources, "Required by"), (0, 0, 0, 4))] if sources else []),
    ]


def _open_element(element: Element) -> Bullet:
    words = element_words(element.element)
    if element.status is ElementStatus.CONTRADICTED:
        said = Text.assemble((words.name, "bold"), "  the record says different things")
        return Bullet("≠", "red", stacked(said, quotes(element.evidence, most=4)))
    return Bullet("✗", "red", Text.assemble((words.name, "bold"), f"  missing: {words.complete}"))


def _documented(element: Element) -> Bullet:
    said = "".join(quote(piece) for piece in telling(element.evidence, 1))
    return Bullet("✓", "green", Text.assemble(element_words(element.element).name, (f"  {said}", "italic")))


def _read_in(documented: Sequence[Element]) -> list[Bullet]:
    """Name the resources the documented elements were read in, once and not beside each."""
    references = dict.fromkeys(p.reference for e in documented for p in telling(e.evidence, 1))
    return [Bullet(" ", "", Text(f"read in {', '.join(map(safe, references))}", "dim"))] if references else []


def _queries(queries: Sequence[Query]) -> list[RenderableType]:
    if not queries:
        return []
    return [heading("Questions"), bullets(Bullet("?", "cyan", _query(query)) for query in queries)]


def _query(query: Query) -> Text:
    options = (Text(f"○ {safe(option)}") for option in query.options)
    return stacked(Text(safe(query.question), "bold"), *options, quotes(query.evidence))


def _not_checked(items: Sequence[NotChecked]) -> list[RenderableType]:
    if not items:
        return []
    entries = (Bullet("–", "dim", Text.assemble(f"{item.rule}: ", (safe(item.reason), "dim"))) for item in items)
    return [heading("Not checked"), bullets(entries)]


def _conclusion(found: Verdict, *, unchecked: bool) -> Text:
    if not found:
        where = " in what could be checked" if unchecked else ""
        return Text(f"Nothing to correct{where}.", "bold green")
    parts = [
        counted(found.lines, "line") if found.lines else "",
        counted(found.findings, "finding") if found.findings else "",
        counted(found.elements, "required element") if found.elements else "",
        counted(found.queries, "question") if found.queries else "",
    ]
    return Text(f"To look at: {', '.join(filter(None, parts))}.", "bold yellow")
