"""What a member's week holds: one query a block, whatever the number of rows. Plain rows, ready to be listed.

The queries are built once: putting one together takes longer than the database takes to answer it.
Not here: the rules of what stands in them (`log.py`, `teachbacks.py`, `seats.py`, `listings.py`).
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, aliased, joinedload

from skillshare import clock, limits
from skillshare.db import UTCDateTime, db

from .knowhow import MemberSkill
from .listings import ListingState, Offer
from .log import Answer, LogAnswer, LogEntry, LogPart
from .members import Member
from .seats import PlaceState, Registration
from .sessions import Part, PartKind, SessionState, SkillSession
from .skills import Skill, SkillText
from .teachbacks import TeachBack, TeachBackState, Verdict, Witness
from .visibility import ANY_MEMBER, Viewer, listed_owners, visible_members

QUESTIONS, SESSIONS, PEOPLE, NEW = 8, 5, 3, 3
ME, LOCALE = sa.bindparam("me", type_=sa.Integer()), sa.bindparam("locale", type_=sa.String())
NOW = sa.bindparam("now", type_=UTCDateTime())
SETTLED = (SessionState.CANCELLED, SessionState.HELD, SessionState.NOT_HELD)


@dataclass(frozen=True)
class Question:
    """Something that waits for the member's word: an entry to agree to, or a teach-back they saw."""

    kind: str
    public_id: str
    on: date
    skill: str
    asked_by: Member


@dataclass(frozen=True)
class Match:
    """Somebody who waits for what the member can show, or who can show what the member wants to learn."""

    way: str
    skill_slug: str
    skill: str
    offer_id: str | None
    member: Member


@dataclass(frozen=True)
class New:
    """An offer or a session that is new near the member."""

    kind: str
    public_id: str
    title: str
    by: Member


@dataclass(frozen=True)
class FirstSteps:
    """What a newcomer has done of the four first steps."""

    shows: bool
    wants: bool
    met: bool
    showed_back: bool

    @property
    def are_done(self) -> bool:
        """Whether nothing is left."""
        return self.shows and self.wants and self.met and self.showed_back


@dataclass(frozen=True)
class MySession:
    """A session with the member's own place in it; None for who shows."""

    session: SkillSession
    place: Registration | None


def questions(member: Member, locale: str) -> list[Question]:
    """What waits for `member`'s answer in the log and from those who showed something back, oldest first."""
    rows = db.session.execute(_questions(), {"me": member.id, "locale": locale})
    return [Question(*row) for row in rows]


def my_sessions(member: Member) -> list[MySession]:
    """The next sessions of `member`, those with a seat held for them, and those that began and wait for a word."""
    now = clock.now()
    rows = db.session.execute(_my_sessions(), {"me": member.id, "now": now, "since": now - limits.LOG_BACK})
    return [MySession(*row) for row in rows]


def matches(viewer: Viewer, locale: str) -> list[Match]:
    """For each skill that `viewer` can show, who waits longest; for each they want, who can show it."""
    rows = db.session.execute(_matches(), {**viewer.as_any_member, "locale": locale})
    return [Match(*row) for row in rows]


def new_near(viewer: Viewer) -> list[New]:
    """The newest offers and the next sessions with places of others, in the member's area where they named one."""
    member = viewer.member
    if member is None:
        return []
    asked = {**viewer.as_any_member, "now": clock.now(), "area_id": member.area_id}
    rows = db.session.execute(_new_near(member.area_id is not None), asked)
    return [New(*row) for row in rows]


def first_steps(member: Member) -> FirstSteps:
    """Which of the four first steps `member` has taken."""
    row: Any = db.session.execute(_first_steps(), {"me": member.id}).one()
    return FirstSteps(*row)


