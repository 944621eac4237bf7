"""My record: two columns with dates and people, for my own eyes, without totals."""

import re
from datetime import timedelta

import pytest

from skillshare import clock, limits
from skillshare.models.log import LogEntry, Said
from skillshare.models.sessions import PartKind
from skillshare.models.teachbacks import TeachBack
from skillshare.models.visibility import Block


@pytest.fixture(autouse=True)
def _clock(frozen):
    """Every test of this file has the clock stand still, on Tuesday 10 November 2026 at noon."""


def logged(shows, learns, skill, days_ago=0, agreed=True):
    """`shows` has shown `skill` to `learns`."""
    said = [Said(shows, skill, PartKind.SHOWS), Said(learns, skill, PartKind.LEARNS)]
    on = clock.today("UTC") - timedelta(days=days_ago)
    entry = LogEntry.write(by=learns, happened_on=on, said=said, practice_minutes=9, theory_minutes=9)
    if agreed:
        entry.agree(by=shows)
    return entry


def columns_of(browser, member, query=""):
    """The two columns of the page: I showed, I learned."""
    page = browser(member).get(f"/record{query}").text
    main = re.search(r"<main.*</main>", page, re.DOTALL)[0]
    showed, _, learned = main.partition("I learned")
    return showed, learned


def test_two_columns(both_databases, browser, db, ana, ben, bread, brakes):
    logged(ana, ben, bread)
    logged(ben, ana, brakes)
    db.session.commit()

    showed, learned = columns_of(browser, ben)

    assert "Bicycle brakes" in showed
    assert "to Ana" in showed
    assert "Sourdough bread" in learned
    assert "by Ana" in learned
    assert "Sourdough bread" not in showed


def test_the_newest_stands_first(browser, db, ana, ben, bread, brakes):
    logged(ana, ben, bread, days_ago=9)
    logged(ana, ben, brakes, days_ago=2)
    db.session.commit()

    _showed, learned = columns_of(browser, ben)

    assert learned.index("Bicycle brakes") < learned.index("Sourdough bread")


def test_only_what_is_agreed(browser, db, ana, ben, bread):
    logged(ana, ben, bread, agreed=False)
    db.session.commit()

    assert "Sourdough bread" not in "".join(columns_of(browser, ben))


def test_others_only_as_far_as_they_may_be_seen(browser, db, ana, ben, bread):
    logged(ana, ben, bread)
    Block.put(ana, ben)
    db.session.commit()

    _showed, learned = columns_of(browser, ben)

    assert "by a participant" in learned
    assert "Ana" not in learned


def test_it_leads_to_showing_it_back_once(browser, db, ana, ben, bread):
    entry = logged(ana, ben, bread)
    db.session.commit()
    link = f"/teach-backs/new?entry={entry.public_id}"
    assert link in columns_of(browser, ben)[1]

    TeachBack.attempt(by=ben, skill=bread, witnesses=[ana], on=clock.today("UTC"))
    db.session.commit()

    assert link not in columns_of(browser, ben)[1]


def test_my_tries_stand_there_with_more_practice_for_my_eyes(browser, db, ana, ben, bread):
    logged(ana, ben, bread)
    first = TeachBack.attempt(by=ben, skill=bread, witnesses=[ana], on=clock.today("UTC"))
    first.more_practice(by=ana, kind_note="Fold")
    db.session.commit()

    assert first.public_id in columns_of(browser, ben)[1]
    assert "More practice" in columns_of(browser, ben)[1]
    assert first.public_id not in "".join(columns_of(browser, ana))


def test_the_stage_is_words_and_dates(browser, db, ana, ben, bread):
    logged(ana, ben, bread, days_ago=5)
    TeachBack.attempt(by=ben, skill=bread, witnesses=[ana], on=clock.today("UTC")).clear(by=ana)
    db.session.commit()

    _showed, learned = columns_of(browser, ben)

    for words in ("was shown", "5 November", "showed it back", "10 November"):
        assert words in learned


def test_long_columns_turn_pages_by_themselves(browser, db, ana, ben, bread):
    for days in range(limits.PAGE_SIZE + 1):
        logged(ana, ben, bread, days_ago=days)
    db.session.commit()

    assert "learned=2" in columns_of(browser, ben)[1]
    assert columns_of(browser, ben, "?learned=2")[1].count("/log/") == 1
    assert browser(ben).get("/record?learned=3").status_code == 404
    assert browser(ben).get("/record?showed=nonsense").status_code == 404


def test_as_many_queries_for_many(browser, db, queries, ana, ben, bread, brakes):
    counts = []
    for more in (1, 9):
        for days in range(more):
            logged(ana, ben, bread, days_ago=days)
            logged(ben, ana, brakes, days_ago=days)
        db.session.commit()
        client = browser(ben)
        queries.clear()
        assert client.get("/record").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 12


def test_an_empty_record_is_one_sentence_and_one_button(browser, db, dora):
    db.session.commit()

    page = browser(dora).get("/record").text

    assert "Nothing is logged yet" in page
    assert page.count("button--primary") == 1


def test_visitors_sign_in_first(browser):
    assert "/sign-in" in browser().get("/record").location
