from __future__ import annotations

import multiprocessing
import threading

import pytest
from sqlalchemy import func, select

from cds_service.store.database import Database
from cds_service.store.model import StoreUnavailableError
from cds_service.store.schema import TOKEN_IDS
from cds_service.store.tokens import KEEP_AFTER_EXPIRY_S, TokenIds

NOW = 1_800_000_000
EHR = "https://ehr.example.org"


@pytest.mark.parametrize(
    ("second", "fresh"),
    [
        pytest.param((EHR, "1", NOW), False, id="same token again"),
        pytest.param((EHR, "1", NOW + 9), False, id="same id with a later expiry"),
        pytest.param((EHR, "2", NOW), True, id="another id"),
        pytest.param(("https://other.example.org", "1", NOW), True, id="same id of another issuer"),
        pytest.param((EHR + "1", "", NOW), True, id="same letters, other parts"),
        pytest.param((EHR, "1 ", NOW), True, id="nothing is trimmed"),
        pytest.param((EHR, "\x00é" * 9000, NOW), True, id="long and odd"),
    ],
)
def test_a_token_id_is_taken_once(database, second, fresh):
    ids = TokenIds(database)
    assert ids.remember_token_id(EHR, "1", NOW)
    assert ids.remember_token_id(*second) is fresh
    assert not ids.remember_token_id(*second)


def test_it_is_remembered_after_a_restart(database):
    assert TokenIds(database).remember_token_id(EHR, "1", NOW)
    database.close()
    assert not TokenIds(database).remember_token_id(EHR, "1", NOW)


def test_neither_issuer_nor_id_is_written_down(database):
    TokenIds(database).remember_token_id(EHR, "secret-id", NOW)
    with database.reading() as connection:
        (row,) = connection.execute(TOKEN_IDS.select()).all()
    assert "example" not in str(row)
    assert "secret-id" not in str(row)


def test_of_many_threads_one_is_first(database):
    ids = TokenIds(database)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ids.remember_token_id(EHR, "1", NOW))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False] * 11 + [True]


def _firsts(url, answers):
    database = Database(url)
    ids = TokenIds(database)
    answers.put(sum(ids.remember_token_id(EHR, str(number), NOW) for number in range(50)))
    database.close()


def test_of_several_processes_one_is_first(url):
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    workers = [context.Process(target=_firsts, args=(url, answers)) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert sum(answers.get(timeout=30) for _ in workers) == 50
    for worker in workers:
        worker.join()


def test_expired_ids_are_cleaned_away_now_and_then(database):
    time = NOW
    ids = TokenIds(database, now=lambda: time)
    for number in range(999):
        ids.remember_token_id(EHR, str(number), NOW + number)
    time = NOW + 500 + KEEP_AFTER_EXPIRY_S
    ids.remember_token_id(EHR, "last", time)
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(TOKEN_IDS)).scalar() == 999 - 500 + 1


def test_a_database_that_is_down_is_an_error_and_no_answer():
    database = Database("sqlite:////proc/nowhere/cds-service.db")
    with pytest.raises(StoreUnavailableError):
        TokenIds(database).remember_token_id(EHR, "1", NOW)
    database.close()
