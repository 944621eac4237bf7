"""Sessions: dated meetings about one or more skills, at which some show and some learn.

Not here: who has a place (`seats.py`), what happened (`log.py`).
"""

import enum
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, contains_eager, defer, joinedload, mapped_column, relationship, selectinload

from skillshare import clock, limits
from skillshare.db import Base, Public, UTCDateTime, Versioned, choice, db
from skillshare.errors import EditConflict, NotAllowed, RuleBroken

from .knowhow import MemberSkill
from .listings import Offer, Where
from .members import Member, MemberState
from .notices import notify
from .outbox import Searchable
from .places import Area
from .skills import Skill, Topic
from .visibility import AnyMember, Viewer, not_blocked

_NOW = sa.bindparam("now", type_=UTCDateTime(), callable_=clock.now)
_LONGEST_AGO = sa.bindparam("longest_ago", type_=UTCDateTime(), callable_=lambda: clock.now() - limits.SESSION_MAX)


class SessionState(enum.StrEnum):
    """Where a session stands. Never set to held by the clock."""

    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"
    HELD = "held"
    NOT_HELD = "not_held"


class Audience(enum.StrEnum):
    """Who sees that the session is on."""

    COMMUNITY = "community"
    PUBLIC = "public"


class PartKind(enum.StrEnum):
    """What a person does for one skill in one session."""

    SHOWS = "shows"
    HELPS = "helps"
    LEARNS = "learns"


