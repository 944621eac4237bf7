"""An index that follows while its indexers are killed, and a site that answers while its index is damaged (F-09, F-10).

The indexers are processes of their own and die by SIGKILL, at random and at named steps. Each check is also held
against something broken on purpose, which it must notice.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

import pytest
import sqlalchemy as sa

from skillshare import jobs
from skillshare.db import db as database
from skillshare.db import reading as only_reading
from skillshare.models.listings import ListingState, Offer
from skillshare.models.members import Member, SeenAs
from skillshare.models.outbox import Outbox
from skillshare.models.visibility import Block, Viewer
from skillshare.search import documents, reading, results, sync
from skillshare.search.asking import Asked, Reader, Shelves
from skillshare.search.engine import IndexUnavailable
from skillshare.search.shown import _query
from tests.conftest import Browser, person
from tests.search import indexer
from tests.search.brute_force import by_reading_everything
from tests.search.test_damaged_site import DAMAGE

PEOPLE = 5
EDITS, A_SECOND = 50, 20
REBUILDS = 4
CONVERGED_WITHIN_SECONDS = 10
LONGEST = 20
BREAD = Asked("bread", exact=True)


@pytest.fixture(autouse=True)
def look_again_soon(monkeypatch):
    monkeypatch.setattr(reading, "LOOK_AGAIN_SECONDS", 0.1)


@pytest.fixture
def people(db, bread):
    """Some members who each offer bread twice, all of it in the index."""
    people = [person(f"person{number}") for number in range(PEOPLE)]
    for member in people:
        for number in range(2):
            publish(member, bread, number)
    ids = [member.id for member in people]
    db.session.commit()
    while jobs.work_once("index"):
        pass
    return ids


class Indexers:
    """Forks indexers and kills them."""

    def __init__(self, folder):
        command = [sys.executable, "-m", "tests.search.indexer", str(folder)]
        self._nursery = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._pid = None

    def start(self, variant, fault="none"):
        self._nursery.stdin.write(f"{variant} {fault}\n")
        self._nursery.stdin.flush()
        self._pid = int(self._nursery.stdout.readline())

    def kill(self):
        if self._pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        self._pid = None

    @property
    def alive(self):
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return False
        return True

    def end(self):
        self.kill()
        self._nursery.stdin.close()
        self._nursery.wait(5)
        self._nursery.stdout.close()


@pytest.fixture
def indexers(people, own_folder):
    indexers = Indexers(own_folder)
    yield indexers
    indexers.end()


def publish(member, skill, number):
    common = {"practice": "Mix and bake.", "theory": "Why it rises.", "language": "en"}
    return Offer.publish(by=member, skill=skill, title=f"bread number {number}", **common)


# What is done to the database


def some_offer(dice):
    ids = list(database.session.scalars(sa.select(Offer.id).order_by(Offer.id)))
    return database.session.get_one(Offer, dice.choice(ids))


def rename(dice, people):
    some_offer(dice).title = f"bread called {dice.random()}"


def withdraw_or_reopen(dice, people):
    offer = some_offer(dice)
    offer.state = ListingState.WITHDRAWN if offer.state is ListingState.OPEN else ListingState.OPEN


def hide_or_show(dice, people):
    member = database.session.get_one(Member, dice.choice(people[1:]))
    member.seen_as = SeenAs.COMMUNITY if member.seen_as is SeenAs.HIDDEN else SeenAs.HIDDEN


def block_or_lift(dice, people):
    viewer, other = (database.session.get_one(Member, id_) for id_ in (people[0], dice.choice(people[1:])))
    blocked = database.session.scalar(sa.select(Block.id).where(Block.blocked_id == other.id))
    Block.lift(viewer, other) if blocked else Block.put(viewer, other)


def delete(dice, people):
    if database.session.scalar(sa.select(sa.func.count(Offer.id))) > PEOPLE:
        database.session.delete(some_offer(dice))


EDITS_THERE_ARE = (rename, withdraw_or_reopen, hide_or_show, block_or_lift, delete)


def edit(dice, people, number):
    """One change, committed."""
    EDITS_THERE_ARE[number % len(EDITS_THERE_ARE)](dice, people)
    database.session.commit()
    database.session.remove()


# What must hold


def shown_wrongly(engine, people):
    """What somebody is shown who may not see it by now."""
    wrong = []
    for viewer_id in (people[0], None):
        only_reading()
        viewer = Viewer(database.session.get_one(Member, viewer_id) if viewer_id else None)
        answer = results.find(engine, BREAD, Reader(viewer, "en", "UTC", {"en": "English"}, Shelves({}, {})))
        shown = {f"{result.kind}:{result.row.id}" for result in answer.results if result.kind != "skill"}
        allowed = by_reading_everything(database, viewer, "bread")
        database.session.rollback()
        wrong += [f"shown wrongly: {key}" for key in shown - allowed.keys()]
    return wrong


def left_unseen(engine):
    """Documents that the index does not say as they are, though nothing in the queue would bring them."""
    only_reading()
    waiting = database.session.scalars(sa.select(Outbox.key).where(Outbox.kind == "index"))
    keys = {key.removeprefix("index:") for key in waiting}
    connection = database.session.connection()
    coming = keys.union(*documents.following(connection, keys).values())
    true = {document.key: document.version for document in documents.everything(connection)}
    database.session.rollback()
    try:
        there = dict(engine.versions())
    except IndexUnavailable:
        return []
    differing = {key for key in true.keys() | there.keys() if true.get(key) != there.get(key)}
    return [f"left the queue unseen: {key}" for key in sorted(differing - coming)]


def follow(engine, indexers, people, variant, seed=1, stop_at_first=False):
    """Edit for a while under an indexer that keeps dying; what went wrong."""
    dice, wrong, deaths = random.Random(seed), [], 0
    faults = [fault for fault in indexer.FAULTS for _ in range(2)]
    for number in range(EDITS):
        began = time.monotonic()
        if number % 10 == 0:
            indexers.kill()
        if number % 10 == 0 or not indexers.alive:
            deaths += 1
            indexers.start(variant, faults[deaths % len(faults)])
        edit(dice, people, number)
        wrong += shown_wrongly(engine, people)
        if number % 3 == 0:
            wrong += left_unseen(engine)
        if wrong and stop_at_first:
            return wrong, deaths
        time.sleep(max(0, 1 / A_SECOND - (time.monotonic() - began)))
    if not indexers.alive:
        indexers.start(variant)
    if not converges(engine, indexers, variant):
        wrong.append("never converged")
    return wrong, deaths


def converges(engine, indexers, variant):
    until = time.monotonic() + CONVERGED_WITHIN_SECONDS
    while time.monotonic() < until:
        if not indexers.alive:
            indexers.start(variant)
        with suppress(IndexUnavailable):
            if not sync.check(engine):
                return True
        time.sleep(0.1)
    return False


def test_the_index_follows_though_its_indexers_are_killed(app, db, indexers, people):
    wrong, deaths = follow(app.extensions["search"], indexers, people, indexer.WHOLE)

    assert wrong == []
    assert deaths >= EDITS // 10


def test_it_would_be_noticed_if_a_row_were_done_before_it_was_seen(app, db, indexers, people):
    wrong, _deaths = follow(app.extensions["search"], indexers, people, indexer.FINISHES_FIRST, stop_at_first=True)

    assert any("left the queue unseen" in each or "never converged" in each for each in wrong)


def test_it_would_be_noticed_if_rows_were_shown_without_asking_who_may_see_them(app, db, indexers, people, monkeypatch):
    anybody = classmethod(lambda cls, viewer: sa.true())
    monkeypatch.setattr(Offer, "is_open_to", anybody)
    _query.cache_clear()
    try:
        wrong, _deaths = follow(app.extensions["search"], indexers, people, indexer.WHOLE, stop_at_first=True)
    finally:
        _query.cache_clear()

    assert any("shown wrongly" in each for each in wrong)


# Damage while the site answers


class Visitors:
    """Two people who search all the time."""

    def __init__(self, app, address):
        self._app, self._address, self._stop = app, address, threading.Event()
        self.pages, self.wrong, self.noticed = 0, [], 0
        self._threads = [threading.Thread(target=self._search) for _ in range(2)]

    def _search(self):
        browser = Browser(self._app)
        while not self._stop.is_set():
            try:
                response = browser.client.get("/find?q=bread&exact=1")
            except Exception as error:  # what a server would answer with 500
                self.wrong.append(f"no page: {type(error).__name__}")
                continue
            self.pages += 1
            self.noticed += "being put in order" in response.text
            if response.status_code != 200:
                self.wrong.append(f"answered {response.status_code}")
            elif self._address not in response.text:
                self.wrong.append("found nothing")
            time.sleep(0.03)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def address(people, db):
    """An offer that is always there."""
    public_id = db.session.scalar(sa.select(Offer.public_id).order_by(Offer.id.desc()))
    db.session.commit()
    db.session.remove()
    return f"/offers/{public_id}"


@contextmanager
def outside(db):
    """Out of the test's own context: each visitor has theirs."""
    db.session.commit()
    db.session.remove()
    yield


