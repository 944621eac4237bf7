"""What people looked for in vain: shown only above the floor, and nobody can be read out of it."""

import threading
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from skillshare import clock
from skillshare.db import db as database
from skillshare.models.gaps import GapMark, GapSalt, SearchGap, Sought, Tally, wants_waiting
from skillshare.models.listings import Want
from skillshare.models.visibility import Viewer

DAY = date(2026, 11, 10)
LATER = [DAY + timedelta(days=n) for n in range(5)]


def look(member_id, day=DAY, term="zeppelin", times=1, area="", today=None):
    """One member (None: a visitor) looks for it on a day."""
    known = member_id is not None
    tally = Tally(term, times, {day} if known else set(), {member_id} if known else set())
    SearchGap.count({Sought(term, area, day.replace(day=1)): tally}, today or day, "secret")


def shown(today=DAY):
    return [gap.term for gap in SearchGap.shown(today)]


def test_three_members_on_three_days_are_enough(db):
    for member_id, day in zip((1, 2, 3), LATER, strict=False):
        look(member_id, day)

    assert [(gap.said, gap.times, gap.days) for gap in SearchGap.shown(DAY)] == [("zeppelin", 3, 3)]


def test_two_members_are_too_few_however_often(db):
    for day in LATER:
        look(1, day), look(2, day)

    assert shown() == []


def test_one_member_a_hundred_times_is_one_member(db):
    for n in range(100):
        look(1, LATER[n % 5])

    assert shown() == []
    assert db.session.scalars(sa.select(SearchGap.members)).one() == 1


def test_three_members_on_two_days_are_too_few(db):
    for member_id in (1, 2, 3):
        look(member_id, LATER[member_id % 2])

    assert shown() == []


def test_visitors_count_towards_the_number_and_not_towards_the_floor(db):
    look(1), look(2, LATER[1])
    for day in LATER:
        look(None, day, times=10)
    assert shown() == []

    look(3, LATER[2])
    assert [gap.times for gap in SearchGap.shown(DAY)] == [53]


def test_what_only_visitors_look_for_is_not_kept(db):
    look(None, times=10)

    assert db.session.scalars(sa.select(SearchGap.id)).all() == []


def test_each_area_and_each_month_has_a_floor_of_its_own(db):
    next_month = date(2026, 12, 1)
    look(1, LATER[0], area="north"), look(2, LATER[1], area="south"), look(3, LATER[2])
    look(4, next_month), look(5, next_month + timedelta(days=1))

    assert shown(next_month) == []


def test_what_was_shown_stays_for_some_months_and_no_longer(db):
    for member_id, day in zip((1, 2, 3), LATER, strict=False):
        look(member_id, day)

    assert shown(date(2027, 1, 31)) == ["zeppelin"]
    assert shown(date(2027, 2, 1)) == []


def test_when_the_month_is_over_salts_and_marks_are_thrown_away_and_numbers_stay(db):
    for member_id, day in zip((1, 2, 3), LATER, strict=False):
        look(member_id, day)
    december = date(2026, 12, 1)

    SearchGap.forget(december)

    assert db.session.scalars(sa.select(GapSalt.id)).all() == db.session.scalars(sa.select(GapMark.id)).all() == []
    assert shown(december) == ["zeppelin"]


def test_the_running_month_keeps_its_marks(db):
    look(1)

    SearchGap.forget(DAY)

    assert db.session.scalar(sa.select(sa.func.count(GapMark.id))) == 2


def test_what_comes_late_for_a_month_that_is_over_only_adds_to_the_number(db):
    for member_id, day in zip((1, 2, 3), LATER, strict=False):
        look(member_id, day)
    december = date(2026, 12, 1)
    SearchGap.forget(december)

    look(4, today=december)

    row = db.session.scalars(sa.select(SearchGap)).one()
    db.session.refresh(row)
    assert (row.times, row.days, row.members) == (4, 3, 3)
    assert db.session.scalars(sa.select(GapSalt.id)).all() == []


def test_what_too_few_looked_for_goes_with_its_month(db):
    look(1), look(2, LATER[1])

    SearchGap.forget(date(2026, 12, 1))

    assert db.session.scalars(sa.select(SearchGap.id)).all() == []


def test_numbers_of_long_ago_are_thrown_away(db):
    for member_id, day in zip((1, 2, 3), LATER, strict=False):
        look(member_id, day)

    SearchGap.forget(date(2027, 12, 1))

    assert db.session.scalars(sa.select(SearchGap.id)).all() == []


def test_no_mark_holds_a_member_and_the_same_member_has_another_mark_for_other_words(db, ana):
    look(ana.id), look(ana.id, term="kite")

    marks = db.session.scalars(sa.select(GapMark.mark).where(GapMark.kind == "member")).all()
    assert len(set(marks)) == 2
    assert all(len(mark) == 24 and mark != str(ana.id) for mark in marks)


def test_without_the_instances_secret_the_marks_tell_nothing(db):
    look(1)
    tally = {Sought("zeppelin", "", DAY.replace(day=1)): Tally("zeppelin", 1, {DAY}, {1})}

    SearchGap.count(tally, DAY, "another secret")

    assert db.session.scalars(sa.select(SearchGap.members)).one() == 2


@pytest.mark.parametrize("term", ["ana", "ana lopez"])
def test_names_and_handles_of_members_are_never_counted(db, ana, term):
    ana.name = "Ana Lopez"
    db.session.flush()

    look(1, term=term, times=9)

    assert db.session.scalars(sa.select(SearchGap.id)).all() == []


def test_many_count_at_once_and_nothing_is_lost_or_counted_twice(both_databases, db):
    db.session.commit()
    barrier, wrong = threading.Barrier(4), []

    def flush(process):
        with both_databases.app_context():
            try:
                barrier.wait(20)
                for _ in range(5):
                    tallies = {
                        Sought(term, "", DAY.replace(day=1)): Tally(term, 2, {DAY, LATER[process]}, {process, 99})
                        for term in (("kite", "zeppelin") if process % 2 else ("zeppelin", "kite"))
                    }
                    SearchGap.count(tallies, DAY, "secret")
                    database.session.commit()
            except Exception as error:
                wrong.append(error)
            finally:
                database.session.remove()

    threads = [threading.Thread(target=flush, args=(n,), daemon=True) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert wrong == []
    columns = (SearchGap.term, SearchGap.times, SearchGap.days, SearchGap.members)
    assert sorted(map(tuple, db.session.execute(sa.select(*columns)))) == [("kite", 40, 4, 5), ("zeppelin", 40, 4, 5)]
    assert db.session.scalar(sa.select(sa.func.count(GapSalt.id))) == 1


def test_who_waits_for_more_than_a_month_stands_there_the_longest_first(db, ana, ben, bread, brakes, welding):
    for days, skill in ((20, bread), (40, brakes), (90, welding)):
        with clock.stopped_at(clock.now() - timedelta(days=days)):
            Want.ask(by=ben, skill=skill, title=f"For {days} days", language="en")
            db.session.flush()

    waiting = db.session.scalars(wants_waiting(Viewer(ana))).all()

    assert [want.title for want in waiting] == ["For 90 days", "For 40 days"]
