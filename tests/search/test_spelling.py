"""Near spellings: all of them, and nothing else."""

import string

from hypothesis import example, given
from hypothesis import strategies as st

from skillshare.search.engine import Document, SearchRequest, Text
from skillshare.search.spelling import ALIKE_FROM, BEGINNING, LONGEST_BYTES, SHORTEST, Spellings, one_mistake

LETTERS = "abño"
words = st.text(LETTERS, min_size=SHORTEST - 1, max_size=8)
lexicons = st.lists(words, max_size=30, unique=True)


def one_away(word: str) -> set[str]:
    """Every word that one mistake makes of this one, by making all of them."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    left_out = {start + end[1:] for start, end in cuts if end}
    swapped = {start + end[1] + end[0] + end[2:] for start, end in cuts if len(end) > 1}
    changed = {start + letter + end[1:] for start, end in cuts if end for letter in LETTERS}
    added = {start + letter + end for start, end in cuts for letter in LETTERS}
    return (left_out | swapped | changed | added) - {word}


def trigrams(word: str) -> set[bytes]:
    padded = b"  " + word.encode() + b" "
    return {padded[at : at + 3] for at in range(len(padded) - 2)}


@given(words, words)
@example("abab", "baba")
def test_one_mistake_is_what_one_mistake_makes(a, b):
    assert one_mistake(a, b) == (b in one_away(a))


@given(lexicons, st.text(LETTERS, min_size=SHORTEST, max_size=8))
@example(["abño"], "baño")
@example(["abño"], "añbo")
def test_all_words_at_one_mistake_are_near_and_no_others(lexicon, typed):
    assert Spellings([word.encode() for word in lexicon]).near(typed) == one_away(typed) & set(lexicon)


@given(lexicons, st.text(LETTERS, min_size=SHORTEST, max_size=8))
def test_what_begins_alike_and_shares_trigrams_is_alike(lexicon, typed):
    found = Spellings([word.encode() for word in lexicon]).alike(typed)

    for word in lexicon:
        starts_so = word.startswith(typed[:BEGINNING]) and word != typed
        likeness = len(trigrams(word) & trigrams(typed)) / len(trigrams(word) | trigrams(typed))
        if len(trigrams(word)) == len(word.encode()) + 1:  # a trigram said twice is counted twice
            assert (word in found) == (starts_so and likeness >= ALIKE_FROM)


def test_an_unfinished_word_and_another_ending_are_alike():
    lexicon = Spellings([b"guitar", b"guitarra", b"soldador", b"soldadura", b"gusto"])

    assert set(lexicon.alike("guit")) == {"guitar", "guitarra"}
    assert lexicon.alike("soldaduria")["soldadura"] > lexicon.alike("soldaduria")["soldador"]


@given(st.text(string.ascii_lowercase + "ñ日", max_size=60))
def test_any_word_may_be_looked_up(typed):
    lexicon = Spellings([b"guitar", b"x" * LONGEST_BYTES, b"x" * 60])

    lexicon.near(typed)
    lexicon.alike(typed)


def test_an_empty_lexicon_has_nothing_near():
    assert Spellings([]).near("guitar") == set()
    assert Spellings([]).alike("guitar") == {}


def test_two_mistakes_and_unfinished_words_are_forgiven_where_one_is_not_enough(whoosh):
    whoosh.rebuild([Document("skill:guitar", 1, "en", "Guitar"), Document("skill:weld", 1, "es", "Soldadura")])

    for typed, meant in (("guitaare", "guitar"), ("guit", "guitar"), ("soldadorua", "soldadura")):
        page = whoosh.search(SearchRequest(Text((typed,))))
        assert page.correction == meant, typed
        assert page.total == 1


def test_each_unknown_word_is_set_right_by_itself(whoosh):
    whoosh.rebuild([Document("skill:guitar", 1, "en", "Guitar chords"), Document("skill:bread", 1, "en", "Bread")])

    page = whoosh.search(SearchRequest(Text(("guitr", "bread", "chrods"))))

    assert page.correction == "guitar bread chords"
    assert page.hits[0].key == "skill:guitar"
