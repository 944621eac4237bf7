"""Teach-backs: the learner shows the skill and says why, before a witness. And the stage that follows from the log.

"More practice" is for the giver and the witnesses only. A stage is a date, never a measure of a person.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship, selectinload

from skillshare import clock, limits
from skillshare.db import Base, Public, choice, db
from skillshare.errors import NotAllowed, RuleBroken

from .knowhow import MemberSkill
from .log import LogEntry, LogPart
from .members import Member, MemberState
from .notices import notify
from .sessions import PartKind
from .skills import Care, Skill
from .visibility import Viewer


class TeachBackState(enum.StrEnum):
    """Where a try stands."""

    ATTEMPTED = "attempted"
    CONFIRMED = "confirmed"
    MORE_PRACTICE = "more_practice"
    WITHDRAWN = "withdrawn"


class Verdict(enum.StrEnum):
    """What a witness says."""

    NONE = "none"
    CLEAR = "clear"
    MORE_PRACTICE = "more_practice"
    WAS_NOT_THERE = "was_not_there"


class TeachBack(Public, Base):
    """One try at showing a skill back. Tries of one person at one skill are linked and counted from one."""

    __tablename__ = "teach_back"
    __table_args__ = (
        sa.UniqueConstraint("giver_id", "skill_id", "attempt_no"),
        sa.UniqueConstraint("id", "giver_id"),
        sa.CheckConstraint("attempt_no >= 1", name="attempt_no_from_one"),
        sa.Index("ix_teach_back_skill_id_state", "skill_id", "state"),
    )

    giver_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id"), index=True)
    skill_id: Mapped[int] = mapped_column(sa.ForeignKey("skill.id"))
    log_entry_id: Mapped[int | None] = mapped_column(sa.ForeignKey("log_entry.id", ondelete="SET NULL"), index=True)
    on: Mapped[date] = mapped_column("shown_on")
    attempt_no: Mapped[int]
    previous_id: Mapped[int | None] = mapped_column(sa.ForeignKey("teach_back.id"), index=True)
    state: Mapped[TeachBackState] = mapped_column(choice(TeachBackState), default=TeachBackState.ATTEMPTED)
    note: Mapped[str] = mapped_column(sa.String(limits.NOTE), default="")
    nobody_knew: Mapped[bool] = mapped_column(default=False)
    confirmed_at: Mapped[datetime | None]

    giver: Mapped[Member] = relationship(lazy="raise")
    skill: Mapped[Skill] = relationship(lazy="raise")
    log_entry: Mapped[LogEntry | None] = relationship(lazy="raise")
    witnesses: Mapped[list["Witness"]] = relationship(
        back_populates="teach_back", lazy="raise", cascade="all, delete-orphan", order_by="Witness.id"
    )

    @classmethod
    def attempt(
        cls,
        *,
        by: Member,
        skill: Skill,
        witnesses: Iterable[Member],
        on: date,
        note: str = "",
        log_entry: LogEntry | None = None,
    ) -> "TeachBack":
        """`by` has shown `skill` back; the witnesses are asked. The try before, if any, is linked.

        Raises `NotAllowed` when a witness is the giver, `RuleBroken` without a witness or while a try is open.
        """
        named = list(dict.fromkeys(witnesses))
        if not by.is_active or by.id in {witness.id for witness in named}:
            raise NotAllowed
        _check_number(len(named))
        _check_day(on, by.zone)
        db.session.execute(sa.select(Member.id).where(Member.id == by.id).with_for_update())  # one try at a time
        previous = cls._last_of(by, skill)
        if previous is not None and previous.state is TeachBackState.ATTEMPTED:
            raise RuleBroken(_("Your last try still waits for an answer."), field="skill")
        if previous is not None and previous.state is TeachBackState.CONFIRMED:
            raise RuleBroken(_("You have shown this back already. Who would you show it next?"), field="skill")

        teach_back = cls(
            giver_id=by.id,
            giver=by,
            skill=skill,
            log_entry_id=log_entry.id if log_entry else None,
            on=on,
            note=note,
            attempt_no=previous.attempt_no + 1 if previous else 1,
            previous_id=previous.id if previous else None,
            state=TeachBackState.ATTEMPTED,
        )
        teach_back.witnesses = []
        db.session.add(teach_back)
        teach_back._ask(named)
        return teach_back

    @classmethod
    def visible_to(cls, member: Member) -> sa.Select["TeachBack"]:
        """The tries that `member` may open: their own, and those they witness (not "I was not there"), newest first."""
        witnessed = sa.select(Witness.teach_back_id).where(
            Witness.member_id == member.id, Witness.verdict != Verdict.WAS_NOT_THERE
        )
        return (
            sa.select(cls)
            .where(sa.or_(cls.giver_id == member.id, cls.id.in_(witnessed)), cls.state != TeachBackState.WITHDRAWN)
            .options(*cls.whole())
            .order_by(cls.on.desc(), cls.id.desc())
        )

    @classmethod
    def waiting_for(cls, member: Member) -> sa.Select["TeachBack"]:
        """The tries that ask `member` for a verdict."""
        asked = sa.select(Witness.teach_back_id).where(Witness.member_id == member.id, Witness.verdict == Verdict.NONE)
        return cls.visible_to(member).where(cls.id.in_(asked), cls.state == TeachBackState.ATTEMPTED)

    @classmethod
    def tries_of(cls, teach_back: "TeachBack", member: Member) -> sa.Select["TeachBack"]:
        """All tries of the same person at the same skill that `member` may open, first to last."""
        return (
            cls.visible_to(member)
            .where(cls.giver_id == teach_back.giver_id, cls.skill_id == teach_back.skill_id)
            .order_by(None)
            .order_by(cls.attempt_no)
        )

    @classmethod
    def of(cls, member: Member) -> sa.Select["TeachBack"]:
        """A member's own tries, newest first, ready to be listed. For their own eyes."""
        return (
            sa.select(cls)
            .where(cls.giver_id == member.id, cls.state != TeachBackState.WITHDRAWN)
            .options(joinedload(cls.skill).options(*Skill.to_name()))
            .order_by(cls.on.desc(), cls.id.desc())
        )

    @classmethod
    def whole(cls) -> tuple[Any, ...]:
        """The loader options of all that a try shows."""
        return (
            joinedload(cls.giver),
            joinedload(cls.skill).options(*Skill.to_name()),
            selectinload(cls.witnesses).joinedload(Witness.member),
        )

    @classmethod
    def _last_of(cls, giver: Member, skill: Skill) -> "TeachBack | None":
        return db.session.scalar(
            sa.select(cls)
            .where(cls.giver_id == giver.id, cls.skill_id == skill.id)
            .order_by(cls.attempt_no.desc())
            .limit(1)
        )

    @property
    def is_confirmed(self) -> bool:
        """Whether it was clear to the witnesses."""
        return self.state is TeachBackState.CONFIRMED

    def verdict_of(self, member: Member) -> Verdict | None:
        """What `member` said as a witness; None for who is none."""
        return next((w.verdict for w in self.witnesses if w.member_id == member.id), None)

    def can_witness(self, member: Member | None) -> bool:
        """Whether `member` is asked for a verdict and has not given one."""
        if member is None or member.id == self.giver_id or self.state is not TeachBackState.ATTEMPTED:
            return False
        return self.verdict_of(member) is Verdict.NONE

    def clear(self, *, by: Member) -> None:
        """It was shown and it was said why. Confirmed once the rules about witnesses are met. Twice is once."""
        self._say(by, Verdict.CLEAR)

    def more_practice(self, *, by: Member, kind_note: str = "") -> None:
        """Not there yet: told to the giver and the witnesses, to nobody else. Twice is once."""
        self._say(by, Verdict.MORE_PRACTICE, kind_note.strip())

    def was_not_there(self, *, by: Member) -> None:
        """`by` did not see it: their word counts neither way. After "clear" too, for 30 days; the try is open again."""
        self._say(by, Verdict.WAS_NOT_THERE)

    def can_leave(self, member: Member | None) -> bool:
        """Whether `member` may still say "I was not there"."""
        witness = next((w for w in self.witnesses if member is not None and w.member_id == member.id), None)
        return witness is not None and witness.may_become(Verdict.WAS_NOT_THERE, self.state)

    def can_name_witnesses(self, member: Member | None) -> bool:
        """The giver, while it waits for an answer."""
        return member is not None and member.id == self.giver_id and self.state is TeachBackState.ATTEMPTED

    def name_witnesses(self, *, by: Member, witnesses: Iterable[Member]) -> None:
        """Name more people who saw it; they are asked too. Who is named already stays so."""
        teach_back = self._locked()
        named = list(dict.fromkeys(witnesses))
        if by.id != teach_back.giver_id or not by.is_active or by.id in {witness.id for witness in named}:
            raise NotAllowed
        if teach_back.state is not TeachBackState.ATTEMPTED:
            raise RuleBroken(_("This is answered already."), field="witnesses")
        before = {w.member_id for w in teach_back.witnesses}
        new = [member for member in named if member.id not in before]
        _check_number(len(new), before=len(before))
        teach_back._ask(new)

    def withdraw(self, *, by: Member) -> None:
        """The giver takes it back: hidden everywhere. Twice is once."""
        teach_back = self._locked()
        if by.id != teach_back.giver_id:
            raise NotAllowed
        teach_back.state, teach_back.confirmed_at = TeachBackState.WITHDRAWN, None

    def _ask(self, named: list[Member]) -> None:
        for member in named:
            self.witnesses.append(Witness(member=member, giver_id=self.giver_id, verdict=Verdict.NONE))
        db.session.flush()
        for member in named:
            notify(member, "asked_to_witness", self)

    def _say(self, by: Member, verdict: Verdict, kind_note: str = "") -> None:
        teach_back = self._locked()
        witness = next((w for w in teach_back.witnesses if w.member_id == by.id), None)
        if witness is None or by.id == teach_back.giver_id or not by.is_active:
            raise NotAllowed
        if witness.verdict is verdict:
            return
        if not witness.may_become(verdict, teach_back.state):
            raise RuleBroken(_("This is answered already."))
        was, witness.verdict = witness.verdict, verdict
        witness.kind_note, witness.at = kind_note, clock.now()
        if was is Verdict.CLEAR or teach_back.state is TeachBackState.ATTEMPTED:
            teach_back._settle()

    def _locked(self) -> "TeachBack":
        return db.session.scalars(
            sa.select(TeachBack)
            .where(TeachBack.id == self.id)
            .options(*TeachBack.whole())
            .with_for_update(of=TeachBack)
            .execution_options(populate_existing=True)
        ).one()

    def _settle(self) -> None:
        """Recompute the state from what the witnesses who answered say."""
        was = self.state
        said = [w for w in self.witnesses if w.verdict in (Verdict.CLEAR, Verdict.MORE_PRACTICE)]
        if any(w.verdict is Verdict.MORE_PRACTICE for w in said):
            self.state = TeachBackState.MORE_PRACTICE
            notify(self.giver, "more_practice", self)
        elif said and self._enough({w.member_id for w in said}):
            self.state = TeachBackState.CONFIRMED
            if was is not TeachBackState.CONFIRMED:
                self.confirmed_at = clock.now()
                MemberSkill.between(self.giver, self.skill)
                notify(self.giver, "teach_back_clear", self)
        else:
            self.state, self.confirmed_at = TeachBackState.ATTEMPTED, None
            if was is TeachBackState.CONFIRMED:
                notify(self.giver, "teach_back_open_again", self)
        db.session.flush()

    def _enough(self, witness_ids: set[int]) -> bool:
        """One witness who knows the skill (two in all for a hazard), unless nobody else knows it (flagged)."""
        knowing = set(db.session.scalars(knowing_ids(self.skill_id))) - {self.giver_id}
        self.nobody_knew = not knowing
        if self.nobody_knew:
            return True
        needed = 2 if self.skill.care is Care.HAZARD else 1
        return bool(witness_ids & knowing) and len(witness_ids) >= needed


