"""More of what every search engine keeps: order that can be paged, odd values, several filters, names to complete."""

import pytest

from skillshare.search.engine import Document, SearchRequest, Text

SIGNS = ["it's", 'say "bread"', "back\\slash", "a\\\\b", "100 %", "%(name)s", "a=b", "a,b", "{a}", "NULL", ""]
ODD = [*SIGNS, "\x00", "\ud800", "ñ 日 🎸"]
QUERIES = ["it's", "b\\", "'); DROP TABLE", "a & !b", "x:*", "'a' <-> 'b'", "%s", "b:A", "\x00"]
EVERYTHING = Text()


def keys(engine, text=EVERYTHING, **asked):
    return [hit.key for hit in engine.search(SearchRequest(text, **asked)).hits]


@pytest.mark.parametrize("value", ODD)
def test_a_filter_may_have_any_value(empty, value):
    filters = {"topic": frozenset({value})}
    empty.apply([Document("want:x", 1, "en", "Bread", filters=filters), Document("want:y", 1, "en", "Bread")])

    page = empty.search(SearchRequest(Text(("bread",)), filters=filters, facets=("topic",)))

    assert [hit.key for hit in page.hits] == ["want:x"]
    assert page.facets["topic"] == ((value, 1),)
    assert keys(empty, Text(("bread",)), without=filters) == ["want:y"]


@pytest.mark.parametrize("key", ["offer:it's", "offer:a\\b", "offer:%s", "offer:日"])
def test_a_key_may_be_any_text(empty, key):
    empty.apply([Document(key, 7, "en", "Bread")])

    assert keys(empty, Text(("bread",))) == [key]
    assert empty.versions([key]) == {key: 7}
    assert [each.key for each in empty.complete("bre", frozenset(), "en")] == [key]

    empty.apply([], [key])

    assert empty.versions() == {}
    assert empty.complete("bre", frozenset(), "en") == ()


@pytest.mark.parametrize(
    "typed", ["it's", "b\\", "'); DROP TABLE", "a & !b", "x:*", "'a' <-> 'b'", "%s", "b:A", "\x00"]
)
def test_signs_in_words_are_no_query_language(empty, typed):
    empty.apply([Document("want:x", 1, "en", "Nothing of that")])

    for text in (Text((typed,)), Text(phrases=(typed,)), Text(skills=(typed,)), Text(("nothing",), excluded=(typed,))):
        empty.search(SearchRequest(text, facets=("kind",), exact=True))


def test_phrases_of_several_words_stand_in_names_and_texts(empty):
    empty.apply(
        [
            Document("offer:named", 1, "en", "Pies", names=(("en", "A slice of apple pie"),)),
            Document("offer:said", 1, "en", "Sweets", practice="Bake a slice of apple pie."),
            Document("offer:mixed", 1, "en", "Apple slice of a pie", theory="A pie of slice apple."),
        ]
    )

    assert set(keys(empty, Text(phrases=("slice of apple pie",)))) == {"offer:named", "offer:said"}
    assert keys(empty, Text(phrases=("apple pie", "bake a"))) == ["offer:said"]
    assert keys(empty, Text(("pie",), excluded=("apple pie",))) == ["offer:mixed"]


def test_words_beside_a_phrase_only_help_to_rank(empty):
    empty.apply(
        [
            Document("offer:bare", 1, "en", "Open chords", made_at=9),
            Document("offer:both", 1, "en", "Open chords", practice="On the guitar.", made_at=1),
            Document("offer:word", 1, "en", "Guitar"),
        ]
    )

    assert keys(empty, Text(("guitar",), phrases=("open chords",))) == ["offer:both", "offer:bare"]


def test_skills_must_all_be_named(empty):
    empty.apply(
        [
            Document("offer:both", 1, "en", "Bread", names=(("en", "Sourdough"),)),
            Document("offer:one", 1, "en", "Bread", practice="Sourdough."),
        ]
    )

    assert keys(empty, Text(skills=("bread", "sourdough"))) == ["offer:both"]
    assert set(keys(empty, Text(skills=("breads",)))) == {"offer:both", "offer:one"}


