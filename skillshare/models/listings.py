"""Offers and wants: standing words of a member to everybody. "I can show …", "I want to learn …", "me too"."""

import enum
from collections.abc import Collection
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import (
    Mapped,
    column_property,
    contains_eager,
    declared_attr,
    defer,
    joinedload,
    lazyload,
    mapped_column,
    relationship,
    selectinload,
)

from skillshare import clock, limits
from skillshare.db import Base, Public, Versioned, choice, db
from skillshare.errors import EditConflict, NotAllowed, RuleBroken

from .knowhow import MemberSkill
from .members import Member
from .notices import notify
from .outbox import Searchable
from .places import Area
from .skills import Care, Skill, SkillText
from .visibility import AnyMember, Viewer, listed_owners, visible_members

_TODAY = sa.bindparam("today", type_=sa.Date(), callable_=lambda: clock.now().date())


class ListingState(enum.StrEnum):
    """Where an offer or a want stands."""

    DRAFT = "draft"
    OPEN = "open"
    PAUSED = "paused"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


class How(enum.StrEnum):
    """With how many people at once."""

    ALONE = "alone"
    SMALL_GROUP = "small_group"
    GROUP = "group"
    ANY = "any"


class Where(enum.StrEnum):
    """In the same room or not."""

    IN_PERSON = "in_person"
    ONLINE = "online"
    ANY = "any"


