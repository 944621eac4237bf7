"""Sessions: the calendar, a session's page, keeping a place and giving it back, and what its hosts do.

Not here: logging what happened (`log.py`).
"""

from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from skillshare import clock, i18n, limits
from skillshare.db import db
from skillshare.errors import RuleBroken
from skillshare.forms.base import one_line
from skillshare.forms.sessions import (
    USUAL_CAPACITY,
    CapacityForm,
    DetailsForm,
    EditForm,
    JoinForm,
    ReasonForm,
    SessionForm,
)
from skillshare.models import lists, seats
from skillshare.models.listings import How, Offer, Where
from skillshare.models.members import Member
from skillshare.models.places import Area
from skillshare.models.seats import PlaceState, Registration
from skillshare.models.sessions import SkillSession
from skillshare.models.skills import Skill, Topic, folded
from skillshare.models.visibility import visible_members

from . import access
from .answers import Answer, done, render_form
from .paging import page_of

bp = Blueprint("sessions", __name__, url_prefix="/sessions")

FILTERS_MAX = 20


@bp.get("")
@access.catalogue
def index() -> Answer:
    """The calendar: what is on, day by day."""
    topics, areas = request.args.getlist("topic")[:FILTERS_MAX], request.args.getlist("area")[:FILTERS_MAX]
    online = "online" in request.args
    page = page_of(SkillSession.upcoming(g.viewer).where(SkillSession.about(topics, areas, online)))
    zone = ZoneInfo(i18n.zone_of_reader())
    days = groupby(page.rows, key=lambda row: row.starts_at.astimezone(zone).date())
    return render_template(
        "sessions/index.html",
        days=[(day, list(rows)) for day, rows in days],
        page=page,
        topics=db.session.scalars(Topic.listed()).all(),
        areas=db.session.scalars(Area.listed()).all(),
        chosen={"topic": topics, "area": areas, "online": ["1"] if online else []},
    )


@bp.route("/new", methods=["GET", "POST"])
@access.login_required
def new() -> Answer:
    """Fix a date, from an offer of one's own or fresh."""
    offer = _own_offer()
    form = SessionForm(data=_first_words(offer), areas=_areas())
    if form.submit_to(_schedule, by=g.member, offer=offer):
        made: SkillSession = form.result
        return done(url_for("sessions.show", public_id=made.public_id), _said(_("The date is fixed."), form))
    return render_form("sessions/new.html", form, offer=offer)


@bp.get("/<public_id>")
@access.catalogue
def show(public_id: str) -> Answer:
    """A session's own page."""
    return render_template("sessions/show.html", **_standing(_find(public_id)))


@bp.route("/<public_id>/edit", methods=["GET", "POST"])
@access.login_required
def edit(public_id: str) -> Answer:
    """Change what a session says."""
    skill_session = _find_hosted(public_id)
    data = {**DetailsForm.said_of(skill_session), "version": skill_session.version}
    form = EditForm(data=data, areas=_areas())
    if form.submit_to(_edit, skill_session, by=g.member):
        return done(url_for("sessions.show", public_id=public_id), _said(_("Saved."), form))
    if form.conflict:
        form.go_on_from(skill_session.version)
    return render_form("sessions/edit.html", form, skill_session=skill_session)


@bp.route("/<public_id>/cancel", methods=["GET", "POST"])
@access.login_required
def cancel(public_id: str) -> Answer:
    """Call a session off."""
    skill_session = _find_hosted(public_id)
    form = ReasonForm()
    if form.submit_to(seats.cancel, skill_session, by=g.member):
        told = _("It is cancelled. Everybody who had a place is told.")
        return done(url_for("sessions.show", public_id=public_id), told)
    return render_form("sessions/cancel.html", form, skill_session=skill_session)


@bp.route("/<public_id>/join", methods=["GET", "POST"])
@access.login_required
def join(public_id: str) -> Answer:
    """Keep a place, or go on the waiting list."""
    standing = _standing(_find(public_id))
    back = url_for("sessions.show", public_id=public_id)
    if request.method == "GET" and not standing["can_join"]:
        return redirect(back, code=303)
    form = JoinForm()
    if form.submit_to(seats.take_place, standing["skill_session"], by=g.member):
        return done(back, _place_words(form.result))
    overlaps = db.session.scalars(seats.overlapping(standing["skill_session"], g.member)).all()
    return render_form("sessions/join.html", form, overlaps=overlaps, **standing)


