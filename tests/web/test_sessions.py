"""The pages of sessions, as visitors, guests, hosts and strangers meet them."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from skillshare import clock
from skillshare.models.blocking import block
from skillshare.models.listings import How, Where
from skillshare.models.seats import PlaceState, Registration, cancel, give_back, take_place
from skillshare.models.sessions import Audience, SessionState, SkillSession
from tests.conftest import make_session, make_skill, person

HOUR = 3600
SECRET = "12 Secret Lane"
ROOM = "https://example.org/room-7"


@pytest.fixture(autouse=True)
def _clock(frozen):
    """Every test of this file has the clock stand still, on Tuesday 10 November 2026 at noon."""


@pytest.fixture
def asked(bread):
    """What a filled-in form of a new session sends."""
    return {
        "skill": "baking BREAD",
        "practice": "Mix, fold, bake.",
        "theory": "Why dough rises.",
        "day": "2026-11-20",
        "time": "19:00",
        "length": "90",
        "zone": "Europe/Madrid",
        "capacity": "4",
        "where": "in_person",
        "area": "",
        "place": "The hall, back door",
        "language": "en",
        "audience": "public",
    }


def the_one(db):
    """The only session there is, read again."""
    db.session.rollback()
    return db.session.scalars(sa.select(SkillSession).options(*SkillSession.whole())).one()


def place_of(db, member):
    """The place of `member` in the only session there is, read again."""
    db.session.rollback()
    return db.session.scalar(sa.select(Registration).where(Registration.member_id == member.id))


def url(skill_session, tail=""):
    """An address of the session."""
    return f"/sessions/{skill_session.public_id}{tail}"


def told(page):
    """The words of a page without its tags, single-spaced."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


# The calendar


def test_an_empty_calendar_has_one_way_on(db, browser):
    page = browser().get("/sessions")

    assert page.status_code == 200
    assert "No date is fixed yet." in page.text
    assert 'href="/sessions/new"' in page.text


def test_visitors_read_the_calendar_without_names_and_exact_places(db, browser, ana, bread_session):
    db.session.commit()
    page = browser().get("/sessions")

    assert "Bread at the hall" in page.text
    assert "Thursday 12 November" in page.text
    assert "3 of 3 places left" in page.text
    assert "Ana" not in page.text
    assert SECRET not in page.text


def test_the_calendar_is_narrowed_by_topic_area_and_online(db, browser, ana, bread, area, bread_session):
    make_session(ana, [bread], title="Bread on the line", where=Where.ONLINE, link=ROOM, area=area)
    db.session.commit()
    visitor = browser()

    assert "Bread at the hall" in visitor.get("/sessions?topic=food").text
    assert "Bread at the hall" not in visitor.get(f"/sessions?area={area.public_id}").text
    assert "Bread on the line" in visitor.get(f"/sessions?area={area.public_id}&topic=food").text
    assert "Bread at the hall" not in visitor.get("/sessions?online=1").text
    nothing = visitor.get("/sessions?topic=welding")
    assert nothing.status_code == 200
    assert "Bread" not in told(nothing)


def test_the_calendar_has_pages(db, browser, ana, bread):
    for n in range(21):
        make_session(ana, [bread], title=f"Bread no. {n:02}", starts_at=clock.now() + timedelta(hours=n + 1))
    db.session.commit()
    visitor = browser()

    assert "Bread no. 20" not in visitor.get("/sessions").text
    assert "page=2" in visitor.get("/sessions").text
    assert "Bread no. 20" in visitor.get("/sessions?page=2").text
    assert visitor.get("/sessions?page=3").status_code == 404
    assert visitor.get("/sessions?page=21").status_code == 404
    assert visitor.get("/sessions?page=-1").status_code == 404


