"""The card that feedback answers, the cards that were given, the audit trail, used token ids."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the columns and tables; feedback already there keeps all it has, and no card is known for it."""
    for name, kind in {
        "digest": sa.Text,
        "kind": sa.Text,
        "rules": sa.JSON,
        "elements": sa.JSON,
        "knowledge_version": sa.Text,
        "profile": sa.Text,
    }.items():
        op.add_column("feedback", sa.Column(name, kind))
    op.create_index("feedback_digest", "feedback", ["digest"], unique=True)
    op.create_table(
        "given_card",
        sa.Column("card", sa.Text, primary_key=True),
        sa.Column("given_at", sa.Text, nullable=False),
        sa.Column("service_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("elements", sa.JSON, nullable=False),
        sa.Column("knowledge_version", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
    )
    op.create_index("given_card_given_at", "given_card", ["given_at"])
    op.create_table(
        "audit",
        sa.Column("id", _ROW_NUMBER, primary_key=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("service_id", sa.Text),
        sa.Column("client", sa.Text),
        sa.Column("hook_instance", sa.Text),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("duration_ms", sa.Float, nullable=False),
        sa.Column("kinds", sa.JSON, nullable=False),
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("knowledge_version", sa.Text, nullable=False),
    )
    op.create_index("audit_at", "audit", ["at"])
    # Development versions made this table without a migration.
    op.create_table(
        "token_id",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_token_id_expires_at", "token_id", ["expires_at"], if_not_exists=True)
