"""Places in a session: the one door to a seat, and the waiting list.

Seats are numbered rows with a unique key, taken inside one write transaction on a locked session, so a seat is
never given twice however many press at once. Page, mail link and API all come through `take_place`.
"""

import enum
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Mapped, aliased, column_property, contains_eager, joinedload, mapped_column, relationship

from skillshare import clock, limits
from skillshare.db import Base, Public, choice, db
from skillshare.errors import NotAllowed, RuleBroken

from .members import Member
from .notices import notify
from .outbox import Outbox, Searchable
from .sessions import Part, PartKind, SessionState, SkillSession, check_capacity
from .visibility import Block, Reach, Viewer, relation


class PlaceState(enum.StrEnum):
    """Where a member's place in a session stands."""

    GOING = "going"
    WAITING = "waiting"
    OFFERED = "offered"
    PASSED = "passed"
    WITHDREW = "withdrew"
    REMOVED = "removed"
    CANCELLED = "cancelled"


HOLDS_SEAT = (PlaceState.GOING, PlaceState.OFFERED)
IN_LINE = (PlaceState.GOING, PlaceState.OFFERED, PlaceState.WAITING)


class Registration(Public, Searchable, Base):
    """A member's place in a session, or on its waiting list. On screen: "Keep my place"."""

    __tablename__ = "registration"
    __table_args__ = (
        sa.UniqueConstraint("skill_session_id", "member_id"),
        sa.UniqueConstraint("skill_session_id", "seat_no"),
        sa.CheckConstraint("seat_no >= 1", name="seat_no_from_one"),
        sa.CheckConstraint("(seat_no IS NOT NULL) = (state IN ('going', 'offered'))", name="seat_goes_with_state"),
        sa.Index("ix_registration_member_id_state", "member_id", "state"),
    )

    skill_session_id: Mapped[int] = mapped_column(sa.ForeignKey("skill_session.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"))
    state: Mapped[PlaceState] = mapped_column(choice(PlaceState))
    seat_no: Mapped[int | None]
    waiting_since: Mapped[datetime | None]
    offered_until: Mapped[datetime | None]
    late_withdraw: Mapped[bool] = mapped_column(default=False)
    goal: Mapped[str] = mapped_column(sa.String(limits.LINE), default="")
    help_note: Mapped[str] = mapped_column(sa.String(limits.LINE), default="")
    needs_note: Mapped[str] = mapped_column(sa.String(limits.LINE), default="")
    reason: Mapped[str] = mapped_column(sa.String(limits.REASON), default="")

    skill_session: Mapped[SkillSession] = relationship(lazy="raise")
    member: Mapped[Member] = relationship(lazy="raise")

    @classmethod
    def in_session(cls, skill_session: SkillSession) -> sa.Select["Registration"]:
        """The places and the waiting list of a session: going by seat, then waiting in order of arrival."""
        return (
            sa.select(cls)
            .where(
                cls.skill_session_id == skill_session.id,
                cls.state.in_(IN_LINE),
            )
            .options(joinedload(cls.member))
            .order_by(cls.seat_no.is_(None), cls.seat_no, cls.waiting_since, cls.id)
            .execution_options(populate_existing=True)
        )

    @classmethod
    def between(cls, skill_session: SkillSession, member: Member) -> "Registration | None":
        """The one row of this member in this session, in whatever state."""
        return db.session.scalar(
            sa.select(cls)
            .where(cls.skill_session_id == skill_session.id, cls.member_id == member.id)
            .execution_options(populate_existing=True)
        )

    @classmethod
    def of(cls, member: Member) -> sa.Select["Registration"]:
        """The places that `member` has or waits for in what is still to come, soonest first, ready to be listed."""
        return (
            sa.select(cls)
            .join(cls.skill_session)
            .where(
                cls.member_id == member.id,
                cls.state.in_(IN_LINE),
                SkillSession.state == SessionState.SCHEDULED,
                SkillSession.ends_at > clock.now(),
            )
            .options(contains_eager(cls.skill_session).options(*SkillSession.to_list()))
            .order_by(SkillSession.starts_at, SkillSession.id)
        )

    @property
    def is_going(self) -> bool:
        """Whether the place is theirs."""
        return self.state is PlaceState.GOING

    @property
    def is_waiting(self) -> bool:
        """Whether they stand on the waiting list."""
        return self.state is PlaceState.WAITING

    @property
    def is_offered(self) -> bool:
        """Whether a seat is held for them now, until `offered_until`."""
        return self.state is PlaceState.OFFERED and self.offered_until is not None and clock.now() < self.offered_until

    @property
    def search_keys(self) -> tuple[str, ...]:
        """The session's document: it says how many places are left."""
        return (f"session:{self.skill_session_id}",)


