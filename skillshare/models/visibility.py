"""Who may see what of whom: one function, and its twin that says the same in SQL. And blocks.

`effective = min(site mode, field, page, relation, block)`. Every page, list, search hit, count, mail and suggestion
about a member goes through `Viewer.can_see` or `visible_members`; a test holds the two equal on random worlds.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column, relationship

from skillshare.db import Base, db
from skillshare.errors import NotAllowed

from .members import Member, MemberState, NameSeenBy, SeenAs


class Reach(enum.IntEnum):
    """How far something of a member reaches, from closed to open."""

    ONLY_ME = 0
    PARTNERS = 1
    PEERS = 2
    MEMBERS = 3
    PUBLIC = 4


class Field(enum.StrEnum):
    """The parts of a member that others may or may not see."""

    PAGE = "page"
    HANDLE = "handle"
    SKILLS = "skills"
    AREA = "area"
    ABOUT = "about"
    NAME = "name"
    LOG = "log"
    EMAIL = "email"


FIELD_REACH = {
    Field.PAGE: Reach.PUBLIC,
    Field.HANDLE: Reach.PUBLIC,
    Field.SKILLS: Reach.PUBLIC,
    Field.AREA: Reach.PUBLIC,
    Field.ABOUT: Reach.PUBLIC,
    Field.LOG: Reach.PARTNERS,
    Field.EMAIL: Reach.ONLY_ME,
}
PAGE_REACH = {SeenAs.HIDDEN: Reach.PEERS, SeenAs.COMMUNITY: Reach.MEMBERS, SeenAs.PUBLIC: Reach.PUBLIC}
NAME_REACH = {NameSeenBy.PARTNERS: Reach.PARTNERS, NameSeenBy.MEMBERS: Reach.MEMBERS}

# The models below know who is whose partner or peer; they register the question here (see `relation`).
MemberIds = Callable[[sa.ColumnElement[int] | int], sa.Select[int]]
_relations: dict[Reach, list[MemberIds]] = {Reach.PARTNERS: [], Reach.PEERS: []}


def relation(reach: Reach) -> Callable[[MemberIds], MemberIds]:
    """Register a query for the ids of a member's partners (confirmed entry) or peers (shared session)."""

    def register(ids_of: MemberIds) -> MemberIds:
        _relations[reach].append(ids_of)
        return ids_of

    return register


class Block(Base):
    """`blocker` and `blocked` do not exist for each other, in both directions. Nobody is told."""

    __tablename__ = "block"
    __table_args__ = (
        sa.UniqueConstraint("blocker_id", "blocked_id"),
        sa.CheckConstraint("blocker_id <> blocked_id", name="two_people"),
    )

    blocker_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"))
    blocked_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"), index=True)

    blocked: Mapped[Member] = relationship(foreign_keys=blocked_id, lazy="raise")

    @classmethod
    def by(cls, member: Member) -> sa.Select["Block"]:
        """Whom `member` blocked, newest first. Only ever shown to `member`."""
        return sa.select(cls).where(cls.blocker_id == member.id).order_by(cls.id.desc())

    @classmethod
    def put(cls, by: Member, on: Member) -> "Block":
        """Block somebody. Twice is once. Raises `NotAllowed` for oneself."""
        if by.id == on.id:
            raise NotAllowed
        block = db.session.scalar(sa.select(cls).where(cls.blocker_id == by.id, cls.blocked_id == on.id))
        if block is None:
            block = cls(blocker_id=by.id, blocked_id=on.id)
            db.session.add(block)
        return block

    @classmethod
    def lift(cls, by: Member, on: Member) -> None:
        """Unblock. Nothing that the block ended comes back."""
        db.session.execute(sa.delete(cls).where(cls.blocker_id == by.id, cls.blocked_id == on.id))


@dataclass(eq=False)
class Viewer:
    """Whoever is looking: a member or a visitor, under this instance's mode. One for each request."""

    member: Member | None
    site_mode: str = "open_catalogue"

    @property
    def id(self) -> int:
        """The member's id; 0, which nobody has, for a visitor."""
        return self.member.id if self.member else 0

    @property
    def sees_catalogue(self) -> bool:
        """Whether skills, session titles and offers without their member are open to this viewer."""
        return self.member is not None or self.site_mode in ("open_catalogue", "public_profiles")

    @property
    def blocked_ids(self) -> frozenset[int]:
        """Members this viewer does not exist for, and who do not exist for them."""
        return self._ties["blocked"]

    @property
    def partner_ids(self) -> frozenset[int]:
        """Those with whom this viewer has a confirmed entry."""
        return self._ties[Reach.PARTNERS.name]

    @property
    def peer_ids(self) -> frozenset[int]:
        """Those with whom this viewer shares a session."""
        return self._ties[Reach.PEERS.name]

    @property
    def as_any_member(self) -> dict[str, object]:
        """The parameters of a query that was built for `ANY_MEMBER`, when this viewer asks it."""
        near = self.partner_ids | self.peer_ids
        return {"viewer_id": self.id, "viewer_partners": sorted(self.partner_ids), "viewer_near": sorted(near)}

    @property
    def kind(self) -> "Viewer | AnyMember":
        """For whom a query is built that this viewer asks: one for all members, one for the visitors of each mode."""
        return ANY_MEMBER if self.member else _visitor(self.site_mode)

    @cached_property
    def _ties(self) -> dict[str, frozenset[int]]:
        """All of the above in one query."""
        ties: dict[str, set[int]] = {"blocked": set(), Reach.PARTNERS.name: set(), Reach.PEERS.name: set()}
        if self.member is not None:
            for tie, member_id in db.session.execute(_ties_query(), {"viewer_id": self.id}):
                ties[tie].add(member_id)
        return {tie: frozenset(ids) for tie, ids in ties.items()}

    def can_see(self, subject: Member, field: Field = Field.PAGE) -> bool:
        """Whether this viewer may see `field` of `subject`. At most one query a request, however many subjects."""
        if self.id == subject.id:
            return True
        if not subject.is_active or subject.id in self.blocked_ids:
            return False
        return self._relationship(subject) >= _needed(self._reach(subject, field))

    def _reach(self, subject: Member, field: Field) -> Reach:
        if field is Field.NAME:
            reach = NAME_REACH[subject.name_seen_by]
        else:
            reach = FIELD_REACH[field]
        site = Reach.PUBLIC if self.site_mode == "public_profiles" else Reach.MEMBERS
        return min(site, PAGE_REACH[subject.seen_as], reach)

    def _relationship(self, subject: Member) -> int:
        if self.member is None:
            return _needed(Reach.PUBLIC)
        if subject.id in self.partner_ids:
            return _needed(Reach.PARTNERS)
        if subject.id in self.peer_ids:
            return _needed(Reach.PEERS)
        return _needed(Reach.MEMBERS)

    def name_of(self, subject: Member) -> str:
        """What to call `subject` in front of this viewer: name, handle, or "a participant" for one they may not see."""
        if not self.can_see(subject, Field.PAGE):
            return _("a participant")
        return subject.name if self.can_see(subject, Field.NAME) else subject.handle


