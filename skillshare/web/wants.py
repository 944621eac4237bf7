"""Wants: "I want to learn this", and "me too". Visitors see them without the members."""

import functools

from flask import Blueprint, g, render_template, request, url_for
from flask_babel import gettext as _

from skillshare.db import SAFE_METHODS, db
from skillshare.forms.listings import MeTooForm, WantEditForm, WantForm
from skillshare.models.listings import MeToo, Offer, Want
from skillshare.models.sessions import SkillSession
from skillshare.models.skills import Skill

from . import access
from .answers import Answer, done, render_form
from .listings import Filters
from .paging import page_of
from .skill_choice import areas, form_about_skill, near_names

bp = Blueprint("wants", __name__, url_prefix="/wants")

FOUND_SHOWN = 4
OWN_SHOWN = 50


@bp.get("")
@access.catalogue
def index() -> Answer:
    """What people want to learn, newest first; on top what one asked for oneself."""
    filters = Filters.of_address()
    page = page_of(Want.open_to(g.viewer).where(*filters.on(Want), Want.member_id != g.viewer.id))
    own = db.session.scalars(Want.of(g.member).limit(OWN_SHOWN)).all() if g.member and page.number == 1 else []
    return render_template("wants/index.html", page=page, own=own, filters=filters)


@bp.route("/new", methods=["GET", "POST"])
@access.login_required
def new() -> Answer:
    """Ask to learn something."""
    form = form_about_skill(WantForm)
    if form.submit_to(Want.ask, by=g.member):
        db.session.flush()
        return done(
            url_for(".show", public_id=form.result.public_id), _("Everybody can see now what you want to learn.")
        )
    return render_form("wants/new.html", form, near=near_names(form))


@bp.get("/<public_id>")
@access.catalogue
def show(public_id: str) -> Answer:
    """One wish, and who could answer it."""
    return _page(_seen(public_id), MeTooForm())


@bp.route("/<public_id>/edit", methods=["GET", "POST"])
@access.login_required
def edit(public_id: str) -> Answer:
    """Change what one asked for."""
    want = _own(public_id)
    form = WantEditForm.of(want, areas=areas())
    if form.submit_to(functools.partial(want.edit, by=g.member)):
        return done(url_for(".show", public_id=public_id), _("Saved."))
    if form.conflict:
        form.version.data = want.version
        form.version.raw_data = None
    return render_form("wants/edit.html", form, want=want)


@bp.post("/<public_id>/me-too")
@access.login_required
def me_too(public_id: str) -> Answer:
    """Say that one wants it as well."""
    want, form = _seen(public_id), MeTooForm()
    if form.submit_to(want.me_too, by=g.member):
        return done(url_for(".show", public_id=public_id), _("You are waiting for it too. It stands on your list now."))
    return _page(want, form)


@bp.post("/<public_id>/not-me")
@access.login_required
def not_me(public_id: str) -> Answer:
    """Take one's "me too" back."""
    _seen(public_id).not_me(by=g.member)
    return done(url_for(".show", public_id=public_id), _("You are not waiting for it any more."))


@bp.post("/<public_id>/pause")
@access.login_required
def pause(public_id: str) -> Answer:
    """Take it off the lists for a while."""
    _own(public_id).pause(by=g.member)
    return done(url_for(".show", public_id=public_id), _("Paused: it is off the lists until you open it again."))


@bp.post("/<public_id>/resume")
@access.login_required
def resume(public_id: str) -> Answer:
    """Put it back on the lists: after a pause, when its day has passed, or when it was answered too soon."""
    _own(public_id).resume(by=g.member)
    return done(url_for(".show", public_id=public_id), _("It is on the lists again."))


@bp.post("/<public_id>/withdraw")
@access.login_required
def withdraw(public_id: str) -> Answer:
    """Take it down for good."""
    want = db.one_or_404(Want.kept_by(g.member).where(Want.public_id == public_id))
    want.withdraw(by=g.member)
    return done(url_for(".index"), _("What you asked for is taken down."))


def _seen(public_id: str) -> Want:
    """A want that the reader may open."""
    want: Want = db.one_or_404(Want.visible_to(g.viewer).where(Want.public_id == public_id))
    return want


def _own(public_id: str) -> Want:
    """One's own want; locked when it is about to change."""
    query = Want.of(g.member).where(Want.public_id == public_id)
    if request.method not in SAFE_METHODS:
        query = query.with_for_update(of=Want)
    own: Want = db.one_or_404(query)
    return own


def _page(want: Want, form: MeTooForm) -> Answer:
    """The page of a want. Who else said "me too" stands there for its owner and for those who said it themselves."""
    my_own = want.can_edit(g.member)
    said = MeToo.between(want, g.member) if not my_own else None
    names = db.session.scalars(MeToo.of(want, g.viewer)).all() if my_own or said else []
    offers = Offer.open_to(g.viewer).where(Offer.skill_id == want.skill_id, Offer.member_id != g.viewer.id)
    sessions = SkillSession.upcoming(g.viewer).where(SkillSession.skills.any(Skill.id == want.skill_id))
    return render_form(
        "wants/show.html",
        form,
        want=want,
        said=said,
        names=names,
        offers=db.session.scalars(offers.limit(FOUND_SHOWN)).all(),
        sessions=db.session.scalars(sessions.limit(FOUND_SHOWN)).all(),
    )
