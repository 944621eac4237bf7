"""Joining: one answer for every address, the truth by mail, one button behind the link, and the two lists."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from skillshare import passwords
from skillshare.models.knowhow import MemberSkill
from skillshare.models.listings import Offer
from skillshare.models.members import Member, MemberState
from skillshare.models.seats import take_place
from skillshare.models.tokens import SignIn
from skillshare.models.visibility import Block
from skillshare.web import rates
from tests.conftest import PASSWORD, make_session, make_skill, person

LINK = re.compile(r"http://localhost(/\S+)")


@pytest.fixture
def asked():
    """What a filled-in form sends."""
    return {
        "name": "Eva",
        "handle": "eva",
        "email": "eva@example.org",
        "password": PASSWORD,
        "locale": "en",
        "zone": "Europe/Madrid",
        "is_adult": "y",
        "keeps_rules": "y",
    }


def member(db, handle):
    """The member with this handle, read again; None when there is none."""
    found = db.session.scalar(
        sa.select(Member).where(Member.handle == handle).execution_options(populate_existing=True)
    )
    let_go(db)
    return found


def let_go(db):
    """End the test's transaction, and with it its lock; what was read stays readable."""
    db.session.expunge_all()
    db.session.rollback()


def how_many(db, model):
    """The number of rows there are."""
    count = db.session.scalar(sa.select(sa.func.count(model.id)))
    let_go(db)
    return count


def link_in(mail):
    """The path of the first link of a mail."""
    return LINK.search(mail.get_content()).group(1)


def said_by(db, whom):
    """What `whom` says of skills: (name, shows, wants)."""
    rows = db.session.scalars(MemberSkill.of(whom).execution_options(populate_existing=True)).all()
    let_go(db)
    return {(row.skill.name("en"), row.shows, row.wants) for row in rows}


def test_a_newcomer_is_mailed_a_link_and_nothing_is_open_before(db, browser, asked, mails):
    answer = browser().post("/join", asked)

    assert (answer.status_code, answer.location) == (303, "/look-in-your-mail")
    assert member(db, "eva").state is MemberState.UNCONFIRMED
    assert [mail["To"] for mail in mails()] == ["Eva <eva@example.org>"]


def test_the_link_is_a_page_with_one_button_and_only_the_button_acts(db, browser, asked, mails):
    newcomer = browser()
    newcomer.post("/join", asked)
    link = link_in(mails()[0])

    page = newcomer.get(link)
    assert page.status_code == 200
    assert member(db, "eva").state is MemberState.UNCONFIRMED

    pressed = newcomer.post(link)
    assert (pressed.status_code, pressed.location) == (303, "/join/lists")
    assert member(db, "eva").is_active
    assert newcomer.get("/join/lists").status_code == 200


def test_the_link_works_once(both_databases, browser, asked, mails):
    browser().post("/join", asked)
    link = link_in(mails()[0])
    browser().post(link)

    assert browser().get(link).status_code == 404
    assert browser().post(link).status_code == 404


def test_the_link_works_for_three_days(db, browser, asked, mails, frozen):
    browser().post("/join", asked)
    link = link_in(mails()[0])

    frozen.shift(timedelta(days=3, minutes=1))

    assert browser().post(link).status_code == 404
    assert member(db, "eva").state is MemberState.UNCONFIRMED


def test_a_known_and_an_unknown_address_are_answered_alike(db, browser, asked, mails):
    person("ana")
    closed = person("cleo")
    closed.state = MemberState.CLOSED
    db.session.commit()
    browser().post("/join", {**asked, "handle": "waiting", "email": "wait@example.org"})
    addresses = ["new@example.org", "ana@example.org", "ANA@EXAMPLE.ORG", "cleo@example.org", "wait@example.org"]

    answers = [
        browser().post("/join", {**asked, "handle": f"number{n}", "email": address})
        for n, address in enumerate(addresses)
    ]

    assert len({(a.status_code, a.location, a.data) for a in answers}) == 1
    assert [{k for k in dict(a.headers) if k != "Set-Cookie"} for a in answers[1:]] == [
        {k for k in dict(answers[0].headers) if k != "Set-Cookie"}
    ] * 4


def test_a_known_address_is_told_by_mail_and_nothing_of_it_changes(db, browser, asked, mails):
    ana = person("ana", password_hash="kept")
    db.session.commit()

    browser().post("/join", {**asked, "email": "ana@example.org"})

    assert "already" in mails()[0]["Subject"]
    assert member(db, "eva") is None
    assert member(db, "ana").password_hash == ana.password_hash == "kept"


