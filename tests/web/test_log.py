"""The pages of the log, as those who write, agree, differ and have no part in it meet them."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from skillshare import clock
from skillshare.models.blocking import block
from skillshare.models.log import Answer, LogEntry, LogState, Said
from skillshare.models.members import Member, NameSeenBy, SeenAs
from skillshare.models.seats import take_place
from skillshare.models.sessions import PartKind, SessionState
from tests.conftest import make_session, person

SHOWS, HELPS, LEARNS = PartKind.SHOWS, PartKind.HELPS, PartKind.LEARNS


@pytest.fixture(autouse=True)
def _clock(frozen):
    """Every test of this file has the clock stand still, on Tuesday 10 November 2026 at noon."""


@pytest.fixture
def past(frozen, db, ana, ben, bread, bread_session):
    """Ana's session of two hours, yesterday; Ben had a place."""
    take_place(bread_session, by=ben)
    frozen.shift(timedelta(days=3))
    db.session.commit()
    return bread_session


@pytest.fixture
def entry(db, ana, ben, bread):
    """Ben wrote down that Ana showed him bread today."""
    return written(db, ben, (ana, bread, SHOWS), (ben, bread, LEARNS))


@pytest.fixture
def met():
    """What the form of a chance meeting sends: Ana showed me bread."""
    return {
        "met-0-handle": "@Ana",
        "met-0-skill": "baking BREAD",
        "met-0-how": "they_showed",
        "happened_on": "2026-11-10",
        "practice_minutes": "30",
        "theory_minutes": "10",
        "line": "It rose.",
    }


def written(db, by, *said, **changes):
    """An entry in the database."""
    what = {"happened_on": clock.today("UTC"), "practice_minutes": 40, "theory_minutes": 20, "line": "Fine.", **changes}
    entry = LogEntry.write(by=by, said=[Said(*line) for line in said], **what)
    db.session.commit()
    return entry


def the_one(db):
    """The only entry there is, read again; None when there is none."""
    db.session.rollback()
    return db.session.scalars(sa.select(LogEntry).options(*LogEntry.whole())).one_or_none()


def said(entry):
    """Its lines, in a form to compare."""
    return {(p.member.handle, p.skill.slug, p.kind.value) for p in entry.parts}


def filled_in(page):
    """What a form on `page` would send as it stands."""
    sent = {}
    for tag in re.findall(r"<input\b[^>]*>", page):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and name[1] != "csrf_token":
            sent[name[1]] = value[1] if value else ""
    for name, options in re.findall(r'<select\b[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        sent[name] = re.search(r'<option selected value="([^"]*)"', options)[1]
    return sent


# The door


def test_the_door_lists_sessions_that_wait_for_a_word(browser, ana, ben, past):
    for member, may_deny in ((ana, True), (ben, False)):
        page = browser(member).get("/log").text

        assert past.title in page
        assert f"/sessions/{past.public_id}/log" in page
        assert (f"/sessions/{past.public_id}/not-held" in page) is may_deny


def test_the_door_has_the_chance_meeting_and_what_is_lately(browser, ben, entry):
    page = browser(ben).get("/log").text

    assert "/log/new" in page
    assert f"/log/{entry.public_id}" in page


def test_visitors_sign_in_first(browser, db, past, entry):
    for url in ("/log", "/log/new", f"/sessions/{past.public_id}/log", f"/log/{entry.public_id}"):
        assert "/sign-in" in browser().get(url).location


def test_the_door_takes_as_many_queries_for_many(browser, db, queries, frozen, ana, ben, bread):
    counts = []
    for more in (1, 7):
        for _n in range(more):
            take_place(make_session(ana, [bread]), by=ben)
            written(db, ben, (ana, bread, SHOWS), (ben, bread, LEARNS))
        db.session.commit()
        frozen.shift(timedelta(days=3))
        client = browser(ben)
        queries.clear()
        assert client.get("/log").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 9


# A session


