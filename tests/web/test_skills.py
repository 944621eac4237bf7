"""The pages of skills: the list, a page, writing and mending it, saying what one can show or wants."""

import pytest
import sqlalchemy as sa

from skillshare.models.knowhow import MemberSkill
from skillshare.models.listings import Offer, Want
from skillshare.models.skills import Care, Skill, SkillRevision, SkillState, SkillText
from skillshare.models.visibility import Block
from tests.conftest import make_session, make_skill, person

WORDS = {
    "name": "Sourdough bread",
    "other_names": "Baking bread",
    "summary": "A loaf.",
    "practice": "Mix and bake.",
    "theory": "Yeast makes gas.",
    "topic": "food",
    "care": "none",
    "safety": "",
    "first_learn": "",
}
NEW = {**WORDS, "name": "Rye crackers", "other_names": "", "language": "en"}


def text_of(response):
    return response.get_data(as_text=True)


def fresh(db, slug):
    db.session.rollback()
    return db.session.scalar(Skill.whole().where(Skill.slug == slug).execution_options(populate_existing=True))


# The list


def test_the_list_shows_skills_and_topics(db, browser, bread):
    db.session.commit()

    page = text_of(browser().get("/skills"))

    assert "Sourdough bread" in page
    assert "Food and growing" in page


def test_the_list_of_a_topic(db, browser, bread):
    db.session.commit()

    assert "Sourdough bread" in text_of(browser().get("/skills?topic=food"))
    assert browser().get("/skills?topic=nothing").status_code == 404


def test_the_list_has_pages(db, browser, topic):
    for number in range(21):
        make_skill(topic, f"Knot {number:02}")
    db.session.commit()

    first, second = browser().get("/skills"), browser().get("/skills?page=2")

    assert "Knot 20" not in text_of(first)
    assert "Knot 20" in text_of(second)


def test_an_empty_list_says_so(db, browser, topic):
    db.session.commit()

    assert browser().get("/skills").status_code == 200


def test_the_list_costs_the_same_for_one_row_and_ten(db, browser, queries, topic):
    make_skill(topic, "Knot")
    db.session.commit()
    queries.clear()
    browser().get("/skills")
    for_one = len(queries)
    for number in range(9):
        make_skill(topic, f"Knot {number}")
    db.session.commit()
    queries.clear()

    browser().get("/skills")

    assert len(queries) == for_one <= 6


def test_a_closed_catalogue_is_closed(make_app, db, bread):
    db.session.commit()
    client = make_app(site_mode="members_only").test_client()

    for url in ("/skills", f"/skills/{bread.slug}", f"/skills/{bread.slug}/history", "/skills/suggest?q=bread"):
        assert client.get(url).status_code == 303


# A page


def test_a_page_shows_both_halves(db, browser, bread):
    db.session.commit()

    page = text_of(browser().get(f"/skills/{bread.slug}"))

    assert "What hands do for Sourdough bread." in page
    assert "Why Sourdough bread works." in page
    assert "Baking bread" in page


def test_a_hazard_shows_its_safety_text(db, browser, welding):
    db.session.commit()

    assert "Mask, gloves, fresh air." in text_of(browser().get(f"/skills/{welding.slug}"))


def test_a_visitor_sees_offers_without_the_member(db, browser, ana, bread_offer):
    db.session.commit()

    page = text_of(browser().get(f"/skills/{bread_offer.skill.slug}"))

    assert "Bread with three ingredients" in page
    assert "ana" not in page.lower().replace("manage", "")


def test_a_member_sees_who_shows_and_who_waits(db, browser, ana, dora, bread_offer, bread_want):
    db.session.commit()

    page = text_of(browser(dora).get(f"/skills/{bread_offer.skill.slug}"))

    assert "/members/ana" in page
    assert "/members/ben" in page


