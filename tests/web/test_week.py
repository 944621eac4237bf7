"""My week: every block when there is something in it, none when there is not, and always few queries."""

import re
from datetime import timedelta

import pytest

from skillshare import clock
from skillshare.models.knowhow import MemberSkill
from skillshare.models.listings import Offer
from skillshare.models.log import LogEntry, Said
from skillshare.models.seats import give_back, take_place
from skillshare.models.sessions import PartKind
from skillshare.models.teachbacks import TeachBack
from skillshare.models.visibility import Block
from tests.conftest import make_session, make_skill, person

BLOCKS = [
    "Needs your answer",
    "Coming up",
    "Did it happen?",
    "People you could teach",
    "People who can show you",
    "New near you",
    "First steps",
]


@pytest.fixture(autouse=True)
def _clock(frozen):
    """Every test of this file has the clock stand still, on Tuesday 10 November 2026 at noon."""


def main_of(browser, member):
    """The page's own part."""
    return re.search(r"<main.*</main>", browser(member).get("/week").text, re.DOTALL)[0]


def blocks_of(page):
    """The headings of the blocks on it, in order."""
    return [heading.replace("&#39;", "'") for heading in re.findall(r"<h2>([^<]*)</h2>", page)]


def write(by, shows, learns, skill):
    """An entry of today."""
    said = [Said(shows, skill, PartKind.SHOWS), Said(learns, skill, PartKind.LEARNS)]
    return LogEntry.write(by=by, happened_on=clock.today("UTC"), said=said, practice_minutes=9, theory_minutes=9)


def fill(n, frozen, topic, area, me, ana):
    """Something more in every block of `me`'s week; `n` makes names differ."""
    show, want = make_skill(topic, f"Shown {n}"), make_skill(topic, f"Wanted {n}")
    other = person(f"other{n}")
    other.area = area
    MemberSkill.say(me, show, shows=True)
    MemberSkill.say(other, show, wants=True)
    MemberSkill.say(me, want, wants=True)
    Offer.publish(by=other, skill=want, title=f"Offer {n}", practice="Do.", theory="Why.", language="en", area=area)
    write(other, other, me, want)
    TeachBack.attempt(by=other, skill=show, witnesses=[me], on=clock.today("UTC"))
    past = make_session(ana, [show], title=f"Past {n}")
    take_place(past, by=me)
    past.starts_at, past.ends_at = clock.now() - timedelta(hours=5), clock.now() - timedelta(hours=3)
    take_place(make_session(ana, [show], title=f"Soon {n}", bring="Flour"), by=me)
    full = make_session(ana, [show], title=f"Held {n}", capacity=1)
    holder = take_place(full, by=other)
    take_place(full, by=me)
    give_back(holder, by=other)


def test_a_newcomer_sees_the_first_steps_and_one_button(browser, db, dora):
    db.session.commit()

    page = main_of(browser, dora)

    assert blocks_of(page) == ["First steps"]
    assert "Nothing waits for you" in page
    assert page.count('class="checklist__done"') == 0
    assert page.count("button--primary") == 1


def test_everything_in_its_order(both_databases, browser, db, frozen, topic, area, ana, ben):
    ben.area = area
    fill(1, frozen, topic, area, ben, ana)
    db.session.commit()

    page = main_of(browser, ben)

    assert blocks_of(page) == BLOCKS
    for words in ("Held 1", "Soon 1", "Flour", "Past 1", "Offer 1", "Wanted 1", "Shown 1", "Other1", "other1"):
        assert words in page or words == "Other1"


def test_at_most_nine_queries_however_much_there_is(browser, db, queries, frozen, topic, area, ana, ben):
    ben.area = area
    counts = []
    for numbers in (range(1), range(1, 10)):
        for n in numbers:
            fill(n, frozen, topic, area, ben, ana)
        db.session.commit()
        client = browser(ben)
        queries.clear()
        page = client.get("/week")
        assert page.status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 9
    assert page.text.count("<li") < 80


def test_a_question_answered_is_gone(browser, db, ana, ben, bread):
    entry = write(ben, ana, ben, bread)
    db.session.commit()
    assert entry.public_id in main_of(browser, ana)
    assert entry.public_id not in main_of(browser, ben)

    entry.agree(by=ana)
    db.session.commit()

    assert entry.public_id not in main_of(browser, ana)


def test_a_teach_back_asks_its_witnesses(browser, db, ana, ben, bread):
    teach_back = TeachBack.attempt(by=ben, skill=bread, witnesses=[ana], on=clock.today("UTC"))
    db.session.commit()
    assert teach_back.public_id in main_of(browser, ana)
    assert teach_back.public_id not in main_of(browser, ben)

    teach_back.withdraw(by=ben)
    db.session.commit()

    assert teach_back.public_id not in main_of(browser, ana)


def test_only_the_host_can_say_that_it_did_not_happen(browser, db, frozen, ana, ben, bread_session):
    take_place(bread_session, by=ben)
    frozen.shift(timedelta(days=3))
    db.session.commit()

    assert f"/sessions/{bread_session.public_id}/not-held" in main_of(browser, ana)
    assert f"/sessions/{bread_session.public_id}/not-held" not in main_of(browser, ben)
    assert f"/sessions/{bread_session.public_id}/log" in main_of(browser, ben)


def test_who_is_blocked_or_hidden_is_not_suggested(browser, db, topic, ana, ben, bread):
    hidden = person("hidden1")
    MemberSkill.say(ben, bread, wants=True)
    for member in (ana, hidden):
        MemberSkill.say(member, bread, shows=True)
    Block.put(ana, ben)
    hidden.seen_as = "hidden"
    db.session.commit()

    assert "People who can show you" not in main_of(browser, ben)


def test_what_somebody_hides_is_not_suggested(browser, db, ana, ben, bread):
    MemberSkill.say(ben, bread, wants=True)
    MemberSkill.say(ana, bread, shows=True).hidden = True
    db.session.commit()

    assert "People who can show you" not in main_of(browser, ben)


def test_the_first_steps_are_ticked_and_go(browser, db, ana, ben, bread, brakes):
    MemberSkill.say(ben, brakes, shows=True)
    MemberSkill.say(ben, bread, wants=True)
    write(ben, ana, ben, bread).agree(by=ana)
    MemberSkill.say(ana, bread, shows=True)
    db.session.commit()
    assert main_of(browser, ben).count('class="checklist__done"') == 3

    TeachBack.attempt(by=ben, skill=bread, witnesses=[ana], on=clock.today("UTC")).clear(by=ana)
    db.session.commit()

    assert "First steps" not in main_of(browser, ben)


def test_skills_are_called_as_the_reader_calls_them(browser, db, ana, ben, bread):
    write(ben, ana, ben, bread)
    bread.edit(by=ana, version=1, locale="es", name="Pan de masa madre", summary="Pan.", practice="x", theory="y")
    db.session.commit()

    assert "Pan de masa madre" in browser(ana).get("/week?lang=es").text


def test_visitors_sign_in_first(browser):
    assert "/sign-in" in browser().get("/week").location
