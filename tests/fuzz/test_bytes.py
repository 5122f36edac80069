"""20,000 real requests with broken bytes: bits flipped, pieces cut out or put in, other encodings."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.fuzz import BODIES, SEED, broken_bytes
from tests.fuzz.judging import ask

PARTS = 20


@pytest.mark.parametrize("part", range(PARTS))
def test_broken_bytes_are_answered(client, part):
    statuses = Counter()
    for number, (path, body) in enumerate(broken_bytes(SEED + part, BODIES // PARTS)):
        try:
            status, _ = ask(client, path, body)
        except AssertionError as error:
            raise AssertionError(f"request {number} of seed {SEED + part}: {error}") from None
        statuses[status] += 1
    assert {200, 400} <= statuses.keys()  # some are still what they were, most are not


def test_the_same_seed_gives_the_same_requests():
    assert list(broken_bytes(SEED, 50)) == list(broken_bytes(SEED, 50))
    assert list(broken_bytes(SEED, 50)) != list(broken_bytes(SEED + 1, 50))