class Witness(Base):
    """Someone present at a teach-back, never its giver: the database holds that too."""

    __tablename__ = "witness"
    __table_args__ = (
        sa.UniqueConstraint("teach_back_id", "member_id"),
        sa.ForeignKeyConstraint(
            ["teach_back_id", "giver_id"], ["teach_back.id", "teach_back.giver_id"], ondelete="CASCADE"
        ),
        sa.CheckConstraint("member_id <> giver_id", name="not_the_giver"),
        sa.Index("ix_witness_member_id_verdict", "member_id", "verdict"),
    )

    teach_back_id: Mapped[int]
    giver_id: Mapped[int]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id"))
    verdict: Mapped[Verdict] = mapped_column(choice(Verdict), default=Verdict.NONE)
    kind_note: Mapped[str] = mapped_column(sa.String(limits.NOTE), default="")
    at: Mapped[datetime | None]

    teach_back: Mapped[TeachBack] = relationship(back_populates="witnesses", lazy="raise")
    member: Mapped[Member] = relationship(lazy="raise")

    def may_become(self, verdict: Verdict, state: TeachBackState) -> bool:
        """Whether the witness may say `verdict` now: once, while it is open; "I was not there" also 30 days later."""
        if verdict is not Verdict.WAS_NOT_THERE:
            return self.verdict is Verdict.NONE and state is TeachBackState.ATTEMPTED
        if self.verdict is Verdict.NONE:
            return state is not TeachBackState.WITHDRAWN
        recent = self.at is not None and self.at + limits.WITHDRAW_ANSWER >= clock.now()
        return (
            self.verdict is Verdict.CLEAR and recent and state in (TeachBackState.ATTEMPTED, TeachBackState.CONFIRMED)
        )


