"""Areas: the coarse places people name (a street, a district, "online"). Never an exact point."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from skillshare import limits
from skillshare.db import Base, Public


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

    def __str__(self) -> str:
        return self.name
