"""The tables. Texts have no length, since vendors' ids run to hundreds of characters."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, Table, Text

METADATA = MetaData()

_ROW_NUMBER = BigInteger().with_variant(Integer, "sqlite")

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("id", _ROW_NUMBER, primary_key=True),
    Column("received_at", Text, nullable=False),
    Column("service_id", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("outcome_timestamp", Text, nullable=False),
    Column("accepted_suggestions", JSON, nullable=False),
    Column("reason_code", Text),
    Column("reason_system", Text),
    Column("reason_display", Text),
    Column("user_comment", Text),
)

TOKEN_IDS = Table(
    "token_id",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)
"""Used token ids: a digest of issuer and id, and the second (Unix time) after which the token is refused anyway."""