@pytest.mark.parametrize("who", ["visitor", "member"])
def test_the_calendar_costs_the_same_for_many(db, browser, queries, ana, ben, bread, area, who):
    make_session(ana, [bread], area=area)
    db.session.commit()
    reader = browser(ben if who == "member" else None)
    reader.get("/sessions")
    queries.clear()
    reader.get("/sessions")
    few = len(queries)
    for n in range(9):
        make_session(person(f"host{n}"), [bread], area=area)
    db.session.commit()
    queries.clear()
    page = reader.get("/sessions")

    assert page.text.count("Bread at the hall") == 10
    assert len(queries) == few <= 6


# A session's page


def test_a_visitor_sees_what_and_when_but_not_who_and_not_exactly_where(db, browser, ana, bread_session):
    db.session.commit()
    page = browser().get(url(bread_session))

    assert page.status_code == 200
    for words in ("Bread at the hall", "Mix, fold, bake.", "Why dough rises.", "in 2 days", "Keep my place"):
        assert words in told(page)
    assert "Ana" not in page.text
    assert "ana" not in re.findall(r"\w+", page.text)
    assert SECRET not in page.text


def test_members_see_who_shows(db, browser, ana, ben, bread_session):
    db.session.commit()

    assert "/members/ana" in browser(ben).get(url(bread_session)).text


def test_the_session_page_costs_little(db, browser, queries, ana, ben, cleo, dora, bread, brakes):
    made = make_session(ana, [bread, brakes], capacity=1, co_hosts=[dora])
    take_place(made, by=cleo)
    take_place(made, by=ben)
    db.session.commit()
    for reader, most in ((browser(), 6), (browser(ben), 9), (browser(ana), 9)):
        reader.get(url(made))
        queries.clear()
        reader.get(url(made))
        assert len(queries) <= most, queries


def test_a_page_is_read_without_writing(db, browser, queries, ana, ben, bread_session):
    take_place(bread_session, by=ben)
    db.session.commit()
    reader = browser(ben)
    queries.clear()
    for tail in ("", "/join"):
        reader.get(url(bread_session, tail))

    assert all(statement.lstrip().upper().startswith("SELECT") for statement in queries)


def test_unknown_and_blocked_are_the_same_nothing(db, browser, ana, ben, bread_session):
    block(ana, ben)
    db.session.commit()
    reader = browser(ben)
    for tail in ("", "/join", "/edit", "/cancel", "/host"):
        hidden, unknown = reader.get(url(bread_session, tail)), reader.get(f"/sessions/unknown{tail}")
        assert hidden.status_code == unknown.status_code == 404
    for tail in ("/join", "/give-back", "/accept", "/not-held", "/step-down"):
        assert reader.post(url(bread_session, tail)).status_code == 404
    hidden, unknown = reader.get(url(bread_session)), reader.get("/sessions/" + "x" * 22)
    assert hidden.text.replace(bread_session.public_id, "") == unknown.text.replace("x" * 22, "")


def test_what_is_for_members_only_is_nothing_for_visitors(db, browser, ana, ben, bread):
    address = url(make_session(ana, [bread], audience=Audience.COMMUNITY))
    db.session.commit()
    visitor, member = browser(), browser(ben)

    assert visitor.get(address).status_code == 404
    assert member.get(address).status_code == 200


def test_where_the_site_is_closed_visitors_are_asked_to_sign_in(make_app, db, ana, bread_session):
    db.session.commit()
    page = make_app(site_mode="members_only").test_client().get(url(bread_session))

    assert page.status_code == 303
    assert "sign-in" in page.location


@pytest.mark.parametrize(("shift", "guest_sees"), [(-49, False), (-47, True), (25, True), (27, False)])
def test_exact_place_and_link_are_for_hosts_and_those_going_around_the_time(
    db, browser, frozen, ana, ben, cleo, dora, bread, shift, guest_sees
):
    made = make_session(ana, [bread], capacity=1, where=Where.ANY, link=ROOM, starts_at=clock.now() + timedelta(days=4))
    take_place(made, by=ben)
    take_place(made, by=cleo)
    db.session.commit()
    frozen.shift((4 * 24 + shift) * HOUR)

    def sees(member):
        page = browser(member).get(url(made)).text
        return SECRET in page, ROOM in page

    assert sees(ana) == (True, True)
    assert sees(ben) == (guest_sees, guest_sees)
    assert sees(cleo) == sees(dora) == sees(None) == (False, False)


