"""The log: who showed what to whom, said by one, agreed by the others."""

from datetime import timedelta

import pytest

from skillshare import clock
from skillshare.db import db
from skillshare.errors import EditConflict, NotAllowed, RuleBroken
from skillshare.models.listings import ListingState
from skillshare.models.log import Answer, LogEntry, LogPart, LogState, Said, to_log
from skillshare.models.outbox import Outbox
from skillshare.models.seats import cancel, take_place
from skillshare.models.sessions import PartKind, SessionState
from skillshare.models.visibility import Viewer
from tests.conftest import make_session, person

SHOWS, HELPS, LEARNS = PartKind.SHOWS, PartKind.HELPS, PartKind.LEARNS


def write(by, said, **changes):
    """An entry of an hour and twenty minutes, today."""
    what = {"happened_on": clock.today("UTC"), "practice_minutes": 60, "theory_minutes": 20, **changes}
    return LogEntry.write(by=by, said=[Said(*line) for line in said], **what)


def edit(entry, by, said, **changes):
    """Put an entry right, with its facts as they are."""
    names = ("practice_minutes", "theory_minutes", "line", "happened_on", "version")
    what = {**{name: getattr(entry, name) for name in names}, **changes}
    entry.edit(by=by, said=[Said(*line) for line in said], **what)


def mailed(kind):
    """For whom a mail of this kind waits, by member id."""
    rows = db.session.scalars(db.select(Outbox).where(Outbox.kind == "mail"))
    return sorted(row.payload["member_id"] for row in rows if row.payload["kind"] == kind)


@pytest.fixture
def entry(frozen, ana, ben, bread):
    """Ben wrote down that Ana showed him bread."""
    return write(ben, [(ana, bread, SHOWS), (ben, bread, LEARNS)])


@pytest.fixture
def three(frozen, ana, ben, cleo, bread):
    """Cleo helped, and wrote down that Ana showed Ben bread."""
    return write(cleo, [(ana, bread, SHOWS), (ben, bread, LEARNS), (cleo, bread, HELPS)])


@pytest.fixture
def past(frozen, ana, ben, bread, bread_session):
    """Ana's session, in which Ben had a place, two days later."""
    take_place(bread_session, by=ben)
    frozen.shift(timedelta(days=3))
    return bread_session


# Writing


def test_the_others_are_asked_and_the_writer_has_agreed(entry, ana, ben):
    assert entry.answer_of(ben) is Answer.AGREE
    assert entry.answer_of(ana) is Answer.NONE
    assert mailed("agree_to_log") == [ana.id]


def test_in_one_session_each_may_show_the_other_something(frozen, ana, ben, bread, brakes):
    """Scenario 2."""
    entry = write(ben, [(ana, bread, SHOWS), (ben, bread, LEARNS), (ben, brakes, SHOWS), (ana, brakes, LEARNS)])

    entry.agree(by=ana)

    assert entry.is_confirmed
    assert [p.skill for p in db.session.scalars(LogPart.record_of(ana, LEARNS))] == [brakes]
    assert [p.skill for p in db.session.scalars(LogPart.record_of(ben, LEARNS))] == [bread]


def test_nobody_shows_and_learns_the_same_skill_at_once(frozen, ana, ben, bread):
    with pytest.raises(RuleBroken):
        write(ben, [(ana, bread, SHOWS), (ben, bread, LEARNS), (ben, bread, SHOWS)])


def test_the_same_line_twice_is_once(frozen, ana, ben, bread):
    entry = write(ben, [(ana, bread, SHOWS), (ben, bread, LEARNS), (ben, bread, LEARNS)])

    assert len(entry.parts) == 2


@pytest.mark.parametrize("kinds", [(SHOWS, SHOWS), (LEARNS, LEARNS), (SHOWS, HELPS)])
def test_one_shows_and_another_learns(frozen, ana, ben, bread, kinds):
    with pytest.raises(RuleBroken):
        write(ben, [(ana, bread, kinds[0]), (ben, bread, kinds[1])])


def test_they_must_be_about_the_same_skill(frozen, ana, ben, bread, brakes):
    with pytest.raises(RuleBroken):
        write(ben, [(ana, bread, SHOWS), (ben, brakes, LEARNS)])


def test_who_had_no_part_writes_nothing(frozen, ana, ben, dora, bread):
    with pytest.raises(NotAllowed):
        write(dora, [(ana, bread, SHOWS), (ben, bread, LEARNS)])


