"""From a search to its page: nothing the viewer could not open, exact for blocks, and never without an answer."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from skillshare import clock, jobs
from skillshare.models.blocking import block
from skillshare.models.listings import Offer, Want, Where
from skillshare.models.members import SeenAs
from skillshare.models.seats import take_place
from skillshare.models.sessions import Audience
from skillshare.models.visibility import Viewer
from skillshare.search import results
from skillshare.search.asking import Asked, Reader, Shelves
from tests.conftest import make_session, make_skill, person


@pytest.fixture
def engine(app):
    """The instance's engine."""
    return app.extensions["search"]


@pytest.fixture
def worked(db, engine):
    """Commit, and bring the index up to date."""

    def worked():
        db.session.commit()
        while jobs.work_once("index"):
            pass

    return worked


@pytest.fixture
def find(db, engine):
    """`find("bread", ana, kind="offer")` is what Ana is answered; without a member, a visitor."""

    def find(q="", member=None, soonest=False, page=1, **ticked):
        asked = Asked(q, {name: frozenset(values.split()) for name, values in ticked.items()}, soonest, page=page)
        return results.find(engine, asked, reader(member))

    return find


def reader(member=None, locale="en"):
    return Reader(Viewer(member), locale, "UTC", {"en": "English", "es": "Español"}, Shelves.load(locale))


def kinds(answer):
    return sorted(result.kind for result in answer.results)


def offer(by, skill, title="Bread", **changes):
    made = Offer.publish(
        **{
            "by": by,
            "skill": skill,
            "title": title,
            "practice": "You bake.",
            "theory": "Why it rises.",
            "language": "en",
            "safety_read": True,
            **changes,
        }
    )
    return made


def test_a_name_in_another_language_finds_the_offer(worked, find, ana, welding):
    welding.set_names("es", ["Soldadura"])
    offer(ana, welding, "Two plates, one bead")
    worked()

    answer = find("soldadura", kind="offer")

    assert [str(result.title) for result in answer.results] == ["Two plates, one bead"]
    assert answer.results[0].skill == "Welding"
    assert answer.results[0].also == "<mark>Soldadura</mark>"


@pytest.mark.parametrize("typed", ["PÁN", "panes", "pan", "baked bread", "rises"])
def test_accents_case_and_word_forms_do_not_matter(worked, find, bread, bread_offer, typed):
    bread.set_names("es", ["Pan de masa madre"])
    worked()

    assert "offer" in kinds(find(typed))


def test_all_kinds_stand_in_one_list(worked, find, ben, bread_offer, bread_want, bread_session):
    worked()

    answer = find("bread", ben)

    assert kinds(answer) == ["offer", "session", "skill", "want"]
    assert answer.total == 4
    assert answer.counts["kind"] == {"offer": 1, "session": 1, "skill": 1, "want": 1}


def test_words_are_marked_and_nothing_else_is_markup(worked, find, ana, bread):
    offer(ana, bread, "<b>Bread</b> & <script>x</script>", practice="<img src=x> fold the bread")
    worked()

    result = find("bread", kind="offer").results[0]

    assert result.title == "&lt;b&gt;<mark>Bread</mark>&lt;/b&gt; &amp; &lt;script&gt;x&lt;/script&gt;"
    assert result.snippet == "&lt;img src=x&gt; fold the <mark>bread</mark>"


def test_an_index_that_is_old_shows_nothing_hidden(worked, db, find, ana, ben, cleo, dora, bread):
    for member in (ana, cleo, dora):
        offer(member, bread)
    mine = offer(ben, bread, "Bread to be withdrawn")
    worked()
    ana.seen_as = SeenAs.HIDDEN
    mine.withdraw(by=ben)
    block(cleo, ben)
    db.session.commit()

    answer = find("bread", ben, kind="offer")

    assert [result.row.member_id for result in answer.results] == [dora.id]
    assert answer.total == 1
    assert answer.counts is None


def test_counts_are_exact_for_blocked_pairs(worked, db, find, ana, ben, dora, bread, bread_offer, bread_want):
    worked()
    before = find("bread", dora)
    block(ana, dora)
    db.session.commit()

    answer, others = find("bread", dora), find("bread", ben)

    assert before.total == others.total == 3
    assert answer.total == 2
    assert answer.counts["kind"] == {"skill": 1, "want": 1}
    assert find("bread", ana).total == 3


def test_a_blocked_persons_words_are_no_correction(worked, db, find, ana, dora, bread):
    offer(ana, bread, "Focaccia genovese")
    block(ana, dora)
    worked()

    assert find("focacia", dora).correction is None
    assert find("focacia").correction == "focaccia"


def test_what_the_hidden_offer_is_found_by_those_near_them_only(worked, find, ana, ben, dora, bread, bread_session):

    offer(ana, bread, "Hidden focaccia")
    ana.seen_as = SeenAs.HIDDEN
    take_place(bread_session, by=ben)
    worked()

    assert find("focaccia", ben).total == 1
    assert find("focaccia", ana).total == 1
    assert find("focaccia", dora).total == 0
    assert find("focaccia").total == 0


def test_visitors_find_public_sessions_only(worked, find, ana, dora, bread):
    make_session(ana, [bread], title="Ours", audience=Audience.COMMUNITY)
    make_session(ana, [bread], title="Everybody's")
    worked()

    assert find(kind="session").total == 1
    assert find("", dora, kind="session").total == 2


