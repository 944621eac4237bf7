"""An index damaged in any way: the database answers, it is said once, and the worker heals it (R-74, R-75)."""

import errno
import os
import shutil
import threading
import time

import pytest
import sqlalchemy as sa

from skillshare import clock, jobs, search
from skillshare.models.listings import Offer
from skillshare.models.outbox import Outbox
from skillshare.search import reading, results, sync
from skillshare.search import whoosh_parts as parts
from skillshare.search.engine import IndexUnavailable, SearchRequest, Text
from skillshare.search.generations import Generations
from tests.conftest import Browser

HEALED_WITHIN_SECONDS = 5


@pytest.fixture(autouse=True)
def look_again_at_once(monkeypatch):
    monkeypatch.setattr(reading, "LOOK_AGAIN_SECONDS", 0)
    monkeypatch.setattr(results, "outage", results.Outage())


@pytest.fixture
def address(bread_offer):
    """Where one of the things that can be found stands."""
    return f"/offers/{bread_offer.public_id}"


@pytest.fixture
def site(app, db, address, bread_want, bread_session):
    """An instance with four things in its index; its folder."""
    app.config["WTF_CSRF_ENABLED"] = False
    db.session.commit()
    while jobs.work_once("index"):
        pass
    assert not sync.check(app.extensions["search"])
    return app.extensions["settings"].data_dir / "search"


def generation(folder):
    return folder / Generations(folder, ("en", "es")).mark().folder


def one(folder, pattern):
    return max(generation(folder).glob(pattern), key=lambda path: path.stat().st_size)


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def zero(path):
    path.write_bytes(bytes(path.stat().st_size))


DAMAGE = {
    "postings cut": lambda folder: cut(one(folder, "*.pst")),
    "words emptied": lambda folder: os.truncate(one(folder, "*.trm"), 0),
    "words zeroed": lambda folder: zero(one(folder, "*.trm")),
    "postings flipped": lambda folder: flip(one(folder, "*.pst")),
    "postings deleted": lambda folder: one(folder, "*.pst").unlink(),
    "contents deleted": lambda folder: one(folder, "*.toc").unlink(),
    "contents flipped": lambda folder: flip(one(folder, "*.toc")),
    "checksums nonsense": lambda folder: one(folder, "checks-*.json").write_text("{"),
    "mark nonsense": lambda folder: (folder / "current").write_bytes(b"\x00\xff"),
    "mark deleted": lambda folder: (folder / "current").unlink(),
    "mark of nothing": lambda folder: (folder / "current").write_text("g-000099 7 en,es\n"),
    "generation deleted": lambda folder: shutil.rmtree(generation(folder)),
    "all deleted": shutil.rmtree,
}


def found(app, question="q=bread"):
    response = Browser(app).get(f"/find?{question}")
    assert response.status_code == 200
    return response.text


def said(caplog):
    """What was logged of the damage, but for what the worker says."""
    return [record.getMessage() for record in caplog.records if "the database answers" in record.getMessage()]


CASES = [(damage, True) for damage in DAMAGE]
CASES += [(damage, False) for damage in DAMAGE if "flipped" not in damage]  # what is open was checked when opened


@pytest.mark.parametrize(("damage", "restarted"), CASES)
def test_the_page_stays_it_is_said_once_and_the_next_look_heals(app, site, address, caplog, damage, restarted):
    found(app)
    DAMAGE[damage](site)
    if restarted:
        search.start(app, app.extensions["settings"])
    caplog.clear()

    began = time.perf_counter()
    pages = [found(app) for _ in range(3)]
    seconds = (time.perf_counter() - began) / 3

    if restarted or app.extensions["search"].status().problem:
        sync.Tending(app.extensions["search"]).tend()
    assert all(address in page for page in pages)
    assert seconds < 1
    if restarted:
        assert all("being put in order" in page for page in pages)
        assert len(said(caplog)) == 1
    assert app.extensions["search"].status().problem is None
    assert not sync.check(app.extensions["search"])
    assert "being put in order" not in found(app)
    assert len(list(site.glob("g-*"))) == 1


def test_the_worker_begins_to_heal_by_itself_within_seconds(app, site):
    stop = threading.Event()
    shutil.rmtree(site)
    worker = threading.Thread(target=jobs.work, args=(app, stop))
    began = time.monotonic()
    worker.start()
    try:
        while not healthy(app):
            assert time.monotonic() - began < HEALED_WITHIN_SECONDS
            time.sleep(0.05)
    finally:
        stop.set()
        worker.join()
    assert sync.LOOK_EVERY + jobs.IDLE_SECONDS < HEALED_WITHIN_SECONDS


def healthy(app):
    return app.extensions["search"].status().problem is None


def no_space(*_args, **_kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("damaged", [True, False], ids=["damaged", "whole"])
def test_a_full_disk_loses_nothing(app, db, site, monkeypatch, ana, bread, damaged):
    engine = app.extensions["search"]
    if damaged:
        one(site, "*.pst").unlink()
    offer = Offer.publish(by=ana, skill=bread, title="Rye bread", practice="p", theory="t", language="en")
    new = f"/offers/{offer.public_id}"
    db.session.commit()
    tending = sync.Tending(engine)
    with monkeypatch.context() as full:
        full.setattr(parts, "to_disk", no_space)
        full.setattr(parts, "create", no_space)
        jobs.work_once("index")
        tending.tend()
        tending.tend()
        assert new in found(app) or not damaged
        assert found(app, "q=bread")
        assert len(list(site.glob("g-*"))) == 1

    sync.Tending(engine).tend()
    db.session.execute(sa.update(Outbox).values(due_at=clock.now()))
    db.session.commit()
    jobs.work_once("index")

    assert not sync.check(engine)
    assert new in found(app)


def test_a_folder_that_cannot_be_written_answers_and_keeps_the_wishes(app, db, site, monkeypatch, ana, bread):
    """As root nothing is read-only: what the system would say is said in its place."""

    def read_only(*_args, **_kwargs):
        raise OSError(errno.EROFS, "Read-only file system")

    engine = app.extensions["search"]
    Offer.publish(by=ana, skill=bread, title="Rye bread", practice="p", theory="t", language="en")
    db.session.commit()
    with monkeypatch.context() as patched:
        patched.setattr(Generations, "writing", read_only)
        jobs.work_once("index")
        sync.Tending(engine).tend()
        assert engine.search(SearchRequest(Text(("bread",)))).total == 4
        assert "being put in order" not in found(app)

    assert db.session.scalar(sa.select(sa.func.count(Outbox.id)).where(Outbox.kind == "index"))


def test_a_folder_others_may_write_in_stops_the_start_and_only_dims_what_runs(app, site):
    found(app)
    site.chmod(0o770)

    with pytest.raises(search.BadSetting):
        search.start(app, app.extensions["settings"])
    with pytest.raises(IndexUnavailable):
        app.extensions["search"].rebuild(())
    site.chmod(0o700)
    assert "being put in order" not in found(app)


def test_the_index_is_beside_nothing_that_is_served(app, site):
    root = app.root_path
    served = [folder for folder in (app.template_folder, os.path.join(root, "..", "static")) if folder]

    assert not any(site.resolve().is_relative_to(os.path.realpath(folder)) for folder in served)
    for name in ("current", "../search/current", "search/current", "..%2fsearch%2fcurrent"):
        assert Browser(app).get(f"/assets/x/{name}").status_code == 404
