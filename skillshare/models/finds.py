"""What wants are answered by: offers and sessions of their skill, as these are made, opened again or changed.

Matched by skill, for all who wait at once, from the things that changed. Whether somebody may see a thing is asked
when it is told; blocks are asked here too.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from skillshare import clock, limits
from skillshare.db import db

from .listings import ListingState, MeToo, Offer, Want
from .members import Member, MemberState
from .searches import SavedSearch, add_matches, make_for_wants, next_time, schedule
from .sessions import SessionSkill, SessionState, SkillSession
from .visibility import Block

Conditions = dict[str, sa.ColumnElement[bool]]


@dataclass(frozen=True)
class Thing:
    """Something that could answer a want."""

    key: str
    skill_id: int
    owner_id: int
    made_at: datetime


def notice(keys: Collection[str]) -> None:
    """These things (`offer:7`, `want:3`, `member:9` …) are new or changed: keep what they are to those who wait.

    Safe to repeat. Who begins to wait hears nothing of what was there before: it stands on the page of the want.
    """
    ids = _by_kind(keys)
    changed = _things(
        {
            "offer": sa.or_(Offer.id.in_(ids["offer"]), Offer.member_id.in_(ids["member"])),
            "session": sa.or_(SkillSession.id.in_(ids["session"]), SkillSession.host_id.in_(ids["member"])),
        }
    )
    waiting = _waiting({thing.skill_id for thing in changed}, ids["want"])
    beginners = {(row.want_id, row.member_id) for row in waiting if row.search_id is None}
    if beginners:
        make_for_wants(beginners)
        waiting = _waiting({thing.skill_id for thing in changed}, ids["want"])
    whole = {row.skill_id for row in waiting if row.want_id in ids["want"] or (row.want_id, row.member_id) in beginners}
    there = _of_skills(whole) if whole else []
    _keep(waiting, beginners, {*changed, *there})


def _keep(waiting: list[Any], beginners: set[tuple[int, int]], things: Collection[Thing]) -> None:
    blocked = _blocks({thing.owner_id for thing in things})
    about = defaultdict(list)
    for thing in sorted(things, key=lambda thing: (thing.made_at, thing.key)):
        about[thing.skill_id].append(thing)
    found = []
    for row in waiting:
        begins = (row.want_id, row.member_id) in beginners
        tell_at = next_time(row.heard, row.zone)
        for thing in about[row.skill_id]:
            if thing.owner_id == row.member_id or (thing.owner_id, row.member_id) in blocked:
                continue
            known = begins and thing.made_at < row.since
            if known or tell_at is not None:
                found.append((row.search_id, row.member_id, thing.key, None if known else tell_at))
    add_matches(found)
    schedule({member_id for _search, member_id, _key, tell_at in found if tell_at is not None})


def _waiting(skill_ids: Collection[int], want_ids: Collection[int]) -> list[Any]:
    """Who waits for one of these skills, or with one of these wants, since when, and how they want to hear of it."""
    stands = sa.and_(
        Want.state == ListingState.OPEN,
        Want.not_lapsed(),
        sa.or_(Want.skill_id.in_(skill_ids), Want.id.in_(want_ids)),
    )
    asked = sa.select(Want.id.label("want_id"), Want.skill_id, Want.member_id, Want.created_at.label("since")).where(
        stands
    )
    too = (
        sa.select(Want.id.label("want_id"), Want.skill_id, MeToo.member_id, MeToo.created_at.label("since"))
        .join(MeToo, MeToo.want_id == Want.id)
        .where(stands)
    )
    who = sa.union_all(asked, too).subquery()
    query = (
        sa.select(who, Member.zone, SavedSearch.id.label("search_id"), SavedSearch.heard.label("heard"))
        .join(Member, Member.id == who.c.member_id)
        .outerjoin(SavedSearch, sa.and_(SavedSearch.want_id == who.c.want_id, SavedSearch.member_id == who.c.member_id))
        .where(Member.state == MemberState.ACTIVE)
    )
    return list(db.session.execute(query))


def _of_skills(skill_ids: Collection[int]) -> list[Thing]:
    """What is there already about these skills."""
    return _things(
        {"offer": Offer.skill_id.in_(skill_ids), "session": SessionSkill.skill_id.in_(skill_ids)}, newest=True
    )


def _things(which: Conditions, newest: bool = False) -> list[Thing]:
    offers = (
        sa.select(sa.literal("offer"), Offer.id, Offer.skill_id, Offer.member_id, Offer.created_at)
        .join(Member, Member.id == Offer.member_id)
        .where(which["offer"], Offer.state == ListingState.OPEN, Offer.not_lapsed())
        .order_by(Offer.id.desc())
    )
    sessions = (
        sa.select(
            sa.literal("session"), SkillSession.id, SessionSkill.skill_id, SkillSession.host_id, SkillSession.created_at
        )
        .join(SessionSkill, SessionSkill.skill_session_id == SkillSession.id)
        .join(Member, Member.id == SkillSession.host_id)
        .where(
            which["session"],
            SkillSession.state == SessionState.SCHEDULED,
            SkillSession.starts_at > clock.now(),
            SkillSession.capacity > SkillSession.taken,
        )
        .order_by(SkillSession.id.desc())
    )
    found: list[Thing] = []
    for query in (offers, sessions):
        active = query.where(Member.state == MemberState.ACTIVE)
        rows = db.session.execute(active.limit(limits.PAGES_DEEP) if newest else active)
        found += [Thing(f"{kind}:{id_}", skill_id, owner_id, at) for kind, id_, skill_id, owner_id, at in rows]
    return found


def _blocks(owner_ids: Collection[int]) -> set[tuple[int, int]]:
    """The pairs with a block between them, as (owner, other)."""
    query = sa.select(Block.blocker_id, Block.blocked_id)
    pairs = db.session.execute(
        query.where(sa.or_(Block.blocker_id.in_(owner_ids), Block.blocked_id.in_(owner_ids)))
    ).all()
    return {(a, b) for a, b in pairs} | {(b, a) for a, b in pairs}


def _by_kind(keys: Collection[str]) -> dict[str, set[int]]:
    ids: dict[str, set[int]] = defaultdict(set)
    for key in keys:
        kind, _, id_ = key.partition(":")
        ids[kind].add(int(id_))
    return ids