class Listing(Public, Versioned, Searchable):
    """What offers and wants share: whose they are, about which skill, and being open, paused or withdrawn."""

    LASTS: ClassVar[timedelta]
    LEFT_OUT_OF_LISTS: ClassVar[tuple[str, ...]] = ("created_at", "updated_at")

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-10)
    title: Mapped[str] = mapped_column(sa.String(limits.TITLE))
    how: Mapped[How] = mapped_column(choice(How), default=How.ANY)
    where: Mapped[Where] = mapped_column(choice(Where), default=Where.ANY)
    times_note: Mapped[str] = mapped_column(sa.String(limits.LINE), default="")
    language: Mapped[str] = mapped_column(sa.String(10))
    state: Mapped[ListingState] = mapped_column(choice(ListingState), default=ListingState.DRAFT)
    lapses_on: Mapped[date | None]

    @declared_attr
    def member_id(cls) -> Mapped[int]:
        return mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"), index=True)

    @declared_attr
    def skill_id(cls) -> Mapped[int]:
        return mapped_column(sa.ForeignKey("skill.id"), index=True)

    @declared_attr
    def area_id(cls) -> Mapped[int | None]:
        return mapped_column(sa.ForeignKey("area.id"), index=True)

    @declared_attr
    def member(cls) -> Mapped[Member]:
        return relationship(lazy="raise")

    @declared_attr
    def skill(cls) -> Mapped[Skill]:
        return relationship(lazy="raise")

    @declared_attr
    def area(cls) -> Mapped[Area | None]:
        return relationship(lazy="raise")

    @classmethod
    def visible_to(cls, viewer: Viewer) -> sa.Select[Self]:
        """What `viewer` may open: their own in any state but withdrawn, of others what is open or paused."""
        return (
            sa.select(cls)
            .join(cls.member)
            .where(
                sa.or_(
                    sa.and_(cls.member_id == viewer.id, cls.state != ListingState.WITHDRAWN),
                    sa.and_(cls.state.in_((ListingState.OPEN, ListingState.PAUSED)), listed_owners(viewer)),
                )
            )
            .options(*cls.to_list())
        )

    @classmethod
    def open_to(cls, viewer: Viewer) -> sa.Select[Self]:
        """What stands in lists for `viewer`: open, not lapsed, newest first. Visitors read nothing of the member."""
        if viewer.member is None:
            return cls._open_to_visitors(viewer.kind)
        return cls._open_to(viewer).options(contains_eager(cls.member), *cls._to_name_in_lists())

    @classmethod
    def open_for(cls, skill: Skill, viewer: Viewer) -> sa.Select[Self]:
        """Of these, those about `skill`, which the caller has loaded with its texts: it is not read again."""
        if viewer.member is None:
            return cls._open_to_visitors(viewer.kind, named=False).where(cls.skill_id == skill.id)
        return cls._open_to(viewer).where(cls.skill_id == skill.id).options(*cls._loaded_for_skill())

    @classmethod
    @cache
    def _open_to_visitors(cls, visitor: Viewer | AnyMember, named: bool = True) -> sa.Select[Self]:
        """Built once: the same for all who are not signed in."""
        return cls._open_to(visitor).options(*(cls._to_name_in_lists() if named else cls._loaded_for_skill()))

    @classmethod
    @cache
    def _loaded_for_skill(cls) -> tuple[Any, ...]:
        return (joinedload(cls.member), joinedload(cls.area), lazyload(cls.skill))

    @classmethod
    def _open_to(cls, viewer: Viewer | AnyMember) -> sa.Select[Self]:
        return (
            sa.select(cls)
            .join(cls.member)
            .where(cls.is_open_to(viewer))
            .options(*cls._left_out_of_lists())
            .order_by(cls.id.desc())
        )

    @classmethod
    def is_open_to(cls, viewer: Viewer | AnyMember) -> sa.ColumnElement[bool]:
        """SQL on it and its `Member`: it stands in lists for `viewer`."""
        return sa.and_(cls.state == ListingState.OPEN, cls.not_lapsed(), listed_owners(viewer))

    @classmethod
    @cache
    def _to_name_in_lists(cls) -> tuple[Any, ...]:
        """As `to_list_unnamed`, with nothing but the names: a list has twenty rows, and their texts are long."""
        texts = selectinload(Skill.texts).load_only(SkillText.locale, SkillText.name)
        skill = joinedload(cls.skill).load_only(Skill.slug, Skill.locale).options(texts)
        return (skill, joinedload(cls.area).load_only(Area.name))

    @classmethod
    @cache
    def _left_out_of_lists(cls) -> tuple[Any, ...]:
        return tuple(defer(getattr(cls, name)) for name in cls.LEFT_OUT_OF_LISTS)

    @classmethod
    def of(cls, member: Member) -> sa.Select[Self]:
        """A member's own, newest first, in every state but withdrawn."""
        return (
            sa.select(cls)
            .where(cls.member_id == member.id, cls.state != ListingState.WITHDRAWN)
            .options(*cls.to_list())
            .order_by(cls.id.desc())
        )

    @classmethod
    def kept_by(cls, member: Member) -> sa.Select[Self]:
        """All that is a member's own, the withdrawn too."""
        return sa.select(cls).where(cls.member_id == member.id)

    @classmethod
    def under(cls, topic_ids: Collection[int], area_ids: Collection[int]) -> list[sa.ColumnElement[bool]]:
        """SQL: about a skill of one of these topics, and in one of these areas. An empty list asks nothing."""
        wishes: list[sa.ColumnElement[bool]] = []
        if topic_ids:
            wishes.append(cls.skill_id.in_(sa.select(Skill.id).where(Skill.topic_id.in_(topic_ids))))
        if area_ids:
            wishes.append(cls.area_id.in_(area_ids))
        return wishes

    @classmethod
    def to_list(cls) -> tuple[Any, ...]:
        """The loader options of a row in a list."""
        return (joinedload(cls.member), *cls.to_list_unnamed())

    @classmethod
    @cache
    def to_list_unnamed(cls) -> tuple[Any, ...]:
        """As `to_list`, where nothing is said of the member."""
        return (joinedload(cls.skill).options(*Skill.to_name()), joinedload(cls.area))

    @classmethod
    def not_lapsed(cls) -> sa.ColumnElement[bool]:
        """SQL: standing, or its day has not come. The clock is asked when the query is sent."""
        return sa.or_(cls.lapses_on.is_(None), cls.lapses_on >= _TODAY)

    @property
    def is_lapsed(self) -> bool:
        """Whether its day has passed."""
        return self.lapses_on is not None and self.lapses_on < clock.now().date()

    @property
    def is_open(self) -> bool:
        """Whether it stands in lists."""
        return self.state is ListingState.OPEN and not self.is_lapsed

    def can_edit(self, member: Member | None) -> bool:
        """Only its owner, and not once it is withdrawn."""
        return member is not None and member.id == self.member_id and self.state is not ListingState.WITHDRAWN

    def pause(self, *, by: Member) -> None:
        """Take it off the lists for a while; its link still works. Twice is once."""
        self._check_owner(by)
        if self.state not in (ListingState.OPEN, ListingState.PAUSED):
            raise RuleBroken(_("Only what is open can be paused."))
        self.state = ListingState.PAUSED

    def resume(self, *, by: Member) -> None:
        """Put it back on the lists, for a new term when its day had passed. Twice is once."""
        self._check_owner(by)
        self.state = ListingState.OPEN
        if self.is_lapsed:
            self.lapses_on = (clock.now() + self.LASTS).date()

    def withdraw(self, *, by: Member) -> None:
        """Take it down for good. Twice is once."""
        if by.id != self.member_id:
            raise NotAllowed
        self.state = ListingState.WITHDRAWN

    def _check_owner(self, by: Member) -> None:
        if not self.can_edit(by):
            raise NotAllowed

    def _check_version(self, version: int) -> None:
        if version != self.version:
            raise EditConflict(_("You saved this in another window meanwhile. Nothing is lost: both texts are below."))
        self.version += 1


