"""From outbox rows to what can be found: repeatable, seen before it is done, built anew when it is gone."""

import shutil
from datetime import timedelta

import pytest
import sqlalchemy as sa

from skillshare import clock, jobs
from skillshare.models.listings import ListingState
from skillshare.models.members import SeenAs
from skillshare.models.outbox import Outbox
from skillshare.models.skills import Skill
from skillshare.search import sync
from skillshare.search.engine import IndexBusy, SearchRequest, Text
from tests.conftest import make_session


@pytest.fixture
def engine(app):
    """The instance's engine, with an index that is empty."""
    engine = app.extensions["search"]
    engine.rebuild(())
    return engine


@pytest.fixture
def worked(db):
    """Commit, and let the worker bring the index up to date."""

    def worked():
        db.session.commit()
        while jobs.work_once("index"):
            pass

    return worked


def pending(db):
    return db.session.scalar(sa.select(sa.func.count(Outbox.id)).where(Outbox.kind == "index"))


def whole(db, skill):
    """The skill as it is now, with its names."""
    query = Skill.whole().where(Skill.id == skill.id).execution_options(populate_existing=True)
    return db.session.scalars(query).unique().one()


def found(engine, *words):
    return {hit.key for hit in engine.search(SearchRequest(text=Text(words=words))).hits}


def test_what_is_offered_can_be_found(db, engine, worked, bread, bread_offer):
    worked()

    assert found(engine, "ingredients") == {f"offer:{bread_offer.id}"}
    assert found(engine, "sourdough") == {f"offer:{bread_offer.id}", f"skill:{bread.id}"}
    assert pending(db) == 0


def test_what_is_withdrawn_cannot(db, engine, worked, ana, bread_offer):
    worked()
    bread_offer.withdraw(by=ana)
    worked()

    assert found(engine, "ingredients") == set()


def test_a_new_name_of_a_skill_finds_its_offers_and_sessions(db, engine, worked, bread, bread_offer, bread_session):
    worked()
    whole(db, bread).set_names("es", ["Pan de masa madre"])
    worked()

    assert found(engine, "masa") == {f"skill:{bread.id}", f"offer:{bread_offer.id}", f"session:{bread_session.id}"}


def test_a_name_taken_away_finds_nothing_more(db, engine, worked, bread, bread_offer):
    worked()
    whole(db, bread).set_names("en", ["Sourdough bread"])
    worked()

    assert engine.search(SearchRequest(text=Text(skills=("baking",)))).total == 0


def test_who_hides_is_found_by_those_near_only(db, engine, worked, ana, bread_offer):
    worked()
    ana.seen_as = SeenAs.HIDDEN
    worked()

    listed = engine.search(SearchRequest(filters={"audience": frozenset({"listed"})}))
    assert f"offer:{bread_offer.id}" not in {hit.key for hit in listed.hits}


def test_doing_it_twice_changes_nothing(db, engine, bread_offer):
    db.session.commit()
    rows = list(db.session.scalars(sa.select(Outbox).where(Outbox.kind == "index")))

    first, state = sync.sync_rows(engine, rows), engine.versions()
    again = sync.sync_rows(engine, rows)

    assert first == again == rows
    assert engine.versions() == state


def test_a_row_stays_until_its_document_was_seen(monkeypatch, db, engine, bread_offer):
    db.session.commit()
    monkeypatch.setattr(engine, "apply", lambda upserts, deletions=(): None)

    assert jobs.work_once("index") < 3

    assert f"index:offer:{bread_offer.id}" in set(db.session.scalars(sa.select(Outbox.key)))


def test_rows_wait_while_somebody_else_writes(monkeypatch, db, engine, bread_offer):
    def busy(upserts, deletions=()):
        raise IndexBusy

    db.session.commit()
    monkeypatch.setattr(engine, "apply", busy)

    jobs.work_once("index")

    assert f"index:offer:{bread_offer.id}" in set(db.session.scalars(sa.select(Outbox.key)))


