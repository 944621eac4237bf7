"""Search engines as search.py measures them, each in a file of its own.

All are given the same documents and asked the same: the 20 best of what matches, and how many match, where an engine
counts by itself. Only Teachback's own engines rank what holds all words first among what holds any; the others are
asked for all words where two are typed, which is less work.
"""

from collections.abc import Iterable
from typing import Protocol

from offers import Question

from skillshare.search.engine import Document

TOP = 20
FACETS = ("topic", "language", "area")


class NotHere(Exception):
    """This engine cannot run here; the message says what is missing."""


class Engine(Protocol):
    """An index in a folder, or in a database. Each question answers with how many hits its page has."""

    def build(self, documents: Iterable[Document]) -> None:
        """Index all documents, so that they outlive this process."""

    def open(self) -> None:
        """Make ready to answer."""

    def update(self, document: Document) -> None:
        """Replace one document; findable and on the disk on return."""

    def size_mb(self) -> float:
        """The index on disk."""

    def memory_of(self) -> list[int]:
        """The processes besides this one that answer."""

    def word(self, asked: Question) -> int: ...

    def all_words(self, asked: Question) -> int: ...

    def any_words(self, asked: Question) -> int: ...

    def phrase(self, asked: Question) -> int: ...

    def prefix(self, asked: Question) -> int: ...

    def one_edit(self, asked: Question) -> int: ...

    def filtered(self, asked: Question) -> int: ...

    def newest(self, asked: Question) -> int: ...

    def facets(self, asked: Question) -> int: ...

    def highlights(self, asked: Question) -> int: ...

    def near(self, asked: Question) -> int: ...


KINDS = {
    "common word": "word",
    "middling word": "word",
    "rare word": "word",
    "two words": "all_words",
    "four words, any": "any_words",
    "phrase": "phrase",
    "prefix": "prefix",
    "one edit": "one_edit",
    "filter": "filtered",
    "sort": "newest",
    "facets": "facets",
    "highlights": "highlights",
    "near an area": "near",
}
"""For each kind of question, what of an engine answers it."""

ENGINES = {
    "whoosh": "ours:Whoosh",
    "postgres": "ours:Postgres",
    "postgres_gin": "plain_postgres:Gin",
    "postgres_rum": "plain_postgres:Rum",
    "fts5": "fts5:Fts5",
    "tantivy": "with_tantivy:Tantivy",
}
"""By name, the file and class of each; loaded only in the process that measures it."""


def whole_text(document: Document) -> str:
    """All the text of a document, as it is highlighted."""
    return f"{document.title}\n{document.practice}\n{document.theory}"


def names_of(document: Document) -> str:
    """Its other names, one a line."""
    return "\n".join(name for _, name in document.names)


def value_of(document: Document, name: str) -> str:
    """The one value of a filter."""
    return next(iter(document.filters[name]))
