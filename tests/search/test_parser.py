"""What people type, and what is made of it (R-67, R-68, R-70)."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshare import limits
from skillshare.search import parser
from skillshare.search.parser import QueryTooLong, parse

AREAS = {"North Side": "n1", "Älmhult": "a2"}
LANGUAGES = {"es": "es", "Español": "es", "English": "en"}


def read(typed):
    return parse(typed, areas=AREAS, languages=LANGUAGES)


def test_plain_words_are_words():
    assert read("sourdough  bread").text.words == ("sourdough", "bread")


def test_quotes_make_a_phrase():
    query = read('bread "open crumb" ')

    assert (query.text.words, query.text.phrases) == (("bread",), ("open crumb",))


def test_minus_leaves_out_words_and_phrases():
    assert read('bread -rye -"white flour"').text.excluded == ("rye", "white flour")


def test_a_hyphen_inside_a_word_is_no_minus():
    assert read("t-shirt").text.words == ("t-shirt",)


def test_skill_asks_for_a_name():
    assert read('skill:bread skill:"arc welding"').text.skills == ("bread", "arc welding")


@pytest.mark.parametrize("typed", ['area:"north side"', 'area:"NORTH SIDE"', 'Area:"North Side"'])
def test_areas_are_known_by_name(typed):
    assert read(typed).filters == {"area": frozenset({"n1"})}


def test_accents_do_not_matter_in_names():
    assert read("area:almhult lang:espanol").filters == {"area": frozenset({"a2"}), "language": frozenset({"es"})}


def test_two_languages_are_either_of_them():
    assert read("lang:es lang:english").filters == {"language": frozenset({"es", "en"})}


def test_who_left_and_days():
    query = read("who:shows left:yes after:2026-05-01 before:2026-06-01")

    assert query.filters == {"who": frozenset({"shows"})}
    assert query.left
    assert (query.after, query.before) == (date(2026, 5, 1), date(2026, 6, 1))
    assert not query.text


@pytest.mark.parametrize(
    "typed",
    [
        "area:nowhere", "lang:xx", "who:knows", "left:no", "before:2026-13-45", "after:soon", "kind:offer", "id:1",
        "skill:", "-area:north", "*", "?*?*", "a*", "[a", "cat~3", "^99", "(((", "NOT", "+-+-", "a:b:c", "--", "-",
        "key:x", "words:x", "filters:audience=private",
    ],
)  # fmt: skip
def test_what_is_not_known_is_plain_words(typed):
    query = read(typed)

    assert query.text.words == (typed,)
    assert not query.filters
    assert not query.left
    assert query.after is query.before is None


@pytest.mark.parametrize("typed", ['"', '"""', '""', '" "' * 3, '"' * 100])
def test_quotes_around_nothing_ask_nothing_impossible(typed):
    query = read(typed)

    assert not query.text.words
    assert not any(phrase.strip() for phrase in query.text.phrases)


def test_an_open_quote_is_left_out():
    assert read('"open crumb').text.words == ("open", "crumb")


@pytest.mark.parametrize("typed", ["x" * 129, "a " * 13, "x" * 100_000, '"' + "w " * 13 + '"'])
def test_too_much_is_refused_before_reading(typed, monkeypatch):
    monkeypatch.setattr(parser, "TERM", None)

    with pytest.raises(QueryTooLong):
        read(typed)


def test_the_most_allowed_is_read():
    typed = " ".join("w" * 9 for _ in range(limits.QUERY_TERMS))

    assert len(read(typed).text.words) == limits.QUERY_TERMS


@given(st.text(st.characters(), max_size=limits.QUERY))
def test_nothing_typed_is_an_error(typed):
    if len(typed.split()) <= limits.QUERY_TERMS:
        read(typed)


@given(st.text(st.sampled_from("ab:-\"'* ~()[]{}^+skilleftwhobefore:20-1\u202e\x00"), max_size=limits.QUERY))
def test_no_mixture_of_signs_is_an_error(typed):
    if len(typed.split()) <= limits.QUERY_TERMS:
        read(typed)


def test_nothing_typed_can_reach_whooshs_query_language():
    sources = list(Path(parser.__file__).parent.glob("*.py"))

    assert len(sources) > 5
    assert not [path.name for path in sources if "qparser" in path.read_text() or "whoosh.query" in path.read_text()]
