"""The same form sent twice makes one thing: which form was answered with which page."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from skillshare import clock, limits
from skillshare.db import Base, db

from .members import Member


class Once(Base):
    """A form that has done its work, by the random key it carried, and where its sender was sent."""

    __tablename__ = "once"
    __table_args__ = (sa.UniqueConstraint("member_id", "key"),)

    member_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(sa.String(43))
    location: Mapped[str] = mapped_column(sa.String(500))

    @classmethod
    def location_of(cls, member: Member, key: str) -> str | None:
        """Where the first sending of this form went; None when it is new."""
        return db.session.scalar(sa.select(cls.location).where(cls.member_id == member.id, cls.key == key))

    @classmethod
    def forget(cls, before: datetime | None = None) -> None:
        """Drop keys older than `limits.ONCE_KEPT`."""
        db.session.execute(sa.delete(cls).where(cls.created_at < (before or clock.now() - limits.ONCE_KEPT)))