@dataclass(frozen=True)
class Stage:
    """How far one member has come with one skill, in dates: was shown, showed it back, passed it on."""

    was_shown_on: date | None = None
    showed_back_on: date | None = None
    passed_on_on: date | None = None


def stages_of(member_id: int) -> dict[int, Stage]:
    """The stage of a member for each skill of theirs, by skill id: two queries."""
    firsts: dict[tuple[int, PartKind], date] = {}
    rows = db.session.execute(
        sa.select(LogPart.skill_id, LogPart.kind, sa.func.min(LogEntry.happened_on))
        .join(LogPart.entry)
        .where(LogPart.member_id == member_id, LogPart.agreed())
        .group_by(LogPart.skill_id, LogPart.kind)
    )
    for skill_id, kind, on in rows:
        firsts[skill_id, kind] = on
    gave_back = (
        sa.select(TeachBack.skill_id, sa.func.min(TeachBack.on))
        .where(TeachBack.giver_id == member_id, TeachBack.state == TeachBackState.CONFIRMED)
        .group_by(TeachBack.skill_id)
    )
    backs = {skill_id: on for skill_id, on in db.session.execute(gave_back)}  # noqa: C416  typed
    return {
        skill_id: Stage(
            firsts.get((skill_id, PartKind.LEARNS)), backs.get(skill_id), firsts.get((skill_id, PartKind.SHOWS))
        )
        for skill_id in {skill for skill, _kind in firsts} | set(backs)
    }


