"""`cds-service rules`: what is checked, and why."""

from __future__ import annotations

import click

from cds_service.commands.loading import InputError, read_knowledge, read_settings
from cds_service.review.rules import all_rules, find_rule
from cds_service.terminal.reference import print_rule, print_rules
from cds_service.web.reference import rule_reference


@click.command("rules")
@click.argument("rule", required=False)
def command(rule: str | None) -> None:
    """List the rules, or show the page of RULE, an id of the list."""
    knowledge = read_knowledge(read_settings())
    if rule is None:
        print_rules(all_rules())
        return
    found = find_rule(rule.lower())
    if found is None:
        raise InputError(f"no rule {rule!r}; `cds-service rules` lists them")
    print_rule(rule_reference(knowledge, found))