def test_a_blocked_member_is_not_there(db, browser, ana, dora, bread_offer):
    Block.put(ana, dora)
    db.session.commit()

    page = text_of(browser(dora).get(f"/skills/{bread_offer.skill.slug}"))

    assert "/members/ana" not in page
    assert "Bread with three ingredients" not in page


def test_a_page_in_another_language_says_so(db, browser, ben, bread):
    db.session.commit()

    page = text_of(browser(ben).get(f"/skills/{bread.slug}?lang=es"))

    assert f"/skills/{bread.slug}/edit?language=es" in page
    assert 'lang="en"' in page


def test_a_page_without_its_why_asks_for_it(db, browser, topic):
    skill = make_skill(topic, "Coquilles", theory="")
    skill.state = SkillState.NEW
    db.session.commit()

    assert "Nobody has written down why it works yet." in text_of(browser().get(f"/skills/{skill.slug}"))


def test_text_is_text(db, browser, topic):
    name = '"><svg onload=alert(1)>'
    skill = make_skill(topic, name, summary="{{7*7}}", practice="<script>x</script>", theory="[a](javascript:x)")
    db.session.commit()

    page = text_of(browser().get(f"/skills/{skill.slug}"))

    assert "<svg onload" not in page
    assert "<script>x" not in page
    assert 'href="javascript' not in page
    assert "{{7*7}}" in page


def test_a_page_costs_the_same_however_many_there_are(db, browser, queries, ana, dora, topic, bread):
    def add(number):
        member = person(f"member{number}")
        Offer.publish(
            by=member, skill=bread, title="Bread", practice="Mix.", theory="Gas.", language="en", safety_read=True
        )
        Want.ask(by=person(f"waiting{number}"), skill=bread, title="Bread?", language="en")
        make_session(member, [bread])
        db.session.commit()

    add(1)
    reader, visitor = browser(dora), browser()
    for client in (reader, visitor):
        client.get(f"/skills/{bread.slug}")
    queries.clear()
    reader.get(f"/skills/{bread.slug}")
    for_member = len(queries)
    queries.clear()
    visitor.get(f"/skills/{bread.slug}")
    for_visitor = len(queries)
    for number in range(2, 6):
        add(number)

    queries.clear()
    reader.get(f"/skills/{bread.slug}")
    assert len(queries) == for_member <= 9
    queries.clear()
    visitor.get(f"/skills/{bread.slug}")
    assert len(queries) == for_visitor <= 6


@pytest.mark.parametrize("url", ["/skills/nothing", "/skills/nothing/history"])
def test_what_is_not_there_is_not_found(db, browser, url):
    assert browser().get(url).status_code == 404


def test_an_archived_skill_is_not_found(db, browser, ana, bread):
    bread.state = SkillState.ARCHIVED
    db.session.commit()

    for url in (f"/skills/{bread.slug}", f"/skills/{bread.slug}/edit", f"/skills/{bread.slug}/history"):
        assert browser(ana).get(url).status_code == 404


# A new page


def test_a_member_begins_a_page(db, browser, ana, topic):
    db.session.commit()

    answer = browser(ana).post("/skills/new", {**NEW, "other_names": "knäckebröd\ncrispbread"})

    assert answer.location == "/skills/rye-crackers"
    skill = fresh(db, "rye-crackers")
    assert (skill.made_by_id, skill.other_names("en")) == (ana.id, ["knäckebröd", "crispbread"])


def test_the_same_form_twice_makes_one_page(db, browser, ana, topic):
    db.session.commit()
    client = browser(ana)

    answers = [client.post("/skills/new", {**NEW, "once": "k" * 22}) for _ in range(2)]

    assert {answer.location for answer in answers} == {"/skills/rye-crackers"}
    assert db.session.scalar(sa.select(sa.func.count(Skill.id))) == 1


def test_a_second_page_for_one_thing_is_refused_with_the_way_to_the_first(db, browser, ana, bread):
    db.session.commit()

    answer = browser(ana).post("/skills/new", {**NEW, "name": "baking bread", "practice": "My own words."})

    assert answer.status_code == 422
    assert f'href="/skills/{bread.slug}"' in text_of(answer)
    assert "My own words." in text_of(answer)


