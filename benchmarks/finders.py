"""Search engines as relevance.py asks them: documents in, the ten best keys out.

Each gets the same texts, ranks any document that holds any of the words, and weighs title, names and texts as ours
does, as far as it can weigh.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import tantivy

from skillshare.search.analysis import sounded_out
from skillshare.search.engine import Document, SearchEngine, SearchRequest
from skillshare.search.fields import BODY, NAME, TITLE
from skillshare.search.parser import parse
from skillshare.search.postgres_engine import PostgresEngine
from skillshare.search.whoosh_engine import WhooshEngine

TOP = 10
LANGUAGES = {"en": "english", "es": "spanish"}

Find = Callable[[str], list[str]]


def ours(engine: SearchEngine, documents: list[Document], language: str) -> Find:
    """One of Teachback's own engines, asked as the find page asks it."""
    engine.rebuild(documents)

    def find(typed: str) -> list[str]:
        request = SearchRequest(parse(typed).text, per_page=TOP, language=language)
        return [hit.key for hit in engine.search(request).hits]

    return find


def whoosh(documents: list[Document], language: str, folder: Path) -> Find:
    """The embedded engine."""
    return ours(WhooshEngine(folder / "whoosh", languages=tuple(LANGUAGES)), documents, language)


def postgres(documents: list[Document], language: str, folder: Path, url: str) -> Find:
    """The engine past one machine."""
    return ours(PostgresEngine(url, languages=tuple(LANGUAGES), schema="search_bench"), documents, language)


def fts5(tokenizer: str) -> Callable[[list[Document], str, Path], Find]:
    """SQLite FTS5 with one of its tokenizers."""

    def build(documents: list[Document], language: str, folder: Path) -> Find:
        database = sqlite3.connect(folder / f"{tokenizer.split()[0]}.db")
        database.execute(f"CREATE VIRTUAL TABLE found USING fts5(title, names, texts, tokenize='{tokenizer}')")
        rows = ((int(each.key[6:]), *map(sounded_out, _texts(each))) for each in documents)
        database.executemany("INSERT INTO found (rowid, title, names, texts) VALUES (?, ?, ?, ?)", rows)
        query = f"SELECT rowid FROM found WHERE found MATCH ? ORDER BY bm25(found, {TITLE}, {NAME}, {BODY}) LIMIT {TOP}"

        def find(typed: str) -> list[str]:
            text = sounded_out(typed)
            parts = [text[at : at + 3] for at in range(len(text) - 2)] if tokenizer == "trigram" else text.split()
            if not parts:
                return []
            asked = " OR ".join(f'"{part}"' for part in parts)
            return [f"skill:{number}" for (number,) in database.execute(query, (asked,))]

        return find

    return build


def tantivy_with(mistakes: bool) -> Callable[[list[Document], str, Path], Find]:
    """Tantivy, stemming; `mistakes` also looks for words one edit away, for less."""

    def build(documents: list[Document], language: str, folder: Path) -> Find:
        index = _tantivy_index(language)
        writer = index.writer(50_000_000, 1)
        for each in documents:
            title, names, texts = _texts(each)
            writer.add_document(tantivy.Document(key=each.key, title=title, names=names, texts=texts))
        writer.commit()
        index.reload()
        fields, boosts = ["title", "names", "texts"], {"title": TITLE, "names": NAME, "texts": BODY}
        fuzzy = dict.fromkeys(fields, (False, 1, True))

        def find(typed: str) -> list[str]:
            words = sounded_out(typed)
            query = index.parse_query(words, fields, field_boosts=boosts)
            if mistakes:
                near = index.parse_query(words, fields, field_boosts=boosts, fuzzy_fields=fuzzy)
                both = [(tantivy.Occur.Should, query), (tantivy.Occur.Should, tantivy.Query.boost_query(near, 0.5))]
                query = tantivy.Query.boolean_query(both)
            searcher = index.searcher()
            return [searcher.doc(address)["key"][0] for _, address in searcher.search(query, TOP).hits]

        return find

    return build


def _tantivy_index(language: str) -> Any:
    schema = tantivy.SchemaBuilder()
    schema.add_text_field("key", stored=True, tokenizer_name="raw")
    for field in ("title", "names", "texts"):
        schema.add_text_field(field, tokenizer_name="own")
    index = tantivy.Index(schema.build())
    analyzer = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for each in (tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold(), tantivy.Filter.stemmer(LANGUAGES[language])):
        analyzer = analyzer.filter(each)
    index.register_tokenizer("own", analyzer.build())
    return index


def postgres_with(query: str) -> Callable[[list[Document], str, Path, str], Find]:
    """PostgreSQL without any of our own ranking."""

    def build(documents: list[Document], language: str, folder: Path, url: str) -> Find:
        connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        config = LANGUAGES[language]
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        connection.execute("SET pg_trgm.word_similarity_threshold = 0.3")
        connection.execute("DROP TABLE IF EXISTS found")
        connection.execute("CREATE TABLE found (key text, whole text, words tsvector)")
        insert = (
            "INSERT INTO found VALUES (%s, %s, setweight(to_tsvector(%s, %s), 'A')"
            " || setweight(to_tsvector(%s, %s), 'B') || setweight(to_tsvector(%s, %s), 'D'))"
        )
        with connection.cursor() as cursor, connection.transaction():
            for each in documents:
                title, names, texts = map(sounded_out, _texts(each))
                whole = f"{title} {names} {texts}"
                cursor.execute(insert, (each.key, whole, config, title, config, names, config, texts))
        connection.execute("CREATE INDEX ON found USING gin (words)")
        connection.execute("CREATE INDEX ON found USING gin (whole gin_trgm_ops)")
        connection.execute("ANALYZE found")

        def find(typed: str) -> list[str]:
            asked = {"typed": sounded_out(typed), "config": config, "top": TOP}
            return [key for (key,) in connection.execute(query, asked)]

        return find

    return build


TS_RANK = """
    WITH asked AS (SELECT replace(plainto_tsquery(%(config)s, %(typed)s)::text, '&', '|')::tsquery AS any_word)
    SELECT key FROM found, asked WHERE words @@ any_word
    ORDER BY ts_rank('{0.25, 0.5, 0.75, 1}', words, any_word) DESC, key LIMIT %(top)s
"""
TRIGRAMS = """
    SELECT key FROM found WHERE %(typed)s <%% whole
    ORDER BY word_similarity(%(typed)s, whole) DESC, key LIMIT %(top)s
"""


def _texts(document: Document) -> tuple[str, str, str]:
    return document.title, "\n".join(name for _, name in document.names), document.practice


FINDERS: dict[str, Callable[[list[Document], str, Path], Find]] = {
    "whoosh": whoosh,
    "fts5 unicode61": fts5("unicode61 remove_diacritics 2"),
    "fts5 porter": fts5("porter unicode61 remove_diacritics 2"),
    "fts5 trigram": fts5("trigram"),
    "tantivy": tantivy_with(mistakes=False),
    "tantivy, one edit": tantivy_with(mistakes=True),
}
POSTGRES_FINDERS: dict[str, Callable[[list[Document], str, Path, str], Find]] = {
    "postgres": postgres,
    "postgres ts_rank": postgres_with(TS_RANK),
    "postgres pg_trgm": postgres_with(TRIGRAMS),
}
