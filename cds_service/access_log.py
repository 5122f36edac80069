"""What the access log says of a call: known methods and the rule of the address, never what a caller wrote into them.

Both may hold anything, an id of a patient among it. `/cds-services/<service_id>` says enough: which service it
was is in the audit line.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from http import HTTPMethod
from typing import Final

NOT_OURS: Final = "(no such address)"
NO_METHOD: Final = "(no such method)"

_METHODS: Final = frozenset(HTTPMethod)
_VARIABLE: Final = re.compile(r"(<[^>]*>)")


class KnownAddresses(logging.Filter):
    """Puts the rule that an address is served by in place of it, in each line of Granian's access log.

    Args:
        rules: the addresses that are served, variable parts as `<name>` or `<path:name>`.
    """

    def __init__(self, rules: Iterable[str]) -> None:
        super().__init__()
        rules = tuple(dict.fromkeys(rules))
        self._fixed = frozenset(rule for rule in rules if "<" not in rule)
        self._variable = tuple((re.compile(_pattern(rule)), rule) for rule in sorted(rules) if "<" in rule)

    def filter(self, record: logging.LogRecord) -> bool:
        """Change `record`; it is always written."""
        if isinstance(record.args, dict):
            method, path = (str(record.args.get(name, "")) for name in ("method", "path"))
            shown = {"method": method if method in _METHODS else NO_METHOD, "path": self._known(path)}
            record.args = {**record.args, **shown}
        return True

    def _known(self, path: str) -> str:
        if path in self._fixed:
            return path
        if path.rstrip("/") in self._fixed:
            return path.rstrip("/")
        return next((rule for pattern, rule in self._variable if pattern.fullmatch(path)), NOT_OURS)


def _pattern(rule: str) -> str:
    return "".join(_part(part) for part in _VARIABLE.split(rule))


def _part(part: str) -> str:
    if not part.startswith("<"):
        return re.escape(part)
    return ".+" if part.startswith("<path:") else "[^/]+"
