"""The demo tells its story through the verbs, the same way every time, and the large one keeps the invariants."""

import shutil

import pytest
import sqlalchemy as sa

from skillshare import catalogue
from skillshare.db import db as database
from skillshare.demo import community, large
from skillshare.models.listings import Offer, Want
from skillshare.models.log import LogEntry
from skillshare.models.members import Member
from skillshare.models.sessions import SkillSession
from skillshare.models.skills import Skill
from skillshare.models.teachbacks import TeachBack, TeachBackState


@pytest.fixture
def starter(db):
    """The starter skills."""
    catalogue.starter()
    db.session.commit()


def count(db, model):
    return db.session.scalar(sa.select(sa.func.count(model.id)))


def test_the_small_demo_is_a_whole_community(db, told_demo, tmp_path):
    shutil.copy(told_demo / "test.db", tmp_path)

    assert count(db, Member) == 80
    assert count(db, Skill) == 250
    assert count(db, Offer) + count(db, Want) >= 200
    assert count(db, SkillSession) >= 120
    assert count(db, LogEntry) >= 300
    assert count(db, TeachBack) >= 150
    practice = sa.select(sa.func.count(TeachBack.id)).where(TeachBack.state == TeachBackState.MORE_PRACTICE)
    assert db.session.scalar(practice) > 10
    assert large.broken_invariants() == []


def test_the_large_demo_keeps_the_invariants(db, starter):
    large.tell(300, "UTC")

    assert count(db, Member) == 300
    assert large.broken_invariants() == []


def test_a_broken_invariant_is_noticed(db, starter):
    large.tell(100, "UTC")
    db.session.execute(sa.text("UPDATE witness SET verdict = 'none'"))

    assert [rule[:3] for rule in large.broken_invariants()] == ["I13"]


def test_the_same_seed_tells_the_same_story(make_app, tmp_path, monkeypatch):
    shorter = {
        "OFFERS": 40,
        "WANTS": 20,
        "PAST_SESSIONS": 15,
        "COMING_SESSIONS": 5,
        "LOG_ENTRIES": 40,
        "TEACH_BACKS": 15,
    }
    for name, many in shorter.items():
        monkeypatch.setattr(community, name, many)
    told = []
    for n in (1, 2):
        app = make_app(url=f"sqlite:///{tmp_path / f'{n}.db'}")
        with app.app_context():
            database.create_all()
            catalogue.starter()
            community.tell("UTC", seed=7)
            database.session.commit()
            entries = sa.select(LogEntry.line, LogEntry.state, LogEntry.practice_minutes).order_by(LogEntry.id)
            titles = sa.select(Offer.title).order_by(Offer.id)
            told.append((database.session.execute(entries).all(), database.session.scalars(titles).all()))
            database.session.remove()

    assert told[0] == told[1]