def test_a_session_is_logged_as_it_is_filled_in(both_databases, browser, db, ben, past, mails):
    client = browser(ben)
    page = client.get(f"/sessions/{past.public_id}/log").text
    form = filled_in(page)

    answer = client.post(f"/sessions/{past.public_id}/log", form)

    entry = the_one(db)
    assert answer.status_code == 303
    assert answer.location.endswith(f"/log/{entry.public_id}")
    assert said(entry) == {("ana", "sourdough-bread", "shows"), ("ben", "sourdough-bread", "learns")}
    assert (entry.practice_minutes, entry.theory_minutes) == (80, 40)
    assert entry.happened_on.isoformat() == "2026-11-12"
    assert entry.skill_session.state is SessionState.HELD
    db.session.rollback()
    [mail] = mails()
    assert mail["To"].endswith("<ana@example.org>")
    assert mail["Subject"].startswith("Sourdough bread")


def test_twice_the_same_form_is_one_entry(browser, db, ben, past):
    client = browser(ben)
    form = filled_in(client.get(f"/sessions/{past.public_id}/log").text)

    first = client.post(f"/sessions/{past.public_id}/log", form)
    second = client.post(f"/sessions/{past.public_id}/log", form)

    assert first.location == second.location
    assert the_one(db)


def test_who_was_not_there_is_left_out_and_who_came_by_is_added(browser, db, ana, ben, cleo, dora, bread, past):
    take_cleo_along(db, past, cleo)
    client = browser(ben)
    page = client.get(f"/sessions/{past.public_id}/log").text
    form = filled_in(page)
    key = next(name for name, row in rows(page).items() if row == "cleo")
    form |= {key: "absent", "also-0-handle": "dora", "also-0-did": "helps"}

    client.post(f"/sessions/{past.public_id}/log", form)

    assert said(the_one(db)) == {
        ("ana", "sourdough-bread", "shows"),
        ("ben", "sourdough-bread", "learns"),
        ("dora", "sourdough-bread", "helps"),
    }


def take_cleo_along(db, session, cleo):
    """As `take_place` before the session had begun."""
    starts_at, ends_at = session.starts_at, session.ends_at
    session.starts_at, session.ends_at = clock.now() + timedelta(hours=1), clock.now() + timedelta(hours=2)
    db.session.flush()
    take_place(session, by=cleo)
    session.starts_at, session.ends_at = starts_at, ends_at
    db.session.commit()


def rows(page):
    """The names of the choices on the form, with the person beside each."""
    found = re.findall(r'<label class="field__label" for="(lines-\d+-did)">([^<]*)</label>', page)
    return {name: who.strip() for name, who in found}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"practice_minutes": ""}, "Please fill this in."),
        ({"practice_minutes": "many"}, "whole number"),
        ({"practice_minutes": "0", "theory_minutes": "0"}, "how many minutes"),
        ({"line": "x" * 281}, "At most 280"),
        ({"lines-0-did": "absent"}, "Say who showed it"),
        ({"lines-1-did": "absent"}, "keep a line for yourself"),
        ({"lines-0-key": "another"}, "not up to date"),
        ({"lines-0-did": "admired"}, "Not a valid choice"),
        ({"also-0-handle": "nobody"}, "Nobody here is called"),
        ({"also-0-handle": "dora", "also-0-skill": "Juggling fire"}, "We do not know"),
        ({"also-0-handle": "ana"}, "not both"),
    ],
)
def test_what_is_wrong_is_said_and_the_text_kept(browser, db, ben, dora, past, change, words):
    client = browser(ben)
    form = filled_in(client.get(f"/sessions/{past.public_id}/log").text) | {"line": "Kept words"} | change

    answer = client.post(f"/sessions/{past.public_id}/log", form)

    assert answer.status_code == 422
    assert words in answer.text
    assert form["line"] in answer.text
    assert the_one(db) is None


def test_unknown_hidden_and_blocked_are_all_the_same(browser, db, ana, ben, past):
    hidden, blocker = person("hidden1"), person("blocker")
    hidden.seen_as = SeenAs.HIDDEN
    block(blocker, ben)
    db.session.commit()
    client = browser(ben)
    form = filled_in(client.get(f"/sessions/{past.public_id}/log").text)

    pages = [
        client.post(f"/sessions/{past.public_id}/log", form | {"also-0-handle": handle}).text.replace(handle, "X")
        for handle in ("hidden1", "blocker", "nobodyx")
    ]

    assert len({re.sub(r'name="csrf_token"[^>]*', "", page) for page in pages}) == 1


