"""The log: who showed what to whom, said by one and agreed by the others. Never held by the clock.

Nothing about a member appears to others from an entry they have not agreed to.
"""

import enum
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, aliased, joinedload, mapped_column, relationship, selectinload

from skillshare import clock, limits
from skillshare.db import Base, Public, Versioned, choice, db
from skillshare.errors import EditConflict, NotAllowed, RuleBroken

from .listings import Want
from .members import Member
from .notices import notify
from .seats import PlaceState, Registration
from .sessions import Part, PartKind, SessionState, SkillSession
from .skills import Skill
from .visibility import Reach, relation


class LogState(enum.StrEnum):
    """Where an entry stands."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    QUESTIONED = "questioned"


class Answer(enum.StrEnum):
    """What a person in an entry says of it."""

    NONE = "none"
    AGREE = "agree"
    NOT_RIGHT = "not_right"
    WAS_NOT_THERE = "was_not_there"


class Said(NamedTuple):
    """One line of what happened: `member` showed, helped with or learned `skill`."""

    member: Member
    skill: Skill
    kind: PartKind


class LogEntry(Public, Versioned, Base):
    """A statement that a session or a chance meeting took place."""

    __tablename__ = "log_entry"
    __table_args__ = (
        sa.CheckConstraint("practice_minutes BETWEEN 0 AND 1440", name="practice_minutes_in_a_day"),
        sa.CheckConstraint("theory_minutes BETWEEN 0 AND 1440", name="theory_minutes_in_a_day"),
        sa.CheckConstraint("practice_minutes + theory_minutes > 0", name="some_minutes"),
    )

    skill_session_id: Mapped[int | None] = mapped_column(sa.ForeignKey("skill_session.id"), unique=True)
    happened_on: Mapped[date]
    practice_minutes: Mapped[int]
    theory_minutes: Mapped[int]
    line: Mapped[str] = mapped_column(sa.String(limits.LINE), default="")
    written_by_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id"), index=True)
    state: Mapped[LogState] = mapped_column(choice(LogState), default=LogState.WAITING)

    skill_session: Mapped[SkillSession | None] = relationship(lazy="raise")
    written_by: Mapped[Member] = relationship(lazy="raise")
    parts: Mapped[list["LogPart"]] = relationship(
        back_populates="entry", lazy="raise", cascade="all, delete-orphan", order_by="LogPart.id"
    )
    answers: Mapped[list["LogAnswer"]] = relationship(
        back_populates="entry", lazy="raise", cascade="all, delete-orphan", order_by="LogAnswer.id"
    )

    @classmethod
    def write(
        cls,
        *,
        by: Member,
        happened_on: date,
        said: Iterable[Said],
        practice_minutes: int,
        theory_minutes: int,
        line: str = "",
        skill_session: SkillSession | None = None,
    ) -> "LogEntry":
        """Say what happened, and ask the others to agree. The writer has agreed by writing.

        A session may be logged once, by anyone who was going, once it has begun; it is then held.
        Raises `NotAllowed` for who had no part in it, `RuleBroken` with the reason otherwise.
        """
        said = list(dict.fromkeys(said))
        if not by.is_active or by.id not in {line_.member.id for line_ in said}:
            raise NotAllowed
        if skill_session is not None:
            skill_session = _session_to_log(skill_session, by)
        _check_day(happened_on, skill_session.zone if skill_session else by.zone)
        _check_minutes(practice_minutes, theory_minutes)
        check_said(said)

        entry = cls(
            skill_session_id=skill_session.id if skill_session else None,
            skill_session=skill_session,
            happened_on=happened_on,
            practice_minutes=practice_minutes,
            theory_minutes=theory_minutes,
            line=line,
            written_by_id=by.id,
            written_by=by,
            state=LogState.WAITING,
        )
        entry.parts = [LogPart(member=s.member, skill=s.skill, kind=s.kind) for s in said]
        people = {s.member.id: s.member for s in said}
        entry.answers = [LogAnswer(member=member, answer=Answer.NONE) for member in people.values()]
        entry._answer_of(by).say(Answer.AGREE)
        db.session.add(entry)
        if skill_session is not None:
            skill_session.state = SessionState.HELD
        db.session.flush()
        entry._ask_others()
        return entry

    @classmethod
    def in_it(cls, member: Member) -> sa.Select["LogEntry"]:
        """The entries that `member` may open: those they are in and have not left, newest first."""
        return (
            sa.select(cls)
            .join(cls.answers)
            .where(LogAnswer.member_id == member.id, LogAnswer.answer != Answer.WAS_NOT_THERE)
            .options(*cls.whole())
            .order_by(cls.happened_on.desc(), cls.id.desc())
        )

    @classmethod
    def waiting_for(cls, member: Member) -> sa.Select["LogEntry"]:
        """The entries that ask `member` for an answer."""
        return cls.in_it(member).where(LogAnswer.answer == Answer.NONE)

    @classmethod
    def whole(cls) -> tuple[Any, ...]:
        """The loader options of all that an entry shows."""
        return (
            joinedload(cls.written_by),
            joinedload(cls.skill_session),
            selectinload(cls.parts).options(
                joinedload(LogPart.member), joinedload(LogPart.skill).options(*Skill.to_name())
            ),
            selectinload(cls.answers).joinedload(LogAnswer.member),
        )

    @property
    def is_confirmed(self) -> bool:
        """Whether two people on opposite sides agree."""
        return self.state is LogState.CONFIRMED

    def answer_of(self, member: Member) -> Answer | None:
        """What `member` said of the entry; None for who is not in it."""
        return next((a.answer for a in self.answers if a.member_id == member.id), None)

    def can_answer(self, member: Member | None) -> bool:
        """Whether `member` is asked, and has not answered or may still say "I was not there"."""
        if member is None or member.id == self.written_by_id:
            return False
        return self.answer_of(member) in (Answer.NONE, Answer.NOT_RIGHT)

    def can_leave(self, member: Member | None) -> bool:
        """Whether `member` may still say "I was not there": when asked, and for 30 days after agreeing."""
        if member is None or member.id == self.written_by_id:
            return False
        answer = next((a for a in self.answers if a.member_id == member.id), None)
        return answer is not None and answer.answer is not Answer.WAS_NOT_THERE and answer.can_be_taken_back

    def can_edit(self, member: Member | None) -> bool:
        """Its writer, until it is confirmed; then only for those who did not agree to what it says of them."""
        if member is None or member.id != self.written_by_id:
            return False
        return not self.is_confirmed or any(a.answer in (Answer.NONE, Answer.NOT_RIGHT) for a in self.answers)

    @property
    def day_zone(self) -> str:
        """The zone whose calendar `happened_on` is a day of: the session's, else the writer's."""
        return self.skill_session.zone if self.skill_session else self.written_by.zone

    def parts_shown_to(self, member: Member) -> list["LogPart"]:
        """What `member` may read of it: all for the writer and those asked about, of others what they agreed to."""
        if member.id == self.written_by_id:
            return [part for part in self.parts if not part.struck]
        agreed = {a.member_id for a in self.answers if a.answer is Answer.AGREE} | {member.id}
        return [part for part in self.parts if part.member_id in agreed and not part.struck]

    def agree(self, *, by: Member, version: int | None = None) -> None:
        """Yes, that is what happened. Twice is once. `RuleBroken` when it says something else than in `version`."""
        entry = self._locked()
        answer = entry._open_answer_of(by)
        if answer.answer is Answer.AGREE:
            return
        if version is not None and version != entry.version:
            raise RuleBroken(_("What it says was changed a moment ago. Please read it again, then answer."))
        if answer.answer is Answer.WAS_NOT_THERE:
            raise RuleBroken(_("You said that you were not there."))
        answer.say(Answer.AGREE)
        entry._settle()

    def not_right(self, *, by: Member, note: str) -> None:
        """It was different: the writer is told and can change it. `RuleBroken` without a note, or once agreed."""
        entry = self._locked()
        answer = entry._open_answer_of(by)
        if answer.answer is Answer.AGREE:
            raise RuleBroken(_("You have agreed to this entry already."))
        if answer.answer is Answer.WAS_NOT_THERE:
            raise RuleBroken(_("You said that you were not there."))
        if not note.strip():
            raise RuleBroken(_("Say what was different, so that it can be put right."), field="note")
        answer.say(Answer.NOT_RIGHT, note.strip())
        entry._settle()
        notify(entry.written_by, "log_questioned", entry, again=f"{by.id}:{entry.version}")

    def was_not_there(self, *, by: Member) -> None:
        """Strike what the entry says of `by`; within 30 days also after agreeing. Twice is once."""
        entry = self._locked()
        answer = entry._open_answer_of(by)
        if not answer.can_be_taken_back:
            raise RuleBroken(_("More than 30 days have passed since you agreed."))
        answer.say(Answer.WAS_NOT_THERE)
        for part in entry.parts:
            part.struck = part.struck or part.member_id == by.id
        entry._settle()

    def edit(
        self,
        *,
        by: Member,
        version: int,
        said: Iterable[Said],
        practice_minutes: int,
        theory_minutes: int,
        line: str,
        happened_on: date,
    ) -> None:
        """The writer puts it right. Who is said to have done something else is asked again; all, when facts change.

        Once it is confirmed, what people agreed to stays: only the lines of the others may change. Who said that
        they were not there is not put back. Raises `EditConflict` when it was saved since `version`.
        """
        entry = self._locked()
        if by.id != entry.written_by_id or not by.is_active:
            raise NotAllowed
        if version != entry.version:
            raise EditConflict(_("You saved this in another window meanwhile. Nothing is lost: both texts are below."))
        said = list(dict.fromkeys(said))
        facts = (practice_minutes, theory_minutes, line, happened_on)
        same_facts = facts == (entry.practice_minutes, entry.theory_minutes, entry.line, entry.happened_on)
        entry._check_change(by, said, same_facts)
        _check_day(happened_on, entry.day_zone)
        _check_minutes(practice_minutes, theory_minutes)
        check_said(said)
        entry._replace_parts(said, same_facts)
        entry.practice_minutes, entry.theory_minutes, entry.line, entry.happened_on = facts
        entry.version += 1
        entry._settle()
        entry._ask_others()

    def _check_change(self, by: Member, said: list[Said], same_facts: bool) -> None:
        if by.id not in {s.member.id for s in said}:
            raise RuleBroken(_("You were there too: keep a line for yourself."), field="said")
        left = {a.member_id for a in self.answers if a.answer is Answer.WAS_NOT_THERE}
        if left & {s.member.id for s in said}:
            raise RuleBroken(_("Somebody said that they were not there. Leave their line out."), field="said")
        if not self.is_confirmed:
            return
        if not self.can_edit(by):
            raise RuleBroken(_("This entry is agreed and cannot be changed any more."))
        agreed = {a.member_id for a in self.answers if a.answer is Answer.AGREE}
        if not same_facts or any(_lines(said, i) != self._lines_of(i) for i in agreed):
            raise RuleBroken(
                _("What people have agreed to stays as it is. You can change only what is said of the others.")
            )

    def _lines_of(self, member_id: int) -> set[tuple[int, PartKind]]:
        return {(part.skill_id, part.kind) for part in self.parts if part.member_id == member_id}

    def _replace_parts(self, said: list[Said], same_facts: bool) -> None:
        unchanged = {i for i in self._member_ids() if same_facts and _lines(said, i) == self._lines_of(i)}
        self.parts.clear()
        db.session.flush()
        self.parts.extend(LogPart(member=s.member, skill=s.skill, kind=s.kind) for s in said)
        people = {s.member.id: s.member for s in said}
        for answer in list(self.answers):
            if answer.answer is Answer.WAS_NOT_THERE or answer.member_id == self.written_by_id:
                continue
            if answer.member_id not in people:
                self.answers.remove(answer)
            elif answer.member_id not in unchanged or answer.answer is not Answer.AGREE:
                answer.say(Answer.NONE)
        known = {answer.member_id for answer in self.answers}
        self.answers.extend(LogAnswer(member=m, answer=Answer.NONE) for i, m in people.items() if i not in known)
        db.session.flush()

    def _member_ids(self) -> set[int]:
        return {part.member_id for part in self.parts}

    def _locked(self) -> "LogEntry":
        return db.session.scalars(
            sa.select(LogEntry)
            .where(LogEntry.id == self.id)
            .options(*LogEntry.whole())
            .with_for_update(of=LogEntry)
            .execution_options(populate_existing=True)
        ).one()

    def _answer_of(self, member: Member) -> "LogAnswer":
        found = next((a for a in self.answers if a.member is member or a.member_id == member.id), None)
        if found is None:
            raise NotAllowed
        return found

    def _open_answer_of(self, by: Member) -> "LogAnswer":
        if by.id == self.written_by_id or not by.is_active:
            raise NotAllowed
        return self._answer_of(by)

    def _ask_others(self) -> None:
        for answer in self.answers:
            if answer.answer is Answer.NONE:
                notify(answer.member, "agree_to_log", self, again=str(self.version))

    def _settle(self) -> None:
        """Recompute the state from the answers: confirmed by two people on opposite sides, and only so."""
        agreed = {a.member_id for a in self.answers if a.answer is Answer.AGREE}
        questioned = any(a.answer is Answer.NOT_RIGHT for a in self.answers)
        if self._opposite_sides(agreed):
            was, self.state = self.state, LogState.CONFIRMED
            self._tell_wants(agreed)
            if was is not LogState.CONFIRMED:
                notify(self.written_by, "log_confirmed", self)
        else:
            self.state = LogState.QUESTIONED if questioned else LogState.WAITING
        db.session.flush()

    def _opposite_sides(self, agreed: set[int]) -> bool:
        parts = [p for p in self.parts if p.member_id in agreed and not p.struck]
        shown = {(p.skill_id, p.member_id) for p in parts if p.kind is PartKind.SHOWS}
        learned = {(p.skill_id, p.member_id) for p in parts if p.kind is PartKind.LEARNS}
        return any(s == k and m != n for s, m in shown for k, n in learned)

    def _tell_wants(self, agreed: set[int]) -> None:
        for skill_id in {part.skill_id for part in self.parts}:
            learned = {p.member_id for p in self.parts if p.skill_id == skill_id and p.kind is PartKind.LEARNS}
            Want.answered_by_learning(learned & agreed, skill_id)


class LogPart(Base):
    """What one person did for one skill, by an entry: never two of shows, helps, learns for the same skill."""

    __tablename__ = "log_part"
    __table_args__ = (
        sa.UniqueConstraint("log_entry_id", "member_id", "skill_id"),
        sa.Index("ix_log_part_member_id_kind", "member_id", "kind"),
        sa.Index("ix_log_part_skill_id_kind", "skill_id", "kind"),
    )

    log_entry_id: Mapped[int] = mapped_column(sa.ForeignKey("log_entry.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id"))
    skill_id: Mapped[int] = mapped_column(sa.ForeignKey("skill.id"))
    kind: Mapped[PartKind] = mapped_column(choice(PartKind))
    struck: Mapped[bool] = mapped_column(default=False)

    entry: Mapped[LogEntry] = relationship(back_populates="parts", lazy="raise")
    member: Mapped[Member] = relationship(lazy="raise")
    skill: Mapped[Skill] = relationship(lazy="raise")

    @classmethod
    def agreed(cls) -> sa.ColumnElement[bool]:
        """SQL on a part: its entry is confirmed and its member agreed to it. Only such parts count for anything."""
        answer, entry = aliased(LogAnswer), aliased(LogEntry)
        said_yes = sa.exists().where(
            answer.log_entry_id == cls.log_entry_id, answer.member_id == cls.member_id, answer.answer == Answer.AGREE
        )
        confirmed = sa.exists().where(entry.id == cls.log_entry_id, entry.state == LogState.CONFIRMED)
        return sa.and_(confirmed, said_yes, sa.not_(cls.struck))

    @classmethod
    def agreed_in(cls, entry_ids: Iterable[int]) -> sa.Select["LogPart"]:
        """What everybody who agreed did in these entries, with the people; in the order it was written."""
        return (
            sa.select(cls)
            .where(cls.log_entry_id.in_(list(entry_ids)), cls.agreed())
            .options(joinedload(cls.member))
            .order_by(cls.id)
        )

    @classmethod
    def record_of(cls, member: Member, kind: PartKind) -> sa.Select["LogPart"]:
        """What `member` showed, or learned, newest first, ready to be listed. For their own eyes."""
        return (
            sa.select(cls)
            .join(cls.entry)
            .where(cls.member_id == member.id, cls.kind == kind, cls.agreed())
            .options(joinedload(cls.entry), joinedload(cls.skill).options(*Skill.to_name()))
            .order_by(LogEntry.happened_on.desc(), cls.id.desc())
        )


class LogAnswer(Base):
    """What one person in an entry says of it."""

    __tablename__ = "log_answer"
    __table_args__ = (
        sa.UniqueConstraint("log_entry_id", "member_id"),
        sa.Index("ix_log_answer_member_id_answer", "member_id", "answer"),
    )

    log_entry_id: Mapped[int] = mapped_column(sa.ForeignKey("log_entry.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id"))
    answer: Mapped[Answer] = mapped_column(choice(Answer), default=Answer.NONE)
    note: Mapped[str] = mapped_column(sa.String(limits.NOTE), default="")
    at: Mapped[datetime | None]

    entry: Mapped[LogEntry] = relationship(back_populates="answers", lazy="raise")
    member: Mapped[Member] = relationship(lazy="raise")

    @property
    def can_be_taken_back(self) -> bool:
        """Not agreed, or agreed less than 30 days ago."""
        return self.answer is not Answer.AGREE or not self.at or self.at + limits.WITHDRAW_ANSWER >= clock.now()

    def say(self, answer: Answer, note: str = "") -> None:
        """Note the answer and the moment."""
        self.answer, self.note = answer, note
        self.at = clock.now() if answer is not Answer.NONE else None


def attended(member: Member) -> sa.Select[SkillSession]:
    """The sessions in which `member` has a place, or shows, in any state. Newest first."""
    going = sa.select(Registration.skill_session_id).where(
        Registration.member_id == member.id, Registration.state == PlaceState.GOING
    )
    shows = sa.select(Part.skill_session_id).where(Part.member_id == member.id, Part.kind == PartKind.SHOWS)
    return (
        sa.select(SkillSession)
        .where(sa.or_(SkillSession.id.in_(going.union(shows)), SkillSession.host_id == member.id))
        .options(*SkillSession.to_list())
        .order_by(SkillSession.starts_at.desc(), SkillSession.id)
    )


def to_write_about(member: Member) -> sa.Select[SkillSession]:
    """As `attended`, with everybody who has a part, and in which skill."""
    said = selectinload(SkillSession.parts).options(
        joinedload(Part.member), joinedload(Part.skill).options(*Skill.to_name())
    )
    return attended(member).options(said)


def to_log(member: Member) -> sa.Select[SkillSession]:
    """The sessions that have begun and await a word from `member`: did it happen? Newest first."""
    return attended(member).where(
        SkillSession.state == SessionState.SCHEDULED,
        SkillSession.starts_at <= clock.now(),
        SkillSession.starts_at >= clock.now() - limits.LOG_BACK,
    )


def _lines(said: list[Said], member_id: int) -> set[tuple[int, PartKind]]:
    return {(s.skill.id, s.kind) for s in said if s.member.id == member_id}


def check_said(said: list[Said]) -> None:
    """Raise `RuleBroken` unless somebody showed and somebody else learned the same skill, each once a skill."""
    if len(said) > limits.LOG_PARTS:
        raise RuleBroken(_("That is too many lines for one entry. Write a second one."), field="said")
    if len({(s.member.id, s.skill.id) for s in said}) < len(said):
        raise RuleBroken(_("A person can show or learn a skill in one meeting, not both."), field="said")
    shown = {(s.skill.id, s.member.id) for s in said if s.kind is PartKind.SHOWS}
    learned = {(s.skill.id, s.member.id) for s in said if s.kind is PartKind.LEARNS}
    if not any(s == k and m != n for s, m in shown for k, n in learned):
        raise RuleBroken(_("Say who showed it and who learned it: two different people, one skill."), field="said")


def _session_to_log(skill_session: SkillSession, by: Member) -> SkillSession:
    skill_session = db.session.scalars(
        sa.select(SkillSession)
        .where(SkillSession.id == skill_session.id)
        .options(*SkillSession.whole())
        .with_for_update(of=SkillSession)
        .execution_options(populate_existing=True)
    ).one()
    if not can_log(skill_session, by):
        raise NotAllowed
    check_loggable(skill_session)
    return skill_session


def check_loggable(skill_session: SkillSession) -> None:
    """Raise `RuleBroken` with the reason unless the session has begun and nothing is said of it yet."""
    if skill_session.state is SessionState.HELD:
        raise RuleBroken(_("This session is logged already."))
    if skill_session.state is SessionState.CANCELLED:
        raise RuleBroken(_("This session was cancelled."))
    if skill_session.state is not SessionState.SCHEDULED:
        raise RuleBroken(_("It was said that this session did not take place."))
    if not skill_session.has_begun:
        raise RuleBroken(_("This session has not begun yet."))


def can_log(skill_session: SkillSession, member: Member) -> bool:
    """Whether `member` was going or showing there."""
    if member.id in skill_session.host_ids:
        return True
    registration = Registration.between(skill_session, member)
    return registration is not None and registration.is_going


def _check_day(happened_on: date, zone: str) -> None:
    today = clock.today(zone)
    if happened_on > today:
        raise RuleBroken(_("That day has not come yet."), field="happened_on")
    if happened_on < today - limits.LOG_BACK:
        raise RuleBroken(_("That is more than a year ago."), field="happened_on")


def _check_minutes(practice: int, theory: int) -> None:
    for field, minutes in (("practice_minutes", practice), ("theory_minutes", theory)):
        if not 0 <= minutes <= limits.MINUTES_MAX:
            raise RuleBroken(_("From 0 to %(most)s minutes.", most=limits.MINUTES_MAX), field=field)
    if practice + theory == 0:
        raise RuleBroken(_("Say about how many minutes it took."), field="practice_minutes")


@relation(Reach.PARTNERS)
def partners_of(member_id: sa.ColumnElement[int] | int) -> sa.Select[int]:
    """Those who, with `member_id`, agreed to the same confirmed entry."""
    mine, theirs = aliased(LogAnswer), aliased(LogAnswer)
    return (
        sa.select(theirs.member_id)
        .join(mine, mine.log_entry_id == theirs.log_entry_id)
        .join(LogEntry, LogEntry.id == mine.log_entry_id)
        .where(
            mine.member_id == member_id,
            theirs.member_id != member_id,
            mine.answer == Answer.AGREE,
            theirs.answer == Answer.AGREE,
            LogEntry.state == LogState.CONFIRMED,
        )
    )
