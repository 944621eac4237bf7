"""On random small worlds: whoever looks finds what the visibility function lets them see, and nothing tells of more.

Brute force reads every row with `Viewer.can_see` and looks for the word in its texts. The index is as new as the
world, or was made before somebody hid, blocked, left or took something back.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import permutations

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from skillshare.models.listings import ListingState, Offer, Want, Where
from skillshare.models.members import MemberState, SeenAs
from skillshare.models.places import Area
from skillshare.models.seats import take_place
from skillshare.models.sessions import Audience, SessionState
from skillshare.models.skills import Skill, SkillState
from skillshare.models.visibility import Block, Viewer
from skillshare.search import documents, nearby, results
from skillshare.search.asking import Asked, Reader, Shelves
from tests.conftest import make_session, make_skill, person
from tests.search.brute_force import by_reading_everything, counted

PEOPLE = 3
WHO = st.integers(0, PEOPLE - 1)
WORDS = ["zorb", "quax", "plim"]  # no two share a stem, and none is a mistake of another
MODES = ["members_only", "open_catalogue", "public_profiles"]
LANGUAGES = {"en": "English", "es": "Español"}
few = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # a world is small, and dear to make: not worth shrinking
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@dataclass(frozen=True)
class Listed:
    """An offer or a want: whose, of which words, on which shelf, where, and what became of it."""

    is_offer: bool
    who: int
    words: tuple[str, ...]
    shelf: int
    state: ListingState
    online: bool


@dataclass(frozen=True)
class Planned:
    """A session: whose, of which words, for whom, who has a place, and whether it is still on."""

    who: int
    words: tuple[str, ...]
    public: bool
    guest: int | None
    on: bool


@dataclass(frozen=True)
class World:
    """Three people, what they wrote, and how they stand to each other; by number."""

    mode: str
    seen_as: tuple[SeenAs, ...]
    states: tuple[MemberState, ...]
    blocks: frozenset[tuple[int, int]]
    listings: tuple[Listed, ...]
    sessions: tuple[Planned, ...]
    archived: bool = False


said = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2, unique=True).map(tuple)
listings = st.builds(
    Listed,
    is_offer=st.booleans(),
    who=WHO,
    words=said,
    shelf=st.integers(0, 1),
    state=st.sampled_from([ListingState.OPEN] * 3 + [ListingState.PAUSED, ListingState.WITHDRAWN]),
    online=st.booleans(),
)
sessions = st.builds(
    Planned, who=WHO, words=said, public=st.booleans(), guest=st.none() | WHO, on=st.sampled_from([True, True, False])
)
pairs = st.sampled_from(list(permutations(range(PEOPLE), 2)))
reaches = st.tuples(*[st.sampled_from(list(SeenAs))] * PEOPLE)
states = st.tuples(*[st.sampled_from([MemberState.ACTIVE] * 3 + [MemberState.CLOSED])] * PEOPLE)
worlds = st.builds(
    World,
    mode=st.sampled_from(MODES),
    seen_as=reaches,
    states=states,
    blocks=st.frozensets(pairs, max_size=2),
    listings=st.lists(
        listings, min_size=3, max_size=6, unique_by=lambda each: (each.is_offer, each.who, each.shelf)
    ).map(tuple),
    sessions=st.lists(sessions, max_size=3).map(tuple),
    archived=st.booleans(),
)


@pytest.fixture
def engine(app):
    """The instance's own."""
    return app.extensions["search"]


@pytest.fixture
def shelves(db, topic, area):
    """Two skills on one shelf, and a place, by their ids: the catalogue of every world."""
    skills = [make_skill(topic, "Hushing"), make_skill(topic, "Vexing")]
    return [skill.id for skill in skills], area.id


@contextmanager
def made(db, world, shelves, before=lambda: None):
    """The rows of a world, for a while; `before` is called when all is open, before anything is closed."""
    savepoint = db.session.begin_nested()
    try:
        yield from_open_to_closed(db, world, *shelves, before)
    finally:
        savepoint.rollback()
        db.session.expunge_all()


