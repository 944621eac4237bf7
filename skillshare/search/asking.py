"""What a reader asks: words typed and boxes ticked, made into one request to an engine.

Who may find what is part of the request. Blocks are asked of the database each time and left out by owner, so hits,
counts and suggestions are exact for blocked pairs whatever the index holds. How far a hidden member's page reaches
stands in the index (see `documents.owner_only`) and is checked again when rows are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any, Self
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from skillshare import clock, limits
from skillshare.db import db
from skillshare.models.members import Member, SeenAs
from skillshare.models.places import Area
from skillshare.models.skills import Topic
from skillshare.models.visibility import Viewer

from .documents import EVENING, LISTED, MEMBERS, owner_only
from .engine import KINDS, Filters, Half, SearchRequest
from .parser import ParsedQuery, parse

WHERE = ("in_person", "online")
WHEN = ("week", "month", "weekday", "weekend", EVENING)
NEAR = "near"
"""Among the areas: the reader's own and those beside it."""
HALVES = ("practice", "theory")
BOXES = ("kind", "when", "left", "where", "area", "half", "topic", "language")
"""The groups of boxes, by the name they have in an address, in the order of the page."""
COUNTED = ("kind", "where", "area", "topic", "language")
"""Those of them whose boxes have counts."""


@dataclass(frozen=True)
class Shelves:
    """What may be ticked that the community named: topics by slug, areas by public id, in their order.

    `near` are the areas that one member lives in or beside.
    """

    topics: Mapping[str, str]
    areas: Mapping[str, str]
    near: frozenset[str] = frozenset()

    @classmethod
    def load(cls, locale: str, home: int | None = None) -> Self:
        """All of them, and what is near for who lives in the area with the id `home`; in one query."""
        found: dict[str, dict[str, str]] = {"topic": {}, "area": {}, NEAR: {}}
        rows: list[Any] = list(db.session.execute(_shelves(home is not None), {"home": home}))
        rows.sort(key=lambda row: (row[4], row[3], row[1]))
        for group, value, names, name, _ in rows:
            found[group][value] = name or names.get(locale) or names.get("en") or value
        return cls(found["topic"], found["area"], frozenset(found[NEAR]))


@cache
def _shelves(with_near: bool) -> sa.CompoundSelect[*tuple[Any, ...]]:
    """Everything on the shelves, and what is near `home`. Built once."""
    topics = sa.select(sa.literal("topic"), Topic.slug, Topic.names, sa.literal(""), Topic.position)
    areas = sa.select(sa.literal("area"), Area.public_id, sa.null(), Area.name, Area.position)
    near = sa.select(sa.literal(NEAR), Area.public_id, sa.null(), Area.name, Area.position)
    home = sa.bindparam("home", type_=sa.Integer())
    return sa.union_all(topics, areas, near.where(Area.near(home))) if with_near else sa.union_all(topics, areas)


@dataclass(frozen=True)
class Reader:
    """Who asks, and how they speak. `languages` are those of the instance, each by its code.

    `zone` is the reader's own; at midnight of `home_zone` equals change their order for everybody.
    """

    viewer: Viewer
    locale: str
    zone: str
    languages: Mapping[str, str]
    shelves: Shelves
    home_zone: str = "UTC"


@dataclass(frozen=True)
class Asked:
    """One search: words, ticked boxes by group (only values there are), the order, and which page of it."""

    q: str = ""
    ticked: Filters = field(default_factory=dict)
    soonest: bool = False
    exact: bool = False
    page: int = 1

    def __bool__(self) -> bool:
        return bool(self.q or self.ticked)

    def box(self, group: str) -> frozenset[str]:
        """What is ticked in a group."""
        return self.ticked.get(group, frozenset())

    @property
    def within(self) -> Half | None:
        """The one half to look in; None: in both, and in titles and names."""
        only = self.box("half")
        return None if len(only) != 1 else "practice" if "practice" in only else "theory"

    def parsed(self, reader: Reader) -> ParsedQuery:
        """What the words say. Raises parser.QueryTooLong."""
        areas = {name: value for value, name in reader.shelves.areas.items()}
        languages = {name: code for code, name in reader.languages.items()} | {code: code for code in reader.languages}
        return parse(self.q, areas, languages)

    def without_boxes(self) -> "Asked":
        """The same words, nothing ticked."""
        return replace(self, ticked={}, page=1)