def test_near_names_are_shown_first(db, browser, ana, bread):
    db.session.commit()
    client = browser(ana)
    form = {**NEW, "name": "Bread oven"}

    asked = client.post("/skills/new", form)
    made = client.post("/skills/new", {**form, "sure": "1"})

    assert asked.status_code == 422
    assert f'href="/skills/{bread.slug}"' in text_of(asked)
    assert made.location == "/skills/bread-oven"


def test_a_hazard_without_safety_is_refused_beside_the_field(db, browser, ana, topic):
    db.session.commit()

    answer = browser(ana).post("/skills/new", {**NEW, "care": "hazard"})

    assert answer.status_code == 422
    assert 'id="safety-errors"' in text_of(answer)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("summary", "\u2800"),
        ("practice", ""),
        ("theory", ""),
        ("theory", "x" * 2001),
        ("topic", "nothing"),
        ("care", "deadly"),
        ("language", "tlh"),
        ("other_names", "\n".join(f"name {n}" for n in range(41))),
        ("other_names", "x" * 101),
        ("first_learn", "Nothing of the kind"),
    ],
)
def test_what_does_not_fit_is_said_beside_the_field(db, browser, ana, topic, field, value):
    db.session.commit()

    answer = browser(ana).post("/skills/new", {**NEW, field: value})

    assert answer.status_code == 422
    assert f'href="#{field}' in text_of(answer)


def test_what_is_learned_first_is_named(db, browser, ana, bread):
    db.session.commit()

    browser(ana).post("/skills/new", {**NEW, "first_learn": "BAKING bread"})

    assert [first.slug for first in fresh(db, "rye-crackers").first_learn] == [bread.slug]


def test_visitors_sign_in_first(db, browser, bread):
    db.session.commit()
    visitor = browser()

    for url in ("/skills/new", f"/skills/{bread.slug}/edit"):
        assert visitor.get(url).location.startswith("/sign-in")
    for url in ("say", "undo", "edit"):
        assert visitor.post(f"/skills/{bread.slug}/{url}", {"shows": "yes"}).location.startswith("/sign-in")


# An edit


def test_a_member_edits_a_page(db, browser, ana, bread):
    db.session.commit()

    answer = browser(ana).post(f"/skills/{bread.slug}/edit", {**WORDS, "version": 1, "note": "Shorter."})

    assert answer.location == f"/skills/{bread.slug}"
    assert fresh(db, bread.slug).text("en").practice == "Mix and bake."


def test_the_form_holds_what_stands_there(db, browser, ana, bread, brakes):
    bread.set_first_learn([brakes])
    db.session.commit()

    page = text_of(browser(ana).get(f"/skills/{bread.slug}/edit"))

    assert "Why Sourdough bread works." in page
    assert "Baking bread" in page
    assert "Bicycle brakes" in page


def test_a_page_gets_a_second_language(db, browser, ana, bread):
    db.session.commit()
    client = browser(ana)
    words = {**WORDS, "name": "Pan de masa madre", "other_names": "", "version": 1}

    page = client.get(f"/skills/{bread.slug}/edit?language=es")
    client.post(f"/skills/{bread.slug}/edit?language=es", words)

    assert "Why Sourdough bread works." in text_of(page)
    assert fresh(db, bread.slug).name("es") == "Pan de masa madre"
    assert client.get(f"/skills/{bread.slug}/edit?language=tlh").status_code == 404


