"""My searches, the button that saves one, which mails I get, and the address in a mail that stops them."""

import re
from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa

from skillshare import jobs, limits
from skillshare.mail import stop_link
from skillshare.models.blocking import block
from skillshare.models.listings import Offer, Want
from skillshare.models.notices import Channel, NoticeChoice, mail_secret
from skillshare.models.searches import SavedSearch
from tests.conftest import make_skill

NOW, DAILY, WEEKLY, OFF = Channel.NOW, Channel.DAILY, Channel.WEEKLY, Channel.OFF


@pytest.fixture
def search(db, ben):
    """Ben looks for offers about bread."""
    search = SavedSearch.save(by=ben, q="bread", boxes={"kind": {"offer"}})
    db.session.commit()
    return search


@pytest.fixture
def waiting(db, bread_want):
    """Ben's want, committed."""
    db.session.commit()
    return bread_want


def kept(db, member):
    return db.session.scalars(SavedSearch.of(member).execution_options(populate_existing=True)).all()


def stop_path(db, what, whose):
    return stop_link(what, whose).removeprefix("http://localhost")


def test_a_search_is_saved_from_its_page(db, browser, ben, bread):
    db.session.commit()
    page = browser(ben).get("/find?q=bread&kind=offer&kind=session")
    action = re.search(r'action="(/searches/save[^"]*)"', page.text)[1].replace("&amp;", "&")

    response = browser(ben).post(action, {"how": "weekly"})

    assert response.status_code == 303
    assert response.location == "/searches"
    assert [(row.q, row.boxes, row.how) for row in kept(db, ben)] == [("bread", {"kind": ["offer", "session"]}, WEEKLY)]


def test_its_page_says_that_it_is_saved(browser, ben, search):
    page = browser(ben).get("/find?q=Bread&kind=offer").text

    assert "/searches/save" not in page
    assert 'href="/searches"' in page


def test_a_search_that_finds_nothing_can_be_saved_too(db, browser, ben):
    db.session.commit()

    assert "/searches/save?q=hurdygurdy" in browser(ben).get("/find?q=hurdygurdy").text


def test_a_visitor_is_led_to_sign_in_and_comes_back_with_the_search(db, browser, ben, bread):
    db.session.commit()
    page = browser().get("/find?q=bread&kind=offer").text
    link = re.search(r'href="(/searches/save[^"]*)"', page)[1].replace("&amp;", "&")

    answer = browser().get(link)

    assert 'method="post"' not in page
    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in?next=")
    assert "bread" in browser(ben).get(link).text


def test_saving_by_address_asks_first(db, browser, ben):
    db.session.commit()
    response = browser(ben).get("/searches/save?q=bread&kind=offer")

    assert response.status_code == 200
    assert "“bread” · Can show" in response.text
    assert kept(db, ben) == []


def test_boxes_that_there_are_not_are_not_saved(db, browser, ben):
    db.session.commit()
    browser(ben).post("/searches/save?q=bread&kind=nothing&area=nowhere&extra=1", {"how": "now"})

    assert [row.boxes for row in kept(db, ben)] == [{}]


@pytest.mark.parametrize("how", ["", "hourly", "off"])
def test_bad_input_is_shown_again(db, browser, ben, how):
    db.session.commit()

    assert browser(ben).post("/searches/save?q=bread", {"how": how}).status_code == 422
    assert kept(db, ben) == []


def test_nothing_to_look_for_is_refused(db, browser, ben):
    db.session.commit()
    response = browser(ben).post("/searches/save", {"how": "daily"})

    assert response.status_code == 422
    assert "Say first what you look for." in response.text


def test_one_too_many_is_refused_with_the_reason(db, browser, ben, monkeypatch):
    monkeypatch.setattr(limits, "SAVED_SEARCHES", 1)
    SavedSearch.save(by=ben, q="bread", boxes={})
    db.session.commit()

    response = browser(ben).post("/searches/save?q=brakes", {"how": "daily"})

    assert response.status_code == 422
    assert "1 searches already" in response.text


def test_pressed_twice_is_one(db, browser, ben):
    db.session.commit()
    for _ in range(2):
        assert browser(ben).post("/searches/save?q=bread", {"how": "daily"}).status_code == 303

    assert len(kept(db, ben)) == 1


