"""The front page: for visitors what this is and what is on; members go straight to their week."""

from flask import Blueprint, g, redirect, render_template, url_for

from skillshare.db import db
from skillshare.models.listings import Offer, Want
from skillshare.models.sessions import SkillSession

from . import access
from .answers import Answer

bp = Blueprint("home", __name__)

SHOWN = 6


@bp.get("/")
@access.public
def show() -> Answer:
    """We teach each other."""
    if g.member:
        return redirect(url_for("week.show"))
    sessions = db.session.scalars(SkillSession.upcoming(g.viewer).limit(SHOWN)).all()
    offers = db.session.scalars(Offer.open_to(g.viewer).limit(SHOWN)).all()
    wants = db.session.scalars(Want.open_to(g.viewer).limit(SHOWN)).all()
    return render_template("home/show.html", sessions=sessions, offers=offers, wants=wants)
