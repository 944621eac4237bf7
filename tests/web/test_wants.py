"""Wants and "me too" in the browser: Ben wants to learn, Ana could show it, Cleo wants it too, Dora looks on."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from skillshare.db import db as database
from skillshare.models.listings import ListingState, MeToo, Offer, Want
from skillshare.models.members import SeenAs
from skillshare.models.visibility import Block
from tests.conftest import make_session, make_skill, person
from tests.web.test_offers import without_token

WORDS = {"skill": "Sourdough bread", "for_what": "My own loaf", "group_ok": "yes"}


def rows_of(kind):
    """All rows as they are now; what the test held before must not be used any more."""
    database.session.remove()
    rows = database.session.scalars(sa.select(kind).order_by(kind.id)).all()
    database.session.remove()
    return rows


def wants_in_database():
    return rows_of(Want)


def me_toos_in_database():
    return rows_of(MeToo)


def ask(by, skill, title="I want it", **changes):
    want = Want.ask(by=by, skill=skill, title=title, language="en", **changes)
    database.session.flush()
    return want


@pytest.fixture
def want_url(db, bread_want):
    db.session.commit()
    return f"/wants/{bread_want.public_id}"


def test_a_member_asks_and_sees_at_once_who_can_show_it(db, browser, ana, ben, bread, bread_offer):
    session = make_session(ana, [bread])
    db.session.commit()

    answer = browser(ben).post("/wants/new", {**WORDS, "group_ok": "no", "times_note": "Sundays", "can_share": "Knots"})

    (want,) = wants_in_database()
    assert answer.status_code == 303
    assert (want.title, want.group_ok, want.times_note, want.can_share) == (
        "Sourdough bread",
        False,
        "Sundays",
        "Knots",
    )
    page = browser(ben).get(answer.location).text
    assert f"/offers/{bread_offer.public_id}" in page
    assert f"/sessions/{session.public_id}" in page


def test_where_nobody_can_show_it_the_page_promises_to_tell(db, browser, ben, bread):
    db.session.commit()

    answer = browser(ben).post("/wants/new", WORDS)

    assert "We will tell you" in browser(ben).get(answer.location).text


def test_an_empty_search_leads_to_a_filled_form(db, browser, ben, bread):
    db.session.commit()

    by_slug = browser(ben).get(f"/wants/new?skill={bread.slug}").text
    by_words = browser(ben).get("/wants/new?q=chain saw care").text

    assert 'value="Sourdough bread"' in by_slug
    assert 'value="chain saw care"' in by_words
    assert "Make a page for it" in by_words


@pytest.mark.parametrize(
    "wrong",
    [{"skill": ""}, {"skill": "Unknown thing"}, {"for_what": "x" * 1001}, {"group_ok": "perhaps"}, {"area": "1"}],
)
def test_bad_input_is_said_and_nothing_is_lost(db, browser, ben, bread, wrong):
    db.session.commit()

    answer = browser(ben).post("/wants/new", {**WORDS, "know_already": "Nothing & more", **wrong})

    assert answer.status_code == 422
    assert "Nothing &amp; more" in answer.text
    assert wants_in_database() == []


def test_asking_for_the_same_again_is_refused_beside_the_skill(db, browser, ben, want_url):
    answer = browser(ben).post("/wants/new", WORDS)

    assert answer.status_code == 422
    assert "You ask for this already" in answer.text
    assert len(wants_in_database()) == 1


def test_the_same_form_twice_makes_one_want(db, browser, ben, bread):
    db.session.commit()
    bens = browser(ben)

    first, second = (bens.post("/wants/new", {**WORDS, "once": "k" * 22}) for _ in range(2))

    assert first.location == second.location
    assert len(wants_in_database()) == 1


def test_a_visitor_is_asked_to_sign_in(db, browser, want_url):
    for url in ("/wants/new", f"{want_url}/edit"):
        assert "/sign-in" in browser().get(url).location
    for verb in ("me-too", "not-me", "pause", "resume", "withdraw"):
        assert "/sign-in" in browser().post(f"{want_url}/{verb}").location
    assert me_toos_in_database() == []


def test_a_visitor_reads_a_want_and_a_number_but_no_name(db, browser, ben, cleo, bread):
    ben.name, ben.handle = "Benjamin Unmistakable", "unmistakable_ben"
    cleo.handle = "unmistakable_cleo"
    want = ask(ben, bread)
    want.me_too(by=cleo)
    db.session.commit()

    page = browser().get(f"/wants/{want.public_id}").text + browser().get("/wants").text

    assert "nmistakable" not in page
    assert "1 more person waits for it too" in page
    assert "Join to meet the person" in page


def test_me_too_twice_is_once_and_the_owner_is_told(db, browser, cleo, want_url, mails):
    cleos = browser(cleo)

    for _ in range(2):
        assert cleos.post(f"{want_url}/me-too", {"times_note": "Mondays"}).status_code == 303

    assert [(row.member_id, row.times_note) for row in me_toos_in_database()] == [(cleo.id, "Mondays")]
    told = [(mail["To"].addresses[0].addr_spec, mail["Subject"]) for mail in mails()]
    assert told == [("ben@example.org", "Sourdough bread: somebody else wants to learn it too")]


def test_a_me_too_is_taken_back_and_twice_is_once(db, browser, cleo, bread_want, want_url):
    cleos = browser(cleo)
    cleos.post(f"{want_url}/me-too")
    assert "Take it back" in cleos.get(want_url).text

    for _ in range(2):
        assert cleos.post(f"{want_url}/not-me").status_code == 303

    assert me_toos_in_database() == []


def test_a_too_long_note_is_said_and_nothing_happens(db, browser, cleo, want_url):
    answer = browser(cleo).post(f"{want_url}/me-too", {"times_note": "x" * 281})

    assert answer.status_code == 422
    assert "At most 280 characters" in answer.text
    assert me_toos_in_database() == []


def test_the_owner_cannot_say_me_too(db, browser, ben, want_url):
    assert browser(ben).post(f"{want_url}/me-too").status_code == 403


def test_a_paused_want_takes_no_me_too(db, browser, ben, cleo, want_url):
    browser(ben).post(f"{want_url}/pause")

    answer = browser(cleo).post(f"{want_url}/me-too")

    assert answer.status_code == 422
    assert "not asked for any more" in answer.text
    assert me_toos_in_database() == []


def test_names_are_for_the_owner_and_those_who_said_it_themselves(db, browser, ana, ben, cleo, dora, bread_want, bread):
    hidden = person("erin")
    hidden.seen_as = SeenAs.HIDDEN
    for member in (cleo, dora, hidden):
        bread_want.me_too(by=member)
    Block.put(by=dora, on=cleo)
    db.session.commit()
    url = f"/wants/{bread_want.public_id}"

    to_owner, to_cleo, to_ana = (browser(reader).get(url).text for reader in (ben, cleo, ana))

    assert "/members/cleo" in to_owner
    assert "/members/dora" in to_owner
    assert "/members/erin" not in to_owner
    assert "/members/cleo" in to_cleo
    assert "/members/dora" not in to_cleo
    assert "/members/cleo" not in to_ana
    for page in (to_owner, to_cleo, to_ana):
        assert "3 more people wait for it too" in page


def test_who_may_not_see_it_gets_the_answer_of_a_random_id(db, browser, ben, cleo, dora, brakes, bread_want):
    Block.put(by=dora, on=ben)
    cleo.seen_as = SeenAs.HIDDEN
    secret = ask(cleo, brakes, title="A hidden wish")
    db.session.commit()
    nowhere = "x" * 22

    for reader, want in ((dora, bread_want), (dora, secret), (None, secret)):
        for path in ("", "/me-too", "/not-me"):
            visit = browser(reader).post if path and reader else browser(reader).get
            if path and not reader:
                continue
            seen, unknown = visit(f"/wants/{want.public_id}{path}"), visit(f"/wants/{nowhere}{path}")
            assert seen.status_code == unknown.status_code == 404
            assert without_token(seen.text).replace(want.public_id, nowhere) == without_token(unknown.text)
    assert me_toos_in_database() == []
    assert "A hidden wish" not in browser().get("/wants").text


@pytest.mark.parametrize("path", ["edit", "pause", "resume", "withdraw"])
def test_a_stranger_cannot_touch_it(db, browser, dora, want_url, path):
    answer = browser(dora).post(f"{want_url}/{path}", {**WORDS, "version": "1"})

    assert answer.status_code == 404
    assert [(want.state, want.version) for want in wants_in_database()] == [(ListingState.OPEN, 1)]


def test_an_old_version_is_a_conflict_that_shows_both_texts(db, browser, ben, want_url):
    bens = browser(ben)
    assert bens.post(f"{want_url}/edit", {**WORDS, "version": "1", "for_what": "Saved first"}).status_code == 303

    answer = bens.post(f"{want_url}/edit", {**WORDS, "version": "1", "for_what": "Written second"})

    assert answer.status_code == 409
    assert "Saved first" in answer.text
    assert "Written second" in answer.text
    again = bens.post(f"{want_url}/edit", {**WORDS, "version": "2", "for_what": "Written second"})
    assert again.status_code == 303
    assert wants_in_database()[0].for_what == "Written second"


def test_an_answered_want_is_opened_again_by_its_owner(db, browser, ben, cleo, bread_want, bread):
    Want.answered_by_learning({ben.id}, bread.id)
    db.session.commit()
    url = f"/wants/{bread_want.public_id}"

    assert browser(cleo).get(url).status_code == 404
    assert "Answered" in browser(ben).get(url).text
    assert browser(ben).post(f"{url}/resume").status_code == 303
    assert browser(cleo).get(url).status_code == 200


def test_withdrawing_twice_is_once(db, browser, ben, want_url):
    for _ in range(2):
        assert browser(ben).post(f"{want_url}/withdraw").status_code == 303

    assert browser(ben).get(want_url).status_code == 404
    assert [want.state for want in wants_in_database()] == [ListingState.WITHDRAWN]


def test_the_list_has_ones_own_on_top_and_only_there(db, browser, ben, want_url):
    mine, others = browser(ben).get("/wants").text, browser().get("/wants").text

    assert mine.count(f'"{want_url}"') == 1
    assert 'id="own"' in mine
    assert 'id="own"' not in others
    assert f'"{want_url}"' in others


def test_lists_cost_the_same_number_of_queries(db, browser, queries, ben, cleo, topic, area, bread, bread_want):
    def fill(n):
        database.session.remove()
        b, c, place, loaf = (database.session.get_one(type(thing), thing.id) for thing in (ben, cleo, area, bread))
        shelf = database.session.get_one(type(topic), topic.id)
        for i in range(n):
            skill = make_skill(shelf, f"Skill {n} {i}")
            ask(person(f"p{n}x{i}"), skill, area=place).me_too(by=c)
            ask(b, skill)
            wish = database.session.scalars(Want.of(b).where(Want.id == bread_want.id)).one()
            wish.me_too(by=person(f"m{n}x{i}"))
            words = {"title": "O", "practice": "p", "theory": "t", "language": "en"}
            Offer.publish(by=person(f"o{n}x{i}"), skill=loaf, **words)
        database.session.commit()

    database.session.commit()
    fill(1)
    readers = (browser(), browser(ben))
    counts = []
    for size in (0, 9):
        fill(size)
        for reader in readers:
            for url in ("/wants", f"/wants/{bread_want.public_id}"):
                queries.clear()
                assert reader.get(url).status_code == 200
                counts.append(len(queries))

    assert counts[:4] == counts[4:]
    assert max(counts[:2]) <= 6
    assert max(counts[2:4]) <= 9


def test_two_tabs_at_once_make_one_want_and_one_me_too(both_databases, db, browser, ben, cleo, brakes, bread_want):
    db.session.commit()
    url = f"/wants/{bread_want.public_id}/me-too"
    bens, cleos = ([browser(member) for _ in range(4)] for member in (ben, cleo))
    database.session.remove()

    with ThreadPoolExecutor(8) as together:
        asked = [together.submit(tab.post, "/wants/new", {**WORDS, "skill": "Bicycle brakes"}) for tab in bens]
        said = [together.submit(tab.post, url, {"times_note": "Mondays"}) for tab in cleos]

    assert sorted(answer.result().status_code for answer in asked) == [303, 422, 422, 422]
    assert {answer.result().status_code for answer in said} == {303}
    assert len(wants_in_database()) == 2
    assert len(me_toos_in_database()) == 1
