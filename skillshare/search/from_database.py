"""Search without an index: titles and names that contain the words, newest first. For the minutes until it is back.

It keeps to every filter, order and page that was asked for, and to who may see what. Plainer than an engine: all words
must be there, as they are written; nearness and forgiveness are not known, and there are no counts.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from skillshare import clock, limits
from skillshare.db import db
from skillshare.models.listings import Offer, Want, Where
from skillshare.models.places import Area
from skillshare.models.sessions import SessionSkill, SkillSession
from skillshare.models.skills import Skill, SkillName, SkillState, SkillText, Topic, folded
from skillshare.models.visibility import Viewer

from .documents import times_of
from .engine import KINDS, SearchRequest

Condition = sa.ColumnElement[bool]
SKILLS_HAVE_NONE = ("area", "where", "time", "who")
"""What is never true of a skill's own page."""


def keys(request: SearchRequest, viewer: Viewer) -> tuple[list[str], int]:
    """The keys of the page that was asked for, and how many there are in all; both end at `limits.PAGES_DEEP`."""
    found: list[str] = []
    for kind in sorted(KINDS, key=lambda kind: kind != "session") if request.sort == "soonest" else KINDS:
        if request.kinds and kind not in request.kinds:
            continue
        ids = QUERIES[kind](request, viewer)
        found += [f"{kind}:{id_}" for id_ in ids[: limits.PAGES_DEEP - len(found)]]
    start = (request.page - 1) * request.per_page
    return found[start : start + request.per_page], len(found)


def skills_called(prefix: str, limit: int) -> list[str]:
    """The keys of skills with a name that begins so."""
    name = SkillName.folded.startswith(folded(prefix), autoescape=True)
    return [f"skill:{id_}" for id_ in db.session.scalars(_skill_ids(name).distinct().limit(limit))]


def _skills(request: SearchRequest, _viewer: Viewer) -> list[int]:
    if _dated(request) or any(name in request.filters for name in SKILLS_HAVE_NONE):
        return []

    def holds(word: str) -> Condition:
        if request.within is None:
            return Skill.id.in_(_skill_ids(_in_name(word)))
        half = _contains(getattr(SkillText, request.within), word)
        return Skill.id.in_(sa.select(SkillText.skill_id).where(half))

    query = sa.select(Skill.id).where(Skill.state != SkillState.ARCHIVED, *_said(request, holds))
    query = query.where(*_about(request, Skill.id), *_made(request, Skill))
    if languages := request.filters.get("language"):
        query = query.where(Skill.id.in_(sa.select(SkillText.skill_id).where(SkillText.locale.in_(languages))))
    return _ids(query.order_by(Skill.id.desc()))


def _listings(model: type[Offer | Want], who: str, halves: dict[str, Any]) -> "Find":
    def find(request: SearchRequest, viewer: Viewer) -> list[int]:
        if _dated(request) or "time" in request.filters or who not in request.filters.get("who", {who}):
            return []

        def holds(word: str) -> Condition:
            if request.within is not None:
                return _contains(halves[request.within], word) if request.within in halves else sa.false()
            return _contains(model.title, word) | model.skill_id.in_(_skill_ids(_in_name(word)))

        query = _listed(model, model.open_to, viewer).order_by(model.id.desc())
        query = query.where(*_said(request, holds), *_about(request, model.skill_id), *_made(request, model))
        return _ids(query.where(*_placed(request, model)))

    return find


