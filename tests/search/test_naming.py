"""What is called as somebody typed comes first."""

import pytest

from skillshare.search.engine import Document, SearchEngine, SearchRequest, Text


@pytest.fixture
def engine(whoosh: SearchEngine) -> SearchEngine:
    whoosh.rebuild(
        [
            Document("skill:advise", 1, "en", "Advise on housing", practice="Find a home with somebody."),
            Document(
                "skill:pets",
                1,
                "en",
                "Advise on pets",
                names=(("en", "Advise owners of pets on food"),),
                practice="Advise, advise, advise: housing, food and housing again.",
                theory="Housing, housing, housing.",
            ),
            Document("skill:weld", 1, "es", "Soldadura", practice="Unir dos placas."),
            Document("skill:works", 1, "es", "Trabajos de soldadura, soldadura y más soldadura en obra"),
        ]
    )
    return whoosh


def keys(engine: SearchEngine, *words: str, **options: object) -> list[str]:
    return [hit.key for hit in engine.search(SearchRequest(Text(words), **options)).hits]


def test_a_whole_name_comes_before_what_only_holds_the_words(engine):
    assert keys(engine, "advise", "on", "housing")[0] == "skill:advise"


def test_the_order_of_words_and_their_forms_do_not_matter(engine):
    assert keys(engine, "housing", "advising")[0] == "skill:advise"


def test_one_word_is_a_name_too(engine):
    assert keys(engine, "soldadura") == ["skill:weld", "skill:works"]


def test_weights_fall_from_first_to_last(engine):
    weights = [hit.weight for hit in engine.search(SearchRequest(Text(("advise", "housing")))).hits]

    assert weights == sorted(weights, reverse=True)


def test_pages_follow_on(engine):
    whole = keys(engine, "advise", "soldadura", "housing")

    assert [
        key for page in (1, 2, 3, 4) for key in keys(engine, "advise", "soldadura", "housing", page=page, per_page=1)
    ] == whole


def test_words_of_one_family_help_to_rank_and_find_nothing_by_themselves(engine):
    engine.apply(
        [
            Document("want:a", 1, "es", "Quiero aprender a hornear", names=(("es", "Hornos"),)),
            Document("want:b", 1, "es", "Quiero aprender a soldar"),
        ]
    )

    assert keys(engine, "aprender", "soldadores", exact=True)[0] == "want:b"
    assert "want:b" not in keys(engine, "soldadores", exact=True)
