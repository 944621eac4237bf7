"""The parts of Whoosh we rely on stand where they stood in 2.7.4, and it can still read what we write."""

import random

import pytest
import whoosh
from whoosh.filedb.filestore import FileStorage
from whoosh.index import FileIndex
from whoosh.query import Phrase, Term
from whoosh.scoring import BM25F
from whoosh.searching import Searcher

from skillshare.search import whoosh_parts as parts
from skillshare.search.engine import Document, IndexUnavailable, SearchRequest, Text
from skillshare.search.generations import Generations
from skillshare.search.whoosh_engine import WhooshEngine


def test_whoosh_is_the_one_we_know():
    assert whoosh.__version__ == (2, 7, 4)


def test_whoosh_reads_our_files_by_itself(tmp_path):
    engine = WhooshEngine(tmp_path / "search")
    engine.rebuild(Document(f"skill:{number}", 1, "en", f"open crumb number{number}") for number in range(3_000))
    engine.apply([Document("skill:7", 2, "en", "closed")])
    mark = Generations(tmp_path / "search", ("en", "es")).mark()
    index = FileIndex(FileStorage(str(tmp_path / "search" / mark.folder)))  # with the schema it finds there

    with index.reader() as reader:
        searcher = Searcher(reader, weighting=BM25F())
        assert index.doc_count() == 3_000
        assert len(searcher.search(Term("words", "crumb"), limit=None)) == 2_999
        assert len(searcher.search(Phrase("words", ["open", "crumb"]), limit=None)) == 2_999
        assert len(searcher.search(Phrase("words", ["crumb", "open"]), limit=None)) == 0
        assert list(reader.lexicon("key"))[:2] == [b"skill:0", b"skill:1"]


def test_postings_span_blocks(tmp_path):
    engine = WhooshEngine(tmp_path / "search")
    engine.rebuild(Document(f"skill:{number}", 1, "en", "crumb " * (number % 3 + 1)) for number in range(2_500))
    generations = Generations(tmp_path / "search", ("en", "es"))
    mark = generations.mark()
    (segment,) = parts.segments_of(generations.path(mark), mark.contents)
    stored = parts.Stored(generations.path(mark), segment)

    blocks = list(stored.blocks("words", b"crumb"))

    assert [count for count, _, _, _ in blocks] == [1_024, 1_024, 452]


def test_segments_have_different_names_whoever_seeds_random(tmp_path):
    engine = WhooshEngine(tmp_path / "search")
    engine.rebuild(())
    for number in range(6):
        random.seed(0)
        engine.apply([Document(f"skill:{number}", 1, "en", "crumb")])

    assert len(engine.versions()) == 6


def test_everything_reaches_the_disk_before_anything_names_it(tmp_path, monkeypatch):
    engine = WhooshEngine(tmp_path / "search")
    engine.rebuild([Document("skill:a", 1, "en", "crumb")])
    done, really = [], parts.to_disk
    monkeypatch.setattr(parts, "to_disk", lambda path: (done.append(path.name), really(path)))

    engine.apply([Document("skill:b", 1, "en", "crumb")])

    mark = Generations(tmp_path / "search", ("en", "es")).mark()
    (segment,) = parts.segments_of(tmp_path / "search" / mark.folder, mark.contents)
    files = {path.name for path in parts.files_of(tmp_path / "search" / mark.folder, [segment])}
    contents = next(at for at, name in enumerate(done) if ".toc" in name)
    assert files == set(done[:contents])
    assert done[-4:] == [mark.folder, f"checks-{mark.contents}.json", "current.new", "search"]


def test_merging_keeps_words_places_and_facts(tmp_path):
    engine = WhooshEngine(tmp_path / "search")
    engine.rebuild([Document("skill:a", 1, "en", "open crumb", names=(("es", "miga"),), starts_at=5, made_at=9)])
    for number in range(5):
        engine.apply([Document(f"skill:{number}", 1, "en", "closed crumb")])
    generations = Generations(tmp_path / "search", ("en", "es"))
    mark = generations.mark()

    assert len(parts.segments_of(generations.path(mark), mark.contents)) < 6
    assert [each.key for each in engine.complete("mig", frozenset(), "es")] == ["skill:a"]


def test_an_index_of_other_languages_does_not_answer(tmp_path):
    WhooshEngine(tmp_path / "search", ("en", "es")).rebuild([Document("skill:a", 1, "fr", "Des pains")])
    french = WhooshEngine(tmp_path / "search", ("en", "fr"))

    with pytest.raises(IndexUnavailable, match="en,es"):
        french.search(SearchRequest(Text(("pain",))))
    french.rebuild([Document("skill:a", 1, "fr", "Des pains")])

    assert french.search(SearchRequest(Text(("pain",)), exact=True)).total == 1
    assert WhooshEngine(tmp_path / "search", ("es", "en")).status().problem


def test_arrays_and_single_postings_are_read_alike_by_whoosh(tmp_path):
    engine = WhooshEngine(tmp_path / "search")
    engine.rebuild(Document(f"skill:{n}", 1, "en", "crumb " * (n % 4 + 1) + f"only{n}") for n in range(60))
    folder = tmp_path / "search" / Generations(tmp_path / "search", ("en", "es")).mark().folder

    with FileIndex(FileStorage(str(folder))).reader() as reader:
        assert [reader.term_info("words", f"only{n}").doc_frequency() for n in (0, 59)] == [1, 1]
        assert list(reader.postings("words", "crumb").all_ids()) == list(range(60))
        assert reader.term_info("words", "crumb").max_weight() == 16.0
        assert reader.frequency("words", "crumb") == sum(4.0 * (n % 4 + 1) for n in range(60))
