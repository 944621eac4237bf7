"""The worker: claim due outbox rows, handle them, try again later when that fails. The scheduler is `due_at`.

Handlers take what a row names, ask the model what is true now, and are safe to run twice.
"""

import logging
import smtplib
import threading
from collections.abc import Callable
from time import monotonic

import sqlalchemy as sa
from flask import Flask, current_app

from . import clock, limits, mail
from .db import db, reading
from .models.once import Once
from .models.outbox import Outbox
from .models.seats import Registration, lapse
from .search import sync

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
HOUR = 3600.0


def send_mail(rows: list[Outbox]) -> list[Outbox]:
    """Send each mail; those that could not leave stay for later, until `limits.MAIL_KEPT_TRYING` is over.

    One that cannot be composed holds up no other.
    """
    return [row for row in rows if _is_sent(row) or clock.now() - row.created_at > limits.MAIL_KEPT_TRYING]


def _is_sent(row: Outbox) -> bool:
    try:
        mail.send(row)
        return True
    except (OSError, smtplib.SMTPException) as error:
        log.warning("mail row %s is not sent yet: %s", row.id, type(error).__name__)
        row.last_error = str(error)[:500]
    except Exception as error:
        log.exception("mail row %s could not be composed", row.id)
        row.last_error = str(error)[:500]
    return False


def lapse_seats(rows: list[Outbox]) -> list[Outbox]:
    """Seats held for a waiting person until now go to the next."""
    for row in rows:
        registration = db.session.get(Registration, row.payload["registration_id"])
        if registration is not None:
            lapse(registration)
    return rows


def sync_index(rows: list[Outbox]) -> list[Outbox]:
    """Bring the search index up to date; what was not seen in it afterwards stays for later."""
    return sync.sync_rows(current_app.extensions["search"], rows)


# kind → (rows at once, handler that returns the rows that are done)
HANDLERS: dict[str, tuple[int, Callable[[list[Outbox]], list[Outbox]]]] = {
    "index": (500, sync_index),
    "seat": (20, lapse_seats),
    "mail": (20, send_mail),
}


def work_once(*kinds: str) -> int:
    """Handle what is due of these kinds (none: of all), each in transactions of its own; how many rows are done."""
    return sum(_work(kind, *HANDLERS[kind]) for kind in kinds or HANDLERS)


def _work(kind: str, limit: int, handler: Callable[[list[Outbox]], list[Outbox]]) -> int:
    if not _any_due(kind):
        return 0
    rows = Outbox.claim(kind, limit)
    db.session.commit()
    try:
        done = handler(rows)
        Outbox.finish(done)
        db.session.commit()
        return len(done)
    except Exception:
        db.session.rollback()
        log.exception("outbox rows of kind %s failed and will be tried again", kind)
        return 0


def _any_due(kind: str) -> bool:
    reading()
    found = db.session.scalar(sa.select(Outbox.id).where(*Outbox.is_due(kind)).limit(1))
    db.session.rollback()
    return found is not None


def work(app: Flask, stop: threading.Event) -> None:
    """Work until `stop` is set: at once while there is something due, else look again every half second."""
    tidied = 0.0
    tending = sync.Tending(app.extensions["search"])
    while not stop.is_set():
        with app.app_context():
            tending.tend()
            busy = work_once()
            if monotonic() - tidied > HOUR:
                Once.forget()
                db.session.commit()
                tidied = monotonic()
        if not busy:
            stop.wait(IDLE_SECONDS)


def start_beside(app: Flask) -> threading.Event:
    """Run the worker as a thread beside the server; set the returned event to stop it."""
    stop = threading.Event()
    threading.Thread(target=work, args=(app, stop), name="worker", daemon=True).start()
    return stop
