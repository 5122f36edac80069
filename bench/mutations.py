"""Requests that went wrong on their way: real ones with something in them replaced, broken, or torn apart.

Everything is chosen by the `random.Random` that is handed in: the same seed gives the same bodies, and hypothesis,
which has a `Random` of its own, can make a failing body smaller.
"""

from __future__ import annotations

import base64
import copy
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from cds_service.cases import load_cases
from cds_service.resources import cases_folder

ASSESSMENTS: Final = "/assessments"
Call = tuple[str, bytes]
"""A path, and the body to post to it."""

_RAW: Final = "\ue000"
"""Begins a text that is written without its quotes: what JSON cannot say, such as NaN or a number of 400 digits."""
_TWIN: Final = "\ue001"
"""Ends the name of a member that is written without it: the same name a second time."""


def real_calls() -> list[Call]:
    """Return every request of the cases, and each case's Bundle as `POST /assessments` takes it."""
    calls = []
    for case in load_cases(cases_folder()):
        calls += [
            (f"/cds-services/paravertebral-{hook}", (case.folder / f"{hook}.json").read_bytes()) for hook in case.hooks
        ]
        calls.append((ASSESSMENTS, (case.folder / "bundle.json").read_bytes()))
    return calls


def feedback_call(card: str = "6f1a1b7e-4a60-5c1e-8a59-0d1f6b3c2a11") -> Call:
    """Return feedback as a client sends it."""
    entry = {
        "card": card,
        "outcome": "overridden",
        "overrideReason": {"reason": {"code": "other", "system": "urn:x", "display": "Other"}, "userComment": "No."},
        "outcomeTimestamp": "2026-03-02T10:05:31Z",
    }
    taken = {
        "card": card,
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": card}],
        "outcomeTimestamp": "2026-03-02",
    }
    return "/cds-services/paravertebral-order-sign/feedback", json.dumps({"feedback": [entry, taken]}).encode()


# --- values ----------------------------------------------------------------------------------------------------------

ODD_DATES: Final = (
    "0000-00-00", "0001-01-01", "2026-02-30", "2026-13-01", "2026", "2026-03", "9999-12-31",
    "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2016-12-31T23:59:60Z", "2026-03-02T24:00:00Z",
    "2026-03-02T10:00:00+99:99", "2026-03-02T10:00", "2026-03-02 10:00", "20260302", "2026-W10-1", "-2026-03-02",
    "10000-01-01", "3/2/2026", "٢٠٢٦-٠٣-٠٢", "2026-03-02T10:00:00.123456789012345Z", "2026-03-02T10:00:00−05:00",
    "yesterday", "T",
)  # fmt: skip

ODD_TEXTS: Final = (
    "", " ", "\x00", "\ud800", "\u2028", "\ufeff", "😀" * 50, "a\u0301", "x" * 5000, "../../etc/passwd",
    "${jndi:ldap://x}", "<script>alert(1)</script>", "%s%n", "{{context.patientId}}", "' OR 1=1 --", "²", "٣", "½",
    "1e400", "-0", "NaN", "0x10", "Claim/", "/", "#", "#1", "Encounter/..", "urn:uuid:", "urn:oid:1.2", "http://",
    "http://[", "http://x:99999999/Claim/1", "https://x/Encounter/1/_history/2", "64461", "64461-50-RT",
    "64461,64462", "00000", "99999", "T4", "right",
)  # fmt: skip

ODD_NUMBERS: Final = (
    0, -0.0, -1, 0.5, 1e-320, 1e308, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, f"{_RAW}1e400", f"{_RAW}-1E+9999",
    f"{_RAW}{'9' * 400}", f"{_RAW}NaN", f"{_RAW}Infinity", f"{_RAW}0.{'1' * 400}", f"{_RAW}01",
)  # fmt: skip

