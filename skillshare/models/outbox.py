"""What must leave once we commit: index updates, mail, and what the clock has to do later.

A row is written in the transaction of the change and is therefore exactly as true as the change. `due_at` is
also the scheduler. Not here: what is done with a row (`jobs.py`).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from skillshare import clock, limits
from skillshare.db import Base, db


class Outbox(Base):
    """One thing to do after the commit, at most one row a key. `seq` tells a newer wish from the one being done."""

    __tablename__ = "outbox"
    __table_args__ = (sa.Index("ix_outbox_due_at", "due_at"), sa.Index("ix_outbox_kind_due_at", "kind", "due_at"))

    key: Mapped[str] = mapped_column(sa.String(200), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(30))
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    due_at: Mapped[datetime] = mapped_column(default=clock.now)
    seq: Mapped[int] = mapped_column(default=1)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(sa.String(500), default="")

    @classmethod
    def put(cls, kind: str, key: str, payload: dict[str, Any] | None = None, due_at: datetime | None = None) -> None:
        """Ask for something once this transaction commits; the same key again replaces the wish before."""
        _put(db.session.connection(), [_row(kind, f"{kind}:{key}", payload or {}, due_at)])

    @classmethod
    def put_many(cls, kind: str, keys: Iterable[str]) -> None:
        """Ask for many things of one kind: for bulk inserts, which raise no mapper events."""
        rows = [_row(kind, f"{kind}:{key}", {}, None) for key in keys]
        if rows:
            _put(db.session.connection(), rows)

    @classmethod
    def put_at(cls, kind: str, due: Mapping[str, datetime]) -> None:
        """Ask for many things of one kind, each by its key and when it is due."""
        rows = [_row(kind, f"{kind}:{key}", {}, at) for key, at in due.items()]
        if rows:
            _put(db.session.connection(), rows)

    @classmethod
    def drop(cls, kind: str, key: str) -> None:
        """Take a wish back, when there is one."""
        db.session.execute(sa.delete(cls).where(cls.key == f"{kind}:{key}"))

    @classmethod
    def due(cls, kind: str, limit: int) -> sa.Select["Outbox"]:
        """The rows of `kind` whose time has come, oldest first, locked where the database can."""
        return (
            sa.select(cls)
            .where(*cls.is_due(kind))
            .order_by(cls.due_at, cls.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )

    @classmethod
    def is_due(cls, kind: str) -> tuple[sa.ColumnElement[bool], ...]:
        """SQL: of this kind, and its time has come."""
        return cls.kind == kind, cls.due_at <= clock.now()

    @classmethod
    def claim(cls, kind: str, limit: int, lease: timedelta = limits.LEASE) -> list["Outbox"]:
        """Take up to `limit` due rows for a while: pushed forward first, so that a crash only delays them."""
        rows = list(db.session.scalars(cls.due(kind, limit)))
        for row in rows:
            row.attempts += 1
            row.due_at = clock.now() + lease * row.attempts
        return rows

    @classmethod
    def finish(cls, rows: Iterable["Outbox"]) -> None:
        """Delete what is done, except where the same key was asked for again meanwhile."""
        for row in rows:
            db.session.execute(sa.delete(cls).where(cls.id == row.id, cls.seq == row.seq))


class Searchable:
    """Mixed into models that the search index knows: every flush that touches one puts it into the outbox.

    A child row (a name of a skill, a seat of a session) gives its parent's key instead.
    Bulk `update()` and `delete()` on these models are banned: mapper events would not see them.
    """

    __searchable__: ClassVar[bool] = True

    @property
    def search_keys(self) -> tuple[str, ...]:
        """The documents that a change of this row changes, as `kind:id`."""
        raise NotImplementedError


def _row(kind: str, key: str, payload: dict[str, Any], due_at: datetime | None) -> dict[str, Any]:
    now = clock.now()
    return {
        "kind": kind,
        "key": key,
        "payload": payload,
        "due_at": due_at or now,
        "seq": 1,
        "attempts": 0,
        "last_error": "",
        "created_at": now,
        "updated_at": now,
    }


def _put(connection: sa.Connection, rows: list[dict[str, Any]]) -> None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(Outbox)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "seq": Outbox.seq + 1,
                "payload": statement.excluded.payload,
                "due_at": statement.excluded.due_at,
                "attempts": 0,
                "updated_at": statement.excluded.updated_at,
            },
        ),
        rows,
    )


@sa.event.listens_for(Searchable, "after_insert", propagate=True)
@sa.event.listens_for(Searchable, "after_update", propagate=True)
@sa.event.listens_for(Searchable, "after_delete", propagate=True)
def _tell_the_index(mapper: Mapper[Any], connection: sa.Connection, target: Searchable) -> None:
    _put(connection, [_row("index", f"index:{key}", {}, None) for key in target.search_keys])
