"""What every search engine keeps, whatever it is made of."""

from dataclasses import replace

import pytest

from skillshare import limits
from skillshare.search.engine import Document, SearchRequest, Text, TooDeep

CATALOGUE_SIZE = 7


@pytest.mark.parametrize("typed", ["soldadura", "SOLDADURA", "soldaduras", "soldadúra", "welding"])
def test_names_in_any_language_find_the_thing(found, typed):
    assert "skill:welding" in found(typed)


@pytest.mark.parametrize(
    ("typed", "key"), [("baked", "skill:bread"), ("panes", "offer:pan"), ("chord", "session:chords")]
)
def test_word_forms_do_not_matter(found, typed, key):
    assert key in found(typed)


def test_the_theory_half_is_found_too(found):
    assert found("why does bread rise")[0] == "skill:bread"


def test_what_holds_all_words_comes_first_and_any_word_is_enough(found):
    keys = found("guitar chords dough")

    assert set(keys) == {"offer:guitar", "session:chords", "session:dough", "skill:bread"}
    assert set(found("guitar chords")[:2]) == {"offer:guitar", "session:chords"}


def test_one_word_said_often_does_not_outweigh_both_words(empty):
    empty.apply(
        [Document("want:often", 1, "en", "guitar " * 9), Document("want:both", 1, "en", "", extra="guitar dough")]
    )
    empty.apply([Document(f"want:{number}", 1, "en", "dough") for number in range(9)])

    page = empty.search(SearchRequest(Text(("guitar", "dough"))))

    assert page.hits[0].key == "want:both"
    assert page.hits[1].weight > page.hits[0].weight


def test_small_words_alone_find_nothing_else(found):
    assert set(found("the bread")) == set(found("bread"))


def test_a_phrase_must_stand_as_written(found):
    assert found('"open chords"') == ["session:chords", "offer:guitar"]
    assert found('"chords open"') == []


def test_a_phrase_does_not_span_two_texts(found):
    assert found('"welding soldadura"') == []


def test_a_phrase_is_found_in_what_came_later(engine, found):
    engine.apply([Document("want:crumb", 1, "en", "An open crumb")])

    assert found('"open crumb"') == ["want:crumb"]
    assert found('-"open crumb" crumb') == []


def test_minus_takes_out(found):
    assert "session:dough" not in found("bread -evening")
    assert set(found("bread -evening")) == set(found("bread")) - {"session:dough"}


def test_minus_alone_keeps_the_rest(search):
    assert search("-bread").total == CATALOGUE_SIZE - 3


def test_minus_takes_out_a_phrase(found):
    assert found('guitar -"open chords in"') == ["offer:guitar"]


def test_skill_asks_for_titles_and_names_only(found):
    assert found("skill:dough") == ["session:dough"]


def test_signs_only_find_nothing(search):
    assert search("*** ((( ^").total == 0


def test_no_words_find_everything_newest_first_when_asked(found):
    assert found(sort="newest")[:2] == ["want:solder", "session:chords"]


def test_kinds_narrow(found):
    assert found("guitar", kinds=frozenset({"offer"})) == ["offer:guitar"]


def test_any_value_of_a_filter_and_all_of_the_filters(found):
    filters = {"topic": frozenset({"kitchen", "music"}), "area": frozenset({"north"})}

    assert set(found(filters=filters)) == {"offer:pan", "session:dough"}


def test_what_is_left_out_is_neither_found_nor_counted(search):
    page = search("soldadura", without={"audience": frozenset({"community"})}, facets=("kind",))

    assert [hit.key for hit in page.hits] == ["skill:welding"]
    assert dict(page.facets["kind"]) == {"skill": 1}


def test_an_unknown_filter_value_lets_nothing_pass(search):
    assert search("bread", filters={"topic": frozenset({"\ud800"})}).total == 0


def test_left_keeps_out_what_is_full(found):
    assert "session:dough" not in found("dough", left=True)
    assert "skill:bread" in found("dough", left=True)


def test_starts_are_from_inclusive_to_exclusive(found):
    assert found(starts_from=1_000, starts_before=2_000) == ["session:dough"]


def test_soonest_lists_what_has_no_date_last(found):
    assert found(sort="soonest")[:2] == ["session:dough", "session:chords"]


def test_a_facet_ignores_its_own_filter_and_no_other(search):
    page = search(
        filters={"topic": frozenset({"music"})}, kinds=frozenset({"session"}), facets=("topic", "kind", "area")
    )

    assert dict(page.facets["topic"]) == {"kitchen": 1, "music": 1}
    assert dict(page.facets["kind"]) == {"offer": 1, "session": 1}
    assert dict(page.facets["area"]) == {"south": 1}


def test_facets_list_most_first(search):
    assert search(facets=("topic",)).facets["topic"][0] == ("kitchen", 3)


def test_pages_follow_on(found):
    whole = found(per_page=7)

    assert [key for page in (1, 2, 3) for key in found(page=page, per_page=3)] == whole


def test_pages_beyond_the_end_are_empty(search):
    page = search("bread", page=9)

    assert page.hits == ()
    assert page.total == 3


@pytest.mark.parametrize(("page", "per_page"), [(51, 20), (2, 501), (0, 20), (1, 0), (-1, -20)])
def test_pages_too_deep_are_refused(page, per_page):
    with pytest.raises(TooDeep):
        SearchRequest(page=page, per_page=per_page)