def test_before_the_window_the_page_says_when_it_opens(db, browser, ana, ben, bread):
    made = make_session(ana, [bread], starts_at=clock.now() + timedelta(days=4))
    take_place(made, by=ben)
    db.session.commit()

    assert "You will see the exact place here from Thursday 12 November, 12:00" in told(browser(ben).get(url(made)))


def test_times_are_said_in_the_readers_zone_and_in_the_sessions(db, browser, ana, bread):
    made = make_session(ana, [bread], zone="Asia/Tokyo")
    db.session.commit()
    words = told(browser().get(url(made)))

    assert "Thursday 12 November, 12:00" in words
    assert "Thursday 12 November, 21:00 (Tokyo time)" in words


def test_a_dangerous_skill_says_how_to_be_safe(db, browser, ana, welding):
    made = make_session(ana, [welding])
    db.session.commit()

    assert "Mask, gloves, fresh air." in browser().get(url(made)).text


def test_text_of_people_is_escaped(db, browser, ana, bread):
    made = make_session(ana, [bread], title="<script>alert(1)</script>", access_note="<b>x</b>", bring="<img src=x>")
    db.session.commit()
    page = browser().get(url(made)).text

    assert "<script>alert" not in page
    assert "<b>x</b>" not in page
    assert "<img" not in page


# Keeping a place


def test_keeping_a_place(db, browser, ana, ben, bread_session):
    db.session.commit()
    reader = browser(ben)
    assert "How will you help the others?" in reader.get(url(bread_session, "/join")).text
    answer = reader.post(url(bread_session, "/join"), {"goal": "A loaf", "needs_note": "A chair"})

    assert answer.status_code == 303
    place = place_of(db, ben)
    assert (place.state, place.goal, place.needs_note) == (PlaceState.GOING, "A loaf", "A chair")
    assert "Your place is kept" in reader.get(url(bread_session)).text


def test_visitors_are_asked_to_sign_in_first(db, browser, bread_session):
    db.session.commit()
    for method in ("get", "post"):
        answer = getattr(browser(), method)(url(bread_session, "/join"))
        assert answer.status_code == 303
        assert "/sign-in" in answer.location


def test_too_much_text_is_said_beside_the_field_and_kept(db, browser, ben, bread_session):
    db.session.commit()
    answer = browser(ben).post(url(bread_session, "/join"), {"goal": "x" * 281, "help_note": "I wash up"})

    assert answer.status_code == 422
    assert "At most 280 characters" in answer.text
    assert "I wash up" in answer.text
    assert place_of(db, ben) is None


def test_the_host_does_not_join(db, browser, ana, bread_session):
    db.session.commit()
    host = browser(ana)

    assert host.get(url(bread_session, "/join")).status_code == 303
    assert host.post(url(bread_session, "/join")).status_code == 403


def test_after_the_start_the_form_says_why_not(db, browser, ben, bread_session, frozen):
    db.session.commit()
    frozen.shift(2 * 24 * HOUR + 60)
    reader = browser(ben)

    assert reader.get(url(bread_session, "/join")).status_code == 303
    answer = reader.post(url(bread_session, "/join"))
    assert answer.status_code == 422
    assert "cannot be joined any more" in answer.text


def test_when_it_is_full_one_is_asked_to_wait(db, browser, ana, ben, cleo, dora, bread):
    made = make_session(ana, [bread], capacity=1)
    take_place(made, by=ben)
    take_place(made, by=cleo)
    db.session.commit()
    reader = browser(dora)

    assert "All places are taken, 1 person waits" in told(reader.get(url(made)))
    assert "hold it for a day" in reader.get(url(made, "/join")).text
    reader.post(url(made, "/join"))
    assert "You are number 2 in line" in told(reader.get(url(made)))


