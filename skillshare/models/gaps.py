"""What people looked for and did not find, counted by words, area and month; and what some have waited for long.

No person is kept. To know whether enough different people looked, each month has a random salt and marks made with
it; both are thrown away when the month is over, and the numbers stay. Not here: what counts as not found
(`search/gaps.py`).
"""

import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from skillshare import clock, limits
from skillshare.db import Base, db, insert

from .listings import Want
from .members import Member
from .visibility import Viewer

SALT_BYTES, MARK_BYTES = 32, 12


class Sought(NamedTuple):
    """Words without case and accents that were looked for in an area (public id, empty: anywhere) in a month."""

    term: str
    area: str
    month: date


@dataclass
class Tally:
    """How often, on which days by somebody signed in, and by which members; `said` is how the words were written."""

    said: str
    times: int = 0
    days: set[date] = field(default_factory=set)
    member_ids: set[int] = field(default_factory=set)


class Gap(NamedTuple):
    """One thing that people looked for in vain: how it was written, the area, how often and on how many days."""

    term: str
    said: str
    area: str
    times: int
    days: int


class SearchGap(Base):
    """How often something was looked for in one month, on how many days, and by how many different members."""

    __tablename__ = "search_gap"
    __table_args__ = (sa.UniqueConstraint("term", "area", "month"),)

    term: Mapped[str] = mapped_column(sa.String(limits.GAP_TERM))
    area: Mapped[str] = mapped_column(sa.String(22), default="")
    month: Mapped[date] = mapped_column(index=True)
    said: Mapped[str] = mapped_column(sa.String(limits.GAP_TERM))
    times: Mapped[int] = mapped_column(default=0)
    days: Mapped[int] = mapped_column(default=0)
    members: Mapped[int] = mapped_column(default=0)

    @classmethod
    def count(cls, tallies: Mapping[Sought, Tally], today: date, secret: str) -> None:
        """Add what was looked for. Several may count at once: nothing is lost, and nobody counts twice.

        Names and handles of members are left out. Of a month that is over only `times` is added; and visitors only add
        to words that a member looked for too, or anybody could fill the table. `secret` is the instance's own, and
        not in the database: who has only that cannot try out all members against the marks.
        """
        words = {word for sought, tally in tallies.items() for word in (sought.term, tally.said)}
        named = _naming_somebody(words)
        for sought, tally in sorted(tallies.items(), key=lambda counted: counted[0]):
            if named & {sought.term, tally.said}:
                continue
            if not tally.member_ids:
                cls._add_more(sought, tally.times)
                continue
            gap_id = cls._add(sought, tally)
            if sought.month == first_of_month(today):
                cls._mark(gap_id, tally, f"{GapSalt.of(sought.month)}{secret}")

    @classmethod
    def shown(cls, today: date, limit: int = limits.GAPS_SHOWN) -> list[Gap]:
        """What may be shown, most often first: where in some month enough members looked, on enough days."""
        since = first_of_month(today) - limits.GAP_SHOWN_FOR
        times = sa.func.sum(cls.times)
        rows = db.session.execute(
            sa.select(cls.term, sa.func.max(cls.said), cls.area, times, sa.func.sum(cls.days))
            .where(cls.month >= since)
            .group_by(cls.term, cls.area)
            .having(sa.func.max(sa.case((cls._enough(), 1), else_=0)) == 1)
            .order_by(times.desc(), cls.term, cls.area)
            .limit(limit)
        )
        return [Gap(*row) for row in rows]

    @classmethod
    def forget(cls, today: date) -> None:
        """Of months that are over, throw away the salts, the marks and what too few looked for; and all of long ago."""
        month = first_of_month(today)
        over = sa.select(cls.id).where(cls.month < month)
        db.session.execute(sa.delete(GapMark).where(GapMark.gap_id.in_(over)))
        db.session.execute(sa.delete(GapSalt).where(GapSalt.month < month))
        too_few = sa.and_(cls.month < month, sa.not_(cls._enough()))
        db.session.execute(sa.delete(cls).where(sa.or_(too_few, cls.month < month - limits.GAP_KEPT)))

    @classmethod
    def _enough(cls) -> sa.ColumnElement[bool]:
        return sa.and_(cls.members >= limits.GAP_MEMBERS, cls.days >= limits.GAP_DAYS)

    @classmethod
    def _add_more(cls, sought: Sought, times: int) -> None:
        here = sa.and_(cls.term == sought.term, cls.area == sought.area, cls.month == sought.month)
        more = sa.update(cls).where(here).values(times=cls.times + times)
        db.session.execute(more.execution_options(synchronize_session=False))

    @classmethod
    def _add(cls, sought: Sought, tally: Tally) -> int:
        """Add to `times`; the row's id. The row is ours until the commit, so that marks are counted one by one."""
        row = {**sought._asdict(), "said": tally.said, "times": tally.times, "days": 0, "members": 0}
        statement = insert(cls).values(row)
        again = {"times": cls.times + statement.excluded.times, "updated_at": clock.now()}
        key = ["term", "area", "month"]
        upsert = statement.on_conflict_do_update(index_elements=key, set_=again).returning(cls.id)
        return int(db.session.execute(upsert).scalar_one())

    @classmethod
    def _mark(cls, gap_id: int, tally: Tally, salt: str) -> None:
        marks = [("day", day.isoformat()) for day in tally.days]
        marks += [("member", _mark(salt, gap_id, member_id)) for member_id in tally.member_ids]
        for kind, mark in sorted(marks):
            row = {"gap_id": gap_id, "kind": kind, "mark": mark}
            db.session.execute(insert(GapMark).values(row).on_conflict_do_nothing())

        def how_many(kind: str) -> sa.ScalarSelect[int]:
            return (
                sa.select(sa.func.count(GapMark.id))
                .where(GapMark.gap_id == gap_id, GapMark.kind == kind)
                .scalar_subquery()
            )

        counted = sa.update(cls).where(cls.id == gap_id).values(days=how_many("day"), members=how_many("member"))
        db.session.execute(counted.execution_options(synchronize_session=False))


