"""One function says who sees what of whom, its twin says the same in SQL, and closing anything never opens anything."""

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import permutations

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skillshare import clock
from skillshare.errors import NotAllowed
from skillshare.models.blocking import block
from skillshare.models.listings import Where
from skillshare.models.log import Answer, LogAnswer, LogEntry, LogState
from skillshare.models.members import Member, MemberState, NameSeenBy, SeenAs
from skillshare.models.seats import take_place
from skillshare.models.sessions import Part, PartKind, SkillSession
from skillshare.models.visibility import Block, Field, Viewer, listed_owners, visible_members
from tests.conftest import make_session, make_skill, person

PEOPLE = 4
PAIRS = list(permutations(range(PEOPLE), 2))
MODES = ["invite_only", "members_only", "open_catalogue", "public_profiles"]  # from closed to open
REACHES = [SeenAs.HIDDEN, SeenAs.COMMUNITY, SeenAs.PUBLIC]
NAMES = [NameSeenBy.PARTNERS, NameSeenBy.MEMBERS]
ONCE_A_WORLD = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


@dataclass(frozen=True)
class World:
    """Four people and how they stand to each other; by number."""

    mode: str
    states: tuple[MemberState, ...]
    seen_as: tuple[SeenAs, ...]
    names: tuple[NameSeenBy, ...]
    blocks: frozenset[tuple[int, int]] = frozenset()
    sessions: frozenset[tuple[int, int]] = frozenset()
    entries: dict[tuple[int, int], tuple[LogState, Answer]] = field(default_factory=dict)


def each(values):
    return st.tuples(*[values] * PEOPLE)


def some(pairs):
    return st.frozensets(st.sampled_from(pairs), max_size=3)


worlds = st.builds(
    World,
    mode=st.sampled_from(MODES),
    states=each(st.sampled_from([MemberState.ACTIVE] * 4 + [MemberState.UNCONFIRMED, MemberState.CLOSED])),
    seen_as=each(st.sampled_from(REACHES)),
    names=each(st.sampled_from(NAMES)),
    blocks=some(PAIRS),
    sessions=some(PAIRS),
    entries=st.dictionaries(
        st.sampled_from(PAIRS),
        st.tuples(st.sampled_from([LogState.CONFIRMED, LogState.WAITING]), st.sampled_from(Answer)),
        max_size=3,
    ),
)


@st.composite
def closings(draw):
    """A world, and the same world with one thing closed: a block more, or a level less."""
    world = draw(worlds)
    what = draw(st.sampled_from(["block", "mode", "seen_as", "names", "state"]))
    who = draw(st.integers(0, PEOPLE - 1))
    if what == "block":
        return world, replace(world, blocks=world.blocks | {draw(st.sampled_from(PAIRS))})
    if what == "mode":
        return world, replace(world, mode=draw(st.sampled_from(MODES[: MODES.index(world.mode) + 1])))
    closer = {"seen_as": REACHES, "names": NAMES, "state": [MemberState.CLOSED, MemberState.ACTIVE]}[what]
    key = {"state": "states"}.get(what, what)
    now = list(getattr(world, key))
    if now[who] in closer:
        now[who] = draw(st.sampled_from(closer[: closer.index(now[who]) + 1]))
    return world, replace(world, **{key: tuple(now)})


@contextmanager
def made(db, world, skill):
    """The rows of a world, for a while. Gives its people."""
    savepoint = db.session.begin_nested()
    try:
        yield build(db, world, skill)
    finally:
        savepoint.rollback()


def build(db, world, skill):
    people = [person(f"person{n}") for n in range(PEOPLE)]
    for member, state, seen_as, name in zip(people, world.states, world.seen_as, world.names, strict=True):
        member.state, member.seen_as, member.name_seen_by = state, seen_as, name
    db.session.flush()
    for one, other in world.blocks:
        db.session.add(Block(blocker_id=people[one].id, blocked_id=people[other].id))
    for one, other in world.sessions:
        share_a_session(db, people[one], people[other], skill)
    for (one, other), (state, answer) in world.entries.items():
        share_an_entry(db, people[one], people[other], state, answer)
    db.session.flush()
    return people


def share_a_session(db, one, other, skill):
    now = clock.now()
    session = SkillSession(
        title="S",
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        zone="UTC",
        where=Where.ONLINE,
        capacity=2,
        language="en",
        practice="p",
        theory="t",
        host=one,
    )
    session.parts = [
        Part(member=one, skill=skill, kind=PartKind.SHOWS),
        Part(member=other, skill=skill, kind=PartKind.LEARNS),
    ]
    db.session.add(session)


def share_an_entry(db, one, other, state, answer):
    entry = LogEntry(
        written_by_id=one.id, happened_on=clock.now().date(), practice_minutes=1, theory_minutes=1, state=state
    )
    entry.answers = [LogAnswer(member=one, answer=Answer.AGREE), LogAnswer(member=other, answer=answer)]
    db.session.add(entry)


def seen(world, people):
    """Who sees which field of whom, as the function says it: (viewer, field, subject); -1 is a visitor."""
    return {
        (number, field_, subject)
        for number, viewer in viewers(world, people)
        for field_ in Field
        for subject, member in enumerate(people)
        if viewer.can_see(member, field_)
    }


