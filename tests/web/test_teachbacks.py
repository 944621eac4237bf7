"""The pages of teach-backs, as givers, witnesses and everybody else meet them."""

import re

import pytest
import sqlalchemy as sa

from skillshare import clock
from skillshare.models.knowhow import MemberSkill
from skillshare.models.log import LogEntry, Said
from skillshare.models.sessions import PartKind
from skillshare.models.teachbacks import TeachBack, TeachBackState
from skillshare.models.visibility import Block
from tests.conftest import person

NOWHERE = "/teach-backs/AAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture(autouse=True)
def _clock(frozen):
    """Every test of this file has the clock stand still, on Tuesday 10 November 2026 at noon."""


def logged(db, shows, learns, skill):
    """`shows` has shown `skill` to `learns`, and both agree; the one can show it."""
    said = [Said(shows, skill, PartKind.SHOWS), Said(learns, skill, PartKind.LEARNS)]
    entry = LogEntry.write(by=learns, happened_on=clock.today("UTC"), said=said, practice_minutes=9, theory_minutes=9)
    entry.agree(by=shows)
    MemberSkill.say(shows, skill, shows=True)
    db.session.commit()
    return entry


@pytest.fixture
def entry(db, ana, ben, bread):
    """Ana showed Ben bread; both agree."""
    return logged(db, ana, ben, bread)


@pytest.fixture
def teach_back(db, entry, ana, ben, cleo, bread):
    """Ben showed bread back to Ana and Cleo."""
    made = TeachBack.attempt(by=ben, skill=bread, witnesses=[ana, cleo], on=clock.today("UTC"), note="At home.")
    db.session.commit()
    return made


@pytest.fixture
def asked():
    """What a filled-in form sends."""
    return {"skill": "baking bread", "present": ["ana"], "handles": "@cleo", "on": "2026-11-10", "note": "At home."}


def url(teach_back, verb=""):
    """An address of a try."""
    return f"/teach-backs/{teach_back.public_id}{'/' if verb else ''}{verb}"


def latest(db):
    """The newest try, read again; None when there is none."""
    db.session.rollback()
    found = db.session.scalar(sa.select(TeachBack).options(*TeachBack.whole()).order_by(TeachBack.id.desc()).limit(1))
    return found


# A new try


def test_from_an_entry_all_is_suggested(browser, ben, bread, entry):
    page = browser(ben).get(f"/teach-backs/new?entry={entry.public_id}").text

    assert 'value="Sourdough bread"' in page
    assert re.search(r'<input[^>]*type="checkbox" value="ana"', page)
    assert 'value="ben"' not in page


def test_from_a_skill(browser, db, ben, bread):
    db.session.commit()

    assert 'value="Sourdough bread"' in browser(ben).get(f"/teach-backs/new?skill={bread.slug}").text


def test_a_hazard_says_that_two_must_see_it(browser, db, ben, welding):
    db.session.commit()

    assert "Two people must have seen it." in browser(ben).get(f"/teach-backs/new?skill={welding.slug}").text


def test_those_who_saw_it_are_asked(browser, db, ana, ben, cleo, entry, asked, mails):
    mails()
    answer = browser(ben).post(f"/teach-backs/new?entry={entry.public_id}", asked)

    made = latest(db)
    assert answer.status_code == 303
    assert answer.location.endswith(url(made))
    assert {w.member.handle for w in made.witnesses} == {"ana", "cleo"}
    assert made.log_entry_id == entry.id
    db.session.rollback()
    told = [mail for mail in mails() if "shown back" in mail["Subject"]]
    assert {mail["To"].addresses[0].username for mail in told} == {"ana", "cleo"}


def test_only_an_entry_in_which_it_was_learned_is_kept(browser, db, ana, ben, cleo, brakes, entry, asked):
    browser(ben).post(f"/teach-backs/new?entry={entry.public_id}", asked | {"skill": "Bicycle brakes"})

    assert latest(db).log_entry_id is None