def test_the_seat_that_is_held_is_accepted_or_passed_on(db, browser, ana, ben, cleo, dora, bread):
    made = make_session(ana, [bread], capacity=1)
    places = [take_place(made, by=member) for member in (ben, cleo, dora)]
    give_back(places[0], by=ben)
    db.session.commit()
    words = told(browser(cleo).get(url(made)))
    assert "A place is held for you Until Wednesday 11 November, 12:00." in words

    browser(cleo).post(url(made, "/give-back"))
    browser(dora).post(url(made, "/accept"))

    assert place_of(db, cleo).state is PlaceState.PASSED
    assert place_of(db, dora).state is PlaceState.GOING


def test_accepting_too_late_is_refused_kindly(db, browser, ana, ben, cleo, bread, frozen):
    made = make_session(ana, [bread], capacity=1)
    place = take_place(made, by=ben)
    take_place(made, by=cleo)
    give_back(place, by=ben)
    db.session.commit()
    frozen.shift(25 * HOUR)
    answer = browser(cleo).post(url(made, "/accept"))

    assert answer.status_code == 409
    assert "The place went to the next person." in answer.text


def test_giving_back(db, browser, ben, bread_session):
    take_place(bread_session, by=ben)
    db.session.commit()
    reader = browser(ben)
    assert reader.post(url(bread_session, "/give-back")).status_code == 303

    assert place_of(db, ben).state is PlaceState.WITHDREW
    assert "The place went back to the list." in reader.get(url(bread_session)).text


def test_who_has_no_place_has_none_to_give_back(db, browser, dora, bread_session):
    db.session.commit()

    assert browser(dora).post(url(bread_session, "/give-back")).status_code == 404
    assert browser(dora).post(url(bread_session, "/accept")).status_code == 404


def test_only_the_blocker_is_warned(db, browser, ana, ben, cleo, bread_session):
    take_place(bread_session, by=ben)
    block(cleo, ben)
    db.session.commit()

    assert "Somebody you blocked has a part" in browser(cleo).get(url(bread_session)).text
    assert "Somebody you blocked has a part" in browser(cleo).get(url(bread_session, "/join")).text
    assert "Somebody you blocked" not in browser(ben).get(url(bread_session)).text
    assert browser(cleo).post(url(bread_session, "/join")).status_code == 303


def test_one_is_told_of_something_else_at_that_time(db, browser, ana, ben, cleo, brakes, bread_session):
    take_place(make_session(cleo, [brakes], title="Brakes in the yard"), by=ben)
    db.session.commit()

    assert "Brakes in the yard" in browser(ben).get(url(bread_session, "/join")).text


# A new date


def test_fixing_a_date(db, browser, ana, bread, asked):
    db.session.commit()
    answer = browser(ana).post("/sessions/new", asked)
    made = the_one(db)

    assert answer.status_code == 303
    assert answer.location == url(made)
    assert made.title == "Sourdough bread"
    assert made.starts_at == datetime(2026, 11, 20, 18, tzinfo=UTC)
    assert made.ends_at - made.starts_at == timedelta(minutes=90)
    assert (made.zone, made.capacity, made.host_id) == ("Europe/Madrid", 4, ana.id)


def test_several_skills_and_co_hosts(db, browser, ana, ben, bread, brakes, asked):
    db.session.commit()
    browser(ana).post("/sessions/new", {**asked, "skill_2": "Bicycle brakes", "co_hosts": "@Ben"})
    made = the_one(db)

    assert [skill.slug for skill in made.skills] == ["sourdough-bread", "bicycle-brakes"]
    assert made.host_ids == {ana.id, ben.id}
    assert made.title == "Sourdough bread, Bicycle brakes"