class AnyMember:
    """Whichever member asks: for queries that are dear to build, and are built once for all. See `as_any_member`."""

    id = sa.bindparam("viewer_id", type_=sa.Integer())
    partners = sa.bindparam("viewer_partners", type_=sa.Integer(), expanding=True)
    near = sa.bindparam("viewer_near", type_=sa.Integer(), expanding=True)


ANY_MEMBER = AnyMember()


@cache
def _visitor(site_mode: str) -> Viewer:
    return Viewer(None, site_mode)


def _needed(reach: Reach) -> int:
    """How close one must be to see what reaches this far: 4 only oneself … 0 anybody."""
    return Reach.PUBLIC - reach


def blocked_ids_of(member_id: sa.ColumnElement[int] | int) -> sa.CompoundSelect[int]:
    """The ids of those blocked by or blocking a member."""
    return sa.union_all(
        sa.select(Block.blocked_id).where(Block.blocker_id == member_id),
        sa.select(Block.blocker_id).where(Block.blocked_id == member_id),
    )


def not_blocked(
    viewer: Viewer | AnyMember, member_id: sa.ColumnElement[int] | InstrumentedAttribute[int]
) -> sa.ColumnElement[bool]:
    """SQL: there is no block between `viewer` and the member in this column."""
    if isinstance(viewer, Viewer) and viewer.member is None:
        return sa.true()
    return member_id.not_in(blocked_ids_of(viewer.id))


def visible_members(viewer: Viewer | AnyMember, field: Field = Field.PAGE) -> sa.ColumnElement[bool]:
    """SQL twin of `Viewer.can_see`, as a condition on `Member`."""
    me = Member.id == viewer.id
    if isinstance(viewer, Viewer) and viewer.member is None:
        public = viewer.site_mode == "public_profiles" and FIELD_REACH.get(field) is Reach.PUBLIC
        if not public:
            return sa.false()
        return sa.and_(Member.state == MemberState.ACTIVE, Member.seen_as == SeenAs.PUBLIC)
    near = _near_enough(viewer, field)
    return sa.or_(me, sa.and_(Member.state == MemberState.ACTIVE, not_blocked(viewer, Member.id), near))


def _near_enough(viewer: Viewer | AnyMember, field: Field) -> sa.ColumnElement[bool]:
    if field is Field.EMAIL:
        return sa.false()
    partner, peer = _is_near(viewer)
    if field is Field.LOG:
        return partner
    if field is Field.NAME:
        for_members = sa.and_(Member.name_seen_by == NameSeenBy.MEMBERS, sa.or_(Member.seen_as != SeenAs.HIDDEN, peer))
        return sa.or_(partner, for_members)
    return sa.or_(Member.seen_as != SeenAs.HIDDEN, peer)


def _is_near(viewer: Viewer | AnyMember) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """SQL: who is a partner of `viewer`, and who is a partner or a peer."""
    if isinstance(viewer, AnyMember):
        return Member.id.in_(viewer.partners), Member.id.in_(viewer.near)
    near = viewer.partner_ids | viewer.peer_ids
    return Member.id.in_(sorted(viewer.partner_ids)), Member.id.in_(sorted(near))


@cache
def _ties_query() -> sa.CompoundSelect[str, int]:
    """Kind and member of every tie of the member `:viewer_id`. Built once: the parts are dear to put together."""
    viewer_id = sa.bindparam("viewer_id", type_=sa.Integer())
    asked: list[tuple[str, sa.SelectBase]] = [("blocked", blocked_ids_of(viewer_id))]
    asked += [(reach.name, ids_of(viewer_id)) for reach, known in _relations.items() for ids_of in known]
    return sa.union_all(*(sa.select(sa.literal(tie), ids.subquery().c[0]) for tie, ids in asked))


def listed_owners(viewer: Viewer | AnyMember) -> sa.ColumnElement[bool]:
    """SQL on `Member`: whose offers, wants and sessions `viewer` may find. Visitors see them without the member."""
    if isinstance(viewer, AnyMember) or viewer.member is not None:
        return visible_members(viewer)
    if not viewer.sees_catalogue:
        return sa.false()
    return sa.and_(Member.state == MemberState.ACTIVE, Member.seen_as != SeenAs.HIDDEN)
