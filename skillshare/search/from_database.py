"""Search without an index: titles and names that contain the words, newest first. For the minutes until it is back.

Slower and plainer than an engine (no counts, no word forms, no other pages), but never wrong about who may see what.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from skillshare import clock, limits
from skillshare.db import db
from skillshare.models.listings import Offer, Want, Where
from skillshare.models.places import Area
from skillshare.models.sessions import SessionSkill, SkillSession
from skillshare.models.skills import Skill, SkillName, SkillState, Topic, folded
from skillshare.models.visibility import Viewer

from .asking import Asked, Reader, starts_between
from .engine import KINDS
from .parser import ParsedQuery

Condition = sa.ColumnElement[bool]


def keys(asked: Asked, parsed: ParsedQuery, reader: Reader) -> list[str]:
    """The keys of the first page; there is no other."""
    if asked.page > 1:
        return []
    found: list[str] = []
    for kind in KINDS:
        if asked.box("kind") and kind not in asked.box("kind"):
            continue
        query = QUERIES[kind](asked, parsed, reader)
        found += [f"{kind}:{id_}" for id_ in db.session.scalars(query.limit(limits.PAGE_SIZE - len(found)))]
    return found


def skills_called(prefix: str, limit: int) -> list[str]:
    """The keys of skills with a name that begins so."""
    name = SkillName.folded.startswith(folded(prefix), autoescape=True)
    return [f"skill:{id_}" for id_ in db.session.scalars(_skill_ids(name).distinct().limit(limit))]


def _skills(asked: Asked, parsed: ParsedQuery, reader: Reader) -> sa.Select[int]:
    query = sa.select(Skill.id).where(Skill.state != SkillState.ARCHIVED).order_by(Skill.id.desc())
    if _asks_for_a_place_or_time(asked, parsed):
        return query.where(sa.false())
    return query.where(
        *_said(parsed, lambda word: Skill.id.in_(_skill_ids(_in_name(word)))), *_on_shelf(asked, Skill.id)
    )


def _listings(model: type[Offer | Want]) -> Callable[[Asked, ParsedQuery, Reader], sa.Select[int]]:
    def query(asked: Asked, parsed: ParsedQuery, reader: Reader) -> sa.Select[int]:
        query = _ids(model, model.open_to, reader.viewer).order_by(model.id.desc())
        if asked.box("when") or parsed.after or parsed.before:
            return query.where(sa.false())
        return query.where(
            *_said(parsed, lambda word: _titled(model, word) | model.skill_id.in_(_skill_ids(_in_name(word)))),
            *_on_shelf(asked, model.skill_id),
            *_placed(asked, model),
        )

    return query


def _sessions(asked: Asked, parsed: ParsedQuery, reader: Reader) -> sa.Select[int]:
    def about(skills: sa.Select[int]) -> Condition:
        rows = sa.select(SessionSkill.skill_session_id).where(SessionSkill.skill_id.in_(skills))
        return SkillSession.id.in_(rows)

    query = _ids(SkillSession, SkillSession.upcoming, reader.viewer).order_by(SkillSession.starts_at)
    start, end = starts_between(asked, parsed, reader.zone)
    conditions = [SkillSession.starts_at >= (start or clock.now() - limits.SESSION_MAX)]
    if end:
        conditions.append(SkillSession.starts_at < end)
    if parsed.left or asked.box("left"):
        conditions.append(SkillSession.capacity > SkillSession.taken)
    if asked.box("topic"):
        conditions.append(about(_of_topics(asked)))
    return query.where(
        *conditions,
        *_said(parsed, lambda word: _titled(SkillSession, word) | about(_skill_ids(_in_name(word)))),
        *_placed(asked, SkillSession),
    )


QUERIES: dict[str, Callable[[Asked, ParsedQuery, Reader], sa.Select[int]]] = {
    "skill": _skills,
    "offer": _listings(Offer),
    "want": _listings(Want),
    "session": _sessions,
}


def _ids(model: Any, listed: Callable[[Viewer], Any], viewer: Viewer) -> sa.Select[int]:
    """Only the ids of what is listed for the viewer."""
    query: sa.Select[int] = listed(viewer).with_only_columns(model.id).order_by(None)
    return query


def _said(parsed: ParsedQuery, holds: Callable[[str], Condition]) -> list[Condition]:
    text = parsed.text
    wanted = [holds(word) for word in (*text.words, *text.phrases, *text.skills)]
    return wanted + [sa.not_(holds(word)) for word in text.excluded]


def _titled(model: Any, word: str) -> Condition:
    condition: Condition = model.title.icontains(word, autoescape=True)
    return condition


def _in_name(word: str) -> Condition:
    return SkillName.folded.contains(folded(word), autoescape=True)


def _skill_ids(condition: Condition) -> sa.Select[int]:
    return sa.select(SkillName.skill_id).where(condition)


def _of_topics(asked: Asked) -> sa.Select[int]:
    return sa.select(Skill.id).join(Topic, Topic.id == Skill.topic_id).where(Topic.slug.in_(asked.box("topic")))


def _on_shelf(asked: Asked, skill_id: Any) -> list[Condition]:
    return [skill_id.in_(_of_topics(asked))] if asked.box("topic") else []


def _placed(asked: Asked, model: Any) -> list[Condition]:
    conditions: list[Condition] = []
    if areas := asked.box("area"):
        conditions.append(model.area_id.in_(sa.select(Area.id).where(Area.public_id.in_(areas))))
    if languages := asked.box("language"):
        conditions.append(model.language.in_(languages))
    if ways := asked.box("where"):
        conditions.append(model.where.in_([*map(Where, ways), Where.ANY]))
    return conditions


def _asks_for_a_place_or_time(asked: Asked, parsed: ParsedQuery) -> bool:
    return bool(asked.box("where") or asked.box("area") or asked.box("when") or parsed.after or parsed.before)