def test_my_searches_says_what_how_often_and_when(browser, ben, search, waiting):
    page = browser(ben).get("/searches").text

    assert "“bread” · Can show" in page
    assert 'href="/find?q=bread&amp;kind=offer"' in page
    assert "I want to bake bread" in page
    assert "Nothing new so far" in page
    assert page.count('<option selected value="daily">') == 2


def test_the_empty_page_invites(db, browser, ben):
    db.session.commit()

    assert 'href="/find"' in browser(ben).get("/searches").text


def test_every_id_stands_once(browser, ben, search, waiting):
    ids = re.findall(r' id="([^"]+)"', browser(ben).get("/searches").text)

    assert len(ids) == len(set(ids))


def test_how_often_is_chosen_for_one(db, browser, ben, search):
    response = browser(ben).post(f"/searches/{search.public_id}/how", {"how": "off"})

    assert response.status_code == 303
    assert [row.heard for row in kept(db, ben)] == [OFF]


def test_how_often_is_chosen_for_a_want(db, browser, ben, waiting):
    browser(ben).post(f"/searches/want/{waiting.public_id}/how", {"how": "now"})

    assert SavedSearch.for_want(waiting, by=ben).heard is NOW


@pytest.mark.parametrize("how", ["", "sometimes"])
def test_a_choice_that_there_is_not_is_shown_again(browser, ben, search, how):
    assert browser(ben).post(f"/searches/{search.public_id}/how", {"how": how}).status_code == 422


def test_a_search_is_removed(db, browser, ben, search):
    assert browser(ben).post(f"/searches/{search.public_id}/remove").status_code == 303
    assert kept(db, ben) == []


@pytest.mark.parametrize("action", ["how", "remove"])
def test_a_stranger_finds_no_search_of_anothers(db, browser, ben, dora, search, action):
    assert browser(dora).post(f"/searches/{search.public_id}/{action}", {"how": "off"}).status_code == 404
    assert [row.heard for row in kept(db, ben)] == [DAILY]


def test_a_stranger_chooses_nothing_for_a_want(db, browser, dora, waiting):
    assert browser(dora).post(f"/searches/want/{waiting.public_id}/how", {"how": "off"}).status_code == 404


def test_who_said_me_too_sees_it_until_they_are_blocked(db, browser, ben, cleo, waiting):
    waiting.me_too(by=cleo)
    db.session.commit()
    assert waiting.title in browser(cleo).get("/searches").text

    block(ben, cleo)
    db.session.commit()

    assert waiting.title not in browser(cleo).get("/searches").text
    assert browser(cleo).post(f"/searches/want/{waiting.public_id}/how", {"how": "now"}).status_code == 404


@pytest.mark.parametrize("path", ["/searches", "/searches/save?q=bread", "/settings/notices"])
def test_a_visitor_signs_in_first(db, browser, path):
    assert browser().get(path).location.startswith("/sign-in")
    assert browser().post(path.replace("/searches?", "/searches/save?")).status_code in (303, 405)


def test_ten_searches_and_wants_cost_no_more_queries_than_one(db, browser, ben, topic, search, waiting, queries):
    ben_opens = browser(ben)

    def count():
        queries.clear()
        assert ben_opens.get("/searches").status_code == 200
        return len(queries)

    one = count()
    for number in range(9):
        SavedSearch.save(by=ben, q=f"bread {number}", boxes={})
        want = Want.ask(by=ben, skill=make_skill(topic, f"Skill {number}"), title=f"Want {number}", language="en")
        db.session.flush()
        SavedSearch.for_want(want, by=ben)
    db.session.commit()

    assert count() == one


def test_each_kind_is_chosen(db, browser, ben):
    db.session.commit()
    chosen = {
        "finds": "weekly",
        "me_too": "off",
        "asked_to_witness": "now",
        "log_confirmed": "off",
        "teach_backs": "now",
    }

    response = browser(ben).post("/settings/notices", chosen)

    assert response.status_code == 303
    assert NoticeChoice.of(ben) == {kind: Channel(how) for kind, how in chosen.items()}
    assert 'href="/settings/notices"' in browser(ben).get("/settings").text


