"""Make the generated parts of the cases: the notes inside `bundle.json` and the hook requests.

    python tools/build_cases.py [--check] [CASE ...]

The files in `notes/` go as base64 into the attachments of the same title in `bundle.json`; `order-sign.json` and
`encounter-discharge.json` are made from `bundle.json`, `draft-orders.json` and the `[requests]` of `case.toml`.
With `--check` nothing is written. Exit status 1 where a file differs (with `--check`), else 0.
"""

from __future__ import annotations

import argparse
import base64
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cds_service.cases import Case, load_cases
from cds_service.fhir.queries import TEMPLATES
from cds_service.fhir.record import PrefetchKey

FIXTURES = Path(__file__).resolve().parent.parent / "fhir_fixtures"

SEARCHED = {
    "coverage": "Coverage",
    "procedures": "Procedure",
    "claims": "Claim",
    "documents": "DocumentReference",
    "medications": "MedicationAdministration",
    "observations": "Observation",
    "conditions": "Condition",
    "orders": "ServiceRequest",
}
"""The prefetch keys that hold a searchset, and the resource type each holds."""

_ENCOUNTER = "{{context.encounterId}}"
"""What the templates have that find the resources of one encounter; the others find those of the patient."""

READ_FAILED = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "timeout", "details": {"text": "The search did not answer in time."}}],
}


def generated(case: Case) -> dict[Path, str]:
    """Return what the generated files of `case` have to hold, by path."""
    bundle = with_notes(case.bundle(), case.note_files())
    files = {case.folder / "bundle.json": _pretty(bundle)}
    for hook in case.hooks:
        files[case.folder / f"{hook}.json"] = _pretty(hook_request(case, hook, bundle))
    return files


def with_notes(bundle: dict[str, Any], notes: dict[str, bytes]) -> dict[str, Any]:
    """Return `bundle` with each note as the data of the attachment that has its file name as title.

    Raises:
        ValueError: An attachment without a note, or a note without an attachment.
    """
    attachments = list(_attachments(bundle))
    if sorted(attachment.get("title", "") for attachment in attachments) != sorted(notes):
        raise ValueError(f"{bundle.get('id')}: attachments and the files in notes/ do not match")
    for attachment in attachments:
        attachment["data"] = base64.b64encode(notes[attachment["title"]]).decode()
    return bundle


def hook_request(case: Case, hook: str, bundle: dict[str, Any]) -> dict[str, Any]:
    """Return the CDS Hooks request of `case` for `hook`, complete with context and prefetch."""
    resources = [entry["resource"] for entry in bundle["entry"]]
    patient = _of_type(resources, "Patient")[0]
    encounters = _of_type(resources, "Encounter")
    encounter = next((one for one in encounters if one["id"] == case.requests.encounter), encounters[0])
    context = {
        "userId": f"Practitioner/{_of_type(resources, 'Practitioner')[0]['id']}",
        "patientId": patient["id"],
        "encounterId": encounter["id"],
    }
    if case.requests.without_encounter:
        del context["encounterId"]
    request = {
        "hook": hook,
        "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{case.id}/{hook}")),
        "context": context,
        "prefetch": _prefetch(case, hook, bundle, patient, encounter),
    }
    if hook == "order-sign":
        request["context"] = {**context, "draftOrders": case.draft_orders()}
    return request


def _prefetch(
    case: Case, hook: str, bundle: dict[str, Any], patient: dict[str, Any], encounter: dict[str, Any]
) -> dict[str, Any]:
    wishes = case.requests
    prefetch: dict[str, Any] = {"patient": patient, "encounter": encounter}
    for key, resource_type in SEARCHED.items():
        entries = [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == resource_type]
        if wishes.scope == "encounter" and _ENCOUNTER in TEMPLATES[hook][PrefetchKey(key)]:
            entries = [entry for entry in entries if _belongs(entry["resource"], encounter["id"])]
        prefetch[key] = _searchset(entries) if entries else None
    # A template with an unset token is not run at all, so the client has nothing to send.
    absent = {*wishes.absent, *(["encounter"] if wishes.without_encounter else [])}
    prefetch.update(dict.fromkeys(wishes.null))
    prefetch.update(dict.fromkeys(wishes.failed, READ_FAILED))
    return {key: value for key, value in prefetch.items() if key not in absent}


def _belongs(resource: dict[str, Any], encounter_id: str) -> bool:
    """Return whether a search by encounter finds `resource`; one that names no encounter is taken as found."""
    named = {str(reference.get("reference")) for reference in _encounters(resource)}
    return not named or f"Encounter/{encounter_id}" in named


def _encounters(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "encounter" in resource:
        yield resource["encounter"]
    for item in resource.get("item", ()):
        yield from item.get("encounter", ())
    context = resource.get("context", {})
    yield from context.get("encounter", ())
    if "reference" in context:
        yield context


def _attachments(bundle: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in bundle["entry"]:
        for content in entry["resource"].get("content", ()):
            yield content["attachment"]


def _of_type(resources: list[dict[str, Any]], resource_type: str) -> list[dict[str, Any]]:
    return [resource for resource in resources if resource["resourceType"] == resource_type]


def _searchset(entries: list[dict[str, Any]]) -> dict[str, Any]:
    found = [{**entry, "search": {"mode": "match"}} for entry in entries]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": found}


def _pretty(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Run the tool; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a file differs")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="case ids (default: all)")
    arguments = parser.parse_args()
    stale = []
    for case in load_cases(FIXTURES):
        if arguments.cases and case.id not in arguments.cases:
            continue
        for path, content in generated(case).items():
            if path.exists() and path.read_text(encoding="utf-8") == content:
                continue
            stale.append(path)
            if not arguments.check:
                path.write_text(content, encoding="utf-8")
    for path in stale:
        print(f"{'differs' if arguments.check else 'written'}: {path.relative_to(FIXTURES)}")
    return 1 if arguments.check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
