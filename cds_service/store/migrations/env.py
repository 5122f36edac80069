"""What Alembic runs: the steps, on the connection and in the transaction that `migrate.py` hands over."""

from __future__ import annotations

from alembic import context

from cds_service.store.schema import METADATA, VERSION

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, version_table=VERSION.name
)
context.run_migrations()
