"""Settings: what a member says of themselves, their password, where they are signed in, whom they blocked."""

import sqlalchemy as sa
from babel import Locale
from flask import Blueprint, abort, current_app, flash, g, render_template, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload
from wtforms.fields.choices import SelectChoice

from skillshare import i18n, passwords
from skillshare.config import Settings
from skillshare.db import db
from skillshare.forms.account import ChangePasswordForm, NewPasswordForm, telling_parts
from skillshare.forms.settings import SettingsForm
from skillshare.models import accounts
from skillshare.models.members import Member
from skillshare.models.places import Area
from skillshare.models.tokens import Purpose, SignIn
from skillshare.models.visibility import Block

from . import access, rates, signed_in
from .answers import Answer, done, let_go, render_form

bp = Blueprint("settings", __name__)

# Languages people are likely to meet each other in; those of the instance come first.
SPOKEN = (
    "ar bg bn ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km ko ku lt lv mk ml mn "
    "mr ms mt my ne nl no pa pl ps pt ro ru si sk sl so sq sr sv sw ta te th ti tl tr uk ur uz vi wo yo zh zu"
).split()


@bp.route("/settings", methods=["GET", "POST"])
@access.login_required
def show() -> Answer:
    """What I say of myself, and who sees it."""
    member = _myself()
    areas = db.session.scalars(Area.listed()).all()
    form = SettingsForm(data=_now(member))
    form.area.choices = [
        SelectChoice("", _("I would rather not say")),
        *(SelectChoice(area.public_id, area.name) for area in areas),
    ]
    form.locale.choices = [SelectChoice(code, i18n.own_name(code)) for code in i18n.locales()]
    form.zone.choices = sorted(i18n.zones())
    form.offer_languages(_languages(member))
    area = next((area for area in areas if area.public_id == form.area.data), None)
    if form.submit_to(member.edit, area=area):
        response = done(url_for(".show"))
        response.delete_cookie(i18n.LANG_COOKIE)  # the language chosen here holds from now on
        with force_locale(member.locale):
            flash(_("Saved."))
        return response
    if form.conflict:
        form.version.data = member.version  # both texts are on the page: sending it again is meant
    return render_form("settings/show.html", form, member=member)


@bp.route("/settings/password", methods=["GET", "POST"])
@access.login_required
@rates.proving
def password() -> Answer:
    """Change my password. Who has none yet gets a link to choose one by mail."""
    settings: Settings = current_app.extensions["settings"]
    words = [settings.site_name, g.member.handle, *telling_parts(g.member.email)]
    form = ChangePasswordForm(least=settings.min_password, words=words)
    if g.member.password_hash is not None and form.validate_on_submit():
        if _change_password(form):
            return done(url_for(".show"), _("Your new password is set. Everywhere else you are signed out."))
        form.refuse(_("This is not the password you have now."), "current")
    return render_form("settings/password.html", form, has_password=g.member.password_hash is not None)


@bp.post("/settings/password/link")
@access.login_required
@rates.mailing_links
def mail_password_link() -> Answer:
    """Mail me a link to choose a password with."""
    accounts.mail_link(email=g.member.email, purpose=Purpose.RESET, locale=i18n.current_locale())
    return done(url_for("auth.look_in_mail"))


@bp.get("/settings/sign-ins")
@access.login_required
def sign_ins() -> Answer:
    """Where I am signed in."""
    rows = db.session.scalars(SignIn.of(g.member)).all()
    return render_template("settings/sign_ins.html", sign_ins=rows)


@bp.post("/settings/sign-ins/<public_id>/end")
@access.login_required
def end_sign_in(public_id: str) -> Answer:
    """Sign out one device."""
    ended = db.session.scalar(SignIn.of(g.member).where(SignIn.public_id == public_id))
    if ended is None:
        abort(404)
    if ended.id == g.sign_in.id:
        signed_in.sign_out()
        return done(url_for("home.show"), _("You are signed out."))
    db.session.delete(ended)
    return done(url_for(".sign_ins"), _("That device is signed out."))


@bp.post("/settings/sign-ins/end-all")
@access.login_required
def end_all_sign_ins() -> Answer:
    """Sign out everywhere, here too."""
    SignIn.end_all(g.member, but=g.sign_in)
    signed_in.sign_out()
    return done(url_for("auth.sign_in"), _("You are signed out everywhere."))


@bp.get("/settings/blocked")
@access.login_required
def blocked() -> Answer:
    """People I blocked."""
    blocks = db.session.scalars(Block.by(g.member).options(joinedload(Block.blocked))).all()
    return render_template("settings/blocked.html", blocks=blocks)


@bp.post("/settings/blocked/<handle>/unblock")
@access.login_required
def unblock(handle: str) -> Answer:
    """Exist for each other again."""
    block = db.session.scalar(
        Block.by(g.member).join(Block.blocked).where(Member.handle == handle).options(joinedload(Block.blocked))
    )
    if block is None:
        abort(404)
    Block.lift(g.member, block.blocked)
    return done(url_for(".blocked"), _("Unblocked. You see each other again."))


def _myself() -> Member:
    """Me with my area and languages."""
    whole = (joinedload(Member.area), selectinload(Member.languages))
    query = sa.select(Member).where(Member.id == g.member.id).options(*whole)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def _now(member: Member) -> dict[str, object]:
    same = ("version", "name", "pronouns", "about", "locale", "zone", "seen_as", "name_seen_by")
    return {
        **{name: getattr(member, name) for name in same},
        "area": member.area.public_id if member.area else "",
        "languages": [row.code for row in member.languages],
    }


def _languages(member: Member) -> list[SelectChoice]:
    """Code and name of the languages to choose from: the instance's, the member's, then all others by name."""
    reader = Locale.parse(i18n.current_locale())
    first = list(dict.fromkeys([*i18n.locales(), *(row.code for row in member.languages)]))
    others = sorted(set(SPOKEN) - set(first), key=i18n.language)
    return [SelectChoice(code, reader.languages.get(code) or code) for code in [*first, *others]]


def _change_password(form: NewPasswordForm) -> bool:
    """Set the new password when the old one is right; hashing both without holding the database."""
    kept, member_id = g.member.password_hash, g.member.id
    let_go()
    if not passwords.matches(kept, form.current.data):
        return False
    password_hash = passwords.hash_of(form.password.data)
    member = db.session.get_one(Member, member_id)
    accounts.set_password(member, password_hash, but=g.sign_in)
    return True
