"""Connections to the primary and to a replica for reading, apart from those of the site's own database session.

That a server is gone is noticed within CONNECT_SECONDS, and for LOOK_AGAIN_SECONDS nobody waits to notice it again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa

from .engine import IndexBusy, IndexUnavailable
from .postgres_schema import LOCK

CONNECT_SECONDS = 2
LOOK_AGAIN_SECONDS = 2.0
POOL_SECONDS = 1.0
READ_MS, WRITE_MS = 1_000, 60_000
"""How long one statement may take: a search that takes longer is answered from the database."""

LATER = frozenset({"40001", "40P01", "55P03", "57014"})
"""What a writer is told when others were in its way: serialization, deadlock, lock not had, time is up."""

# A search reads some thousand rows of a hundred thousand by index; the planner, which does not know what it costs
# to read a long tsvector, would rather read the table. Compiling a plan takes longer than running it.
READING = (
    f"SET search_path = pg_catalog; SET statement_timeout = {READ_MS}; SET jit = off; SET enable_seqscan = off;"
    " SET work_mem = '32MB'; SET default_transaction_read_only = on"
)
WRITING = f"SET search_path = pg_catalog; SET statement_timeout = {WRITE_MS}; SET jit = off"

Answer = TypeVar("Answer")


class Disconnected(IndexUnavailable):
    """The server closed a connection of ours, perhaps long ago: another one may do."""


class Server:
    """One server, with a small pool of connections that are made when they are first needed."""

    def __init__(self, url: str, settings: str, **options: Any) -> None:
        # A prepared plan would be made for any words at all; ours are as common or as rare as they are.
        connecting = {"connect_timeout": CONNECT_SECONDS, "prepare_threshold": None}
        self._engine = sa.create_engine(
            url, pool_size=4, max_overflow=12, pool_timeout=POOL_SECONDS, connect_args=connecting, **options
        )
        self._settings = settings
        self._gone_until = 0.0
        sa.event.listen(self._engine, "connect", self._prepare)

    def _prepare(self, connection: Any, _record: object) -> None:
        was, connection.autocommit = connection.autocommit, True
        connection.execute(self._settings)
        connection.autocommit = was

    @contextmanager
    def connected(self) -> Iterator[sa.Connection]:
        """A connection. What goes wrong with it raises IndexUnavailable, who was in the way of a writer IndexBusy."""
        with self._explained(), self._connect() as connection:
            yield connection

    def run(self, work: Callable[[sa.Connection], Answer]) -> Answer:
        """What this work finds; it is done again where the connection had been closed."""
        try:
            with self.connected() as connection:
                return work(connection)
        except Disconnected:
            with self.connected() as connection:
                return work(connection)

    def is_gone(self) -> bool:
        """Whether it could not be reached a moment ago."""
        return time.monotonic() < self._gone_until

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._engine.dispose()

    def _connect(self) -> sa.Connection:
        if self.is_gone():
            raise IndexUnavailable("the server could not be reached a moment ago")
        try:
            return self._engine.connect()
        except sa.exc.DBAPIError:
            self._gone_until = time.monotonic() + LOOK_AGAIN_SECONDS
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        dbapi: Any = self._engine.dialect.loaded_dbapi
        try:
            yield
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                raise Disconnected("the server closed the connection") from error
            raise _as_ours(error.orig) from error
        except sa.exc.SQLAlchemyError as error:
            raise IndexUnavailable(type(error).__name__) from error
        except dbapi.Error as error:  # of a COPY, which SQLAlchemy does not know
            raise _as_ours(error) from error


def _as_ours(error: BaseException | None) -> Exception:
    said = str(error).partition("\n")[0]
    return IndexBusy(said) if getattr(error, "sqlstate", None) in LATER else IndexUnavailable(said)


class Connections:
    """Where to read and where to write; `read_url` names a replica to read from."""

    def __init__(self, url: str, read_url: str = "") -> None:
        self._primary = Server(url, READING, isolation_level="AUTOCOMMIT")
        self._replica = Server(read_url, READING, isolation_level="AUTOCOMMIT") if read_url else None
        self._writer = Server(url, WRITING, pool_pre_ping=True)

    def read(self, work: Callable[[sa.Connection], Answer]) -> Answer:
        """What this work finds on the replica; on the primary where there is none, or where it does not answer."""
        if self._replica is not None:
            try:
                return self._replica.run(work)
            except (IndexUnavailable, IndexBusy):
                pass
        try:
            return self._primary.run(work)
        except IndexBusy as error:  # nobody waits for a search that takes too long
            raise IndexUnavailable(str(error)) from error

    @contextmanager
    def writing(self, schema: str, busy_seconds: float) -> Iterator[sa.Connection]:
        """A transaction of the one writer. Raises IndexBusy when another does not end in time."""
        with self._writer.connected() as connection, connection.begin():
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, int(busy_seconds * 1000))}")
            connection.exec_driver_sql(
                "SELECT pg_advisory_xact_lock(%(lock)s, hashtext(%(schema)s))", {"lock": LOCK, "schema": schema}
            )
            yield connection

    @contextmanager
    def newest(self) -> Iterator[sa.Connection]:
        """A connection to the primary, where each statement stands alone and may take long."""
        with self._writer.connected() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        """Close the connections that nobody uses."""
        for server in (self._primary, self._replica, self._writer):
            if server is not None:
                server.close()