def test_a_conflict_shows_both_texts_and_loses_nothing(db, browser, ana, ben, bread):
    db.session.commit()
    first, second = browser(ana), browser(ben)
    url = f"/skills/{bread.slug}/edit"
    first.post(url, {**WORDS, "theory": "Ana's <b>reason</b>.", "version": 1})

    conflict = second.post(url, {**WORDS, "theory": "Ben's reason.", "version": 1})
    saved = second.post(url, {**WORDS, "theory": "Both reasons.", "version": 2})

    page = text_of(conflict)
    assert conflict.status_code == 409
    assert "Ben&#39;s reason." in page
    assert "Ana’s" in page or "Ana's &lt;b&gt;" in page or "Ana&#39;s" in page
    assert "<b>reason" not in page
    assert 'name="version" type="hidden" value="2"' in page
    assert saved.status_code == 303
    kept = db.session.scalars(sa.select(SkillRevision).order_by(SkillRevision.id)).all()
    assert kept[-1].before["theory"] == "Ana's <b>reason</b>."


def test_an_edit_without_its_version_is_not_saved(db, browser, ana, bread):
    db.session.commit()

    assert browser(ana).post(f"/skills/{bread.slug}/edit", WORDS).status_code == 422


def test_a_taken_name_leads_to_its_page(db, browser, ana, bread, brakes):
    db.session.commit()

    answer = browser(ana).post(f"/skills/{bread.slug}/edit", {**WORDS, "name": "bicycle brakes", "version": 1})

    assert answer.status_code == 422
    assert f'href="/skills/{brakes.slug}"' in text_of(answer)


def test_text_comes_back_as_it_was_typed(db, browser, ana, bread):
    db.session.commit()
    client, typed = browser(ana), "Tom &amp;lt; Jerry %253C\n* one"
    for version in (1, 2, 3):
        client.post(f"/skills/{bread.slug}/edit", {**WORDS, "theory": typed, "version": version})

    assert fresh(db, bread.slug).text("en").theory == typed


# History


def test_the_history_says_who_changed_what(db, browser, ana, dora, bread):
    db.session.commit()
    browser(ana).post(f"/skills/{bread.slug}/edit", {**WORDS, "version": 1, "note": "Shorter."})

    page = text_of(browser(dora).get(f"/skills/{bread.slug}/history"))

    assert "Why Sourdough bread works." in page
    assert "Yeast makes gas." in page
    assert "Shorter." in page
    assert "ana" in page


def test_a_visitor_reads_the_history_without_names(db, browser, ana, bread):
    db.session.commit()
    browser(ana).post(f"/skills/{bread.slug}/edit", {**WORDS, "version": 1})

    page = text_of(browser().get(f"/skills/{bread.slug}/history"))

    assert "a participant" in page
    assert "/undo" not in page


def test_a_change_is_undone(db, browser, ana, ben, bread):
    db.session.commit()
    browser(ana).post(f"/skills/{bread.slug}/edit", {**WORDS, "version": 1})
    revision = db.session.scalars(sa.select(SkillRevision)).one()

    answer = browser(ben).post(f"/skills/{bread.slug}/undo", {"revision": revision.id})

    assert answer.location == f"/skills/{bread.slug}/history"
    assert fresh(db, bread.slug).text("en").theory == "Why Sourdough bread works."


@pytest.mark.parametrize("number", ["", "x", "99999", "9" * 30, "-1", "１"])
def test_there_is_nothing_else_to_undo(db, browser, ana, bread, number):
    db.session.commit()

    assert browser(ana).post(f"/skills/{bread.slug}/undo", {"revision": number}).status_code == 404


def test_a_change_of_another_page_is_not_undone_here(db, browser, ana, bread, brakes):
    db.session.commit()
    client = browser(ana)
    client.post(f"/skills/{bread.slug}/edit", {**WORDS, "version": 1})
    revision = db.session.scalars(sa.select(SkillRevision)).one()

    assert client.post(f"/skills/{brakes.slug}/undo", {"revision": revision.id}).status_code == 404


