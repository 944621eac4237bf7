"""What can be found of each thing, and what never stands in the index."""

from datetime import UTC, datetime

import pytest

from skillshare.models import seats
from skillshare.models.listings import Offer, Where
from skillshare.models.members import MemberState, SeenAs
from skillshare.models.sessions import Audience
from skillshare.search import documents
from tests.conftest import make_session


@pytest.fixture
def document(db):
    """`document("offer", row)` is the row's document now, or None."""

    def document(kind, row):
        key = f"{kind}:{row.id}"
        db.session.flush()
        return documents.load(db.session.connection(), [key]).get(key)

    return document


def test_an_offer_has_the_names_of_its_skill_in_all_languages(document, bread, bread_offer):
    bread.set_names("es", ["Pan de masa madre"])

    found = document("offer", bread_offer)

    assert found.title == "Bread with three ingredients"
    assert {("en", "Sourdough bread"), ("en", "Baking bread"), ("es", "Pan de masa madre")} == set(found.names)
    assert found.practice == "You mix, fold and bake."
    assert found.theory == "Why dough rises."


def test_the_filters_of_an_offer(db, document, ana, bread, area):
    offer = Offer.publish(
        by=ana, skill=bread, title="Bread", practice="Bake.", theory="Why.", language="es", where=Where.ANY, area=area
    )
    db.session.flush()

    assert document("offer", offer).all_filters() == {
        "kind": {"offer"},
        "language": {"es"},
        "left": {"yes"},
        "skill": {"sourdough-bread"},
        "topic": {"food"},
        "where": {"in_person", "online"},
        "area": {area.public_id},
        "owner": {str(ana.id)},
        "audience": {"listed"},
        "who": {"shows"},
    }


def test_nothing_private_stands_in_a_session(document, ana, bread, area):
    meeting = make_session(ana, [bread], area=area, link="https://meet.example.org/secret", place="12 Secret Lane")

    assert "ecret" not in repr(document("session", meeting))
    assert "ana" not in repr(document("session", meeting)).lower().replace("banana", "")


def test_a_session_counts_its_places_and_knows_its_hours(frozen, document, ana, ben, bread):
    saturday = datetime(2026, 11, 14, 18, tzinfo=UTC)
    meeting = make_session(ana, [bread], capacity=2, starts_at=saturday, audience=Audience.COMMUNITY)
    seats.take_place(meeting, by=ben)

    found = document("session", meeting)

    assert found.places_left == 1
    assert found.starts_at == int(saturday.timestamp())
    assert found.filters["time"] == {"weekend", "evening", "weekend_evening"}
    assert found.filters["audience"] == {"members"}


def test_a_skill_is_found_in_all_its_languages(document, ana, bread):
    bread.edit(
        by=ana, version=1, locale="es", name="Pan de masa madre", summary="Pan.", practice="Amasar.", theory="Levadura."
    )

    found = document("skill", bread)

    assert found.language == "en"
    assert found.title == "Sourdough bread"
    assert ("es", "Pan de masa madre") in found.names
    assert "Levadura." in found.extra
    assert found.filters["language"] == {"en", "es"}


def test_what_is_not_open_is_no_document(document, db, ana, bread_offer, bread_want, bread_session):
    bread_offer.pause(by=ana)
    bread_want.lapses_on = datetime(2020, 1, 1, tzinfo=UTC).date()
    seats.cancel(bread_session, by=ana, reason="Rain.")
    db.session.flush()

    assert document("offer", bread_offer) is None
    assert document("want", bread_want) is None
    assert document("session", bread_session) is None


def test_nothing_of_a_closed_account_is_a_document(document, db, ana, bread_offer, bread_session):
    ana.state = MemberState.CLOSED
    db.session.flush()

    assert document("offer", bread_offer) is None
    assert document("session", bread_session) is None


def test_what_a_hidden_member_offers_is_for_those_near_them(document, db, ana, bread_offer):
    ana.seen_as = SeenAs.HIDDEN
    db.session.flush()

    assert document("offer", bread_offer).filters["audience"] == {f"near:{ana.id}"}


def test_the_version_changes_with_the_words_and_only_then(document, db, bread, bread_offer):
    before = document("offer", bread_offer)
    bread_offer.updated_at = datetime(2030, 1, 1, tzinfo=UTC)
    db.session.flush()

    assert document("offer", bread_offer) == before

    bread.set_names("en", ["Sourdough bread"])
    db.session.flush()

    assert document("offer", bread_offer).version != before.version


def test_a_skill_and_a_member_take_along_what_says_their_words(db, ana, bread, bread_offer, bread_want, bread_session):
    changed = documents.following(db.session.connection(), {f"skill:{bread.id}", f"member:{ana.id}"})

    own = {f"offer:{bread_offer.id}", f"session:{bread_session.id}"}
    assert changed[f"skill:{bread.id}"] == {f"skill:{bread.id}", f"want:{bread_want.id}", *own}
    assert changed[f"member:{ana.id}"] == own


def test_everything_streams_in_chunks_with_the_same_queries(monkeypatch, db, queries, ana, bread, bread_offer):
    monkeypatch.setattr(documents, "CHUNK", 2)
    sessions = [make_session(ana, [bread]) for _ in range(5)]
    db.session.flush()

    found = [document.key for document in documents.everything(db.session.connection())]

    assert found == [f"skill:{bread.id}", f"offer:{bread_offer.id}", *(f"session:{s.id}" for s in sessions)]


def test_one_or_ten_cost_the_same_queries(db, queries, ana, bread):
    def cost(sessions):
        queries.clear()
        documents.load(db.session.connection(), [f"session:{s.id}" for s in sessions])
        return len(queries)

    sessions = [make_session(ana, [bread]) for _ in range(10)]
    db.session.flush()

    assert cost(sessions[:1]) == cost(sessions)