def test_a_taken_handle_is_refused_alike_for_every_address(db, browser, asked):
    person("ana")
    db.session.commit()

    answers = [browser().post("/join", {**asked, "handle": "Ana", "email": e}) for e in ("ana@example.org", "n@x.org")]

    assert [a.status_code for a in answers] == [422, 422]
    assert all("Somebody has this handle" in a.text for a in answers)


def test_joining_twice_before_the_link_is_opened_keeps_the_last(both_databases, db, browser, asked, mails):
    first = browser()
    first.post("/join", asked)
    again = first.post("/join", {**asked, "name": "Eva Maria"})

    assert again.status_code == 303
    assert member(db, "eva").name == "Eva Maria"
    assert len(mails()) == 1
    assert first.post(link_in(mails()[-1])).status_code == 303


def test_a_password_from_another_browser_is_set_aside(db, browser, asked, mails):
    browser().post("/join", asked)

    browser().post(link_in(mails()[0]))

    assert member(db, "eva").is_active
    assert member(db, "eva").password_hash is None


def test_the_password_of_this_browser_is_kept(db, browser, asked, mails):
    newcomer = browser()
    newcomer.post("/join", asked)

    newcomer.post(link_in(mails()[0]))

    assert passwords.matches(member(db, "eva").password_hash, PASSWORD)


def test_a_password_is_not_needed(db, browser, asked):
    assert browser().post("/join", {**asked, "password": ""}).status_code == 303
    assert member(db, "eva").password_hash is None


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("elevenchars", False),
        ("twelve chars", True),
        ("x" * 256, True),
        ("x" * 257, False),
        ("🥖" * 75, True),
        ("password1234", False),
        ("PassWord1234", False),
        ("hola hola eva_maria hola", False),
        ("eva@example.org too", False),
        ("i love teachback a lot", False),
        (" spaces around it ", True),
        ("e\u0301" * 11, False),
    ],
)
def test_a_password_is_long_enough_uncommon_and_tells_nothing(db, browser, asked, password, good):
    answer = browser().post("/join", {**asked, "handle": "eva_maria", "password": password})

    assert answer.status_code == (303 if good else 422)
    assert ("password-errors" in answer.text) is not good


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"handle": "e"},
        {"handle": "admin"},
        {"email": "eva"},
        {"email": "eva@example.org\nBcc: x@example.org"},
        {"locale": "xx"},
        {"zone": "localtime"},
        {"is_adult": ""},
        {"keeps_rules": ""},
    ],
)
def test_a_form_that_is_not_filled_in_comes_back_with_what_was_typed(db, browser, asked, wrong):
    asked = {name: value for name, value in {**asked, **wrong}.items() if value}

    answer = browser().post("/join", asked)

    assert answer.status_code == 422
    assert "error-summary" in answer.text
    assert PASSWORD not in answer.text
    assert how_many(db, Member) == 0


def test_where_joining_is_closed_the_page_says_so(make_app):
    app = make_app(sign_up="closed")
    app.config["WTF_CSRF_ENABLED"] = False

    client = app.test_client()

    assert "closed" in client.get("/join").text
    assert client.post("/join", data={"name": "Eva"}).status_code == 200


def test_a_form_without_its_token_does_nothing(app, db, asked):
    assert app.test_client().post("/join", data=asked).status_code == 400
    assert member(db, "eva") is None


def test_the_sixth_to_join_from_a_network_in_an_hour_waits(app, browser, asked):
    app.config["RATES"] = True
    rates.limiter.reset()

    answers = [
        browser().post("/join", {**asked, "handle": f"number{n}", "email": f"n{n}@example.org"}) for n in range(6)
    ]

    assert [a.status_code for a in answers] == [303] * 5 + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 3600


def test_lines_that_name_a_skill_in_any_language_are_kept(db, browser, ana, bread, brakes):
    brakes.set_names("es", ["Frenos de bicicleta"])
    db.session.commit()

    answer = browser(ana).post("/join/lists", {"can-0": "baking  BREAD", "want-0": "frenos de bicicleta"})

    assert (answer.status_code, answer.location) == (303, "/join/found")
    assert said_by(db, ana) == {("Sourdough bread", True, False), ("Bicycle brakes", False, True)}
    assert member(db, "ana").lists_made_at is not None


