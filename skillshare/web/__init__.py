"""The HTML skin: one blueprint a file. `register` puts them and what every page needs onto an app."""

from flask import Flask
from flask_wtf import CSRFProtect

from . import (
    access,
    answers,
    assets,
    auth,
    find,
    gaps,
    guard,
    headers,
    home,
    join,
    listings,
    log,
    members,
    notices,
    offers,
    pages,
    rates,
    record,
    searches,
    sessions,
    settings,
    signed_in,
    skills,
    teachbacks,
    templates,
    wants,
    week,
    words,
)

csrf = CSRFProtect()

BLUEPRINTS = (
    auth.bp,
    find.bp,
    gaps.bp,
    home.bp,
    join.bp,
    listings.bp,
    log.bp,
    members.bp,
    notices.bp,
    offers.bp,
    pages.bp,
    record.bp,
    searches.bp,
    sessions.bp,
    settings.bp,
    skills.bp,
    teachbacks.bp,
    wants.bp,
    week.bp,
)


def register(app: Flask) -> None:
    """Everything a browser meets, in the order in which a request meets it."""
    assets.start(app)
    guard.start(app)
    csrf.init_app(app)
    csrf.exempt(notices.stop_now)  # sent by mail programs; the address is the secret
    signed_in.start(app)
    access.start(app)
    rates.start(app)
    gaps.start(app)
    answers.start(app)
    words.start(app)
    templates.speak(app)
    headers.start(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
