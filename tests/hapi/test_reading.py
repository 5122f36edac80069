"""What a real FHIR server holds leads to the same cards as the same things sent along."""

from __future__ import annotations

import pytest

from cds_service.cases import Case
from cds_service.fhir.bundle import RESOURCE_TYPES
from docker.seed_hapi import transaction
from tests.hapi.fhir_server import LocalFhirServer
from tests.hapi.proxy import CheckingProxy
from tests.hapi.requests_of_an_ehr import CASES, FIRED, TOKEN, attachments, cards, hook_of, lent, linked
from tests.hapi.service import Service

pytestmark = pytest.mark.integration

EVERY_HOOK = pytest.mark.parametrize(
    ("case", "hook"), [pytest.param(case, hook, id=f"{case.id}-{hook}") for case, hook in FIRED]
)
TYPES = {key.value: kind for key, kind in RESOURCE_TYPES.items()}
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


def test_nothing_secret_is_in_the_log(service: Service) -> None:
    log = service.log()
    assert "cds-services/paravertebral-encounter-discharge" in log
    for secret in (TOKEN, TOKEN.partition(".")[0], "-patient", "Philippa"):
        assert secret not in log
