"""The ids of tokens that were used, so that no token is taken twice, whichever worker it comes to."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from sqlalchemy import delete

from cds_service.store.database import Database
from cds_service.store.schema import TOKEN_IDS

KEEP_AFTER_EXPIRY_S: Final = 24 * 3600
"""How long an id is kept after its token expired: far more than clocks may differ."""

_CLEAN_EVERY: Final = 1000


class TokenIds:
    """Used token ids of one database. Safe to share between threads and processes.

    Args:
        database: where they are kept.
        now: the time in seconds (Unix time).
    """

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now
        self._uses = itertools.count(1)

    def remember_token_id(self, issuer: str, jti: str, expires: float) -> bool:
        """Remember that the token `jti` of `issuer` was used; return False where it had been before.

        Of two calls with the same id, in whatever process, exactly one returns True. Ids belong to their issuer.

        Args:
            issuer: the token's `iss`, as sent.
            jti: the token's `jti`, as sent.
            expires: the token's `exp` in seconds (Unix time). The id is kept for a day longer.

        Raises:
            StoreUnavailableError: the database does not answer; whether the token was used is not known.
        """
        row = {"digest": _digest(issuer, jti), "expires_at": int(expires)}
        # After a loss of power the last tokens could be used again until they expire; waiting for the disk at each
        # call would cost more than that is worth.
        with self._database.writing(durable=False) as connection:
            insert = self._database.insert_new(TOKEN_IDS).values(row).execution_options(preserve_rowcount=True)
            added = connection.execute(insert).rowcount
            if next(self._uses) % _CLEAN_EVERY == 0:
                connection.execute(delete(TOKEN_IDS).where(TOKEN_IDS.c.expires_at < oldest_kept(self._now())))
        return added == 1


def oldest_kept(now: float) -> int:
    """Return the expiry (Unix time) below which ids are no longer kept."""
    return int(now) - KEEP_AFTER_EXPIRY_S


def _digest(issuer: str, jti: str) -> str:
    # Ids are whatever clients make up; a digest has one length, and a list keeps ("a", "bc") from ("ab", "c").
    return sha256(json.dumps([issuer, jti]).encode()).hexdigest()
