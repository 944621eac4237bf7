"""PostgreSQL as it is used without any engine of ours: one weighted tsvector, and `ts_rank` or RUM's own order."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import psycopg
from offers import Question

from skillshare.search.engine import Document
from skillshare.search.spelling import one_mistake

from . import FACETS, TOP, NotHere, names_of, value_of

TABLE = """
    DROP TABLE IF EXISTS plain_offer, plain_word;
    CREATE TABLE plain_offer (
        id bigint PRIMARY KEY, texts text, area text, topic text, language text, made_at bigint, words tsvector
    );
    CREATE TABLE plain_word (word text)
"""
COLUMNS = "(id, texts, area, topic, language, made_at, words)"
VECTOR = (
    "setweight(to_tsvector('english', %s), 'A') || setweight(to_tsvector('english', %s), 'B')"
    " || setweight(to_tsvector('english', %s), 'D')"
)
BEFORE = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
AFTER = """
    INSERT INTO plain_word SELECT word FROM ts_stat('SELECT words FROM plain_offer');
    CREATE INDEX ON plain_word USING gin (word gin_trgm_ops);
    CREATE INDEX ON plain_offer (area, language);
    ANALYZE plain_offer; ANALYZE plain_word
"""


class Gin:
    """Every match is ranked from the table."""

    INDEX: ClassVar[str] = "CREATE INDEX plain_words ON plain_offer USING gin (words)"
    ORDER: ClassVar[str] = "ts_rank('{0.25, 0.5, 0.75, 1}', words, asked) DESC"
    NEWEST: ClassVar[str] = "made_at DESC"
    EXTENSION: ClassVar[str] = "pg_trgm"

    def __init__(self, folder: Path) -> None:
        if not (url := os.environ.get("TEST_POSTGRES_URL")):
            raise NotHere("TEST_POSTGRES_URL is not set")
        self.connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        there = "SELECT 1 FROM pg_available_extensions WHERE name = %s"
        if not self.connection.execute(there, (self.EXTENSION,)).fetchone():
            raise NotHere(f"PostgreSQL has no extension {self.EXTENSION}")

    def open(self) -> None:
        self.connection.execute("SET pg_trgm.similarity_threshold = 0.3")

    def build(self, documents: Iterable[Document]) -> None:
        self.connection.execute(BEFORE)
        self.connection.execute(f"CREATE EXTENSION IF NOT EXISTS {self.EXTENSION}")
        self.connection.execute(TABLE)
        with self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE given (id bigint, title text, names text, rest text, area text,"
                           " topic text, language text, made_at bigint)")  # fmt: skip
            with cursor.copy("COPY given FROM STDIN") as copy:
                for document in documents:
                    copy.write_row(_row(document))
            vector = VECTOR % ("title", "names", "rest")
            cursor.execute(
                f"INSERT INTO plain_offer {COLUMNS}"
                f" SELECT id, title || ' ' || rest, area, topic, language, made_at, {vector} FROM given"
            )
            cursor.execute("DROP TABLE given")
        self.connection.execute(self.INDEX)
        self.connection.execute(AFTER)

    def update(self, document: Document) -> None:
        id_, title, names, rest, *facts = _row(document)
        with self.connection.transaction():
            self.connection.execute("DELETE FROM plain_offer WHERE id = %s", (id_,))
            self.connection.execute(
                f"INSERT INTO plain_offer {COLUMNS} VALUES (%s, %s, %s, %s, %s, %s, {VECTOR})",
                (id_, f"{title} {rest}", *facts, title, names, rest),
            )

    def size_mb(self) -> float:
        (size,) = self.connection.execute("SELECT pg_total_relation_size('plain_offer')").fetchone()
        return size / 1e6

    def memory_of(self) -> list[int]:
        return [self.connection.info.backend_pid]

    def word(self, asked: Question) -> int:
        return self._found(" & ".join(asked.words))

    all_words = word

    def any_words(self, asked: Question) -> int:
        return self._found(" | ".join(asked.words))

    def phrase(self, asked: Question) -> int:
        return self._found(" <-> ".join(asked.words))

    def prefix(self, asked: Question) -> int:
        return self._found(f"{asked.words[0]}:*AB")

    def one_edit(self, asked: Question) -> int:
        word = asked.words[0]
        alike = [near for (near,) in self._rows("SELECT word FROM plain_word WHERE word %% %s", word)]
        near = [each for each in alike if one_mistake(word, each)]
        return self._found(" | ".join(near) or word)

    def filtered(self, asked: Question) -> int:
        return self._found(asked.words[0], "AND area = %s AND language = %s", asked.area, asked.language)

    def newest(self, asked: Question) -> int:
        return self._found(asked.words[0], order=self.NEWEST)

    def near(self, asked: Question) -> int:
        order = "ts_rank(words, asked) * CASE WHEN area = ANY(%s) THEN 1.15 ELSE 1 END DESC"
        return self._found(asked.words[0], "", list(asked.areas), order=order)

    def facets(self, asked: Question) -> int:
        sets = ", ".join(f"({name})" for name in FACETS)
        query = (
            f"SELECT {', '.join(FACETS)}, count(*) FROM plain_offer, to_tsquery('english', %s) asked"
            f" WHERE words @@ asked GROUP BY GROUPING SETS ({sets})"
        )
        self._rows(query, asked.words[0])
        return self.word(asked)

    def highlights(self, asked: Question) -> int:
        query = (
            "SELECT ts_headline('english', texts, asked, 'MaxWords=25, MinWords=10') FROM"
            " (SELECT texts, asked FROM plain_offer, to_tsquery('english', %s) asked"
            f" WHERE words @@ asked ORDER BY {self.ORDER} LIMIT {TOP}) best"
        )
        return len(self._rows(query, " & ".join(asked.words)))

    def _found(self, match: str, where: str = "", *values: object, order: str = "") -> int:
        query = (
            "SELECT id FROM plain_offer, to_tsquery('english', %s) asked"
            f" WHERE words @@ asked {where} ORDER BY {order or self.ORDER} LIMIT {TOP}"
        )
        return len(self._rows(query, match, *values))

    def _rows(self, query: str, *values: object) -> list[tuple[str, ...]]:
        return self.connection.execute(query, values).fetchall()


class Rum(Gin):
    """The index itself knows the order."""

    INDEX = "CREATE INDEX plain_words ON plain_offer USING rum (words rum_tsvector_ops)"
    ORDER = "words <=> asked"
    EXTENSION = "rum"


def _row(document: Document) -> tuple[int | str, ...]:
    return (
        int(document.key.partition(":")[2]),
        document.title,
        names_of(document).replace("\n", " "),
        f"{document.practice} {document.theory}",
        value_of(document, "area"),
        value_of(document, "topic"),
        document.language,
        document.made_at,
    )