TYPES: Final = (
    "Bundle", "Claim", "Procedure", "DocumentReference", "Binary", "Encounter", "Patient", "OperationOutcome",
    "Observation", "MedicationAdministration", "Condition", "ServiceRequest", "Coverage", "Parameters", "claim", "",
    "Foo",
)  # fmt: skip

ODD_WORDS: Final = (
    "T0", "T13", "T12-L9", "T4-T4", "T99 to T1", "L5-S9", "C0", "Th", "T4, T5, and", "levels: -1", "at ² levels",
    "x٣", "½ level", "levels four to zero", "1000000 levels", f"{'9' * 400} mL", "0.0 %", "-5 mL", "1e9 mL", "0,5 %",
    "1/0 mL", "10 mg/0 mL", "VAS 99/10", "pain 10/0", "pain -3", "03/32/2026", "00/00/0000", "on 2/30/2026",
    "right left bilateral", "***", "[]", "( )", "procedure:\n" * 30, "no " * 50, "\f", "\r", "\t" * 40, "\x00",
    "\ufffd", "ﬁ", "İ", "ß", "Ⅳ", "T①", "—", "…" * 20, "<br>" * 9, "ADDENDUM: wrong side, was left",
    "ADDENDUM: levels corrected to", "rib 0", "ribs 3-", "ribs 12 to 1", "x 99", "×0", "#0",
    "Right paravertebral block at T4.", "bilateral", "catheter left in place", "under ultrasound guidance", "denies",
)  # fmt: skip

FILES: Final[tuple[tuple[str, bytes], ...]] = (
    ("text/rtf", b"{\\rtf1\\ansi {\\b Right paravertebral block at T4\\par"),
    ("text/rtf", b"{\\rtf1\\bin99999999999 \\u-99999999 \\'zz\\uc-1 \\ansicpg99999 text}}}}"),
    ("application/rtf", b"{\\rtf1" + b"{" * 5000),
    ("text/html", b"<html><body>" + b"<div>" * 3000 + b"Right paravertebral block at T4"),
    ("text/html", b"<p>&#0; &#x110000; &#99999999999; &bogus; <![CDATA[ <!-- <!DOCTYPE x"),
    ("application/pdf", b"%PDF-1.7\n1 0 obj << /Type /Catalog /Pages 1 0 R >> endobj trailer << /Root 1 0 R >>"),
    ("application/pdf", b"%PDF-1.4\n" + bytes(range(256)) * 4 + b"\nstartxref\n99999999\n%%EOF"),
    ("application/hl7-v3+xml", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;&b;">]><a>&d;</a>'),
    ("application/hl7-v3+xml", b'<ClinicalDocument xmlns="urn:hl7-org:v3"><component><structuredBody><component/>'),
    ("text/xml", b"<ClinicalDocument" + b"<a>" * 2000),
    ("text/plain; charset=utf-16", "Right paravertebral block at T4.".encode("utf-16")[:-1]),
    ("text/plain; charset=bogus", b"\xff\xfe\xfd Right block"),
    ("text/plain;charset=\x00", b""),
    ("image/png", b"\x89PNG\r\n"),
    ("text/plain", gzip.compress(b"Right paravertebral block at T4. " * 100)),
    ("", b"{\\rtf1 <html> %PDF-"),
)


def odd_value(chance: Random) -> Any:
    """Return any JSON value, most of them such as no client should send."""
    kind = chance.randrange(8)
    if kind == 0:
        return chance.choice(ODD_TEXTS)
    if kind == 1:
        return chance.choice(ODD_NUMBERS)
    if kind == 2:
        return chance.choice(ODD_DATES)
    if kind == 3:
        return chance.choice((None, True, False, [], {}))
    if kind == 4:
        return [odd_value(chance) for _ in range(chance.randrange(3))]
    if kind == 5:
        return {chance.choice(("id", "reference", "code", "value", "coding", "")): odd_value(chance)}
    if kind == 6:
        return _nested(chance.choice((5, 30, 90, 150)), chance.choice((True, False)))
    return chance.choice(([None], [[]], [{}], [[None]], {"": None}, {"resourceType": chance.choice(TYPES)}))


def _nested(depth: int, listed: bool) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value] if listed else {"extension": value}
    return value