SkillSession.taken = column_property(
    sa.select(sa.func.count(Registration.id))
    .where(Registration.skill_session_id == SkillSession.id, Registration.state.in_(HOLDS_SEAT))
    .correlate_except(Registration)
    .scalar_subquery()
)


def going_to(skill_session: SkillSession, member: Member) -> bool:
    """Whether `member` has a place as a learner, or shows."""
    registration = Registration.between(skill_session, member)
    return member.id in skill_session.host_ids or (registration is not None and registration.is_going)


def take_place(
    skill_session: SkillSession, *, by: Member, goal: str = "", help_note: str = "", needs_note: str = ""
) -> Registration:
    """Keep a place for `by`: the lowest free seat, else the end of the waiting list. Twice is once.

    Raises `NotAllowed` for who shows there or may not act, `RuleBroken` when the session is over, cancelled,
    begun, or its waiting list is full.
    """
    skill_session = lock(skill_session)
    if not by.is_active or by.id in skill_session.host_ids:
        raise NotAllowed
    if not skill_session.is_on or skill_session.has_begun:
        raise RuleBroken(_("This session cannot be joined any more. Look for another date."))
    registration = Registration.between(skill_session, by)
    if registration is None:
        registration = Registration(skill_session_id=skill_session.id, member_id=by.id, member=by)
    elif registration.state is PlaceState.REMOVED:
        raise RuleBroken(_("A host took your place in this session back. Look for another date."))
    elif registration.is_offered:
        return accept(registration, by=by)
    elif registration.state is PlaceState.OFFERED:  # its time is over, only the clock has not said so yet
        _leave(registration, PlaceState.PASSED)
        offer_free_seats(skill_session)
    elif registration.state in IN_LINE:
        return registration

    _seat_or_wait(skill_session, registration)
    registration.goal, registration.help_note, registration.needs_note = goal, help_note, needs_note
    db.session.add(registration)
    db.session.flush()
    return registration


def accept(registration: Registration, *, by: Member) -> Registration:
    """Say yes to a seat that was offered. Raises `RuleBroken` when its time has passed."""
    _check_own(registration, by)
    skill_session = _lock_for(registration)
    if registration.state is PlaceState.GOING:
        return registration
    if not registration.is_offered:
        raise RuleBroken(_("The place went to the next person. You can join the waiting list again."))
    _go(skill_session, registration, registration.seat_no)
    return registration


def give_back(registration: Registration, *, by: Member) -> None:
    """Free the place, say no to a held seat, or leave the waiting list. Twice is once.

    The next waiting person is asked at once. Raises `RuleBroken` when the session is over.
    """
    _check_own(registration, by)
    skill_session = _lock_for(registration)
    if registration.state not in IN_LINE:
        return
    if not skill_session.is_on:
        raise RuleBroken(_("This session is over."))
    if registration.state is PlaceState.GOING:
        registration.late_withdraw = skill_session.starts_at - clock.now() < limits.LATE
    _leave(registration, PlaceState.PASSED if registration.state is PlaceState.OFFERED else PlaceState.WITHDREW)
    offer_free_seats(skill_session)


