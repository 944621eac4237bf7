"""A newcomer's two lists, "people ask me for help with" and "I wish I could do", and what the place has for them.

Lines are free text in any language; each that names a skill becomes know-how. Not here: search (`search/`).
"""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, aliased, contains_eager, joinedload

from skillshare import clock, limits
from skillshare.db import db

from .knowhow import MemberSkill
from .listings import Offer
from .members import Member
from .seats import Registration
from .sessions import SessionSkill, SkillSession
from .skills import Skill, SkillName, SkillState, folded
from .visibility import Viewer, visible_members

PEOPLE_A_SKILL, ROWS = 3, 12
STEM = 5  # letters of a word that its other forms have too: bake/baking, weld/welding


def make(*, by: Member, shows: Iterable[str], wants: Iterable[str]) -> None:
    """`by` can show and wants to learn what the lines name, and has seen the lists. Unknown lines do nothing."""
    shows, wants = list(shows), list(wants)
    known = named([*shows, *wants])
    for line in shows:
        if folded(line) in known:
            MemberSkill.say(by, known[folded(line)], shows=True)
    db.session.flush()
    for line in wants:
        if folded(line) in known:
            MemberSkill.say(by, known[folded(line)], wants=True)
    by.lists_made_at = by.lists_made_at or clock.now()


def named(lines: Iterable[str]) -> dict[str, Skill]:
    """The skill that each line names in any language, by the folded line; one query."""
    keys = {folded(line) for line in lines}
    if not keys:
        return {}
    rows = db.session.execute(
        sa.select(SkillName.folded, Skill)
        .join(SkillName.skill)
        .where(SkillName.folded.in_(keys), Skill.state != SkillState.ARCHIVED)
        .options(*Skill.to_name())
        .order_by(Skill.id.desc())
    )
    return {key: skill for key, skill in rows}  # noqa: C416  typed


def near(line: str) -> list[Skill]:
    """At most five skills with a name that shares words' beginnings with `line`, those that share most first."""
    key = folded(line)
    stems = {word[:STEM] for word in key.split() if len(word) > 2}
    if not stems:
        return []
    words = sa.literal(" ") + SkillName.folded
    like = [words.contains(f" {stem}", autoescape=True) for stem in stems]
    shared = sum((sa.case((one, 1), else_=0) for one in like), start=sa.literal(0))
    rows = db.session.scalars(
        sa.select(SkillName.skill_id)
        .join(SkillName.skill)
        .where(sa.or_(*like), Skill.state != SkillState.ARCHIVED)
        .order_by(
            shared.desc(),
            SkillName.folded.startswith(key[:STEM], autoescape=True).desc(),
            sa.func.length(SkillName.folded),
            SkillName.id,
        )
        .limit(limits.NEAR_NAMES * 4)
    )
    ids = list(dict.fromkeys(rows))[: limits.NEAR_NAMES]
    skills = {skill.id: skill for skill in db.session.scalars(Skill.listed().where(Skill.id.in_(ids)))}
    return [skills[id_] for id_ in ids]


def who_shows(viewer: Viewer) -> sa.Select[MemberSkill]:
    """Others who can show what `viewer` wants to learn: at most three a skill, twelve in all, ready to be listed."""
    mine = aliased(MemberSkill)
    return _others(viewer, mine, mine.wants, MemberSkill.shows, MemberSkill.shows_since)


def who_waits(viewer: Viewer) -> sa.Select[MemberSkill]:
    """Others who wait to learn what `viewer` can show, longest waiting first: at most three a skill, twelve in all."""
    mine = aliased(MemberSkill)
    return _others(viewer, mine, mine.shows, MemberSkill.wants, MemberSkill.wants_since)


def offers_of(rows: Iterable[MemberSkill], viewer: Viewer) -> dict[tuple[int, int], Offer]:
    """The newest open offer behind each of these rows, by member and skill id."""
    pairs = [(row.member_id, row.skill_id) for row in rows]
    if not pairs:
        return {}
    offers = db.session.scalars(
        Offer.open_to(viewer).where(sa.tuple_(Offer.member_id, Offer.skill_id).in_(pairs)).limit(len(pairs) * 2)
    )
    return {(offer.member_id, offer.skill_id): offer for offer in reversed(offers.all())}


def sessions_for(viewer: Viewer) -> sa.Select[SkillSession]:
    """The next six sessions with places about what `viewer` wants to learn and has no place in, soonest first."""
    wanted = (
        sa.select(SessionSkill.skill_session_id)
        .join(MemberSkill, MemberSkill.skill_id == SessionSkill.skill_id)
        .where(MemberSkill.member_id == viewer.id, MemberSkill.wants)
    )
    going = sa.select(Registration.skill_session_id).where(Registration.member_id == viewer.id)
    return (
        SkillSession.upcoming(viewer)
        .where(
            SkillSession.id.in_(wanted),
            SkillSession.id.not_in(going),
            SkillSession.host_id != viewer.id,
            SkillSession.starts_at > clock.now(),
            SkillSession.taken < SkillSession.capacity,
        )
        .limit(6)
    )


def _others(
    viewer: Viewer,
    mine: type[MemberSkill],
    i_say: InstrumentedAttribute[bool],
    they_say: InstrumentedAttribute[bool],
    since: InstrumentedAttribute[datetime | None],
) -> sa.Select[MemberSkill]:
    place = sa.func.row_number().over(partition_by=MemberSkill.skill_id, order_by=(since, MemberSkill.id))
    found = (
        sa.select(MemberSkill.id, place.label("place"))
        .join(mine, sa.and_(mine.skill_id == MemberSkill.skill_id, mine.member_id == viewer.id, i_say))
        .join(Member, Member.id == MemberSkill.member_id)
        .where(they_say, sa.not_(MemberSkill.hidden), Member.id != viewer.id, visible_members(viewer))
        .subquery()
    )
    return (
        sa.select(MemberSkill)
        .join(found, found.c.id == MemberSkill.id)
        .join(MemberSkill.member)
        .where(found.c.place <= PEOPLE_A_SKILL)
        .options(
            contains_eager(MemberSkill.member).joinedload(Member.area),
            joinedload(MemberSkill.skill).options(*Skill.to_name()),
        )
        .order_by(found.c.place, since, MemberSkill.id)
        .limit(ROWS)
    )