class GapMark(Base):
    """That it was looked for on a day, or by one more member; which member cannot be read without the month's salt."""

    __tablename__ = "gap_mark"
    __table_args__ = (sa.UniqueConstraint("gap_id", "kind", "mark"),)

    gap_id: Mapped[int] = mapped_column(sa.ForeignKey("search_gap.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(sa.String(10))
    mark: Mapped[str] = mapped_column(sa.String(2 * MARK_BYTES))


class GapSalt(Base):
    """The random salt of a month."""

    __tablename__ = "gap_salt"

    month: Mapped[date] = mapped_column(unique=True)
    salt: Mapped[str] = mapped_column(sa.String(2 * SALT_BYTES))

    @classmethod
    def of(cls, month: date) -> str:
        """The salt of this month, made when it is first asked for; the same for all who ask at once."""
        row = {"month": month, "salt": secrets.token_hex(SALT_BYTES)}
        db.session.execute(insert(cls).values(row).on_conflict_do_nothing())
        return str(db.session.execute(sa.select(cls.salt).where(cls.month == month)).scalar_one())


def wants_waiting(viewer: Viewer) -> sa.Select[Want]:
    """What people asked for more than `limits.WAITED_LONG` ago and still wait for, the longest first."""
    long_ago = clock.now() - limits.WAITED_LONG
    return Want.open_to(viewer).where(Want.created_at < long_ago).order_by(None).order_by(Want.created_at, Want.id)


def first_of_month(day: date) -> date:
    """The month of a day, by its first day."""
    return day.replace(day=1)


def _mark(salt: str, gap_id: int, member_id: int) -> str:
    said = f"{gap_id}:{member_id}".encode()
    return hmac.new(salt.encode(), said, lambda: blake2b(digest_size=MARK_BYTES)).hexdigest()


def _naming_somebody(words: Collection[str]) -> set[str]:
    """Those of these words that are a member's handle or name: people are not what is missing."""
    handles = sa.select(Member.handle).where(Member.handle.in_(words))
    names = sa.select(sa.func.lower(Member.name)).where(sa.func.lower(Member.name).in_(words))
    return set(db.session.scalars(sa.union_all(handles, names)))
