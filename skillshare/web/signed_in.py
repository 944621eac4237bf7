"""Who is signed in: the one place that touches Flask-Login. Everywhere else it is `g.member` and `g.viewer`.

The cookie holds a random secret whose hash is a row of `SignIn`: ending the row signs out at the next request.
The time of last use travels in the signed cookie, so that a GET writes nothing.
"""

from flask import Flask, current_app, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from skillshare import clock, limits
from skillshare.db import db
from skillshare.models.members import Member
from skillshare.models.tokens import SignIn
from skillshare.models.visibility import Viewer

manager = LoginManager()
SEEN, SEEN_EVERY_SECONDS = "seen", 3600


class SignedIn(UserMixin):  # type: ignore[misc]
    """What Flask-Login keeps: a sign-in and the secret that found it."""

    def __init__(self, sign_in: SignIn, secret: str) -> None:
        self.sign_in = sign_in
        self.secret = secret

    def get_id(self) -> str:
        """What the cookie holds."""
        return self.secret


def start(app: Flask) -> None:
    """Set `g.member`, `g.sign_in` and `g.viewer` before every view."""
    manager.session_protection = None
    manager.init_app(app)
    manager.user_loader(_load)
    app.before_request(_who)


def sign_in(member: Member) -> None:
    """Begin a new sign-in of `member` on this device; whatever the session held before is gone."""
    session.clear()
    started, secret = SignIn.start(member, request.headers.get("User-Agent", ""))
    login_user(SignedIn(started, secret))
    session.permanent = True
    session[SEEN] = _now()
    _set(started)


def sign_out() -> None:
    """End the sign-in of this device and all its cookie knew; an old copy of the cookie opens nothing."""
    if g.sign_in is not None:
        db.session.delete(g.sign_in)
    logout_user()
    session.clear()
    _set(None)


def _load(secret: str) -> SignedIn | None:
    idle = _now() - session.get(SEEN, 0)
    if not -SEEN_EVERY_SECONDS <= idle < limits.SIGN_IN_IDLE.total_seconds():
        return None
    found = SignIn.find(secret)
    return SignedIn(found, secret) if found else None


def _who() -> None:
    if request.endpoint == "assets.bundled" or "_user_id" not in session:
        _set(None)
        return
    _set(current_user.sign_in if current_user.is_authenticated else None)
    if g.member is None:
        session.clear()
    elif _now() - session[SEEN] > SEEN_EVERY_SECONDS:
        session[SEEN] = _now()


def _set(sign_in: SignIn | None) -> None:
    g.sign_in = sign_in
    g.member = sign_in.member if sign_in else None
    g.viewer = Viewer(g.member, current_app.config["SITE_MODE"])


def _now() -> int:
    return int(clock.now().timestamp())
