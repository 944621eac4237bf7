"""Teach-backs: I showed it and said why; the witnesses say "clear" or which part is worth another try."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, g, render_template, request, url_for
from flask_babel import gettext as _

from skillshare import clock, i18n, limits
from skillshare.db import db
from skillshare.errors import RuleBroken
from skillshare.forms.base import Form
from skillshare.forms.teachbacks import MorePracticeForm, TeachBackForm, WitnessesForm
from skillshare.models.knowhow import MemberSkill
from skillshare.models.log import LogEntry
from skillshare.models.members import Member
from skillshare.models.sessions import PartKind
from skillshare.models.skills import Care, Skill
from skillshare.models.teachbacks import TeachBack, Verdict, might_want_next

from . import access
from .answers import Answer, done, render_form
from .typed import members_called, skills_named

bp = Blueprint("teachbacks", __name__, url_prefix="/teach-backs")


@dataclass(frozen=True)
class Start:
    """What is known before anything is filled in: the entry it follows, the skill, who was there."""

    entry: LogEntry | None = None
    skill: Skill | None = None
    present: Sequence[Member] = ()

    @property
    def entry_id(self) -> str | None:
        """The public id of the entry."""
        return self.entry.public_id if self.entry else None

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The people who were there, as choices by handle."""
        return [(member.handle, g.viewer.name_of(member)) for member in self.present]


@bp.route("/new", methods=["GET", "POST"])
@access.login_required
def new() -> Answer:
    """Say that I have shown it back, and who saw it."""
    start = _start()
    name = start.skill.name(i18n.current_locale()) if start.skill else ""
    form = TeachBackForm(data={"skill": name, "on": clock.today(g.member.zone)}, present=start.choices)
    page = {"entry_id": start.entry_id, "hazard": bool(start.skill and start.skill.care is Care.HAZARD)}
    if form.submit_to(_attempt, by=g.member, entry=start.entry):
        made: TeachBack = form.result
        said = _("We have asked those who saw it.")
        return done(url_for("teachbacks.show", public_id=made.public_id), said)
    return render_form("teachbacks/new.html", form, **page)


@bp.get("/<public_id>")
@access.login_required
def show(public_id: str) -> Answer:
    """One try: its giver and its witnesses see it, nobody else."""
    return _page(_find(public_id))


@bp.post("/<public_id>/clear")
@access.login_required
def clear(public_id: str) -> Answer:
    """It was shown, and it was said why."""
    _find(public_id).clear(by=g.member)
    return done(url_for("teachbacks.show", public_id=public_id), _("Thank you. You said: clear."))


@bp.post("/<public_id>/more-practice")
@access.login_required
def more_practice(public_id: str) -> Answer:
    """Say kindly which part is worth another try."""
    form = MorePracticeForm()
    if form.submit_to(_find(public_id).more_practice, by=g.member):
        words = _("Thank you. Only they and those who saw it can read this.")
        return done(url_for("teachbacks.show", public_id=public_id), words)
    db.session.rollback()
    return _page(_find(public_id), practice=form)


@bp.post("/<public_id>/was-not-there")
@access.login_required
def was_not_there(public_id: str) -> Answer:
    """I did not see it: my word counts neither way."""
    _find(public_id).was_not_there(by=g.member)
    return done(url_for("week.show"), _("Noted: you were not there."))


@bp.post("/<public_id>/witnesses")
@access.login_required
def witnesses(public_id: str) -> Answer:
    """Name more people who saw it."""
    form = WitnessesForm()
    if form.submit_to(_name_witnesses, _find(public_id), by=g.member):
        return done(url_for("teachbacks.show", public_id=public_id), _("We have asked them too."))
    db.session.rollback()
    return _page(_find(public_id), more=form)


@bp.post("/<public_id>/withdraw")
@access.login_required
def withdraw(public_id: str) -> Answer:
    """Take a try back: nobody sees it any more."""
    _find(public_id).withdraw(by=g.member)
    return done(url_for("record.show"), _("You took it back. Nobody sees it any more."))


def _find(public_id: str) -> TeachBack:
    query = TeachBack.visible_to(g.member).where(TeachBack.public_id == public_id)
    return db.session.scalar(query.execution_options(populate_existing=True)) or abort(404)


def _page(teach_back: TeachBack, practice: Form | None = None, more: Form | None = None) -> Answer:
    mine = teach_back.giver_id == g.member.id
    wrong = bool((practice and practice.errors) or (more and more.errors))
    page = render_template(
        "teachbacks/show.html",
        teach_back=teach_back,
        mine=mine,
        tries=db.session.scalars(TeachBack.tries_of(teach_back, g.member)).all(),
        practice=practice or MorePracticeForm(),
        more=more or WitnessesForm(),
        next_people=_next_people(teach_back) if mine and teach_back.is_confirmed else (),
        hazard=teach_back.skill.care is Care.HAZARD,
        waits_for=[w.member for w in teach_back.witnesses if w.verdict is Verdict.NONE],
    )
    return page, 422 if wrong else 200


def _next_people(teach_back: TeachBack) -> Sequence[MemberSkill]:
    return db.session.scalars(might_want_next(teach_back, g.viewer)).all()


def _start() -> Start:
    """From an entry, from a skill, from a try before, or fresh."""
    if entry_id := request.args.get("entry"):
        return _start_from(_entry(entry_id))
    if again := request.args.get("again"):
        before = _find(again)
        people = [w.member for w in before.witnesses if w.member_id != g.member.id and g.viewer.can_see(w.member)]
        return Start(skill=before.skill, present=people)
    slug = request.args.get("skill", "")[: limits.SLUG]
    return Start(skill=db.session.scalar(Skill.listed().where(Skill.slug == slug)) if slug else None)


def _start_from(entry: LogEntry) -> Start:
    learned = [p.skill for p in entry.parts if p.member_id == g.member.id and p.kind is PartKind.LEARNS]
    wished = request.args.get("skill")
    skill = next((s for s in learned if s.slug == wished), learned[0] if learned else None)
    parts = sorted(entry.parts_shown_to(g.member), key=lambda part: part.kind is not PartKind.SHOWS)
    there = dict.fromkeys(part.member for part in parts if part.member_id != g.member.id)
    return Start(entry, skill, [member for member in there if g.viewer.can_see(member)])


def _entry(public_id: str) -> LogEntry:
    return db.session.scalar(LogEntry.in_it(g.member).where(LogEntry.public_id == public_id)) or abort(404)


def _attempt(*, by: Member, entry: LogEntry | None, skill: str, witnesses: list[str], **said: Any) -> TeachBack:
    found = skills_named({"skill": skill})["skill"]
    parts = entry.parts if entry else ()
    learned = {p.skill_id for p in parts if p.member_id == by.id and p.kind is PartKind.LEARNS}
    return TeachBack.attempt(
        by=by,
        skill=found,
        witnesses=_witnesses(by, witnesses),
        log_entry=entry if found.id in learned else None,
        **said,
    )


def _name_witnesses(teach_back: TeachBack, *, by: Member, witnesses: list[str]) -> None:
    teach_back.name_witnesses(by=by, witnesses=_witnesses(by, witnesses))


def _witnesses(by: Member, handles: list[str]) -> list[Member]:
    if by.handle in handles:
        raise RuleBroken(_("Nobody can be their own witness. Name somebody who saw it."), "witnesses")
    return members_called(handles, "witnesses")
