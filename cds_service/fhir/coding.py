"""Codes of CodeableConcepts: CPT however it is labeled, modifiers, and other systems under one name each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from cds_service.fhir.reading import codings, items, member, numbered, text

CPT: Final = "http://www.ama-assn.org/go/cpt"
SNOMED: Final = "http://snomed.info/sct"
LOINC: Final = "http://loinc.org"
ICD_10_CM: Final = "http://hl7.org/fhir/sid/icd-10-cm"
PLACE_OF_SERVICE: Final = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"

BILLING_OPTIONS: Final = "http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-billing-options"

# Systems as `_bare_system` leaves them: no scheme, no "www.", no version, lower case. HL7 terminology gives the AMA's
# address for CPT (https://terminology.hl7.org/CodeSystem-CPT.html); the rest is what senders write. HCPCS level I *is*
# CPT (https://www.cms.gov/medicare/coding-billing/healthcare-common-procedure-system), so codes of CPT's shape under a
# HCPCS system are taken as CPT.
_CANONICAL: Final = {
    "ama-assn.org/go/cpt": CPT,
    "ama-assn.org/go/cpt-4": CPT,
    "ama-assn.org/cpt": CPT,
    "terminology.hl7.org/codesystem/cpt": CPT,
    "urn:oid:2.16.840.1.113883.6.12": CPT,
    "2.16.840.1.113883.6.12": CPT,
    "cpt": CPT,
    "cpt4": CPT,
    "cpt-4": CPT,
    "cms.gov/medicare/coding/hcpcsreleasecodesets": CPT,
    "cms.gov/medicare/coding/medhcpcsgeninfo": CPT,
    "bluebutton.cms.gov/resources/codesystem/hcpcs": CPT,
    "terminology.hl7.org/codesystem/hcpcs": CPT,
    "urn:oid:2.16.840.1.113883.6.285": CPT,
    "urn:oid:2.16.840.1.113883.6.14": CPT,
    "2.16.840.1.113883.6.285": CPT,
    "hcpcs": CPT,
    "snomed.info/sct": SNOMED,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "2.16.840.1.113883.6.96": SNOMED,
    "hl7.org/fhir/sid/icd-10-cm": ICD_10_CM,
    "urn:oid:2.16.840.1.113883.6.90": ICD_10_CM,
    "2.16.840.1.113883.6.90": ICD_10_CM,
    "icd-10-cm": ICD_10_CM,
    "icd10cm": ICD_10_CM,
    "cms.gov/medicare/coding/place-of-service-codes/place_of_service_code_set": PLACE_OF_SERVICE,
    "cms.gov/medicare/coding/place-of-service-codes": PLACE_OF_SERVICE,
    "bluebutton.cms.gov/resources/variables/line_place_of_srvc_cd": PLACE_OF_SERVICE,
    "urn:oid:2.16.840.1.113883.6.50": PLACE_OF_SERVICE,
    "2.16.840.1.113883.6.50": PLACE_OF_SERVICE,
    "urn:oid:2.16.840.1.113883.6.88": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
}
_SNOMED_EDITION: Final = re.compile(r"snomed\.info/sct/\d+(/version/\d+)?")

# Categories I, II (F), III (T), laboratory (U) and multianalyte (M).
_CODE: Final = r"[0-9]{4}[0-9FMTU]"
# After a blank, two letters or digits may be anything ("64461 mL", "64461 50 mg"); these letters are modifiers.
_LETTERS: Final = r"(?:RT|LT|TC|KX|X[EPSU]|G[ACXYZ]|Q[KSXYZ]|A[ADS]|P[1-6])(?![A-Z0-9])"
_JOINED: Final = r"\s*[-:]\s*[A-Z0-9]{2}(?![A-Z0-9.])"
_UNITS: Final = r"(?:\s*[X×*]\s*(?P<units>[1-9][0-9]?)(?![A-Z0-9.]))?"
# In `coding.code` the code stands alone, with modifiers at most.
_CODED: Final = re.compile(rf"(?P<code>{_CODE})(?P<modifiers>(?:{_JOINED}|\s*,\s*[A-Z0-9]{{2}}|\s+{_LETTERS})*)")
# Free text is believed only where it can be nothing else: codes and no other word, ...
_LISTED: Final = re.compile(
    rf"(?P<code>{_CODE})(?![0-9A-WYZ])(?P<modifiers>(?:{_JOINED}|[\s,]+{_LETTERS})*){_UNITS}"
    r"(?![0-9A-Z.]|\s*(?:[-–—]|TO|THROUGH|THRU)\s*[0-9]{4})"
)
_NEXT: Final = re.compile(r"\s*(?:,|;|/|\+|&|AND)\s*(?:CPT\s*)?(?=[0-9]{4})")
# ... the code, a spaced dash or a colon, and its title, ...
_TITLED: Final = re.compile(rf"(?P<code>{_CODE})(?P<modifiers>)(?:\s+[-–—]\s+|:\s+)(?=[A-Z]{{3}})")
# ... or the word CPT before it.
# (Repetitions beside each other are possessive: a run of blanks must not be shared out in every possible way.)
_LABEL: Final = re.compile(r"(?<![A-Z0-9])(?:CPT|HCPCS)(?:-?4)?[®\s]*+(?:CODES?)?+\s*+[:#=]?+\s*+(?=[0-9]{4})")
_MODIFIER: Final = re.compile(r"[A-Z0-9]{2}")


@dataclass(frozen=True, slots=True)
class CodedValue:
    """A code and where in its concept it stands.

    `path` is relative to the concept: "coding[0].code", "text", or "code" where the concept is a bare Coding.
    `modifiers` were written with the code ("64461-RT"); `units` too ("64461 x2"), None where not stated.
    """

    code: str
    path: str
    modifiers: tuple[str, ...] = ()
    units: int | None = None


def cpt_codes(concept: object) -> tuple[CodedValue, ...]:
    """Return the CPT codes of a CodeableConcept (or Coding), each once.

    Taken are codings under any of CPT's or HCPCS's names, codings without a system whose code has CPT's shape, and,
    where there are none, codes in `text` that cannot be anything else ("64461", "CPT 64461-RT x2", "64461 - title").
    Numbers in prose ("64461 mL"), longer numbers and codes under other systems are not.
    """
    found = _once(_coded(concept))
    if found:
        return found
    words = text(concept) or text(member(concept, "text"))
    return _once(_in_text(words)) if words else ()


BillingOptions = tuple[tuple[str, tuple[CodedValue, ...]], ...]
"""For each option the path of its concept, and its CPT codes; none where it has none."""


def billing_options(concept: object) -> BillingOptions:
    """Return what a clinical code may be billed as: its options, with paths in `concept`.

    Several options may contradict each other: an order carries whatever its codes could become on a claim
    (https://hl7.org/fhir/us/davinci-crd/StructureDefinition-ext-billing-options.html).
    """
    return tuple(
        (f"extension[{place}].valueCodeableConcept", cpt_codes(extension.get("valueCodeableConcept")))
        for place, extension in numbered(member(concept, "extension"))
        if extension.get("url") == BILLING_OPTIONS
    )


def concepts(concept: object) -> tuple[tuple[str, str], ...]:
    """Return the (system, code) pairs of a CodeableConcept, systems in one form each (see `canonical_system`).

    Codings without a system or a code are left out; so are codes of CPT's systems (see `cpt_codes`).
    """
    pairs = ((canonical_system(coding.get("system")), text(coding.get("code"))) for coding in codings(concept))
    return tuple((system, code.strip()) for system, code in pairs if system and code and system != CPT)


def modifiers(value: object) -> tuple[str, ...]:
    """Return the two-character modifiers of a list of CodeableConcepts (`Claim.item.modifier`), each once, in order."""
    written = (text(coding.get("code")) for concept in items(value) for coding in codings(concept))
    spoken = (text(concept.get("text")) for concept in items(value) if not codings(concept))
    candidates = ((word or "").strip().upper() for word in (*written, *spoken))
    return tuple(dict.fromkeys(word for word in candidates if _MODIFIER.fullmatch(word)))


def canonical_system(system: object) -> str | None:
    """Return one name for each code system: CPT, SNOMED CT, ICD-10-CM, RxNorm and LOINC by their FHIR address.

    Other systems are returned as written, without a version; None where there is no system.
    """
    written = text(system)
    if written is None:
        return None
    unversioned = written.strip().partition("|")[0]
    bare = _bare_system(unversioned)
    if _SNOMED_EDITION.fullmatch(bare):
        return SNOMED
    return _CANONICAL.get(bare, unversioned)


def _once(values: Iterable[CodedValue]) -> tuple[CodedValue, ...]:
    """Return one value for each code, the one with modifiers where another has none."""
    found: dict[str, CodedValue] = {}
    for value in values:
        known = found.get(value.code)
        if known is None or (value.modifiers and not known.modifiers):
            found[value.code] = value
    return tuple(found.values())


def _bare_system(system: str) -> str:
    bare = system.lower().removeprefix("https://").removeprefix("http://").removeprefix("www.")
    return bare.rstrip("/")


def _coded(concept: object) -> Iterator[CodedValue]:
    """Yield the CPT codes of the codings."""
    if member(concept, "coding") is None and member(concept, "code") is not None:
        yield from _coding(concept, "code")
    for place, coding in numbered(member(concept, "coding")):
        yield from _coding(coding, f"coding[{place}].code")


def _coding(coding: Any, path: str) -> Iterator[CodedValue]:
    code = coding.get("code")
    if isinstance(code, int) and not isinstance(code, bool):
        code = str(code)
    match = _CODED.fullmatch(code.strip().upper()) if isinstance(code, str) else None
    if match is not None and canonical_system(coding.get("system")) in (CPT, None):
        yield _value(match, path)


def _in_text(words: str) -> Iterator[CodedValue]:
    """Yield the CPT codes of free text."""
    plain = words.strip().upper()
    values, end = _listed(plain, 0)
    if values and end == len(plain):
        yield from values
        return
    titled = _TITLED.match(plain)
    if titled is not None:
        yield _value(titled, "text")
        return
    end = 0
    for label in _LABEL.finditer(plain):
        if label.start() >= end:  # else it is within the list of a label before
            listed, end = _listed(plain, label.end())
            yield from listed


def _listed(plain: str, place: int) -> tuple[list[CodedValue], int]:
    """Return the codes of a list ("64461-RT, 64462 x2 and 76942") that starts at `place`, and where it ends."""
    values: list[CodedValue] = []
    match = _LISTED.match(plain, place)
    while match is not None:
        values.append(_value(match, "text"))
        place = match.end()
        comma = _NEXT.match(plain, place)
        match = _LISTED.match(plain, comma.end()) if comma else None
    return values, place


def _value(match: re.Match[str], path: str) -> CodedValue:
    written = match.groupdict()
    units = written.get("units")
    marks = tuple(dict.fromkeys(_MODIFIER.findall(written["modifiers"])))
    return CodedValue(written["code"], path, marks, int(units) if units else None)
