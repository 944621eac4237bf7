"""The whole loop through the models' verbs alone, on both databases."""

import pytest

from skillshare import clock
from skillshare.errors import NotAllowed
from skillshare.models.log import LogEntry, LogState, Said
from skillshare.models.seats import PlaceState, take_place
from skillshare.models.sessions import PartKind
from skillshare.models.teachbacks import TeachBack, TeachBackState, stages_of


@pytest.fixture(autouse=True)
def _on_both(both_databases):
    """Every test of this file runs on SQLite and on PostgreSQL."""


def test_from_a_place_to_a_teach_back(frozen, db, ana, ben, bread, bread_session):
    place = take_place(bread_session, by=ben, goal="A loaf of my own")
    db.session.commit()
    frozen.shift(3 * 86400)
    said = [Said(ana, bread, PartKind.SHOWS), Said(ben, bread, PartKind.LEARNS)]
    entry = LogEntry.write(
        by=ben,
        happened_on=clock.today("UTC"),
        said=said,
        practice_minutes=60,
        theory_minutes=20,
        skill_session=bread_session,
    )
    db.session.commit()
    entry.agree(by=ana)
    db.session.commit()
    teach_back = TeachBack.attempt(by=ben, skill=bread, witnesses=[ana], on=clock.today("UTC"))
    teach_back.clear(by=ana)
    db.session.commit()

    assert place.state is PlaceState.GOING
    assert entry.state is LogState.CONFIRMED
    assert teach_back.state is TeachBackState.CONFIRMED
    assert stages_of(ben.id)[bread.id].showed_back_on == teach_back.on


def test_the_writer_alone_confirms_nothing(frozen, db, ana, ben, bread):
    said = [Said(ana, bread, PartKind.SHOWS), Said(ben, bread, PartKind.LEARNS)]

    entry = LogEntry.write(by=ben, happened_on=clock.today("UTC"), said=said, practice_minutes=5, theory_minutes=5)

    assert entry.state is LogState.WAITING
    with pytest.raises(NotAllowed):
        entry.agree(by=ben)