def _sessions(request: SearchRequest, viewer: Viewer) -> list[int]:
    if "shows" not in request.filters.get("who", {"shows"}):
        return []

    def about(skill: Condition) -> Condition:
        return SkillSession.id.in_(sa.select(SessionSkill.skill_session_id).where(skill))

    def holds(word: str) -> Condition:
        if request.within is not None:
            return _contains(getattr(SkillSession, request.within), word)
        return _contains(SkillSession.title, word) | about(SessionSkill.skill_id.in_(_skill_ids(_in_name(word))))

    conditions = [about(one) for one in _about(request, SessionSkill.skill_id)] + _made(request, SkillSession)
    if request.starts_from is not None:
        conditions.append(SkillSession.starts_at >= datetime.fromtimestamp(request.starts_from, UTC))
    else:
        conditions.append(SkillSession.starts_at >= clock.now() - limits.SESSION_MAX)
    if request.starts_before is not None:
        conditions.append(SkillSession.starts_at < datetime.fromtimestamp(request.starts_before, UTC))
    if request.left:
        conditions.append(SkillSession.capacity > SkillSession.taken)
    query = _listed(SkillSession, SkillSession.upcoming, viewer).order_by(SkillSession.starts_at, SkillSession.id)
    query = query.where(*conditions, *_said(request, holds), *_placed(request, SkillSession))
    wanted = request.filters.get("time")
    if not wanted:
        return _ids(query)
    rows = db.session.execute(query.add_columns(SkillSession.starts_at, SkillSession.zone).limit(limits.PAGES_DEEP))
    return [id_ for id_, starts_at, zone in rows if wanted & set(times_of(starts_at, zone))]


Find = Callable[[SearchRequest, Viewer], list[int]]
QUERIES: dict[str, Find] = {
    "skill": _skills,
    "offer": _listings(Offer, "shows", {"practice": Offer.practice, "theory": Offer.theory}),
    "want": _listings(Want, "wants", {"practice": Want.for_what}),
    "session": _sessions,
}


def _listed(model: Any, listed: Callable[[Viewer], Any], viewer: Viewer) -> sa.Select[int]:
    """Only the ids of what is listed for the viewer."""
    query: sa.Select[int] = listed(viewer).with_only_columns(model.id).order_by(None)
    return query


def _ids(query: sa.Select[int]) -> list[int]:
    return list(db.session.scalars(query.limit(limits.PAGES_DEEP)))


def _dated(request: SearchRequest) -> bool:
    return request.starts_from is not None or request.starts_before is not None


def _made(request: SearchRequest, model: Any) -> list[Condition]:
    if request.made_from is None:
        return []
    return [model.created_at >= datetime.fromtimestamp(request.made_from, UTC)]


def _said(request: SearchRequest, holds: Callable[[str], Condition]) -> list[Condition]:
    text = request.text
    wanted = [holds(word) for word in (*text.words, *text.phrases, *text.skills)]
    return wanted + [sa.not_(holds(word)) for word in text.excluded]


def _contains(column: Any, word: str) -> Condition:
    condition: Condition = column.icontains(word, autoescape=True)
    return condition


def _in_name(word: str) -> Condition:
    return SkillName.folded.contains(folded(word), autoescape=True)


def _skill_ids(condition: Condition) -> sa.Select[int]:
    return sa.select(SkillName.skill_id).where(condition)


def _about(request: SearchRequest, skill_id: Any) -> list[Condition]:
    """On one of these shelves, and about one of these skills."""
    conditions: list[Condition] = []
    if topics := request.filters.get("topic"):
        on_shelf = sa.select(Skill.id).join(Topic, Topic.id == Skill.topic_id).where(Topic.slug.in_(topics))
        conditions.append(skill_id.in_(on_shelf))
    if slugs := request.filters.get("skill"):
        conditions.append(skill_id.in_(sa.select(Skill.id).where(Skill.slug.in_(slugs))))
    return conditions


def _placed(request: SearchRequest, model: Any) -> list[Condition]:
    conditions: list[Condition] = []
    if areas := request.filters.get("area"):
        conditions.append(model.area_id.in_(sa.select(Area.id).where(Area.public_id.in_(areas))))
    if languages := request.filters.get("language"):
        conditions.append(model.language.in_(languages))
    if ways := request.filters.get("where"):
        conditions.append(model.where.in_([*map(Where, ways), Where.ANY]))
    return conditions