@pytest.mark.parametrize("days", [1, -367])
def test_the_day_is_not_ahead_and_not_long_ago(frozen, ana, ben, bread, days):
    with pytest.raises(RuleBroken) as refusal:
        write(ben, [(ana, bread, SHOWS), (ben, bread, LEARNS)], happened_on=clock.today("UTC") + timedelta(days=days))

    assert refusal.value.field == "happened_on"


@pytest.mark.parametrize("minutes", [(0, 0), (-1, 5), (5, -1), (1441, 0), (0, 1441)])
def test_minutes_fit_in_a_day_and_are_some(frozen, ana, ben, bread, minutes):
    with pytest.raises(RuleBroken):
        write(
            ben,
            [(ana, bread, SHOWS), (ben, bread, LEARNS)],
            practice_minutes=minutes[0],
            theory_minutes=minutes[1],
        )


# From a session


def test_logging_a_session_says_that_it_took_place(past, ana, ben, bread):
    write(ben, [(ana, bread, SHOWS), (ben, bread, LEARNS)], skill_session=past)

    assert past.state is SessionState.HELD


def test_a_session_is_logged_only_once(past, ana, ben, bread):
    write(ben, [(ana, bread, SHOWS), (ben, bread, LEARNS)], skill_session=past)

    with pytest.raises(RuleBroken):
        write(ana, [(ana, bread, SHOWS), (ben, bread, LEARNS)], skill_session=past)


def test_who_was_not_going_does_not_log_it(past, ana, dora, bread):
    with pytest.raises(NotAllowed):
        write(dora, [(ana, bread, SHOWS), (dora, bread, LEARNS)], skill_session=past)


def test_not_before_it_begins(frozen, ana, ben, bread, bread_session):
    take_place(bread_session, by=ben)

    with pytest.raises(RuleBroken):
        write(ben, [(ana, bread, SHOWS), (ben, bread, LEARNS)], skill_session=bread_session)


def test_not_once_it_is_said_not_to_have_happened(past, ana, ben, bread):
    past.not_held(by=ana)

    with pytest.raises(RuleBroken):
        write(ben, [(ana, bread, SHOWS), (ben, bread, LEARNS)], skill_session=past)


def test_not_when_it_was_cancelled(frozen, ana, ben, bread, bread_session):
    cancel(bread_session, by=ana, reason="Ill")
    frozen.shift(timedelta(days=3))

    with pytest.raises(RuleBroken):
        write(ana, [(ana, bread, SHOWS), (ben, bread, LEARNS)], skill_session=bread_session)


def test_the_day_of_a_session_is_a_day_where_it_was(frozen, ana, ben, bread):
    """In Auckland it is the next day already while the writer's calendar still says today."""
    there = make_session(ana, [bread], zone="Pacific/Auckland", starts_at=clock.now())
    take_place_before_it_began(frozen, there, ben)

    entry = write(
        ben,
        [(ana, bread, SHOWS), (ben, bread, LEARNS)],
        skill_session=there,
        happened_on=clock.today("Pacific/Auckland"),
    )

    assert entry.happened_on > clock.today("UTC")


def take_place_before_it_began(frozen, session, member):
    frozen.shift(timedelta(minutes=-1))
    take_place(session, by=member)
    frozen.shift(timedelta(minutes=2))


def test_when_nobody_speaks_nothing_is_said(past, ana, ben):
    """Scenario 5: the clock never says that a session took place."""
    assert past.state is SessionState.SCHEDULED
    assert db.session.scalars(to_log(ben)).all() == [past]
    assert db.session.scalars(to_log(ana)).all() == [past]
    assert not db.session.scalar(db.select(LogEntry))


def test_a_session_with_a_word_said_asks_no_more(past, ana, ben):
    past.not_held(by=ana)
    db.session.flush()

    assert not db.session.scalars(to_log(ben)).all()


# Agreeing


def test_two_people_on_opposite_sides_confirm(entry, ana, ben):
    entry.agree(by=ana)

    assert entry.is_confirmed
    assert mailed("log_confirmed") == [ben.id]


def test_the_writer_does_not_answer(entry, ben):
    for answer in (entry.agree, entry.was_not_there):
        with pytest.raises(NotAllowed):
            answer(by=ben)


def test_who_is_not_in_it_does_not_answer(entry, dora):
    with pytest.raises(NotAllowed):
        entry.agree(by=dora)


def test_agreeing_twice_is_once(entry, ana):
    entry.agree(by=ana)
    at = entry.answers[0].at
    entry.agree(by=ana)

    assert entry.is_confirmed
    assert entry.answers[0].at == at


