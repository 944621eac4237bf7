"""A member's page: what they show and what they are learning, side by side. And blocking. Not here: my own record."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from skillshare.db import db
from skillshare.forms.base import Form
from skillshare.models.blocking import block as block_member
from skillshare.models.knowhow import MemberSkill
from skillshare.models.listings import Offer, Want
from skillshare.models.members import Member
from skillshare.models.skills import Skill
from skillshare.models.teachbacks import Stage, stages_of
from skillshare.models.visibility import visible_members

from . import access
from .answers import Answer, done, render_form

bp = Blueprint("members", __name__)

LISTED = 10


@dataclass(frozen=True)
class Known:
    """A skill on a member's page, with what they said of it and how far they have come, in dates."""

    skill: Skill
    said: MemberSkill | None
    stage: Stage | None


@bp.get("/members/<handle>")
@access.catalogue
def show(handle: str) -> Answer:
    """A member, as far as the reader may see. A visitor who may not is asked to sign in, whatever the handle."""
    member = _member(handle)
    if member is None:
        return abort(404) if g.member else redirect(url_for("auth.sign_in", next=request.path), code=303)
    shows, learns = _known(member)
    return render_template(
        "members/show.html",
        member=member,
        shows=shows,
        learns=learns,
        offers=db.session.scalars(Offer.open_to(g.viewer).where(Offer.member_id == member.id).limit(LISTED)).all(),
        wants=db.session.scalars(Want.open_to(g.viewer).where(Want.member_id == member.id).limit(LISTED)).all(),
    )


@bp.route("/members/<handle>/block", methods=["GET", "POST"])
@access.login_required
def block(handle: str) -> Answer:
    """Ask once more, then the two do not exist for each other."""
    member = _member(handle)
    if member is None or member.id == g.member.id:
        return abort(404)
    form = Form()
    if form.validate_on_submit():
        block_member(g.member, member)
        return done(url_for("settings.blocked"), _("Blocked. You do not see each other any more."))
    return render_form("members/block.html", form, member=member)


def _member(handle: str) -> Member | None:
    return db.session.scalar(
        sa.select(Member)
        .where(Member.handle == handle, visible_members(g.viewer))
        .options(joinedload(Member.area), selectinload(Member.languages))
        .execution_options(populate_existing=True)
    )


def _known(member: Member) -> tuple[Sequence[Known], Sequence[Known]]:
    """What they can show; what they want to learn or were shown. A hidden skill is on neither side."""
    stages = stages_of(member.id)
    rows = db.session.scalars(
        sa.select(MemberSkill)
        .where(
            MemberSkill.member_id == member.id,
            sa.or_(MemberSkill.shows, MemberSkill.wants, MemberSkill.skill_id.in_(stages), MemberSkill.hidden),
        )
        .options(joinedload(MemberSkill.skill).options(*Skill.to_name()))
        .order_by(MemberSkill.id)
    ).all()
    seen = [Known(row.skill, row, stages.get(row.skill_id)) for row in rows if not row.hidden]
    left = set(stages) - {row.skill_id for row in rows}
    more = db.session.scalars(Skill.listed().where(Skill.id.in_(left)).order_by(Skill.id)) if left else ()
    seen += [Known(skill, None, stages[skill.id]) for skill in more]
    return [known for known in seen if _shows(known)], [known for known in seen if _learns(known)]


def _shows(known: Known) -> bool:
    return known.said.shows if known.said else bool(known.stage and known.stage.passed_on_on)


def _learns(known: Known) -> bool:
    if known.said and known.said.wants:
        return True
    return bool(known.stage and (known.stage.was_shown_on or known.stage.showed_back_on))
