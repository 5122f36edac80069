r"""Helps to write patterns that are fast to search for.

Python's `re` skips to where a match can begin only where a pattern begins with a plain character, or with a choice of
such; one that begins with a look-behind, with `\b` or with a choice of other things is tried at every character.
"""

from __future__ import annotations

_BOUNDARY = r"\b"
_WORD = r"\w"


def one_of(*choices: str, not_after: str = "") -> str:
    r"""Return a pattern for any of `choices`, of which each begins with a plain character, or with `\b` and one.

    It begins with a choice of these characters: a boundary is looked for after them, and so is whether what stands
    before is one of the set of characters `not_after`. Of choices that begin with the same character the first that
    matches counts.
    """
    rests: dict[str, list[str]] = {}
    for choice in choices:
        plain = choice.removeprefix(_BOUNDARY)
        kept_off = not_after if plain == choice else _WORD + not_after
        rests.setdefault(plain[0], []).append((f"(?<![{kept_off}].)" if kept_off else "") + plain[1:])
    return "|".join(f"{first}(?:{'|'.join(rest)})" for first, rest in rests.items())
