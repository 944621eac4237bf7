"""The index and its fallback read the same from SQLite and from PostgreSQL."""

import shutil

import pytest

from skillshare import jobs
from skillshare.models.blocking import block
from skillshare.models.places import Area
from skillshare.models.visibility import Viewer
from skillshare.search import nearby, results, sync
from skillshare.search.asking import Asked, Reader, Shelves


@pytest.mark.parametrize("indexed", [True, False])
def test_a_search_answers_alike(
    both_databases, db, ana, ben, dora, bread, bread_offer, bread_want, bread_session, indexed
):
    engine = both_databases.extensions["search"]
    db.session.commit()
    while jobs.work_once("index"):
        pass
    assert not sync.check(engine)
    block(ana, dora)
    db.session.commit()
    if not indexed:
        shutil.rmtree(both_databases.extensions["settings"].data_dir / "search")

    def found(member):
        reader = Reader(Viewer(member), "en", "UTC", {"en": "English", "es": "Español"}, Shelves.load("en"))
        asked = Asked("bread", {"topic": frozenset({"food"})})
        return sorted(result.kind for result in results.find(engine, asked, reader).results)

    assert found(ben) == ["offer", "session", "skill", "want"]
    assert found(dora) == ["skill", "want"]
    assert found(None) == ["offer", "session", "skill", "want"]


@pytest.mark.parametrize("indexed", [True, False])
def test_boxes_halves_and_what_is_near_answer_alike(
    both_databases, db, area, ana, ben, bread, brakes, bread_offer, bread_session, indexed
):
    engine = both_databases.extensions["search"]
    beside = Area.add("Mill Quarter")
    area.lies_beside(beside)
    bread_offer.area, ben.area = area, beside
    db.session.commit()
    while jobs.work_once("index"):
        pass
    if not indexed:
        shutil.rmtree(both_databases.extensions["settings"].data_dir / "search")
    shelves = Shelves.load("en", beside.id)
    reader = Reader(Viewer(ben), "en", "UTC", {"en": "English", "es": "Español"}, shelves)

    def found(q, **boxes):
        asked = Asked(q, {group: frozenset(values.split()) for group, values in boxes.items()})
        return sorted(result.kind for result in results.find(engine, asked, reader).results)

    assert shelves.near == {area.public_id, beside.public_id}
    assert found("bread", area="near") == ["offer"]
    assert found("rises", half="theory", kind="offer session") == ["offer", "session"]
    assert found("rises", half="practice", kind="offer session") == []
    assert found("bread", when="weekday weekend") == ["session"]
    assert found("bread area:northside who:shows lang:en") == ["offer"]


def test_what_stands_beside_and_what_is_offered_by_now_is_alike(both_databases, db, ben, bread, brakes, bread_offer):
    engine = both_databases.extensions["search"]
    db.session.commit()
    while jobs.work_once("index"):
        pass
    reader = Reader(Viewer(ben), "en", "UTC", {"en": "English", "es": "Español"}, Shelves.load("en"))

    near = nearby.nearby(engine, Asked("sourdough"), reader)

    assert [name for name, _slug in near.beside] == ["Bicycle brakes"]
    assert nearby.offered(engine, ["bread", "zeppelin bread", "kite"], reader) == {"bread"}