def known_values(reader: Reader) -> dict[str, tuple[str, ...]]:
    """All values of each group of boxes; others are ignored."""
    return {
        "kind": KINDS,
        "when": WHEN,
        "left": ("yes",),
        "where": WHERE,
        "area": ((NEAR,) if reader.shelves.near else ()) + tuple(reader.shelves.areas),
        "half": HALVES,
        "topic": tuple(reader.shelves.topics),
        "language": tuple(reader.languages),
    }


def to_request(asked: Asked, parsed: ParsedQuery, reader: Reader) -> SearchRequest:
    """The request to an engine. Raises TooDeep beyond the first `limits.PAGES_DEEP` hits."""
    filters = dict(parsed.filters)
    for name, ticked in (
        ("topic", asked.box("topic")),
        ("area", areas_asked(asked, reader)),
        ("language", asked.box("language")),
        ("where", asked.box("where")),
        ("time", times_asked(asked)),
    ):
        if ticked:
            filters[name] = ticked | filters.get(name, frozenset())
    start, end = starts_between(asked, parsed, reader.zone)
    return SearchRequest(
        text=parsed.text,
        kinds=asked.box("kind"),
        filters=filters | who_may_find(reader.viewer),
        without=whose_not(reader.viewer),
        starts_from=int(start.timestamp()) if start else None,
        starts_before=int(end.timestamp()) if end else None,
        left=parsed.left or "yes" in asked.box("left"),
        sort="soonest" if asked.soonest else "relevance",
        facets=COUNTED,
        page=asked.page,
        per_page=limits.PAGE_SIZE,
        language=reader.locale,
        exact=asked.exact,
        within=asked.within,
        near=reader.shelves.near,
        now=int(clock.now().timestamp()),
        day=clock.today(reader.home_zone).toordinal(),
    )


def areas_asked(asked: Asked, reader: Reader) -> frozenset[str]:
    """The areas ticked, with what is near in place of its box."""
    ticked = asked.box("area")
    return (ticked - {NEAR}) | reader.shelves.near if NEAR in ticked else ticked


def times_asked(asked: Asked) -> frozenset[str]:
    """What the ticked boxes ask of the start: these days of the week, and in the evening where that is ticked too."""
    ticked = asked.box("when")
    days = ticked & {"weekday", "weekend"}
    if EVENING not in ticked:
        return days
    return frozenset(f"{day}_{EVENING}" for day in days) or frozenset({EVENING})


def who_may_find(viewer: Viewer) -> dict[str, frozenset[str]]:
    """The filter for what is listed for this viewer, apart from blocks."""
    if viewer.member is None:
        return {"audience": frozenset({LISTED})}
    near = {*viewer.partner_ids, *viewer.peer_ids}
    query = sa.select(Member.id).where(Member.id.in_(near), Member.seen_as == SeenAs.HIDDEN)
    hidden = set(db.session.scalars(query)) if near else set()
    return {"audience": frozenset({LISTED, MEMBERS, *map(owner_only, hidden | {viewer.id})})}


def whose_not(viewer: Viewer) -> dict[str, frozenset[str]]:
    """The filter for what belongs to members with a block between them and this viewer, either way."""
    return {"owner": frozenset(map(str, viewer.blocked_ids))} if viewer.blocked_ids else {}


def starts_between(asked: Asked, parsed: ParsedQuery, zone: str) -> tuple[datetime | None, datetime | None]:
    """The bounds of the start, from inclusive to exclusive: all that is ticked together, within what is typed."""
    own = ZoneInfo(zone)
    now = clock.now()
    today = now.astimezone(own).date()
    ends = []
    if "week" in asked.box("when"):
        ends.append(today + timedelta(days=7 - today.weekday()))
    if "month" in asked.box("when"):
        ends.append((today.replace(day=1) + timedelta(days=32)).replace(day=1))
    start, end = (now, _midnight(max(ends), own)) if ends else (None, None)
    if parsed.after:
        start = max(filter(None, (start, _midnight(parsed.after, own))))
    if parsed.before:
        end = min(filter(None, (end, _midnight(parsed.before, own))))
    return start, end


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