def healed(engine, seconds=5):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if engine.status().problem is None:
            return True
        time.sleep(0.05)
    return False


def do(harm, folder, tries=20):
    """Harm the index; when its writer is just at it, a moment later."""
    for _ in range(tries):
        try:
            return harm(folder)
        except (OSError, ValueError):
            time.sleep(0.05)
    raise AssertionError("the index could not be harmed")


def damage(app, indexers, address, kinds):
    """Damage the index again and again while people search; what went wrong."""
    engine, folder = app.extensions["search"], app.extensions["settings"].data_dir / "search"
    indexers.start(indexer.WHOLE)
    with Visitors(app, address) as visitors:
        for kind in kinds:
            do(DAMAGE[kind], folder)
            if not healed(engine):
                visitors.wrong.append(f"not healed: {kind}")
            time.sleep(0.2)
    indexers.kill()
    assert visitors.pages > 10 or visitors.wrong
    generations = len(list(folder.glob("g-*")))
    return visitors.wrong + ([f"{generations} generations"] if generations != 1 else [])


KINDS = ("postings cut", "mark deleted", "generation deleted", "words emptied", "all deleted")


def test_the_site_answers_while_its_index_is_damaged(app, db, indexers, address):
    with outside(db):
        wrong = damage(app, indexers, address, KINDS)

    assert wrong == []
    assert not sync.check(app.extensions["search"])


