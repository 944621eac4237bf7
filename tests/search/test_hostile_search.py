"""Whatever is typed or stored, the answer is a page (R-67, R-68, R-70, R-71, R-72)."""

import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skillshare import limits
from skillshare.search.engine import Document, SearchRequest, Text
from skillshare.search.marks import Marker
from skillshare.search.parser import QueryTooLong, parse
from skillshare.search.whoosh_engine import WhooshEngine

ANY_TEXT = st.text(st.characters(), max_size=limits.QUERY)  # every category, lone surrogates too
SIGNS = ["*", "?*?*", "a*", "[a TO z]", "id:1", "cat~3", "^99", "(((", "NOT NOT", '"' * 100, "+-+-", "' OR 1=1", "\x00"]

reuse = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    engine = WhooshEngine(tmp_path_factory.mktemp("hostile") / "search")
    engine.rebuild(
        Document(f"offer:{number}", 1, "en", f"{word} and or not", practice="a z cat <script>alert(1)</script>")
        for number, word in enumerate(["cat", "cart", "id", "日本語", "🎸", "ñandú", "TO", "NOT"])
    )
    return engine


@given(typed=ANY_TEXT)
@reuse
def test_anything_typed_is_answered(engine, typed):
    try:
        text = parse(typed).text
    except QueryTooLong:
        assert len(typed.split()) > limits.QUERY_TERMS
        return
    page = engine.search(SearchRequest(text, facets=("kind",)))
    assert page.total >= len(page.hits)
    engine.complete(typed, frozenset(), "en")
    Marker(text, engine.languages).snippet(typed)


@pytest.mark.parametrize("typed", SIGNS)
def test_signs_are_plain_words(engine, typed):
    words = re.findall(r"[a-z0-9]+", typed, re.IGNORECASE)
    plain = engine.search(SearchRequest(parse(" ".join(words)).text, exact=True)) if words else None

    page = engine.search(SearchRequest(parse(typed).text, exact=True))

    asked_nothing = not parse(typed).text
    assert page.total == (plain.total if plain else len(engine.versions()) * asked_nothing)


@given(stored=st.text(st.characters(), max_size=200))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anything_stored_can_be_indexed_and_found(engine, stored):
    filters = {"topic": frozenset({stored})}
    engine.apply([Document("want:x", 1, "en", f"findme {stored}", (("es", stored),), stored, stored, stored, filters)])

    page = engine.search(SearchRequest(Text(("findme",)), filters=filters, facets=("topic",), exact=True))

    assert [hit.key for hit in page.hits] == ["want:x"]
    assert page.facets["topic"] == ((stored, 1),)


@pytest.mark.parametrize(
    "typed",
    ["日" * 128, "ab-" * 42, "qwzx " * 12, "a'" * 64, "\u0301" * 128, "ﷺ" * 128, '"cat cat cat"' * 4, "-cat " * 12],
)
def test_the_worst_that_can_be_typed_is_quick(engine, typed):
    text = parse(typed).text
    began = time.perf_counter()

    engine.search(SearchRequest(text))

    assert time.perf_counter() - began < 0.5


def test_the_deepest_page_costs_little_more_than_the_first(tmp_path):
    engine = WhooshEngine(tmp_path / "search")
    engine.rebuild(Document(f"offer:{number}", 1, "en", "cat " * (number % 9 + 1)) for number in range(2_000))

    first = engine.search(SearchRequest(Text(("cat",)), per_page=20))
    deepest = engine.search(SearchRequest(Text(("cat",)), page=50, per_page=20))

    assert first.total == deepest.total == 2_000
    assert not {hit.key for hit in first.hits} & {hit.key for hit in deepest.hits}
    assert min(hit.weight for hit in first.hits) >= max(hit.weight for hit in deepest.hits)
