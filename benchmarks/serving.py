"""The servers that are compared, each in a process of its own: `serving.py product|floor PORT`.

`product` is Teachback as `flask start` serves it (waitress, the worker beside it), with one header more: how many
queries an answer took. `floor` is the least that a page from a database can cost here: Flask, one indexed query,
20 rows through Jinja, as many bytes as the page it is compared with.
"""

import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import sqlalchemy as sa
import waitress
from flask import Flask, render_template
from jinja2 import DictLoader

from skillshare import create_app, jobs
from skillshare.cli.instance import THREADS
from skillshare.config import Settings
from skillshare.db import db, sqlite_module

ROWS = """<!doctype html><title>Floor</title><h1>{{ rows | length }} rows</h1><ul>
{% for public_id, title in rows %}<li><a href="/offers/{{ public_id }}">{{ title }}</a></li>
{% endfor %}</ul>"""


def main(which: str, port: int) -> None:
    """Serve until stopped."""
    app: Any = product() if which == "product" else floor()
    waitress.create_server(
        app, host="127.0.0.1", port=port, threads=THREADS, ident=None, clear_untrusted_proxy_headers=False
    ).run()


def product() -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """Teachback with its worker, saying in `X-Queries` how many statements each answer took."""
    app = create_app()
    count = threading.local()
    with app.app_context():
        sa.event.listen(db.engine, "before_cursor_execute", lambda *said: _add(count, said[2]))
    jobs.start_beside(app)

    def counted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        count.queries = 0
        return app(environ, lambda *said: start_response(said[0], [*said[1], ("X-Queries", str(count.queries))]))

    return counted


def floor() -> Flask:
    """The bare app: `/START/BYTES` answers with 20 offers after START, in at least BYTES bytes."""
    app = Flask("floor")
    app.jinja_loader = DictLoader({"rows.html": ROWS})
    file = Settings.read().database_url.removeprefix("sqlite:///")
    mine = threading.local()

    @app.get("/<int:start>/<int:size>")
    def rows(start: int, size: int) -> str:
        if not hasattr(mine, "connection"):
            mine.connection = sqlite_module.connect(file)
        found = mine.connection.execute(
            "SELECT public_id, title FROM offer WHERE id > ? ORDER BY id LIMIT 20", (start,)
        ).fetchall()
        page = render_template("rows.html", rows=found)
        return page + "." * (size - len(page.encode()))

    return app


def _add(count: threading.local, statement: str) -> None:
    if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
        count.queries = getattr(count, "queries", 0) + 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
