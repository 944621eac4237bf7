"""Tantivy, the Rust library: one writing thread, segments merged to one, texts stored for highlights."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tantivy
from offers import Question
from tantivy import Occur, Query

from skillshare.search.engine import Document
from skillshare.search.fields import BODY, NAME, TITLE

from . import FACETS, TOP, names_of, value_of

TEXTS = ("title", "names", "practice", "theory")
BOOSTS = {"title": TITLE, "names": NAME, "practice": BODY, "theory": BODY}
WRITER_BYTES = 200_000_000


class Tantivy:
    """Counts all that matches, as ours does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tantivy"
        self.folder.mkdir(exist_ok=True)

    def open(self) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("key", stored=True, tokenizer_name="raw")
        for field in TEXTS:
            builder.add_text_field(field, stored=True, tokenizer_name="en_stem")
        builder.add_text_field("heads", tokenizer_name="default")
        for field in FACETS:
            builder.add_text_field(field, fast=True, tokenizer_name="raw")
        builder.add_integer_field("made_at", fast=True)
        self.schema = builder.build()
        self.index = tantivy.Index(self.schema, path=str(self.folder))
        self.searcher = self.index.searcher()

    def build(self, documents: Iterable[Document]) -> None:
        self.open()
        writer = self.index.writer(WRITER_BYTES, 1)
        for document in documents:
            writer.add_document(self._document(document))
        writer.commit()
        writer.wait_merging_threads()

    def update(self, document: Document) -> None:
        writer = self.index.writer(20_000_000, 1)
        writer.delete_documents_by_term("key", document.key)
        writer.add_document(self._document(document))
        writer.commit()
        self.index.reload()
        self.searcher = self.index.searcher()
        writer.wait_merging_threads()

    def size_mb(self) -> float:
        return sum(file.stat().st_size for file in self.folder.iterdir()) / 1e6

    def memory_of(self) -> list[int]:
        return []

    def word(self, asked: Question) -> int:
        return self._found(self._any(asked.words))

    any_words = word

    def all_words(self, asked: Question) -> int:
        return self._found(self._all(asked.words))

    def phrase(self, asked: Question) -> int:
        return self._found(self._parsed(f'"{" ".join(asked.words)}"'))

    def prefix(self, asked: Question) -> int:
        return self._found(Query.regex_query(self.schema, "heads", f"{asked.words[0]}.*"))

    def one_edit(self, asked: Question) -> int:
        near = [(Occur.Should, Query.fuzzy_term_query(self.schema, field, asked.words[0])) for field in TEXTS]
        return self._found(Query.boolean_query(near))

    def filtered(self, asked: Question) -> int:
        return self._found(self._must(self._any(asked.words), area=asked.area, language=asked.language))

    def newest(self, asked: Question) -> int:
        query = self._any(asked.words)
        return len(self.searcher.search(query, TOP, order_by_field="made_at", order=tantivy.Order.Desc).hits)

    def near(self, asked: Question) -> int:
        areas = [(Occur.Should, self._term("area", area)) for area in asked.areas]
        closer = Query.const_score_query(Query.boolean_query(areas), 1.0)
        words = (Occur.Must, self._any(asked.words))
        return self._found(Query.boolean_query([words, (Occur.Should, closer)]))

    def facets(self, asked: Question) -> int:
        query = self._any(asked.words)
        counts = {name: {"terms": {"field": name, "size": 1000}} for name in FACETS}
        self.searcher.aggregate(query, counts)
        return self._found(query)

    def highlights(self, asked: Question) -> int:
        query = self._all(asked.words)
        found = [self.searcher.doc(address) for _, address in self.searcher.search(query, TOP).hits]
        for field in ("practice", "theory"):
            marker = tantivy.SnippetGenerator.create(self.searcher, query, self.schema, field)
            for document in found:
                marker.snippet_from_doc(document).to_html()
        return len(found)

    def _found(self, query: Query) -> int:
        found = self.searcher.search(query, TOP).hits
        return len([self.searcher.doc(address)["key"] for _, address in found])

    def _parsed(self, words: str, every: bool = False) -> Query:
        return self.index.parse_query(words, list(TEXTS), field_boosts=BOOSTS, conjunction_by_default=every)

    def _any(self, words: tuple[str, ...]) -> Query:
        return self._parsed(" ".join(words))

    def _all(self, words: tuple[str, ...]) -> Query:
        return self._parsed(" ".join(words), every=True)

    def _must(self, query: Query, **values: str) -> Query:
        filters = [(Occur.Must, Query.const_score_query(self._term(*pair), 0.0)) for pair in values.items()]
        return Query.boolean_query([(Occur.Must, query), *filters])

    def _term(self, field: str, value: str) -> Query:
        return Query.term_query(self.schema, field, value)

    def _document(self, document: Document) -> Any:
        names = names_of(document)
        return tantivy.Document(
            key=document.key,
            title=document.title,
            names=names,
            practice=document.practice,
            theory=document.theory,
            heads=f"{document.title} {names}",
            area=value_of(document, "area"),
            topic=value_of(document, "topic"),
            language=document.language,
            made_at=document.made_at,
        )
