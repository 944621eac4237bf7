"""Settings: what I say of myself, my password, where I am signed in, whom I blocked."""

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from sqlalchemy.orm import joinedload, selectinload

from skillshare import passwords
from skillshare.models.members import Member, NameSeenBy, SeenAs
from skillshare.models.tokens import SignIn
from skillshare.models.visibility import Block
from skillshare.web import rates
from tests.conftest import PASSWORD, person

NEW = "four new words together"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    """Hashing is tested elsewhere."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def eva(db):
    """Has a password."""
    eva = person("eva", password_hash=passwords.hash_of(PASSWORD))
    db.session.commit()
    return eva


@pytest.fixture
def asked():
    """What a filled-in form sends."""
    return {
        "version": "1",
        "name": "Eva María",
        "pronouns": "she",
        "about": "Bread, *mostly*.",
        "area": "",
        "languages-0": "es",
        "languages-1": "en",
        "languages-2": "",
        "languages-3": "es",
        "seen_as": "hidden",
        "name_seen_by": "members",
        "locale": "es",
        "zone": "Europe/Madrid",
    }


def again(db, whom):
    """A member with their area and languages, read again."""
    whole = (joinedload(Member.area), selectinload(Member.languages))
    query = sa.select(Member).where(Member.id == whom.id).options(*whole)
    found = db.session.scalar(query.execution_options(populate_existing=True))
    db.session.expunge_all()
    db.session.rollback()
    return found


def is_in(browser):
    return browser.get("/settings").status_code == 200


def test_what_i_say_of_myself_is_kept(db, browser, eva, area, asked):
    db.session.commit()

    answer = browser(eva).post("/settings", {**asked, "area": area.public_id})

    kept = again(db, eva)
    assert answer.status_code == 303
    assert (kept.name, kept.pronouns, kept.about) == ("Eva María", "she", "Bread, *mostly*.")
    assert (kept.area.name, kept.zone, kept.locale) == ("Northside", "Europe/Madrid", "es")
    assert (kept.seen_as, kept.name_seen_by) == (SeenAs.HIDDEN, NameSeenBy.MEMBERS)
    assert {row.code for row in kept.languages} == {"es", "en"}
    assert kept.version == 2


def test_the_form_shows_what_was_said(browser, eva, asked):
    evas = browser(eva)
    evas.post("/settings", asked)

    page = evas.get("/settings").text

    assert 'value="Eva María"' in page
    assert "Bread, *mostly*." in page
    assert 'value="2"' in page


def test_the_language_chosen_here_holds_from_now_on(browser, eva, asked):
    evas = browser(eva)
    evas.get("/settings?lang=en")

    evas.post("/settings", asked)

    assert '<html lang="es"' in evas.get("/settings").text


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 61},
        {"about": "x" * 4001},
        {"area": "nowhere"},
        {"languages-0": "klingon"},
        {"seen_as": "everybody"},
        {"name_seen_by": ""},
        {"locale": "xx"},
        {"zone": "../../etc/passwd"},
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(db, browser, eva, asked, wrong):
    answer = browser(eva).post("/settings", {**asked, **wrong})

    assert answer.status_code == 422
    assert "error-summary" in answer.text
    assert again(db, eva).name == "Eva"


def test_nobody_makes_themselves_more_than_they_are(db, browser, eva, asked):
    more = {
        "state": "closed",
        "email": "x@example.org",
        "handle": "boss",
        "id": "7",
        "email_verified_at": "",
        "member": "1",
    }

    browser(eva).post("/settings", {**asked, **more})

    kept = again(db, eva)
    assert (kept.handle, kept.email, kept.is_active, kept.id) == ("eva", "eva@example.org", True, eva.id)


def test_saved_in_another_window_shows_both_and_may_be_sent_again(db, browser, eva, asked):
    evas = browser(eva)
    evas.post("/settings", {**asked, "about": "From the other window"})

    answer = evas.post("/settings", asked)

    assert answer.status_code == 409
    assert "From the other window" in answer.text
    assert "Bread, *mostly*." in answer.text
    assert evas.post("/settings", {**asked, "version": "2"}).status_code == 303
    assert again(db, eva).about == "Bread, *mostly*."


def test_a_new_password_signs_out_everywhere_else_and_says_so_by_mail(browser, eva, mails):
    here, elsewhere = browser(eva), browser(eva)

    answer = here.post("/settings/password", {"current": PASSWORD, "password": NEW})

    assert answer.status_code == 303
    assert is_in(here)
    assert not is_in(elsewhere)
    assert "password was changed" in mails()[-1]["Subject"]
    assert browser().post("/sign-in", {"who": "eva", "password": NEW}).status_code == 303


@pytest.mark.parametrize(
    ("current", "new", "said"),
    [
        ("not this one", NEW, "This is not the password you have now."),
        ("", NEW, "Please fill this in."),
        (PASSWORD, "short", "Use at least 12 characters"),
        (PASSWORD, "eva@example.org!!", "This holds your handle"),
        (PASSWORD, "password1234", "Many people use this password"),
    ],
)
def test_a_new_password_needs_the_old_one_and_to_be_good(db, browser, eva, current, new, said):
    answer = browser(eva).post("/settings/password", {"current": current, "password": new})

    assert answer.status_code == 422
    assert said in answer.text
    assert passwords.matches(again(db, eva).password_hash, PASSWORD)


def test_trying_ones_own_password_is_slowed_down(app, browser, eva):
    app.config["RATES"] = True
    rates.limiter.reset()
    evas = browser(eva)

    tries = [evas.post("/settings/password", {"current": "wrong", "password": NEW}).status_code for _n in range(11)]

    assert tries == [422] * 10 + [429]


def test_who_has_no_password_is_mailed_a_link_to_choose_one(db, browser, mails):
    lin = person("lin")
    db.session.commit()
    lins = browser(lin)

    assert "You have no password" in lins.get("/settings/password").text
    assert lins.post("/settings/password", {"current": "", "password": NEW}).status_code == 422
    assert lins.post("/settings/password/link").location == "/look-in-your-mail"
    assert [mail["To"] for mail in mails()] == ["Lin <lin@example.org>"]


def sign_ins(db, whom):
    rows = db.session.scalars(SignIn.of(whom)).all()
    db.session.expunge_all()
    db.session.rollback()
    return rows


def test_one_device_is_signed_out(db, browser, eva):
    elsewhere, here = browser(eva), browser(eva)
    other = sign_ins(db, eva)[-1]

    answer = here.post(f"/settings/sign-ins/{other.public_id}/end")

    assert answer.status_code == 303
    assert is_in(here)
    assert not is_in(elsewhere)


def test_this_device_is_signed_out(db, browser, eva):
    here = browser(eva)

    answer = here.post(f"/settings/sign-ins/{sign_ins(db, eva)[0].public_id}/end")

    assert answer.location == "/"
    assert not is_in(here)


def test_everywhere_is_signed_out(browser, eva):
    here, elsewhere = browser(eva), browser(eva)

    here.post("/settings/sign-ins/end-all")

    assert not is_in(here)
    assert not is_in(elsewhere)


def test_a_strangers_device_is_not_there(db, browser, eva, dora):
    db.session.commit()
    evas = browser(eva)
    theirs = sign_ins(db, eva)[0]

    assert browser(dora).post(f"/settings/sign-ins/{theirs.public_id}/end").status_code == 404
    assert is_in(evas)


def test_my_devices_are_listed_this_one_named(browser, eva):
    browser(eva)

    page = browser(eva).get("/settings/sign-ins").text

    assert page.count("This device") == 1
    assert page.count("Another device") == 1


def test_many_devices_cost_no_more_than_one(browser, eva, queries):
    evas = browser(eva)
    evas.get("/settings/sign-ins")
    queries.clear()
    evas.get("/settings/sign-ins")
    few = len(queries)
    for _n in range(9):
        browser(eva)
    queries.clear()

    evas.get("/settings/sign-ins")

    assert len(queries) == few


def test_whom_i_blocked_is_listed_to_me_alone_and_can_be_unblocked(db, browser, eva, dora):
    Block.put(eva, dora)
    db.session.commit()

    assert "dora" in browser(eva).get("/settings/blocked").text
    assert "eva" not in browser(dora).get("/settings/blocked").text.split("<main")[1].split("</main")[0]
    assert browser(dora).post("/settings/blocked/eva/unblock").status_code == 404
    assert browser(eva).post("/settings/blocked/dora/unblock").status_code == 303
    assert db.session.scalar(sa.select(sa.func.count(Block.id))) == 0


def test_who_blocked_nobody_reads_a_sentence_and_has_one_button(browser, eva):
    page = browser(eva).get("/settings/blocked").text

    assert "You have blocked nobody" in page
    assert page.count("button--primary") == 1


@pytest.mark.parametrize("page", ["", "/password", "/sign-ins", "/blocked"])
def test_visitors_sign_in_first(browser, page):
    assert browser().get(f"/settings{page}").location == f"/sign-in?next=/settings{page}"