def test_a_stranger_finds_no_form(browser, db, dora, past):
    db.session.commit()
    url = f"/sessions/{past.public_id}/log"

    assert browser(dora).get(url).status_code == 404
    assert browser(dora).post(url, {}).status_code == 404
    assert browser(dora).get("/sessions/AAAAAAAAAAAAAAAAAAAAAA/log").status_code == 404


def test_before_it_begins_it_says_so(browser, db, ana, bread_session):
    db.session.commit()

    answer = browser(ana).get(f"/sessions/{bread_session.public_id}/log")

    assert answer.status_code == 409
    assert "not begun" in answer.text


def test_a_session_with_an_entry_leads_there(browser, db, ana, ben, past, bread):
    entry = written(db, ben, (ana, bread, SHOWS), (ben, bread, LEARNS), skill_session=past)

    assert browser(ana).get(f"/sessions/{past.public_id}/log").location.endswith(entry.public_id)


def test_the_form_hides_who_may_not_be_seen(browser, db, ben, cleo, past):
    take_cleo_along(db, past, cleo)
    block(cleo, ben)
    db.session.commit()

    page = browser(ben).get(f"/sessions/{past.public_id}/log").text

    assert "a participant" in page
    assert "cleo" not in page.lower()


# A chance meeting


def test_a_chance_meeting(browser, db, ana, ben, bread, met):
    db.session.commit()

    answer = browser(ben).post("/log/new", met)

    entry = the_one(db)
    assert answer.location.endswith(entry.public_id)
    assert said(entry) == {("ana", bread.slug, "shows"), ("ben", bread.slug, "learns")}
    assert entry.line == "It rose."


def test_and_they_showed_me(browser, db, ana, ben, bread, brakes, met):
    """Scenario 2: one entry, two skills, opposite parts."""
    db.session.commit()
    more = {"met-1-handle": "", "met-1-skill": "Bicycle brakes", "met-1-how": "i_showed"}

    browser(ben).post("/log/new", met | more)

    assert said(the_one(db)) == {
        ("ana", bread.slug, "shows"),
        ("ben", bread.slug, "learns"),
        ("ben", brakes.slug, "shows"),
        ("ana", brakes.slug, "learns"),
    }


def test_several_people_and_another_who_learned_it_too(browser, db, ana, ben, cleo, dora, bread, met):
    db.session.commit()
    more = {"met-1-handle": "cleo, dora", "met-1-skill": "", "met-1-how": "both_learned"}

    browser(ben).post("/log/new", met | more)

    learned = {handle for handle, _skill, kind in said(the_one(db)) if kind == "learns"}
    assert learned == {"ben", "cleo", "dora"}


def test_one_more_line_keeps_everything(browser, db, ana, ben, bread, met):
    db.session.commit()

    answer = browser(ben).post("/log/new", met | {"more": "1", "practice_minutes": "x"})

    assert answer.status_code == 200
    assert 'name="met-1-handle"' in answer.text
    for kept in ("baking BREAD", "It rose.", "@Ana"):
        assert kept in answer.text
    assert the_one(db) is None


def test_there_are_at_most_four_lines(browser, db, ben):
    db.session.commit()
    many = {f"met-{n}-how": "they_showed" for n in range(9)}

    page = browser(ben).post("/log/new", many | {"more": "1"}).text

    assert 'name="met-3-handle"' in page
    assert 'name="met-4-handle"' not in page
    assert 'name="more"' not in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"met-0-handle": ""}, "Please fill this in."),
        ({"met-0-skill": ""}, "Please fill this in."),
        ({"met-0-handle": "nobody"}, "Nobody here is called"),
        ({"met-0-handle": "ben"}, "Name somebody else"),
        ({"met-0-skill": "Baking brea"}, "Did you mean: Sourdough bread"),
        ({"met-0-skill": "Juggling"}, "Add a page for the skill first"),
        ({"met-0-how": "they_helped"}, "Say what you did too"),
        ({"met-0-how": "both_learned"}, "Say who showed it"),
        ({"happened_on": "2026-11-11"}, "not come yet"),
        ({"happened_on": "soon"}, "Write the day like"),
        ({"happened_on": ""}, "Please fill this in."),
    ],
)
def test_what_is_wrong_with_a_meeting(browser, db, ana, ben, bread, met, change, words):
    db.session.commit()

    answer = browser(ben).post("/log/new", met | change)

    assert answer.status_code == 422
    assert words in answer.text
    assert "It rose." in answer.text
    assert the_one(db) is None