def remove(registration: Registration, *, by: Member, reason: str) -> None:
    """A host takes a place back, with a reason that the person is told. Twice is once."""
    skill_session = _lock_for(registration)
    if not skill_session.can_host(by):
        raise NotAllowed
    if not reason.strip():
        raise RuleBroken(_("Say why. The person will read it."), field="reason")
    if not skill_session.is_on:
        raise RuleBroken(_("This session is over or cancelled and cannot be changed."))
    if registration.state in IN_LINE:
        _leave(registration, PlaceState.REMOVED)
        registration.reason = reason.strip()
        notify(registration.member, "place_removed", registration)
        offer_free_seats(skill_session)


def edit(skill_session: SkillSession, *, by: Member, version: int, capacity: int, **changes: Any) -> None:
    """Change what the session says and its capacity, together. Everybody in line is told of another time or place.

    Raises `EditConflict` and `RuleBroken` as `SkillSession.edit` and `set_capacity` do.
    """
    skill_session = lock(skill_session)
    before = (skill_session.starts_at, skill_session.ends_at, skill_session.where, skill_session.place)
    skill_session.edit(by=by, version=version, **changes)
    set_capacity(skill_session, capacity, by=by)
    if before != (skill_session.starts_at, skill_session.ends_at, skill_session.where, skill_session.place):
        for registration in db.session.scalars(Registration.in_session(skill_session)):
            _hold_no_longer_than(registration, skill_session.starts_at)
            notify(registration.member, "session_moved", skill_session, again=str(skill_session.version))


def set_capacity(skill_session: SkillSession, capacity: int, *, by: Member) -> None:
    """Set how many learners there is room for. Raises `RuleBroken` below the number already in: nobody is dropped."""
    skill_session = lock(skill_session)
    if not skill_session.can_host(by):
        raise NotAllowed
    if not skill_session.is_on:
        raise RuleBroken(_("This session is over or cancelled and cannot be changed."))
    check_capacity(capacity)
    holders = list(db.session.scalars(_seat_holders(skill_session)))
    if capacity < len(holders):
        raise RuleBroken(
            ngettext(
                "%(num)d person has a place already, so there must be at least that many.",
                "%(num)d people have a place already, so there must be at least that many.",
                len(holders),
            ),
            field="capacity",
        )
    skill_session.capacity = capacity
    for registration in holders:
        if registration.seat_no is not None and registration.seat_no > capacity:
            registration.seat_no = _free_seat(skill_session)
            db.session.flush()
    offer_free_seats(skill_session)


def cancel(skill_session: SkillSession, *, by: Member, reason: str) -> None:
    """Call the session off, with a reason that everybody in line is told now. Twice is once."""
    skill_session = lock(skill_session)
    if not skill_session.can_host(by):
        raise NotAllowed
    if skill_session.state is SessionState.CANCELLED:
        return
    if not reason.strip():
        raise RuleBroken(_("Say why, so that people know."), field="reason")
    if not skill_session.is_on:
        raise RuleBroken(_("This session is over already."))
    skill_session.state = SessionState.CANCELLED
    skill_session.cancel_reason = reason.strip()
    skill_session.seq += 1
    skill_session.version += 1
    for registration in db.session.scalars(Registration.in_session(skill_session)).all():
        notify(registration.member, "session_cancelled", skill_session)
        _leave(registration, PlaceState.CANCELLED)
    for host in skill_session.shows:
        if host.id != by.id:
            notify(host, "session_cancelled", skill_session)


def lapse(registration: Registration) -> None:
    """The clock: an offered seat that nobody took goes to the next. Safe to run at any time, any number of times."""
    skill_session = _lock_for(registration)
    if registration.state is PlaceState.OFFERED and not registration.is_offered:
        _leave(registration, PlaceState.PASSED)
        notify(registration.member, "place_passed", registration)
    offer_free_seats(skill_session)


def part_ways(one: Member, other: Member) -> None:
    """After a block: neither keeps a place in what the other hosts from now on. Neutral words, no names."""
    rows = (
        sa.select(Registration)
        .join(Registration.skill_session)
        .where(
            sa.or_(
                sa.and_(SkillSession.host_id == one.id, Registration.member_id == other.id),
                sa.and_(SkillSession.host_id == other.id, Registration.member_id == one.id),
            ),
            Registration.state.in_(IN_LINE),
            SkillSession.starts_at > clock.now(),
        )
        .order_by(SkillSession.id)  # one order of locks for all, so that none waits for another in a ring
    )
    for registration in db.session.scalars(rows).all():
        skill_session = _lock_for(registration)
        if registration.state in IN_LINE:
            _leave(registration, PlaceState.PASSED)
            notify(registration.member, "place_gone", registration)
            offer_free_seats(skill_session)