@bp.post("/<public_id>/give-back")
@access.login_required
def give_back(public_id: str) -> Answer:
    """Give a place back, say no to one that is held, or leave the waiting list."""
    registration = _own_place(public_id)
    had_seat = registration.seat_no is not None
    seats.give_back(registration, by=g.member)
    words = _("The place went back to the list.") if had_seat else _("You are not on the list any more.")
    return done(url_for("sessions.show", public_id=public_id), words)


@bp.post("/<public_id>/accept")
@access.login_required
def accept(public_id: str) -> Answer:
    """Say yes to a place that is held."""
    registration = seats.accept(_own_place(public_id), by=g.member)
    return done(url_for("sessions.show", public_id=public_id), _place_words(registration))


@bp.route("/<public_id>/host", methods=["GET", "POST"])
@access.login_required
def host(public_id: str) -> Answer:
    """Who is coming and who waits; the number of places; a sheet to print."""
    skill_session = _find_hosted(public_id)
    places = db.session.scalars(Registration.in_session(skill_session)).all()
    form = CapacityForm(data={"capacity": skill_session.capacity})
    if form.submit_to(seats.set_capacity, skill_session, by=g.member):
        return done(url_for("sessions.host", public_id=public_id), _("Saved."))
    return render_form("sessions/host.html", form, skill_session=skill_session, places=places)


@bp.route("/<public_id>/remove/<place_id>", methods=["GET", "POST"])
@access.login_required
def remove(public_id: str, place_id: str) -> Answer:
    """Take somebody's place back, with a reason."""
    skill_session = _find_hosted(public_id)
    in_session = Registration.in_session(skill_session)
    registration = db.session.scalar(in_session.where(Registration.public_id == place_id)) or abort(404)
    form = ReasonForm()
    if form.submit_to(seats.remove, registration, by=g.member):
        return done(url_for("sessions.host", public_id=public_id), _("The place went back to the list."))
    return render_form("sessions/remove.html", form, skill_session=skill_session, registration=registration)


@bp.post("/<public_id>/not-held")
@access.login_required
def not_held(public_id: str) -> Answer:
    """Say that it did not take place."""
    _find_hosted(public_id).not_held(by=g.member)
    return done(url_for("sessions.show", public_id=public_id), _("Noted: it did not take place."))


@bp.post("/<public_id>/step-down")
@access.login_required
def step_down(public_id: str) -> Answer:
    """One who was named to show it too does not."""
    _find_hosted(public_id).step_down(by=g.member)
    return done(url_for("sessions.show", public_id=public_id), _("You do not show it there. The host is told."))


def _find(public_id: str) -> SkillSession:
    """The session that the reader may see, with all that its page shows; else 404."""
    query = SkillSession.visible_to(g.viewer).where(SkillSession.public_id == public_id)
    return db.session.scalar(query.options(*SkillSession.whole())) or abort(404)


def _find_hosted(public_id: str) -> SkillSession:
    skill_session = _find(public_id)
    return skill_session if skill_session.can_host(g.member) else abort(404)


def _own_place(public_id: str) -> Registration:
    return Registration.between(_find(public_id), g.member) or abort(404)


def _standing(skill_session: SkillSession) -> dict[str, Any]:
    """What the page says to this reader: their place, who waits, and whether the exact place is open to them."""
    hosts = skill_session.can_host(g.member)
    registration = Registration.between(skill_session, g.member) if g.member and not hosts else None
    open_ = skill_session.is_on and not skill_session.has_begun
    out = registration is None or registration.state in (PlaceState.WITHDREW, PlaceState.PASSED)
    return {
        "skill_session": skill_session,
        "hosts": hosts,
        "registration": registration,
        "can_join": open_ and out and not hosts,
        "sees_place": seats.sees_place(skill_session, g.member, registration),
        "waiting": seats.waiting_count(skill_session) if open_ and not skill_session.places_left else 0,
        "position": seats.position(registration) if registration and registration.is_waiting else 0,
        "warned": open_ and seats.warns_before_joining(skill_session, g.viewer),
        "can_log": skill_session.has_begun and (hosts or (registration is not None and registration.is_going)),
        "place_opens_at": skill_session.starts_at - limits.PLACE_SHOWN_BEFORE,
        "now": clock.now(),
    }


