"""Joining: the form, the mailed link, the two lists, and what the place has for the newcomer."""

from flask import Blueprint, current_app, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from wtforms.fields.choices import SelectChoice

from skillshare import i18n, limits, passwords
from skillshare.config import Settings
from skillshare.db import db
from skillshare.forms.account import JoinForm
from skillshare.forms.base import Form
from skillshare.forms.lists import ListsForm
from skillshare.models import accounts
from skillshare.models import lists as two_lists
from skillshare.models.knowhow import MemberSkill
from skillshare.models.skills import Skill, folded
from skillshare.models.tokens import Purpose, Token

from . import access, auth, rates, signed_in
from .answers import Answer, done, let_go, render_form

bp = Blueprint("join", __name__)


@bp.route("/join", methods=["GET", "POST"])
@access.public
@rates.joining
def show() -> Answer:
    """Ask to join. A known address is answered like any other; its owner is told by mail."""
    settings: Settings = current_app.extensions["settings"]
    if g.member:
        return redirect(url_for("week.show"), code=303)
    if settings.sign_up == "closed":
        return render_template("join/closed.html")
    form = JoinForm(
        least=settings.min_password,
        words=[settings.site_name],
        locale=i18n.current_locale(),
        zone=settings.default_zone,
    )
    form.locale.choices = [SelectChoice(code, i18n.own_name(code)) for code in i18n.locales()]
    form.zone.choices = sorted(i18n.zones())
    if form.validate_on_submit():
        let_go()
        password_hash = passwords.hash_of(form.password.data) if form.password.data else None
        if form.submit_to(accounts.ask_to_join, password_hash=password_hash):
            session[auth.JOINED] = form.result
            return done(url_for("auth.look_in_mail"))
    return render_form("join/show.html", form)


@bp.route("/join/confirm/<secret>", methods=["GET", "POST"])
@access.public
def confirm(secret: str) -> Answer:
    """The page behind the mailed link, and its one button: the account is open, and we go on to the lists."""
    token = Token.find(secret, Purpose.CONFIRM)
    if token is None:
        return auth.link_over("auth.sign_in_link")
    form = Form()
    if form.validate_on_submit():
        had_password = token.member.password_hash is not None
        member = accounts.confirm(token, asked_with=session.get(auth.JOINED))
        signed_in.sign_in(member)
        said = _("Welcome! Your account is open.")
        if had_password and member.password_hash is None:
            said = _(
                "Welcome! Your account is open. This is not the browser you joined with, so to be safe the password "
                "from there was not kept. You can choose one under Settings, or always sign in by mailed link."
            )
        return done(url_for(".lists"), said)
    return render_form("join/confirm.html", form, member=token.member)


@bp.route("/join/lists", methods=["GET", "POST"])
@access.login_required
def lists() -> Answer:
    """Two lists on one screen. Lines that name no skill come back with names like them; nothing typed is lost."""
    sent = request.method == "POST"
    form = ListsForm() if sent else ListsForm(data={side: _left(side) for side in ("can", "want")})
    if form.validate_on_submit():
        lines = {side: _with_pick(form, side) for side in ("can", "want")}
        two_lists.make(by=g.member, shows=lines["can"], wants=lines["want"])
        known = two_lists.named(lines["can"] + lines["want"])
        can, want = ([line for line in said if folded(line) not in known] for said in lines.values())
        more = "more" in request.form
        if more or can or want:
            return done(url_for(".lists", can=can, want=want, rows=max(len(form.can), len(form.want)) + more))
        return done(url_for(".found"))
    for side in (form.can, form.want):
        while len(side) < max(_rows(), limits.LISTS_ROWS):
            side.append_entry()
    near = {line: two_lists.near(line) for line in dict.fromkeys(form.lines("can") + form.lines("want"))}
    said = db.session.scalars(MemberSkill.of(g.member)).all()
    return render_form("join/lists.html", form, near=near, said=said)


@bp.get("/join/found")
@access.login_required
def found() -> Answer:
    """Here is what we found: who can show it, who waits for it, and when."""
    shows = db.session.scalars(two_lists.who_shows(g.viewer)).all()
    waits = db.session.scalars(two_lists.who_waits(g.viewer)).all()
    return render_template(
        "join/found.html",
        shows=shows,
        offers=two_lists.offers_of(shows, g.viewer),
        waits=waits,
        sessions=db.session.scalars(two_lists.sessions_for(g.viewer)).all(),
        said=db.session.scalars(MemberSkill.of(g.member)).all(),
    )


def _left(side: str) -> list[str]:
    """The lines of a side that still name no skill, from the address of the page."""
    return [line[: limits.SKILL_NAME] for line in request.args.getlist(side)[: limits.LISTS_ROWS_MAX]]


def _rows() -> int:
    text = request.args.get("rows", "")
    return min(limits.LISTS_ROWS_MAX, int(text)) if text.isascii() and text.isdigit() and len(text) < 3 else 0


def _with_pick(form: ListsForm, side: str) -> list[str]:
    """The lines of a side, with the name pressed (`can-0=slug`) in the place of the line it was offered for."""
    field, _equals, slug = request.form.get("pick", "").partition("=")
    picked = db.session.scalar(Skill.listed().where(Skill.slug == slug)) if slug else None
    for entry in form[side]:
        if picked is not None and entry.name == field:
            entry.data = picked.name(i18n.current_locale())
    return form.lines(side)