def test_a_wish_made_meanwhile_is_kept(monkeypatch, db, engine, ana, bread_offer):
    db.session.commit()
    rows = Outbox.claim("index", 100)
    db.session.commit()
    done = sync.sync_rows(engine, rows)
    bread_offer.pause(by=ana)
    db.session.commit()
    Outbox.finish(done)
    db.session.commit()

    assert list(db.session.scalars(sa.select(Outbox.key).where(Outbox.kind == "index"))) == [
        f"index:offer:{bread_offer.id}"
    ]


def test_another_process_that_wrote_what_it_read_earlier_is_set_right(monkeypatch, db, engine, ana, bread_offer):
    db.session.commit()
    rows = list(db.session.scalars(sa.select(Outbox).where(Outbox.kind == "index")))
    apply, late = engine.apply, []

    def somebody_writes_after_us(upserts, deletions=()):
        apply(upserts, deletions)
        if not late:
            late.append(True)
            apply((), [document.key for document in upserts])

    monkeypatch.setattr(engine, "apply", somebody_writes_after_us)

    assert sync.sync_rows(engine, rows) == rows
    assert found(engine, "ingredients") == {f"offer:{bread_offer.id}"}


def test_a_missing_index_is_built_by_the_next_sync(app, db, worked, bread_offer):
    engine = app.extensions["search"]
    shutil.rmtree(app.extensions["settings"].data_dir / "search")

    worked()

    assert found(engine, "ingredients") == {f"offer:{bread_offer.id}"}
    assert pending(db) == 0


def test_a_missing_index_is_built_when_nothing_changes_too(app, db, worked, engine, bread_offer):
    worked()
    shutil.rmtree(app.extensions["settings"].data_dir / "search")

    sync.Tending(engine).tend()

    assert found(engine, "ingredients") == {f"offer:{bread_offer.id}"}


def test_a_rebuild_that_fails_is_not_tried_at_once_again(monkeypatch, app, db):
    engine, tries = app.extensions["search"], []

    def full(documents, progress):
        tries.append(True)
        raise OSError("no space left")

    monkeypatch.setattr(engine, "rebuild", full)
    tending = sync.Tending(engine)
    tending.tend()
    tending.tend()

    assert len(tries) == 1


def test_rebuilding_says_how_far_it_is(engine, db, bread_offer):
    db.session.commit()
    told = []

    sync.rebuild(engine, told.append)

    assert told[-1] == 2
    assert not sync.check(engine)


def test_what_time_ended_leaves_the_index(db, engine, worked, frozen, ana, bread, bread_want):
    meeting = make_session(ana, [bread])
    worked()
    assert found(engine, "hall") == {f"session:{meeting.id}"}
    frozen.move_to(clock.now() + timedelta(days=400))

    tending = sync.Tending(engine)
    tending._swept = clock.now() - timedelta(days=500)
    tending.tend()

    assert found(engine, "hall") == set()
    assert f"want:{bread_want.id}" not in engine.versions()


def test_checking_says_what_differs_and_repairing_sets_it_right(
    db, engine, worked, ana, bread, bread_offer, bread_want
):
    worked()
    engine.apply((), [f"skill:{bread.id}"])
    bread_offer.title = "Another title"
    bread_want.state = ListingState.WITHDRAWN
    db.session.commit()

    difference = sync.check(engine)

    assert difference.missing == {f"skill:{bread.id}"}
    assert difference.outdated == {f"offer:{bread_offer.id}"}
    assert difference.leftover == {f"want:{bread_want.id}"}
    assert sync.repair(engine, difference) == set()
    assert not sync.check(engine)


def test_the_commands(app, db, bread_offer):
    db.session.commit()
    run = app.test_cli_runner().invoke

    assert run(args=["search", "check"]).exit_code == 1
    assert "2 documents" in run(args=["search", "rebuild"]).output
    assert run(args=["search", "check"]).exit_code == 0
    assert "changes" in run(args=["search", "sync"]).output


def test_others_may_not_write_in_the_folder(app):
    folder = app.extensions["settings"].data_dir / "search"

    assert folder.stat().st_mode & 0o777 == 0o700
