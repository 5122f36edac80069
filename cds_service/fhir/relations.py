"""What documents say of one another (FHIR R4 DocumentReference.relatesTo): which replace and which append others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cds_service.fhir.reading import items, member, text
from cds_service.fhir.record import Entry, Record

_NO_WORD: Final = frozenset({"entered-in-error", "superseded"})
_AMENDED: Final = frozenset({"amended", "appended"})


def superseded(record: Record) -> frozenset[str]:
    """Return the documents another one replaces, whatever their own status says.

    A document that is withdrawn or a draft replaces nothing, nor do documents that replace each other.
    """
    replaced = {entry.reference: frozenset(targets(entry, record, "replaces")) for entry in _standing(record)}
    circle = _circles(replaced)
    return frozenset(
        target
        for replacing, found in replaced.items()
        for target in found
        if target != replacing and circle.get(target) != circle[replacing]
    )


def amended(record: Record) -> Mapping[str, frozenset[str]]:
    """Return the documents that add to or correct another (`appends`), each with those it does; or that were amended.

    A document that was itself amended after it was final (`docStatus`) names none.
    """
    found = {entry.reference: (entry, frozenset(targets(entry, record, "appends"))) for entry in _standing(record)}
    return {
        reference: named
        for reference, (entry, named) in found.items()
        if named or text(entry.resource.get("docStatus")) in _AMENDED
    }


def targets(entry: Entry, record: Record, code: str) -> Iterator[str]:
    """Yield the documents `entry` relates to in this way."""
    for relation in items(entry.resource.get("relatesTo")):
        named = record.identity(relation.get("target"), entry) if relation.get("code") == code else None
        if named is not None:
            yield named


def in_order(documents: tuple[Entry, ...], record: Record) -> tuple[Entry, ...]:
    """Return documents with each after those it appends, otherwise as they came."""
    appended = {entry.reference: frozenset(targets(entry, record, "appends")) for entry in documents}
    if not any(appended.values()):
        return documents
    rounds = _rounds(appended)
    return tuple(sorted(documents, key=lambda entry: rounds[entry.reference]))


def _rounds(appended: Mapping[str, frozenset[str]]) -> Mapping[str, int]:
    """Return for each document the round in which all it appends are placed; those in a circle share the last."""
    waiting_for = {each: {named for named in found if named in appended} - {each} for each, found in appended.items()}
    appending: dict[str, list[str]] = {}
    for each, found in waiting_for.items():
        for named in found:
            appending.setdefault(named, []).append(each)
    rounds: dict[str, int] = {}
    ready, number = [each for each, found in waiting_for.items() if not found], 0
    while ready:
        rounds |= dict.fromkeys(ready, number)
        freed = []
        for placed in ready:
            for each in appending.get(placed, ()):
                waiting_for[each].discard(placed)
                if not waiting_for[each]:
                    freed.append(each)
        ready, number = freed, number + 1
    return dict.fromkeys(appended, number) | rounds  # the rest append each other


def _standing(record: Record) -> Iterator[Entry]:
    for entry in record.of_type("DocumentReference"):
        stated = {text(entry.resource.get("status")), text(entry.resource.get("docStatus"))}
        if stated.isdisjoint(_NO_WORD) and member(entry.resource, "docStatus") != "preliminary":
            yield entry


def _circles(named: Mapping[str, Iterable[str]]) -> Mapping[str, int]:
    """Return a number for each key of `named`, the same for those that name each other, directly or in a circle.

    Tarjan's strongly connected components (SIAM J. Comput. 1, 146-160, 1972), without recursion: the time is in
    proportion to the relations, however long their chains are.
    """
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    circle: dict[str, int] = {}
    path: list[str] = []
    for start in named:
        if start not in order:
            _walk(start, named, (order, lowest, circle, path))
    return circle


def _walk(
    start: str,
    named: Mapping[str, Iterable[str]],
    state: tuple[dict[str, int], dict[str, int], dict[str, int], list[str]],
) -> None:
    """Number the circles of all that `start` leads to; `state` is what `_circles` keeps."""
    order, lowest, circle, path = state
    order[start] = lowest[start] = len(order)
    path.append(start)
    open_ = [(start, iter(named[start]))]
    while open_:
        at, further = open_[-1]
        following = next((each for each in further if each in named and each not in circle), None)
        if following is None:
            open_.pop()
            if open_:
                lowest[open_[-1][0]] = min(lowest[open_[-1][0]], lowest[at])
            if lowest[at] == order[at]:
                while path[-1] != at:
                    circle[path.pop()] = order[at]
                circle[path.pop()] = order[at]
        elif following in order:
            lowest[at] = min(lowest[at], order[following])
        else:
            order[following] = lowest[following] = len(order)
            path.append(following)
            open_.append((following, iter(named[following])))
