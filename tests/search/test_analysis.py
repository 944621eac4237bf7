"""From text to words: folded, stemmed, and in pairs."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillshare.search.analysis import (
    PLAIN_TOKEN,
    TOKEN,
    WORD_MAX,
    fold,
    query_words,
    sounded_out,
    stems,
    words_of,
)


def folded(text):
    return [word.folded for word in words_of(text)]


def stems_of(text, language):
    return {stem for word in words_of(text) for stem in stems(word, language)}


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("PANADERÍA", "panaderia"), ("panaderi\u0301a", "panaderia"), ("Straße", "strasse"), ("ﬁne", "fine"),
        ("Ｗｉｄｅ", "wide"), ("Łódź", "lodz"), ("Ærø", "aero"), ("ёлка", "елка"), ("がく", "がく"), ("أهلا", "اهلا"),
    ],
)  # fmt: skip
def test_words_are_folded(written, plain):
    assert fold(written) == plain


@given(st.text())
def test_folding_twice_is_once(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters()))
def test_any_text_has_words_that_can_be_stored(text):
    for word in words_of(text):
        assert text[word.start : word.end]
        assert len(word.folded) <= WORD_MAX
        for term in (word.folded, word.joined, *word.beside, *stems(word, "en"), *stems(word, "es")):
            term.encode("utf-8")
    sounded_out(text).encode("utf-8")
    query_words(text, ("en", "es"))


@pytest.mark.parametrize(
    "language", ["da", "de", "en", "es", "fi", "fr", "hu", "it", "nl", "no", "pt", "ro", "ru", "sv"]
)
@given(text=st.text(max_size=30))
def test_every_stemmer_takes_any_word(language, text):
    stems_of(text, language)


def test_accents_do_not_change_what_is_found():
    assert stems_of("panadería", "es") & stems_of("panaderia", "es")


@pytest.mark.parametrize(("language", "one", "other"), [("en", "baking", "bake"), ("es", "guitarras", "guitarra")])
def test_word_forms_share_a_stem(language, one, other):
    assert stems_of(one, language) & stems_of(other, language)


def test_stems_say_their_language():
    assert stems_of("pan", "es-MX") == {"es:pan"}


def test_small_words_and_unknown_languages_have_no_stems():
    assert stems_of("the", "en") == set()
    assert stems_of("bread", "xx") == set()


def test_compounds_are_their_parts_and_the_whole():
    words = list(words_of("rock'n'roll"))

    assert [word.folded for word in words] == ["rock", "n", "roll"]
    assert words[0].joined == "rocknroll"


def test_the_letters_of_a_compound_are_not_asked_for():
    assert [word.forms for word in query_words("t-shirt", ["en"])] == [("shirt", "tshirt")]


def test_scripts_without_spaces_become_pairs():
    assert folded("日本語") == ["日本", "本語"]


def test_vowel_signs_stay_with_their_word():
    assert folded("हिन्दी सीखो") == ["हिन्दी", "सीखो"]


def test_what_cannot_be_seen_parts_no_words():
    assert folded("gui\u200btar \u202eabc\u202c می\u200cخواهم") == ["guitar", "abc", "میخواهم"]


def test_pictures_are_words():
    assert folded("learn 🎸!") == ["learn", "🎸"]


def test_words_stand_where_they_say():
    text = "Ei\u0301, T-shirts: 日本語"

    assert [text[word.start : word.end] for word in words_of(text)] == ["Ei\u0301", "T", "shirts", "日本", "本語"]
    assert unicodedata.is_normalized("NFC", folded(text)[0])


@pytest.mark.parametrize("unit", ["a-", "a'", "日", "\u0301", "a\u0301", "ﷺ", "🎸", "a "])
def test_reading_takes_linear_time(unit):
    began = time.perf_counter()

    sum(1 for _ in words_of(unit * 20_000))

    assert time.perf_counter() - began < 2


@given(st.text(st.characters(codec="ascii")))
def test_plain_text_is_read_like_any_other(text):
    assert PLAIN_TOKEN.findall(text) == [token[0] for token in TOKEN.finditer(text)]
