"""What many do in the same moment, with real threads against both databases: the rules hold, and nobody sees an error.

Each thread has an application context, a session and a transaction of its own, and starts at a barrier. Outside of a
request every transaction begins as a write, as a POST does.
"""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from skillshare import clock, jobs
from skillshare.db import db as database
from skillshare.errors import RuleBroken
from skillshare.models import seats
from skillshare.models.log import LogEntry, LogState, Said
from skillshare.models.members import Member
from skillshare.models.outbox import Outbox
from skillshare.models.seats import PlaceState, Registration, accept, give_back, lapse, set_capacity, take_place
from skillshare.models.sessions import Part, PartKind, SkillSession
from skillshare.models.teachbacks import TeachBack, TeachBackState
from tests.conftest import Browser, make_session, person, sign_in

LONGEST = 30  # seconds that anything here may take

GOING, OFFERED, WAITING = PlaceState.GOING, PlaceState.OFFERED, PlaceState.WAITING


@pytest.fixture(autouse=True)
def _on_both(both_databases):
    """Every test of this file runs on SQLite and on PostgreSQL."""


@pytest.fixture
def at_once(app, db):
    """`at_once([a, b, …])` commits, calls all in threads of their own at the same moment, and gives what each gave.

    What a call raises is its result. `app` has then read everything anew.
    """

    def run(calls):
        db.session.commit()
        database.session.remove()
        barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

        def one(n, call):
            with app.app_context():
                try:
                    barrier.wait(LONGEST)
                    results[n] = call()
                    database.session.commit()
                except Exception as error:
                    database.session.rollback()
                    results[n] = error
                finally:
                    database.session.remove()

        threads = [threading.Thread(target=one, args=(n, call), daemon=True) for n, call in enumerate(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONGEST)
        assert not any(thread.is_alive() for thread in threads)
        return results

    return run


def joins(skill_session, member):
    """A call in which `member` keeps a place."""
    session_id, member_id = skill_session.id, member.id

    def call():
        by = database.session.get_one(Member, member_id)
        return take_place(database.session.get_one(SkillSession, session_id), by=by).state

    return call


def with_place(verb, place):
    """A call of `verb` on a place, by its member."""
    place_id = place.id

    def call():
        found = database.session.get_one(Registration, place_id)
        verb(found, by=database.session.get_one(Member, found.member_id))

    return call


def lapses(place):
    """A call in which the clock looks at a place."""
    place_id = place.id
    return lambda: lapse(database.session.get_one(Registration, place_id))


def sets_capacity(skill_session, host, capacity):
    """A call in which the host sets the number of places."""
    session_id, host_id = skill_session.id, host.id

    def call():
        by = database.session.get_one(Member, host_id)
        set_capacity(database.session.get_one(SkillSession, session_id), capacity, by=by)

    return call


def places(skill_session):
    """All places of a session, in order of arrival."""
    query = sa.select(Registration).where(Registration.skill_session_id == skill_session.id).order_by(Registration.id)
    return database.session.scalars(query).all()


def in_state(skill_session, *states):
    """The places of a session in one of `states`."""
    return [place for place in places(skill_session) if place.state in states]


def check_the_rules(skill_session):
    """Never more seats than places, none twice; a free seat is nobody's only when nobody waits; parts as places."""
    capacity = database.session.scalar(sa.select(SkillSession.capacity).where(SkillSession.id == skill_session.id))
    held = in_state(skill_session, GOING, OFFERED)
    waiting = sorted(in_state(skill_session, WAITING), key=lambda place: place.waiting_since)
    numbers = sorted(place.seat_no for place in held)
    parts = database.session.scalars(
        sa.select(Part.member_id).where(Part.skill_session_id == skill_session.id, Part.kind == PartKind.LEARNS)
    )

    assert len(held) <= capacity
    assert len(set(numbers)) == len(numbers)
    assert all(1 <= number <= capacity for number in numbers)
    assert len(held) == capacity or not waiting
    assert len({place.waiting_since for place in waiting}) == len(waiting)
    assert sorted(parts) == sorted(place.member_id for place in in_state(skill_session, GOING))


def no_errors(results):
    """Nothing but results and the domain's own refusals."""
    return [result for result in results if isinstance(result, Exception) and not isinstance(result, RuleBroken)] == []


def crowd(size):
    """So many members."""
    return [person(f"guest{n}") for n in range(size)]


def test_fifty_press_for_one_seat(db, at_once, ana, bread):
    made = make_session(ana, [bread], capacity=1)
    guests = crowd(50)

    results = at_once([joins(made, guest) for guest in guests])

    assert sorted(results) == [GOING] + [WAITING] * 49
    waiting = in_state(made, WAITING)
    assert waiting == sorted(waiting, key=lambda place: (place.waiting_since, place.id))
    assert [seats.position(place) for place in waiting] == list(range(1, 50))
    check_the_rules(made)


def test_without_the_lock_the_same_is_noticed(request, at_once, monkeypatch, ana, bread):
    """The twin of the test above: it proves that the test would see a seat given twice, or the database refuse it."""
    monkeypatch.setattr(SkillSession, "locked", classmethod(_read_only))
    if "sqlite" in request.node.name:
        monkeypatch.setattr("skillshare.db.has_request_context", lambda: True)
        monkeypatch.setattr("skillshare.db.request", _Get)
    made = make_session(ana, [bread], capacity=1)
    guests = crowd(8)
    slow = seats._free_seat
    meet = threading.Barrier(8)

    def free_seat(skill_session):
        found = slow(skill_session)
        meet.wait(LONGEST)
        return found

    monkeypatch.setattr(seats, "_free_seat", free_seat)

    results = at_once([joins(made, guest) for guest in guests])

    assert not no_errors(results)
    assert len([result for result in results if result == GOING]) <= 1


class _Get:
    """A request that only reads: its transaction begins without the right to write."""

    method = "GET"


def _read_only(cls, id_):
    return database.session.scalars(sa.select(cls).where(cls.id == id_).options(*cls.whole())).one()


def test_one_person_presses_five_times(at_once, ana, ben, bread):
    made = make_session(ana, [bread])

    results = at_once([joins(made, ben)] * 5)

    assert results == [GOING] * 5
    assert len(places(made)) == 1
    check_the_rules(made)


def test_people_join_while_the_host_lowers_the_places(at_once, ana, bread):
    made = make_session(ana, [bread], capacity=10)
    guests = crowd(12)

    results = at_once([*(joins(made, guest) for guest in guests), sets_capacity(made, ana, 4)])

    assert no_errors(results)
    assert len(places(made)) == 12
    check_the_rules(made)


def test_people_leave_join_and_are_asked_all_at_once(at_once, ana, bread):
    made = make_session(ana, [bread], capacity=3)
    guests = crowd(16)
    there = [take_place(made, by=guest) for guest in guests[:8]]

    results = at_once(
        [
            *(with_place(give_back, place) for place in there[:2]),
            with_place(give_back, there[4]),
            *(joins(made, guest) for guest in guests[8:]),
            sets_capacity(made, ana, 5),
            *(lapses(place) for place in there[2:4]),
        ]
    )

    assert no_errors(results)
    assert len(in_state(made, GOING)) == 1
    assert [place.member_id for place in in_state(made, OFFERED)] == [place.member_id for place in in_line(there)]
    check_the_rules(made)
    asked = [
        row.payload["member_id"]
        for row in database.session.scalars(sa.select(Outbox).where(Outbox.kind == "mail"))
        if row.payload["kind"] == "place_offered"
    ]
    offered = {place.member_id for place in in_state(made, OFFERED)}
    assert len(set(asked)) == len(asked)
    assert offered <= set(asked) <= offered | {there[4].member_id}  # who left may have been asked just before


def in_line(there):
    """Of eight who came in order, the first two and the fifth gone: the four that are asked for four free seats."""
    return [there[n] for n in (3, 5, 6, 7)]


def test_saying_yes_while_the_clock_runs_out(at_once, ana, ben, cleo, dora, bread):
    made = make_session(ana, [bread], capacity=1)
    there = [take_place(made, by=member) for member in (ben, cleo, dora)]
    give_back(there[0], by=ben)
    there[1].offered_until = clock.now() + timedelta(milliseconds=40)

    results = at_once([with_place(accept, there[1]), lapses(there[1]), lapses(there[1]), with_place(accept, there[1])])

    assert no_errors(results)
    check_the_rules(made)
    assert len(in_state(made, GOING, OFFERED)) == 1


def test_two_workers_let_the_same_seat_lapse(app, at_once, ana, ben, cleo, dora, bread):
    made = make_session(ana, [bread], capacity=1)
    there = [take_place(made, by=member) for member in (ben, cleo, dora)]
    give_back(there[0], by=ben)
    there[1].offered_until = clock.now()
    Outbox.put("seat", str(there[1].id), {"registration_id": there[1].id}, due_at=clock.now())

    results = at_once([lambda: jobs._work("seat", *jobs.HANDLERS["seat"])] * 2)

    assert no_errors(results)
    assert [place.state for place in places(made)] == [PlaceState.WITHDREW, PlaceState.PASSED, OFFERED]
    check_the_rules(made)


def test_leaving_while_the_host_cancels(at_once, ana, bread):
    made = make_session(ana, [bread], capacity=2)
    there = [take_place(made, by=guest) for guest in crowd(6)]
    session_id, host_id = made.id, ana.id

    def cancels():
        by = database.session.get_one(Member, host_id)
        seats.cancel(database.session.get_one(SkillSession, session_id), by=by, reason="Ill.")

    results = at_once([cancels, *(with_place(give_back, place) for place in there[:3])])

    assert no_errors(results)
    assert in_state(made, GOING, OFFERED, WAITING) == []


def test_agreeing_twice_at_once_confirms_once(at_once, ana, ben, bread):
    said = [Said(ana, bread, PartKind.SHOWS), Said(ben, bread, PartKind.LEARNS)]
    entry = LogEntry.write(by=ben, happened_on=clock.today("UTC"), said=said, practice_minutes=5, theory_minutes=5)
    entry_id, ana_id = entry.id, ana.id

    def agrees():
        found = database.session.scalars(LogEntry.in_it(database.session.get_one(Member, ana_id))).one()
        found.agree(by=database.session.get_one(Member, ana_id))

    results = at_once([agrees] * 4)

    assert results == [None] * 4
    assert database.session.get_one(LogEntry, entry_id).state is LogState.CONFIRMED
    assert mails_of_kind("log_confirmed") == [1]


def test_saying_clear_twice_at_once_confirms_once(at_once, ana, ben, bread):
    teach_back = TeachBack.attempt(by=ben, skill=bread, witnesses=[ana], on=clock.today("UTC"))
    teach_back_id, ana_id = teach_back.id, ana.id

    def clears():
        by = database.session.get_one(Member, ana_id)
        database.session.scalars(TeachBack.visible_to(by)).one().clear(by=by)

    results = at_once([clears] * 4)

    assert results == [None] * 4
    assert database.session.get_one(TeachBack, teach_back_id).state is TeachBackState.CONFIRMED
    assert mails_of_kind("teach_back_clear") == [1]


def mails_of_kind(kind):
    """How often each mail of `kind` was asked for."""
    rows = database.session.scalars(sa.select(Outbox).where(Outbox.kind == "mail"))
    return [row.seq for row in rows if row.payload["kind"] == kind]


def test_the_same_form_sent_twice_at_once_makes_one_session(app, at_once, ana, bread, brakes):
    app.config["WTF_CSRF_ENABLED"] = False
    asked = {
        "once": "k" * 22,
        "skill": "Sourdough bread",
        "skill_2": "Bicycle brakes",
        "practice": "Mix.",
        "theory": "Rise.",
        "day": str(clock.today("UTC") + timedelta(days=5)),
        "time": "19:00",
        "length": "60",
        "zone": "UTC",
        "capacity": "4",
        "where": "in_person",
        "place": "The hall",
        "language": "en",
        "audience": "public",
    }
    database.session.commit()
    browsers = [Browser(app) for _ in range(3)]
    for browser in browsers:
        sign_in(browser, ana)
    answers = at_once([lambda browser=browser: answer_to(browser, asked) for browser in browsers])

    assert database.session.scalar(sa.select(sa.func.count(SkillSession.id))) == 1
    assert {status for status, _location in answers} == {303}
    assert len({location for _status, location in answers}) == 1


def answer_to(browser, asked):
    """The status and address that a sent form is answered with."""
    answer = browser.client.post("/sessions/new", data=asked)
    return answer.status_code, answer.location
