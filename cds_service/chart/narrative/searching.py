r"""Helps to write patterns that are fast to search for.

Python's `re` skips to where a match can begin only where a pattern begins with a plain character, or with a choice of
such; one that begins with a look-behind, with `\b` or with a choice of other things is tried at every character.
"""

from __future__ import annotations

import re

_BOUNDARY = r"\b"
_WORD = r"\w"
_LEAD = re.compile(r"[^\\](?:[a-z0-9](?![?*{]))?")
"""The plain characters a choice begins with, up to two: what stands before is looked at after them."""


def one_of(*choices: str, not_after: str = "") -> str:
    r"""Return a pattern for any of `choices`, of which each begins with a plain character, or with `\b` and one.

    It begins with a choice of these characters: a boundary is looked for after them, and so is whether what stands
    before is one of the set of characters `not_after`. Of choices that begin with the same characters the first that
    matches counts.
    """
    rests: dict[str, list[str]] = {}
    for choice in choices:
        plain = choice.removeprefix(_BOUNDARY)
        lead = _LEAD.match(plain)
        if lead is None:
            raise ValueError(f"a choice must begin with a plain character: {choice!r}")
        kept_off = not_after if plain == choice else _WORD + not_after
        behind = f"(?<![{kept_off}]{'.' * len(lead[0])})" if kept_off else ""
        rests.setdefault(lead[0], []).append(behind + plain[lead.end() :])
    return "|".join(f"{lead}(?:{'|'.join(rest)})" for lead, rest in rests.items())
