"""How a view answers: the form again with what is wrong, or done and on to the next page. And every error page."""

import logging
import secrets
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app, flash, g, redirect, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response

from skillshare.db import SAFE_METHODS, db
from skillshare.errors import NotAllowed, RuleBroken
from skillshare.forms.base import Form
from skillshare.models.once import Once

log = logging.getLogger(__name__)

Answer = Response | str | tuple[str, int]
KNOWN_PAGES = frozenset({400, 403, 404, 405, 409, 413, 414, 415, 422, 429, 500, 503})


def render_form(template: str, form: Form, **context: Any) -> Answer:
    """The page of a form: 200 when it is new, 422 with what is wrong, 409 when somebody saved in between."""
    status = 200
    if request.method not in SAFE_METHODS:
        let_go()
        status = 409 if form.conflict else 422
    return render_template(template, form=form, **context), status


def let_go() -> None:
    """End the transaction, and with it every lock, without forgetting what was read for the page."""
    db.session.expunge_all()
    db.session.rollback()


def done(location: str, message: str | None = None, category: str = "message") -> Response:
    """Commit, once, and go on to `location` (303). Remembers the form's key, so that sending it again ends there."""
    key = request.form.get("once", "")[:43]
    if key and g.member:
        db.session.add(Once(member_id=g.member.id, key=key, location=location))
    try:
        db.session.commit()
    except sa.exc.IntegrityError:
        db.session.rollback()
        first = Once.location_of(g.member, key) if key and g.member else None
        if first is None:
            raise
        return redirect(first, code=303)
    if message:
        flash(message, category)
    return redirect(location, code=303)


def start(app: Flask) -> None:
    """Bind the answers to everything that can go wrong."""
    app.before_request(_answer_again)
    app.register_error_handler(NotAllowed, _not_allowed)
    app.register_error_handler(RuleBroken, _rule_broken)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(sa.exc.OperationalError, _database_busy)
    app.register_error_handler(sa.exc.TimeoutError, _database_busy)
    app.register_error_handler(Exception, _unforeseen)
    app.teardown_request(_leave_nothing_open)


def _answer_again() -> Response | None:
    """A form that did its work already is answered with the page it led to."""
    key = request.form.get("once", "") if request.method == "POST" and g.member else ""
    location = Once.location_of(g.member, key[:43]) if key else None
    return redirect(location, code=303) if location else None


def error_page(status: int, message: str | None = None, **context: Any) -> tuple[str, int]:
    """The page for an error, with a sentence of its own where there is one."""
    shown = status if status in KNOWN_PAGES else (400 if status < 500 else 500)
    name = {405: 404, 414: 413, 415: 400}.get(shown, shown)
    return render_template(f"errors/{name}.html", message=message, **context), status


def _not_allowed(_error: NotAllowed) -> Answer:
    db.session.rollback()
    return error_page(403)


def _rule_broken(error: RuleBroken) -> Answer:
    db.session.rollback()
    return error_page(409, error.message)


def _csrf(_error: CSRFError) -> Answer:
    return error_page(400, _("This page was open for too long. Go back, load it again, and send it once more."))


def _http(error: HTTPException) -> Answer | Response:
    if error.code is None or error.code < 400:
        return error.get_response()
    if isinstance(error, SecurityError):  # asked for another host: no address of ours can be built
        return Response(_("This is not the address of this site."), status=400, mimetype="text/plain")
    db.session.rollback()
    response = current_app.make_response(error_page(error.code))
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _database_busy(error: Exception) -> Response:
    log.warning("the database did not answer in time: %s", type(error).__name__)
    db.session.rollback()
    response = current_app.make_response(error_page(503))
    response.headers["Retry-After"] = "5"
    return response


def _unforeseen(error: Exception) -> Answer:
    if current_app.testing and current_app.config["PROPAGATE_EXCEPTIONS"] is not False:
        raise error
    error_id = secrets.token_hex(6)
    log.exception("error %s at %s", error_id, request.url_rule)
    db.session.rollback()
    return error_page(500, error_id=error_id)


def _leave_nothing_open(_error: BaseException | None) -> None:
    db.session.remove()
