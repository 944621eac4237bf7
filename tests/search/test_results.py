"""From a search to its page: nothing the viewer could not open, exact for blocks, and never without an answer."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from skillshare import clock, jobs
from skillshare.models.blocking import block
from skillshare.models.listings import Offer, Want, Where
from skillshare.models.members import SeenAs
from skillshare.models.seats import take_place
from skillshare.models.sessions import Audience
from skillshare.models.skills import Topic
from skillshare.models.visibility import Viewer
from skillshare.search import nearby, results
from skillshare.search.asking import Asked, Reader, Shelves, to_request
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

    near = nearby.nearby(engine, Asked("chainring sawmill"), reader(ana))

    assert near.skills == [("Chain saw care", saw.slug)]
    assert [result.kind for result in near.wants] == ["want"]


def test_suggestions_are_skills_first_and_only_what_may_be_opened(worked, db, engine, ana, dora, bread):
    offer(ana, bread, "Sourdough with Ana")
    worked()
    block(dora, ana)
    db.session.commit()

    seen = [(found.kind, found.skill) for found in nearby.suggest(engine, "sourd", reader())]

    assert seen == [("skill", "Sourdough bread"), ("offer", "Sourdough bread")]
    assert [found.kind for found in nearby.suggest(engine, "sourd", reader(dora))] == ["skill"]


def test_suggestions_without_an_index(app, worked, engine, bread):
    worked()
    shutil.rmtree(app.extensions["settings"].data_dir / "search")

    assert [found.kind for found in nearby.suggest(engine, "sourd", reader())] == ["skill"]


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


def test_a_session_shows_every_skill_that_was_asked_for(worked, find, ana, topic, bread, brakes):
    rye = make_skill(topic, "Rye bread")
    make_session(ana, [brakes, bread, rye], title="An open evening")
    worked()

    both, one = find("bread", kind="session").results[0], find("brakes", kind="session").results[0]

    assert both.named == ("Sourdough <mark>bread</mark>", "Rye <mark>bread</mark>")
    assert one.named == ("Bicycle <mark>brakes</mark>",)


def test_the_half_that_holds_the_words_is_quoted(worked, find, bread_offer):
    worked()

    assert [find(typed, kind="offer").results[0].half for typed in ("fold", "rises", "ingredients")] == [
        "practice",
        "theory",
        None,
    ]


def test_the_half_that_holds_most_of_the_words_is_quoted(worked, find, ana, bread):
    theory = "Why bread must rise: yeast makes gas."
    Offer.publish(by=ana, skill=bread, title="Loaves", practice="Let it rise.", theory=theory, language="en")
    worked()

    assert find("why does bread rise", kind="offer").results[0].half == "theory"
    assert find("let it rise", kind="offer").results[0].half == "practice"


def test_one_half_can_be_looked_through_alone(worked, find, ana, bread, brakes):
    offer(ana, bread, "One", practice="Hot water.", theory="Why it rises.")
    offer(ana, brakes, "Two", practice="It rises.", theory="Hot water.")
    worked()

    def titles(**boxes):
        return {str(result.title) for result in find("rises", kind="offer", **boxes).results}

    assert titles(half="theory") == {"One"}
    assert titles(half="practice") == {"Two"}
    assert titles() == titles(half="practice theory") == {"One", "Two"}


def test_why_says_what_is_true(worked, find, ana, ben, bread):
    session = make_session(ana, [bread], title="Rye", capacity=1)
    make_session(ana, [bread], title="Rye later", starts_at=clock.now() + timedelta(days=20))
    take_place(session, by=ben)
    worked()

    why = {str(result.title): result.why for result in find("rye flour", kind="session").results}

    assert (why["<mark>Rye</mark>"].whole, why["<mark>Rye</mark>"].some) == (False, ("rye",))
    assert (why["<mark>Rye</mark>"].left, why["<mark>Rye</mark>"].soon) == (False, True)
    assert (why["<mark>Rye</mark> later"].left, why["<mark>Rye</mark> later"].soon) == (True, False)


def test_what_holds_all_words_ends_somewhere(worked, find, ana, bread, brakes):
    offer(ana, bread, "Rye bread")
    worked()

    assert find("rye bread").rest_from == 1
    assert find("bread").rest_from is None
    assert find("zeppelin bread").rest_from == 0
    assert find(kind="offer").rest_from is None


def test_days_and_evenings_are_asked_for_together(frozen, worked, find, ana, bread):
    for title, day, hour in (("Thursday", 12, 10), ("Thursday evening", 12, 19), ("Saturday evening", 14, 18)):
        make_session(ana, [bread], title=title, starts_at=datetime(2026, 11, day, hour, tzinfo=UTC))
    worked()

    def titles(when):
        return [str(result.title) for result in find(soonest=True, when=when).results]

    assert titles("evening") == ["Thursday evening", "Saturday evening"]
    assert titles("weekday evening") == ["Thursday evening"]
    assert titles("weekday") == ["Thursday", "Thursday evening"]
    assert titles("weekday weekend evening") == ["Thursday evening", "Saturday evening"]


@pytest.fixture
def without_index(app, worked):
    """Commit, and take the index away."""

    def take():
        worked()
        shutil.rmtree(app.extensions["settings"].data_dir / "search")

    return take


def test_the_database_keeps_to_halves_times_and_operators(frozen, without_index, find, ana, bread, brakes, area):
    offer(ana, bread, "One", theory="Why it rises.", area=area)
    offer(ana, brakes, "Two", practice="It rises.", theory="Friction.", language="es")
    make_session(ana, [bread], title="Thursday", starts_at=datetime(2026, 11, 12, 10, tzinfo=UTC))
    make_session(ana, [bread], title="Saturday", starts_at=datetime(2026, 11, 14, 19, tzinfo=UTC))
    without_index()

    def titles(q="", **boxes):
        answer = find(q, **boxes)
        assert not answer.from_index
        return {str(r.row.title) for r in answer.results if r.kind != "skill"}

    assert titles("rises", half="theory", kind="offer") == {"One"}
    assert titles("rises", half="practice", kind="offer") == {"Two"}
    assert titles(when="weekend evening") == {"Saturday"}
    assert titles(when="weekday") == {"Thursday"}
    assert titles("area:northside") == {"One"}
    assert titles("lang:es") == {"Two"}
    assert titles("who:wants") == set()
    assert titles("bread after:2026-11-13") == {"Saturday"}


def test_the_database_has_pages_and_an_order(without_index, find, ana, bread):
    for number in range(25):
        make_session(ana, [bread], title=f"Evening {number}", starts_at=clock.now() + timedelta(days=number + 1))
    without_index()

    first, second = (find("bread", soonest=True, page=page) for page in (1, 2))

    assert [str(r.row.title) for r in first.results[:2]] == ["Evening 0", "Evening 1"]
    assert (first.total, first.more, len(first.results)) == (26, True, 20)
    assert (second.total, second.more, len(second.results)) == (26, False, 6)


def test_near_is_asked_of_the_engine_with_the_day_of_the_instance(db, area, ana):
    ana.area = area
    db.session.flush()
    who = replace(reader(ana), shelves=Shelves.load("en", area.id), home_zone="Pacific/Kiritimati")

    with time_machine.travel(datetime(2026, 11, 10, 12, tzinfo=UTC), tick=False):
        request = to_request(Asked("bread"), Asked("bread").parsed(who), who)

    assert request.near == {area.public_id}
    assert request.day == date(2026, 11, 11).toordinal()
    assert request.now == int(datetime(2026, 11, 10, 12, tzinfo=UTC).timestamp())


def test_skills_beside_what_was_found_are_shown_with_what_is_linked_first(worked, engine, ana, topic, bread, brakes):
    linked = make_skill(Topic(slug="other", names={"en": "Other"}), "Milling flour")
    linked.learn_first(bread)
    worked()

    near = nearby.nearby(engine, Asked("sourdough"), reader(ana))

    assert [name for name, _slug in near.skills] == ["Sourdough bread"]
    assert [name for name, _slug in near.beside] == ["Milling flour", "Bicycle brakes"]


def test_what_only_the_boxes_hide_is_no_mistake(worked, find, ana, bread, brakes):
    offer(ana, bread, "Rye bread")
    offer(ana, brakes, "Brakes", theory="Why we read.")
    worked()

    answer = find("bread", kind="offer", half="theory")

    assert (answer.total, answer.correction) == (0, None)
    assert find("breed", kind="offer").correction == "bread"
    assert find("breed brakes", kind="offer").correction == "bread brakes"