def test_filters_narrow_and_say_how_many(worked, find, ana, dora, topic, bread, brakes, area):
    offer(ana, bread, where=Where.ONLINE)
    offer(dora, bread, where=Where.ANY, area=area, language="es")
    offer(ana, brakes, "Brakes", where=Where.IN_PERSON, area=area)
    worked()

    assert find(kind="offer", where="online").total == 2
    assert find(kind="offer", area=area.public_id).total == 2
    assert find(kind="offer", language="es").total == 1
    assert find("bread", kind="offer").counts["area"] == {area.public_id: 1}
    assert find("area:northside lang:es").total == 1


def test_when_and_places_left(frozen, worked, find, ana, ben, bread):

    for title, day in (("Thursday", 12), ("Saturday", 14), ("Later", 28)):
        make_session(ana, [bread], title=title, starts_at=datetime(2026, 11, day, 18, tzinfo=UTC), capacity=1)
    full = make_session(ana, [bread], title="Full", starts_at=datetime(2026, 12, 13, 9, tzinfo=UTC), capacity=1)
    take_place(full, by=ben)
    worked()

    def titles(**ticked):
        return [str(result.title) for result in find(soonest=True, **ticked).results if result.kind == "session"]

    assert titles(when="week") == ["Thursday", "Saturday"]
    assert titles(when="month") == ["Thursday", "Saturday", "Later"]
    assert titles(when="week weekend") == ["Saturday"]
    assert titles(kind="session") == ["Thursday", "Saturday", "Later", "Full"]
    assert titles(kind="session", left="yes") == ["Thursday", "Saturday", "Later"]
    assert [str(r.title) for r in find("after:2026-11-20 before:2026-12-01").results] == ["Later"]


def test_a_mistake_in_typing_is_forgiven_and_said(worked, find, bread_offer):
    worked()

    answer = find("ingrediens")

    assert answer.correction == "ingredients"
    assert "<mark>ingredients</mark>" in answer.results[0].title


@pytest.mark.parametrize("typed", ["*", "?*?*", "a* OR", "[a TO z]", "id:1", "^99", '"' * 50, "+-+-", "NOT NOT"])
def test_signs_are_plain_words(worked, find, bread_offer, typed):
    worked()

    assert find(typed).total in (0, 1, 2)


def test_without_an_index_the_database_answers(app, worked, db, find, ana, ben, dora, bread, bread_offer, bread_want):
    bread.set_names("es", ["Pan de masa madre"])
    hidden = offer(dora, bread, "Bread of the hidden")
    dora.seen_as = SeenAs.HIDDEN
    worked()
    shutil.rmtree(app.extensions["settings"].data_dir / "search")

    answer = find("masa madre", ben)

    assert not answer.from_index
    assert kinds(answer) == ["offer", "skill", "want"]
    assert hidden.id not in {r.row.id for r in answer.results if r.kind == "offer"}
    assert kinds(find("100%", ben)) == []
    assert kinds(find("bread", ben, kind="offer", where="online", topic="food")) == ["offer"]


@pytest.mark.parametrize("boxes", [{"topic": "food"}, {"when": "month"}, {"left": "yes"}, {"language": "en"}])
def test_the_database_knows_every_box(app, worked, find, ben, bread_offer, bread_want, bread_session, boxes):
    worked()
    shutil.rmtree(app.extensions["settings"].data_dir / "search")

    assert "session" in kinds(find("bread", ben, **boxes))


def test_an_empty_page_leads_on(worked, db, engine, ana, ben, topic, bread):
    saw = make_skill(topic, "Chain saw care")
    Want.ask(by=ben, skill=saw, title="Chain saw care", language="en")
    worked()

    near = results.nearby(engine, Asked("chainring sawmill"), reader(ana))

    assert near.skills == [("Chain saw care", saw.slug)]
    assert [result.kind for result in near.wants] == ["want"]


def test_suggestions_are_skills_first_and_only_what_may_be_opened(worked, db, engine, ana, dora, bread):
    offer(ana, bread, "Sourdough with Ana")
    worked()
    block(dora, ana)
    db.session.commit()

    seen = [(found.kind, found.skill) for found in results.suggest(engine, "sourd", reader())]

    assert seen == [("skill", "Sourdough bread"), ("offer", "Sourdough bread")]
    assert [found.kind for found in results.suggest(engine, "sourd", reader(dora))] == ["skill"]


def test_suggestions_without_an_index(app, worked, engine, bread):
    worked()
    shutil.rmtree(app.extensions["settings"].data_dir / "search")

    assert [found.kind for found in results.suggest(engine, "sourd", reader())] == ["skill"]


def test_one_hit_or_twenty_cost_the_same_queries(worked, queries, find, ana, ben, bread, bread_session):
    offer(ana, bread, "One of a kind")
    for number in range(8):
        somebody = person(f"somebody{number}")
        offer(somebody, bread, "Many of them")
        Want.ask(by=somebody, skill=bread, title="Many of them", language="en")
        make_session(somebody, [bread], title="Many of them", starts_at=clock.now() + timedelta(days=3))
    Want.ask(by=ben, skill=bread, title="One of a kind", language="en")
    make_session(ben, [bread], title="One of a kind")
    worked()

    def cost(words, member):
        queries.clear()
        return len(find(words, member).results), len(queries)

    find("kind", ana)
    few, cost_of_few = cost("kind", ana)
    many, cost_of_many = cost("many", ana)
    assert (few, many) == (3, 20)
    assert cost_of_few == cost_of_many <= 7
    assert cost("many", None)[1] <= 6
