"""Know-how: one member's relation to one skill: wants to learn, can show, both, neither.

Nothing here says how good anybody is. Where a person stands is read from the log (`teachbacks.py`).
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from skillshare import clock, limits
from skillshare.db import Base, db

from .members import Member
from .skills import Skill
from .visibility import Viewer, visible_members


class MemberSkill(Base):
    """What one member says of one skill."""

    __tablename__ = "member_skill"
    __table_args__ = (
        sa.UniqueConstraint("member_id", "skill_id"),
        sa.Index("ix_member_skill_skill_id_shows", "skill_id", "shows"),
        sa.Index("ix_member_skill_skill_id_wants", "skill_id", "wants"),
    )

    member_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"))
    skill_id: Mapped[int] = mapped_column(sa.ForeignKey("skill.id", ondelete="CASCADE"))
    wants: Mapped[bool] = mapped_column(default=False)
    wants_since: Mapped[datetime | None]
    wants_note: Mapped[str] = mapped_column(sa.String(limits.LINE), default="")
    shows: Mapped[bool] = mapped_column(default=False)
    shows_since: Mapped[datetime | None]
    shows_note: Mapped[str] = mapped_column(sa.String(limits.LINE), default="")
    hidden: Mapped[bool] = mapped_column(default=False)

    member: Mapped[Member] = relationship(lazy="raise")
    skill: Mapped[Skill] = relationship(lazy="raise")

    @classmethod
    def between(cls, member: Member, skill: Skill) -> "MemberSkill":
        """The row of this member and this skill, made when there is none yet, by whoever comes first."""
        query = sa.select(cls).where(cls.member_id == member.id, cls.skill_id == skill.id)
        row = db.session.scalar(query)
        if row is None:
            insert = postgresql.insert if db.session.connection().dialect.name == "postgresql" else sqlite.insert
            values = {"member_id": member.id, "skill_id": skill.id, "wants": False, "shows": False}
            db.session.execute(insert(cls).values(values).on_conflict_do_nothing())
            row = db.session.scalars(query).one()
        return row

    @classmethod
    def say(
        cls, member: Member, skill: Skill, *, shows: bool | None = None, wants: bool | None = None
    ) -> "MemberSkill":
        """`member` says they can show `skill` (or no longer), or want to learn it (or no longer); None leaves it."""
        row = cls.between(member, skill)
        if shows is not None and shows != row.shows:
            row.shows, row.shows_since = shows, clock.now() if shows else None
        if wants is not None and wants != row.wants:
            row.wants, row.wants_since = wants, clock.now() if wants else None
        return row

    @classmethod
    def of(cls, member: Member) -> sa.Select["MemberSkill"]:
        """All that `member` says of skills, ready to be listed."""
        return (
            sa.select(cls)
            .where(cls.member_id == member.id, sa.or_(cls.shows, cls.wants))
            .options(joinedload(cls.skill).options(*Skill.to_name()))
            .order_by(cls.id)
        )

    @classmethod
    def showing(cls, skill: Skill, viewer: Viewer) -> sa.Select["MemberSkill"]:
        """Who can show `skill`, as far as `viewer` may see, in an order that gives nobody the top."""
        return cls._of_skill(skill, viewer).where(cls.shows)

    @classmethod
    def wanting(cls, skill: Skill, viewer: Viewer) -> sa.Select["MemberSkill"]:
        """Who waits to learn `skill`, as far as `viewer` may see, longest waiting first."""
        return cls._of_skill(skill, viewer).where(cls.wants)

    @classmethod
    def _of_skill(cls, skill: Skill, viewer: Viewer) -> sa.Select["MemberSkill"]:
        return (
            sa.select(cls)
            .join(cls.member)
            .where(cls.skill_id == skill.id, sa.not_(cls.hidden), visible_members(viewer))
            .options(joinedload(cls.member))
            .order_by(cls.shows_since, cls.wants_since, cls.id)
        )