def _place_words(registration: Registration) -> str:
    if registration.is_going:
        return _("Your place is kept.")
    return _("You are on the waiting list. When a place comes free, we ask you before anybody behind you.")


def _said(words: str, form: DetailsForm) -> str:
    if not form.comes_twice:
        return words
    return words + " " + _("On that day the clocks go back and this time comes twice: it is the first of the two.")


def _areas() -> list[tuple[str, str]]:
    return [(area.public_id, area.name) for area in db.session.scalars(Area.listed())]


def _own_offer() -> Offer | None:
    public_id = request.args.get("offer")
    if not public_id:
        return None
    return db.session.scalar(Offer.of(g.member).where(Offer.public_id == public_id)) or abort(404)


def _first_words(offer: Offer | None) -> dict[str, Any]:
    """How the form of a new session is filled in: from an offer, else with what is known of the member."""
    here = {"zone": g.member.zone, "language": i18n.current_locale()}
    if offer is None:
        skill = db.session.scalar(Skill.listed().where(Skill.slug == request.args.get("skill", "")))
        name = skill.name(i18n.current_locale()) if skill else one_line(request.args.get("q"))[: limits.SKILL_NAME]
        here |= {"skill": name, "area": g.member.area.public_id if g.member.area else ""}
        return here | _found_out_together(name) if name and "together" in request.args else here
    return {
        **here,
        "skill": offer.skill.name(i18n.current_locale()),
        "title": offer.title,
        "practice": offer.practice,
        "theory": offer.theory,
        "before": offer.before,
        "access_note": offer.access_note,
        "capacity": 1 if offer.how is How.ALONE else offer.group_max or USUAL_CAPACITY,
        "where": Where.ONLINE.value if offer.where is Where.ONLINE else Where.IN_PERSON.value,
        "area": offer.area.public_id if offer.area else "",
        "language": offer.language if offer.language in i18n.locales() else here["language"],
    }


def _found_out_together(name: str) -> dict[str, Any]:
    """First words for people who all begin with it, since nobody here can show it yet."""
    return {
        "title": _("%(skill)s: we find out together", skill=name)[: limits.TITLE],
        "practice": _("Each of us brings what they have found out. We try it, and see what works."),
        "theory": _("We look for the reasons together, and say where we have them from."),
    }


def _schedule(
    *, by: Member, offer: Offer | None, skills: dict[str, str], co_hosts: list[str], area: str, title: str, **said: Any
) -> SkillSession:
    found = _skills_named(skills)
    locale = i18n.current_locale()
    return SkillSession.schedule(
        by=by,
        offer=offer,
        skills=found,
        co_hosts=[_member_called(handle) for handle in co_hosts],
        area=_area(area),
        title=title or ", ".join(skill.name(locale) for skill in found)[: limits.TITLE],
        **said,
    )


def _edit(skill_session: SkillSession, *, area: str, **said: Any) -> None:
    seats.edit(skill_session, area=_area(area), **said)


def _area(public_id: str) -> Area | None:
    return db.session.scalar(sa.select(Area).where(Area.public_id == public_id)) if public_id else None


def _skills_named(names: dict[str, str]) -> list[Skill]:
    """The skills of these names by field, in any language. Raises `RuleBroken` with names that are near."""
    found = lists.named(names.values())
    for field, name in names.items():
        if folded(name) in found:
            continue
        near = ", ".join(skill.name(i18n.current_locale()) for skill in lists.near(name))
        if near:
            raise RuleBroken(_("We do not know “%(name)s”. Did you mean: %(near)s?", name=name, near=near), field)
        raise RuleBroken(_("We do not know “%(name)s” yet. Add a page for the skill first.", name=name), field)
    return [found[folded(name)] for name in names.values()]


def _member_called(handle: str) -> Member:
    """The member of that handle, as far as the reader may see: who cannot be seen is not there."""
    member = db.session.scalar(sa.select(Member).where(Member.handle == handle, visible_members(g.viewer)))
    if member is None:
        raise RuleBroken(_("Nobody here is called “%(handle)s”.", handle=handle), "co_hosts")
    return member