def test_two_on_one_side_do_not_confirm(three, ana):
    three.agree(by=ana)

    assert three.state is LogState.WAITING


def test_helpers_do_not_confirm(three, ben):
    three.agree(by=ben)

    assert three.state is LogState.WAITING


def test_only_what_was_read_can_be_agreed_to(entry, ana, ben, bread):
    read = entry.version
    edit(entry, ben, [(ana, bread, SHOWS), (ben, bread, LEARNS)], line="Much better.")

    with pytest.raises(RuleBroken):
        entry.agree(by=ana, version=read)


def test_learning_answers_the_want(entry, ana, bread_want):
    entry.agree(by=ana)

    assert bread_want.state is ListingState.ANSWERED


def test_people_of_a_confirmed_entry_are_partners(entry, ana, ben):
    assert ana.id not in Viewer(ben).partner_ids

    entry.agree(by=ana)

    assert ana.id in Viewer(ben).partner_ids


# Not right


def test_not_right_needs_a_word(entry, ana):
    with pytest.raises(RuleBroken) as refusal:
        entry.not_right(by=ana, note="  ")

    assert refusal.value.field == "note"


def test_not_right_tells_the_writer(entry, ana, ben):
    entry.not_right(by=ana, note="It was Tuesday.")

    assert entry.state is LogState.QUESTIONED
    assert mailed("log_questioned") == [ben.id]


def test_not_right_and_then_right_after_all(entry, ana):
    entry.not_right(by=ana, note="It was Tuesday.")
    entry.agree(by=ana)

    assert entry.is_confirmed


def test_who_agreed_does_not_say_not_right(entry, ana):
    entry.agree(by=ana)

    with pytest.raises(RuleBroken):
        entry.not_right(by=ana, note="No.")


# Was not there


def test_who_was_not_there_is_not_in_it_for_anyone(three, ana, ben, cleo):
    three.was_not_there(by=ben)

    assert db.session.scalar(LogEntry.in_it(ben)) is None
    assert ben.id not in {p.member_id for p in three.parts_shown_to(cleo)}
    with pytest.raises(RuleBroken):
        three.agree(by=ben)
    with pytest.raises(RuleBroken):
        three.not_right(by=ben, note="Nothing.")


def test_two_of_four_were_not_there(frozen, ana, ben, cleo, dora, bread):
    """Scenario 6: the other two still confirm it; the two are not in it for anyone."""
    entry = write(ana, [(ana, bread, SHOWS), (ben, bread, LEARNS), (cleo, bread, LEARNS), (dora, bread, LEARNS)])

    entry.was_not_there(by=cleo)
    entry.agree(by=ben)
    entry.was_not_there(by=dora)

    assert entry.is_confirmed
    assert {p.member_id for p in entry.parts_shown_to(ben)} == {ana.id, ben.id}
    assert not db.session.scalars(LogPart.record_of(dora, LEARNS)).all()


def test_taking_a_word_back_reopens_the_entry(frozen, entry, ana, ben):
    entry.agree(by=ana)
    frozen.shift(timedelta(days=29))

    entry.was_not_there(by=ana)

    assert entry.state is LogState.WAITING
    assert not db.session.scalars(LogPart.record_of(ben, LEARNS)).all()


def test_after_thirty_days_a_word_stays(frozen, entry, ana):
    entry.agree(by=ana)
    frozen.shift(timedelta(days=31))

    assert not entry.can_leave(ana)
    with pytest.raises(RuleBroken):
        entry.was_not_there(by=ana)


def test_saying_it_twice_is_once(entry, ana):
    entry.was_not_there(by=ana)
    entry.was_not_there(by=ana)

    assert entry.answer_of(ana) is Answer.WAS_NOT_THERE


# What others see


def test_nobody_appears_to_others_before_they_agree(three, ana, ben, cleo):
    assert {p.member_id for p in three.parts_shown_to(ben)} == {ben.id, cleo.id}

    three.agree(by=ana)

    assert {p.member_id for p in three.parts_shown_to(ben)} == {ana.id, ben.id, cleo.id}


def test_only_agreed_parts_stand_in_a_record(three, ana, ben):
    three.agree(by=ana)
    assert not db.session.scalars(LogPart.record_of(ana, SHOWS)).all()

    three.agree(by=ben)

    assert len(db.session.scalars(LogPart.record_of(ana, SHOWS)).all()) == 1