def test_a_way_that_a_kind_does_not_have_is_refused(db, browser, ben):
    db.session.commit()
    chosen = {
        "finds": "now",
        "me_too": "weekly",
        "asked_to_witness": "now",
        "log_confirmed": "now",
        "teach_backs": "now",
    }

    assert browser(ben).post("/settings/notices", chosen).status_code == 422
    assert NoticeChoice.of(ben)["finds"] is DAILY


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_the_address_stops_nothing(app, db, browser, ben, search, method):
    path = stop_path(db, "finds", ben.id)
    visitor = browser()
    response = getattr(visitor.client, method)(path)

    assert response.status_code == 200
    assert [row.heard for row in kept(db, ben)] == [DAILY]
    if method == "get":
        assert "bread" not in response.text
        assert "ben" not in re.sub(r'(href|action|next)="[^"]*"', "", response.text)


def test_one_press_stops_a_kind_without_signing_in(app, db, browser, ben, search, waiting):
    app.config["WTF_CSRF_ENABLED"] = True
    visitor = browser()
    app.config["WTF_CSRF_ENABLED"] = True
    response = visitor.post(stop_path(db, "finds", ben.id), {"List-Unsubscribe": "One-Click"})

    assert response.status_code == 200
    assert [row.heard for row in kept(db, ben)] == [OFF]
    assert SavedSearch.for_want(waiting, by=ben).heard is OFF
    assert NoticeChoice.of(ben)["me_too"] is NOW


def test_one_press_stops_one_search_only(db, browser, ben, search):
    SavedSearch.save(by=ben, q="brakes", boxes={})
    db.session.commit()
    for _ in range(2):
        assert browser().post(stop_path(db, "search", search.public_id)).status_code == 200

    assert {row.q: row.heard for row in kept(db, ben)} == {"bread": OFF, "brakes": DAILY}


def test_one_press_stops_another_kind(db, browser, ben, search):
    db.session.commit()
    browser().post(stop_path(db, "me_too", ben.id))

    assert NoticeChoice.of(ben)["me_too"] is OFF
    assert [row.heard for row in kept(db, ben)] == [DAILY]


def forged(path):
    return path[:-3] + ("AAA" if path[-3:] != "AAA" else "BBB")


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_address_that_was_not_made_here_does_not_exist(db, browser, ben, search, method):
    paths = [
        forged(stop_path(db, "finds", ben.id)),
        stop_path(db, "search", "x" * 22),
        stop_path(db, "finds", 9_999),
        stop_path(db, "sign_in", ben.id),
        "/notices/stop/x",
        "/notices/stop/WyJmaW5kcyIsMV0",
    ]

    assert {getattr(browser(), method)(path).status_code for path in paths} == {404}
    assert [row.heard for row in kept(db, ben)] == [DAILY]


def test_the_address_is_not_good_for_anything_else(db, browser, ben):
    db.session.commit()
    token = stop_path(db, "finds", ben.id).rpartition("/")[2]

    assert browser().get(f"/sign-in/link/{token}").status_code == 404
    assert browser().get(f"/reset/{token}").status_code == 404


def test_the_header_of_a_mail_is_one_line_that_works(app, db, browser, mails, ben, cleo, waiting):
    waiting.me_too(by=cleo)
    db.session.commit()
    mails()
    (file,) = (app.extensions["settings"].data_dir / "mail").glob("*.eml")
    raw = file.read_bytes()
    (line,) = [line for line in raw.splitlines() if line.startswith(b"List-Unsubscribe:")]
    path = re.search(r"<http://localhost(/[^>]+)>", line.decode())[1]

    assert browser().post(path).status_code == 200
    assert NoticeChoice.of(ben)["me_too"] is OFF
    assert message_from_bytes(raw, policy=policy.default)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_mails_that_protect_an_account_cannot_be_stopped(app, db, mails, ben):
    mail_secret(ben, "sign_in", "x")
    db.session.commit()

    (letter,) = mails()

    assert "List-Unsubscribe" not in letter


def test_what_was_searched_by_mistake_is_saved_set_right(db, browser, ana, ben, bread):
    Offer.publish(by=ana, skill=bread, title="Sourdough", practice="Mix.", theory="Rise.", language="en")
    db.session.commit()
    while jobs.work_once("index"):
        pass

    page = browser(ben).get("/find?q=sourduogh").text

    assert "/searches/save?q=sourdough" in page


def test_words_from_people_stand_on_no_page_as_markup(db, browser, ben):
    SavedSearch.save(by=ben, q='"><svg onload=x>', boxes={})
    db.session.commit()

    assert "<svg onload" not in browser(ben).get("/searches").text
    assert db.session.scalar(sa.select(SavedSearch.q)) == '"><svg onload=x>'
