"""The database: session, base class, column types, and how a transaction begins.

Every transaction begins as a write (`BEGIN IMMEDIATE` on SQLite) unless it answers a GET or is asked for
with `reads_only`: a rule checked inside it then still holds when it commits. Not here: any table.
"""

import enum
import secrets
import sqlite3
import sys
from datetime import UTC, datetime
from threading import Lock
from types import ModuleType
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import Flask, has_request_context, request
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, registry

from . import clock

if sys.platform == "linux":
    from pysqlite3 import dbapi2 as sqlite_module
else:
    sqlite_module = sqlite3

# The WAL-reset corruption bug: https://sqlite.org/wal.html#walresetbug
SQLITE_AT_LEAST = (3, 51, 3)

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class UTCDateTime(sa.TypeDecorator[datetime]):
    """An aware moment, kept in UTC. Naive values are refused: nobody knows what they mean."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None else None


class Base(DeclarativeBase):
    """What every table has: a key of its own, and when it was made and last changed."""

    registry: ClassVar[registry] = registry(
        metadata=sa.MetaData(naming_convention=NAMES),
        type_annotation_map={datetime: UTCDateTime, dict[str, Any]: sa.JSON, dict[str, str]: sa.JSON},
    )

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-10)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, sort_order=90)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now, sort_order=91)


class Public:
    """Mixed into what a URL names: an id that cannot be guessed or counted."""

    @declared_attr
    def public_id(cls) -> Mapped[str]:
        return mapped_column(sa.String(22), unique=True, default=new_public_id, sort_order=-9)


class Versioned:
    """Mixed into what people edit: a save from an old page is noticed (see `errors.EditConflict`)."""

    @declared_attr
    def version(cls) -> Mapped[int]:
        return mapped_column(default=1, sort_order=89)


def choice(kind: type[enum.StrEnum]) -> sa.Enum:
    """A column type that keeps one of an enumeration's values as text."""
    return sa.Enum(kind, native_enum=False, length=20, values_callable=lambda values: [v.value for v in values])


def new_public_id() -> str:
    """Random text of 128 bits, fit for a URL."""
    return secrets.token_urlsafe(16)


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate()


def engine_options(url: str, sqlite: ModuleType = sqlite_module) -> dict[str, Any]:
    """What `create_engine` is given for `url`. Raises RuntimeError when the SQLite library is not safe."""
    if not url.startswith("sqlite"):
        return {"pool_pre_ping": True, "pool_size": 10}
    if sqlite.sqlite_version_info < SQLITE_AT_LEAST:
        raise RuntimeError(f"SQLite {sqlite.sqlite_version} can lose data in WAL mode; 3.51.3 or newer is needed")
    return {"module": sqlite, "connect_args": {"timeout": 5.0, "check_same_thread": False}, "pool_size": 10}


def start(app: Flask) -> None:
    """Bind the database to `app` and set how its connections behave."""
    db.init_app(app)
    migrate.init_app(app, db, render_as_batch=True, compare_type=True)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            sa.event.listen(db.engine, "connect", _set_pragmas)
            queue = WriteQueue()
            sa.event.listen(db.engine, "begin", queue.begin)
            for ended in ("commit", "rollback"):
                sa.event.listen(db.engine, ended, queue.leave)
            for gone in ("reset", "invalidate", "close"):
                sa.event.listen(db.engine, gone, queue.let_go)


def reading() -> None:
    """Make the transaction about to begin a reading one, outside of a request."""
    db.session.connection(execution_options={"reads_only": True})


def insert(model: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, as this database says it."""
    return postgresql.insert(model) if db.engine.dialect.name == "postgresql" else sqlite.insert(model)


def _set_pragmas(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=5000",
        "trusted_schema=OFF",
        "cell_size_check=ON",
        "secure_delete=ON",
        "mmap_size=0",
        "journal_size_limit=67108864",
        "cache_size=-2000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class WriteQueue:
    """Lets the threads of this process write one after the other, without the naps of SQLite's busy handler.

    Only a courtesy: that one writes at a time is held by `BEGIN IMMEDIATE`, among processes too. Who waits longer than
    the busy timeout goes ahead and lets SQLite say so.
    """

    SECONDS = 5.0
    MARK = "is_writing"

    def __init__(self) -> None:
        self._turn = Lock()

    def begin(self, connection: sa.Connection) -> None:
        """Begin to read in answer to a GET or when asked to, else to write, when it is our turn."""
        if connection.get_execution_options().get("reads_only") or (
            has_request_context() and request.method in SAFE_METHODS
        ):
            connection.exec_driver_sql("BEGIN")
            return
        connection.info[self.MARK] = self._turn.acquire(timeout=self.SECONDS)
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except BaseException:
            self.leave(connection)
            raise

    def leave(self, connection: sa.Connection) -> None:
        """The transaction is about to end: the next may begin to wait for it."""
        if not connection.invalidated:  # then `let_go` has been told
            self._end(connection.info)

    def let_go(self, _connection: object, record: Any, _state: object = None) -> None:
        """However a connection came back to the pool, it holds nobody up."""
        self._end(record.info)

    def _end(self, info: dict[Any, Any]) -> None:
        if info.pop(self.MARK, False):
            self._turn.release()
