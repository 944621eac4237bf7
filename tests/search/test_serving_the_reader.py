"""What comes first among matches: what is near, soon and open, and nobody for ever; and asking for one half only."""

import pytest

from skillshare.search.engine import SOON, Document, SearchRequest, Text

BREAD = Text(("bread",))
NOW = 1_000_000
NORTH = {"area": frozenset({"north"})}


def keys(engine, text=BREAD, **asked):
    return [hit.key for hit in engine.search(SearchRequest(text, **asked)).hits]


@pytest.fixture
def halves(empty):
    empty.apply(
        [
            Document("offer:does", 1, "en", "Baking", practice="Knead the bread dough.", theory="Gas lifts it."),
            Document("offer:why", 1, "en", "Baking", practice="Knead.", theory="Why bread rises: yeast makes gas."),
            Document("offer:titled", 1, "en", "Bread", practice="Knead.", theory="Gas."),
        ]
    )
    return empty


def test_a_half_is_asked_for_alone(halves):
    assert keys(halves, within="practice") == ["offer:does"]
    assert keys(halves, within="theory") == ["offer:why"]
    assert set(keys(halves)) == {"offer:does", "offer:why", "offer:titled"}


def test_word_forms_and_phrases_keep_to_their_half(halves):
    assert keys(halves, Text(("rise",)), within="theory") == ["offer:why"]
    assert keys(halves, Text(("rise",)), within="practice") == []
    assert keys(halves, Text(phrases=("bread rises",)), within="theory") == ["offer:why"]
    assert keys(halves, Text(phrases=("bread dough",)), within="theory") == []


def test_all_words_of_a_half_come_first(halves):
    found = keys(halves, Text(("gas", "yeast")), within="theory")

    assert found[0] == "offer:why"
    assert set(found[1:]) == {"offer:does", "offer:titled"}


def like(key, **facts):
    return Document(key, 1, "en", "Bread", **facts)


def test_of_two_alike_the_one_nearby_comes_first(empty):
    empty.apply([like("offer:near", filters={"area": frozenset({"north"})}), like("offer:far"), like("offer:farther")])

    assert keys(empty, near=frozenset({"north", "west"}))[0] == "offer:near"


def test_of_two_alike_the_one_that_starts_soon_comes_first(empty):
    empty.apply(
        [
            like("session:later", starts_at=NOW + SOON),
            like("session:soon", starts_at=NOW + SOON - 1),
            like("session:over", starts_at=NOW - 1),
        ]
    )

    assert keys(empty, now=NOW)[0] == "session:soon"


def test_of_two_alike_the_one_with_places_left_comes_first(empty):
    empty.apply([like("session:full", starts_at=NOW + 5, places_left=0, made_at=9)])
    empty.apply([like("session:open", starts_at=NOW + 5, places_left=1)])

    assert keys(empty) == ["session:full", "session:open"]
    assert keys(empty, now=NOW) == ["session:open", "session:full"]


def test_a_far_better_match_comes_before_a_near_one(empty):
    empty.apply([like("offer:bread", made_at=1)])
    empty.apply([Document("offer:near", 1, "en", "Baking", extra="bread " + "much else " * 30, filters=NORTH)])

    assert keys(empty, near=frozenset({"north"})) == ["offer:bread", "offer:near"]


def test_all_words_still_come_before_what_is_near(empty):
    empty.apply([like("offer:near", filters=NORTH), Document("offer:both", 1, "en", "Bread", extra="for beginners")])

    assert keys(empty, Text(("bread", "beginners")), near=frozenset({"north"})) == ["offer:both", "offer:near"]


def test_equals_stand_in_another_order_each_day_and_in_one_order_all_day(empty):
    empty.apply([like(f"offer:{number}") for number in range(12)])

    days = [tuple(keys(empty, day=day)) for day in range(20_000, 20_014)]

    assert len(set(days)) == 14
    assert len({day[0] for day in days}) > 4
    assert tuple(keys(empty, day=20_000)) == days[0]
    assert all(set(day) == set(days[0]) for day in days)


def test_of_many_equals_each_has_its_day(empty):
    empty.apply([like(f"offer:{number}") for number in range(90)])

    firsts = {keys(empty, day=day)[0] for day in range(400)}

    assert len(firsts) > 80


def test_the_order_of_a_day_goes_on_over_pages(empty):
    empty.apply([like(f"offer:{number}") for number in range(12)])

    paged = [key for page in (1, 2, 3) for key in keys(empty, day=7, per_page=4, page=page)]

    assert paged == keys(empty, day=7)


def test_a_better_match_comes_first_every_day(empty):
    empty.apply([like(f"offer:{number}") for number in range(6)])
    empty.apply([Document("offer:worse", 1, "en", "Baking", extra="bread " + "much else " * 30)])

    assert {keys(empty, day=day)[-1] for day in range(10)} == {"offer:worse"}


def test_only_what_was_made_since(empty):
    empty.apply([like("offer:old", made_at=99), like("offer:first", made_at=100), like("offer:new", made_at=101)])

    assert set(keys(empty, made_from=100)) == {"offer:first", "offer:new"}
    assert set(keys(empty, Text(), made_from=101)) == {"offer:new"}
