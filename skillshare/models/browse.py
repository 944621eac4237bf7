"""Walking along the catalogue: lists by topic, a skill's own page, names while somebody types.

Not here: finding by words of the texts (`search/`), names near to another (`lists.py`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, aliased, contains_eager, joinedload, selectinload

from skillshare import limits
from skillshare.db import db

from .knowhow import MemberSkill
from .members import Member
from .skills import LinkKind, Skill, SkillLink, SkillName, SkillState, SkillText, Topic, folded
from .visibility import ANY_MEMBER, AnyMember, Viewer, listed_owners

SHUFFLE = 7_919, 1_009  # two primes: neighbours on the shelf land far apart
LAST_CHARACTER = "\U0010ffff"
# Made once: an alias costs more to make than the query that it stands in.
Mine, Own, First = aliased(MemberSkill), aliased(SkillText), aliased(SkillText)


@dataclass(frozen=True)
class Suggestion:
    """A skill for somebody who types: what it is called, and which of its names they were typing."""

    slug: str
    name: str
    matched: str
    topic: str


@dataclass(frozen=True)
class SkillPage:
    """A skill with all that its page says of it to one viewer: what they said of it, and how many wait to learn it."""

    skill: Skill
    mine: MemberSkill | None
    waiting: int


def skill_page(slug: str, viewer: Viewer) -> SkillPage | None:
    """The page of a skill, in two queries. None when there is no such skill in the catalogue."""
    found = db.session.execute(_page_of_a_skill(viewer.kind), {**viewer.as_any_member, "slug": slug})
    row = found.unique().one_or_none()
    return SkillPage(*row) if row else None


def by_name(locale: str, topic: str | None = None) -> sa.Select[Skill]:
    """The skills of one topic (by its slug), or of all, by their name for a reader of `locale`; ready to be listed."""
    query = (
        Skill.listed()
        .join(Skill.topic)
        .outerjoin(Own, sa.and_(Own.skill_id == Skill.id, Own.locale == locale))
        .outerjoin(First, sa.and_(First.skill_id == Skill.id, First.locale == Skill.locale))
        .options(contains_eager(Skill.topic))
        .order_by(sa.func.lower(sa.func.coalesce(Own.name, First.name)), Skill.id)
    )
    return query.where(Topic.slug == topic) if topic is not None else query


def suggestions(typed: str, locale: str, most: int = limits.SUGGESTIONS) -> list[Suggestion]:
    """At most `most` skills for what somebody typed: names in `locale` that begin so, then those that contain it."""
    key = folded(typed)
    if not key:
        return []
    found: dict[str, Suggestion] = {}
    for condition in (_begins(SkillName.folded, key), SkillName.folded.contains(key, autoescape=True)):
        if len(found) < most:
            for suggestion in _suggested(condition, locale, most):
                found.setdefault(suggestion.slug, suggestion)
    return list(found.values())[:most]


def beside(skill_ids: Collection[int], day: int, limit: int) -> sa.Select[int]:
    """The ids of skills that stand beside these: linked with them either way, then others on their shelf.

    Whoever comes first on a shelf changes from `day` to day.
    """
    linked = sa.union(
        sa.select(SkillLink.to_skill_id).where(SkillLink.from_skill_id.in_(skill_ids)),
        sa.select(SkillLink.from_skill_id).where(SkillLink.to_skill_id.in_(skill_ids)),
    )
    shelves = sa.select(Skill.topic_id).where(Skill.id.in_(skill_ids))
    is_linked = Skill.id.in_(linked)
    return (
        sa.select(Skill.id)
        .where(Skill.id.not_in(skill_ids), Skill.state != SkillState.ARCHIVED, is_linked | Skill.topic_id.in_(shelves))
        .order_by(is_linked.desc(), (Skill.id * SHUFFLE[0] + day) % SHUFFLE[1], Skill.id)
        .limit(limit)
    )


@cache
def _page_of_a_skill(viewer: Viewer | AnyMember) -> sa.Select[*tuple[Any, ...]]:
    first = joinedload(Skill.links.and_(SkillLink.kind == LinkKind.FIRST_LEARN)).joinedload(SkillLink.to_skill)
    return (
        sa.select(Skill, Mine, _waiting(viewer))
        .outerjoin(Mine, sa.and_(Mine.skill_id == Skill.id, Mine.member_id == ANY_MEMBER.id))
        .where(Skill.slug == sa.bindparam("slug", type_=sa.String()), Skill.state != SkillState.ARCHIVED)
        .options(
            joinedload(Skill.topic),
            joinedload(Skill.texts),
            selectinload(Skill.names),
            first.joinedload(Skill.texts),
        )
    )


def _suggested(condition: sa.ColumnElement[bool], locale: str, most: int) -> list[Suggestion]:
    rows = db.session.execute(
        sa.select(Skill.slug, sa.func.coalesce(Own.name, First.name), SkillName.text, Topic)
        .select_from(SkillName)
        .join(SkillName.skill)
        .join(Skill.topic)
        .outerjoin(Own, sa.and_(Own.skill_id == Skill.id, Own.locale == locale))
        .outerjoin(First, sa.and_(First.skill_id == Skill.id, First.locale == Skill.locale))
        .where(condition, SkillName.locale == locale, Skill.state != SkillState.ARCHIVED)
        .order_by(SkillName.folded)
        .limit(most * 3)  # several names of one skill may match
    )
    return [Suggestion(slug, name, matched, topic.name(locale)) for slug, name, matched, topic in rows]


def _begins(column: InstrumentedAttribute[str], key: str) -> sa.ColumnElement[bool]:
    """SQL: the column begins with `key`. SQLite compares bytes, so that a range finds it in the index."""
    if db.session.connection().dialect.name == "sqlite":
        return sa.and_(column >= key, column < key + LAST_CHARACTER)
    return column.startswith(key, autoescape=True)


def _waiting(viewer: Viewer | AnyMember) -> sa.ScalarSelect[int]:
    """SQL: how many members that exist for `viewer` wait to learn the skill of the query around it."""
    return (
        sa.select(sa.func.count(MemberSkill.id))
        .join(Member, Member.id == MemberSkill.member_id)
        .where(
            MemberSkill.skill_id == Skill.id,
            MemberSkill.wants,
            sa.not_(MemberSkill.hidden),
            listed_owners(viewer),
        )
        .correlate(Skill)
        .scalar_subquery()
    )