class Offer(Listing, Base):
    """A standing invitation: "I can show you this"."""

    LASTS = limits.OFFER_LASTS
    LEFT_OUT_OF_LISTS = (*Listing.LEFT_OUT_OF_LISTS, "practice", "theory", "before")

    __tablename__ = "offer"
    __table_args__ = (
        sa.Index("ix_offer_state_id", "state", "id"),
        sa.Index("ix_offer_skill_id_state", "skill_id", "state"),
    )

    practice: Mapped[str] = mapped_column(sa.Text)
    theory: Mapped[str] = mapped_column(sa.Text)
    before: Mapped[str] = mapped_column(sa.String(limits.NOTE), default="")
    group_max: Mapped[int | None]
    access_note: Mapped[str] = mapped_column(sa.String(limits.LINE), default="")
    safety_read: Mapped[bool] = mapped_column(default=False)

    @classmethod
    def publish(
        cls,
        *,
        by: Member,
        skill: Skill,
        title: str,
        practice: str,
        theory: str,
        language: str,
        before: str = "",
        how: How = How.ANY,
        where: Where = Where.ANY,
        area: Area | None = None,
        times_note: str = "",
        group_max: int | None = None,
        access_note: str = "",
        safety_read: bool = False,
    ) -> "Offer":
        """Say to everybody that `by` can show `skill`; from now on the skill stands on their page too.

        Those who wait to learn it hear of it (see `finds.py`). Raises `NotAllowed` before the account is open,
        `RuleBroken` for a hazard whose safety text was not read.
        """
        if not by.is_active:
            raise NotAllowed
        _check_safety_read(skill, safety_read)
        _one_at_a_time(by)
        offer = cls(
            member=by,
            skill=skill,
            title=title,
            practice=practice,
            theory=theory,
            before=before,
            how=how,
            where=where,
            area=area,
            times_note=times_note,
            group_max=group_max,
            language=language,
            access_note=access_note,
            safety_read=safety_read,
            state=ListingState.OPEN,
        )
        db.session.add(offer)
        MemberSkill.say(by, skill, shows=True)
        db.session.flush()
        return offer

    def edit(self, *, by: Member, version: int, safety_read: bool = False, **changes: Any) -> None:
        """Change what the offer says. Raises `EditConflict` when it was saved since `version`."""
        self._check_owner(by)
        _check_safety_read(changes.get("skill", self.skill), safety_read or self.safety_read)
        self._check_version(version)
        for field, value in changes.items():
            setattr(self, field, value)
        self.safety_read = safety_read or self.safety_read

    @property
    def search_keys(self) -> tuple[str, ...]:
        """Its own document."""
        return (f"offer:{self.id}",)


