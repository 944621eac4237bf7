"""What is missing here: which searches are counted, what the page shows, and that a search itself only reads."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from skillshare import clock
from skillshare.models.gaps import SearchGap
from skillshare.models.listings import Offer, Want
from skillshare.web import gaps
from tests.conftest import make_session, make_skill, person


@pytest.fixture
def keeper(app):
    """What counts searches in this process, with nothing counted yet."""
    keeper = app.extensions["gaps"]
    keeper.buffer.take()
    return keeper


@pytest.fixture
def counted(db, keeper):
    """`counted()` writes down what was counted and gives each term with how often."""

    def counted():
        keeper.write_down()
        return dict(map(tuple, db.session.execute(sa.select(SearchGap.term, SearchGap.times))))

    return counted


@pytest.fixture
def three(db):
    """Three members."""
    return [person(f"searcher{letter}") for letter in "abc"]


def search(visit, q, **more):
    assert visit.get("/find", query_string={"q": q, **more}).status_code == 200


def missed(browser, frozen, members, q):
    """Each looks for it, on a day of their own."""
    for member in members:
        search(browser(member), q)
        frozen.shift(timedelta(days=1))


def test_what_was_not_found_is_counted_and_the_search_itself_writes_nothing(
    worked, browser, keeper, counted, queries, ben, bread_offer
):
    worked()
    visit = browser(ben)
    search(visit, "something else")
    keeper.buffer.take()
    queries.clear()

    search(visit, "Zeppelín repair")
    search(visit, "zeppelin REPAIR")

    assert all(query.startswith("SELECT") for query in queries)
    assert counted() == {"zeppelin repair": 2}


def test_what_somebody_offers_is_not_counted(worked, browser, ben, counted, bread_offer):
    worked()

    for q in ("bread", "three ingredients", "sourdough"):
        search(browser(ben), q)

    assert counted() == {}


def test_a_page_of_a_skill_or_a_wish_is_nobody_to_learn_from(worked, browser, ben, counted, bread_want):
    worked()

    search(browser(ben), "sourdough")

    assert counted() == {"sourdough": 1}


def test_an_offer_that_holds_one_of_two_words_is_not_what_was_looked_for(worked, browser, ben, counted, bread_offer):
    worked()

    search(browser(ben), "zeppelin bread")

    assert counted() == {"zeppelin bread": 1}


@pytest.mark.parametrize(
    "q",
    [
        '"zeppelin repair"',
        "-zeppelin",
        "skill:zeppelin",
        "lang:es zeppelin",
        "who:shows zeppelin",
        "zeppelin 12345",
        "07 123 456",
        "someone@example.org",
        "www.zeppelin.example",
        "https://zeppelin",
        "one two three four five",
        "z" * 41,
        "***",
        "the of and",
    ],
)
def test_never_counted(worked, browser, ben, counted, bread_offer, q):
    worked()

    search(browser(ben), q)

    assert counted() == {}


@pytest.mark.parametrize("more", [{"kind": "offer"}, {"when": "week"}, {"half": "theory"}, {"language": "es"}])
def test_what_was_narrowed_down_is_not_counted(worked, browser, ben, counted, more, bread_offer):
    worked()

    search(browser(ben), "zeppelin", **more)

    assert counted() == {}


def test_an_area_that_was_asked_for_is_counted_for_itself(db, worked, browser, ben, counted, area, bread_offer):
    area_id = area.public_id
    worked()

    search(browser(ben), "zeppelin", area=area_id)

    assert counted() == {"zeppelin": 1}
    assert db.session.scalars(sa.select(SearchGap.area)).one() == area_id


def test_a_word_that_only_resembles_another_counts_as_it_was_typed(worked, browser, ben, counted, ana, brakes):
    they_bite = "Set the rim so that they bite."
    Offer.publish(by=ana, skill=brakes, title="Brakes", practice=they_bite, theory="Friction.", language="en")
    worked()

    search(browser(ben), "kite")

    assert counted() == {"kite": 1}


def test_a_mistake_in_typing_counts_as_what_was_meant(worked, browser, ben, counted, bread_want):
    worked()

    search(browser(ben), "sourdogh")

    assert counted() == {"sourdough": 1}


def test_a_database_that_is_away_loses_nothing(worked, browser, ben, keeper, counted, monkeypatch, bread_offer):
    worked()
    search(browser(ben), "zeppelin")

    def away(*_):
        raise OSError("away")

    with monkeypatch.context() as patched:
        patched.setattr(SearchGap, "count", away)
        keeper.write_down()

    assert counted() == {"zeppelin": 1}


def test_a_server_writes_down_by_itself_what_it_counted(app, db, worked, browser, ben, monkeypatch, bread_offer):
    worked()
    keeper = gaps.Keeper(app)
    monkeypatch.setitem(app.extensions, "gaps", keeper)
    monkeypatch.setattr(gaps, "WRITTEN_EVERY", 0.02)
    with monkeypatch.context() as serving:
        serving.setattr(type(app), "testing", False)
        search(browser(ben), "zeppelin")

    for _ in range(200):
        if db.session.scalar(sa.select(SearchGap.times)):
            break
        db.session.rollback()
        threading.Event().wait(0.02)
    keeper.stop()

    assert db.session.scalar(sa.select(SearchGap.times)) == 1


def test_the_buffer_is_bounded(keeper):
    for number in range(2_000):
        keeper.buffer.note((f"term {number}", "term", ""), clock.today("UTC"), None)

    assert len(keeper.buffer.take()) == 1_000


def test_one_member_fills_no_table(keeper):
    for number in range(200):
        keeper.buffer.note((f"term {number}", "term", ""), clock.today("UTC") + timedelta(days=number // 100), 7)

    assert len(keeper.buffer.take()) == 100


def test_the_page_shows_what_enough_members_looked_for(frozen, worked, browser, keeper, three, bread_offer):
    worked()
    missed(browser, frozen, three, "Zeppelin repair")
    missed(browser, frozen, three[:2], "kite")
    for _ in range(20):
        search(browser(three[0]), "juggling")
    keeper.write_down()

    page = browser().get("/gaps").text

    assert '<h3 dir="auto">zeppelin repair</h3>' in page
    assert "Looked for 3 times" in page
    assert 'href="/offers/new?q=zeppelin+repair"' in page
    assert 'href="/sessions/new?q=zeppelin+repair&amp;together=1"' in page
    assert "kite" not in page
    assert "juggling" not in page


def test_what_somebody_offers_by_now_is_gone_from_it(
    frozen, db, worked, browser, keeper, three, ana, topic, bread_offer
):
    worked()
    missed(browser, frozen, three, "zeppelin repair")
    missed(browser, frozen, three, "kites")
    keeper.write_down()
    zeppelin = make_skill(topic, "Zeppelin repair")
    Offer.publish(by=ana, skill=zeppelin, title="Patching balloons", practice="p", theory="t", language="en")
    worked()

    page = browser().get("/gaps").text

    assert "zeppelin repair" not in page
    assert "kites" in page


def test_wishes_that_wait_for_more_than_a_month_stand_beside_it(worked, browser, ben, bread, brakes):
    with clock.stopped_at(clock.now() - timedelta(days=31)):
        Want.ask(by=ben, skill=bread, title="Bread, please", language="en")
    Want.ask(by=ben, skill=brakes, title="Brakes, please", language="en")
    slug = bread.slug
    worked()

    page = browser().get("/gaps").text

    assert "Bread, please" in page
    assert f'href="/offers/new?skill={slug}"' in page
    assert f'href="/sessions/new?skill={slug}&amp;together=1"' in page
    assert "Brakes, please" not in page


def test_an_empty_page_says_so_and_leads_on(browser, app):
    page = browser().get("/gaps").text

    assert "Nothing is missing that we know of." in page
    assert 'href="/wants"' in page


def test_a_closed_site_keeps_it_to_members(browser, app):
    app.config["SITE_MODE"] = "members_only"

    assert browser().get("/gaps").status_code == 303


def test_it_costs_the_same_for_one_or_many(frozen, db, worked, browser, keeper, three, queries, ben, topic):
    def cost():
        keeper.write_down()
        browser().get("/gaps")
        queries.clear()
        page = browser().get("/gaps").text
        return page.count('<li class="row">'), len(queries)

    def add(number, skill):
        missed(browser, frozen, three, f"kite{'abcdefgh'[number]}")
        with clock.stopped_at(clock.now() - timedelta(days=40)):
            Want.ask(by=ben, skill=skill, title=f"Wish {number}", language="en")
        db.session.commit()

    skills = [make_skill(topic, f"Skill {number}") for number in range(4)]
    make_session(ben, [skills[0]], title="Something")
    db.session.flush()
    worked()
    add(0, skills[0])
    one = cost()
    for number in range(1, 4):
        add(number, skills[number])
    many = cost()

    assert (one[0], many[0]) == (2, 8)
    assert one[1] == many[1] <= 6


def test_a_study_group_begins_with_first_words(browser, worked, ana):
    worked()

    page = browser(ana).get("/sessions/new?q=Zeppelin+repair&together=1").text

    assert 'value="Zeppelin repair"' in page
    assert 'value="Zeppelin repair: we find out together"' in page
    assert "Each of us brings what they have found out." in page
