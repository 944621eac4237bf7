"""How Alembic reaches our database: through the app, one migration run at a time."""

from logging.config import fileConfig

import sqlalchemy as sa
from alembic import context

from skillshare import models  # noqa: F401  loads every table
from skillshare.db import UTCDateTime, db

if context.config.config_file_name is not None:
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)

LOCK = 7_042_026  # any number that no other program on this server uses for pg_advisory_lock


def render_item(kind: str, item: object, autogen_context: object) -> str | bool:
    """Write our column types as what the database knows, so that a migration needs nothing of the code."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime()"
    return False


def run() -> None:
    """Migrate in one transaction, with nobody else migrating meanwhile."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=render_item,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
