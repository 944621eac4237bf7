"""Coming in and going out: by password, by a mailed link, with a new password. One answer for every address.

A mailed link opens a page with one button and only the button acts: mail scanners open links, too.
"""

from urllib.parse import parse_qs, unquote, urlsplit

from flask import Blueprint, current_app, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response

from skillshare import i18n, limits, passwords
from skillshare.config import Settings
from skillshare.db import db
from skillshare.forms.account import AddressForm, NewPasswordForm, SignInForm, telling_parts
from skillshare.forms.base import Form
from skillshare.models import accounts
from skillshare.models.members import Member, MemberState
from skillshare.models.tokens import Purpose, Token

from . import access, rates, signed_in
from .answers import Answer, done, let_go, render_form

bp = Blueprint("auth", __name__)

# What this browser joined with: the hash of the mailed secret. See `accounts.confirm`.
JOINED = "joined"


@bp.route("/sign-in", methods=["GET", "POST"])
@access.public
@rates.signing_in
def sign_in() -> Answer:
    """With handle or address, and password."""
    if g.member:
        return redirect(next_page(), code=303)
    form = SignInForm()
    if form.validate_on_submit():
        member = _proven(form.who.data, form.password.data)
        if member is None:
            form.refuse(_("These two do not go together. Try again, or let us mail you a link."))
        elif not member.is_active:
            session[JOINED] = accounts.mail_confirmation(member)
            return done(url_for(".look_in_mail"))
        else:
            rates.worked_out()
            signed_in.sign_in(member)
            return rates.know_device(done(next_page()))
    return render_form("auth/sign_in.html", form, next=request.args.get("next"))


@bp.route("/sign-in/link", methods=["GET", "POST"])
@access.public
@rates.mailing_links
def sign_in_link() -> Answer:
    """Ask for a link that signs in."""
    return _mail(Purpose.SIGN_IN, "auth/sign_in_link.html")


@bp.route("/forgot", methods=["GET", "POST"])
@access.public
@rates.mailing_links
def forgot() -> Answer:
    """Ask for a link to choose a new password."""
    return _mail(Purpose.RESET, "auth/forgot.html")


@bp.get("/look-in-your-mail")
@access.public
def look_in_mail() -> Answer:
    """What everybody is told who gave an address."""
    return render_template("auth/look_in_mail.html")


@bp.route("/sign-in/link/<secret>", methods=["GET", "POST"])
@access.public
def use_link(secret: str) -> Answer:
    """The page behind a mailed link, and its one button."""
    token = Token.find(secret, Purpose.SIGN_IN)
    if token is None or not token.member.is_active:
        return link_over("auth.sign_in_link")
    form = Form()
    if form.validate_on_submit():
        signed_in.sign_in(token.use())
        return done(url_for("week.show"))
    return render_form("auth/use_link.html", form, member=token.member)


@bp.route("/reset/<secret>", methods=["GET", "POST"])
@access.public
def reset(secret: str) -> Answer:
    """Choose a new password with a mailed link. It does not sign in: that is asked of the new password."""
    token = Token.find(secret, Purpose.RESET)
    if token is None or not token.member.is_active:
        return link_over("auth.forgot")
    member = token.member
    form = new_password_form(member)
    if form.validate_on_submit():
        let_go()
        password_hash = passwords.hash_of(form.password.data)
        token = Token.find(secret, Purpose.RESET)
        if token is None:
            return link_over("auth.forgot")
        accounts.set_password(token.member, password_hash)
        return done(url_for(".sign_in"), _("Your new password is set. Sign in with it."))
    return render_form("auth/reset.html", form, member=member)


@bp.post("/sign-out")
@access.public
def sign_out() -> Answer:
    """End the sign-in of this device."""
    signed_in.sign_out()
    return done(url_for("home.show"), _("You are signed out."))


def new_password_form(member: Member) -> NewPasswordForm:
    """A form for a new password of `member`, under this instance's rules."""
    settings: Settings = current_app.extensions["settings"]
    words = [settings.site_name, member.handle, *telling_parts(member.email)]
    return NewPasswordForm(least=settings.min_password, words=words)


def link_over(again: str) -> Answer:
    """The page for a link that opens nothing (any more), with the way to a new one."""
    return render_template("auth/link_over.html", again=url_for(again)), 404


def next_page() -> str:
    """Where `?next=` wants to go when that is a page of ours, else the member's week. Built anew, never echoed."""
    wish = request.args.get("next", "")
    parts = urlsplit(wish) if len(wish) <= limits.NEXT and wish.isprintable() else urlsplit("")
    path = unquote(parts.path)
    if parts.scheme or parts.netloc or not path.startswith("/") or not path.isprintable():
        return url_for("week.show")
    try:
        endpoint, values = current_app.url_map.bind("localhost").match(path, method="GET")
    except (HTTPException, RequestRedirect):
        return url_for("week.show")
    if endpoint.split(".")[0] in ("assets", "auth", "join"):
        return url_for("week.show")
    asked = {name: sent for name, sent in parse_qs(parts.query).items() if not name.startswith("_")}
    return url_for(endpoint, **{**asked, **values})


def _proven(who: str, password: str) -> Member | None:
    """The member who is behind `who` and knows the password. Takes as long when there is none."""
    found = Member.by_address_or_handle(who)
    let_go()
    kept = found.password_hash if found else None
    right = passwords.matches(kept, password)
    if found is None or not right or kept is None:
        return None
    renewed = passwords.hash_of(password) if passwords.is_old(kept) else kept
    member = db.session.get(Member, found.id)
    if member is None or member.state is MemberState.CLOSED or member.password_hash != kept:
        return None
    member.password_hash = renewed
    return member


def _mail(purpose: Purpose, template: str) -> Response | Answer:
    form = AddressForm()
    if form.validate_on_submit():
        accounts.mail_link(email=form.email.data, purpose=purpose, locale=i18n.current_locale())
        return done(url_for(".look_in_mail"))
    return render_form(template, form)
