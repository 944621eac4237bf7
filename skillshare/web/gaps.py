"""What is missing here: what people looked for in vain, and what some have waited for long.

Searches are counted in memory and written down every few seconds by a thread of each process that serves pages, in a
transaction of its own: a search only reads. See `models/gaps.py` for what is kept, and for how long.
"""

import atexit
import logging
import os
import threading
from datetime import date

from flask import Blueprint, Flask, current_app, g, render_template, request

from skillshare import clock
from skillshare.db import db
from skillshare.models.gaps import SearchGap, wants_waiting
from skillshare.search import nearby
from skillshare.search.asking import Asked, Reader
from skillshare.search.gaps import Buffer, not_found
from skillshare.search.results import Answer

from . import access, rates
from .reader import engine, reader

log = logging.getLogger(__name__)

bp = Blueprint("gaps", __name__, url_prefix="/gaps")

WANTS_SHOWN = 12
WRITTEN_EVERY = 15.0
"""Seconds after which counted searches are written down."""


@bp.get("")
@access.catalogue
@rates.searching
def index() -> str:
    """What nobody here could show so far."""
    who = reader()
    gaps = SearchGap.shown(_today(current_app))
    offered = nearby.offered(engine(), [gap.term for gap in gaps], who) if gaps else set()
    wants = db.session.scalars(wants_waiting(g.viewer).limit(WANTS_SHOWN)).all()
    return render_template(
        "gaps/index.html",
        gaps=[gap for gap in gaps if gap.term not in offered],
        areas=who.shelves.areas,
        wants=wants,
    )


def note(asked: Asked, answer: Answer, who: Reader) -> None:
    """Count this search where it was in vain."""
    gap = not_found(asked, answer, who) if request.method == "GET" else None
    if gap is not None:
        keeper: Keeper = current_app.extensions["gaps"]
        keeper.buffer.note(gap, _today(current_app), who.viewer.id or None)
        keeper.keep_going()


class Keeper:
    """Writes down what this process counted, every WRITTEN_EVERY seconds and when it ends."""

    def __init__(self, app: Flask) -> None:
        self.buffer = Buffer()
        self._app = app
        self._runs_in: int | None = None
        self._starting = threading.Lock()
        self._stop = threading.Event()

    def keep_going(self) -> None:
        """Start the thread with the first thing to write: a server may have forked since the app was made."""
        if self._app.testing or self._runs_in == os.getpid():
            return
        with self._starting:
            if self._runs_in != os.getpid():
                self._runs_in = os.getpid()
                threading.Thread(target=self._go_on, name="gaps", daemon=True).start()
                atexit.register(self.write_down)

    def write_down(self) -> None:
        """Write down what was counted so far; what could not be written is counted on."""
        taken = self.buffer.take()
        if not taken:
            return
        try:
            with self._app.app_context():
                SearchGap.count(taken, _today(self._app), str(self._app.config["SECRET_KEY"]))
                db.session.commit()
        except Exception:  # any: a database that is busy or away
            log.exception("what was looked for in vain is not written down yet")
            self.buffer.put_back(taken)

    def stop(self) -> None:
        """Write no more by itself."""
        self._stop.set()

    def _go_on(self) -> None:
        while not self._stop.wait(WRITTEN_EVERY):
            self.write_down()


def start(app: Flask) -> None:
    """Give `app` something to count with."""
    app.extensions["gaps"] = Keeper(app)


def _today(app: Flask) -> date:
    return clock.today(str(app.config["DEFAULT_ZONE"]))
