"""The tables of one generation of the index, and the row that says which generation answers.

The index is derived: the engine makes all of this in a schema of its own, no migration knows of it, and dropping the
schema loses nothing that `flask search rebuild` does not bring back.
"""

import re
from typing import Any, NamedTuple

import sqlalchemy as sa

from .engine import IndexUnavailable

FORMAT = 1
"""Raised with each change of the tables or of what stands in them: an index of another format is no index."""
LOCK = 7_340_101
"""First half of the advisory lock of the one writer; the other half stands for the schema."""
NAME = re.compile(r"[a-z_][a-z0-9_]{0,40}")
TABLES = ("document", "word", "head")

SETUP = """
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE IF NOT EXISTS {answering} (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    number integer NOT NULL,
    documents bigint NOT NULL,
    words bigint NOT NULL,
    stems bigint NOT NULL,
    similar_in text,
    ordered_in text
);
"""

# What every search reads stands together; the long tsvectors stand apart, as they are: unpacking them takes longer.
GENERATION = """
CREATE TABLE {document} (
    key text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    made_at bigint NOT NULL,
    starts_at bigint,
    words integer NOT NULL,
    stems integer NOT NULL,
    filters text[] COLLATE "C" NOT NULL,
    names text NOT NULL,
    masses bytea NOT NULL,
    lexemes tsvector NOT NULL
) WITH (toast_tuple_target = 128);
ALTER TABLE {document}
    ALTER filters SET STORAGE MAIN, ALTER names SET STORAGE MAIN, ALTER masses SET STORAGE MAIN,
    ALTER lexemes SET STORAGE EXTERNAL;
CREATE TABLE {word} (
    word text COLLATE "C" NOT NULL,
    documents integer NOT NULL,
    can_be_meant boolean NOT NULL
) WITH (fillfactor = 80);
CREATE TABLE {head} (
    kind smallint NOT NULL,
    start text COLLATE "C" NOT NULL,
    language text NOT NULL,
    inner_word boolean NOT NULL,
    size smallint NOT NULL,
    key text COLLATE "C" NOT NULL
);
"""

# Without fastupdate a change costs more, but no search has to read through a list of changes not yet filed.
INDEXES = """
ALTER TABLE {document} ADD PRIMARY KEY (key);
ALTER TABLE {word} ADD PRIMARY KEY (word);
CREATE INDEX ON {document} USING gin (lexemes) WITH (fastupdate = off);
CREATE INDEX ON {document} USING gin (filters) WITH (fastupdate = off);
CREATE INDEX ON {document} (made_at DESC, key);
CREATE INDEX ON {document} (starts_at, made_at DESC, key);
CREATE INDEX ON {word} (reverse(word) COLLATE "C") WHERE can_be_meant;
CREATE INDEX ON {head} (kind, start);
CREATE INDEX ON {head} (key);
"""


class Generation(NamedTuple):
    """One generation, and what ranking needs to know of the whole of it: documents, words and stems in all.

    `similar_in` is the schema of pg_trgm and `ordered_in` that of RUM, None where it was not installed.
    """

    schema: str
    number: int
    documents: int
    words: int
    stems: int
    similar_in: str | None = None
    ordered_in: str | None = None

    def __str__(self) -> str:
        return f"{self.schema} {self.number}"

    def table(self, name: str) -> str:
        """One of TABLES, fit for SQL."""
        return f'"{self.schema}".{name}_{self.number}'


def checked(schema: str) -> str:
    """The name of a schema, if it is a plain one: it stands in SQL as it is."""
    if not NAME.fullmatch(schema):
        raise ValueError(f"not a plain name for a schema: {schema!r}")
    return schema


def generation(connection: sa.Connection, schema: str) -> Generation:
    """What answers now; raises IndexUnavailable."""
    row = connection.exec_driver_sql(
        f"SELECT number, documents, words, stems, similar_in, ordered_in FROM {answering(schema)}"  # noqa: S608
    ).one_or_none()
    if row is None:
        raise IndexUnavailable("no index has been built")
    return Generation(schema, *row)


def answering(schema: str) -> str:
    """The table of one row that points to what answers, fit for SQL."""
    return f'"{schema}".answering_{FORMAT}'


def set_up(connection: sa.Connection, schema: str) -> None:
    """Make the schema, unless it is there. Whoever calls holds the lock."""
    connection.exec_driver_sql(SETUP.format(schema=f'"{schema}"', answering=answering(schema)))


def make_tables(connection: sa.Connection, schema: str) -> Generation:
    """Empty tables without indexes, beside all others."""
    numbers = [number for name, number in _tables(connection, schema) if name in TABLES]
    extensions = _schema_of(connection, "pg_trgm"), _schema_of(connection, "rum")
    made = Generation(schema, max(numbers, default=0) + 1, 0, 0, 0, *extensions)
    connection.exec_driver_sql(GENERATION.format(**_names(made)))
    return made


def make_indexes(connection: sa.Connection, made: Generation) -> None:
    """Index full tables; with the extensions there are, what only they can."""
    connection.exec_driver_sql(INDEXES.format(**_names(made)))
    if made.similar_in:
        word, operators = made.table("word"), f'"{made.similar_in}".gin_trgm_ops'
        connection.exec_driver_sql(f"CREATE INDEX ON {word} USING gin (word {operators}) WHERE can_be_meant")
    if made.ordered_in:
        document, operators = made.table("document"), f'"{made.ordered_in}".rum_tsvector_ops'
        connection.exec_driver_sql(f"CREATE INDEX ON {document} USING rum (lexemes {operators})")
    for name in TABLES:
        connection.exec_driver_sql(f"ANALYZE {made.table(name)}")


def let_answer(connection: sa.Connection, made: Generation) -> None:
    """Point to this generation once the transaction commits."""
    table = answering(made.schema)
    connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608
    connection.exec_driver_sql(
        f"INSERT INTO {table} (number, documents, words, stems, similar_in, ordered_in)"  # noqa: S608
        " VALUES (%(number)s, %(documents)s, %(words)s, %(stems)s, %(similar_in)s, %(ordered_in)s)",
        made._asdict(),
    )


def drop_others(connection: sa.Connection, kept: Generation) -> None:
    """Remove every generation but this one, and what pointed to those of another format."""
    for name, number in _tables(connection, kept.schema):
        if number != (FORMAT if name == "answering" else kept.number):
            connection.exec_driver_sql(f'DROP TABLE "{kept.schema}".{name}_{number}')


def size_bytes(connection: sa.Connection, kept: Generation) -> int | None:
    """Bytes on disk with all indexes; None when a table is missing."""
    sizes = " + ".join(f"pg_total_relation_size(to_regclass('{kept.table(name)}'))" for name in TABLES)
    size: int | None = connection.exec_driver_sql(f"SELECT {sizes}").scalar_one()
    return size


def _tables(connection: sa.Connection, schema: str) -> list[tuple[str, int]]:
    rows: Any = connection.exec_driver_sql(
        "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
        " WHERE nspname = %(schema)s AND relkind = 'r'",
        {"schema": schema},
    ).scalars()
    parts = [name.rpartition("_") for name in rows]
    return [(name, int(number)) for name, _, number in parts if name in (*TABLES, "answering") and number.isdigit()]


def _names(made: Generation) -> dict[str, str]:
    return {name: made.table(name) for name in TABLES}


def _schema_of(connection: sa.Connection, extension: str) -> str | None:
    """The schema an installed extension stands in."""
    found: str | None = connection.exec_driver_sql(
        "SELECT nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace"
        " WHERE extname = %(extension)s",
        {"extension": extension},
    ).scalar_one_or_none()
    return found
