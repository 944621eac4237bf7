"""Teachback's own engines, asked through the protocol; texts to highlight come from a database beside, as on a page."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from offers import Question

from skillshare.search.engine import Document, SearchEngine, SearchRequest, Text
from skillshare.search.marks import marker
from skillshare.search.postgres_engine import PostgresEngine
from skillshare.search.whoosh_engine import WhooshEngine

from . import FACETS, TOP, NotHere, whole_text

LANGUAGES = ("en", "es")
"""Those of an instance as it is shipped: questions are stemmed in these."""


class Ours:
    """Either of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = sqlite3.connect(folder / "rows.db", isolation_level=None)
        self.rows.execute("CREATE TABLE IF NOT EXISTS offer (key TEXT PRIMARY KEY, whole TEXT)")
        self.engine = self._engine()

    def _engine(self) -> SearchEngine:
        raise NotImplementedError

    def build(self, documents: Iterable[Document]) -> None:
        self.engine.rebuild(documents)

    def keep_texts(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Pass documents on, noting their texts: the database's work, not the engine's."""
        self.rows.execute("PRAGMA synchronous = OFF")
        self.rows.execute("BEGIN")
        for document in documents:
            self.rows.execute("INSERT OR REPLACE INTO offer VALUES (?, ?)", (document.key, whole_text(document)))
            yield document
        self.rows.execute("COMMIT")

    def open(self) -> None:
        self.engine = self._engine()

    def update(self, document: Document) -> None:
        self.engine.apply([document])
        assert self.engine.versions([document.key])[document.key] == document.version

    def memory_of(self) -> list[int]:
        return []

    def word(self, asked: Question) -> int:
        return self._found(SearchRequest(Text(asked.words), per_page=TOP))

    all_words = any_words = one_edit = word

    def phrase(self, asked: Question) -> int:
        return self._found(SearchRequest(Text(phrases=(" ".join(asked.words),)), per_page=TOP))

    def prefix(self, asked: Question) -> int:
        return len(self.engine.complete(asked.words[0], frozenset(), "en", TOP))

    def filtered(self, asked: Question) -> int:
        filters = {"area": frozenset({asked.area}), "language": frozenset({asked.language})}
        return self._found(SearchRequest(Text(asked.words), filters=filters, per_page=TOP))

    def newest(self, asked: Question) -> int:
        return self._found(SearchRequest(Text(asked.words), sort="newest", per_page=TOP))

    def facets(self, asked: Question) -> int:
        return self._found(SearchRequest(Text(asked.words), facets=FACETS, per_page=TOP))

    def highlights(self, asked: Question) -> int:
        text = Text(asked.words)
        keys = [hit.key for hit in self.engine.search(SearchRequest(text, per_page=TOP)).hits]
        marks = ",".join("?" * len(keys))
        found = self.rows.execute(f"SELECT whole FROM offer WHERE key IN ({marks})", keys).fetchall()
        snippets = [marker(text, LANGUAGES).snippet(whole) for (whole,) in found]
        return len(snippets)

    def near(self, asked: Question) -> int:
        return self._found(SearchRequest(Text(asked.words), near=frozenset(asked.areas), per_page=TOP))

    def _found(self, request: SearchRequest) -> int:
        return len(self.engine.search(request).hits)


class Whoosh(Ours):
    """The embedded engine."""

    def _engine(self) -> SearchEngine:
        return WhooshEngine(self.folder / "search", languages=LANGUAGES)

    def size_mb(self) -> float:
        return self.engine.status().size_bytes / 1e6


class Postgres(Ours):
    """The engine for more than one machine."""

    def _engine(self) -> SearchEngine:
        if not (url := os.environ.get("TEST_POSTGRES_URL")):
            raise NotHere("TEST_POSTGRES_URL is not set")
        return PostgresEngine(url, languages=LANGUAGES, schema="search_bench")

    def size_mb(self) -> float:
        return self.engine.status().size_bytes / 1e6
