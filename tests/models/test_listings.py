"""Offers, wants and me toos: each verb and each refusal. Ana shows, Ben wants to learn, Cleo wants it too."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from skillshare import limits
from skillshare.db import db as database
from skillshare.errors import EditConflict, NotAllowed, RuleBroken
from skillshare.models.knowhow import MemberSkill
from skillshare.models.listings import ListingState, MeToo, Offer, Want
from skillshare.models.members import Member, SeenAs
from skillshare.models.outbox import Outbox
from skillshare.models.visibility import Block, Viewer

WORDS = {"title": "Bread", "practice": "You mix.", "theory": "Why it rises.", "language": "en"}


def offer(by, skill, **changes):
    made = Offer.publish(by=by, skill=skill, **{**WORDS, **changes})
    database.session.flush()
    return made


def ask(by, skill, **changes):
    made = Want.ask(by=by, skill=skill, **{"title": "I want it", "language": "en", **changes})
    database.session.flush()
    return made


def told(kind):
    """The handles of those who will be told."""
    rows = database.session.scalars(sa.select(Outbox).where(Outbox.kind == "mail")).all()
    ids = [row.payload["member_id"] for row in rows if row.payload["kind"] == kind]
    return sorted(database.session.scalars(sa.select(Member.handle).where(Member.id.in_(ids))))


def found(kind, viewer, site_mode="open_catalogue"):
    return database.session.scalars(kind.open_to(Viewer(viewer, site_mode))).all()


def opens(kind, listing, viewer):
    return database.session.scalar(kind.visible_to(Viewer(viewer)).where(kind.id == listing.id)) is not None


@pytest.fixture
def unconfirmed(db):
    member = Member.join(handle="eve", name="Eve", email="eve@example.org", locale="en", zone="UTC")
    database.session.flush()
    return member


@pytest.mark.usefixtures("both_databases")
class TestOnBothDatabases:
    """What leans on the database itself."""

    def test_from_an_offer_to_a_paused_one(self, db, ana, ben, bread, brakes):
        made = offer(ana, bread)
        made.edit(by=ana, version=1, practice="You bake.")
        made.pause(by=ana)
        db.session.commit()

        assert (made.practice, made.version, made.state) == ("You bake.", 2, ListingState.PAUSED)
        assert found(Offer, ben) == []

    def test_wants_count_those_who_say_me_too(self, db, ana, ben, cleo, bread):
        want = ask(ben, bread)
        want.me_too(by=cleo, times_note="Mondays")
        want.me_too(by=cleo, times_note="Sundays")
        want.me_too(by=ana)
        db.session.commit()
        db.session.refresh(want)

        assert want.me_too_count == 2
        assert [row.member.handle for row in db.session.scalars(MeToo.of(want, Viewer(ben)))] == ["cleo", "ana"]
        assert MeToo.between(want, cleo).times_note == "Sundays"

    def test_an_offer_locked_for_change_can_be_read_with_its_skill(self, db, ana, bread, area):
        made = offer(ana, bread, area=area)
        db.session.commit()

        locked = db.session.scalars(Offer.of(ana).with_for_update(of=Offer)).one()

        assert locked is made

    def test_filters_by_topic_and_area(self, db, ana, ben, bread, brakes, topic, area):
        near, _far = offer(ana, bread, area=area), offer(ana, brakes)

        in_area = Offer.open_to(Viewer(ben)).where(*Offer.under([], [area.id]))
        in_topic = Offer.open_to(Viewer(ben)).where(*Offer.under([topic.id], []))
        elsewhere = Offer.open_to(Viewer(ben)).where(*Offer.under([topic.id + 1], [area.id]))

        assert db.session.scalars(in_area).all() == [near]
        assert len(db.session.scalars(in_topic).all()) == 2
        assert db.session.scalars(elsewhere).all() == []


def test_an_offer_puts_the_skill_on_ones_list(db, ana, bread):
    offer(ana, bread)

    assert MemberSkill.between(ana, bread).shows


def test_offering_needs_an_open_account(db, unconfirmed, bread):
    with pytest.raises(NotAllowed):
        offer(unconfirmed, bread)


def test_a_hazard_is_offered_only_with_its_safety_text_read(db, ana, welding):
    with pytest.raises(RuleBroken) as refusal:
        offer(ana, welding)

    assert refusal.value.field == "safety_read"
    assert offer(ana, welding, safety_read=True).safety_read


def test_the_safety_text_once_read_stays_read(db, ana, welding):
    made = offer(ana, welding, safety_read=True)

    made.edit(by=ana, version=1, practice="You weld.")

    assert made.safety_read


def test_a_save_from_an_old_page_is_a_conflict(db, ana, bread_offer):
    bread_offer.edit(by=ana, version=1, practice="First.")

    with pytest.raises(EditConflict):
        bread_offer.edit(by=ana, version=1, practice="Second.")

    assert bread_offer.practice == "First."


@pytest.mark.parametrize("verb", ["pause", "resume", "withdraw"])
def test_nobody_else_moves_an_offer(db, ben, bread_offer, verb):
    with pytest.raises(NotAllowed):
        getattr(bread_offer, verb)(by=ben)


def test_nobody_else_changes_an_offer(db, ben, bread_offer):
    with pytest.raises(NotAllowed):
        bread_offer.edit(by=ben, version=1, practice="Mine now.")


def test_what_is_withdrawn_stays_down(db, ana, ben, bread_offer):
    bread_offer.withdraw(by=ana)
    bread_offer.withdraw(by=ana)

    for verb in (bread_offer.pause, bread_offer.resume):
        with pytest.raises(NotAllowed):
            verb(by=ana)
    assert not opens(Offer, bread_offer, ana)
    assert not opens(Offer, bread_offer, ben)


def test_a_pause_takes_it_off_the_lists_but_its_link_works(db, ana, ben, bread_offer):
    bread_offer.pause(by=ana)
    bread_offer.pause(by=ana)

    assert found(Offer, ben) == []
    assert opens(Offer, bread_offer, ben)


def test_a_lapsed_one_is_off_the_lists_until_its_owner_opens_it_again(frozen, db, ben, ana, bread_want):
    frozen.shift(limits.WANT_LASTS + timedelta(days=1))
    assert bread_want.is_lapsed
    assert found(Want, ana) == []

    bread_want.resume(by=ben)

    assert found(Want, ana) == [bread_want]


def test_an_answered_want_cannot_be_paused_but_opened_again(db, ben, bread, bread_want):
    Want.answered_by_learning({ben.id}, bread.id)
    with pytest.raises(RuleBroken):
        bread_want.pause(by=ben)

    bread_want.resume(by=ben)

    assert bread_want.is_open


def test_one_does_not_ask_twice_for_the_same(db, ben, bread, bread_want):
    with pytest.raises(RuleBroken) as refusal:
        ask(ben, bread)

    assert refusal.value.field == "skill"


def test_an_old_want_stays_down_while_a_newer_one_stands(db, ben, bread, bread_want):
    Want.answered_by_learning({ben.id}, bread.id)
    database.session.flush()
    ask(ben, bread)

    with pytest.raises(RuleBroken):
        bread_want.resume(by=ben)


def test_asking_needs_an_open_account(db, unconfirmed, bread):
    with pytest.raises(NotAllowed):
        ask(unconfirmed, bread)


def test_a_me_too_puts_the_skill_on_ones_list_and_tells_the_owner(db, ben, cleo, bread, bread_want):
    bread_want.me_too(by=cleo)

    assert MemberSkill.between(cleo, bread).wants
    assert told("me_too") == ["ben"]


def test_who_asks_does_not_say_me_too(db, ben, bread_want):
    with pytest.raises(NotAllowed):
        bread_want.me_too(by=ben)


def test_there_is_no_me_too_to_what_is_not_asked_any_more(db, ben, cleo, bread_want):
    bread_want.pause(by=ben)

    with pytest.raises(RuleBroken):
        bread_want.me_too(by=cleo)


def test_a_me_too_taken_back_twice_is_gone_once(db, cleo, bread_want):
    bread_want.me_too(by=cleo)

    bread_want.not_me(by=cleo)
    bread_want.not_me(by=cleo)

    assert MeToo.between(bread_want, cleo) is None


def test_names_of_me_toos_follow_what_the_reader_may_see(db, ben, cleo, dora, bread_want):
    bread_want.me_too(by=cleo)
    bread_want.me_too(by=dora)
    Block.put(by=ben, on=cleo)
    dora.seen_as = SeenAs.HIDDEN
    database.session.flush()

    assert database.session.scalars(MeToo.of(bread_want, Viewer(ben))).all() == []


def test_one_finds_who_waits_for_what_one_can_show(db, ana, ben, cleo, bread, brakes):
    MemberSkill.say(ana, bread, shows=True)
    want = ask(ben, bread)
    ask(cleo, brakes)
    ask(ana, bread)

    assert database.session.scalars(Want.one_could_show(Viewer(ana))).all() == [want]


@pytest.mark.parametrize("mode", ["members_only", "invite_only"])
def test_a_closed_site_shows_visitors_nothing(db, bread_offer, mode):
    assert found(Offer, None, mode) == []


def test_offers_of_hidden_and_blocked_members_are_not_found(db, ana, ben, dora, bread_offer):
    Block.put(by=ben, on=ana)
    assert found(Offer, ben) == []
    assert found(Offer, dora) == [bread_offer]

    ana.seen_as = SeenAs.HIDDEN
    database.session.flush()

    assert found(Offer, dora) == []
    assert found(Offer, None) == []
    assert found(Offer, ana) == [bread_offer]
