"""On random corpora: the documents a brute-force reader of the texts finds, in the order of Whoosh's own searcher."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whoosh.filedb.filestore import FileStorage
from whoosh.index import FileIndex
from whoosh.query import Or, Term
from whoosh.scoring import BM25F
from whoosh.searching import Searcher

from skillshare.search import whoosh_parts as parts
from skillshare.search import writing
from skillshare.search.analysis import QueryWord, query_words, stems, words_of
from skillshare.search.engine import Document, SearchRequest, Text
from skillshare.search.snapshot import K1, B
from skillshare.search.whoosh_engine import WhooshEngine

LANGUAGES = ("en", "es")
WORDS = "bread bake baking baked rye pan panes t-shirt shirt the of guitar guitars soldadura 日本 日本語 paní".split()
KINDS = ("skill", "offer", "want", "session")

texts = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
topics = st.frozensets(st.sampled_from(["music", "food", "metal"]), max_size=2)
documents = st.builds(
    Document,
    key=st.builds("{}:{}".format, st.sampled_from(KINDS), st.integers(0, 9)),
    version=st.integers(0, 99),
    language=st.sampled_from(LANGUAGES),
    title=texts,
    names=st.lists(st.tuples(st.sampled_from(LANGUAGES), texts), max_size=2).map(tuple),
    practice=texts,
    theory=texts,
    filters=st.builds(lambda topic: {"topic": topic}, topics),
    starts_at=st.none() | st.integers(0, 20),
    places_left=st.none() | st.integers(0, 2),
    made_at=st.integers(0, 5),
)
changes = st.lists(
    st.tuples(st.lists(documents, max_size=6), st.lists(documents.map(lambda document: document.key), max_size=2)),
    min_size=1,
    max_size=4,
)
said = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
requests = st.builds(
    SearchRequest,
    text=st.builds(
        Text,
        words=st.lists(st.sampled_from(WORDS), max_size=4).map(tuple),
        phrases=st.lists(said, max_size=1).map(tuple),
        excluded=st.lists(said, max_size=1).map(tuple),
        skills=st.lists(st.sampled_from(WORDS), max_size=1).map(tuple),
    ),
    kinds=st.frozensets(st.sampled_from(KINDS), max_size=2),
    filters=st.builds(lambda topic: {"topic": topic} if topic else {}, topics),
    without=st.builds(lambda topic: {"topic": topic} if topic else {}, topics),
    starts_from=st.none() | st.integers(0, 20),
    starts_before=st.none() | st.integers(0, 20),
    left=st.booleans(),
    facets=st.just(("kind", "topic", "left")),
    sort=st.sampled_from(["relevance", "soonest", "newest"]),
    per_page=st.just(100),
    exact=st.just(True),
)

few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


class World:
    """What an engine should hold, kept as plain documents."""

    def __init__(self, folder: Path, steps: list[tuple[list[Document], list[str]]], merging: bool) -> None:
        with pytest.MonkeyPatch.context() as patched:
            if not merging:  # so small a world would always be one segment
                patched.setattr(writing, "MERGE_AT_MOST", 0)
            self._live(folder, steps)

    def _live(self, folder: Path, steps: list[tuple[list[Document], list[str]]]) -> None:
        self.engine = WhooshEngine(folder, LANGUAGES)
        self.engine.rebuild(steps[0][0])
        self.documents: dict[str, Document] = {}
        for document in steps[0][0]:
            self.documents.setdefault(document.key, document)
        for upserts, deletions in steps[1:]:
            self.engine.apply(upserts, deletions)
            for key in deletions:
                if key not in {document.key for document in upserts}:
                    self.documents.pop(key, None)
            self.documents.update({document.key: document for document in upserts})


def parts_of(document: Document) -> list[tuple[str, str]]:
    named = [(document.language, document.title), *document.names]
    return [*named, (document.language, document.practice), (document.language, document.theory)]


def matches(word: QueryWord, pieces: list[tuple[str, str]]) -> bool:
    return any(
        {read.folded, *read.beside} & set(word.forms) or set(stems(read, language)) & set(word.stems)
        for language, text in pieces
        for read in words_of(text)
    )


def has_phrase(phrase: str, pieces: list[tuple[str, str]]) -> bool:
    wanted = [word.folded for word in words_of(phrase)]
    for _, text in pieces:
        standing = [{word.folded, *word.beside} for word in words_of(text)]
        for at in range(len(standing) - len(wanted) + 1):
            if all(word in standing[at + step] for step, word in enumerate(wanted)):
                return True
    return False


def excluded(said: str, pieces: list[tuple[str, str]]) -> bool:
    words = query_words(said, LANGUAGES)
    return matches(words[0], pieces) if len(words) == 1 else has_phrase(said, pieces)


def says(document: Document, text: Text) -> bool:
    pieces = parts_of(document)
    words = [word for each in text.words for word in query_words(each, LANGUAGES)]
    telling = [word for word in words if not word.small] or words
    required = [has_phrase(phrase, pieces) for phrase in text.phrases]
    named = pieces[: 1 + len(document.names)]
    required += [matches(word, named) for each in text.skills for word in query_words(each, LANGUAGES)]
    if any(excluded(each, pieces) for each in text.excluded):
        return False
    if required:
        return all(required)
    return not words or any(matches(word, pieces) for word in telling)


def passes(document: Document, request: SearchRequest, but: str = "") -> bool:
    own = document.all_filters()
    if any(own.get(name, frozenset()) & values for name, values in request.without.items()):
        return False
    starts = document.starts_at
    first, before = request.starts_from, request.starts_before
    return (
        all(own.get(name, frozenset()) & values for name, values in request.all_filters().items() if name != but)
        and (first is None or (starts is not None and starts >= first))
        and (before is None or (starts is not None and starts < before))
    )


@few
@given(changes, st.booleans(), st.lists(requests, min_size=1, max_size=4))
def test_the_same_documents_and_counts_as_by_reading_everything(steps, merging, asked):
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "search", steps, merging)

        assert world.engine.versions() == {key: document.version for key, document in world.documents.items()}
        for request in asked:
            page = world.engine.search(request)
            saying = [document for document in world.documents.values() if says(document, request.text)]
            expected = {document.key for document in saying if passes(document, request)}
            assert {hit.key for hit in page.hits} == expected
            assert page.total == len(expected)
            assert in_order([(world.documents[hit.key], hit.weight) for hit in page.hits], request)
            for name in request.facets:
                counted = [document for document in saying if passes(document, request, but=name)]
                assert dict(page.facets[name]) == count(counted, name)


def in_order(hits: list[tuple[Document, float]], request: SearchRequest) -> bool:
    """Whether what holds all words comes first, and each of the two parts is sorted as asked."""
    words = {word for said in request.text.words for word in query_words(said, LANGUAGES)}
    telling = {word for word in words if not word.small} or words
    keys = []
    for document, weight in hits:
        some = not all(matches(word, parts_of(document)) for word in telling)
        starts = float("inf") if document.starts_at is None else document.starts_at
        order = {"relevance": -weight, "newest": -document.made_at, "soonest": starts}[request.sort]
        keys.append((some, order))
    return keys == sorted(keys)


def count(documents: list[Document], name: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for document in documents:
        for value in document.all_filters().get(name, ()):
            counts[value] = counts.get(value, 0) + 1
    return counts


@few
@given(
    changes,
    st.booleans(),
    st.lists(st.sampled_from(["bread", "baking", "rye", "guitars", "pan"]), min_size=1, max_size=3, unique=True),
)
def test_the_same_scores_as_whooshs_own_searcher(steps, merging, words):
    asked = SearchRequest(
        Text(tuple(words)), per_page=100, exact=True, sort="newest"
    )  # so that no name adds to a score
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "search"
        page = World(folder, steps, merging).engine.search(asked)
        own = whooshs_own(folder, words)

    assert {hit.key: hit.weight for hit in page.hits} == pytest.approx(own, rel=1e-4)


def whooshs_own(folder: Path, words: list[str]) -> dict[str, float]:
    """Whoosh's searcher on the same files: each word as written, and the best of its stems by adding one at a time."""
    mark, contents, _ = (folder / "current").read_text().split()
    index = FileIndex(FileStorage(str(folder / mark)), schema=parts.SCHEMA)
    assert index.latest_generation() == int(contents)
    totals: dict[str, float] = {}
    with index.reader() as reader:
        searcher = Searcher(reader, weighting=BM25F(B=B, K1=K1))
        for word in query_words(" ".join(words), LANGUAGES):
            for field, terms in (("words", word.forms), ("stems", word.stems)):
                for key, score in best_of(searcher, field, terms).items():
                    totals[key] = totals.get(key, 0.0) + score
    return totals


def best_of(searcher: Searcher, field: str, terms: tuple[str, ...]) -> dict[str, float]:
    best: dict[str, float] = {}
    for term in terms:
        for hit in searcher.search(Or([Term(field, term)]), limit=None):
            key = searcher.reader().column_reader("keys")[hit.docnum].decode()
            best[key] = max(best.get(key, 0.0), hit.score)
    return best
