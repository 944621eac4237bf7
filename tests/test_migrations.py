"""The migrated schema is the models' schema, on both databases, and goes down again."""

from pathlib import Path

import flask_migrate
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from skillshare.db import db as database

MIGRATIONS = str(Path(__file__).parents[1] / "migrations")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def unmigrated(request, make_app, tmp_path):
    """An instance whose database has no table yet."""
    if request.param == "postgres":
        return make_app(url=request.getfixturevalue("postgres_url"))
    return make_app(url=f"sqlite:///{tmp_path / 'unmigrated.db'}")


def differences():
    """What a new migration would have to change."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, database.metadata)


def test_migrating_makes_what_the_models_say(unmigrated):
    with unmigrated.app_context():
        flask_migrate.upgrade(directory=MIGRATIONS)

        assert differences() == []


def test_a_schema_that_lacks_a_column_is_noticed(unmigrated):
    with unmigrated.app_context():
        flask_migrate.upgrade(directory=MIGRATIONS)
        with database.engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE area DROP COLUMN note"))

        assert differences() != []


def test_migrating_twice_and_back_leaves_nothing_behind(unmigrated):
    with unmigrated.app_context():
        flask_migrate.upgrade(directory=MIGRATIONS)
        flask_migrate.upgrade(directory=MIGRATIONS)
        flask_migrate.downgrade(directory=MIGRATIONS, revision="base")

        left = set(sa.inspect(database.engine).get_table_names())
    assert left <= {"alembic_version"}