def viewers(world, people):
    yield -1, Viewer(None, world.mode)
    for number, member in enumerate(people):
        yield number, Viewer(member, world.mode)


def seen_in_sql(db, world, people):
    """The same as the database says it."""
    numbers = {member.id: number for number, member in enumerate(people)}
    fields = list(Field)
    return {
        (number, what, numbers[row.id])
        for number, viewer in viewers(world, people)
        for row in db.session.execute(sa.select(Member.id, *(visible_members(viewer, what) for what in fields)))
        for what, sees in zip(fields, row[1:], strict=True)
        if sees
    }


@ONCE_A_WORLD
@given(world=worlds)
def test_the_function_and_its_twin_say_the_same(both_databases, db, bread, world):
    with made(db, world, bread) as people:
        by_function, by_twin = seen(world, people), seen_in_sql(db, world, people)

    assert by_function == by_twin


@ONCE_A_WORLD
@given(two=closings())
def test_closing_anything_never_opens_anything(db, bread, two):
    seen_in = []
    for world in two:
        with made(db, world, bread) as people:
            seen_in.append(seen(world, people))

    assert seen_in[1] <= seen_in[0]


@ONCE_A_WORLD
@given(world=worlds)
def test_nobody_but_oneself_sees_the_address_and_a_visitor_never_a_name(db, bread, world):
    with made(db, world, bread) as people:
        found = seen(world, people)

    assert all(viewer == subject for viewer, what, subject in found if what is Field.EMAIL)
    assert not [1 for viewer, what, _subject in found if viewer == -1 and what in (Field.NAME, Field.LOG)]
    assert {(n, what, n) for n in range(PEOPLE) for what in Field} <= found


@ONCE_A_WORLD
@given(world=worlds)
def test_what_stands_in_lists_is_nobodys_whom_the_reader_may_not_see(db, bread, world):
    with made(db, world, bread) as people:
        listed = {
            number: set(db.session.scalars(sa.select(Member.id).where(listed_owners(viewer))))
            for number, viewer in viewers(world, people)
        }
        open_to_visitors = {m.id for m in people if m.state is MemberState.ACTIVE and m.seen_as is not SeenAs.HIDDEN}
        visible = {(viewer, people[subject].id) for viewer, what, subject in seen(world, people) if what is Field.PAGE}

    catalogue = world.mode in ("open_catalogue", "public_profiles")
    assert listed[-1] == (open_to_visitors if catalogue else set())
    assert all((number, id_) in visible for number, ids in listed.items() if number >= 0 for id_ in ids)


@pytest.mark.parametrize(("mode", "sees"), [*zip(MODES, [False, False, True, True], strict=True)])
def test_the_catalogue_is_open_to_visitors_where_the_mode_says_so(db, ana, mode, sees):
    assert Viewer(None, mode).sees_catalogue is sees
    assert Viewer(ana, mode).sees_catalogue


def test_a_name_is_a_handle_before_they_met_and_nothing_when_blocked(db, ana, ben, dora):
    ana.name = "Ana Real"
    share_an_entry(db, ana, ben, LogState.CONFIRMED, Answer.AGREE)
    Block.put(ana, dora)
    db.session.flush()

    assert Viewer(ben).name_of(ana) == "Ana Real"
    assert Viewer(person("eva")).name_of(ana) == "ana"
    assert Viewer(dora).name_of(ana) == Viewer(None).name_of(ana) == "a participant"


def test_however_many_are_looked_at_it_is_one_query(db, queries, ana):
    others = [person(f"other{n}") for n in range(10)]
    viewer = Viewer(ana)
    queries.clear()

    assert all(viewer.can_see(other, what) is not None for other in others for what in Field)

    assert len(queries) == 1


def test_a_block_twice_is_one_and_lifting_it_lifts_it(db, ana, ben):
    Block.put(ana, ben)
    db.session.flush()
    Block.put(ana, ben)
    db.session.flush()

    assert len(db.session.scalars(Block.by(ana)).all()) == 1
    assert not Viewer(ben).can_see(ana)
    Block.lift(ana, ben)
    assert Viewer(ben).can_see(ana)


def test_nobody_blocks_themselves(ana):
    with pytest.raises(NotAllowed):
        Block.put(ana, ana)


def test_a_lifted_block_leaves_the_others(db, ana, ben):
    Block.put(ana, ben)
    Block.put(ben, ana)
    db.session.flush()

    Block.lift(ana, ben)

    assert not Viewer(ana).can_see(ben)


def test_who_blocked_each_other_may_still_go_to_a_third_ones_session_and_the_seats_stay_true(db, ana, ben, dora, bread):
    """R-49: counts leak nothing, and neither reads the other's name."""
    session = make_session(ana, [bread], capacity=2)
    take_place(session, by=ben)
    block(ben, dora)
    take_place(session, by=dora)
    db.session.flush()
    db.session.refresh(session)

    assert session.places_left == 0
    assert Viewer(ben).name_of(dora) == Viewer(dora).name_of(ben) == "a participant"
    assert Viewer(ana).name_of(dora) == "dora"


def test_a_block_between_host_and_guest_gives_the_place_back(db, ana, ben, topic):
    session = make_session(ana, [make_skill(topic, "Knots")], capacity=1)
    take_place(session, by=ben)

    block(ben, ana)
    db.session.flush()
    db.session.refresh(session)

    assert session.places_left == 1
