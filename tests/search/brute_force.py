"""What a viewer finds of a word, by reading every row with the visibility function: slow, and plain to see through."""

from collections import Counter

import sqlalchemy as sa

from skillshare import clock
from skillshare.models.listings import ListingState, Offer, Want, Where
from skillshare.models.members import SeenAs
from skillshare.models.sessions import Audience, SessionState, SkillSession
from skillshare.models.visibility import Field


def by_reading_everything(db, viewer, word):
    """What this viewer finds of a word: keys, and the boxes each of them would be counted beside."""
    found = {}
    for model in (Offer, Want):
        kind = model.__name__.lower()
        for row in db.session.scalars(sa.select(model).options(sa.orm.joinedload(model.member))).unique():
            if row.state is ListingState.OPEN and word in row.title and finds(viewer, row.member):
                where = "online" if row.where is Where.ONLINE else "in_person"
                found[f"{kind}:{row.id}"] = {"kind": [kind], "where": [where], "area": [row.area_id]}
    for row in db.session.scalars(sa.select(SkillSession).options(sa.orm.joinedload(SkillSession.host))).unique():
        on = row.state is SessionState.SCHEDULED and row.ends_at > clock.now()
        if on and word in row.title and comes_to(viewer, row):
            found[f"session:{row.id}"] = {"kind": ["session"], "where": ["in_person"], "area": [row.area_id]}
    return found


def finds(viewer, owner):
    """Whether a member's offers and wants are found: by members who can see them, by visitors without their name."""
    if viewer.member is not None:
        return viewer.can_see(owner, Field.PAGE)
    return viewer.sees_catalogue and owner.is_active and owner.seen_as is not SeenAs.HIDDEN


def comes_to(viewer, session):
    if not viewer.sees_catalogue or not session.host.is_active or session.host_id in viewer.blocked_ids:
        return False
    return viewer.member is not None or session.audience is Audience.PUBLIC


def counted(found, name):
    return Counter(str(value) for boxes in found.values() for value in boxes[name] if value is not None)
