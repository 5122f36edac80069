"""Whom and which encounter a resource is about."""

from __future__ import annotations

from typing import Final

from cds_service.fhir.record import Entry, Record
from cds_service.fhir.references import literal

_PATIENT_MEMBERS: Final = ("subject", "patient", "beneficiary")


def own_patient(record: Record) -> str | None:
    """Return the patient the record is about ("Patient/1"), None where it names none or several."""
    return f"Patient/{record.patient_id}" if record.patient_id else None


def patient_of(entry: Entry, record: Record) -> str | None:
    """Return the patient a resource names, as a reference; None where it names none that can be told."""
    named = (record.identity(entry.resource.get(name), entry) for name in _PATIENT_MEMBERS)
    return next((patient for patient in named if patient and patient.startswith("Patient/")), None)


def is_of_another(entry: Entry, own: str | None, record: Record) -> bool:
    """Return whether a resource names another patient than `own`; one that names none is of no other."""
    if own is None or literal(entry.resource.get("subject")) == own:
        return False
    return are_two(patient_of(entry, record), own)


def are_two(patient: str | None, other: str | None) -> bool:
    """Return whether two references are to different patients; one that is not known is of no other."""
    return patient is not None and other is not None and patient != other


def encounter_of(reference: object, base: Entry, record: Record) -> str | None:
    """Return the encounter a reference of `base` names, None where it names something else, or nothing."""
    entry = record.resolve(reference, base)
    named = record.identity(reference, base)
    if named is None or (entry is not None and entry.type != "Encounter"):
        return None
    return named if entry is not None or named.startswith(("Encounter/", "urn:")) else None
