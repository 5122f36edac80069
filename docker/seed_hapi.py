"""Load the Bundles of the sample cases into a FHIR server.

    python seed_hapi.py http://hapi:8080/fhir fhir_fixtures

Every case is one transaction of PUTs, so loading twice changes nothing. Exit status: 0 all loaded, 1 some case
was not, 2 no server, no case, or two cases that would overwrite each other. The patients are synthetic.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import requests

FHIR_JSON = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
SECONDS_TO_WAIT = 300

log = logging.getLogger("seed")


def transaction(bundle: Mapping[str, Any], case: str) -> dict[str, Any]:
    """Return the transaction that puts every resource of a Bundle in its place.

    Takes a Bundle of any type and the name of its case, which names resources without an id. A `fullUrl` is kept, so
    that the server can follow `urn:uuid:` references. Raises ValueError where two resources claim the same place,
    because a server refuses the whole transaction then.
    """
    entries = [_put(entry, f"{case}-{number}") for number, entry in enumerate(_entries(bundle), start=1)]
    places = [entry["request"]["url"] for entry in entries]
    twice = sorted({place for place in places if places.count(place) > 1})
    if twice:
        raise ValueError(f"{case}: more than one resource for {', '.join(twice)}")
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def conflicts(transactions: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return one sentence for every resource that two cases hold with different content."""
    seen: dict[str, tuple[str, Any]] = {}
    found = []
    for case, bundle in transactions.items():
        for entry in bundle["entry"]:
            place = entry["request"]["url"]
            first, resource = seen.setdefault(place, (case, entry["resource"]))
            if resource != entry["resource"]:
                found.append(f"{place} differs between {first} and {case}")
    return found


def _entries(bundle: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for entry in bundle.get("entry") or ():
        if entry.get("resource", {}).get("resourceType"):
            yield entry


def _put(entry: Mapping[str, Any], name: str) -> dict[str, Any]:
    resource = dict(entry["resource"])
    resource.setdefault("id", name)
    place = f"{resource['resourceType']}/{resource['id']}"
    full_url = {"fullUrl": entry["fullUrl"]} if entry.get("fullUrl") else {}
    return {**full_url, "resource": resource, "request": {"method": "PUT", "url": place}}


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    bundles = sorted(folder.glob("*/bundle.json"))
    return {path.parent.name: transaction(json.loads(path.read_text("utf-8")), path.parent.name) for path in bundles}


def _wait_for(server: str) -> bool:
    """Ask until the server can describe itself; False when it never does."""
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while time.monotonic() < deadline:
        try:
            if requests.get(f"{server}/metadata", headers=FHIR_JSON, timeout=10).ok:
                return True
        except requests.RequestException:
            log.info("%s does not answer yet", server)
        time.sleep(5)
    return False


def _load(server: str, case: str, bundle: Mapping[str, Any]) -> bool:
    response = requests.post(server, data=json.dumps(bundle), headers=FHIR_JSON, timeout=60)
    if response.ok:
        log.info("%s: %d resources loaded", case, len(bundle["entry"]))
    else:
        log.error("%s: refused with %d: %s", case, response.status_code, response.text[:500])
    return response.ok


def main(server: str, folder: str) -> int:
    """Load every case below `folder` into the FHIR server at `server` and return the exit status."""
    server = server.rstrip("/")
    try:
        cases = _read(Path(folder))
    except ValueError as error:
        log.error("%s", error)  # noqa: TRY400 - the sentence says it all
        return 2
    problems = conflicts(cases) or ([] if cases else [f"no case in {folder}"])
    if problems:
        log.error("%s", "\n".join(problems))
        return 2
    if not _wait_for(server):
        log.error("%s did not answer within %d seconds", server, SECONDS_TO_WAIT)
        return 2
    loaded = [_load(server, case, bundle) for case, bundle in cases.items()]
    return 0 if all(loaded) else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main(sys.argv[1], sys.argv[2]))
