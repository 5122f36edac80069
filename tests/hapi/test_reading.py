"""What a real FHIR server holds leads to the same cards as the same things sent along."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from cds_service.cases import Case
from cds_service.fhir.bundle import RESOURCE_TYPES
from docker.seed_hapi import transaction
from tests.hapi.conftest import PATIENT
from tests.hapi.fhir_server import LocalFhirServer
from tests.hapi.proxy import CheckingProxy
from tests.hapi.requests_of_an_ehr import (
    CASES,
    FIRED,
    TOKEN,
    Hook,
    Resource,
    attachments,
    cards,
    hook_of,
    lent,
    linked,
    renamed,
)
from tests.hapi.service import PATHS, Service, running_service
from tests.hooks.signing import BASE, EHR, jwks, token

pytestmark = pytest.mark.integration

EVERY_HOOK = pytest.mark.parametrize(
    ("case", "hook"), [pytest.param(case, hook, id=f"{case.id}-{hook}") for case, hook in FIRED]
)
TYPES = {key.value: kind for key, kind in RESOURCE_TYPES.items()}


def sent_by_key(hook: Hook) -> dict[str, list[Resource]]:
    """Return the entries of each prefetch key that has some."""
    return {key: value["entry"] for key, value in hook.full["prefetch"].items() if value and "entry" in value}


def filled(templates: Mapping[str, str], request: Mapping[str, Any]) -> dict[str, str]:
    """Return the templates with the ids of a request in them."""
    context = {f"{{{{context.{name}}}}}": str(value) for name, value in request["context"].items()}
    for name, value in context.items():
        templates = {key: template.replace(name, value) for key, template in templates.items()}
    return dict(templates)


def proxied(proxy: CheckingProxy, query: str) -> Resource | None:
    """Return what an EHR gets for a query of its own, as it would send it: nothing found is null."""
    answer = requests.get(f"{proxy.base}/{query}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60).json()
    return answer if answer["resourceType"] != "Bundle" or answer.get("entry") else None


def signed_for(hook: str) -> str:
    """Return a JWT of the registered client for one call of a hook."""
    now = int(time.time())
    return token(aud=BASE + PATHS[hook], iat=now, exp=now + 300, jti=str(uuid4())).text()


WITH_FILES = [case for case in CASES if any(attachments(case.bundle())) and "encounter-discharge" in case.hooks]


@EVERY_HOOK
def test_without_prefetch_the_cards_are_the_same(case: Case, hook: str, service: Service, proxy: CheckingProxy) -> None:
    request = hook_of(case, hook)
    sent = cards(service.call(hook, request.full))
    assert proxy.seen == []
    read = cards(service.call(hook, lent(request.without(*request.keys), proxy.base)))
    assert read == sent
    assert all(seen.authorized for seen in proxy.seen)
    if hook == "encounter-discharge":
        assert sorted(proxy.asked()) == sorted(TYPES.values())


@EVERY_HOOK
def test_with_half_of_the_keys_the_cards_are_the_same(
    case: Case, hook: str, service: Service, proxy: CheckingProxy
) -> None:
    request = hook_of(case, hook)
    sent = cards(service.call(hook, request.full))
    for left_out in (request.keys[::2], request.keys[1::2]):
        proxy.reset()
        assert cards(service.call(hook, lent(request.without(*left_out), proxy.base))) == sent
        assert set(proxy.asked()) <= {TYPES[key] for key in left_out}


@EVERY_HOOK
def test_in_pages_of_one_the_cards_are_the_same(case: Case, hook: str, service: Service, proxy: CheckingProxy) -> None:
    request = hook_of(case, hook)
    proxy.page_size = 1
    sent = cards(service.call(hook, request.full))
    assert cards(service.call(hook, lent(request.without(*request.keys), proxy.base))) == sent
    more = max(len((request.full["prefetch"][key] or {}).get("entry", ())) for key in request.keys)
    if hook == "encounter-discharge" and more > 1:
        assert "" in proxy.asked(), "no further page was asked for"


@pytest.mark.parametrize("case", WITH_FILES, ids=lambda case: case.id)
def test_attachments_that_are_links_are_read(
    case: Case, service: Service, proxy: CheckingProxy, fhir_server: LocalFhirServer
) -> None:
    inline, with_links = linked(case, proxy.base)
    fhir_server.load(transaction(with_links, case.id))
    hook = hook_of(case, "encounter-discharge", inline)
    sent = cards(service.call(hook.name, hook.full))
    assert cards(service.call(hook.name, lent(hook.without(*hook.keys), proxy.base))) == sent
    assert "Binary" in proxy.asked()
    proxy.reset()
    # As an EHR that sends its documents, but not the files.
    body = hook_of(case, "encounter-discharge", with_links)
    assert cards(service.call(hook.name, lent(body.full, proxy.base))) == sent
    assert set(proxy.asked()) == {"Binary"}


SEVERAL = [
    case
    for case, hook in FIRED
    if hook == "encounter-discharge" and any(len(found) > 1 for found in sent_by_key(hook_of(case, hook)).values())
]


@pytest.mark.parametrize("case", SEVERAL, ids=lambda case: case.id)
def test_first_pages_that_were_sent_are_completed(case: Case, service: Service, proxy: CheckingProxy) -> None:
    hook = hook_of(case, "encounter-discharge")
    proxy.page_size = 1
    first = {key: proxied(proxy, query) for key, query in filled(service.templates(hook.name), hook.full).items()}
    proxy.seen.clear()
    answer = service.call(hook.name, lent({**hook.full, "prefetch": first}, proxy.base))
    assert cards(answer) == cards(service.call(hook.name, hook.full))
    assert set(proxy.asked()) == {""}, "something else than further pages was read"


def test_a_block_behind_a_page_of_newer_procedures_is_found(
    service: Service, proxy: CheckingProxy, fhir_server: LocalFhirServer
) -> None:
    case = next(case for case in CASES if case.id == "wrong-side-on-claim")
    bundle = renamed(case, "long")
    (block,) = (entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Procedure")
    for number in range(120):
        newer = {
            "performedDateTime": f"2026-12-01T{number // 60:02}:{number % 60:02}:00Z",
            "code": {"text": "Dressing"},
        }
        kept = {name: block[name] for name in ("resourceType", "status", "subject", "encounter")}
        bundle["entry"].append({"resource": {**kept, **newer, "id": f"long-dressing-{number}"}})
    fhir_server.load(transaction(bundle, "long"))
    hook = hook_of(case, "encounter-discharge", bundle)
    read = cards(service.call(hook.name, lent(hook.without(*hook.keys), proxy.base)))
    assert read == cards(service.call(hook.name, hook.full))
    assert any("claim has 64461-LT" in card["summary"] for card in read)
    assert proxy.asked().count("") == 2, "three pages of 50"


def test_a_page_the_server_has_forgotten_is_told(service: Service, proxy: CheckingProxy) -> None:
    hook = hook_of(next(case for case in CASES if case.id == "wrong-side-on-claim"), "encounter-discharge")
    forgotten = {"relation": "next", "url": f"{proxy.base}?_getpages=forgotten&_getpagesoffset=1&_count=1"}
    claims = {**hook.full["prefetch"]["claims"], "link": [forgotten]}
    body = {**hook.full, "prefetch": {**hook.full["prefetch"], "claims": claims}}
    (card, *_) = cards(service.call(hook.name, lent(body, proxy.base)))
    assert "claims: not all pages were read: the FHIR server answered 410 (processing)" in card["detail"]


def test_a_registered_client_with_a_signed_call_and_a_token_for_its_own_server(
    proxy: CheckingProxy, tmp_path: Path
) -> None:
    registration = [{"issuer": EHR, "jwks": jwks("P-384"), "fhir_servers": [proxy.base]}]
    hook = hook_of(CASES[0], "encounter-discharge")
    body = lent(hook.without(*hook.keys), proxy.base)
    with running_service(tmp_path, trusted_clients=json.dumps(registration), base_url=BASE, **PATIENT) as trusting:
        assert trusting.call(hook.name, body).status_code == 401
        assert proxy.seen == []
        read = cards(trusting.call(hook.name, body, signed_for(hook.name)))
        assert "Claim" in proxy.asked()
        assert read == cards(trusting.call(hook.name, hook.full, signed_for(hook.name)))
        assert TOKEN not in trusting.log()


def test_nothing_secret_is_in_the_log(service: Service, proxy: CheckingProxy) -> None:
    hook = hook_of(CASES[0], "encounter-discharge")
    cards(service.call(hook.name, lent(hook.without(*hook.keys), proxy.base)))
    log = service.log()
    assert '"POST /cds-services/' in log
    names = {part for case in CASES for name in patient(case)["name"] for part in (*name["given"], name["family"])}
    for secret in (TOKEN, TOKEN.partition(".")[0], "-patient", *names):
        assert secret not in log


def patient(case: Case) -> Resource:
    """Return the Patient of a case."""
    resources = (entry["resource"] for entry in case.bundle()["entry"])
    return next(resource for resource in resources if resource["resourceType"] == "Patient")
