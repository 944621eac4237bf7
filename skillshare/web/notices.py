"""Which mails I get and how often; and the address in a mail that stops its kind, without signing in."""

import sqlalchemy as sa
from flask import Blueprint, abort, g, render_template, url_for
from flask_babel import gettext as _

from skillshare.db import db
from skillshare.forms.notices import NoticesForm
from skillshare.mail import to_be_stopped
from skillshare.models import searches
from skillshare.models.members import Member
from skillshare.models.notices import KINDS, Channel, NoticeChoice
from skillshare.models.searches import SavedSearch

from . import access
from .answers import Answer, done, render_form

bp = Blueprint("notices", __name__)


@bp.route("/settings/notices", methods=["GET", "POST"])
@access.login_required
def show() -> Answer:
    """My choice for each kind of mail that may be switched off."""
    form = NoticesForm(data=NoticeChoice.of(g.member))
    if form.submit_to(_choose_all):
        return done(url_for(".show"), _("Saved."))
    return render_form("notices/show.html", form)


@bp.get("/notices/stop/<token>")
@access.public
def stop(token: str) -> Answer:
    """The button that stops it. Opening the page changes nothing: programs that check mails open it too."""
    what, _whose = _read(token)
    return render_template("notices/stop.html", what=what)


@bp.post("/notices/stop/<token>")
@access.public
def stop_now(token: str) -> Answer:
    """Stop it: by that button, or by the one of a mail program (RFC 8058). Says and shows nothing of the member."""
    what, whose = _read(token)
    if isinstance(whose, SavedSearch):
        whose.choose(Channel.OFF, by=whose.member)
    else:
        searches.hear_no_more(what, by=whose)
    db.session.commit()
    return render_template("notices/stopped.html", what=what)


def _choose_all(**chosen: Channel) -> None:
    before = NoticeChoice.of(g.member)
    for kind, channel in chosen.items():
        if channel is not before[kind]:
            searches.hear(kind, channel, by=g.member)


def _read(token: str) -> tuple[str, Member | SavedSearch]:
    """What is to be stopped, and whose it is."""
    said = to_be_stopped(token)
    if said is None:
        abort(404)
    what, whose = said
    found: Member | SavedSearch | None
    if what == "search":
        found = db.session.scalar(SavedSearch.to_be_stopped(str(whose)))
    else:
        found = db.session.scalar(sa.select(Member).where(Member.id == whose)) if what in KINDS else None
    return (what, found) if found is not None else abort(404)
