"""What tests of several pages need."""

import pytest

from skillshare import jobs


@pytest.fixture
def worked(db):
    """Commit, and bring the index up to date. What the test made can still be read after a request."""

    def worked():
        db.session.commit()
        while jobs.work_once("index"):
            pass
        for thing in db.session:
            db.session.refresh(thing)

    return worked