# --- places ----------------------------------------------------------------------------------------------------------


class Place:
    """A value in a document: that of `key` in `parent`."""

    __slots__ = ("key", "parent")

    def __init__(self, parent: Any, key: Any) -> None:
        self.parent = parent
        self.key = key

    @property
    def value(self) -> Any:
        """The value there."""
        return self.parent[self.key]

    @value.setter
    def value(self, value: Any) -> None:
        self.parent[self.key] = value


def places(document: Any) -> Iterator[Place]:
    """Yield every place in `document`, from the outside to the inside."""
    left = [document]
    while left:
        parent = left.pop()
        if isinstance(parent, dict | list):
            for key in parent if isinstance(parent, dict) else range(len(parent)):
                yield Place(parent, key)
                left.append(parent[key])


def _those(document: Any, wanted: Callable[[Place], bool]) -> list[Place]:
    return [place for place in places(document) if wanted(place)]


# --- changes of a document -------------------------------------------------------------------------------------------


def _replace(chance: Random, document: Any) -> None:
    _any(chance, document).value = odd_value(chance)


def _delete(chance: Random, document: Any) -> None:
    place = _any(chance, document)
    del place.parent[place.key]


def _duplicate(chance: Random, document: Any) -> None:
    place = _any(chance, document)
    if isinstance(place.parent, list):
        place.parent += [copy.deepcopy(place.value)] * chance.choice((1, 2, 60))
    else:
        place.parent[f"{place.key}{_TWIN}"] = odd_value(chance)


def _retag(chance: Random, document: Any) -> None:
    place, other = _any(chance, document), _any(chance, document)
    if isinstance(place.parent, dict) and isinstance(other.parent, dict):
        place.parent[other.key] = place.parent.pop(place.key)


def _move(chance: Random, document: Any) -> None:
    place, other = _any(chance, document), _any(chance, document)
    place.value = copy.deepcopy(other.value)


def _wrap(chance: Random, document: Any) -> None:
    place = _any(chance, document)
    place.value = chance.choice(([place.value], {"value": place.value}, [[place.value]], [place.value, None]))


def _unwrap(chance: Random, document: Any) -> None:
    found = _those(document, lambda p: isinstance(p.value, dict | list) and bool(p.value))
    if found:
        place = chance.choice(found)
        value = place.value
        place.value = next(iter(value.values() if isinstance(value, dict) else value))


def _other_type(chance: Random, document: Any) -> None:
    place = _any(chance, document)
    if isinstance(place.value, str):
        place.value = chance.choice((len(place.value), list(place.value)[:20], {"text": place.value}))
    elif isinstance(place.value, list):
        place.value = dict(enumerate(place.value))
    elif isinstance(place.value, dict):
        place.value = list(place.value.items())
    else:
        place.value = json.dumps(place.value)


def _text(chance: Random, document: Any) -> None:
    found = _those(document, lambda p: isinstance(p.value, str))
    if found:
        place = chance.choice(found)
        cut = chance.randrange(len(place.value) + 1)
        place.value = place.value[:cut] + chance.choice(ODD_TEXTS) + place.value[cut:]


def _date(chance: Random, document: Any) -> None:
    found = _those(document, lambda p: isinstance(p.value, str) and p.value[:2] == "20" and p.value[4:5] == "-")
    if found:
        chance.choice(found).value = chance.choice(ODD_DATES)


def _number(chance: Random, document: Any) -> None:
    found = _those(document, lambda p: isinstance(p.value, int | float))
    if found:
        chance.choice(found).value = chance.choice(ODD_NUMBERS)


