"""Who may come to a page at all. Every view says so with one of these decorators; one that does not is closed.

What a member may do with a thing is the model's to say; what they may see of it, `visibility.py`'s.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Open to everybody, whatever the site's mode."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def catalogue(view: View) -> View:
    """Open to visitors where the site's mode shows the catalogue, else to members."""
    view.access = "catalogue"  # type: ignore[attr-defined]
    return view


def login_required(view: View) -> View:
    """Open to members who are signed in."""
    view.access = "member"  # type: ignore[attr-defined]
    return view


def demo_only(view: View) -> View:
    """Open to everybody in the demo; elsewhere it does not exist."""
    view.access = "demo"  # type: ignore[attr-defined]
    return view


def access_of(endpoint: str) -> str | None:
    """The declared access of an endpoint; None when nobody declared any."""
    declared: str | None = getattr(current_app.view_functions[endpoint], "access", None)
    return declared


def start(app: Flask) -> None:
    """Ask before every view."""
    app.before_request(_check)


def _check() -> Response | BaseResponse | None:
    if request.endpoint is None:
        return None
    access = access_of(request.endpoint)
    if access == "public" or (access == "catalogue" and g.viewer.sees_catalogue):
        return None
    if access == "demo":
        return None if current_app.config["DEMO"] else abort(404)
    if access in ("member", "catalogue"):
        return None if g.member else _to_sign_in()
    raise RuntimeError(f"{request.endpoint} declares no access")


def _to_sign_in() -> BaseResponse:
    """A page asked for comes back after signing in; a form sent does not, its page does."""
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.sign_in", next=back), code=303)
