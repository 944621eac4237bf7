"""The index and its fallback read the same from SQLite and from PostgreSQL."""

import shutil

import pytest

from skillshare import jobs
from skillshare.models.blocking import block
from skillshare.models.visibility import Viewer
from skillshare.search import results, sync
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
