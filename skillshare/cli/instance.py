"""Starting an instance: `flask init` for a real one, `flask start` for one command that runs everything."""

import logging
import threading
from pathlib import Path

import click
import flask_migrate
import sqlalchemy as sa
import waitress
from flask import current_app
from flask.cli import with_appcontext

from skillshare import catalogue, i18n, jobs
from skillshare.db import db
from skillshare.demo import community
from skillshare.models.skills import Skill

from . import demo

THREADS = 8


@click.command
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@with_appcontext
def start(host: str) -> None:
    """Prepare the instance where needed, then serve it with the worker beside the server, in one process."""
    prepare()
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # eight at once and one waiting is no news
    port = current_app.extensions["settings"].port
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    server = waitress.create_server(app, host=host, port=port, threads=THREADS, ident=None, **_proxy_headers())
    stop = jobs.start_beside(app)
    _greet(f"http://{host}:{port}")
    try:
        server.run()
    finally:
        stop.set()


@click.command
@with_appcontext
def init() -> None:
    """Make or bring up to date the database, the translations and the catalogue of this instance."""
    prepare()
    click.echo(f"Ready in {current_app.extensions['settings'].data_dir}.")


@click.command
@with_appcontext
def worker() -> None:
    """Send mail, keep the index in step and do what is due, until stopped. Run as many as you like."""
    jobs.work(current_app._get_current_object(), threading.Event())  # type: ignore[attr-defined]


def prepare() -> None:
    """Migrate, compile translations, and fill an empty database. Safe to run at every start."""
    flask_migrate.upgrade(directory=current_app.config["MIGRATIONS"])
    i18n.compile_translations(Path(current_app.config["BABEL_TRANSLATION_DIRECTORIES"]))
    if db.session.scalar(sa.select(Skill.id).limit(1)) is None:
        _fill()
    db.session.rollback()


def _proxy_headers() -> dict[str, bool]:
    """Behind proxies of ours their headers are kept, for `ProxyFix` to read; from anybody else they are dropped."""
    return {"clear_untrusted_proxy_headers": not current_app.extensions["settings"].trusted_proxies}


def _fill() -> None:
    """The starter skills (or the instance's own, from `starter.csv` in its data folder), and in the demo its people."""
    own = current_app.extensions["settings"].data_dir / "starter.csv"
    catalogue.starter(own if own.exists() else None)
    db.session.commit()
    if current_app.config["DEMO"]:
        demo.fill()


def _greet(address: str) -> None:
    click.echo(f"\nTeachback runs at {address}")
    if current_app.config["DEMO"]:
        click.echo(f"Sign in as {community.DEMO_EMAIL} with the password: {community.PASSWORD}")
        click.echo(f"Mail goes to {address}/dev/mail")
