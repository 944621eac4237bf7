"""Areas that lie side by side: both ways or not at all."""

import pytest
import sqlalchemy as sa

from skillshare.cli.areas import area as area_command
from skillshare.models.places import Area, AreaBeside


@pytest.fixture
def near(db):
    """`near(area)` are the names of what is near for who lives there."""
    return lambda area: set(db.session.scalars(sa.select(Area.name).where(Area.near(area.id))))


def test_near_is_ones_own_area_and_those_beside_it_both_ways(db, near):
    north, mill, far = (Area.add(name) for name in ("Northside", "Mill Quarter", "Hillcrest"))

    mill.lies_beside(north)

    assert near(north) == near(mill) == {"Northside", "Mill Quarter"}
    assert near(far) == {"Hillcrest"}


def test_saying_it_twice_or_of_itself_changes_nothing(db):
    north, mill = Area.add("Northside"), Area.add("Mill Quarter")

    for one, other in ((north, mill), (mill, north), (north, north)):
        one.lies_beside(other)

    assert db.session.scalar(sa.select(sa.func.count(AreaBeside.id))) == 1


def test_the_command_adds_what_is_missing_and_says_what_lies_beside(app, db, near):
    db.session.commit()
    runner = app.test_cli_runner()

    for _ in range(2):
        said = runner.invoke(area_command, ["Northside", "--beside", "Mill Quarter", "--beside", "Riverside"])

    assert said.output == "Northside, beside Mill Quarter, Riverside.\n"
    assert near(Area.add("Riverside")) == {"Northside", "Riverside"}
    assert db.session.scalar(sa.select(sa.func.count(Area.id))) == 3


def test_a_name_that_is_none_is_refused(app, db):
    said = app.test_cli_runner().invoke(area_command, [" "])

    assert said.exit_code == 1
    assert "1 to 60 letters" in said.output
