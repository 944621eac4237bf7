"""The engine past one machine: an index in PostgreSQL, shared by all web hosts, read from a replica if there is one.

What stands in it and why: postgres_rows.py. How a question is answered: postgres_matching.py. It keeps the same
protocol, analysis, weights and formula as the embedded engine, and needs nothing that PostgreSQL does not bring;
`pg_trgm` and RUM are used where they are installed.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import sqlalchemy as sa

from . import postgres_schema as schema_of
from . import postgres_writing as writing
from .analysis import main_language, sounded_out
from .engine import (
    KINDS,
    Document,
    EngineStatus,
    IndexBusy,
    IndexUnavailable,
    SearchPage,
    SearchRequest,
    Suggestion,
)
from .postgres_connections import Connections
from .postgres_matching import Question
from .postgres_rows import as_given, cut, storable
from .postgres_schema import Generation
from .postgres_spelling import LAST

BUSY_SECONDS = 5.0
TRIES = 3
"""How often a generation may be replaced while it is being read."""
COMPLETED = 1_000
"""Names of each kind that are looked at: with more that begin so, the first in the alphabet."""
EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public"

Answer = TypeVar("Answer")


class PostgresEngine:
    """Keeps the SearchEngine protocol; safe to share between threads, with one writer among all processes.

    `url` and `read_url` (a replica) are SQLAlchemy's. `languages` are those of the instance: questions are stemmed
    in each of them. `schema` is ours alone, and made when it is missing; `busy_seconds` is how long a writer waits
    for another.
    """

    def __init__(
        self,
        url: str,
        languages: Sequence[str] = ("en", "es"),
        schema: str = "search",
        read_url: str = "",
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self.languages = tuple(dict.fromkeys(main_language(language) for language in languages))
        self.schema = schema_of.checked(schema)
        self._busy_seconds = busy_seconds
        self._connections = Connections(url, read_url)

    def search(self, request: SearchRequest) -> SearchPage:
        """See SearchEngine. Totals and counts above postgres_matching.COUNTED are estimates."""
        began = time.perf_counter()
        page = self._read(lambda connection, of: Question(connection, of, request, self.languages).answered())
        return replace(page, took_ms=(time.perf_counter() - began) * 1000)

    def complete(self, prefix: str, kinds: frozenset[str], language: str, limit: int = 8) -> tuple[Suggestion, ...]:
        """See SearchEngine."""
        typed = cut(sounded_out(prefix))
        if not typed:
            return ()
        numbers = [KINDS.index(kind) if kind in KINDS else len(KINDS) for kind in kinds] or range(len(KINDS) + 1)

        def names(connection: sa.Connection, of: Generation) -> Sequence[str]:
            return (
                connection.exec_driver_sql(
                    "SELECT key FROM (SELECT DISTINCT ON (key) name.* FROM unnest(%(kinds)s::smallint[]) AS wanted,"  # noqa: S608
                    f" LATERAL (SELECT * FROM {of.table('head')} WHERE kind = wanted"
                    f" AND start >= %(typed)s AND start < %(after)s LIMIT {COMPLETED}) AS name"
                    " ORDER BY key, language <> %(language)s, inner_word, size, start) AS best"
                    " ORDER BY kind, language <> %(language)s, inner_word, size, start, key LIMIT %(limit)s",
                    {
                        "kinds": list(numbers),
                        "typed": typed,
                        "after": typed + LAST,
                        "language": main_language(language),
                        "limit": limit,
                    },
                )
                .scalars()
                .all()
            )

        return tuple(Suggestion(as_given(key)) for key in self._read(names))

    def apply(self, upserts: Sequence[Document], deletions: Sequence[str] = ()) -> None:
        """See SearchEngine. Of two documents with one key the last counts."""
        if not upserts and not deletions:
            return
        with self._connections.writing(self.schema, self._busy_seconds) as connection:
            writing.replace(connection, self.schema, upserts, deletions, frozenset(self.languages))

    def rebuild(self, documents: Iterable[Document], progress: Callable[[int], None] = lambda done: None) -> str:
        """See SearchEngine. One transaction: whatever breaks it off leaves the generation before it as it was."""
        with suppress(IndexUnavailable, IndexBusy), self._connections.newest() as connection:
            connection.exec_driver_sql(EXTENSION)  # not there, or not ours to install: done without
        with self._connections.writing(self.schema, self._busy_seconds) as connection:
            made = writing.rebuild(connection, self.schema, documents, frozenset(self.languages), progress)
        with suppress(IndexUnavailable, IndexBusy):  # then the next rebuild removes the old one
            self._drop_others()
        return str(made)

    def versions(self, keys: Iterable[str] | None = None) -> Mapping[str, int]:
        """See SearchEngine. Read from the primary: what is seen here is durable."""
        some = None if keys is None else [storable(key) for key in keys]
        with self._connections.newest() as connection:
            of = schema_of.generation(connection, self.schema)
            rows = connection.exec_driver_sql(
                f"SELECT key, version FROM {of.table('document')}"  # noqa: S608
                " WHERE %(keys)s::text[] IS NULL OR key = ANY(%(keys)s::text[])",
                {"keys": some},
            )
            return {as_given(key): version for key, version in rows}

    def status(self) -> EngineStatus:
        """See SearchEngine. Of the primary; also looks whether the tables are there."""
        try:
            with self._connections.newest() as connection:
                of = schema_of.generation(connection, self.schema)
                size = schema_of.size_bytes(connection, of)
        except (IndexUnavailable, IndexBusy) as problem:
            return EngineStatus("", 0, 0, str(problem) or "busy")
        if size is None:
            return EngineStatus("", 0, 0, "a table of the index is missing")
        return EngineStatus(str(of), of.documents, size, None)

    def close(self) -> None:
        """Close the connections that nobody uses; the next question opens others."""
        self._connections.close()

    def _drop_others(self) -> None:
        with self._connections.writing(self.schema, self._busy_seconds) as connection:
            schema_of.drop_others(connection, schema_of.generation(connection, self.schema))

    def _read(self, work: Callable[[sa.Connection, Generation], Answer]) -> Answer:
        """What this work finds in the generation that answers, or in the next one if it was replaced meanwhile."""
        used: list[Generation] = []

        def once(connection: sa.Connection) -> Answer:
            used.append(schema_of.generation(connection, self.schema))
            return work(connection, used[-1])

        for _ in range(TRIES):
            try:
                return self._connections.read(once)
            except IndexUnavailable:
                now = self._connections.read(lambda connection: schema_of.generation(connection, self.schema))
                if not used or now.number == used[-1].number:
                    raise
        raise IndexUnavailable("the index changes too fast")