def warns_before_joining(skill_session: SkillSession, viewer: Viewer) -> bool:
    """Whether to tell `viewer`, and only them, that someone they blocked has a place here. No name is given."""
    if not viewer.blocked_ids:
        return False
    blocked_by_me = sa.select(Block.blocked_id).where(Block.blocker_id == viewer.id)
    here = sa.exists().where(Part.skill_session_id == skill_session.id, Part.member_id.in_(blocked_by_me))
    return bool(db.session.scalar(sa.select(here)))


def lock(skill_session: SkillSession) -> SkillSession:
    """The session as it is now, held until the commit: the rules below span its rows."""
    return lock_by_id(skill_session.id)


def lock_by_id(skill_session_id: int) -> SkillSession:
    """As `lock`, by key."""
    return SkillSession.locked(skill_session_id)


def offer_free_seats(skill_session: SkillSession) -> None:
    """Ask the next waiting people, one for each free seat, and hold it for them until a stated time."""
    db.session.flush()
    if not skill_session.is_on or skill_session.has_begun:
        return
    while (seat_no := _free_seat(skill_session)) is not None:
        registration = db.session.scalar(_waiting(skill_session).limit(1))
        if registration is None:
            return
        registration.state, registration.seat_no = PlaceState.OFFERED, seat_no
        registration.offered_until = _held_until(skill_session)
        db.session.flush()
        notify(registration.member, "place_offered", registration, again=registration.offered_until.isoformat())
        _ask_the_clock(registration)


def position(registration: Registration) -> int:
    """How many people wait, up to and including this one."""
    ahead = _in_waiting_list(registration.skill_session_id)
    before = sa.or_(
        Registration.waiting_since < registration.waiting_since,
        sa.and_(Registration.waiting_since == registration.waiting_since, Registration.id <= registration.id),
    )
    return db.session.scalar(sa.select(sa.func.count()).where(ahead, before)) or 0


def waiting_count(skill_session: SkillSession) -> int:
    """How many people are on the waiting list."""
    return db.session.scalar(sa.select(sa.func.count()).where(_in_waiting_list(skill_session.id))) or 0


def sees_place(skill_session: SkillSession, member: Member | None, registration: Registration | None) -> bool:
    """Whether the exact place and the link are open to `member`: hosts always, those going around its time."""
    if skill_session.can_host(member):
        return True
    return registration is not None and registration.is_going and skill_session.in_place_window()


def overlapping(skill_session: SkillSession, member: Member) -> sa.Select[SkillSession]:
    """What else `member` goes to or shows at that time. A warning, never a refusal."""
    going = sa.select(Registration.skill_session_id).where(
        Registration.member_id == member.id, Registration.state.in_(HOLDS_SEAT)
    )
    shows = sa.select(Part.skill_session_id).where(Part.member_id == member.id, Part.kind == PartKind.SHOWS)
    return (
        sa.select(SkillSession)
        .where(
            SkillSession.id.in_(going.union(shows)),
            SkillSession.id != skill_session.id,
            SkillSession.state == SessionState.SCHEDULED,
            SkillSession.starts_at < skill_session.ends_at,
            SkillSession.ends_at > skill_session.starts_at,
        )
        .order_by(SkillSession.starts_at, SkillSession.id)
    )


def _seat_or_wait(skill_session: SkillSession, registration: Registration) -> None:
    seat_no = _free_seat(skill_session)
    if seat_no is not None:
        _go(skill_session, registration, seat_no)
        return
    last, waiting = db.session.execute(
        sa.select(sa.func.max(Registration.waiting_since), sa.func.count()).where(_in_waiting_list(skill_session.id))
    ).one()
    if waiting >= limits.WAITING_MAX:
        raise RuleBroken(_("All places are taken and the waiting list is full. Ask for a second session."))
    registration.state, registration.seat_no = PlaceState.WAITING, None
    # Behind the last one, even when a clock was set back or two servers' clocks differ.
    registration.waiting_since = max(clock.now(), last + timedelta(microseconds=1)) if last else clock.now()
    registration.offered_until = None