def test_it_would_be_noticed_if_the_database_did_not_answer_instead(app, db, indexers, address, monkeypatch):
    def nobody_answers(*_):
        raise IndexUnavailable("gone")

    monkeypatch.setattr(results, "_from_database", nobody_answers)
    with outside(db):
        wrong = damage(app, indexers, address, KINDS[1:3])

    assert any("no page" in each or "answered 5" in each for each in wrong)


def rebuild(app, indexers, address, variant):
    """Build the index anew again and again while people search; how often they were told, and what went wrong."""
    folder = app.extensions["settings"].data_dir / "search"
    indexers.start(variant)
    until, seen = time.monotonic() + LONGEST, set()
    with Visitors(app, address) as visitors:
        while time.monotonic() < until and (len(seen) <= REBUILDS or visitors.pages < 10):
            seen |= {path.name for path in folder.glob("g-*")}
            time.sleep(0.01)
    indexers.kill()
    assert len(seen) > REBUILDS
    return visitors.noticed, visitors.wrong


def test_a_rebuild_is_not_noticed(app, db, indexers, address):
    with outside(db):
        assert rebuild(app, indexers, address, indexer.REBUILDS) == (0, [])


def test_it_would_be_noticed_if_the_old_index_went_before_the_new_one_came(app, db, indexers, address):
    with outside(db):
        noticed, _wrong = rebuild(app, indexers, address, indexer.REBUILDS_IN_PLACE)

    assert noticed
    shutil.rmtree(app.extensions["settings"].data_dir / "search")
