"""Teach-backs: the learner shows it and says why, before a witness. And what follows from it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from skillshare import clock
from skillshare.db import db
from skillshare.errors import NotAllowed, RuleBroken
from skillshare.models.knowhow import MemberSkill
from skillshare.models.log import LogEntry, Said
from skillshare.models.outbox import Outbox
from skillshare.models.sessions import PartKind
from skillshare.models.teachbacks import (
    TeachBack,
    TeachBackState,
    Witness,
    knowing_ids,
    may_show_back,
    might_want_next,
    stages_of,
)
from skillshare.models.visibility import Block, Viewer
from tests.conftest import person


def confirmed_log(shows, learns, skill):
    """`shows` has shown `skill` to `learns`, and both agree; the one can show it."""
    said = [Said(shows, skill, PartKind.SHOWS), Said(learns, skill, PartKind.LEARNS)]
    entry = LogEntry.write(by=learns, happened_on=clock.today("UTC"), said=said, practice_minutes=9, theory_minutes=9)
    entry.agree(by=shows)
    MemberSkill.say(shows, skill, shows=True)
    db.session.flush()
    return entry


def attempt(by, skill, *witnesses, **changes):
    """A try today."""
    return TeachBack.attempt(by=by, skill=skill, witnesses=witnesses, on=clock.today("UTC"), **changes)


def mailed(kind):
    """For whom a mail of this kind waits, by member id."""
    rows = db.session.scalars(sa.select(Outbox).where(Outbox.kind == "mail"))
    return sorted(row.payload["member_id"] for row in rows if row.payload["kind"] == kind)


@pytest.fixture
def entry(frozen, ana, ben, bread):
    """Ana showed Ben bread."""
    return confirmed_log(ana, ben, bread)


# A try


def test_the_witnesses_are_asked(entry, ana, ben, cleo, bread):
    teach_back = attempt(ben, bread, ana, cleo, log_entry=entry)

    assert teach_back.state is TeachBackState.ATTEMPTED
    assert teach_back.attempt_no == 1
    assert mailed("asked_to_witness") == sorted([ana.id, cleo.id])


def test_nobody_witnesses_their_own_try(entry, ana, ben, bread):
    """Scenario 7."""
    with pytest.raises(NotAllowed):
        attempt(ben, bread, ana, ben)

    teach_back = attempt(ben, bread, ana)
    for word in (teach_back.clear, teach_back.more_practice, teach_back.was_not_there):
        with pytest.raises(NotAllowed):
            word(by=ben)
    with pytest.raises(NotAllowed):
        teach_back.name_witnesses(by=ben, witnesses=[ben])


def test_the_database_keeps_the_giver_from_witnessing(entry, ana, ben, bread):
    teach_back = attempt(ben, bread, ana)
    db.session.commit()

    for claimed in (ben, ana):
        db.session.add(Witness(teach_back_id=teach_back.id, giver_id=claimed.id, member_id=ben.id))
        with pytest.raises(sa.exc.IntegrityError):
            db.session.commit()
        db.session.rollback()


def test_a_try_needs_a_witness(entry, ben, bread):
    with pytest.raises(RuleBroken) as refusal:
        attempt(ben, bread)

    assert refusal.value.field == "witnesses"


def test_at_most_six_witnesses(entry, ben, bread):
    with pytest.raises(RuleBroken):
        attempt(ben, bread, *(person(f"seven{n}") for n in range(7)))


@pytest.mark.parametrize("days", [1, -367])
def test_the_day_is_not_ahead_and_not_long_ago(entry, ana, ben, bread, days):
    with pytest.raises(RuleBroken) as refusal:
        TeachBack.attempt(by=ben, skill=bread, witnesses=[ana], on=clock.today("UTC") + timedelta(days=days))

    assert refusal.value.field == "on"


def test_one_open_try_at_a_time(entry, ana, ben, cleo, bread):
    attempt(ben, bread, ana)

    with pytest.raises(RuleBroken):
        attempt(ben, bread, cleo)


def test_what_is_shown_back_is_not_tried_again(entry, ana, ben, bread):
    attempt(ben, bread, ana).clear(by=ana)

    with pytest.raises(RuleBroken):
        attempt(ben, bread, ana)
    assert may_show_back(ben, [bread.id]) == set()


# Verdicts


def test_clear_from_somebody_who_knows_confirms(entry, ana, ben, bread):
    teach_back = attempt(ben, bread, ana)

    teach_back.clear(by=ana)

    assert teach_back.is_confirmed
    assert not teach_back.nobody_knew
    assert mailed("teach_back_clear") == [ben.id]
    assert stages_of(ben.id)[bread.id].showed_back_on == teach_back.on


def test_clear_twice_is_once(entry, ana, ben, bread):
    teach_back = attempt(ben, bread, ana)

    teach_back.clear(by=ana)
    teach_back.clear(by=ana)

    assert teach_back.is_confirmed


def test_only_a_witness_has_a_word(entry, ana, ben, dora, bread):
    teach_back = attempt(ben, bread, ana)

    with pytest.raises(NotAllowed):
        teach_back.clear(by=dora)


def test_a_witness_who_does_not_know_it_is_not_enough(entry, ana, ben, cleo, bread):
    teach_back = attempt(ben, bread, cleo)
    teach_back.clear(by=cleo)
    assert teach_back.state is TeachBackState.ATTEMPTED

    teach_back.name_witnesses(by=ben, witnesses=[ana, cleo])
    teach_back.clear(by=ana)

    assert teach_back.is_confirmed
    assert len(teach_back.witnesses) == 2


def test_when_nobody_else_knows_it_one_is_enough_and_it_says_so(frozen, ben, cleo, bread):
    teach_back = attempt(ben, bread, cleo)

    teach_back.clear(by=cleo)

    assert teach_back.is_confirmed
    assert teach_back.nobody_knew


def test_saying_one_can_show_it_is_not_knowing_it(frozen, ana, bread):
    MemberSkill.say(ana, bread, shows=True)
    db.session.flush()

    assert db.session.scalars(knowing_ids(bread.id)).all() == []


def test_who_showed_it_back_knows_it(entry, ana, ben, bread):
    attempt(ben, bread, ana).clear(by=ana)

    assert set(db.session.scalars(knowing_ids(bread.id))) == {ana.id, ben.id}


def test_a_hazard_needs_two(frozen, ana, ben, cleo, welding):
    confirmed_log(ana, ben, welding)
    teach_back = attempt(ben, welding, ana, cleo)

    teach_back.clear(by=ana)
    assert teach_back.state is TeachBackState.ATTEMPTED
    teach_back.clear(by=cleo)

    assert teach_back.is_confirmed


def test_any_more_practice_is_more_practice(frozen, ana, ben, cleo, welding):
    confirmed_log(ana, ben, welding)
    teach_back = attempt(ben, welding, ana, cleo)

    teach_back.clear(by=ana)
    teach_back.more_practice(by=cleo, kind_note="The mask")

    assert teach_back.state is TeachBackState.MORE_PRACTICE
    assert mailed("more_practice") == [ben.id]
    assert welding.id not in {s for s, stage in stages_of(ben.id).items() if stage.showed_back_on}


def test_a_word_given_is_not_changed(entry, ana, ben, bread):
    teach_back = attempt(ben, bread, ana)
    teach_back.clear(by=ana)

    with pytest.raises(RuleBroken):
        teach_back.more_practice(by=ana, kind_note="No.")


def test_who_was_not_there_counts_neither_way_and_sees_it_no_more(entry, ana, ben, cleo, bread):
    teach_back = attempt(ben, bread, ana, cleo)

    teach_back.was_not_there(by=cleo)
    teach_back.clear(by=ana)

    assert teach_back.is_confirmed
    assert db.session.scalar(TeachBack.visible_to(cleo)) is None


def test_a_clear_taken_back_opens_it_again(frozen, entry, ana, ben, bread):
    teach_back = attempt(ben, bread, ana)
    teach_back.clear(by=ana)
    frozen.shift(timedelta(days=29))

    teach_back.was_not_there(by=ana)

    assert teach_back.state is TeachBackState.ATTEMPTED
    assert teach_back.confirmed_at is None
    assert mailed("teach_back_open_again") == [ben.id]
    assert stages_of(ben.id)[bread.id].showed_back_on is None


def test_after_thirty_days_clear_stays(frozen, entry, ana, ben, bread):
    teach_back = attempt(ben, bread, ana)
    teach_back.clear(by=ana)
    frozen.shift(timedelta(days=31))

    assert not teach_back.can_leave(ana)
    with pytest.raises(RuleBroken):
        teach_back.was_not_there(by=ana)


def test_more_practice_is_not_taken_back(entry, ana, ben, bread):
    teach_back = attempt(ben, bread, ana)
    teach_back.more_practice(by=ana, kind_note="Fold")

    with pytest.raises(RuleBroken):
        teach_back.was_not_there(by=ana)


# Tries in a row


def test_tries_are_linked_and_counted(entry, ana, ben, bread):
    first = attempt(ben, bread, ana)
    first.more_practice(by=ana, kind_note="Fold")

    second = attempt(ben, bread, ana)

    assert (second.attempt_no, second.previous_id) == (2, first.id)
    assert db.session.scalars(TeachBack.tries_of(second, ben)).all() == [first, second]


def test_witnesses_see_only_the_tries_they_saw(entry, ana, ben, cleo, bread):
    attempt(ben, bread, ana).more_practice(by=ana, kind_note="Fold")
    second = attempt(ben, bread, cleo)

    assert db.session.scalars(TeachBack.tries_of(second, cleo)).all() == [second]


def test_tries_of_another_skill_stand_for_themselves(entry, ana, ben, bread, brakes):
    attempt(ben, bread, ana)

    assert attempt(ben, brakes, ana).attempt_no == 1


def test_a_try_taken_back_is_gone_and_another_can_follow(entry, ana, ben, bread):
    first = attempt(ben, bread, ana)
    first.withdraw(by=ben)
    first.withdraw(by=ben)

    second = attempt(ben, bread, ana)

    assert second.attempt_no == 2
    assert db.session.scalars(TeachBack.visible_to(ben)).all() == [second]
    assert db.session.scalars(TeachBack.visible_to(ana)).all() == [second]


def test_a_shown_back_taken_back_counts_no_more(entry, ana, ben, bread):
    teach_back = attempt(ben, bread, ana)
    teach_back.clear(by=ana)

    teach_back.withdraw(by=ben)

    assert stages_of(ben.id)[bread.id].showed_back_on is None


def test_only_the_giver_takes_it_back(entry, ana, ben, bread):
    teach_back = attempt(ben, bread, ana)

    with pytest.raises(NotAllowed):
        teach_back.withdraw(by=ana)


def test_witnesses_are_named_only_by_the_giver_and_while_it_is_open(entry, ana, ben, cleo, dora, bread):
    teach_back = attempt(ben, bread, ana)
    with pytest.raises(NotAllowed):
        teach_back.name_witnesses(by=ana, witnesses=[cleo])
    teach_back.clear(by=ana)

    with pytest.raises(RuleBroken):
        teach_back.name_witnesses(by=ben, witnesses=[cleo])


# Who sees it


def test_more_practice_is_for_the_giver_and_the_witnesses(frozen, ana, ben, cleo, dora, welding):
    """Scenario 8, in the domain."""
    confirmed_log(ana, ben, welding)
    teach_back = attempt(ben, welding, ana, cleo)
    teach_back.more_practice(by=ana, kind_note="The mask")

    assert [db.session.scalar(TeachBack.visible_to(m)) for m in (ana, ben, cleo)] == [teach_back] * 3
    assert db.session.scalar(TeachBack.visible_to(dora)) is None


def test_it_waits_only_for_those_who_have_not_answered(entry, ana, ben, cleo, bread):
    teach_back = attempt(ben, bread, ana, cleo)
    teach_back.was_not_there(by=cleo)

    assert db.session.scalars(TeachBack.waiting_for(ana)).all() == [teach_back]
    assert not db.session.scalars(TeachBack.waiting_for(cleo)).all()


# What follows


def test_up_to_three_who_might_want_it_next_longest_waiting_first(frozen, entry, ana, ben, bread):
    waiting = [person(f"waits{n}") for n in range(5)]
    for n, member in enumerate(reversed(waiting)):
        MemberSkill.say(member, bread, wants=True).wants_since = clock.now() - timedelta(days=10 - n)
    MemberSkill.say(waiting[4], bread, shows=True)
    Block.put(waiting[3], ben)
    MemberSkill.say(ben, bread, wants=True)
    teach_back = attempt(ben, bread, ana)
    teach_back.clear(by=ana)

    found = [row.member for row in db.session.scalars(might_want_next(teach_back, Viewer(ben)))]

    assert found == [waiting[4], waiting[2], waiting[1]]


def test_stages_are_dates(frozen, ana, ben, cleo, bread):
    confirmed_log(ana, ben, bread)
    shown = clock.today("UTC")
    frozen.shift(timedelta(days=7))
    attempt(ben, bread, ana).clear(by=ana)
    back = clock.today("UTC")
    frozen.shift(timedelta(days=7))
    confirmed_log(ben, cleo, bread)

    stage = stages_of(ben.id)[bread.id]

    assert (stage.was_shown_on, stage.showed_back_on, stage.passed_on_on) == (shown, back, clock.today("UTC"))
