"""Write `docs/rules/`: a page per rule, from its file and its metadata, and an index of them.

Run it after changing a rule: `python tools/build_rule_pages.py`. With `--check` nothing is written, and the exit code
is 1 where a page on disk is not the one that would be written.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from cds_service.knowledge.library import Knowledge, load
from cds_service.knowledge.model import Source
from cds_service.review.rule import Rule
from cds_service.review.rules import all_rules, page

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "rules"
_COLUMNS = ("Rule", "What it is about", "Severity", "Blocks", "Judges")
_NOTICE = "<!-- Written by tools/build_rule_pages.py from the rule's file; edit that file. -->"


def pages(knowledge: Knowledge) -> Mapping[str, str]:
    """Return the text of every page by file name, the index among them."""
    rules = all_rules()
    texts = {f"{rule.id}.md": rule_page(rule, knowledge) for rule in rules}
    return {"README.md": index(rules, knowledge), **texts}


def rule_page(rule: Rule, knowledge: Knowledge) -> str:
    """Return the page of one rule: its metadata, then its own text with the sources spelled out."""
    summary, _, rest = page(rule).partition("\n\n")
    before, heading, after = rest.partition("\n## Known limits")
    sources = "\n".join(f"- {_citation(knowledge.sources[source])}" for source in rule.sources)
    return "\n".join(
        [
            _NOTICE,
            "",
            f"# {rule.title}",
            "",
            summary,
            "",
            f"`{rule.id}` · {rule.severity.value} · {_families(rule, knowledge)} · {_judges(rule)}",
            "",
            f"{before.rstrip()}\n\n{sources}\n{heading}{after}",
            "",
        ]
    )


def index(rules: tuple[Rule, ...], knowledge: Knowledge) -> str:
    """Return the index: every rule with its title and one sentence, its severity, and what it looks at."""
    rows = [_row(rule, knowledge) for rule in rules]
    intro = "One finding, one rule: where two rules could speak of the same line, *Known limits* says which one does."
    legend = "A warning is about payment or compliance; an info is advice."
    header = "| " + " | ".join(_COLUMNS) + " |"
    return "\n".join([_NOTICE, "", "# Rules", "", intro, legend, "", header, "|---" * len(_COLUMNS) + "|", *rows, ""])


def _row(rule: Rule, knowledge: Knowledge) -> str:
    says = page(rule).splitlines()[0]
    techniques = dict.fromkeys(knowledge.families[family].technique.replace("-", " ") for family in rule.families)
    cells = (f"[`{rule.id}`]({rule.id}.md)", f"**{rule.title}.** {says}")
    return "| " + " | ".join((*cells, rule.severity.value, ", ".join(techniques) or "all", _judges(rule))) + " |"


def stale(knowledge: Knowledge, folder: Path = FOLDER) -> list[str]:
    """Return the names of pages in `folder` that are missing, outdated or left over."""
    texts = pages(knowledge)
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in {*texts, *on_disk} if texts.get(name) != on_disk.get(name))


def write(knowledge: Knowledge, folder: Path = FOLDER) -> None:
    """Write all pages into `folder` and remove those of rules that are gone."""
    texts = pages(knowledge)
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _citation(source: Source) -> str:
    title = f"[{source.title}]({source.url})" if source.url else source.title
    return f"{title} ({source.publisher}, {source.published})"


def _families(rule: Rule, knowledge: Knowledge) -> str:
    titles = [knowledge.families[family].title.lower() for family in rule.families]
    return ", ".join(titles) or "all blocks"


def _judges(rule: Rule) -> str:
    return "claims and draft orders" if rule.for_orders else "claims"


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` only compare them."""
    knowledge = load()
    if "--check" not in arguments:
        write(knowledge)
        return 0
    names = stale(knowledge)
    print("\n".join(f"{name} is not up to date" for name in names) or "All rule pages are up to date.")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
