"""Saved searches and choices of notices: the same twice is one, bounded, one's own, and told when the member said."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from skillshare import clock, limits
from skillshare.errors import NotAllowed, RuleBroken
from skillshare.models import finds
from skillshare.models.blocking import block
from skillshare.models.listings import Offer, Want
from skillshare.models.members import Member, MemberState
from skillshare.models.notices import Channel, NoticeChoice
from skillshare.models.outbox import Outbox
from skillshare.models.searches import (
    SavedMatch,
    SavedSearch,
    add_matches,
    awaited_by,
    catch_up,
    hear,
    hear_no_more,
    looked_at,
    next_time,
    wake,
)
from skillshare.models.visibility import Viewer
from tests.conftest import make_session, person

NOW, DAILY, WEEKLY, OFF = Channel.NOW, Channel.DAILY, Channel.WEEKLY, Channel.OFF


def save(by, q="bread", how=DAILY, **boxes):
    return SavedSearch.save(by=by, q=q, boxes=boxes, how=how)


def kept(db, member):
    return db.session.scalars(SavedSearch.of(member)).all()


def again(db, search):
    whole = sa.select(SavedSearch).where(SavedSearch.id == search.id).options(joinedload(SavedSearch.member))
    return db.session.scalars(whole.execution_options(populate_existing=True)).one()


def matches(db, member):
    query = sa.select(SavedMatch).where(SavedMatch.member_id == member.id).order_by(SavedMatch.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def due(db, member):
    """When the worker comes back to a member."""
    return db.session.scalar(sa.select(Outbox.due_at).where(Outbox.key == f"finds:{member.id}"))


def offer(by, skill, **changes):
    made = Offer.publish(
        **{"by": by, "skill": skill, "title": "Bread", "practice": "Mix.", "theory": "Yeast.", "language": "en"}
        | changes
    )
    return made


@pytest.mark.parametrize("again_as", ["bread", "  Bread ", "BREAD"])
def test_the_same_search_twice_is_one(db, ana, again_as):
    first = save(ana, kind={"offer", "session"})
    second = save(ana, again_as, WEEKLY, kind=["session", "offer"], area=[])

    assert first is second
    assert [search.how for search in kept(db, ana)] == [WEEKLY]


def test_another_box_is_another_search(db, ana):
    save(ana, kind={"offer"})
    save(ana, kind={"want"})
    save(ana)

    assert len(kept(db, ana)) == 3


def test_two_members_may_save_the_same(db, ana, ben):
    save(ana)
    save(ben)

    assert (len(kept(db, ana)), len(kept(db, ben))) == (1, 1)


def test_nothing_is_not_searched_for(db, ana):
    with pytest.raises(RuleBroken):
        SavedSearch.save(by=ana, q="", boxes={"kind": []})


def test_one_too_many_is_refused_kindly(db, ana):
    for number in range(limits.SAVED_SEARCHES):
        save(ana, f"bread {number}")

    with pytest.raises(RuleBroken) as refusal:
        save(ana, "one more")

    assert str(limits.SAVED_SEARCHES) in refusal.value.message
    assert save(ana, "bread 0", WEEKLY).how is WEEKLY


def test_before_the_account_is_open_nothing_is_saved(db, ana):
    ana.state = MemberState.UNCONFIRMED

    with pytest.raises(NotAllowed):
        save(ana)


def test_nobody_else_changes_or_removes_it(db, ana, dora):
    search = save(ana)

    with pytest.raises(NotAllowed):
        search.choose(OFF, by=dora)
    with pytest.raises(NotAllowed):
        search.remove(by=dora)


def test_a_new_search_is_looked_at_at_once(frozen, db, ana):
    search = save(ana)

    assert again(db, search).due_at == clock.now()
    assert due(db, ana) == clock.now()


@pytest.mark.parametrize(
    ("how", "zone", "expected"),
    [
        (NOW, "UTC", datetime(2026, 11, 10, 12, tzinfo=UTC)),
        (DAILY, "UTC", datetime(2026, 11, 11, 8, tzinfo=UTC)),
        (DAILY, "Pacific/Honolulu", datetime(2026, 11, 10, 18, tzinfo=UTC)),
        (DAILY, "Asia/Tokyo", datetime(2026, 11, 10, 23, tzinfo=UTC)),
        (WEEKLY, "Europe/Madrid", datetime(2026, 11, 16, 7, tzinfo=UTC)),
        (OFF, "UTC", None),
    ],
)
def test_it_is_told_at_a_civil_hour_where_its_reader_lives(frozen, how, zone, expected):
    assert next_time(how, zone) == expected


def test_the_hour_stays_the_same_when_the_clocks_change(frozen):
    frozen.move_to(datetime(2026, 10, 24, 12, tzinfo=UTC))  # the night after, Madrid goes back an hour

    assert next_time(DAILY, "Europe/Madrid").astimezone(ZoneInfo("Europe/Madrid")).hour == limits.CIVIL_HOUR


def test_what_is_found_at_first_is_no_news(frozen, db, ana):
    search = save(ana)
    looked_at(again(db, search), ["offer:2"], ["offer:1"], began=clock.now())

    assert [(row.key, row.tell_at) for row in matches(db, ana)] == [
        ("offer:1", None),
        ("offer:2", next_time(DAILY, "UTC")),
    ]
    assert again(db, search).due_at == next_time(DAILY, "UTC")


def test_the_same_thing_is_found_once(frozen, db, ana):
    search = save(ana)
    for _ in range(2):
        looked_at(again(db, search), ["offer:2"], began=clock.now())

    assert [row.key for row in matches(db, ana)] == ["offer:2"]


def test_what_is_due_when_it_is_found_may_be_told(frozen, db, ana):
    search = save(ana)
    looked_at(again(db, search), [], began=clock.now())
    frozen.shift(timedelta(days=1))
    looked_at(again(db, search), ["offer:3"], began=clock.now())

    assert [row.tell_at for row in matches(db, ana)] == [clock.now()]


def test_news_wake_who_wants_to_hear_now_every_few_minutes(frozen, db, ana, ben):
    at_once, daily = save(ana, how=NOW), save(ben)
    for search in (at_once, daily):
        looked_at(again(db, search), [], began=clock.now())
    assert again(db, at_once).due_at is None

    wake()

    assert again(db, at_once).due_at == clock.now() + limits.LOOK_AGAIN == due(db, ana)
    assert again(db, daily).due_at == next_time(DAILY, "UTC")


def test_who_is_woken_while_looking_looks_again(frozen, db, ana):
    search = save(ana, how=NOW)
    looked_at(again(db, search), [], began=clock.now())
    frozen.shift(timedelta(minutes=5))
    wake()
    looking = again(db, search)
    db.session.expunge(looking)
    frozen.shift(timedelta(seconds=1))
    wake()
    looked_at(looking, [], began=clock.now())

    assert again(db, search).due_at is not None


def test_who_was_forgotten_is_caught_up_with(frozen, db, ana):
    save(ana)
    Outbox.drop("finds", str(ana.id))
    frozen.shift(timedelta(hours=2))

    catch_up()

    assert due(db, ana) is not None


def test_a_choice_holds_for_what_is_found_already(frozen, db, ana):
    search = save(ana)
    add_matches([(search.id, ana.id, "offer:1", next_time(DAILY, "UTC"))])

    search.choose(WEEKLY, by=ana)

    assert [row.tell_at for row in matches(db, ana)] == [next_time(WEEKLY, "UTC")]


def test_off_forgets_what_was_not_told(frozen, db, ana):
    search = save(ana)
    add_matches([(search.id, ana.id, "offer:1", clock.now()), (search.id, ana.id, "offer:2", None)])

    search.choose(OFF, by=ana)

    assert [row.key for row in matches(db, ana)] == ["offer:2"]


def test_removing_forgets_all(frozen, db, ana):
    search = save(ana)
    add_matches([(search.id, ana.id, "offer:1", clock.now())])

    search.remove(by=ana)
    db.session.flush()

    assert matches(db, ana) == []


def test_a_kind_is_heard_of_as_chosen_else_as_is_usual(db, ana):
    NoticeChoice.choose("me_too", OFF, by=ana)
    NoticeChoice.choose("me_too", OFF, by=ana)

    assert NoticeChoice.of(ana)["me_too"] is OFF
    assert NoticeChoice.of(ana)["finds"] is DAILY


@pytest.mark.parametrize(("kind", "channel"), [("me_too", WEEKLY), ("sign_in", OFF), ("nothing", NOW)])
def test_what_cannot_be_chosen_is_refused(db, ana, kind, channel):
    with pytest.raises(RuleBroken):
        NoticeChoice.choose(kind, channel, by=ana)


def test_stopping_finds_stops_all_of_them(frozen, db, ana, bread_want, ben):
    search = save(ben, how=NOW)
    add_matches([(search.id, ben.id, "offer:1", clock.now())])

    hear_no_more("finds", by=ben)

    assert again(db, search).heard is OFF
    assert SavedSearch.for_want(bread_want, by=ben).heard is OFF
    assert matches(db, ben) == []


def test_a_choice_for_all_is_not_for_those_with_their_own(frozen, db, ana):
    own, other = save(ana, how=NOW), save(ana, "brakes")
    other.how = None
    db.session.flush()

    hear("finds", WEEKLY, by=ana)

    assert again(db, own).heard is NOW
    assert again(db, other).heard is WEEKLY


def notice(*things):
    finds.notice({f"{kind}:{thing.id}" for kind, thing in things})


def test_who_waits_hears_of_a_new_offer(frozen, db, ana, ben, cleo, dora, bread, bread_want, brakes):
    bread_want.me_too(by=cleo)
    Want.ask(by=dora, skill=brakes, title="Brakes", language="en")
    notice(("want", bread_want))

    made = offer(ana, bread, language="es")
    notice(("offer", made))
    notice(("offer", made))

    for member in (ben, cleo):
        assert [(row.key, row.tell_at) for row in matches(db, member)] == [
            (f"offer:{made.id}", next_time(DAILY, "UTC"))
        ]
    assert matches(db, dora) == []
    assert due(db, ben) == next_time(DAILY, "UTC")


def test_who_waits_hears_of_a_session_with_a_place(db, ana, ben, bread, bread_want):
    made = make_session(ana, [bread])
    notice(("session", made))

    assert [row.key for row in matches(db, ben)] == [f"session:{made.id}"]


def test_nobody_hears_of_their_own(db, ben, bread, bread_want):
    notice(("offer", offer(ben, bread)))

    assert matches(db, ben) == []


@pytest.mark.parametrize("who_blocks", ["ana", "ben"])
def test_nobody_hears_of_who_does_not_exist_for_them(request, db, ana, ben, bread, bread_want, who_blocks):
    by, on = (ana, ben) if who_blocks == "ana" else (ben, ana)
    block(by, on)

    notice(("offer", offer(ana, bread)))

    assert matches(db, ben) == []


@pytest.mark.parametrize("ended", ["pause", "withdraw"])
def test_a_want_that_does_not_stand_looks_for_nothing(db, ana, ben, bread, bread_want, ended):
    getattr(bread_want, ended)(by=ben)
    db.session.flush()

    notice(("offer", offer(ana, bread)))

    assert matches(db, ben) == []


def test_what_was_there_before_is_no_news_when_it_changes(frozen, db, ana, ben, bread):
    old = offer(ana, bread)
    frozen.shift(timedelta(hours=1))
    want = Want.ask(by=ben, skill=bread, title="Bread", language="en")
    db.session.flush()
    notice(("want", want))

    notice(("offer", old))

    assert [row.tell_at for row in matches(db, ben)] == [None]


def test_what_was_made_while_a_want_was_paused_is_news_when_it_is_open_again(frozen, db, ana, ben, bread, bread_want):
    notice(("want", bread_want))
    bread_want.pause(by=ben)
    db.session.flush()
    frozen.shift(timedelta(hours=1))
    made = offer(ana, bread)
    notice(("offer", made))
    bread_want.resume(by=ben)
    db.session.flush()
    notice(("want", bread_want))

    assert [(row.key, row.tell_at is not None) for row in matches(db, ben)] == [(f"offer:{made.id}", True)]


def test_who_says_me_too_may_choose_for_themselves(frozen, db, ana, ben, cleo, bread, bread_want):
    bread_want.me_too(by=cleo)
    db.session.flush()
    SavedSearch.for_want(bread_want, by=cleo).choose(NOW, by=cleo)

    notice(("offer", offer(ana, bread)))

    assert [row.tell_at for row in matches(db, cleo)] == [clock.now()]
    assert [row.tell_at for row in matches(db, ben)] == [next_time(DAILY, "UTC")]


def test_what_one_waits_for_is_ones_own_and_what_one_said_me_too_to(db, ana, ben, cleo, dora, bread_want):
    bread_want.me_too(by=cleo)
    db.session.flush()

    waiting = {member.handle: db.session.scalars(awaited_by(Viewer(member))).all() for member in (ben, cleo, dora)}

    assert waiting == {"ben": [bread_want], "cleo": [bread_want], "dora": []}


def test_a_hundred_who_wait_cost_no_more_queries_than_one(db, ana, ben, bread, bread_want, queries):
    def count():
        made = offer(ana, bread)
        db.session.flush()
        queries.clear()
        notice(("offer", made))
        return len(queries)

    one = count()
    for number in range(20):
        Want.ask(by=person(f"waits{number}"), skill=bread, title="Bread", language="en")
    db.session.flush()
    count()  # rows are made for those who begin to wait

    assert count() <= one


def test_a_member_who_goes_leaves_nothing(frozen, db, ana, bread):
    search = save(ana)
    add_matches([(search.id, ana.id, "offer:1", clock.now())])
    db.session.flush()
    db.session.execute(sa.delete(Member.__table__).where(Member.__table__.c.id == ana.id))

    assert db.session.scalar(sa.select(sa.func.count()).select_from(SavedSearch)) == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SavedMatch)) == 0