def test_another_persons_entry_is_not_there(browser, db, dora, entry):
    db.session.commit()

    assert browser(dora).get(f"/teach-backs/new?entry={entry.public_id}").status_code == 404


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"handles": "", "present": []}, "Name at least one person"),
        ({"handles": "ben"}, "Nobody can be their own witness"),
        ({"handles": "nobody"}, "Nobody here is called"),
        ({"handles": "blocker"}, "Nobody here is called"),
        ({"present": ["dora"]}, "valid choice"),
        ({"skill": ""}, "Please fill this in."),
        ({"skill": "Juggling"}, "We do not know"),
        ({"on": "2026-11-11"}, "not come yet"),
        ({"note": "x" * 1001}, "At most 1000"),
    ],
)
def test_what_is_wrong_is_said_and_the_text_kept(browser, db, ana, ben, cleo, dora, entry, asked, change, words):
    Block.put(person("blocker"), ben)
    db.session.commit()

    answer = browser(ben).post(f"/teach-backs/new?entry={entry.public_id}", asked | change)

    assert answer.status_code == 422
    assert words in answer.text
    assert (asked | change)["note"] in answer.text
    assert latest(db) is None


def test_one_open_try_at_a_time(browser, db, ben, teach_back, asked):
    answer = browser(ben).post("/teach-backs/new", asked | {"present": []})

    assert answer.status_code == 422
    assert "still waits" in answer.text


def test_twice_the_same_form_is_one_try(browser, db, ana, ben, cleo, bread, asked):
    db.session.commit()
    client = browser(ben)
    form = asked | {"present": [], "once": "o" * 22}

    first, second = client.post("/teach-backs/new", form), client.post("/teach-backs/new", form)

    assert first.location == second.location
    assert latest(db).attempt_no == 1


# Who sees it


def test_its_giver_and_its_witnesses_see_it_and_nobody_else(browser, db, ana, ben, cleo, dora, teach_back):
    """Scenario 8: before and after "more practice"; for others it is as if it did not exist."""
    for _time in ("before", "after"):
        assert [browser(member).get(url(teach_back)).status_code for member in (ana, ben, cleo)] == [200] * 3
        stranger, random = browser(dora).get(url(teach_back)), browser(dora).get(NOWHERE)
        assert (stranger.status_code, random.status_code) == (404, 404)
        assert "/sign-in" in browser().get(url(teach_back)).location
        browser(ana).post(url(teach_back, "more-practice"), {"kind_note": "The folding"})
    for member in (ana, ben, cleo):
        assert "The folding" in browser(member).get(url(teach_back)).text
    for page in (f"/members/{ben.handle}", "/skills/sourdough-bread", "/week", "/record", "/log"):
        assert "The folding" not in browser(dora).get(page, follow_redirects=True).text
        assert teach_back.public_id not in browser(dora).get(page, follow_redirects=True).text


def test_a_stranger_has_no_word(browser, db, dora, teach_back):
    db.session.commit()

    for verb in ("clear", "more-practice", "was-not-there", "withdraw", "witnesses"):
        assert browser(dora).post(url(teach_back, verb), {"kind_note": "x", "handles": "ana"}).status_code == 404


def test_the_giver_has_no_word_of_a_witness(browser, db, ben, teach_back):
    """Scenario 7."""
    client = browser(ben)

    for verb in ("clear", "more-practice", "was-not-there"):
        assert client.post(url(teach_back, verb), {"kind_note": "x"}).status_code == 403
    assert client.post(url(teach_back, "witnesses"), {"handles": "ben"}).status_code == 422
    assert latest(db).state is TeachBackState.ATTEMPTED
    assert url(teach_back, "clear") not in client.get(url(teach_back)).text


def test_a_witness_does_not_act_for_the_giver(browser, db, ana, teach_back):
    assert browser(ana).post(url(teach_back, "withdraw")).status_code == 403
    assert browser(ana).post(url(teach_back, "witnesses"), {"handles": "cleo"}).status_code == 403