def test_others_in_a_record_only_once_they_agreed(three, ana, ben, cleo):
    three.agree(by=ana)
    three.agree(by=ben)
    dora_too = {p.member_id for p in db.session.scalars(LogPart.agreed_in([three.id]))}

    assert dora_too == {ana.id, ben.id, cleo.id}


# Putting it right


def test_who_is_said_to_have_done_something_else_is_asked_again(three, ana, ben, cleo, bread):
    three.agree(by=ana)
    three.not_right(by=ben, note="I only helped.")
    dora = person("dora")

    edit(three, cleo, [(ana, bread, SHOWS), (ben, bread, HELPS), (cleo, bread, HELPS), (dora, bread, LEARNS)])

    assert three.answer_of(ana) is Answer.AGREE
    assert three.answer_of(ben) is Answer.NONE
    assert three.answer_of(dora) is Answer.NONE
    assert three.state is LogState.WAITING


def test_when_the_facts_change_all_are_asked_again(three, ana, ben, cleo, bread):
    three.agree(by=ana)

    edit(three, cleo, [(ana, bread, SHOWS), (ben, bread, LEARNS), (cleo, bread, HELPS)], theory_minutes=25)

    assert three.answer_of(ana) is Answer.NONE
    assert three.answer_of(cleo) is Answer.AGREE


def test_only_the_writer_edits(entry, ana, ben, bread):
    with pytest.raises(NotAllowed):
        edit(entry, ana, [(ana, bread, SHOWS), (ben, bread, LEARNS)])


def test_an_old_page_does_not_overwrite(entry, ana, ben, bread):
    edit(entry, ben, [(ana, bread, SHOWS), (ben, bread, LEARNS)], line="First")

    with pytest.raises(EditConflict):
        edit(entry, ben, [(ana, bread, SHOWS), (ben, bread, LEARNS)], line="Second", version=1)


def test_the_writer_stays_in_it(entry, ana, ben, cleo, bread):
    with pytest.raises(RuleBroken):
        edit(entry, ben, [(ana, bread, SHOWS), (cleo, bread, LEARNS)])


def test_once_all_agree_it_stays(entry, ana, ben, bread):
    entry.agree(by=ana)

    assert not entry.can_edit(ben)
    with pytest.raises(RuleBroken):
        edit(entry, ben, [(ana, bread, SHOWS), (ben, bread, LEARNS)])


@pytest.fixture
def almost(frozen, ana, ben, dora, bread):
    """Ana wrote that she showed Ben and Dora; Ben agrees, Dora says that it was different."""
    entry = write(ana, [(ana, bread, SHOWS), (ben, bread, LEARNS), (dora, bread, LEARNS)])
    entry.agree(by=ben)
    entry.not_right(by=dora, note="I helped.")
    return entry


def test_a_confirmed_entry_is_put_right_for_who_did_not_agree(almost, ana, ben, dora, bread):
    edit(almost, ana, [(ana, bread, SHOWS), (ben, bread, LEARNS), (dora, bread, HELPS)])

    assert almost.is_confirmed
    assert almost.answer_of(ben) is Answer.AGREE
    assert almost.answer_of(dora) is Answer.NONE


def test_what_people_agreed_to_stays(almost, ana, ben, dora, bread):
    with pytest.raises(RuleBroken):
        edit(almost, ana, [(ana, bread, SHOWS), (ben, bread, HELPS), (dora, bread, LEARNS)])
    with pytest.raises(RuleBroken):
        edit(almost, ana, [(ana, bread, SHOWS), (ben, bread, LEARNS), (dora, bread, HELPS)], line="Other words")


def test_who_was_not_there_is_not_put_back(entry, ana, ben, cleo, bread):
    entry.was_not_there(by=ana)

    with pytest.raises(RuleBroken):
        edit(entry, ben, [(ana, bread, SHOWS), (ben, bread, LEARNS)])

    edit(entry, ben, [(cleo, bread, SHOWS), (ben, bread, LEARNS)])
    with pytest.raises(RuleBroken):
        edit(entry, ben, [(ana, bread, SHOWS), (ben, bread, LEARNS)])
    assert entry.answer_of(ana) is Answer.WAS_NOT_THERE


def test_a_changed_skill_stays_one_entry(entry, ana, ben, brakes):
    edit(entry, ben, [(ana, brakes, SHOWS), (ben, brakes, LEARNS)])
    entry.agree(by=ana)

    assert entry.is_confirmed
    assert [p.skill for p in db.session.scalars(LogPart.record_of(ben, LEARNS))] == [brakes]