def test_an_unknown_skill_can_get_a_page(browser, db, ana, ben, met):
    db.session.commit()

    assert "/skills/new?name=Juggling" in browser(ben).post("/log/new", met | {"met-0-skill": "Juggling"}).text


# An entry


def test_an_entry_for_each_in_it(browser, db, ana, ben, entry):
    mine, asked = browser(ben).get(f"/log/{entry.public_id}"), browser(ana).get(f"/log/{entry.public_id}")

    assert (mine.status_code, asked.status_code) == (200, 200)
    assert f"/log/{entry.public_id}/agree" not in mine.text
    assert f"/log/{entry.public_id}/edit" in mine.text
    assert f"/log/{entry.public_id}/agree" in asked.text
    assert f"/log/{entry.public_id}/edit" not in asked.text


def test_a_stranger_finds_no_entry(browser, db, dora, entry):
    db.session.commit()
    client = browser(dora)

    assert client.get(f"/log/{entry.public_id}").status_code == 404
    for verb in ("agree", "not-right", "was-not-there", "edit"):
        assert client.post(f"/log/{entry.public_id}/{verb}", {"note": "x"}).status_code == 404


def test_agreeing_confirms_it_and_leads_the_learner_to_show_it_back(browser, db, ana, ben, bread, entry, mails):
    answer = browser(ana).post(f"/log/{entry.public_id}/agree", {"version": entry.version})

    assert answer.status_code == 303
    assert the_one(db).is_confirmed
    page = browser(ben).get(f"/log/{entry.public_id}").text
    assert f"/teach-backs/new?entry={entry.public_id}&amp;skill={bread.slug}" in page
    assert "/teach-backs/new?entry" not in browser(ana).get(f"/log/{entry.public_id}").text
    assert [mail["To"] for mail in mails()] == ["Ben <ben@example.org>"]


def test_agreeing_twice_is_once(browser, db, ana, entry):
    client = browser(ana)

    assert client.post(f"/log/{entry.public_id}/agree").status_code == 303
    assert client.post(f"/log/{entry.public_id}/agree").status_code == 303
    assert the_one(db).is_confirmed


def test_the_writer_does_not_agree_to_their_own(browser, db, ben, entry):
    assert browser(ben).post(f"/log/{entry.public_id}/agree").status_code == 403
    assert not the_one(db).is_confirmed


def test_what_was_changed_meanwhile_is_read_again_first(browser, db, ana, ben, bread, entry):
    read = entry.version
    lines = [Said(ana, bread, SHOWS), Said(ben, bread, LEARNS)]
    entry.edit(
        by=ben,
        said=lines,
        version=read,
        practice_minutes=1,
        theory_minutes=1,
        line="",
        happened_on=entry.happened_on,
    )
    db.session.commit()

    assert browser(ana).post(f"/log/{entry.public_id}/agree", {"version": read}).status_code == 409
    assert not the_one(db).is_confirmed


def test_it_was_different(browser, db, ana, ben, cleo, bread, mails):
    entry = written(db, ben, (ana, bread, SHOWS), (ben, bread, LEARNS), (cleo, bread, LEARNS))
    client = browser(ana)

    empty = client.post(f"/log/{entry.public_id}/not-right", {"note": " "})
    sent = client.post(f"/log/{entry.public_id}/not-right", {"note": "It was rye."})

    assert (empty.status_code, sent.status_code) == (422, 303)
    assert the_one(db).state is LogState.QUESTIONED
    assert "It was rye." in browser(ben).get(f"/log/{entry.public_id}").text
    assert "It was rye." not in browser(cleo).get(f"/log/{entry.public_id}").text
    told = mails()[-1]
    assert told["To"].startswith("Ben")
    assert "rye" not in told.get_content()


def test_i_was_not_there(browser, db, ana, entry):
    client = browser(ana)

    answer = client.post(f"/log/{entry.public_id}/was-not-there")

    assert answer.status_code == 303
    assert the_one(db).answer_of(db.session.get(Member, ana.id)) is Answer.WAS_NOT_THERE
    assert client.get(f"/log/{entry.public_id}").status_code == 404