# What a witness says


def test_clear(browser, db, ana, ben, bread, teach_back, mails):
    MemberSkill.say(person("dana"), bread, wants=True)
    db.session.commit()
    mails()

    answer = browser(ana).post(url(teach_back, "clear"))

    assert answer.status_code == 303
    assert latest(db).is_confirmed
    page = browser(ben).get(url(teach_back)).text
    assert "You can pass this on now." in page
    assert "/members/dana" in page
    assert f"/offers/new?skill={bread.slug}" in page
    db.session.rollback()
    assert "pass this on" in mails()[-1].get_content()
    assert "showed it back" in browser(ben).get("/record").text


def test_clear_twice_is_once(browser, db, ana, teach_back):
    client = browser(ana)

    assert [client.post(url(teach_back, "clear")).status_code for _ in range(2)] == [303, 303]


def test_more_practice_says_which_part(browser, db, ana, ben, teach_back, mails):
    client = browser(ana)

    empty = client.post(url(teach_back, "more-practice"), {"kind_note": ""})
    sent = client.post(url(teach_back, "more-practice"), {"kind_note": "The folding"})

    assert (empty.status_code, sent.status_code) == (422, 303)
    assert latest(db).state is TeachBackState.MORE_PRACTICE
    assert f"/teach-backs/new?again={teach_back.public_id}" in browser(ben).get(url(teach_back)).text
    db.session.rollback()
    mail = mails()[-1]
    assert mail["To"].startswith("Ben")
    assert "folding" not in (mail["Subject"] + mail.get_content())


def test_try_again_suggests_the_same_people_and_is_linked(
    both_databases, browser, db, ana, ben, cleo, teach_back, asked
):
    teach_back.more_practice(by=ana, kind_note="The folding")
    db.session.commit()
    client = browser(ben)

    page = client.get(f"/teach-backs/new?again={teach_back.public_id}").text
    client.post(f"/teach-backs/new?again={teach_back.public_id}", asked | {"handles": ""})

    assert {"ana", "cleo"} <= set(re.findall(r'type="checkbox" value="(\w+)"', page))
    second = latest(db)
    assert second.attempt_no == 2
    assert url(teach_back) in client.get(url(second)).text


def test_i_was_not_there(browser, db, cleo, teach_back):
    client = browser(cleo)

    assert client.post(url(teach_back, "was-not-there")).status_code == 303
    assert client.get(url(teach_back)).status_code == 404


def test_a_word_given_is_not_changed(browser, db, ana, teach_back):
    client = browser(ana)
    client.post(url(teach_back, "clear"))

    answer = client.post(url(teach_back, "more-practice"), {"kind_note": "No."})

    assert answer.status_code == 422
    assert "answered already" in answer.text


# What the giver does


def test_more_witnesses_can_be_named(browser, db, ben, dora, teach_back):
    db.session.commit()
    client = browser(ben)

    assert client.post(url(teach_back, "witnesses"), {"handles": "dora"}).status_code == 303
    assert client.post(url(teach_back, "witnesses"), {"handles": "nobody"}).status_code == 422
    assert {w.member.handle for w in latest(db).witnesses} == {"ana", "cleo", "dora"}


def test_a_try_taken_back_is_gone_for_all(browser, db, ana, ben, teach_back):
    assert browser(ben).post(url(teach_back, "withdraw")).status_code == 303

    assert browser(ben).get(url(teach_back)).status_code == 404
    assert browser(ana).get(url(teach_back)).status_code == 404


def test_a_page_of_many_tries_and_people_takes_as_many_queries(browser, db, queries, ana, ben, cleo, bread, entry):
    counts = []
    for tries in (1, 5):
        for _n in range(tries):
            made = TeachBack.attempt(by=ben, skill=bread, witnesses=[ana, cleo], on=clock.today("UTC"))
            made.more_practice(by=ana, kind_note="Again")
        db.session.commit()
        client = browser(ben)
        queries.clear()
        assert client.get(url(made)).status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 10