def test_the_deepest_page_is_allowed(search):
    assert search(page=limits.PAGES_DEEP // 20, per_page=20).total == CATALOGUE_SIZE


@pytest.mark.parametrize("typed", ["guitr", "guittar", "guktar", "giutar", "gutiar"])
def test_one_typing_mistake_is_forgiven_and_said(search, typed):
    page = search(typed)

    assert {hit.key for hit in page.hits} >= {"offer:guitar"}
    assert page.correction == "guitar"


def test_nothing_is_corrected_when_the_words_are_known(search):
    assert search("guitar").correction is None


def test_exact_forgives_nothing(search):
    assert search("guitr", exact=True).total == 0


def test_corrections_come_only_from_what_may_be_found(search):
    page = search("aprendar", filters={"audience": frozenset({"public"})})

    assert page.total == 0
    assert page.correction is None


def test_the_most_common_word_that_may_be_found_is_meant(empty):
    hidden, public = ({"audience": frozenset({name})} for name in ("community", "public"))
    empty.apply([Document(f"want:{number}", 1, "en", "bread", filters=hidden) for number in range(3)])
    empty.apply([Document("want:x", 1, "en", "tread", filters=public)])

    assert empty.search(SearchRequest(Text(("xread",)))).correction == "bread"
    assert empty.search(SearchRequest(Text(("xread",)), filters=public)).correction == "tread"


def test_completion_offers_skills_first(engine):
    keys = [each.key for each in engine.complete("bak", frozenset(), "en")]

    assert keys == ["skill:bread"]
    assert [each.key for each in engine.complete("g", frozenset(), "en")] == ["offer:guitar"]


def test_completion_goes_on_from_any_word_in_any_language(engine):
    assert [each.key for each in engine.complete("masa m", frozenset(), "es")] == ["skill:bread"]
    assert [each.key for each in engine.complete("SÓLD", frozenset(), "es")] == ["skill:welding", "want:solder"]


def test_completion_keeps_to_kinds_and_limit(engine):
    assert [each.key for each in engine.complete("sold", frozenset({"want"}), "en")] == ["want:solder"]
    assert len(engine.complete("o", frozenset(), "en", limit=1)) == 1


@pytest.mark.parametrize("prefix", ["", "  ", "***", "\x00", "\ud800", "x" * 500])
def test_completion_of_nothing_known_is_empty(engine, prefix):
    assert engine.complete(prefix, frozenset(), "en") == ()


def test_applying_again_changes_nothing(engine, found):
    before = found("bread")

    engine.apply(engine_documents := [Document("offer:pan", 2, "es", "Pan")], ["want:solder", "want:never"])
    engine.apply(engine_documents, ["want:solder", "want:never"])

    assert set(found("pan")) >= {"offer:pan"}
    assert engine.versions()["offer:pan"] == 2
    assert "want:solder" not in engine.versions()
    assert set(before) - set(found("bread")) == {"offer:pan"}


def test_what_is_replaced_is_not_found_by_its_old_words(engine, found):
    engine.apply([Document("offer:guitar", 2, "en", "Ukulele")])

    assert "offer:guitar" not in found("guitar")
    assert found("ukulele") == ["offer:guitar"]


def test_the_last_of_two_documents_with_one_key_counts(engine, found):
    engine.apply([Document("want:x", 1, "en", "Knitting"), Document("want:x", 2, "en", "Juggling")])

    assert found("knitting", exact=True) == []
    assert found("juggling") == ["want:x"]


def test_versions_name_every_document(engine):
    assert len(engine.versions()) == CATALOGUE_SIZE
    assert engine.versions()["skill:welding"] == 3


def test_versions_of_some_keys_are_those_that_are_there(engine):
    assert engine.versions(["skill:welding", "skill:never"]) == {"skill:welding": 3}


def test_many_small_changes_leave_every_document_once(empty):
    for round_ in range(3):
        for number in range(12):
            empty.apply([Document(f"want:{number}", round_, "en", f"Wish number {number}")])

    assert empty.versions() == {f"want:{number}": 2 for number in range(12)}
    assert empty.search(SearchRequest(Text(("wish",)))).total == 12


def test_rebuilding_replaces_everything(engine, found):
    told = []

    generation = engine.rebuild([Document(f"want:{number}", 1, "en", "Juggling") for number in range(250)], told.append)

    assert engine.search(SearchRequest(Text(("juggling",)))).generation == generation
    assert len(engine.versions()) == 250
    assert told[-1] == 250
    assert found("bread", exact=True) == []


def test_status_counts(engine):
    status = engine.status()

    assert status.documents == CATALOGUE_SIZE
    assert status.problem is None
    assert status.size_bytes > 0


def test_an_empty_engine_answers(empty):
    page = empty.search(SearchRequest(Text(("bread",)), facets=("topic",)))

    assert (page.hits, page.total, dict(page.facets)) == ((), 0, {"topic": ()})
    assert empty.complete("b", frozenset(), "en") == ()
    assert empty.versions() == {}


def test_scripts_without_spaces_are_found_by_any_part(empty):
    empty.apply([Document("skill:ikebana", 1, "ja", "日本の生け花", names=(("th", "ภาษาไทย"),))])

    for typed in ("生け花", "日本", "花", "ไทย"):
        assert empty.search(SearchRequest(Text((typed,)))).total == 1, typed


@pytest.mark.parametrize("typed", ["t-shirt", "tshirt", "t-shirts", "T‑Shirt"])
def test_hyphens_may_be_left_out(empty, typed):
    empty.apply([Document("skill:print", 1, "en", "Printing a t-shirt")])

    assert empty.search(SearchRequest(Text((typed,)), exact=True)).total == 1


def test_the_same_request_is_answered_alike(search):
    first, second = search("bread guitar"), search("bread guitar")

    assert replace(first, took_ms=0) == replace(second, took_ms=0)