@pytest.mark.parametrize("sort", ["relevance", "soonest", "newest"])
def test_pages_hold_everything_once_though_all_is_equal(empty, sort):
    empty.apply([Document(f"offer:{number}", 1, "en", "Bread", made_at=5) for number in range(45)])

    pages = [keys(empty, Text(("bread",)), sort=sort, page=page, per_page=10) for page in range(1, 6)]

    assert [len(page) for page in pages] == [10, 10, 10, 10, 5]
    assert len(set().union(*pages)) == 45


def test_sorted_otherwise_all_words_still_come_first(empty):
    empty.apply(
        [
            Document("session:one", 1, "en", "Guitar", starts_at=1, made_at=9),
            Document("session:both", 1, "en", "Guitar chords", starts_at=5, made_at=1),
        ]
    )
    asked = Text(("guitar", "chords"))

    assert keys(empty, asked, sort="soonest") == keys(empty, asked, sort="newest") == ["session:both", "session:one"]


def test_each_facet_ignores_its_own_of_two_filters(empty):
    shelf = [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("b", "y")]
    empty.apply(
        [
            Document(f"offer:{number}", 1, "en", "Bread", filters={"topic": frozenset({t}), "area": frozenset({a})})
            for number, (t, a) in enumerate(shelf)
        ]
    )

    page = empty.search(
        SearchRequest(
            Text(("bread",)),
            filters={"topic": frozenset({"b"}), "area": frozenset({"y"})},
            facets=("topic", "area", "language", "nothing"),
        )
    )

    assert page.total == 2
    assert dict(page.facets["topic"]) == {"a": 1, "b": 2}
    assert dict(page.facets["area"]) == {"x": 1, "y": 2}
    assert dict(page.facets["language"]) == {"en": 2}
    assert page.facets["nothing"] == ()


def test_completion_prefers_whole_and_short_names_in_the_reader_s_language(empty):
    empty.apply(
        [
            Document("skill:inner", 1, "en", "Old bread"),
            Document("skill:long", 1, "en", "Bread baking at home"),
            Document("skill:short", 1, "en", "Breads"),
            Document("skill:other", 1, "es", "Bread"),
            Document("offer:bread", 1, "en", "Bread"),
        ]
    )

    found = [each.key for each in empty.complete("bre", frozenset(), "en")]

    assert found == ["skill:short", "skill:long", "skill:inner", "skill:other", "offer:bread"]


def test_two_misspelt_words_are_both_set_right(empty):
    empty.apply([Document("offer:x", 1, "en", "Guitar chords")])

    page = empty.search(SearchRequest(Text(("guitr", "chrods"))))

    assert (page.correction, [hit.key for hit in page.hits]) == ("guitar chords", ["offer:x"])


def test_a_word_is_unknown_again_once_nothing_holds_it(empty):
    empty.apply([Document("offer:x", 1, "en", "Guitar"), Document("offer:y", 1, "en", "Guitars")])
    empty.apply([Document("offer:y", 2, "en", "Ukulele")], ["offer:x"])

    assert empty.search(SearchRequest(Text(("guitr",)))).total == 0
    assert empty.search(SearchRequest(Text(("ukuxele",)))).correction == "ukulele"


def test_a_text_may_be_long(empty):
    long = " ".join(f"word{number}" for number in range(9_000))
    empty.apply([Document("offer:x", 1, "en", "Long", practice=f"near the start {long}", extra=long)])

    assert keys(empty, Text(phrases=("near the start",))) == ["offer:x"]
    assert empty.versions() == {"offer:x": 1}


def test_what_is_called_as_somebody_typed_comes_first(empty):
    empty.apply(
        [
            Document("offer:holds", 1, "en", "Bread bread and more bread", practice="Bread, bread, bread baking."),
            Document("offer:called", 1, "en", "Baking bread", practice="At home with a good deal of time and flour."),
        ]
    )

    assert keys(empty, Text(("bread", "baking"))) == ["offer:called", "offer:holds"]


def test_deep_pages_go_on_where_the_others_ended(empty):
    empty.apply(
        [Document(f"offer:{n}", 1, "en", "Guitar" if n % 2 else "Guitar chords", extra="song " * n) for n in range(450)]
    )
    asked = Text(("guitar", "chords"))

    pages = [keys(empty, asked, page=page, per_page=75) for page in range(1, 7)]

    listed = [key for page in pages for key in page]
    assert len(listed) == len(set(listed)) == 450
    assert {int(key.partition(":")[2]) % 2 for key in listed[:225]} == {0}
