"""Offers: "I can show you this". Visitors see them without the member."""

import functools

from flask import Blueprint, g, render_template, request, url_for
from flask_babel import gettext as _

from skillshare.db import SAFE_METHODS, db
from skillshare.forms.listings import OfferEditForm, OfferForm
from skillshare.models.listings import Offer, Want
from skillshare.models.sessions import SkillSession
from skillshare.models.skills import Skill

from . import access
from .answers import Answer, done, render_form
from .listings import Filters
from .paging import page_of
from .skill_choice import areas, form_about_skill, near_names

bp = Blueprint("offers", __name__, url_prefix="/offers")

OTHERS_SHOWN = 4
SESSIONS_SHOWN = 3
WAITING_SHOWN = 4


@bp.get("")
@access.catalogue
def index() -> Answer:
    """What people can show, newest first."""
    filters = Filters.of_address()
    page = page_of(Offer.open_to(g.viewer).where(*filters.on(Offer)))
    return render_template("offers/index.html", page=page, filters=filters)


@bp.route("/new", methods=["GET", "POST"])
@access.login_required
def new() -> Answer:
    """Offer to show something."""
    form = form_about_skill(OfferForm)
    if form.submit_to(Offer.publish, by=g.member):
        return done(url_for(".show", public_id=form.result.public_id), _("Everybody can see your offer now."))
    return render_form("offers/new.html", form, near=near_names(form))


@bp.get("/<public_id>")
@access.catalogue
def show(public_id: str) -> Answer:
    """One offer, and where it leads."""
    offer = db.one_or_404(Offer.visible_to(g.viewer).where(Offer.public_id == public_id))
    about = Offer.skill_id == offer.skill_id
    others = Offer.open_to(g.viewer).where(about, Offer.id != offer.id).limit(OTHERS_SHOWN)
    sessions = SkillSession.upcoming(g.viewer).where(SkillSession.skills.any(Skill.id == offer.skill_id))
    waiting = Want.open_to(g.viewer).where(Want.skill_id == offer.skill_id).limit(WAITING_SHOWN)
    return render_template(
        "offers/show.html",
        offer=offer,
        others=db.session.scalars(others).all(),
        sessions=db.session.scalars(sessions.limit(SESSIONS_SHOWN)).all(),
        waiting=db.session.scalars(waiting).all() if offer.can_edit(g.member) else [],
    )


@bp.route("/<public_id>/edit", methods=["GET", "POST"])
@access.login_required
def edit(public_id: str) -> Answer:
    """Change an offer of one's own."""
    offer = _own(public_id)
    form = OfferEditForm.of(offer, areas=areas())
    if form.submit_to(functools.partial(offer.edit, by=g.member)):
        return done(url_for(".show", public_id=public_id), _("Saved."))
    if form.conflict:
        form.version.data = offer.version
        form.version.raw_data = None
    return render_form("offers/edit.html", form, offer=offer)


@bp.post("/<public_id>/pause")
@access.login_required
def pause(public_id: str) -> Answer:
    """Take it off the lists for a while."""
    _own(public_id).pause(by=g.member)
    return done(url_for(".show", public_id=public_id), _("Paused: it is off the lists until you open it again."))


@bp.post("/<public_id>/resume")
@access.login_required
def resume(public_id: str) -> Answer:
    """Put it back on the lists."""
    _own(public_id).resume(by=g.member)
    return done(url_for(".show", public_id=public_id), _("It is on the lists again."))


@bp.post("/<public_id>/withdraw")
@access.login_required
def withdraw(public_id: str) -> Answer:
    """Take it down for good."""
    offer = db.one_or_404(Offer.kept_by(g.member).where(Offer.public_id == public_id))
    offer.withdraw(by=g.member)
    return done(url_for("listings.teach"), _("Your offer is taken down."))


def _own(public_id: str) -> Offer:
    """One's own offer; locked when it is about to change."""
    query = Offer.of(g.member).where(Offer.public_id == public_id)
    if request.method not in SAFE_METHODS:
        query = query.with_for_update(of=Offer)
    own: Offer = db.one_or_404(query)
    return own
