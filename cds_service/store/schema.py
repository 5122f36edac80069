"""The tables, as the newest migration leaves them.

Texts have no length, since vendors' ids run to hundreds of characters. Times are ISO 8601 in UTC, always with
microseconds, so that they sort as text in either database.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, Index, Integer, MetaData, Table, Text

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
    Column("digest", Text),
    Column("kind", Text),
    Column("rules", JSON(none_as_null=True)),
    Column("elements", JSON(none_as_null=True)),
    Column("knowledge_version", Text),
    Column("profile", Text),
    Index("feedback_digest", "digest", unique=True),
)
"""What clinicians did with cards, and from `kind` on what the card was; None where that is not known."""

GIVEN_CARD = Table(
    "given_card",
    METADATA,
    Column("card", Text, primary_key=True),
    Column("given_at", Text, nullable=False),
    Column("service_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("rules", JSON, nullable=False),
    Column("elements", JSON, nullable=False),
    Column("knowledge_version", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Index("given_card_given_at", "given_at"),
)
"""The cards that were given, each uuid once, when it was first given."""

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", _ROW_NUMBER, primary_key=True),
    Column("at", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("service_id", Text),
    Column("client", Text),
    Column("hook_instance", Text),
    Column("status", Integer, nullable=False),
    Column("duration_ms", Float, nullable=False),
    Column("kinds", JSON, nullable=False),
    Column("rules", JSON, nullable=False),
    Column("knowledge_version", Text, nullable=False),
    Index("audit_at", "at"),
)
"""A row for each call that hands over a record or feedback, where the site wants it in the database."""

TOKEN_IDS = Table(
    "token_id",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)
"""Used token ids: a digest of issuer and id, and the second (Unix time) after which the token is refused anyway."""

VERSION = Table("cds_schema_version", MetaData(), Column("version_num", Text, primary_key=True))
"""Alembic's own table, under a name that no other application in the same database has."""

TRIAL = Table("cds_trial", MetaData(), Column("id", Integer))
"""Made to see whether tables can be made, and undone at once: no database has it."""