class SkillSession(Public, Versioned, Searchable, Base):
    """A dated meeting at which members show each other one or more skills."""

    __tablename__ = "skill_session"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        sa.CheckConstraint("capacity >= 1", name="capacity_at_least_one"),
        sa.Index("ix_skill_session_state_starts_at", "state", "starts_at", "id"),
        sa.Index("ix_skill_session_area_id_state_starts_at", "area_id", "state", "starts_at", "id"),
    )

    title: Mapped[str] = mapped_column(sa.String(limits.TITLE))
    state: Mapped[SessionState] = mapped_column(choice(SessionState), default=SessionState.SCHEDULED)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    zone: Mapped[str] = mapped_column(sa.String(64))
    where: Mapped[Where] = mapped_column(choice(Where), default=Where.IN_PERSON)
    area_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"))
    place: Mapped[str] = mapped_column(sa.String(limits.PLACE), default="")
    link: Mapped[str] = mapped_column(sa.String(limits.URL), default="")
    capacity: Mapped[int]
    audience: Mapped[Audience] = mapped_column(choice(Audience), default=Audience.PUBLIC)
    language: Mapped[str] = mapped_column(sa.String(10))
    practice: Mapped[str] = mapped_column(sa.Text)
    theory: Mapped[str] = mapped_column(sa.Text)
    before: Mapped[str] = mapped_column(sa.String(limits.NOTE), default="")
    bring: Mapped[str] = mapped_column(sa.String(limits.NOTE), default="")
    access_note: Mapped[str] = mapped_column(sa.String(limits.LINE), default="")
    host_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"), index=True)
    origin_offer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("offer.id", ondelete="SET NULL"), index=True)
    cancel_reason: Mapped[str] = mapped_column(sa.String(limits.REASON), default="")
    seq: Mapped[int] = mapped_column(default=0)

    host: Mapped[Member] = relationship(lazy="raise")
    area: Mapped[Area | None] = relationship(lazy="raise")
    skills: Mapped[list[Skill]] = relationship(secondary="session_skill", lazy="raise", order_by="SessionSkill.id")
    parts: Mapped[list["Part"]] = relationship(
        back_populates="skill_session", lazy="raise", cascade="all, delete-orphan", order_by="Part.id"
    )

    if TYPE_CHECKING:
        taken: Mapped[int]  # learner seats going or held: a query of `seats.py`

    @classmethod
    def schedule(
        cls,
        *,
        by: Member,
        title: str,
        skills: list[Skill],
        starts_at: datetime,
        ends_at: datetime,
        zone: str,
        capacity: int,
        practice: str,
        theory: str,
        language: str,
        co_hosts: Iterable[Member] = (),
        where: Where = Where.IN_PERSON,
        area: Area | None = None,
        place: str = "",
        link: str = "",
        before: str = "",
        bring: str = "",
        access_note: str = "",
        audience: Audience = Audience.PUBLIC,
        offer: Offer | None = None,
    ) -> "SkillSession":
        """Fix a date. `by` hosts, and shows every skill; co-hosts show them too. They hold no learner seat.

        Co-hosts are told, and may step down; nothing is said of what they can show but here.
        Raises `NotAllowed` before the account is open; `RuleBroken` on a field that makes no meeting.
        """
        if not by.is_active:
            raise NotAllowed
        if not skills:
            raise RuleBroken(_("Say which skill it is about."), field="skills")
        _check_times(starts_at, ends_at)
        check_capacity(capacity)
        _check_place(where, area, place, link)
        if offer is not None and offer.member_id != by.id:
            raise NotAllowed
        session = cls(
            host=by,
            title=title,
            skills=list(dict.fromkeys(skills)),
            starts_at=starts_at,
            ends_at=ends_at,
            zone=zone,
            capacity=capacity,
            practice=practice,
            theory=theory,
            language=language,
            where=where,
            area=area,
            place=place,
            link=link,
            before=before,
            bring=bring,
            access_note=access_note,
            audience=audience,
            origin_offer_id=offer.id if offer else None,
            state=SessionState.SCHEDULED,
        )
        db.session.add(session)
        others = [member for member in dict.fromkeys(co_hosts) if member is not by]
        session.parts = [
            Part(member=host, skill=skill, kind=PartKind.SHOWS) for host in (by, *others) for skill in session.skills
        ]
        db.session.flush()
        for skill in session.skills:
            MemberSkill.say(by, skill, shows=True)
        for co_host in others:
            notify(co_host, "named_co_host", session)
        return session

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.Select["SkillSession"]:
        """What `viewer` may open, in any state: nobody's whose host they do not exist for."""
        return sa.select(cls).join(cls.host).where(cls._seen_by(viewer))

    @classmethod
    def upcoming(cls, viewer: Viewer) -> sa.Select["SkillSession"]:
        """What is on, as far as `viewer` may see, soonest first, ready to be listed."""
        if viewer.member is None:
            return cls._upcoming_for_visitors(viewer.kind)
        return cls._upcoming(viewer).options(contains_eager(cls.host))

    @classmethod
    @cache
    def _upcoming_for_visitors(cls, visitor: Viewer) -> sa.Select["SkillSession"]:
        """Built once: the same for all who are not signed in."""
        return cls._upcoming(visitor)

    @classmethod
    def _upcoming(cls, viewer: Viewer) -> sa.Select["SkillSession"]:
        return (
            sa.select(cls)
            .join(cls.host)
            .where(cls.is_on_for(viewer))
            .options(joinedload(cls.area), defer(cls.practice), defer(cls.theory))
            .order_by(cls.starts_at, cls.id)
        )

    @classmethod
    def is_on_for(cls, viewer: Viewer | AnyMember) -> sa.ColumnElement[bool]:
        """SQL on it and its host's `Member`: it is on, as far as `viewer` may see."""
        return sa.and_(
            cls._seen_by(viewer),
            cls.state == SessionState.SCHEDULED,
            cls.ends_at > _NOW,
            cls.starts_at > _LONGEST_AGO,  # follows from the line above; the index knows it
        )

    @classmethod
    def about(cls, topics: Iterable[str] = (), areas: Iterable[str] = (), online: bool = False) -> Any:
        """SQL: on one of these shelves (slugs), in one of these areas (public ids), to be joined from afar."""
        on_shelf = (
            sa.select(SessionSkill.skill_session_id)
            .join(Skill, Skill.id == SessionSkill.skill_id)
            .join(Topic, Topic.id == Skill.topic_id)
            .where(Topic.slug.in_(topics))
        )
        here = sa.select(Area.id).where(Area.public_id.in_(areas))
        return sa.and_(
            sa.true(),
            *([cls.id.in_(on_shelf)] if topics else []),
            *([cls.area_id.in_(here)] if areas else []),
            *([cls.where != Where.IN_PERSON] if online else []),
        )

    @classmethod
    def locked(cls, id_: int) -> "SkillSession":
        """The session as it is now, held until the commit: for rules that span its rows."""
        return db.session.scalars(
            sa.select(cls)
            .where(cls.id == id_)
            .options(*cls.whole())
            .with_for_update(of=cls)
            .execution_options(populate_existing=True)
        ).one()

    @classmethod
    def _seen_by(cls, viewer: Viewer | AnyMember) -> sa.ColumnElement[bool]:
        if isinstance(viewer, Viewer) and not viewer.sees_catalogue:
            return sa.false()
        if isinstance(viewer, Viewer) and viewer.member is None:
            return sa.and_(Member.state == MemberState.ACTIVE, cls.audience == Audience.PUBLIC)
        return sa.and_(Member.state == MemberState.ACTIVE, not_blocked(viewer, cls.host_id))

    @classmethod
    def to_list(cls) -> tuple[Any, ...]:
        """The loader options of a row in a list."""
        return (joinedload(cls.host), joinedload(cls.area))

    @classmethod
    def whole(cls) -> tuple[Any, ...]:
        """The loader options of a session's own page."""
        return (
            *cls.to_list(),
            selectinload(cls.skills).joinedload(Skill.texts),
            selectinload(cls.parts).joinedload(Part.member),
        )

    @property
    def host_ids(self) -> set[int]:
        """Those who keep the session: the host and everyone who shows."""
        return {self.host_id} | {part.member_id for part in self.parts if part.kind is PartKind.SHOWS}

    @property
    def shows(self) -> list[Member]:
        """The people who show something there, the host first."""
        people = {part.member_id: part.member for part in self.parts if part.kind is PartKind.SHOWS}
        return sorted(people.values(), key=lambda member: member.id != self.host_id)

    @property
    def has_begun(self) -> bool:
        """Whether its start has passed."""
        return self.starts_at <= clock.now()

    @property
    def has_ended(self) -> bool:
        """Whether its end has passed. That alone never means that it took place."""
        return self.ends_at <= clock.now()

    @property
    def is_on(self) -> bool:
        """Scheduled, and not over."""
        return self.state is SessionState.SCHEDULED and not self.has_ended

    @property
    def places_left(self) -> int:
        """Learner seats that nobody has or is asked about."""
        return max(0, self.capacity - self.taken)

    def can_host(self, member: Member | None) -> bool:
        """Whether `member` keeps this session."""
        return member is not None and member.is_active and member.id in self.host_ids

    def in_place_window(self) -> bool:
        """Whether the exact place and link are open to those going: 48 h before until 24 h after."""
        opens, closes = self.starts_at - limits.PLACE_SHOWN_BEFORE, self.ends_at + limits.PLACE_SHOWN_AFTER
        return opens <= clock.now() <= closes

    def edit(self, *, by: Member, version: int, **changes: Any) -> None:
        """Change what the session says (not its capacity, see `seats.edit`). A new time raises `seq`.

        Raises `EditConflict` when it was saved since `version`, `RuleBroken` once it is over or cancelled.
        """
        self._check_host(by)
        if not self.is_on:
            raise RuleBroken(_("This session is over or cancelled and cannot be changed."))
        if version != self.version:
            raise EditConflict(_("Somebody else saved this session meanwhile. Nothing is lost: both texts are below."))
        starts_at, ends_at = changes.get("starts_at", self.starts_at), changes.get("ends_at", self.ends_at)
        if (starts_at, ends_at) != (self.starts_at, self.ends_at):
            _check_times(starts_at, ends_at)
            self.seq += 1
        where, area = changes.get("where", self.where), changes.get("area", self.area)
        _check_place(where, area, changes.get("place", self.place), changes.get("link", self.link))
        for field, value in changes.items():
            setattr(self, field, value)
        self.version += 1

    def not_held(self, *, by: Member) -> None:
        """A host says that it did not take place. Twice is once."""
        session = SkillSession.locked(self.id)
        session._check_host(by)
        if not session.has_begun:
            raise RuleBroken(_("This session has not begun yet. You can cancel it."))
        if session.state not in (SessionState.SCHEDULED, SessionState.NOT_HELD):
            raise RuleBroken(_("It is already said what became of this session."))
        session.state = SessionState.NOT_HELD

    def can_step_down(self, member: Member | None) -> bool:
        """Whether `member` was named as one who shows, but does not keep the session."""
        return self.is_on and self.can_host(member) and member is not None and member.id != self.host_id

    def step_down(self, *, by: Member) -> None:
        """One who shows beside the host does not, after all. The host shows everything, so the session stands."""
        session = SkillSession.locked(self.id)
        if not session.can_step_down(by):
            raise NotAllowed
        for part in [part for part in session.parts if part.member_id == by.id]:
            session.parts.remove(part)
        notify(session.host, "co_host_stepped_down", session, again=str(by.id))

    def _check_host(self, by: Member) -> None:
        if not self.can_host(by):
            raise NotAllowed

    @property
    def search_keys(self) -> tuple[str, ...]:
        """Its own document."""
        return (f"session:{self.id}",)