def test_an_undo_that_would_leave_a_hazard_without_safety_is_refused(db, browser, ana, bread):
    db.session.commit()
    client = browser(ana)
    client.post(f"/skills/{bread.slug}/edit", {**WORDS, "care": "hazard", "safety": "Hot!", "version": 1})
    revision = db.session.scalars(sa.select(SkillRevision)).one()

    answer = client.post(f"/skills/{bread.slug}/undo", {"revision": revision.id})

    assert answer.status_code == 409
    assert fresh(db, bread.slug).care is Care.HAZARD


def test_the_history_costs_the_same_for_one_change_and_ten(db, browser, queries, ana, dora, bread):
    db.session.commit()
    editor, reader = browser(ana), browser(dora)
    editor.post(f"/skills/{bread.slug}/edit", {**WORDS, "version": 1})
    reader.get(f"/skills/{bread.slug}/history")
    queries.clear()
    reader.get(f"/skills/{bread.slug}/history")
    for_one = len(queries)
    for version in range(2, 11):
        words = {**WORDS, "summary": f"Version {version}.", "version": version}
        editor.post(f"/skills/{bread.slug}/edit", words)
    queries.clear()

    reader.get(f"/skills/{bread.slug}/history")

    assert len(queries) == for_one <= 9


# Saying


@pytest.mark.parametrize("kind", ["shows", "wants"])
def test_a_member_says_so_and_takes_it_back(db, browser, ana, bread, kind):
    db.session.commit()
    client = browser(ana)

    for answer, expected in (("yes", True), ("yes", True), ("no", False)):
        assert client.post(f"/skills/{bread.slug}/say", {kind: answer}).location == f"/skills/{bread.slug}"
        db.session.rollback()
        row = db.session.scalars(sa.select(MemberSkill).execution_options(populate_existing=True)).one()
        assert getattr(row, kind) is expected


@pytest.mark.parametrize("said", [{}, {"shows": "maybe"}, {"wants": ""}, {"other": "yes"}])
def test_nothing_else_can_be_said(db, browser, ana, bread, said):
    db.session.commit()

    assert browser(ana).post(f"/skills/{bread.slug}/say", said).status_code == 400


# Suggestions


def test_suggestions_for_a_visitor(db, browser, bread):
    db.session.commit()

    found = browser().get("/skills/suggest?q=baking").get_json()

    assert found == [{"value": "Sourdough bread", "label": "Sourdough bread", "hint": "Baking bread"}]


def test_a_suggestion_by_its_own_name_says_its_topic(db, browser, bread):
    db.session.commit()

    assert browser().get("/skills/suggest?q=Sour").get_json()[0]["hint"] == "Food and growing"


def test_suggestions_speak_the_readers_language(db, browser, bread):
    bread.texts.append(SkillText(locale="es", name="Pan de masa madre", summary="", practice="", theory=""))
    bread.set_names("es", ["Pan de masa madre"])
    db.session.commit()

    assert browser().get("/skills/suggest?q=pan&lang=es").get_json()[0]["value"] == "Pan de masa madre"


@pytest.mark.parametrize("query", ["", "?q=", "?q=%25", "?q=_", "?q=" + "x" * 5000, "?q=%27)--"])
def test_odd_questions_get_no_suggestions(db, browser, bread, query):
    db.session.commit()

    answer = browser().get(f"/skills/suggest{query}")

    assert (answer.status_code, answer.get_json()) == (200, [])


def test_the_pages_work_on_both_databases(both_databases, db, browser, ana, bread, brakes):
    bread.set_first_learn([brakes])
    db.session.commit()
    client = browser(ana)
    url = f"/skills/{bread.slug}"
    client.post(f"{url}/edit", {**WORDS, "version": 1})

    assert client.post(f"{url}/edit", {**WORDS, "version": 1}).status_code == 409
    for page in ("/skills", "/skills?topic=food", url, f"{url}/edit", f"{url}/history", "/skills/new"):
        assert client.get(page).status_code == 200
    assert [found["value"] for found in client.get("/skills/suggest?q=BAK").get_json()] == ["Sourdough bread"]