def test_nobody_appears_to_others_before_they_agree(browser, db, ana, ben, cleo, bread, mails):
    entry = written(db, cleo, (ana, bread, SHOWS), (ben, bread, LEARNS), (cleo, bread, HELPS))

    assert "ana" not in main_of(browser(ben).get(f"/log/{entry.public_id}").text).lower()
    assert "ana" in main_of(browser(cleo).get(f"/log/{entry.public_id}").text).lower()
    for mail in mails():
        others = {"ana", "ben"} - {mail["To"].addresses[0].username}
        assert not others & set(re.findall(r"\w+", (mail["Subject"] + mail.get_content()).lower()))

    browser(ana).post(f"/log/{entry.public_id}/agree")
    assert "ana" in main_of(browser(ben).get(f"/log/{entry.public_id}").text).lower()


def main_of(page):
    """The part of a page that is its own."""
    return re.search(r"<main.*</main>", page, re.DOTALL)[0]


def test_who_may_not_be_seen_is_a_participant(browser, db, ana, ben, entry):
    entry.agree(by=ana)
    block(ben, ana)
    db.session.commit()

    page = main_of(browser(ana).get(f"/log/{entry.public_id}").text)

    assert "a participant" in page.lower()
    assert "ben" not in page.lower()


def test_the_name_is_for_partners(browser, db, ana, ben, entry):
    ana.name, ana.name_seen_by = "Ana Maria", NameSeenBy.PARTNERS
    db.session.commit()
    before = browser(ben).get(f"/log/{entry.public_id}").text
    browser(ana).post(f"/log/{entry.public_id}/agree")

    assert "Ana Maria" not in before
    assert "Ana Maria" in browser(ben).get(f"/log/{entry.public_id}").text


# Putting it right


def test_the_writer_puts_it_right(both_databases, browser, db, ana, ben, bread, entry):
    client = browser(ben)
    form = filled_in(client.get(f"/log/{entry.public_id}/edit").text)

    answer = client.post(f"/log/{entry.public_id}/edit", form | {"line": "It was rye.", "theory_minutes": "15"})

    assert answer.status_code == 303
    now = the_one(db)
    assert (now.line, now.theory_minutes, now.version) == ("It was rye.", 15, 2)
    assert said(now) == {("ana", bread.slug, "shows"), ("ben", bread.slug, "learns")}


def test_two_windows_lose_nothing(browser, db, ben, entry):
    client = browser(ben)
    form = filled_in(client.get(f"/log/{entry.public_id}/edit").text)
    del form["once"]
    client.post(f"/log/{entry.public_id}/edit", form | {"line": "First window"})

    answer = client.post(f"/log/{entry.public_id}/edit", form | {"line": "Second window"})

    assert answer.status_code == 409
    assert "First window" in answer.text
    assert "Second window" in answer.text
    again = filled_in(answer.text) | {"line": "Second window"}
    assert client.post(f"/log/{entry.public_id}/edit", again).status_code == 303
    assert the_one(db).line == "Second window"


def test_only_the_writer_edits_and_only_until_all_agree(browser, db, ana, ben, entry):
    url = f"/log/{entry.public_id}/edit"
    assert browser(ana).get(url).status_code == 404

    browser(ana).post(f"/log/{entry.public_id}/agree")

    assert browser(ben).get(url).status_code == 404


def test_what_is_wrong_with_a_change(browser, db, ben, entry):
    client = browser(ben)
    form = filled_in(client.get(f"/log/{entry.public_id}/edit").text)

    answer = client.post(f"/log/{entry.public_id}/edit", form | {"practice_minutes": "", "line": "Kept words"})

    assert answer.status_code == 422
    assert "Kept words" in answer.text
    assert the_one(db).version == 1


def test_another_skill_can_take_its_place(browser, db, ana, ben, brakes, entry):
    client = browser(ben)
    form = filled_in(client.get(f"/log/{entry.public_id}/edit").text)
    form |= {"lines-0-did": "absent", "lines-1-did": "absent"}
    for number, (handle, did) in enumerate((("ana", "shows"), ("ben", "learns"))):
        form |= {f"also-{number}-handle": handle, f"also-{number}-did": did, f"also-{number}-skill": "Bicycle brakes"}

    client.post(f"/log/{entry.public_id}/edit", form)

    assert said(the_one(db)) == {("ana", brakes.slug, "shows"), ("ben", brakes.slug, "learns")}