class SessionSkill(Base):
    """A skill that a session is about."""

    __tablename__ = "session_skill"
    __table_args__ = (sa.UniqueConstraint("skill_session_id", "skill_id"),)

    skill_session_id: Mapped[int] = mapped_column(sa.ForeignKey("skill_session.id", ondelete="CASCADE"))
    skill_id: Mapped[int] = mapped_column(sa.ForeignKey("skill.id"), index=True)


class Part(Base):
    """What one person does for one skill in one session: shows, helps or learns; never two of them."""

    __tablename__ = "part"
    __table_args__ = (sa.UniqueConstraint("skill_session_id", "member_id", "skill_id"),)

    skill_session_id: Mapped[int] = mapped_column(sa.ForeignKey("skill_session.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"), index=True)
    skill_id: Mapped[int] = mapped_column(sa.ForeignKey("skill.id"))
    kind: Mapped[PartKind] = mapped_column(choice(PartKind))

    skill_session: Mapped[SkillSession] = relationship(back_populates="parts", lazy="raise")
    member: Mapped[Member] = relationship(lazy="raise")
    skill: Mapped[Skill] = relationship(lazy="raise")


def _check_times(starts_at: datetime, ends_at: datetime) -> None:
    now = clock.now()
    if starts_at < now - limits.SESSION_LATE_START:
        raise RuleBroken(_("The start has passed. To note what happened, use “Log it”."), field="starts_at")
    if starts_at > now + limits.SESSION_AHEAD:
        raise RuleBroken(_("That is more than a year and a half away. Choose a nearer day."), field="starts_at")
    if not limits.SESSION_MIN <= ends_at - starts_at <= limits.SESSION_MAX:
        raise RuleBroken(_("A session lasts from 5 minutes to 24 hours."), field="ends_at")


def check_capacity(capacity: int) -> None:
    if not limits.CAPACITY_MIN <= capacity <= limits.CAPACITY_MAX:
        raise RuleBroken(_("From 1 to %(most)s places.", most=limits.CAPACITY_MAX), field="capacity")


def _check_place(where: Where, area: Area | None, place: str, link: str) -> None:
    if where is not Where.ONLINE and not (area or place):
        raise RuleBroken(_("Say where: an area, or the exact place that only those going will see."), field="place")
    if where is Where.ONLINE and not link:
        raise RuleBroken(_("Give the link. Only those going will see it."), field="link")