def _resource_type(chance: Random, document: Any) -> None:
    found = _those(document, lambda p: p.key == "resourceType")
    if found:
        chance.choice(found).value = chance.choice(TYPES)


def _reference(chance: Random, document: Any) -> None:
    """Point anywhere: to itself, in a circle, to another type, to nothing."""
    found = _those(document, lambda p: p.key == "reference" and isinstance(p.value, str))
    resources = [value for value in (place.value for place in places(document)) if isinstance(value, dict)]
    named = [f"{value.get('resourceType')}/{value.get('id')}" for value in resources if "resourceType" in value]
    if found and named:
        for _ in range(chance.choice((1, 3, len(found)))):
            chance.choice(found).value = chance.choice(named)


def _relation(chance: Random, document: Any) -> None:
    """Have resources replace, append, contain or be part of themselves and each other."""
    found = [
        place.value for place in _those(document, lambda p: isinstance(p.value, dict) and "resourceType" in p.value)
    ]
    if not found:
        return
    for _ in range(chance.choice((1, 2, 6))):
        one, other = chance.choice(found), chance.choice(found)
        target = {"reference": f"{other.get('resourceType')}/{other.get('id')}"}
        name, value = chance.choice((
            ("relatesTo", [{"code": chance.choice(("replaces", "appends", "transforms", 1)), "target": target}]),
            ("partOf", [target]), ("basedOn", [target]), ("encounter", target), ("report", [target]),
            ("related", [{"claim": target}]), ("contained", [copy.deepcopy(other)]),
            ("context", {"encounter": [target], "related": [target]}),
            ("id", chance.choice(("x" * 5000, other.get("id"), 7, None))),
        ))  # fmt: skip
        one[name] = value


def _note(chance: Random, document: Any) -> None:
    """Change the text of a note: words out, odd words in."""
    found = _those(document, lambda p: p.key == "data" and isinstance(p.value, str))
    if not found:
        return
    place = chance.choice(found)
    try:
        text = base64.b64decode(place.value).decode("utf-8", "surrogateescape")
    except ValueError:
        return
    place.value = base64.b64encode(worse_note(chance, text).encode("utf-8", "surrogateescape")).decode("ascii")


def worse_note(chance: Random, text: str) -> str:
    """Return a note with pieces taken out, said twice, and odd words put in."""
    for _ in range(chance.choice((1, 3, 10, 30))):
        where = chance.randrange(len(text) + 1)
        until = min(len(text), where + chance.choice((0, 0, 1, 5, 40, 400)))
        put = chance.choice((chance.choice(ODD_WORDS), chance.choice(ODD_WORDS), "", text[where:until] * 2))
        text = f"{text[:where]} {put} {text[until:]}" if chance.random() < 0.5 else text[:where] + put + text[until:]
    return text[:20_000]


def _file(chance: Random, document: Any) -> None:
    """Have an attachment hold something else than a text."""
    found = _those(document, lambda p: isinstance(p.value, dict) and "data" in p.value)
    if not found:
        return
    attachment = chance.choice(found).value
    kind, content = chance.choice(FILES)
    if chance.random() < 0.5:
        content = worse_bytes(chance, content)
    attachment["contentType"] = kind
    attachment["data"] = base64.b64encode(content).decode("ascii")
    if chance.random() < 0.2:
        attachment["data"] = chance.choice(("%%%", "=", "QQ", attachment["data"][:-1], "Zm9v\nYmFy", "_-_-", "é", " "))


def _any(chance: Random, document: Any) -> Place:
    found = list(places(document))
    return chance.choice(found) if found else Place([None], 0)


CHANGES: Final[tuple[Callable[[Random, Any], None], ...]] = (
    _replace, _replace, _delete, _duplicate, _retag, _move, _wrap, _unwrap, _other_type, _text, _date, _number,
    _resource_type, _reference, _relation, _note, _note, _note, _file,
)  # fmt: skip


