"""FHIR references as strings: what they name, without looking anything up.

Rules: FHIR R4 references.html#literal and bundle.html#references.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# A literal reference ends in Type/id, with a version after it or not. Ids are not held to FHIR's 64 characters:
# real clients send longer ones.
_LITERAL = re.compile(
    r"(?:(?P<base>https?://[^?#\s]+)/)?(?P<type>[A-Z][A-Za-z]{1,63})/(?P<id>[^/?#\s]+)"
    r"(?:/_history/[^/?#\s]+)?(?P<fragment>#[^\s#]+)?"
)
_URN = re.compile(r"urn:(?:uuid|oid):[^\s#]+", re.IGNORECASE)


def reference_id(reference: object) -> str | None:
    """Return what a FHIR `Reference` (or its string) names, in one normal form, or None.

    "Claim/1" for relative, versioned and absolute references; `urn:uuid:`/`urn:oid:` references in lower case,
    since they name a resource by its `fullUrl`. None for contained references (they mean nothing outside their
    resource), for references by identifier only, and for anything that is not a reference.
    """
    written = literal(reference)
    if written is None:
        return None
    if _URN.fullmatch(written):
        return written.lower()
    match = _LITERAL.fullmatch(written)
    return f"{match['type']}/{match['id']}{match['fragment'] or ''}" if match else None


def literal(reference: object) -> str | None:
    """Return the `reference` string of a FHIR `Reference`, or the string itself, or None where there is none."""
    value = reference.get("reference") if isinstance(reference, Mapping) else reference
    if not isinstance(value, str):
        return None
    return value.strip() or None


def contained_id(reference: object) -> str | None:
    """Return the local id of a contained reference ("#c1" -> "c1"), or None for any other reference.

    "#" alone is the resource that contains the referring one, and gives "".
    """
    written = literal(reference)
    return written[1:] if written is not None and written.startswith("#") else None


def index_keys(reference: object) -> tuple[str, ...]:
    """Return the keys a reference may be found under in a record's index, most exact first.

    An absolute reference is looked for by `fullUrl` first, then as Type/id: one request tells of one FHIR
    server, which often goes by several names (inside and outside of a proxy).
    """
    identity = reference_id(reference)
    written = literal(reference)
    if written is None or identity is None:
        return ()
    without_version = written.partition("/_history/")[0]
    return tuple(dict.fromkeys((without_version, identity)))


def plain_id(value: object, resource_type: str) -> str | None:
    """Return the bare id of a context field that may come as "123", "Patient/123" or an absolute reference.

    None where it is not a non-empty string, or is a reference to another type.
    """
    written = literal(value)
    if written is None or "/" not in written:
        return written
    kind, _, identifier = (reference_id(written) or "").partition("/")
    return identifier if kind == resource_type and identifier else None