class Want(Listing, Base):
    """A standing wish: "I want to learn this". Others can say "me too"."""

    LASTS = limits.WANT_LASTS

    __tablename__ = "want"
    __table_args__ = (
        sa.Index("ix_want_state_id", "state", "id"),
        sa.Index("ix_want_skill_id_state", "skill_id", "state"),
    )

    for_what: Mapped[str] = mapped_column(sa.String(limits.NOTE), default="")
    know_already: Mapped[str] = mapped_column(sa.String(limits.NOTE), default="")
    can_share: Mapped[str] = mapped_column(sa.String(limits.LINE), default="")
    group_ok: Mapped[bool] = mapped_column(default=True)

    me_toos: Mapped[list["MeToo"]] = relationship(lazy="raise", cascade="all, delete-orphan", back_populates="want")

    if TYPE_CHECKING:
        me_too_count: Mapped[int]  # how many more want it: a query further down

    @classmethod
    def ask(
        cls,
        *,
        by: Member,
        skill: Skill,
        title: str,
        language: str,
        for_what: str = "",
        know_already: str = "",
        can_share: str = "",
        group_ok: bool = True,
        how: How = How.ANY,
        where: Where = Where.ANY,
        area: Area | None = None,
        times_note: str = "",
    ) -> "Want":
        """Say to everybody that `by` wants to learn `skill`. Raises `RuleBroken` when they ask for it already."""
        if not by.is_active:
            raise NotAllowed
        _one_at_a_time(by)
        if cls._asked_already(by, skill.id):
            raise RuleBroken(_("You ask for this already. You can change what you wrote there."), field="skill")
        want = cls(
            member=by,
            skill=skill,
            title=title,
            language=language,
            for_what=for_what,
            know_already=know_already,
            can_share=can_share,
            group_ok=group_ok,
            how=how,
            where=where,
            area=area,
            times_note=times_note,
            state=ListingState.OPEN,
            lapses_on=(clock.now() + cls.LASTS).date(),
        )
        db.session.add(want)
        MemberSkill.say(by, skill, wants=True)
        return want

    def edit(self, *, by: Member, version: int, **changes: Any) -> None:
        """Change what the want says. Raises `EditConflict` when it was saved since `version`."""
        self._check_owner(by)
        self._check_version(version)
        for field, value in changes.items():
            setattr(self, field, value)

    def resume(self, *, by: Member) -> None:
        """Put it back on the lists. Raises `RuleBroken` when its owner asked anew for the same skill meanwhile."""
        if not self.is_open and self._asked_already(by, self.skill_id, but=self.id):
            raise RuleBroken(_("You ask for this already, in another place. Look at what you asked for."))
        super().resume(by=by)

    @classmethod
    def _asked_already(cls, by: Member, skill_id: int, but: int | None = None) -> bool:
        wants = sa.select(cls.id).where(
            cls.member_id == by.id,
            cls.skill_id == skill_id,
            cls.state.in_((ListingState.OPEN, ListingState.PAUSED)),
            cls.not_lapsed(),
            cls.id != (but or 0),
        )
        return db.session.scalar(wants.limit(1)) is not None

    @classmethod
    def one_could_show(cls, viewer: Viewer) -> sa.Select["Want"]:
        """What others wait to learn and the viewer can show, newest first, ready to be listed."""
        can_show = sa.select(MemberSkill.skill_id).where(MemberSkill.member_id == viewer.id, MemberSkill.shows)
        return cls.open_to(viewer).where(cls.skill_id.in_(can_show), cls.member_id != viewer.id)

    def can_say_me_too(self, member: Member | None) -> bool:
        """Anyone but its owner, while it is open."""
        return member is not None and member.is_active and member.id != self.member_id and self.is_open

    def me_too(self, *, by: Member, times_note: str = "") -> "MeToo":
        """`by` wants to learn it as well; their skill list says so. Twice is once; the owner is told."""
        if by.id == self.member_id:
            raise NotAllowed
        if not self.can_say_me_too(by):
            raise RuleBroken(_("This is not asked for any more."))
        _one_at_a_time(by)
        row = MeToo.between(self, by)
        if row is None:
            row = MeToo(want_id=self.id, member_id=by.id)
            db.session.add(row)
            MemberSkill.say(by, self.skill, wants=True)
            notify(self.member, "me_too", self, again=str(by.id))
        row.times_note = times_note
        return row

    def not_me(self, *, by: Member) -> None:
        """Take one's "me too" back."""
        db.session.execute(sa.delete(MeToo).where(MeToo.want_id == self.id, MeToo.member_id == by.id))

    @classmethod
    def answered_by_learning(cls, member_ids: set[int], skill_id: int) -> None:
        """Those who learned the skill have what they asked for: their open wants leave the lists."""
        wants = db.session.scalars(
            sa.select(cls).where(
                cls.member_id.in_(member_ids), cls.skill_id == skill_id, cls.state == ListingState.OPEN
            )
        )
        for want in wants:
            want.state = ListingState.ANSWERED

    @property
    def search_keys(self) -> tuple[str, ...]:
        """Its own document."""
        return (f"want:{self.id}",)


class MeToo(Base):
    """One more member who wants what somebody asked for."""

    __tablename__ = "me_too"
    __table_args__ = (sa.UniqueConstraint("want_id", "member_id"),)

    want_id: Mapped[int] = mapped_column(sa.ForeignKey("want.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"), index=True)
    times_note: Mapped[str] = mapped_column(sa.String(limits.LINE), default="")

    want: Mapped[Want] = relationship(back_populates="me_toos", lazy="raise")
    member: Mapped[Member] = relationship(lazy="raise")

    @classmethod
    def of(cls, want: Want, viewer: Viewer) -> sa.Select["MeToo"]:
        """Who said "me too", as far as `viewer` may see them, in the order in which they said it."""
        return (
            sa.select(cls)
            .join(cls.member)
            .where(cls.want_id == want.id, visible_members(viewer))
            .options(joinedload(cls.member))
            .order_by(cls.id)
        )

    @classmethod
    def between(cls, want: Want, member: Member | None) -> "MeToo | None":
        """What this member said to this want, if anything."""
        if member is None:
            return None
        return db.session.scalar(sa.select(cls).where(cls.want_id == want.id, cls.member_id == member.id))


# True for everybody who looks, whoever blocked whom: a number that differed would tell.
Want.me_too_count = column_property(
    sa.select(sa.func.count()).where(MeToo.want_id == Want.id).correlate_except(MeToo).scalar_subquery()
)


def _one_at_a_time(member: Member) -> None:
    """Let two things that `member` sends at once happen one after the other (PostgreSQL; SQLite always does)."""
    db.session.execute(sa.select(Member.id).where(Member.id == member.id).with_for_update())


def _check_safety_read(skill: Skill, safety_read: bool) -> None:
    if skill.care is Care.HAZARD and not safety_read:
        raise RuleBroken(_("Please read the safety text of this skill and tick that you have."), field="safety_read")