def test_from_an_offer_everything_is_filled_in(db, browser, ana, ben, bread_offer):
    bread_offer.how = How.ALONE
    db.session.commit()
    address = f"/sessions/new?offer={bread_offer.public_id}"
    page = browser(ana).get(address)

    assert page.status_code == 200
    for words in ("Sourdough bread", "Bread with three ingredients", "You mix, fold and bake.", "Why dough rises."):
        assert words in page.text
    assert re.search(r'name="capacity"[^>]*value="1"', page.text)
    assert browser(ben).get(address).status_code == 404


def test_the_session_remembers_its_offer(db, browser, ana, bread_offer, asked):
    db.session.commit()
    browser(ana).post(f"/sessions/new?offer={bread_offer.public_id}", asked)

    assert the_one(db).origin_offer_id == bread_offer.id


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"skill": ""}, "Please fill this in."),
        ({"skill": "sourdogh bread"}, "Did you mean: Sourdough bread?"),
        ({"skill": "xyzzy"}, "Add a page for the skill first."),
        ({"skill_2": "xyzzy"}, "Add a page for the skill first."),
        ({"co_hosts": "nobody_here"}, "Nobody here is called “nobody_here”."),
        ({"day": "soon"}, "Write the day like 2026-03-14."),
        ({"day": ""}, "Please fill this in."),
        ({"day": "2027-02-29"}, "Write the day like 2026-03-14."),
        ({"day": "0001-01-01"}, "Choose a day from today on."),
        ({"day": "9999-12-31"}, "Choose a day from today on."),
        ({"day": "2026-11-09"}, "The start has passed."),
        ({"day": "2028-06-01"}, "more than a year and a half"),
        ({"time": "24:00"}, "Write the time like 19:00."),
        ({"time": "23:59:60"}, "Write the time like 19:00."),
        ({"length": "7"}, "Not a valid choice"),
        ({"own_end": "2026-11-20T19:00"}, "The end must come after the start."),
        ({"own_end": "2026-11-22T19:00"}, "A session lasts from 5 minutes to 24 hours."),
        ({"own_end": "late"}, "Write day and time like"),
        ({"day": "2027-03-28", "time": "02:30"}, "the clocks go forward"),
        ({"day": "2027-10-03", "time": "02:15", "zone": "Australia/Lord_Howe"}, "the clocks go forward"),
        ({"zone": "localtime"}, "Not a valid choice"),
        ({"zone": "../../etc/passwd"}, "Not a valid choice"),
        ({"zone": "Europe"}, "Not a valid choice"),
        ({"zone": "x" * 5000}, "Not a valid choice"),
        ({"capacity": "0"}, "From 1 to 500 places."),
        ({"capacity": "501"}, "From 1 to 500 places."),
        ({"capacity": "1.5"}, "Please write a whole number."),
        ({"capacity": "∞"}, "Please write a whole number."),
        ({"place": ""}, "Say where"),
        ({"where": "online"}, "Give the link."),
        ({"link": "javascript:alert(1)"}, "Write the whole address"),
        ({"practice": "x" * 2001}, "At most 2000 characters"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_the_text_is_kept(db, browser, ana, bread, asked, changes, words):
    db.session.commit()
    answer = browser(ana).post("/sessions/new", {**asked, "bring": "An apron of your own", **changes})

    assert answer.status_code == 422
    assert words in answer.text
    assert "An apron of your own" in answer.text
    assert db.session.scalar(sa.select(sa.func.count(SkillSession.id))) == 0


def test_a_time_that_comes_twice_is_the_first_and_said(db, browser, ana, bread, asked):
    db.session.commit()
    reader = browser(ana)
    answer = reader.post("/sessions/new", {**asked, "day": "2027-10-31", "time": "02:30"})

    assert the_one(db).starts_at == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert "it is the first of the two" in reader.get(answer.location).text


def test_somebody_who_blocked_cannot_be_named(db, browser, ana, ben, bread, asked):
    block(ben, ana)
    db.session.commit()
    hidden = browser(ana).post("/sessions/new", {**asked, "co_hosts": "ben"})

    assert hidden.status_code == 422
    assert "Nobody here is called “ben”." in hidden.text


def test_a_visitor_fixes_no_date(db, browser):
    assert "/sign-in" in browser().get("/sessions/new").location


# What hosts do


def test_changing_a_session(db, browser, ana, bread_session):
    db.session.commit()
    host = browser(ana)
    assert SECRET in host.get(url(bread_session, "/edit")).text
    answer = host.post(url(bread_session, "/edit"), changed(host, bread_session, title="Bread again", capacity="5"))
    made = the_one(db)

    assert answer.status_code == 303
    assert (made.title, made.capacity, made.version, made.seq) == ("Bread again", 5, 2, 0)


def test_an_old_page_shows_both_texts_and_may_then_be_saved(db, browser, ana, bread_session):
    db.session.commit()
    host = browser(ana)
    old = changed(host, bread_session, title="Mine, older", practice="My practice")
    host.post(url(bread_session, "/edit"), changed(host, bread_session, title="The <b>newer</b> one"))
    answer = host.post(url(bread_session, "/edit"), old)

    assert answer.status_code == 409
    assert "The &lt;b&gt;newer&lt;/b&gt; one" in answer.text
    assert "Mine, older" in answer.text
    assert "My practice" in answer.text
    version = re.search(r'name="version"[^>]*value="(\d+)"', answer.text)[1]
    assert host.post(url(bread_session, "/edit"), {**old, "version": version}).status_code == 303
    assert the_one(db).title == "Mine, older"


def test_a_change_without_its_version_is_refused(db, browser, ana, bread_session):
    db.session.commit()
    host = browser(ana)
    fields = changed(host, bread_session, title="No version")
    del fields["version"]

    assert host.post(url(bread_session, "/edit"), fields).status_code == 422
    assert the_one(db).title == "Bread at the hall"


def test_fewer_places_than_people_are_refused_beside_the_field(db, browser, ana, ben, cleo, bread_session):
    take_place(bread_session, by=ben)
    take_place(bread_session, by=cleo)
    db.session.commit()
    host = browser(ana)
    answers = [
        host.post(url(bread_session, "/host"), {"capacity": "1"}),
        host.post(url(bread_session, "/edit"), changed(host, bread_session, capacity="1", title="Kept")),
    ]

    for answer in answers:
        assert answer.status_code == 422
        assert "2 people have a place already" in answer.text
    assert "Kept" in answers[1].text
    assert (the_one(db).capacity, the_one(db).title) == (3, "Bread at the hall")


def test_the_host_reads_who_comes_and_who_waits(db, browser, ana, ben, cleo, bread):
    made = make_session(ana, [bread], capacity=1)
    take_place(made, by=ben, goal="A loaf", help_note="I wash up", needs_note="A chair")
    take_place(made, by=cleo)
    db.session.commit()
    words = told(browser(ana).get(url(made, "/host")))

    for said in ("ben", "A loaf", "I wash up", "A chair", "1. cleo"):
        assert said in words


def test_the_hosts_page_costs_the_same_for_many(db, browser, queries, ana, ben, bread):
    made = make_session(ana, [bread], capacity=6)
    take_place(made, by=ben)
    db.session.commit()
    host = browser(ana)
    host.get(url(made, "/host"))
    queries.clear()
    host.get(url(made, "/host"))
    few = len(queries)
    for n in range(9):
        take_place(made, by=person(f"guest{n}"))
    db.session.commit()
    queries.clear()
    host.get(url(made, "/host"))

    assert len(queries) == few <= 9


def test_more_places_by_the_hosts_page(db, browser, ana, ben, cleo, bread):
    made = make_session(ana, [bread], capacity=1)
    take_place(made, by=ben)
    take_place(made, by=cleo)
    db.session.commit()

    assert browser(ana).post(url(made, "/host"), {"capacity": "2"}).status_code == 303
    assert place_of(db, cleo).state is PlaceState.OFFERED


def test_taking_a_place_back_with_a_reason(db, browser, mails, ana, ben, bread_session):
    place = take_place(bread_session, by=ben)
    db.session.commit()
    host = browser(ana)
    address = url(bread_session, f"/remove/{place.public_id}")

    assert host.get(address).status_code == 200
    assert host.post(address, {"reason": " "}).status_code == 422
    assert host.post(address, {"reason": "You were here last week."}).status_code == 303
    assert "You were here last week." in browser(ben).get(url(bread_session)).text
    mail = mails()[-1]
    assert mail["To"].endswith("<ben@example.org>")
    assert mail["Subject"].startswith("Sourdough bread:")
    assert "You were here last week." in mail.get_content()


def test_cancelling(db, browser, mails, ana, ben, dora, bread_session):
    take_place(bread_session, by=ben)
    db.session.commit()
    host = browser(ana)

    assert host.get(url(bread_session, "/cancel")).status_code == 200
    assert host.post(url(bread_session, "/cancel"), {"reason": ""}).status_code == 422
    assert host.post(url(bread_session, "/cancel"), {"reason": "The oven broke."}).status_code == 303
    for reader, reads in ((ana, True), (ben, True), (dora, False), (None, False)):
        page = browser(reader).get(url(bread_session)).text
        assert "This session is cancelled" in page
        assert ("The oven broke." in page) is reads
    assert [mail["To"].addresses[0].addr_spec for mail in mails()] == ["ben@example.org"]
    assert "The oven broke." in mails()[0].get_content()
    assert "Bread at the hall" not in browser().get("/sessions").text


@pytest.mark.parametrize("tail", ["/edit", "/cancel", "/host", "/remove/unknown"])
def test_hosts_pages_do_not_exist_for_others(db, browser, ana, ben, dora, bread_session, tail):
    take_place(bread_session, by=ben)
    db.session.commit()
    for reader in (browser(ben), browser(dora)):
        assert reader.get(url(bread_session, tail)).status_code == 404
        assert reader.post(url(bread_session, tail), {"reason": "x", "capacity": "1"}).status_code == 404
    assert "/sign-in" in browser().get(url(bread_session, tail)).location
    assert the_one(db).state is SessionState.SCHEDULED


def test_a_place_of_another_session_is_not_removed_here(db, browser, ana, ben, cleo, bread, bread_session):
    place = take_place(make_session(cleo, [bread]), by=ben)
    db.session.commit()

    answer = browser(ana).post(url(bread_session, f"/remove/{place.public_id}"), {"reason": "Mine."})
    assert answer.status_code == 404


def test_after_the_start_it_is_logged_or_did_not_happen(db, browser, ana, ben, dora, bread_session, frozen):
    take_place(bread_session, by=ben)
    db.session.commit()
    frozen.shift(2 * 24 * HOUR + HOUR)

    for reader in (ana, ben):
        assert "Did it happen?" in browser(reader).get(url(bread_session)).text
    assert "Did it happen?" not in browser(dora).get(url(bread_session)).text
    assert browser(ben).post(url(bread_session, "/not-held")).status_code == 404
    assert browser(ana).post(url(bread_session, "/not-held")).status_code == 303
    assert the_one(db).state is SessionState.NOT_HELD


def test_before_the_start_it_cannot_be_said_that_it_did_not_happen(db, browser, ana, bread_session):
    db.session.commit()

    assert browser(ana).post(url(bread_session, "/not-held")).status_code == 409


def test_a_co_host_is_told_and_steps_down(db, browser, mails, ana, ben, bread):
    made = make_session(ana, [bread], co_hosts=[ben])
    db.session.commit()
    assert "named you" in mails()[0].get_content()

    assert "I do not show there" in browser(ben).get(url(made)).text
    assert browser(ben).post(url(made, "/step-down")).status_code == 303
    assert the_one(db).host_ids == {ana.id}
    assert browser(ana).post(url(made, "/step-down")).status_code == 403


# Mail


def test_every_kind_of_mail_is_written(db, mails, frozen, ana, ben, cleo, dora, bread):
    made = make_session(ana, [bread], capacity=1, starts_at=clock.now() + timedelta(days=3))
    places = [take_place(made, by=member) for member in (ben, cleo, dora)]
    give_back(places[0], by=ben)
    db.session.commit()
    assert "It is held for you until Wednesday 11 November, 12:00." in mails()[-1].get_content()
    frozen.shift(24 * HOUR)
    mails()
    db.session.expire_all()
    frozen.shift(1)
    block(ana, dora)
    db.session.commit()

    subjects = [(mail["To"].addresses[0].username, mail["Subject"]) for mail in mails()]
    assert subjects == [
        ("cleo", "Sourdough bread: a place is free"),
        ("cleo", "Sourdough bread: the place went to the next person"),
        ("dora", "Sourdough bread: a place is free"),
        ("dora", "Sourdough bread: your place is not kept any more"),
    ]
    assert "ana" not in mails()[-1].get_content().lower()
    assert not any(SECRET in mail.get_content() for mail in mails())


def test_a_place_that_is_held_no_more_is_not_announced(db, mails, ana, ben, cleo, bread):
    made = make_session(ana, [bread], capacity=1)
    place = take_place(made, by=ben)
    take_place(made, by=cleo)
    give_back(place, by=ben)
    cancel(made, by=ana, reason="Ill.")
    db.session.commit()

    assert [mail["Subject"] for mail in mails()] == ["Sourdough bread: cancelled"]


def test_a_new_time_is_mailed(db, browser, mails, ana, ben, bread_session):
    take_place(bread_session, by=ben)
    db.session.commit()
    host = browser(ana)
    host.post(url(bread_session, "/edit"), changed(host, bread_session, time="15:00"))

    assert "It is now on Thursday 12 November, 15:00." in mails()[-1].get_content()


def changed(host, skill_session, **changes):
    """What the form of a session sends when nothing but `changes` is touched."""
    page = host.get(url(skill_session, "/edit")).text
    form = page[page.index('<form class="form"') :]
    fields = dict(re.findall(r'<input[^>]*?name="(\w+)"[^>]*?value="([^"]*)"', re.sub(r'type="radio"', "", form)))
    fields = {name: value for name, value in fields.items() if name not in ("where", "audience")}
    fields.update(re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\s*([^<]*)</textarea>', form))
    fields.update({"where": skill_session.where.value, "audience": skill_session.audience.value})
    for name in ("length", "zone", "area", "language"):
        select = form[form.index(f'name="{name}"') :]
        fields[name] = re.search(r'<option selected value="([^"]*)"', select[: select.index("</select>")])[1]
    return {**fields, **changes}


def test_a_skill_of_the_address_is_filled_in(db, browser, ana, bread):
    db.session.commit()

    assert 'value="Sourdough bread"' in browser(ana).get("/sessions/new?skill=sourdough-bread").text


def test_names_in_another_language_find_the_skill(db, browser, ana, topic, asked):
    make_skill(topic, "Jam", other_names=["Mermelada"])
    db.session.commit()
    browser(ana).post("/sessions/new", {**asked, "skill": "mermelada"})

    assert the_one(db).title == "Jam"


def test_what_only_hosts_may_read_is_not_printed_on_the_sheet(db, browser, ana, ben, bread_session):
    take_place(bread_session, by=ben, needs_note="A chair with arms")
    db.session.commit()
    page = browser(ana).get(url(bread_session, "/host")).text

    line = next(line for line in page.splitlines() if "A chair with arms" in line)
    assert "no-print" in line
