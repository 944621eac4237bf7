"""Readers while a writer writes: every answer is one state of the index, whole."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from skillshare.search.engine import Document, SearchRequest, Text
from skillshare.search.whoosh_engine import WhooshEngine

KEYS = 20
PAIR = SearchRequest(Text(("bread",)), per_page=100, facets=("topic",))


def state(number: int) -> list[Document]:
    """All documents, each saying which state they are of."""
    topic = {"topic": frozenset({f"state{number}"})}
    return [Document(f"skill:{key}", number, "en", "Bread", filters=topic) for key in range(KEYS)]


def test_readers_see_the_old_state_or_the_new_one_and_never_both(tmp_path):
    engine = WhooshEngine(tmp_path / "search")
    engine.rebuild(state(0))
    done = Event()

    def read() -> int:
        seen = -1
        while not done.is_set():
            page = engine.search(PAIR)
            ((topic, count),) = page.facets["topic"]
            assert count == page.total == len({hit.key for hit in page.hits}) == KEYS
            assert int(topic.removeprefix("state")) >= seen
            seen = int(topic.removeprefix("state"))
            assert len(engine.complete("bre", frozenset(), "en", limit=KEYS)) == KEYS
        return seen

    with ThreadPoolExecutor(8) as threads:
        readers = [threads.submit(read) for _ in range(8)]
        try:
            for number in range(1, 9):
                if number % 4:
                    engine.apply(state(number))
                else:
                    engine.rebuild(state(number))
        finally:
            done.set()
        assert [reader.result() for reader in readers]

    assert engine.search(PAIR).facets["topic"] == (("state8", KEYS),)


def test_writers_take_turns(tmp_path):
    engine = WhooshEngine(tmp_path / "search")
    engine.rebuild(())

    def write(number: int) -> None:
        engine.apply([Document(f"want:{number}", 1, "en", "Wish")])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(24)))

    assert len(engine.versions()) == 24


def test_many_threads_get_the_answers_of_one(tmp_path):
    engine = WhooshEngine(tmp_path / "search", memory_bytes=2_000)  # little is kept: much is decoded anew
    words = [f"word{chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(60)]
    engine.rebuild(
        Document(f"skill:{number}", 1, "en", f"{words[number % 40]} {words[number * 7 % 60]} shared")
        for number in range(300)
    )
    requests = [SearchRequest(Text((word, "shared"), phrases=(f"{word} shared",)), exact=True) for word in words]
    expected = [engine.search(request).hits for request in requests]

    with ThreadPoolExecutor(8) as threads:
        for _ in range(3):
            found = threads.map(lambda request: engine.search(request).hits, requests)
            assert list(found) == expected
