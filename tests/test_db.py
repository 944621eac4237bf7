"""How transactions begin: writers one after the other, readers beside them, and no connection holds anybody up."""

import threading
import time

import pytest
import sqlalchemy as sa

from skillshare import db as module
from skillshare.db import db as database

WRITE = sa.text("INSERT INTO area (public_id, name, note, position, created_at, updated_at) "
                "VALUES (:name, :name, '', 0, '2026-01-01', '2026-01-01')")  # fmt: skip


def write(app, name):
    with app.app_context():
        database.session.execute(WRITE, {"name": name})
        database.session.commit()
        database.session.remove()


def seconds_to_write(app, name):
    began = time.monotonic()
    write(app, name)
    return time.monotonic() - began


def test_a_second_writer_waits_and_then_writes(app):
    with app.app_context():
        database.session.execute(WRITE, {"name": "first"})
        second = threading.Thread(target=write, args=(app, "second"))
        second.start()
        second.join(0.3)
        waited = second.is_alive()
        database.session.commit()
        second.join(5)
        names = set(database.session.scalars(sa.text("SELECT name FROM area")))
        database.session.remove()

    assert waited
    assert names == {"first", "second"}


def test_reading_waits_for_nobody(app):
    with app.app_context():
        database.session.execute(WRITE, {"name": "first"})
        with app.test_request_context(method="GET"), database.engine.connect() as reader:
            seen = reader.scalar(sa.text("SELECT count(*) FROM area"))
        database.session.rollback()
        database.session.remove()

    assert seen == 0


def commits(app):
    write(app, "before")


def rolls_back(app):
    with app.app_context():
        database.session.execute(WRITE, {"name": "before"})
        database.session.rollback()
        database.session.remove()


def is_dropped(app):
    with app.app_context():
        connection = database.engine.connect()
        connection.execute(WRITE, {"name": "before"})
        connection.close()


def is_invalidated(app):
    with app.app_context():
        connection = database.engine.connect()
        connection.execute(WRITE, {"name": "before"})
        connection.invalidate()
        connection.close()


def fails(app):
    with app.app_context(), pytest.raises(sa.exc.OperationalError):
        database.session.execute(sa.text("INSERT INTO nowhere VALUES (1)"))
    with app.app_context():
        database.session.remove()


@pytest.mark.parametrize("end", [commits, rolls_back, is_dropped, is_invalidated, fails])
def test_however_a_writer_ends_the_next_does_not_wait(app, end):
    end(app)

    assert seconds_to_write(app, "after") < module.WriteQueue.SECONDS / 2
