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
from .models import finds, searches
from .models.gaps import SearchGap
from .models.notices import FINDS
from .models.once import Once
from .models.outbox import Outbox
from .models.searches import SavedMatch, SavedSearch
from .models.seats import Registration, lapse
from .search import alerts, sync
from .search.engine import IndexUnavailable, SearchEngine

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
    """Bring the search index up to date; what was not seen in it afterwards stays for later.

    What was seen there can be found from now on: those who look for it are told (see `notice_news`).
    """
    done = sync.sync_rows(_engine(), rows)
    Outbox.put_many("news", [row.key.removeprefix("index:") for row in done])
    return done


def notice_news(rows: list[Outbox]) -> list[Outbox]:
    """Something is new or was changed: keep it to those who wait for it, and wake who wants to hear of it now."""
    finds.notice({row.key.removeprefix("news:") for row in rows})
    searches.wake()
    return rows


def tell_finds(rows: list[Outbox]) -> list[Outbox]:
    """Look at each member's searches that are due, and mail what may be told by now, all in one.

    Whom this fails for is tried again later, and holds up no other.
    """
    return [row for row in rows if _are_told(row.id, int(row.key.removeprefix(f"{FINDS}:")))]


def _are_told(row_id: int, member_id: int) -> bool:
    try:
        _look_for(member_id)
        _tell(member_id)
        return True
    except IndexUnavailable as problem:
        log.info("searches of member %s are looked at later: %s", member_id, problem)
        db.session.commit()  # ends what was read
        _tell(member_id)  # what was found before
    except Exception:
        log.exception("outbox row %s: the searches of a member could not be looked at", row_id)
        db.session.expunge_all()  # the rows keep what was read of them
        db.session.rollback()
    return False


def _look_for(member_id: int) -> None:
    """Look at what is due; the index and the database are read first, and nobody is held up meanwhile."""
    reading()
    due = db.session.scalars(SavedSearch.due(member_id)).all()
    began = clock.now()
    reader = mail.reader_of(due[0].member) if due else None
    looks = [(search, alerts.look(_engine(), search, reader)) for search in due if reader]
    db.session.commit()
    for search, look in looks:
        searches.looked_at(search, look.new, look.known, began=began, broad=look.broad)


def _tell(member_id: int) -> None:
    now, again = clock.now(), None
    if db.session.scalar(SavedMatch.untold(member_id).with_only_columns(sa.true()).limit(1)):
        not_before = SavedMatch.not_before(member_id, now)
        if not_before > now:
            again = not_before
        else:
            about = {"kind": FINDS, "member_id": member_id, "about": f"{FINDS}:{member_id}"}
            Outbox.put("mail", f"{FINDS}:{member_id}", about)
    searches.schedule([member_id], after=now, at_the_latest=again)
    db.session.commit()


def _engine() -> SearchEngine:
    engine: SearchEngine = current_app.extensions["search"]
    return engine


# kind → (rows at once, handler that returns the rows that are done)
HANDLERS: dict[str, tuple[int, Callable[[list[Outbox]], list[Outbox]]]] = {
    "index": (500, sync_index),
    "news": (100, notice_news),
    FINDS: (20, tell_finds),
    "seat": (20, lapse_seats),
    "mail": (20, send_mail),
}

# Where a crash, or another's writing, should delay a row less than `limits.LEASE`; twice in the index is once.
LEASES = {"index": limits.INDEX_LEASE}


def work_once(*kinds: str) -> int:
    """Handle what is due of these kinds (none: of all), each in transactions of its own; how many rows are done."""
    return sum(_work(kind, *HANDLERS[kind]) for kind in kinds or HANDLERS)


def _work(kind: str, limit: int, handler: Callable[[list[Outbox]], list[Outbox]]) -> int:
    if not _any_due(kind):
        return 0
    rows = Outbox.claim(kind, limit, LEASES.get(kind, limits.LEASE))
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
                searches.catch_up()
                SearchGap.forget(clock.today(app.config["DEFAULT_ZONE"]))
                db.session.commit()
                tidied = monotonic()
        if not busy:
            stop.wait(IDLE_SECONDS)


def start_beside(app: Flask) -> threading.Event:
    """Run the worker as a thread beside the server; set the returned event to stop it."""
    stop = threading.Event()
    threading.Thread(target=work, args=(app, stop), name="worker", daemon=True).start()
    return stop
