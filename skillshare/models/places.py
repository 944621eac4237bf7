"""Areas: the coarse places people name (a street, a district, "online"). Never an exact point."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from skillshare import limits
from skillshare.db import Base, Public, db


class Area(Public, Base):
    """A place as the community calls it. Set by the community; nothing finer is kept about where a member lives."""

    __tablename__ = "area"

    name: Mapped[str] = mapped_column(sa.String(limits.NAME), unique=True)
    note: Mapped[str] = mapped_column(sa.String(limits.LINE), default="")
    position: Mapped[int] = mapped_column(default=0)

    @classmethod
    def listed(cls) -> sa.Select["Area"]:
        """All areas, in the order the community gave them."""
        return sa.select(cls).order_by(cls.position, cls.name)

    @classmethod
    def add(cls, name: str) -> "Area":
        """The area called `name`, put last on the list when it is new."""
        area = db.session.scalar(sa.select(cls).where(cls.name == name))
        if area is None:
            area = cls(name=name, position=db.session.scalar(sa.select(sa.func.count(cls.id))))
            db.session.add(area)
            db.session.flush()
        return area

    @classmethod
    def near(cls, area_id: int | sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
        """SQL: this area, and those beside it."""
        beside, other = AreaBeside.area_id, AreaBeside.other_id
        return sa.or_(
            cls.id == area_id,
            cls.id.in_(sa.select(other).where(beside == area_id)),
            cls.id.in_(sa.select(beside).where(other == area_id)),
        )

    def lies_beside(self, other: "Area") -> None:
        """Say that one can walk from here to `other`, and back. Twice is once; an area is not beside itself."""
        first, second = sorted((self.id, other.id))
        pair = sa.select(AreaBeside.id).where(AreaBeside.area_id == first, AreaBeside.other_id == second)
        if first != second and db.session.scalar(pair) is None:
            db.session.add(AreaBeside(area_id=first, other_id=second))
            db.session.flush()

    def __str__(self) -> str:
        return self.name


class AreaBeside(Base):
    """Two areas side by side. One row a pair, the older area first: so it holds both ways or not at all."""

    __tablename__ = "area_beside"
    __table_args__ = (
        sa.UniqueConstraint("area_id", "other_id"),
        sa.CheckConstraint("area_id < other_id", name="older_first"),
    )

    area_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id", ondelete="CASCADE"))
    other_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id", ondelete="CASCADE"), index=True)
