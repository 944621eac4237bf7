"""The HTML skin: one blueprint a file. `register` puts them and what every page needs onto an app."""

from flask import Flask
from flask_wtf import CSRFProtect

from . import access, answers, assets, guard, headers, pages, signed_in

csrf = CSRFProtect()

BLUEPRINTS = (pages.bp,)


def register(app: Flask) -> None:
    """Everything a browser meets, in the order in which a request meets it."""
    assets.start(app)
    guard.start(app)
    csrf.init_app(app)
    signed_in.start(app)
    access.start(app)
    answers.start(app)
    headers.start(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
