"""An index left as it was on purpose: nothing closed by now is shown, counted, suggested, quoted or meant (R-73).

Ana offers bread with a word in it that nobody else uses. The index learns of it; then something is closed, and the
index is not told.
"""

import re

import pytest
import sqlalchemy as sa

from skillshare import jobs
from skillshare.models.blocking import block
from skillshare.models.listings import ListingState, Offer, Want
from skillshare.models.members import MemberState, SeenAs
from skillshare.models.sessions import Audience, Part, SessionSkill, SessionState, SkillSession
from skillshare.models.skills import SkillState
from skillshare.models.visibility import Block
from tests.conftest import Browser, make_session, sign_in

SECRET = "zamboglia"
TYPED_WRONG = "zamboglja"


@pytest.fixture
def things(db, ana, cleo, bread):
    """An offer, a want and a session of Ana's with the word in them, and Cleo's offer without it; all in the index."""
    common = {"skill": bread, "language": "en"}
    texts = {"practice": f"Bread with {SECRET}.", "theory": f"Why {SECRET} rises."}
    offer = Offer.publish(by=ana, title=f"Bread and {SECRET}", **texts, **common)
    want = Want.ask(by=ana, title=f"To bake {SECRET} bread", **common)
    session = make_session(ana, [bread], title=f"Bread evening {SECRET}")
    Offer.publish(by=cleo, title="Plain bread", practice="Flour.", theory="Gas.", **common)
    db.session.commit()
    while jobs.work_once("index"):
        pass
    return {"offer": offer, "want": want, "session": session}


def hide(things, ana, dora, db):
    """Ana's page is for those near her only: her offer and want are not found by Dora. Her session is."""
    ana.seen_as = SeenAs.HIDDEN


def block_them(things, ana, dora, db):
    block(ana, dora)


def be_blocked(things, ana, dora, db):
    block(dora, ana)


def close_account(things, ana, dora, db):
    ana.state = MemberState.CLOSED


def withdraw(things, ana, dora, db):
    things["offer"].withdraw(by=ana)
    things["want"].state = ListingState.WITHDRAWN
    things["session"].state = SessionState.CANCELLED


def pause(things, ana, dora, db):
    """What is not open is a draft again for everybody else."""
    things["offer"].pause(by=ana)
    things["want"].state = ListingState.PAUSED
    things["session"].state = SessionState.NOT_HELD


def delete(things, ana, dora, db):
    db.session.commit()
    for kept in (Part, SessionSkill, Want, Offer, SkillSession):
        db.session.execute(sa.delete(kept).where(kept.id.in_(sa.select(kept.id))))
    db.session.expunge_all()


CLOSED_FOR_DORA = [block_them, be_blocked, close_account, withdraw, pause, delete]
CLOSED_FOR_VISITORS = [close_account, withdraw, pause, delete]


def pages(browser):
    """Everything a search can say of these things."""
    for question in ("q=bread", f"q={SECRET}", f"q={TYPED_WRONG}", "kind=offer", "q=bread&kind=want", f"q=-x+{SECRET}"):
        yield question, browser.get(f"/find?{question}").text.replace(f"q={SECRET}", "")
    for start in ("bre", "zam", SECRET):
        yield start, browser.get(f"/find/suggest?q={start}").text


def told(browser):
    """What of the word is said that the reader did not type."""
    return [
        question
        for question, text in pages(browser)
        if SECRET in text.lower().replace(f'value="{SECRET}"', "") and SECRET not in question
    ]


@pytest.fixture
def visit(app, db, monkeypatch):
    """`visit(member)` opens a browser, when what the test changed is committed and the index was not told."""
    app.config["WTF_CSRF_ENABLED"] = False

    def visit(member=None):
        db.session.commit()
        browser = Browser(app)
        if member is not None:
            sign_in(browser, member)
        return browser

    return visit


def results_in(text):
    return text.count("<h3><a href=")


def read(page):
    """The words of a page."""
    return " ".join(re.sub(r"<[^>]+>", "", page.text).split())


def test_while_all_is_open_the_word_is_found_meant_and_suggested(things, visit, dora):
    said = dict(pages(visit(dora)))

    assert SECRET in said["q=bread"]
    assert SECRET in said[f"q={TYPED_WRONG}"]
    assert results_in(said["q=bread"]) == 5
    assert "Bread and zamboglia" in said["zam"]


@pytest.mark.parametrize("close", CLOSED_FOR_DORA)
def test_what_is_closed_to_a_member_is_nowhere(things, visit, db, ana, dora, close):
    close(things, ana, dora, db)
    visitor = visit(dora)

    assert told(visitor) == []
    assert results_in(visitor.get("/find?q=bread").text) == (1 if close is delete else 2)
    assert f"{1 if close is delete else 2} thing" in read(visitor.get("/find?q=bread"))
    assert results_in(visitor.get(f"/find?q={SECRET}&exact=1").text) == 0


@pytest.mark.parametrize("close", CLOSED_FOR_VISITORS)
def test_what_is_closed_to_everybody_is_nowhere_for_a_visitor(things, visit, db, ana, dora, close):
    close(things, ana, dora, db)
    visitor = visit()

    assert told(visitor) == []
    assert results_in(visitor.get("/find?q=bread").text) == (1 if close is delete else 2)


def test_what_is_for_members_only_is_nowhere_for_a_visitor(things, visit, ana, dora):
    things["session"].audience = Audience.COMMUNITY
    ana.seen_as = SeenAs.HIDDEN

    assert told(visit()) == []
    assert "Bread evening" in read(visit(dora).get("/find?q=bread"))


def test_a_hidden_member_is_found_by_those_near_alone(things, visit, db, ana, ben, dora):
    ana.seen_as = SeenAs.HIDDEN
    page = read(visit(dora).get("/find?q=bread"))

    assert "Bread and" not in page
    assert "To bake" not in page
    assert "Bread and" in read(visit(ana).get("/find?q=bread"))


def test_a_skill_that_is_archived_is_not_found(things, visit, bread, dora):
    bread.state = SkillState.ARCHIVED

    assert f'href="/skills/{bread.slug}"' not in visit(dora).get("/find?q=bread&kind=skill").text


def test_who_is_unblocked_is_found_again_at_once(things, visit, db, ana, dora):
    block(ana, dora)
    db.session.commit()
    Block.lift(ana, dora)

    assert "Bread and" in read(visit(dora).get("/find?q=bread"))