@cache
def _questions() -> sa.Select[Any]:
    first = (
        sa.select(sa.func.min(LogPart.skill_id))
        .where(LogPart.log_entry_id == LogEntry.id, LogPart.member_id == ME)
        .correlate(LogEntry)
        .scalar_subquery()
    )
    entries = (
        sa.select(
            sa.literal("log").label("kind"),
            LogEntry.public_id,
            LogEntry.happened_on.label("on"),
            first.label("skill_id"),
            LogEntry.written_by_id.label("by_id"),
        )
        .join(LogEntry.answers)
        .where(LogAnswer.member_id == ME, LogAnswer.answer == Answer.NONE)
    )
    tries = (
        sa.select(sa.literal("teach_back"), TeachBack.public_id, TeachBack.on, TeachBack.skill_id, TeachBack.giver_id)
        .join(TeachBack.witnesses)
        .where(
            Witness.member_id == ME,
            Witness.verdict == Verdict.NONE,
            TeachBack.state == TeachBackState.ATTEMPTED,
        )
    )
    asked = sa.union_all(entries, tries).subquery()
    return (
        sa.select(asked.c.kind, asked.c.public_id, asked.c.on, _skill_name(asked.c.skill_id), Member)
        .join(Member, Member.id == asked.c.by_id)
        .order_by(asked.c.on, asked.c.public_id)
        .limit(QUESTIONS)
    )


@cache
def _my_sessions() -> sa.Select[*tuple[Any, ...]]:
    hosted = aliased(SkillSession)
    held = sa.select(Registration.skill_session_id).where(
        Registration.member_id == ME, Registration.state == PlaceState.OFFERED
    )
    mine = sa.union_all(
        sa.select(hosted.id).where(hosted.host_id == ME),
        sa.select(Registration.skill_session_id).where(
            Registration.member_id == ME, Registration.state == PlaceState.GOING
        ),
        sa.select(Part.skill_session_id).where(Part.member_id == ME, Part.kind == PartKind.SHOWS),
    )
    blocks = (
        _scheduled(mine, SkillSession.ends_at > NOW).order_by(SkillSession.starts_at),
        _scheduled(
            mine, SkillSession.ends_at <= NOW, SkillSession.starts_at >= sa.bindparam("since", type_=UTCDateTime())
        ).order_by(SkillSession.starts_at.desc()),
        _scheduled(held, SkillSession.starts_at > NOW).order_by(SkillSession.starts_at),
    )
    ids = sa.union_all(*(sa.select(block.limit(SESSIONS).subquery().c.id) for block in blocks))
    return (
        sa.select(SkillSession, Registration)
        .outerjoin(
            Registration,
            sa.and_(Registration.skill_session_id == SkillSession.id, Registration.member_id == ME),
        )
        .where(SkillSession.id.in_(ids))
        .options(joinedload(SkillSession.area))
        .order_by(SkillSession.starts_at, SkillSession.id)
    )


@cache
def _matches() -> sa.Select[Any]:
    ways = sa.union_all(
        _first_of("waits", MemberSkill.shows, MemberSkill.wants),
        _first_of("shows", MemberSkill.wants, MemberSkill.shows),
    ).subquery()
    offer = (
        sa.select(sa.func.max(Offer.public_id))
        .where(
            Offer.member_id == MemberSkill.member_id,
            Offer.skill_id == MemberSkill.skill_id,
            Offer.state == ListingState.OPEN,
            Offer.not_lapsed(),
        )
        .correlate(MemberSkill)
        .scalar_subquery()
    )
    return (
        sa.select(ways.c.way, Skill.slug, _skill_name(Skill.id), offer, Member)
        .select_from(ways)
        .join(MemberSkill, MemberSkill.id == ways.c.other_id)
        .join(Skill, Skill.id == MemberSkill.skill_id)
        .join(Member, Member.id == MemberSkill.member_id)
        .order_by(MemberSkill.id)
    )


