"""A member's page, as the community, visitors and blocked people meet it; and blocking."""

import re

import pytest
import sqlalchemy as sa

from skillshare import clock
from skillshare.models.blocking import block
from skillshare.models.knowhow import MemberSkill
from skillshare.models.listings import Offer, Want
from skillshare.models.log import LogEntry, Said
from skillshare.models.members import MemberState, NameSeenBy, SeenAs
from skillshare.models.seats import Registration, take_place
from skillshare.models.sessions import PartKind
from skillshare.models.teachbacks import TeachBack
from skillshare.models.visibility import Block
from tests.conftest import Browser, make_session, make_skill, person

TODAY = "Tuesday 10 November"


def main_of(answer):
    """What stands between <main> and </main>."""
    return answer.text.split("<main")[1].split("</main")[0]


def kept(answer, handle):
    """An answer without what is new in every one, and without the handle that was asked for."""
    text = re.sub(r'(name="csrf_token"[^>]*value=")[^"]*', r"\1", answer.text).replace(handle, "HANDLE")
    headers = sorted(name for name in dict(answer.headers) if name != "Set-Cookie")  # the first page sets the token's
    return answer.status_code, headers, text, (answer.location or "").replace(handle, "HANDLE")


@pytest.fixture
def learned(db, frozen, ana, ben, bread, brakes):
    """Ana showed Ben bread today and he showed it back to her; he can show brakes."""
    ana.name_seen_by = ben.name_seen_by = NameSeenBy.PARTNERS
    said = [Said(ana, bread, PartKind.SHOWS), Said(ben, bread, PartKind.LEARNS)]
    entry = LogEntry.write(
        by=ana, happened_on=frozen_day(), said=said, practice_minutes=40, theory_minutes=20, line="A good loaf."
    )
    entry.agree(by=ben)
    TeachBack.attempt(by=ben, skill=bread, witnesses=[ana], on=frozen_day()).clear(by=ana)
    MemberSkill.say(ben, brakes, shows=True)
    db.session.commit()


def frozen_day():
    return clock.today("UTC")


def test_what_they_show_and_what_they_learn_stand_side_by_side_with_dates(
    both_databases, browser, dora, db, ben, learned
):
    db.session.commit()

    page = main_of(browser(dora).get("/members/ben"))

    shows, learns = page.split("Is learning")
    assert "Bicycle brakes" in shows
    assert "Sourdough bread" not in shows
    assert "Sourdough bread" in learns
    assert re.search(rf"showed it back <span[^>]*>{TODAY}", learns)


def test_what_was_said_about_a_session_stays_off_the_page(browser, dora, db, ana, learned):
    db.session.commit()

    page = main_of(browser(dora).get("/members/ana"))

    assert "A good loaf" not in page
    assert "ben" not in page.lower()
    assert "@example.org" not in page


def test_the_name_is_for_those_who_may_read_it(browser, dora, db, ana, ben, learned):
    ana.name = "Ana Real"
    db.session.commit()

    assert "Ana Real" in main_of(browser(ben).get("/members/ana"))
    assert "Ana Real" not in browser(dora).get("/members/ana").text


def test_what_somebody_says_of_themselves_is_on_the_page(db, browser, dora, ana, area, bread_offer, bread_want):
    ana.about, ana.area = "I *bake*.", area
    db.session.commit()

    page = main_of(browser(dora).get("/members/ana"))

    assert "<em>bake</em>" in page
    assert "Northside" in page
    assert "Bread with three ingredients" in page
    assert "I want to bake bread" not in page
    assert "I want to bake bread" in main_of(browser(dora).get("/members/ben"))


def test_a_hidden_skill_is_on_neither_side(db, browser, dora, ben, learned, bread):
    MemberSkill.between(ben, bread).hidden = True
    db.session.commit()

    assert "Sourdough bread" not in main_of(browser(dora).get("/members/ben"))


def test_my_own_page_leads_to_my_settings(db, browser, ana):
    db.session.commit()

    page = main_of(browser(ana).get("/members/ana"))

    assert "/settings" in page
    assert "/block" not in page


