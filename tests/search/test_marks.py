"""Marks: escaped first, then marked, and nothing else (R-72)."""

import html
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshare.search.marks import Marker
from skillshare.search.parser import parse

HOSTILE = "<script>alert('bread')</script> <b onclick=x>bread</b> &lt;bread&gt; \"bread\" <mark>bread</mark>"


def marker(typed):
    return Marker(parse(typed).text, ("en", "es"))


def test_words_and_their_forms_are_marked():
    assert marker("bake").marked("We baked; BAKING bread") == "We <mark>baked</mark>; <mark>BAKING</mark> bread"


def test_phrases_and_skills_are_marked_and_excluded_words_are_not():
    marked = marker('"open crumb" skill:rye -bread').marked("open crumb, rye, bread")

    assert marked == "<mark>open</mark> <mark>crumb</mark>, <mark>rye</mark>, bread"


def test_small_words_are_not_marked_beside_others():
    assert marker("the bread").marked("the bread") == "the <mark>bread</mark>"


def test_accents_and_combining_signs_stay_whole():
    assert marker("panaderia").marked("La panaderi\u0301a") == "La <mark>panaderi\u0301a</mark>"


def test_pairs_are_marked_as_one():
    assert marker("日本語").marked("私は日本語を") == "私は<mark>日本語</mark>を"


def test_hostile_text_comes_out_escaped_with_only_our_marks():
    marked = marker("bread script mark").marked(HOSTILE)

    assert set(re.findall(r"<[^>]*>", marked)) == {"<mark>", "</mark>"}
    assert html.unescape(re.sub("</?mark>", "", marked)) == HOSTILE


TEXTS = st.text(st.one_of(st.characters(), st.sampled_from("<>&\"' bread-ñ\u0301日本\u202e")), max_size=300)


@given(TEXTS, st.sampled_from(["bread", "b r e a d", "日本 ñ", "mark amp lt", "-"]))
def test_marking_keeps_the_text(text, typed):
    marked = str(marker(typed).marked(text))

    assert html.unescape(re.sub("</?mark>", "", marked)) == html.unescape(str(html.escape(text)))
    assert set(re.findall("<[^>]*>", marked)) <= {"<mark>", "</mark>"}


@given(TEXTS, st.integers(20, 200))
def test_a_snippet_is_a_piece_of_the_text(text, width):
    snippet = html.unescape(re.sub("</?mark>", "", str(marker("bread").snippet(text, width))))

    assert snippet.removeprefix("…").removesuffix("…") in text
    assert len(snippet) <= width + 2


def test_a_snippet_shows_where_the_words_stand_together():
    text = "Bread alone. " + "Filler words here. " * 30 + "Rye bread with caraway. " + "More filler. " * 30

    snippet = marker("rye bread").snippet(text)

    assert "<mark>Rye</mark> <mark>bread</mark>" in snippet
    assert snippet.startswith("…")
    assert snippet.endswith("…")


def test_a_short_text_is_shown_whole():
    assert marker("x").snippet("Short.") == "Short."


@pytest.mark.parametrize("unit", ["bread ", "<", "bread-", "b\u0301", "日"])
def test_marking_takes_linear_time(unit):
    began = time.perf_counter()

    marker("bread 日本").snippet(unit * 200_000)
    marker("bread 日本").marked(unit * 4_000)

    assert time.perf_counter() - began < 2


def test_pieces_make_up_the_text():
    pieces = marker("rye").pieces("a rye b")

    assert pieces == [("a ", False), ("rye", True), (" b", False)]