@cache
def _new_near(in_area: bool) -> sa.Select[Any]:
    offers = (
        sa.select(sa.literal("offer").label("kind"), Offer.public_id, Offer.title, Offer.member_id.label("by_id"))
        .join(Offer.member)
        .where(Offer.state == ListingState.OPEN, Offer.not_lapsed(), *_near(in_area, Offer.member_id, Offer.area_id))
        .order_by(Offer.id.desc())
        .limit(NEW)
        .subquery()
    )
    going = sa.select(Registration.skill_session_id).where(Registration.member_id == ANY_MEMBER.id)
    sessions = (
        sa.select(
            sa.literal("session").label("kind"),
            SkillSession.public_id,
            SkillSession.title,
            SkillSession.host_id.label("by_id"),
        )
        .join(SkillSession.host)
        .where(
            SkillSession.state == SessionState.SCHEDULED,
            SkillSession.starts_at > NOW,
            SkillSession.taken < SkillSession.capacity,
            SkillSession.id.not_in(going),
            *_near(in_area, SkillSession.host_id, SkillSession.area_id),
        )
        .order_by(SkillSession.starts_at, SkillSession.id)
        .limit(NEW)
        .subquery()
    )
    both = sa.union_all(sa.select(sessions), sa.select(offers)).subquery()
    return sa.select(both.c.kind, both.c.public_id, both.c.title, Member).join(Member, Member.id == both.c.by_id)


@cache
def _first_steps() -> sa.Select[*tuple[Any, ...]]:
    mine = MemberSkill.member_id == ME
    steps: tuple[sa.ColumnElement[bool], ...] = (
        sa.exists().where(mine, MemberSkill.shows),
        sa.exists().where(mine, MemberSkill.wants),
        sa.exists().where(LogPart.member_id == ME, LogPart.agreed()),
        sa.exists().where(TeachBack.giver_id == ME, TeachBack.state == TeachBackState.CONFIRMED),
    )
    return sa.select(*steps)


def _first_of(way: str, i_say: InstrumentedAttribute[bool], they_say: InstrumentedAttribute[bool]) -> sa.Select[Any]:
    """For each skill of which the viewer says the one thing: the row of the first other who says the other."""
    mine = aliased(MemberSkill)
    other = (
        sa.select(MemberSkill.id)
        .join(MemberSkill.member)
        .where(
            MemberSkill.skill_id == mine.skill_id,
            MemberSkill.member_id != ANY_MEMBER.id,
            they_say,
            sa.not_(MemberSkill.hidden),
            visible_members(ANY_MEMBER),
        )
        .order_by(MemberSkill.id)
        .limit(1)
        .correlate(mine)
        .scalar_subquery()
    )
    found = (
        sa.select(mine.id, other.label("other_id"))
        .where(mine.member_id == ANY_MEMBER.id, getattr(mine, i_say.key))
        .subquery()
    )
    first = sa.select(found.c.other_id).where(found.c.other_id.is_not(None)).order_by(found.c.id).limit(PEOPLE)
    return sa.select(sa.literal(way).label("way"), first.subquery().c.other_id)


def _near(
    in_area: bool, owner_id: InstrumentedAttribute[int], area_id: InstrumentedAttribute[int | None]
) -> list[sa.ColumnElement[bool]]:
    conditions = [owner_id != ANY_MEMBER.id, listed_owners(ANY_MEMBER)]
    if in_area:
        conditions.append(area_id == sa.bindparam("area_id", type_=sa.Integer()))
    return conditions


def _scheduled(ids: sa.SelectBase, *when: sa.ColumnElement[bool]) -> sa.Select[int]:
    """The ids of those of the sessions with `ids` that stand as planned.

    Said as "in none of the other states": with `=`, SQLite would walk along every session that is on.
    """
    return sa.select(SkillSession.id).where(SkillSession.id.in_(ids), SkillSession.state.not_in(SETTLED), *when)


def _skill_name(skill_id: Any) -> sa.ColumnElement[str]:
    """SQL: what a skill is called for a reader of `:locale`, else in the language it was written in."""
    own, first, written = aliased(SkillText), aliased(SkillText), aliased(Skill)
    in_own = sa.select(own.name).where(own.skill_id == skill_id, own.locale == LOCALE).scalar_subquery()
    in_first = (
        sa.select(first.name)
        .join(written, sa.and_(written.id == first.skill_id, written.locale == first.locale))
        .where(first.skill_id == skill_id)
        .scalar_subquery()
    )
    return sa.func.coalesce(in_own, in_first)
