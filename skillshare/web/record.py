"""My record: what I showed and what I learned, side by side, with the dates. For my own eyes; no totals."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from flask import Blueprint, g, render_template

from skillshare import limits
from skillshare.db import db
from skillshare.models.log import LogPart
from skillshare.models.members import Member
from skillshare.models.sessions import PartKind
from skillshare.models.teachbacks import TeachBack, TeachBackState, stages_of

from . import access
from .answers import Answer
from .paging import page_of

bp = Blueprint("record", __name__)

# Those on the other side of what I did.
OTHER_SIDE = {PartKind.SHOWS: PartKind.LEARNS, PartKind.LEARNS: PartKind.SHOWS}


@bp.get("/record")
@access.login_required
def show() -> Answer:
    """Two equal columns, newest first, and my tries."""
    showed = page_of(LogPart.record_of(g.member, PartKind.SHOWS), "showed")
    learned = page_of(LogPart.record_of(g.member, PartKind.LEARNS), "learned")
    tries = db.session.scalars(TeachBack.of(g.member).limit(limits.PAGE_SIZE)).all()
    settled = (TeachBackState.CONFIRMED, TeachBackState.ATTEMPTED)
    return render_template(
        "record/show.html",
        showed=showed,
        learned=learned,
        with_whom=_with_whom([*showed.rows, *learned.rows]),
        stages=stages_of(g.member.id),
        tries=tries,
        settled={each.skill_id for each in tries if each.state in settled},
    )


def _with_whom(parts: Iterable[LogPart]) -> dict[int, list[Member]]:
    """Those on the other side of each part of mine, by the part's id, as far as they agreed to be in it."""
    mine = list(parts)
    found: dict[tuple[Any, ...], list[Member]] = defaultdict(list)
    for part in db.session.scalars(LogPart.agreed_in({part.log_entry_id for part in mine})):
        found[part.log_entry_id, part.skill_id, part.kind].append(part.member)
    return {part.id: found[part.log_entry_id, part.skill_id, OTHER_SIDE[part.kind]] for part in mine}
