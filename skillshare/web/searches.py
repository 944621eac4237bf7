"""My searches: what I look for goes on without me, and how I hear of it. A want is one by itself."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, g, render_template, url_for
from flask_babel import gettext as _

from skillshare import limits
from skillshare.db import db
from skillshare.forms.searches import HowForm, SaveSearchForm
from skillshare.models.listings import Want
from skillshare.models.notices import FINDS, Channel, NoticeChoice
from skillshare.models.searches import SavedSearch, awaited_by
from skillshare.search import words
from skillshare.search.alerts import arguments_of, asked_of, boxes_of
from skillshare.search.asking import Asked

from . import access
from .answers import Answer, done, render_form
from .find import asked_here
from .reader import reader

bp = Blueprint("searches", __name__, url_prefix="/searches")

WANTS_SHOWN = 50


@bp.get("")
@access.login_required
def index() -> Answer:
    """What I look for: searches I saved, and what I wait to learn."""
    who = reader()
    searches = [(search, asked_of(search)) for search in db.session.scalars(SavedSearch.of(g.member))]
    wants = db.session.scalars(awaited_by(g.viewer).limit(WANTS_SHOWN)).all()
    kept = {search.want_id: search for search in db.session.scalars(SavedSearch.of_wants(g.member))}
    channel = NoticeChoice.of(g.member)[FINDS]
    return render_template(
        "searches/index.html",
        searches=[(search, words.of(asked, who), address_of(asked)) for search, asked in searches],
        wants=[(want, kept.get(want.id)) for want in wants],
        channel=channel,
        form_for=_how_form,
    )


@bp.route("/save", methods=["GET", "POST"])
@access.login_required
def save() -> Answer:
    """Go on looking for what stands in the address."""
    asked = asked_here(reader())
    if len(asked.q) > limits.QUERY:
        abort(404)
    form = SaveSearchForm()
    if form.submit_to(SavedSearch.save, by=g.member, q=asked.q, boxes=boxes_of(asked)):
        return done(url_for(".index"), _("Saved. We will tell you when something new appears."))
    return render_form("searches/save.html", form, words=words.of(asked, reader()), back=address_of(asked))


@bp.post("/<public_id>/how")
@access.login_required
def choose(public_id: str) -> Answer:
    """Hear of a search at another time, or not at all."""
    search = _own(public_id)
    return _choose(search, words.of(asked_of(search), reader()))


@bp.post("/want/<public_id>/how")
@access.login_required
def choose_for_want(public_id: str) -> Answer:
    """Hear at another time of what answers a want of mine, or one that I said "me too" to."""
    want = db.one_or_404(awaited_by(g.viewer).where(Want.public_id == public_id))
    return _choose(SavedSearch.for_want(want, by=g.member), want.title)


@bp.post("/<public_id>/remove")
@access.login_required
def remove(public_id: str) -> Answer:
    """Look for it no more."""
    _own(public_id).remove(by=g.member)
    return done(url_for(".index"), _("Removed. We look for it no more."))


def _choose(search: SavedSearch, title: str) -> Answer:
    form = HowForm()
    if form.submit_to(search.choose, by=g.member):
        return done(url_for(".index"), _("Saved."))
    return render_form("searches/how.html", form, words=title)


def _own(public_id: str) -> SavedSearch:
    own: SavedSearch = db.one_or_404(
        SavedSearch.of(g.member).where(SavedSearch.public_id == public_id).with_for_update(of=SavedSearch)
    )
    return own


def _how_form(how: Channel, row: str) -> HowForm:
    """The choice of one row of the list; its id is that row's."""
    form = HowForm(formdata=None, how=how)
    form.how.id = form.how.label.field_id = f"how-{row}"
    return form


def address_of(asked: Asked) -> str:
    """The page of a search."""
    return url_for("find.show", **arguments_of(asked))


@bp.app_template_global("search_to_save")
def search_to_save(asked: Asked, correction: str | None = None) -> dict[str, Any]:
    """What the button that saves a search needs: its form, the address to send it to, and what is saved already.

    What was typed wrong is saved set right, where nothing but words was typed: a correction knows nothing else.
    """
    if correction and not any(sign in asked.q for sign in ':"-'):
        asked = replace(asked, q=correction)
    saved = SavedSearch.like(g.member, asked.q, boxes_of(asked)) if g.member else None
    form = SaveSearchForm(formdata=None) if g.member and saved is None else None
    return {"address": url_for("searches.save", **arguments_of(asked)), "saved": saved, "form": form}
