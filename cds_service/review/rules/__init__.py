"""The rules, one file each. A file is registered by being here: its `RULE` is found by its name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from cds_service.review.rule import Rule


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule, ordered by id. Raises AttributeError at start where a file has no `RULE`."""
    names = sorted(module.name for module in iter_modules(__path__))
    return tuple(_load(name) for name in names)


def find_rule(rule_id: str) -> Rule | None:
    """Return the rule with this id, or None."""
    return next((rule for rule in all_rules() if rule.id == rule_id), None)


def page(rule: Rule) -> str:
    """Return the rule's page: the docstring of its file, Markdown."""
    return (import_module(_module_name(rule.id)).__doc__ or "").strip()


def _module_name(rule_id: str) -> str:
    return f"{__name__}.{rule_id.replace('-', '_')}"


def _load(name: str) -> Rule:
    rule: Rule = import_module(f"{__name__}.{name}").RULE
    return rule