def _go(skill_session: SkillSession, registration: Registration, seat_no: int | None) -> None:
    registration.state, registration.seat_no = PlaceState.GOING, seat_no
    registration.waiting_since = registration.offered_until = None
    registration.late_withdraw = False
    has_part = {(part.member_id, part.skill_id) for part in skill_session.parts}
    for skill in skill_session.skills:
        if (registration.member_id, skill.id) not in has_part:
            skill_session.parts.append(Part(member_id=registration.member_id, skill=skill, kind=PartKind.LEARNS))


def _leave(registration: Registration, state: PlaceState) -> None:
    registration.state, registration.seat_no = state, None
    registration.waiting_since = registration.offered_until = None
    db.session.execute(
        sa.delete(Part).where(
            Part.skill_session_id == registration.skill_session_id,
            Part.member_id == registration.member_id,
            Part.kind == PartKind.LEARNS,
        )
    )
    db.session.flush()


def _seat_holders(skill_session: SkillSession) -> sa.Select[Registration]:
    return (
        sa.select(Registration)
        .where(Registration.skill_session_id == skill_session.id, Registration.state.in_(HOLDS_SEAT))
        .options(joinedload(Registration.member))
        .order_by(Registration.seat_no)
        .execution_options(populate_existing=True)
    )


def _free_seat(skill_session: SkillSession) -> int | None:
    taken = set(
        db.session.scalars(
            sa.select(Registration.seat_no).where(
                Registration.skill_session_id == skill_session.id, Registration.seat_no.is_not(None)
            )
        )
    )
    return next((n for n in range(1, skill_session.capacity + 1) if n not in taken), None)


def _waiting(skill_session: SkillSession) -> sa.Select[Registration]:
    return (
        sa.select(Registration)
        .where(_in_waiting_list(skill_session.id))
        .options(joinedload(Registration.member))
        .order_by(Registration.waiting_since, Registration.id)
        .execution_options(populate_existing=True)
    )


def _in_waiting_list(skill_session_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(Registration.skill_session_id == skill_session_id, Registration.state == PlaceState.WAITING)


def _held_until(skill_session: SkillSession) -> datetime:
    now = clock.now()
    soon = skill_session.starts_at - now < limits.LATE
    return min(now + (limits.SEAT_HELD_LATE if soon else limits.SEAT_HELD), skill_session.starts_at)


def _hold_no_longer_than(registration: Registration, moment: datetime) -> None:
    if registration.offered_until is not None and registration.offered_until > moment:
        registration.offered_until = moment
        _ask_the_clock(registration)


def _ask_the_clock(registration: Registration) -> None:
    Outbox.put("seat", str(registration.id), {"registration_id": registration.id}, due_at=registration.offered_until)


def _check_own(registration: Registration, by: Member) -> None:
    if registration.member_id != by.id or not by.is_active:
        raise NotAllowed


def _lock_for(registration: Registration) -> SkillSession:
    """The session of a place, held; the place is read again, with its member."""
    skill_session = lock_by_id(registration.skill_session_id)
    db.session.scalars(
        sa.select(Registration)
        .where(Registration.id == registration.id)
        .options(joinedload(Registration.member))
        .execution_options(populate_existing=True)
    ).one()
    return skill_session


@relation(Reach.PEERS)
def peers_of(member_id: sa.ColumnElement[int] | int) -> sa.Select[int]:
    """Those with a part in a session in which `member_id` has one: shows, helps or learns."""
    mine, theirs = aliased(Part), aliased(Part)
    return (
        sa.select(theirs.member_id)
        .join(mine, mine.skill_session_id == theirs.skill_session_id)
        .where(mine.member_id == member_id, theirs.member_id != member_id)
    )
