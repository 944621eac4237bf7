"""The demo tells its story through the verbs, the same way every time, and the large one keeps the invariants."""

import pytest
import sqlalchemy as sa

from skillshare import catalogue
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


def test_the_small_demo_is_a_whole_community(db, starter):
    community.tell("UTC")

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
