"""Sessions: what makes one, who may change it, who sees it, and that the clock never says it took place."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from skillshare import clock
from skillshare.errors import EditConflict, NotAllowed, RuleBroken
from skillshare.models.blocking import block
from skillshare.models.knowhow import MemberSkill
from skillshare.models.listings import Where
from skillshare.models.outbox import Outbox
from skillshare.models.sessions import Audience, PartKind, SessionState, SkillSession
from skillshare.models.visibility import Viewer
from tests.conftest import make_session

HOUR = 3600


@pytest.fixture(autouse=True)
def _clock(frozen):
    """Every test of this file has the clock stand still."""


def seen_by(db, viewer):
    """The sessions in `viewer`'s calendar."""
    return list(db.session.scalars(SkillSession.upcoming(viewer)))


def test_the_host_shows_every_skill_and_says_so(db, ana, bread, brakes):
    made = make_session(ana, [bread, brakes, bread])

    assert [(p.member, p.skill, p.kind) for p in made.parts] == [
        (ana, bread, PartKind.SHOWS),
        (ana, brakes, PartKind.SHOWS),
    ]
    assert MemberSkill.between(ana, bread).shows
    assert made.state is SessionState.SCHEDULED


def test_a_co_host_is_told_and_nothing_else_is_said_of_them(db, ana, ben, bread):
    made = make_session(ana, [bread], co_hosts=[ben, ana])

    assert made.host_ids == {ana.id, ben.id}
    assert made.shows == [ana, ben]
    assert not MemberSkill.between(ben, bread).shows
    kinds = [row.payload["kind"] for row in db.session.scalars(sa.select(Outbox).where(Outbox.kind == "mail"))]
    assert kinds == ["named_co_host"]


def test_a_co_host_may_step_down_and_the_host_may_not(ana, ben, bread):
    made = make_session(ana, [bread], co_hosts=[ben])

    made.step_down(by=ben)

    assert made.host_ids == {ana.id}
    for member in (ana, ben):
        with pytest.raises(NotAllowed):
            made.step_down(by=member)


@pytest.mark.parametrize(
    ("starts_in", "lasts", "field"),
    [
        (timedelta(hours=-1), timedelta(hours=1), "starts_at"),
        (timedelta(days=549), timedelta(hours=1), "starts_at"),
        (timedelta(days=1), timedelta(0), "ends_at"),
        (timedelta(days=1), timedelta(hours=-1), "ends_at"),
        (timedelta(days=1), timedelta(minutes=4), "ends_at"),
        (timedelta(days=1), timedelta(hours=25), "ends_at"),
    ],
)
def test_impossible_times(ana, bread, starts_in, lasts, field):
    starts_at = clock.now() + starts_in

    with pytest.raises(RuleBroken) as refusal:
        make_session(ana, [bread], starts_at=starts_at, ends_at=starts_at + lasts)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"skills": []}, "skills"),
        ({"capacity": 0}, "capacity"),
        ({"capacity": 501}, "capacity"),
        ({"place": ""}, "place"),
        ({"where": Where.ONLINE}, "link"),
    ],
)
def test_what_makes_no_meeting(ana, bread, changes, field):
    with pytest.raises(RuleBroken) as refusal:
        make_session(ana, **{"skills": [bread], **changes})
    assert refusal.value.field == field


def test_nobody_fixes_a_date_from_anothers_offer(ben, bread, bread_offer):
    with pytest.raises(NotAllowed):
        make_session(ben, [bread], offer=bread_offer)


def test_a_changed_time_raises_seq_and_other_words_do_not(ana, bread_session):
    bread_session.edit(by=ana, version=1, title="Bread again")
    assert (bread_session.seq, bread_session.version) == (0, 2)

    later = bread_session.starts_at + timedelta(hours=1)
    bread_session.edit(by=ana, version=2, starts_at=later, ends_at=later + timedelta(hours=1))
    assert (bread_session.seq, bread_session.version) == (1, 3)


def test_an_old_page_does_not_overwrite(ana, bread_session):
    bread_session.edit(by=ana, version=1, title="Bread again")

    with pytest.raises(EditConflict):
        bread_session.edit(by=ana, version=1, title="Bread, older")


def test_only_hosts_edit_and_only_what_is_on(ana, ben, bread_session, frozen):
    with pytest.raises(NotAllowed):
        bread_session.edit(by=ben, version=1, title="Mine")
    frozen.shift(3 * 24 * HOUR)
    with pytest.raises(RuleBroken):
        bread_session.edit(by=ana, version=1, title="Too late")


def test_time_passing_says_nothing(db, ana, bread_session, frozen):
    frozen.shift(30 * 24 * HOUR)

    assert bread_session.has_ended
    assert bread_session.state is SessionState.SCHEDULED
    assert seen_by(db, Viewer(ana)) == []


def test_a_host_says_that_it_did_not_happen_once_it_began(ana, ben, bread_session, frozen):
    with pytest.raises(RuleBroken):
        bread_session.not_held(by=ana)
    frozen.shift(2 * 24 * HOUR)
    with pytest.raises(NotAllowed):
        bread_session.not_held(by=ben)

    bread_session.not_held(by=ana)
    bread_session.not_held(by=ana)

    assert bread_session.state is SessionState.NOT_HELD


def test_the_calendar_holds_what_is_on_soonest_first(db, ana, bread, bread_session, frozen):
    sooner = make_session(ana, [bread], starts_at=clock.now() + timedelta(days=1))
    cancelled = make_session(ana, [bread], starts_at=clock.now() + timedelta(days=1))
    cancelled.state = SessionState.CANCELLED

    assert seen_by(db, Viewer(None)) == [sooner, bread_session]
    frozen.shift(24 * HOUR + 1800)
    assert seen_by(db, Viewer(None)) == [sooner, bread_session]
    frozen.shift(2 * HOUR)
    assert seen_by(db, Viewer(None)) == [bread_session]


def test_visitors_see_what_is_public_and_only_where_the_site_is_open(db, ana, ben, bread):
    made = make_session(ana, [bread], audience=Audience.COMMUNITY)
    public = make_session(ana, [bread])

    assert seen_by(db, Viewer(ben)) == [made, public]
    assert seen_by(db, Viewer(None)) == [public]
    assert seen_by(db, Viewer(None, "members_only")) == []


def test_who_is_blocked_sees_nothing_in_either_direction(db, ana, ben, bread_session):
    block(ben, ana)

    assert seen_by(db, Viewer(ben)) == []
    other = make_session(ben, list(bread_session.skills))
    assert other not in seen_by(db, Viewer(ana))


def test_the_calendar_can_be_narrowed(db, ana, bread, topic, area, bread_session):
    online = make_session(ana, [bread], where=Where.ONLINE, link="https://example.org/room", area=area)

    def found(**filters):
        return list(db.session.scalars(SkillSession.upcoming(Viewer(ana)).where(SkillSession.about(**filters))))

    assert found(topics=["food"]) == [bread_session, online]
    assert found(topics=["welding"]) == []
    assert found(areas=[area.public_id]) == [online]
    assert found(online=True) == [online]
    assert found() == [bread_session, online]


def test_places_left_is_never_below_nothing(db, bread_session):
    db.session.refresh(bread_session, ["taken"])

    assert bread_session.places_left == 3
