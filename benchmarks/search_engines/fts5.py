"""SQLite FTS5 with a stemmer, its texts in a table beside it; facts are columns of that table."""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from offers import Question

from skillshare.search.engine import Document
from skillshare.search.fields import BODY, NAME, TITLE
from skillshare.search.spelling import one_mistake

from . import FACETS, TOP, names_of, value_of

BATCH = 5_000
RANK = f"bm25(found, {TITLE}, {NAME}, {BODY}, {BODY})"
SCHEMA = """
    CREATE TABLE offer (
        id INTEGER PRIMARY KEY, title, names, practice, theory, area, topic, language, made_at
    );
    CREATE INDEX offer_area ON offer (area, language);
    CREATE VIRTUAL TABLE found USING fts5(
        title, names, practice, theory, content='offer', content_rowid='id', tokenize='porter unicode61', prefix='3'
    );
    CREATE VIRTUAL TABLE lexicon USING fts5vocab(found, 'row');
    CREATE VIRTUAL TABLE spelling USING fts5(word, tokenize='trigram', detail='none');
"""
ROW = "INSERT INTO offer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
INDEXED = "INSERT INTO found (rowid, title, names, practice, theory) VALUES (?, ?, ?, ?, ?)"
FORGOTTEN = "INSERT INTO found (found, rowid, title, names, practice, theory) VALUES ('delete', ?, ?, ?, ?, ?)"


class Fts5:
    """Write-ahead log, as SQLite is run beside a web server."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "fts5.db"

    def open(self) -> None:
        self.database = sqlite3.connect(self.file, isolation_level=None)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = NORMAL")
        self.database.execute("PRAGMA mmap_size = 4000000000")

    def build(self, documents: Iterable[Document]) -> None:
        self.open()
        self.database.executescript(SCHEMA)
        rest = map(_row, documents)
        while rows := list(islice(rest, BATCH)):
            self.database.execute("BEGIN")
            self.database.executemany(ROW, rows)
            self.database.executemany(INDEXED, (row[:5] for row in rows))
            self.database.execute("COMMIT")
        self.database.execute("INSERT INTO found (found) VALUES ('optimize')")
        self.database.execute("INSERT INTO spelling SELECT term FROM lexicon WHERE length(term) > 2")
        self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def update(self, document: Document) -> None:
        new = _row(document)
        self.database.execute("BEGIN")
        old = self.database.execute(
            "SELECT id, title, names, practice, theory FROM offer WHERE id = ?", (new[0],)
        ).fetchone()
        self.database.execute(FORGOTTEN, old)
        self.database.execute("DELETE FROM offer WHERE id = ?", (new[0],))
        self.database.execute(ROW, new)
        self.database.execute(INDEXED, new[:5])
        self.database.execute("COMMIT")

    def size_mb(self) -> float:
        return self.file.stat().st_size / 1e6

    def memory_of(self) -> list[int]:
        return []

    def word(self, asked: Question) -> int:
        return self._ranked(" ".join(asked.words))

    all_words = word

    def any_words(self, asked: Question) -> int:
        return self._ranked(" OR ".join(asked.words))

    def phrase(self, asked: Question) -> int:
        return self._ranked(f'"{" ".join(asked.words)}"')

    def prefix(self, asked: Question) -> int:
        return self._ranked(f"{{title names}} : {asked.words[0]}*")

    def one_edit(self, asked: Question) -> int:
        return self._ranked(" OR ".join(self._near(asked.words[0])) or asked.words[0])

    def _near(self, word: str) -> Iterator[str]:
        parts = " OR ".join(f'"{word[at : at + 3]}"' for at in range(len(word) - 2))
        query = "SELECT word FROM spelling WHERE spelling MATCH ?"
        return (near for (near,) in self.database.execute(query, (parts,)) if one_mistake(word, near))

    def filtered(self, asked: Question) -> int:
        where = "AND offer.area = ? AND offer.language = ?"
        return self._joined(where, f"ORDER BY {RANK}", asked.words[0], asked.area, asked.language)

    def newest(self, asked: Question) -> int:
        return self._joined("", "ORDER BY offer.made_at DESC", asked.words[0])

    def near(self, asked: Question) -> int:
        marks = ",".join("?" * len(asked.areas))
        rank = f"ORDER BY {RANK} * CASE WHEN offer.area IN ({marks}) THEN 1.15 ELSE 1 END"
        return self._joined("", rank, asked.words[0], *asked.areas)

    def facets(self, asked: Question) -> int:
        for name in FACETS:
            query = f"SELECT offer.{name}, count(*) FROM found JOIN offer ON offer.id = found.rowid"
            self.database.execute(f"{query} WHERE found MATCH ? GROUP BY 1", (asked.words[0],)).fetchall()
        return self.word(asked)

    def highlights(self, asked: Question) -> int:
        query = (
            "SELECT snippet(found, -1, '<mark>', '</mark>', '…', 25) FROM found"
            f" WHERE found MATCH ? ORDER BY {RANK} LIMIT {TOP}"
        )
        return len(self.database.execute(query, (" ".join(asked.words),)).fetchall())

    def _ranked(self, match: str) -> int:
        query = f"SELECT rowid FROM found WHERE found MATCH ? ORDER BY {RANK} LIMIT {TOP}"
        return len(self.database.execute(query, (match,)).fetchall())

    def _joined(self, where: str, order: str, *values: str) -> int:
        query = f"SELECT offer.id FROM found JOIN offer ON offer.id = found.rowid WHERE found MATCH ? {where} {order}"
        return len(self.database.execute(f"{query} LIMIT {TOP}", values).fetchall())


def _row(document: Document) -> tuple[int | str, ...]:
    return (
        int(document.key.partition(":")[2]),
        document.title,
        names_of(document),
        document.practice,
        document.theory,
        value_of(document, "area"),
        value_of(document, "topic"),
        document.language,
        document.made_at,
    )
