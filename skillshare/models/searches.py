"""Searches that go on by themselves: those a member saved, and every want. What they find, once for each thing.

A want needs no saving: a row is made for it, and for each "me too", when there is something to keep. What a search
asks is kept as it was asked; how it is answered is not known here (`search/alerts.py`), nor how its finds are told
(`mail.py`): a find only says from when on it may be. Finds that cannot be shown when their time comes are forgotten,
so that they can be found again. Not here: what wants are answered by (`finds.py`).
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, column_property, contains_eager, joinedload, mapped_column, relationship, undefer

from skillshare import clock, limits
from skillshare.db import Base, Public, choice, db, insert
from skillshare.errors import NotAllowed, RuleBroken

from .listings import ListingState, MeToo, Want
from .members import Member, MemberState
from .notices import FINDS, KINDS, Channel, NoticeChoice
from .outbox import Outbox
from .visibility import Viewer


class SavedSearch(Public, Base):
    """A search of a member that goes on, or what they wait for with a want; and when they want to hear of it.

    `boxes` are the ticked boxes, values by group. `same` is equal for equal searches. Without a `how` of its own the
    member's notices say. `is_broad`: it found more at first than is remembered, and only newer things count.
    `due_at` is when it is to be looked at next; None until there is news (`now`), never (`off`), or for a want.
    """

    __tablename__ = "saved_search"
    __table_args__ = (sa.UniqueConstraint("member_id", "same"), sa.Index("ix_saved_search_due_at", "due_at"))

    member_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"))
    want_id: Mapped[int | None] = mapped_column(sa.ForeignKey("want.id", ondelete="CASCADE"), index=True)
    same: Mapped[str] = mapped_column(sa.String(64))
    q: Mapped[str] = mapped_column(sa.String(limits.QUERY), default="")
    boxes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    how: Mapped[Channel | None] = mapped_column(choice(Channel))
    is_broad: Mapped[bool] = mapped_column(default=False)
    last_run_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]

    member: Mapped[Member] = relationship(lazy="raise")
    want: Mapped[Want | None] = relationship(lazy="raise")

    if TYPE_CHECKING:
        heard: Mapped[Channel]  # when its member hears of it: its own choice, else that for all finds; further down
        last_found_at: Mapped[datetime | None]  # when it last found something new; further down

    @classmethod
    def save(
        cls, *, by: Member, q: str, boxes: Mapping[str, Collection[str]], how: Channel = Channel.DAILY
    ) -> "SavedSearch":
        """Tell `by` from now on when something new answers this search. The same search again only changes `how`.

        Raises `NotAllowed` before the account is open, `RuleBroken` for nothing asked, or for one too many.
        """
        if not by.is_active:
            raise NotAllowed
        kept = {group: sorted(values) for group, values in sorted(boxes.items()) if values}
        if not q and not kept:
            raise RuleBroken(_("Say first what you look for."), field="q")
        db.session.execute(sa.select(Member.id).where(Member.id == by.id).with_for_update())  # one at a time
        search = cls.like(by, q, kept)
        if search is None:
            _check_room(by)
            search = cls(member_id=by.id, q=q, boxes=kept, same=_same(q, kept), due_at=clock.now())
            db.session.add(search)
        search.choose(how, by=by)
        return search

    @classmethod
    def like(cls, member: Member, q: str, boxes: Mapping[str, Collection[str]]) -> "SavedSearch | None":
        """The same search, where `member` has saved it."""
        return db.session.scalar(cls.of(member).where(cls.same == _same(q, boxes)))

    @classmethod
    def for_want(cls, want: Want, *, by: Member) -> "SavedSearch":
        """What `by`, who asked for it or said "me too", waits for with this want."""
        make_for_wants([(want.id, by.id)])
        return db.session.scalars(_kept_by(by).where(cls.want_id == want.id)).one()

    @classmethod
    def of(cls, member: Member) -> sa.Select["SavedSearch"]:
        """What `member` saved, newest first. Wants are not among them."""
        return _kept_by(member).where(cls.want_id.is_(None)).order_by(cls.id.desc())

    @classmethod
    def to_be_stopped(cls, public_id: str) -> sa.Select["SavedSearch"]:
        """What somebody stops who has the address for it from a mail, with whose it is."""
        return sa.select(cls).where(cls.public_id == public_id).options(joinedload(cls.member))

    @classmethod
    def of_wants(cls, member: Member) -> sa.Select["SavedSearch"]:
        """What `member` waits for with wants, as far as anything is kept for it."""
        return _kept_by(member).where(cls.want_id.is_not(None))

    @classmethod
    def due(cls, member_id: int) -> sa.Select["SavedSearch"]:
        """What is to be looked at now for one member, who may act."""
        return (
            sa.select(cls)
            .join(cls.member)
            .where(
                cls.member_id == member_id,
                cls.want_id.is_(None),
                cls.due_at <= clock.now(),
                Member.state == MemberState.ACTIVE,
            )
            .options(joinedload(cls.member))
            .order_by(cls.due_at, cls.id)
        )

    def choose(self, how: Channel, *, by: Member) -> None:
        """Hear of what it finds this way; of what was found and not told yet, too."""
        if by.id != self.member_id:
            raise NotAllowed
        self.how = how
        db.session.flush()
        db.session.expire(self, ["heard"])
        retime(by, SavedSearch.id == self.id)

    def remove(self, *, by: Member) -> None:
        """Look for it no more, and forget what it found."""
        if by.id != self.member_id:
            raise NotAllowed
        db.session.delete(self)


class SavedMatch(Base):
    """A thing that a search found, by its key in the index: once, however often and by whomever it is looked for.

    `tell_at` is from when on it may be told; None for what was there before the search was saved, and is no news.
    """

    __tablename__ = "saved_match"
    __table_args__ = (
        sa.UniqueConstraint("saved_search_id", "key"),
        sa.Index("ix_saved_match_member_id_told_at", "member_id", "told_at", "tell_at"),
    )

    saved_search_id: Mapped[int] = mapped_column(sa.ForeignKey("saved_search.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(sa.String(40))
    tell_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]

    search: Mapped[SavedSearch] = relationship(lazy="raise")

    @classmethod
    def untold(cls, member_id: int) -> sa.Select["SavedMatch"]:
        """What may be told to a member now: not of searches switched off, nor of wants that do not stand any more."""
        return (
            sa.select(cls)
            .join(cls.search)
            .outerjoin(SavedSearch.want)
            .where(*_waits(member_id), cls.tell_at <= clock.now(), SavedSearch.heard != Channel.OFF, _stands())
            .options(contains_eager(cls.search).contains_eager(SavedSearch.want).options(*Want.to_list_unnamed()))
            .order_by(cls.saved_search_id, cls.id)
            .limit(limits.FOUND_AT_ONCE)
        )

    @classmethod
    def not_before(cls, member_id: int, now: datetime) -> datetime:
        """When a mail may leave, `now` or later: a while after the last, `limits.FINDS_MAILS_A_DAY` in 24 hours."""
        day = timedelta(days=1)
        told = sa.select(cls.told_at).where(cls.member_id == member_id, cls.told_at > now - day).distinct()
        times = [
            at for at in db.session.scalars(told.order_by(cls.told_at.desc()).limit(limits.FINDS_MAILS_A_DAY)) if at
        ]
        if len(times) == limits.FINDS_MAILS_A_DAY:
            return times[-1] + day
        return max(now, times[0] + limits.LOOK_AGAIN) if times else now

    @classmethod
    def were_told(cls, member_id: int, keys: Collection[str]) -> None:
        """These things were told to a member: whatever else found them has nothing to add."""
        told = sa.update(cls).where(*_waits(member_id), cls.key.in_(keys)).values(told_at=clock.now())
        db.session.execute(told.execution_options(synchronize_session=False))

    @classmethod
    def forget(cls, ids: Iterable[int]) -> None:
        """These could not be shown when their time came: another day they may be found again."""
        for some in chunks(sorted(ids)):
            gone = sa.delete(cls).where(cls.id.in_(some))
            db.session.execute(gone.execution_options(synchronize_session=False))


# Both are asked for with every search: one is what everything else goes by, the other is cheap by its index.
SavedSearch.heard = column_property(
    sa.func.coalesce(
        SavedSearch.how,
        sa.select(NoticeChoice.channel)
        .where(NoticeChoice.member_id == SavedSearch.member_id, NoticeChoice.kind == FINDS)
        .scalar_subquery(),
        sa.literal(KINDS[FINDS].default, choice(Channel)),
    )
)
SavedSearch.last_found_at = column_property(
    sa.select(sa.func.max(SavedMatch.created_at))
    .where(SavedMatch.saved_search_id == SavedSearch.id, SavedMatch.tell_at.is_not(None))
    .scalar_subquery(),
    deferred=True,
)


def awaited_by(viewer: Viewer) -> sa.Select[Want]:
    """What a member waits for: open wants of their own, and those they said "me too" to, newest first, to be listed."""
    me_toos = sa.select(MeToo.want_id).where(MeToo.member_id == viewer.id)
    return Want.open_to(viewer).where(sa.or_(Want.member_id == viewer.id, Want.id.in_(me_toos)))


def hear(kind: str, channel: Channel, *, by: Member) -> None:
    """From now on `by` hears of this kind this way; of finds, where a search has no choice of its own."""
    NoticeChoice.choose(kind, channel, by=by)
    if kind == FINDS:
        retime(by, SavedSearch.how.is_(None))


def hear_no_more(kind: str, *, by: Member) -> None:
    """No mail of this kind any more; of finds, whatever was chosen for a search before."""
    if kind == FINDS:
        db.session.execute(sa.update(SavedSearch).where(SavedSearch.member_id == by.id).values(how=None))
    hear(kind, Channel.OFF, by=by)


def looked_at(
    search: SavedSearch, new: Collection[str], known: Collection[str] = (), *, began: datetime, broad: bool = False
) -> None:
    """A saved search was answered, as things stood when that `began`: with what is new, and what was there before.

    What was found when its time had come may be told at once. If it was woken meanwhile, it stays due.
    """
    how, first = search.heard, search.last_run_at is None
    later = next_time(how, search.member.zone)
    tell_at = later if first else clock.now()
    add_matches([(search.id, search.member_id, key, None) for key in known])
    if tell_at is not None:
        add_matches([(search.id, search.member_id, key, tell_at) for key in new])
    again = sa.literal(None if how is Channel.NOW else later, SavedSearch.due_at.type)
    db.session.execute(
        sa.update(SavedSearch)
        .where(SavedSearch.id == search.id)
        .values(
            last_run_at=began,
            is_broad=broad if first else search.is_broad,
            due_at=sa.case((SavedSearch.due_at == search.due_at, again), else_=SavedSearch.due_at),
        )
        .execution_options(synchronize_session=False)
    )


def wake() -> None:
    """Something can be found anew: who wants to hear of it now has their searches looked at, every few minutes."""
    now = clock.now()
    asleep = sa.or_(SavedSearch.due_at.is_(None), SavedSearch.due_at <= now)
    rows = db.session.execute(
        sa.select(SavedSearch.id, SavedSearch.member_id, SavedSearch.last_run_at).where(
            SavedSearch.want_id.is_(None),
            SavedSearch.heard == Channel.NOW,
            asleep,
            SavedSearch.last_run_at.is_not(None),
        )
    ).all()
    if rows:
        due = [{"id": row.id, "due_at": max(now, row.last_run_at + limits.LOOK_AGAIN)} for row in rows]
        db.session.execute(sa.update(SavedSearch), due)
        schedule({row.member_id for row in rows})


def catch_up() -> None:
    """Have the worker come back to those whose time passed an hour ago, whatever became of its wish to."""
    late = sa.select(SavedSearch.member_id).join(SavedSearch.member)
    late = late.where(SavedSearch.due_at < clock.now() - timedelta(hours=1), Member.state == MemberState.ACTIVE)
    schedule(set(db.session.scalars(late.distinct())))


def schedule(
    member_ids: Collection[int], *, after: datetime | None = None, at_the_latest: datetime | None = None
) -> None:
    """Have the worker come back to these members when something is due next; `after`: later than that only."""
    for some in chunks(sorted(member_ids)):
        searches = sa.select(SavedSearch.member_id, SavedSearch.due_at.label("at")).where(
            SavedSearch.want_id.is_(None), SavedSearch.due_at.is_not(None), SavedSearch.member_id.in_(some)
        )
        finds = sa.select(SavedMatch.member_id, SavedMatch.tell_at.label("at")).where(
            SavedMatch.told_at.is_(None), SavedMatch.tell_at.is_not(None), SavedMatch.member_id.in_(some)
        )
        both = sa.union_all(searches, finds).subquery()
        query = sa.select(both.c.member_id, sa.func.min(both.c.at)).group_by(both.c.member_id)
        if after is not None:
            query = query.where(both.c.at > after)
        due = {str(member_id): at for member_id, at in db.session.execute(query)}
        if at_the_latest is not None:
            due = {str(member_id): min(at_the_latest, due.get(str(member_id), at_the_latest)) for member_id in some}
        Outbox.put_at(FINDS, due)


def add_matches(found: Iterable[tuple[int, int, str, datetime | None]]) -> None:
    """Keep what was found, as (search, member, key, tell_at); what is kept already stays as it is."""
    rows = [
        {"saved_search_id": search_id, "member_id": member_id, "key": key, "tell_at": tell_at}
        for search_id, member_id, key, tell_at in found
    ]
    if rows:
        once = insert(SavedMatch).on_conflict_do_nothing(index_elements=["saved_search_id", "key"])
        db.session.execute(once, rows)


def make_for_wants(waiting: Iterable[tuple[int, int]]) -> None:
    """See that there is a row for each want and member who waits with it."""
    rows = [{"want_id": want_id, "member_id": member_id, "same": f"want:{want_id}"} for want_id, member_id in waiting]
    if rows:
        once = insert(SavedSearch).on_conflict_do_nothing(index_elements=["member_id", "same"])
        db.session.execute(once, rows)


def retime(member: Member, which: sa.ColumnElement[bool]) -> None:
    """Another choice holds for these searches of a member: look at them, and tell what is not told, when that says."""
    rows = db.session.execute(
        sa.select(SavedSearch.id, SavedSearch.want_id, SavedSearch.last_run_at, SavedSearch.heard).where(
            SavedSearch.member_id == member.id, which
        )
    ).all()
    for row in rows:
        tell_at = next_time(row.heard, member.zone)
        untold = SavedMatch.saved_search_id == row.id, SavedMatch.told_at.is_(None), SavedMatch.tell_at.is_not(None)
        if tell_at is None:
            db.session.execute(sa.delete(SavedMatch).where(*untold))
        else:
            db.session.execute(sa.update(SavedMatch).where(*untold).values(tell_at=tell_at))
        if row.want_id is None and row.last_run_at is not None:
            db.session.execute(sa.update(SavedSearch).where(SavedSearch.id == row.id).values(due_at=tell_at))
    schedule([member.id])


def next_time(how: Channel, zone: str) -> datetime | None:
    """When something found now may be told: at once, or at a civil hour where its reader lives; None: never."""
    if how is Channel.OFF:
        return None
    now = clock.now()
    if how is Channel.NOW:
        return now
    own = ZoneInfo(zone)
    day = now.astimezone(own).date()
    if how is Channel.WEEKLY:
        day += timedelta(days=-day.weekday() % 7)
    at = datetime.combine(day, time(limits.CIVIL_HOUR), own)
    if at <= now:
        at = datetime.combine(day + timedelta(days=7 if how is Channel.WEEKLY else 1), time(limits.CIVIL_HOUR), own)
    return at


def chunks(ids: list[int]) -> Iterator[list[int]]:
    """As many at once as a statement takes."""
    for first in range(0, len(ids), limits.IDS_AT_ONCE):
        yield ids[first : first + limits.IDS_AT_ONCE]


def _kept_by(member: Member) -> sa.Select[SavedSearch]:
    return sa.select(SavedSearch).where(SavedSearch.member_id == member.id).options(undefer(SavedSearch.last_found_at))


def _waits(member_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    """SQL: found for this member, news, and not told."""
    return SavedMatch.member_id == member_id, SavedMatch.told_at.is_(None), SavedMatch.tell_at.is_not(None)


def _stands() -> sa.ColumnElement[bool]:
    """SQL: saved by its member; or a want that is open, and which its member asked for or still waits for too."""
    me_too = sa.exists().where(MeToo.want_id == SavedSearch.want_id, MeToo.member_id == SavedSearch.member_id)
    waits = sa.or_(Want.member_id == SavedSearch.member_id, me_too)
    return sa.or_(SavedSearch.want_id.is_(None), sa.and_(Want.state == ListingState.OPEN, Want.not_lapsed(), waits))


def _check_room(by: Member) -> None:
    kept = sa.select(sa.func.count()).where(SavedSearch.member_id == by.id, SavedSearch.want_id.is_(None))
    if (db.session.scalar(kept) or 0) >= limits.SAVED_SEARCHES:
        raise RuleBroken(
            _("You keep %(number)s searches already. Remove one that you do not need.", number=limits.SAVED_SEARCHES)
        )


def _same(q: str, boxes: Mapping[str, Collection[str]]) -> str:
    """Equal for searches that ask the same: without regard to case, order of boxes, or spaces."""
    asked = [" ".join(q.split()).casefold(), sorted((group, sorted(some)) for group, some in boxes.items() if some)]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()
