"""Places: who gets a seat, who waits, who is asked next, and until when."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from skillshare import clock, jobs, limits
from skillshare.errors import NotAllowed, RuleBroken
from skillshare.models.blocking import block
from skillshare.models.outbox import Outbox
from skillshare.models.seats import (
    PlaceState,
    Registration,
    accept,
    cancel,
    edit,
    give_back,
    lapse,
    overlapping,
    position,
    remove,
    sees_place,
    set_capacity,
    take_place,
    waiting_count,
    warns_before_joining,
)
from skillshare.models.sessions import Part, PartKind
from skillshare.models.visibility import Viewer
from tests.conftest import make_session, person

HOUR = 3600


@pytest.fixture(autouse=True)
def _clock(frozen):
    """Every test of this file has the clock stand still."""


@pytest.fixture
def small(ana, bread):
    """A session with one place, three days from now."""
    return make_session(ana, [bread], capacity=1, starts_at=clock.now() + timedelta(days=3))


@pytest.fixture
def full(small, ben, cleo, dora):
    """Ben has the one place; Cleo, then Dora, wait."""
    places = [take_place(small, by=member) for member in (ben, cleo, dora)]
    return small, *places


def told(member):
    """The kinds of mail that wait to be sent to `member`."""
    rows = sorted(jobs.db.session.scalars(sa.select(Outbox).where(Outbox.kind == "mail")), key=lambda row: row.id)
    return [row.payload["kind"] for row in rows if row.payload["member_id"] == member.id]


def test_the_first_gets_the_lowest_seat_and_a_part(bread_session, ben, bread):
    place = take_place(bread_session, by=ben, goal="A loaf", help_note="I wash up", needs_note="A chair")

    assert (place.state, place.seat_no) == (PlaceState.GOING, 1)
    assert (place.goal, place.help_note, place.needs_note) == ("A loaf", "I wash up", "A chair")
    assert [(p.skill_id, p.kind) for p in bread_session.parts if p.member_id == ben.id] == [(bread.id, PartKind.LEARNS)]


def test_joining_twice_is_once(db, bread_session, ben):
    first = take_place(bread_session, by=ben, goal="First")
    second = take_place(bread_session, by=ben, goal="Second")

    assert first is second
    assert second.goal == "First"
    assert db.session.scalar(sa.select(sa.func.count(Registration.id))) == 1


def test_when_it_is_full_people_wait_in_order(full, frozen):
    _small, ben, cleo, dora = full

    assert [p.state for p in (ben, cleo, dora)] == [PlaceState.GOING, PlaceState.WAITING, PlaceState.WAITING]
    assert [position(cleo), position(dora)] == [1, 2]
    assert waiting_count(full[0]) == 2


def test_the_order_holds_when_the_clock_is_set_back(small, ben, cleo, dora, frozen):
    take_place(small, by=ben)
    first = take_place(small, by=cleo)
    frozen.shift(-HOUR)

    assert position(take_place(small, by=dora)) == 2
    assert position(first) == 1


def test_the_host_holds_no_seat(bread_session, ana):
    with pytest.raises(NotAllowed):
        take_place(bread_session, by=ana)


def test_after_the_start_nobody_joins(bread_session, ben, frozen):
    frozen.shift(2 * 24 * HOUR)

    with pytest.raises(RuleBroken):
        take_place(bread_session, by=ben)


def test_what_is_cancelled_cannot_be_joined(bread_session, ana, ben):
    cancel(bread_session, by=ana, reason="The hall is closed.")

    with pytest.raises(RuleBroken):
        take_place(bread_session, by=ben)


def test_a_waiting_list_has_an_end(full, monkeypatch):
    monkeypatch.setattr(limits, "WAITING_MAX", 2)

    with pytest.raises(RuleBroken, match="waiting list is full"):
        take_place(full[0], by=person("emil"))


def test_a_free_seat_is_held_for_the_first_waiting_for_a_day(full, ben, cleo):
    _small, going, first, second = full
    give_back(going, by=ben)

    assert going.state is PlaceState.WITHDREW
    assert (first.state, first.seat_no) == (PlaceState.OFFERED, 1)
    assert first.offered_until == clock.now() + timedelta(hours=24)
    assert second.state is PlaceState.WAITING
    assert position(second) == 1
    assert told(cleo) == ["place_offered"]


def test_within_a_day_of_the_start_a_seat_is_held_for_two_hours_and_the_leaving_was_late(full, ben, frozen):
    _small, going, first, _second = full
    frozen.shift(2 * 24 * HOUR + HOUR)  # 23 h before
    give_back(going, by=ben)

    assert going.late_withdraw is True
    assert first.offered_until == clock.now() + timedelta(hours=2)


def test_a_day_before_is_not_late(full, ben, frozen):
    frozen.shift(2 * 24 * HOUR)
    give_back(full[1], by=ben)

    assert full[1].late_withdraw is False


def test_a_seat_is_never_held_past_the_start(full, ben, frozen):
    small, going, first, _second = full
    frozen.shift(3 * 24 * HOUR - HOUR)
    give_back(going, by=ben)

    assert first.offered_until == small.starts_at


def test_after_the_start_no_seat_is_offered(full, ben, frozen):
    _small, going, first, _second = full
    frozen.shift(3 * 24 * HOUR + 60)
    give_back(going, by=ben)

    assert going.state is PlaceState.WITHDREW
    assert first.state is PlaceState.WAITING


def test_an_offered_seat_counts_as_taken(full, ben):
    small, going, *_rest = full
    give_back(going, by=ben)

    late = take_place(small, by=person("emil"))

    assert late.state is PlaceState.WAITING


def test_saying_yes_makes_it_theirs_and_twice_is_once(full, ben, cleo):
    _small, going, first, _second = full
    give_back(going, by=ben)

    accept(first, by=cleo)
    accept(first, by=cleo)

    assert (first.state, first.seat_no, first.offered_until) == (PlaceState.GOING, 1, None)


def test_keeping_a_place_that_is_held_for_you_says_yes(full, ben, cleo):
    small, going, _first, _second = full
    give_back(going, by=ben)

    assert take_place(small, by=cleo).is_going


def test_nobody_says_yes_for_another(full, ben, dora):
    give_back(full[1], by=ben)

    with pytest.raises(NotAllowed):
        accept(full[2], by=dora)


def test_no_thanks_passes_it_to_the_next(full, ben, cleo, dora):
    _small, going, first, second = full
    give_back(going, by=ben)

    give_back(first, by=cleo)

    assert first.state is PlaceState.PASSED
    assert second.state is PlaceState.OFFERED
    assert told(dora) == ["place_offered"]


def test_an_unanswered_seat_goes_to_the_next_by_the_clock(db, full, ben, cleo, frozen):
    _small, going, first, second = full
    give_back(going, by=ben)
    db.session.commit()

    frozen.shift(24 * HOUR)
    jobs.work_once()
    db.session.expire_all()

    assert first.state is PlaceState.PASSED
    assert second.state is PlaceState.OFFERED
    assert second.offered_until == clock.now() + timedelta(hours=24)


def test_the_clock_does_nothing_before_the_time(full, ben, frozen):
    _small, going, first, _second = full
    give_back(going, by=ben)

    frozen.shift(24 * HOUR - 1)
    lapse(first)

    assert first.state is PlaceState.OFFERED


def test_the_clock_leaves_who_said_yes_alone(full, ben, cleo, frozen):
    _small, going, first, _second = full
    give_back(going, by=ben)
    accept(first, by=cleo)

    frozen.shift(25 * HOUR)
    lapse(first)

    assert first.is_going


def test_too_late_to_say_yes(full, ben, cleo, frozen):
    give_back(full[1], by=ben)
    frozen.shift(24 * HOUR)

    with pytest.raises(RuleBroken):
        accept(full[2], by=cleo)


def test_who_comes_too_late_for_a_held_seat_goes_to_the_end(full, ben, cleo, frozen):
    small, going, first, second = full
    give_back(going, by=ben)
    frozen.shift(24 * HOUR)

    take_place(small, by=cleo)

    assert second.state is PlaceState.OFFERED
    assert first.state is PlaceState.WAITING


def test_coming_back_goes_to_the_end(full, ben, cleo):
    small, going, first, second = full
    give_back(going, by=ben)
    take_place(small, by=ben)

    assert first.state is PlaceState.OFFERED
    assert going.state is PlaceState.WAITING
    assert [position(second), position(going)] == [1, 2]


def test_giving_back_twice_is_once(full, ben):
    _small, going, first, second = full
    give_back(going, by=ben)
    give_back(going, by=ben)

    assert [going.state, first.state, second.state] == [PlaceState.WITHDREW, PlaceState.OFFERED, PlaceState.WAITING]


def test_giving_back_ends_the_part(db, bread_session, ben):
    give_back(take_place(bread_session, by=ben), by=ben)

    assert db.session.scalar(sa.select(sa.func.count(Part.id)).where(Part.member_id == ben.id)) == 0


def test_after_the_end_nothing_is_given_back(bread_session, ben, frozen):
    place = take_place(bread_session, by=ben)
    frozen.shift(2 * 24 * HOUR + 2 * HOUR)

    with pytest.raises(RuleBroken):
        give_back(place, by=ben)


def test_nobody_gives_back_for_another(bread_session, ben, cleo):
    place = take_place(bread_session, by=ben)

    with pytest.raises(NotAllowed):
        give_back(place, by=cleo)


def test_more_places_are_offered_at_once(full, ana):
    small, _going, first, second = full
    set_capacity(small, 2, by=ana)

    assert (first.state, first.seat_no) == (PlaceState.OFFERED, 2)
    assert second.state is PlaceState.WAITING


def test_fewer_places_than_people_are_refused(bread_session, ana, ben, cleo):
    take_place(bread_session, by=ben)
    take_place(bread_session, by=cleo)

    with pytest.raises(RuleBroken, match="2 people have a place"):
        set_capacity(bread_session, 1, by=ana)
    assert bread_session.capacity == 3


def test_fewer_places_move_people_to_lower_seats(bread_session, ana, ben, cleo, dora):
    first, second, third = (take_place(bread_session, by=member) for member in (ben, cleo, dora))
    give_back(first, by=ben)

    set_capacity(bread_session, 2, by=ana)

    assert sorted([second.seat_no, third.seat_no]) == [1, 2]
    assert bread_session.capacity == 2


@pytest.mark.parametrize("capacity", [-1, 0, 501])
def test_impossible_numbers_of_places(bread_session, ana, capacity):
    with pytest.raises(RuleBroken):
        set_capacity(bread_session, capacity, by=ana)


def test_only_hosts_set_the_places(bread_session, ben):
    with pytest.raises(NotAllowed):
        set_capacity(bread_session, 5, by=ben)


def test_cancelling_tells_everybody_and_keeps_the_reason(full, ana, ben, cleo, dora):
    small, *places = full
    cancel(small, by=ana, reason=" The oven broke. ")

    assert small.cancel_reason == "The oven broke."
    assert small.seq == 1
    assert [p.state for p in places] == [PlaceState.CANCELLED] * 3
    assert all(told(member) == ["session_cancelled"] for member in (ben, cleo, dora))
    assert told(ana) == []


def test_cancelling_twice_tells_once(bread_session, ana):
    cancel(bread_session, by=ana, reason="Ill.")
    cancel(bread_session, by=ana, reason="Ill.")

    assert bread_session.seq == 1


def test_cancelling_needs_a_host_and_a_reason(bread_session, ana, ben):
    with pytest.raises(NotAllowed):
        cancel(bread_session, by=ben, reason="No.")
    with pytest.raises(RuleBroken):
        cancel(bread_session, by=ana, reason="  ")


def test_a_removed_person_is_told_why_and_does_not_come_back(full, ana, ben):
    small, going, first, _second = full
    remove(going, by=ana, reason="You have been three times.")

    assert (going.state, going.reason) == (PlaceState.REMOVED, "You have been three times.")
    assert told(ben) == ["place_removed"]
    assert first.state is PlaceState.OFFERED
    with pytest.raises(RuleBroken):
        take_place(small, by=ben)


def test_removing_needs_a_host_and_a_reason(full, ana, cleo):
    with pytest.raises(NotAllowed):
        remove(full[1], by=cleo, reason="I want it.")
    with pytest.raises(RuleBroken):
        remove(full[1], by=ana, reason="")


def test_a_block_parts_host_and_guest_and_moves_the_list_on(full, ana, ben, cleo):
    _small, going, first, _second = full
    block(ana, ben)

    assert going.state is PlaceState.PASSED
    assert told(ben) == ["place_gone"]
    assert told(ana) == []
    assert first.state is PlaceState.OFFERED


def test_a_block_between_guests_leaves_both_their_places_and_warns_the_blocker_only(bread_session, ben, cleo, dora):
    place = take_place(bread_session, by=ben)
    block(cleo, ben)

    assert warns_before_joining(bread_session, Viewer(cleo)) is True
    assert warns_before_joining(bread_session, Viewer(ben)) is False
    assert warns_before_joining(bread_session, Viewer(dora)) is False
    assert warns_before_joining(bread_session, Viewer(None)) is False
    assert take_place(bread_session, by=cleo).is_going
    assert place.is_going


@pytest.mark.parametrize(
    ("hours_from_start", "guest_sees"), [(-49, False), (-47, True), (0, True), (25, True), (27, False)]
)
def test_the_exact_place_opens_for_those_going_around_the_time(
    small, ana, ben, cleo, dora, frozen, hours_from_start, guest_sees
):
    going, waiting = take_place(small, by=ben), take_place(small, by=cleo)
    frozen.shift((3 * 24 + hours_from_start) * HOUR)

    assert sees_place(small, ana, None) is True
    assert sees_place(small, ben, going) is guest_sees
    assert sees_place(small, cleo, waiting) is False
    assert sees_place(small, dora, None) is False
    assert sees_place(small, None, None) is False


def test_a_new_time_is_told_and_no_seat_is_held_past_it(full, ana, ben, cleo, dora):
    small, going, first, _second = full
    give_back(going, by=ben)
    sooner = clock.now() + timedelta(hours=5)

    edit(small, by=ana, version=1, capacity=1, starts_at=sooner, ends_at=sooner + timedelta(hours=1))

    assert first.offered_until == sooner
    assert small.seq == 1
    assert told(cleo) == ["place_offered", "session_moved"]
    assert told(dora) == ["session_moved"]
    assert told(ben) == []


def test_other_words_are_not_told(full, ana, ben):
    edit(full[0], by=ana, version=1, capacity=1, title="Bread again")

    assert full[0].title == "Bread again"
    assert told(ben) == []


def test_what_else_is_at_that_time(small, ana, ben, cleo, brakes):
    other = make_session(cleo, [brakes], starts_at=small.starts_at + timedelta(hours=1))
    take_place(other, by=ben)
    sa_of = jobs.db.session.scalars

    assert sa_of(overlapping(small, ben)).all() == [other]
    assert sa_of(overlapping(small, cleo)).all() == [other]
    assert sa_of(overlapping(other, ana)).all() == [small]


def test_my_places_to_come(db, full, ben, frozen):
    db.session.flush()

    assert db.session.scalars(Registration.of(ben)).one().skill_session is full[0]
    frozen.shift(4 * 24 * HOUR)
    assert db.session.scalars(Registration.of(ben)).all() == []


def test_the_database_holds_one_person_a_seat(db, bread_session, ben, cleo):
    one, other = take_place(bread_session, by=ben), take_place(bread_session, by=cleo)
    other.seat_no = one.seat_no

    with pytest.raises(sa.exc.IntegrityError):
        db.session.flush()