def test_a_page_costs_the_same_for_few_and_many(db, browser, queries, topic, ana, dora):
    def fill(names):
        for name in names:
            skill = make_skill(topic, name)
            MemberSkill.say(ana, skill, shows=True)
            halves = {"practice": "Do.", "theory": "Why."}
            Offer.publish(by=ana, skill=skill, title=name, language="en", **halves)
            Want.ask(by=ana, skill=make_skill(topic, f"{name} too"), title=name, language="en")
        db.session.commit()

    fill(["One"])
    doras = browser(dora)
    doras.get("/members/ana")
    queries.clear()
    doras.get("/members/ana")
    few = len(queries)
    fill([f"Skill {n}" for n in range(9)])
    queries.clear()

    doras.get("/members/ana")

    assert len(queries) == few <= 16


@pytest.mark.parametrize("page", ["", "/block"])
def test_unknown_closed_hidden_and_blocked_both_ways_look_the_same(db, browser, dora, page):
    """R-47: nobody learns from an answer which of these it is."""
    blocked, blocker, hidden, closed = (person(name) for name in ("by_me", "by_them", "hidden_one", "closed_one"))
    Block.put(dora, blocked)
    Block.put(blocker, dora)
    hidden.seen_as = SeenAs.HIDDEN
    closed.state = MemberState.CLOSED
    db.session.commit()
    doras = browser(dora)

    handles = ["nobody", "by_me", "by_them", "hidden_one", "closed_one", "Not-A-Handle"]
    for method in ("get", "post") if page else ("get",):
        answers = {handle: kept(getattr(doras, method)(f"/members/{handle}{page}"), handle) for handle in handles}
        assert len(set(map(repr, answers.values()))) == 1
        assert answers["nobody"][0] == 404


def test_a_visitor_is_asked_to_sign_in_whoever_it_is(db, browser, ana, dora):
    dora.seen_as = SeenAs.HIDDEN
    db.session.commit()

    answers = {handle: kept(browser().get(f"/members/{handle}"), handle) for handle in ("ana", "dora", "nobody")}

    assert len(set(map(repr, answers.values()))) == 1
    assert answers["ana"][3] == "/sign-in?next=/members/HANDLE"


def test_where_pages_may_be_public_only_those_who_chose_so_are(make_app, db, ana, dora):
    ana.seen_as, ana.name = SeenAs.PUBLIC, "Ana Real"
    db.session.commit()
    visitor = Browser(make_app(site_mode="public_profiles"))

    page = visitor.get("/members/ana")

    assert page.status_code == 200
    assert "Ana Real" not in page.text
    assert visitor.get("/members/dora").status_code == 303


def test_a_hidden_member_is_there_for_those_they_share_a_session_with(db, browser, ana, ben, dora, bread):
    session = make_session(ana, [bread])
    take_place(session, by=ben)
    ana.seen_as = SeenAs.HIDDEN
    db.session.commit()

    assert browser(ben).get("/members/ana").status_code == 200
    assert browser(dora).get("/members/ana").status_code == 404


def test_blocking_asks_once_more_then_neither_is_there_for_the_other(db, browser, ana, dora):
    db.session.commit()
    anas, doras = browser(ana), browser(dora)

    assert anas.get("/members/dora/block").status_code == 200
    assert doras.get("/members/ana").status_code == 200
    answer = anas.post("/members/dora/block")

    assert (answer.status_code, answer.location) == (303, "/settings/blocked")
    assert anas.get("/members/dora").status_code == 404
    assert doras.get("/members/ana").status_code == 404
    assert anas.post("/members/dora/block").status_code == 404


def test_nobody_is_told_of_a_block(db, browser, ana, dora, mails):
    db.session.commit()

    browser(ana).post("/members/dora/block")

    assert mails() == []


def test_a_block_gives_places_back(db, browser, ana, ben, bread_session):
    take_place(bread_session, by=ben)
    db.session.commit()

    browser(ana).post("/members/ben/block")

    row = db.session.scalar(sa.select(Registration).execution_options(populate_existing=True))
    assert row.seat_no is None


def test_nobody_blocks_themselves(db, browser, ana):
    db.session.commit()

    assert browser(ana).get("/members/ana/block").status_code == 404
    assert browser(ana).post("/members/ana/block").status_code == 404


def test_a_visitor_blocks_nobody(db, browser, ana):
    db.session.commit()

    assert browser().post("/members/ana/block").status_code == 303
    assert db.session.scalar(sa.select(sa.func.count(Block.id))) == 0


def test_unblocked_they_see_each_other_again(db, browser, ana, dora):
    block(ana, dora)
    db.session.commit()
    anas = browser(ana)

    anas.post("/settings/blocked/dora/unblock")

    assert anas.get("/members/dora").status_code == 200
    assert browser(dora).get("/members/ana").status_code == 200