def from_open_to_closed(db, world, skills, place, before):
    """First everybody is there and everything open; then what the world says. Gives its people."""
    skills = [db.session.get_one(Skill, id_) for id_ in skills]
    place = db.session.get_one(Area, place)
    people = [person(f"person{number}") for number in range(PEOPLE)]
    for member in people:
        member.seen_as = SeenAs.PUBLIC
    listed = [listing(each, people, skills, place) for each in world.listings]
    planned = [meeting(each, people, skills) for each in world.sessions]
    db.session.flush()
    before()
    for row, each in zip(listed, world.listings, strict=True):
        row.state = each.state
    for row, each in zip(planned, world.sessions, strict=True):
        row.state = SessionState.SCHEDULED if each.on else SessionState.CANCELLED
        row.audience = Audience.PUBLIC if each.public else Audience.COMMUNITY
    for member, seen_as, state in zip(people, world.seen_as, world.states, strict=True):
        member.seen_as, member.state = seen_as, state
    for one, other in world.blocks:
        db.session.add(Block(blocker_id=people[one].id, blocked_id=people[other].id))
    skills[1].state = SkillState.ARCHIVED if world.archived else SkillState.ACTIVE
    db.session.flush()
    return people


def listing(each, people, skills, place):
    common = {"by": people[each.who], "skill": skills[each.shelf], "title": " ".join(each.words), "language": "en"}
    where = {"where": Where.ONLINE} if each.online else {"where": Where.IN_PERSON, "area": place}
    if each.is_offer:
        return Offer.publish(**common, **where, practice="Hands.", theory="Heads.")
    return Want.ask(**common, **where)


def meeting(each, people, skills):
    made = make_session(people[each.who], skills[:1], title=" ".join(each.words), practice="Hands.", theory="Heads.")
    if each.guest is not None and each.guest != each.who:
        take_place(made, by=people[each.guest])
    return made


def viewers(people, mode):
    active = [member for member in people if member.state is MemberState.ACTIVE]
    return [Viewer(None, mode), *(Viewer(member, mode) for member in active)]


def asked_by(viewer, q, **ticked):
    shelves = Shelves.load("en")
    asked = Asked(q, {name: frozenset({value}) for name, value in ticked.items()}, exact=True)
    return asked, Reader(viewer, "en", "UTC", LANGUAGES, shelves)


@few
@given(world=worlds, word=st.sampled_from(WORDS), kind=st.sampled_from([None, "offer", "want", "session"]))
def test_whoever_looks_finds_what_they_may_see_and_is_told_no_more(engine, db, shelves, world, word, kind):
    with made(db, world, shelves) as people:
        engine.rebuild(documents.everything(db.session.connection()))
        areas = {str(area.id): area.public_id for area in db.session.scalars(sa.select(Area))}
        for viewer in viewers(people, world.mode):
            seen = by_reading_everything(db, viewer, word)
            expected = {key: boxes for key, boxes in seen.items() if kind in (None, *boxes["kind"])}

            answer = results.find(engine, *asked_by(viewer, word, **({"kind": kind} if kind else {})))

            assert keys_of(answer.results) == expected.keys()
            assert answer.total == len(expected)
            if viewer.sees_catalogue:  # the page is closed to others
                assert answer.counts["kind"] == counted(seen, "kind")
                assert answer.counts["where"] == counted(expected, "where")
                named = {areas[id_]: count for id_, count in counted(expected, "area").items()}
                assert answer.counts["area"] == named


@few
@given(world=worlds, word=st.sampled_from(WORDS))
def test_an_index_from_before_tells_nothing_that_is_closed_by_now(engine, db, shelves, world, word):
    def index():
        engine.rebuild(documents.everything(db.session.connection()))

    with made(db, world, shelves, before=index) as people:
        for viewer in viewers(people, world.mode):
            expected = by_reading_everything(db, viewer, word)

            answer = results.find(engine, *asked_by(viewer, word))
            offers = results.find(engine, *asked_by(viewer, word, kind="offer"))
            near = nearby.nearby(engine, *asked_by(viewer, word))
            suggested = nearby.suggest(engine, word, asked_by(viewer, word)[1])

            found = keys_of(answer.results)
            assert found <= expected.keys()
            assert (answer.total, offers.total) == (len(found), len(offers.results))
            if answer.counts is not None:
                assert answer.counts["kind"] == counted({key: expected[key] for key in found}, "kind")
            assert keys_of(near.wants) <= expected.keys()
            assert keys_of(each for each in suggested if each.kind != "skill") <= expected.keys()


def keys_of(results):
    return {f"{result.kind}:{result.row.id}" for result in results}