def worse_document(chance: Random, document: Any, most: int = 4) -> Any:
    """Return a copy of `document` with one to `most` changes."""
    document = copy.deepcopy(document)
    for _ in range(chance.randint(1, most)):
        if isinstance(document, dict | list) and document:
            chance.choice(CHANGES)(chance, document)
    return document


def to_body(document: Any) -> bytes:
    """Return `document` as JSON, or nearly: with what the changes put in that JSON cannot say."""
    text = json.dumps(document, separators=(",", ":"))
    for mark in (_RAW, _TWIN):
        text = text.replace(json.dumps(mark)[1:-1], mark)
    while (start := text.find(f'"{_RAW}')) >= 0:
        end = text.index('"', start + 2)
        text = text[:start] + text[start + 2 : end] + text[end + 1 :]
    return text.replace(_TWIN, "").replace(_RAW, "").encode()


# --- changes of bytes ------------------------------------------------------------------------------------------------

TOKENS: Final = (
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-", b"0x1F",
    b"\\u0000", b"\\uD800", b"\\", b"/*", b"//", b"'", b"\x00", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\r\n", b"[" * 120, b'{"a":' * 120, b"9" * 400,
    b'"resourceType":"Bundle",', b'"hook":null,', b"\x1f\x8b\x08",
)  # fmt: skip


def worse_bytes(chance: Random, body: bytes) -> bytes:
    """Return `body` with bits flipped, pieces cut out, moved and put in, or in another encoding."""
    for _ in range(chance.choice((1, 1, 2, 8))):
        body = chance.choice(_BYTES)(chance, body)
    return body


def _flip(chance: Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.choice((1, 1, 4, 32)) if changed else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(chance: Random, body: bytes) -> bytes:
    return body[: chance.randrange(len(body) + 1)]


def _drop(chance: Random, body: bytes) -> bytes:
    start = chance.randrange(len(body) + 1)
    return body[:start] + body[start + chance.choice((1, 2, 20, 500)) :]


def _insert(chance: Random, body: bytes) -> bytes:
    where = chance.randrange(len(body) + 1)
    return body[:where] + chance.choice(TOKENS) + body[where:]


def _splice(chance: Random, body: bytes) -> bytes:
    start, where = chance.randrange(len(body) + 1), chance.randrange(len(body) + 1)
    return body[:where] + body[start : start + chance.choice((5, 100, 2000))] + body[where:]


def _digits(chance: Random, body: bytes) -> bytes:
    """Change one digit: most of what comes out is JSON still."""
    found = [at for at, byte in enumerate(body) if 48 <= byte <= 57]
    if not found:
        return body
    at = chance.choice(found)
    return body[:at] + chance.choice((b"0", b"9", b"-", b".", b"e", b"99999999999")) + body[at + 1 :]


def _encode(chance: Random, body: bytes) -> bytes:
    text = body.decode("utf-8", "replace")
    kind = chance.randrange(5)
    if kind == 0:
        return gzip.compress(body, mtime=0)
    if kind == 1:
        return b"\xef\xbb\xbf" + body
    return text.encode(("utf-16", "utf-32", "cp037")[kind - 2], "replace")


_BYTES: Final[Sequence[Callable[[Random, bytes], bytes]]] = (
    _flip, _flip, _cut, _drop, _drop, _insert, _insert, _splice, _digits, _digits, _encode,
)  # fmt: skip


def recorded_calls(folder: Path) -> list[Call]:
    """Return the hook requests and Bundles among the JSON files below `folder`; none where it is not there."""
    calls = []
    for file in sorted(folder.rglob("*.json")):
        body = file.read_bytes()
        document = json.loads(body)
        if isinstance(document, dict) and "hookInstance" in document:
            calls += [(f"/cds-services/paravertebral-{hook}", body) for hook in ("order-sign", "encounter-discharge")]
        elif isinstance(document, dict) and document.get("resourceType") == "Bundle":
            calls.append((ASSESSMENTS, body))
    return calls
