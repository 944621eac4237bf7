"""What is written: changes in one transaction each, and a new generation, whole or not at all, in one as well.

How many documents hold a word is counted along, in a table of all words: ranking needs it, and so does whoever looks
for what a misspelt word may have meant. Whoever calls holds the lock of the one writer.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa

from . import postgres_schema as schema_of
from .analysis import forget_terms
from .engine import Document
from .postgres_rows import Head, Kept, Row, can_be_meant, distinct, kept_of, storable
from .postgres_schema import Generation

CHUNK = 1_000
"""Documents that are sent at once."""
BUILDING = "SET LOCAL statement_timeout = 0; SET LOCAL maintenance_work_mem = '256MB'"

COLUMNS = {"document": Row._fields, "word": ("word", "documents", "can_be_meant"), "head": Head._fields}
UNCOUNTED = "#~"
"""How lexemes begin that are no words."""
SQL_NAMES = {"inner": "inner_word"}


def replace(
    connection: sa.Connection,
    schema: str,
    upserts: Sequence[Document],
    deletions: Iterable[str],
    languages: frozenset[str],
) -> None:
    """Put documents in place of those with their keys, and take these keys out. Of two with one key the last counts."""
    of = schema_of.generation(connection, schema)
    kept = {document.key: kept_of(document, languages) for document in upserts}
    gone = [storable(key) for key in {*kept, *deletions}]
    counts: Counter[str] = Counter()
    removed = _remove(connection, of, gone, counts)
    added = _add(connection, of, kept.values(), counts)
    _count(connection, of, {word: change for word, change in counts.items() if change})
    totals = [more - less for more, less in zip(added, removed, strict=True)]
    connection.exec_driver_sql(
        f"UPDATE {schema_of.answering(schema)} SET documents = documents + %(documents)s,"  # noqa: S608
        " words = words + %(words)s, stems = stems + %(stems)s",
        dict(zip(("documents", "words", "stems"), totals, strict=True)),
    )


def rebuild(
    connection: sa.Connection,
    schema: str,
    documents: Iterable[Document],
    languages: frozenset[str],
    progress: Callable[[int], None],
) -> Generation:
    """Fill new tables and point to them; until the transaction commits nobody sees any of it."""
    connection.exec_driver_sql(BUILDING)
    schema_of.set_up(connection, schema)
    made = schema_of.make_tables(connection, schema)
    counts: Counter[str] = Counter()
    totals = [0, 0, 0]
    try:
        for some in _chunks(distinct(documents)):
            added = _add(connection, made, (kept_of(document, languages) for document in some), counts)
            totals = [before + more for before, more in zip(totals, added, strict=True)]
            progress(totals[0])
    finally:
        forget_terms()
    _copy(connection, made, "word", ((word, count, can_be_meant(word)) for word, count in counts.items()))
    schema_of.make_indexes(connection, made)
    made = made._replace(documents=totals[0], words=totals[1], stems=totals[2])
    schema_of.let_answer(connection, made)
    progress(made.documents)
    return made


def _chunks(documents: Iterator[Document]) -> Iterator[list[Document]]:
    while some := list(islice(documents, CHUNK)):
        yield some


def _add(connection: sa.Connection, to: Generation, kept: Iterable[Kept], counts: Counter[str]) -> tuple[int, int, int]:
    """Send rows; returns how many documents, words and stems they are."""
    rows: list[Row] = []
    heads: list[Head] = []
    for each in kept:
        rows.append(each.row)
        heads += each.heads
        counts.update(each.counted)
    _copy(connection, to, "document", rows)
    _copy(connection, to, "head", heads)
    return len(rows), sum(row.words for row in rows), sum(row.stems for row in rows)


def _remove(connection: sa.Connection, of: Generation, keys: list[str], counts: Counter[str]) -> tuple[int, int, int]:
    connection.exec_driver_sql(
        f"DELETE FROM {of.table('head')} WHERE key = ANY(%(keys)s::text[])",  # noqa: S608
        {"keys": keys},
    )
    rows = connection.exec_driver_sql(
        f"DELETE FROM {of.table('document')} WHERE key = ANY(%(keys)s::text[])"  # noqa: S608
        " RETURNING words, stems, filters, tsvector_to_array(lexemes)",
        {"keys": keys},
    ).all()
    for _, _, filters, lexemes in rows:
        counts.subtract(lexeme for lexeme in lexemes if lexeme[0] not in UNCOUNTED)
        counts.subtract(f"={value}" for value in filters)
    return len(rows), sum(row[0] for row in rows), sum(row[1] for row in rows)


def _count(connection: sa.Connection, of: Generation, changes: dict[str, int]) -> None:
    """Note in how many documents more or fewer each of these words stands."""
    table = of.table("word")
    connection.exec_driver_sql(
        f"INSERT INTO {table} AS known (word, documents, can_be_meant)"  # noqa: S608
        " SELECT * FROM unnest(%(words)s::text[], %(changes)s::integer[], %(meant)s::boolean[])"
        " ON CONFLICT (word) DO UPDATE SET documents = known.documents + excluded.documents",
        {
            "words": list(changes),
            "changes": list(changes.values()),
            "meant": [can_be_meant(word) for word in changes],
        },
    )
    connection.exec_driver_sql(
        f"DELETE FROM {table} WHERE documents <= 0 AND word = ANY(%(words)s::text[])",  # noqa: S608
        {"words": [word for word, change in changes.items() if change < 0]},
    )


def _copy(connection: sa.Connection, to: Generation, name: str, rows: Iterable[Sequence[Any]]) -> None:
    columns = ", ".join(SQL_NAMES.get(column, column) for column in COLUMNS[name])
    raw: Any = connection.connection.driver_connection
    with raw.cursor().copy(f"COPY {to.table(name)} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