def test_lines_that_name_nothing_come_back_with_names_like_them(both_databases, db, browser, ana, bread, welding):
    db.session.commit()
    anas = browser(ana)

    answer = anas.post("/join/lists", {"can-0": "sourdough", "can-1": "Welding", "want-0": "Playing the <harp>"})
    page = anas.get(answer.location)

    assert answer.status_code == 303
    assert said_by(db, ana) == {("Welding", True, False)}
    assert 'value="sourdough"' in page.text
    assert 'value="can-0=sourdough-bread"' in page.text
    assert 'value="Playing the &lt;harp&gt;"' in page.text
    assert "/skills/new?name=Playing" in page.text


def test_a_name_like_it_is_one_press_away_and_the_other_lines_stay(db, browser, ana, bread):
    db.session.commit()

    answer = browser(ana).post("/join/lists", {"can-0": "sourdough", "want-0": "harp", "pick": "can-0=sourdough-bread"})

    assert said_by(db, ana) == {("Sourdough bread", True, False)}
    assert "want=harp" in answer.location
    assert "sourdough" not in answer.location


def test_one_more_line_keeps_what_was_typed(db, browser, ana):
    db.session.commit()
    anas = browser(ana)

    answer = anas.post("/join/lists", {"can-0": "harp", "can-1": "", "can-2": "", "more": "1"})
    page = anas.get(answer.location)

    assert 'name="can-3"' in page.text
    assert 'value="harp"' in page.text


def test_nothing_yet_is_fine(db, browser, ana):
    db.session.commit()
    anas = browser(ana)

    answer = anas.post("/join/lists", {"can-0": "", "want-0": ""})
    page = anas.get(answer.location)

    assert answer.location == "/join/found"
    assert page.text.count("button--primary") == 1


def test_a_line_that_is_too_long_is_said_beside_it(db, browser, ana):
    db.session.commit()

    answer = browser(ana).post("/join/lists", {"can-0": "x" * 101})

    assert answer.status_code == 422
    assert "x" * 101 in answer.text


def test_a_visitor_makes_no_lists(browser):
    assert browser().get("/join/lists").location == "/sign-in?next=/join/lists"
    assert browser().post("/join/lists", {"can-0": "Bread"}).status_code == 303


@pytest.fixture
def matched(db, ana, ben, cleo, bread, brakes):
    """Ben wants bread and can show brakes; Ana offers bread, Cleo wants brakes."""
    MemberSkill.say(ben, bread, wants=True)
    db.session.flush()
    MemberSkill.say(ben, brakes, shows=True)
    MemberSkill.say(cleo, brakes, wants=True)
    Offer.publish(by=ana, skill=bread, title="Bread with Ana", practice="Bake.", theory="Yeast.", language="en")
    session = make_session(ana, [bread], title="An evening of bread")
    db.session.commit()
    return session


def test_what_was_found_is_one_press_away(both_databases, browser, ben, matched):
    page = browser(ben).get("/join/found").text

    assert "/offers/" in page
    assert "cleo" in page
    assert "/offers/new?skill=bicycle-brakes" in page
    assert f"/sessions/{matched.public_id}/join" in page


def test_blocked_people_full_sessions_and_ones_own_are_not_found(db, browser, ana, ben, cleo, matched):
    Block.put(ana, ben)
    Block.put(ben, cleo)
    db.session.commit()

    page = browser(ben).get("/join/found").text

    assert "ana" not in re.sub(r"[^<>]*masthead[^<>]*", "", page).split("<main")[1].split("</main")[0].lower()
    assert "cleo" not in page
    assert "An evening of bread" not in page


def test_a_session_one_goes_to_is_not_found_again(db, browser, ben, matched):
    take_place(matched, by=ben)
    db.session.commit()

    assert "An evening of bread" not in browser(ben).get("/join/found").text


def test_what_was_found_costs_the_same_for_one_and_for_many(db, browser, queries, topic, ben, matched):
    bens = browser(ben)
    bens.get("/join/found")
    queries.clear()
    bens.get("/join/found")
    few = len(queries)
    for n in range(8):
        skill = make_skill(topic, f"Skill {n}")
        other = person(f"other{n}")
        MemberSkill.say(other, skill, shows=True)
        MemberSkill.say(ben, skill, wants=True)
        make_session(other, [skill], title=f"Evening {n}")
    db.session.commit()
    queries.clear()

    bens.get("/join/found")

    assert len(queries) == few


def test_the_sign_in_after_confirming_is_one_of_this_device(db, browser, asked, mails):
    newcomer = browser()
    newcomer.post("/join", asked)
    newcomer.post(link_in(mails()[0]))

    assert how_many(db, SignIn) == 1