def may_show_back(member: Member, skill_ids: Iterable[int]) -> set[int]:
    """Of these skills, those that `member` has not shown back yet and has no open try at."""
    ids = set(skill_ids)
    settled = sa.select(TeachBack.skill_id).where(
        TeachBack.giver_id == member.id,
        TeachBack.skill_id.in_(ids),
        TeachBack.state.in_((TeachBackState.CONFIRMED, TeachBackState.ATTEMPTED)),
    )
    return ids - set(db.session.scalars(settled))


def knowing_ids(skill_id: int) -> sa.CompoundSelect[int]:
    """The ids of active members who know a skill: showed it in a confirmed entry, or showed it back."""
    active = sa.select(Member.id).where(Member.state == MemberState.ACTIVE)
    showed = (
        sa.select(LogPart.member_id)
        .join(
            MemberSkill,
            sa.and_(MemberSkill.member_id == LogPart.member_id, MemberSkill.skill_id == LogPart.skill_id),
        )
        .where(
            LogPart.skill_id == skill_id,
            LogPart.kind == PartKind.SHOWS,
            MemberSkill.shows,
            LogPart.agreed(),
            LogPart.member_id.in_(active),
        )
    )
    gave_back = sa.select(TeachBack.giver_id).where(
        TeachBack.skill_id == skill_id, TeachBack.state == TeachBackState.CONFIRMED, TeachBack.giver_id.in_(active)
    )
    return showed.union(gave_back)


def might_want_next(teach_back: TeachBack, viewer: Viewer) -> sa.Select[MemberSkill]:
    """Up to three members who wait to learn what was just shown back, longest waiting first."""
    return (
        MemberSkill.wanting(teach_back.skill, viewer)
        .where(MemberSkill.member_id != teach_back.giver_id)
        .order_by(None)
        .order_by(MemberSkill.wants_since, MemberSkill.id)
        .limit(3)
    )


def _check_number(new: int, before: int = 0) -> None:
    if not new:
        raise RuleBroken(_("Name at least one person who saw it."), field="witnesses")
    if before + new > limits.WITNESSES:
        raise RuleBroken(_("Name at most %(most)s people.", most=limits.WITNESSES), field="witnesses")


def _check_day(on: date, zone: str) -> None:
    today = clock.today(zone)
    if on > today:
        raise RuleBroken(_("That day has not come yet."), field="on")
    if on < today - limits.LOG_BACK:
        raise RuleBroken(_("That is more than a year ago."), field="on")
