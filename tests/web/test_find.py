"""Learn something: the page, its filters, its empty answers, and the suggestions."""

import re
import shutil
from datetime import timedelta

import pytest

from skillshare import clock, limits
from skillshare.models.blocking import block
from skillshare.models.listings import Offer, Want
from skillshare.models.places import Area
from tests.conftest import make_session, make_skill, person


@pytest.fixture
def community(worked, bread_offer, bread_want, bread_session):
    """Ana can show bread and has a session about it; Ben wants to learn it."""
    worked()


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", response.text))


def results_of(response):
    """The addresses of what was found, without what is shown beside it."""
    found = response.text.partition("What we found</h2>")[2].partition("</ul>")[0]
    return re.findall(r'<h3><a href="([^"]+)"', found)


def test_before_anything_is_asked_the_page_invites(browser, community):
    response = browser().get("/find")

    assert response.status_code == 200
    assert 'href="/find?topic=food"' in response.text
    assert "Bread at the hall" in response.text
    assert "I want to bake bread" in response.text


def test_a_name_in_another_language_finds_the_offer(db, worked, browser, ana, welding):
    welding.set_names("es", ["Soldadura"])
    offer = Offer.publish(
        by=ana,
        skill=welding,
        title="One clean bead",
        practice="Join plates.",
        theory="Why gas.",
        language="en",
        safety_read=True,
    )
    worked()

    response = browser().get("/find?q=soldadura")

    assert f"/offers/{offer.public_id}" in results_of(response)
    assert "<mark>Soldadura</mark>" in response.text


def test_all_kinds_stand_in_one_list(browser, community, bread, bread_offer, bread_want, bread_session):
    response = browser().get("/find?q=bread")

    assert set(results_of(response)) == {
        f"/skills/{bread.slug}",
        f"/offers/{bread_offer.public_id}",
        f"/wants/{bread_want.public_id}",
        f"/sessions/{bread_session.public_id}",
    }
    assert "4 things found" in text_of(response)


def test_visitors_read_no_name_and_members_do(browser, community, cleo, db):
    db.session.commit()

    assert "ana" not in text_of(browser().get("/find?q=bread")).lower().split()
    assert "ana" in text_of(browser(cleo).get("/find?q=bread")).split()


def test_nothing_private_stands_on_the_page(browser, community, ben):
    assert "Secret Lane" not in browser(ben).get("/find?q=bread").text
    assert results_of(browser(ben).get("/find?q=secret+lane")) == []


def test_ticked_boxes_narrow_and_stand_in_words_with_a_way_out(browser, community, bread_offer):
    response = browser().get("/find?q=bread&kind=offer&where=online")

    assert results_of(response) == [f"/offers/{bread_offer.public_id}"]
    removes = re.findall(r'chip--remove" href="([^"]+)"', response.text)
    assert removes == ["/find?q=bread&amp;where=online", "/find?q=bread&amp;kind=offer"]
    assert re.search(r'name="kind" value="offer" checked', response.text)


def test_unknown_values_are_ignored(browser, community):
    response = browser().get("/find?q=bread&kind=member&topic=../../x&area=1&sort=made_by&when=never&language=xx")

    assert "4 things found" in text_of(response)
    assert "chip--remove" not in response.text


def test_what_was_withdrawn_is_not_there_however_old_the_index(db, browser, community, ana, bread_offer):
    bread_offer.withdraw(by=ana)
    db.session.commit()

    response = browser().get("/find?q=bread")

    assert f"/offers/{bread_offer.public_id}" not in response.text
    assert "3 things found" in text_of(response)
    assert "facet__count" not in response.text


def test_blocked_people_are_not_there_however_old_the_index(db, browser, dora, community, ana, bread_offer):
    address = f"/offers/{bread_offer.public_id}"
    block(ana, dora)
    db.session.commit()

    response = browser(dora).get("/find?q=bread")

    assert address not in response.text
    assert "2 things found" in text_of(response)


def test_an_empty_answer_leads_to_asking(browser, community):
    response = browser().get("/find?q=zeppelin+repair")

    assert response.status_code == 200
    assert "Nobody has offered this yet." in response.text
    assert 'href="/wants/new?q=zeppelin+repair"' in response.text
    assert 'href="/skills' in response.text


def test_an_empty_answer_shows_what_is_near(browser, worked, ben, topic):
    saw = make_skill(topic, "Chain saw care")
    want = Want.ask(by=ben, skill=saw, title="Chain saw care", language="en")
    worked()

    response = browser().get("/find?q=chainring")

    assert f'href="/skills/{saw.slug}"' in response.text
    assert f'href="/wants/{want.public_id}"' in response.text


def test_a_mistake_in_typing_is_forgiven_and_said(browser, community):
    response = browser().get("/find?q=ingrediens")

    assert "Did you mean “ingredients”?" in response.text
    assert results_of(browser().get("/find?q=ingrediens&exact=1")) == []


@pytest.mark.parametrize("q", ["a" * 129, "w " * 13, "x" * 20_000])
def test_too_much_is_answered_kindly_and_kept(browser, community, q):
    response = browser().get("/find", query_string={"q": q})

    assert response.status_code == 422
    assert f'value="{q[:100].strip()}' in response.text
    assert "up to 12 words" in response.text


@pytest.mark.parametrize(
    "q",
    [
        "*",
        "?*?*",
        "a*",
        "[a TO z]",
        "id:1",
        "cat~3",
        "^99",
        "(((",
        "NOT NOT",
        '"' * 100,
        "+-+-",
        "<script>",
        "👩‍🍳",
        "مرحبا",
    ],
)
def test_signs_are_plain_words(browser, community, q):
    assert browser().get("/find", query_string={"q": q}).status_code == 200


@pytest.mark.parametrize("page", ["0", "51", "2", "x", "-1", "99999", "²"])
def test_there_is_no_such_page(browser, community, page):
    assert browser().get("/find", query_string={"q": "bread", "page": page}).status_code == 404


def test_pages_follow_one_another(browser, worked, ana, bread):
    for number in range(25):
        make_session(ana, [bread], title=f"Evening {number}", starts_at=clock.now() + timedelta(days=number + 1))
    worked()

    first = browser().get("/find?kind=session&sort=soonest")
    second = browser().get("/find?kind=session&sort=soonest&page=2")

    assert len(results_of(first)) == 20
    assert len(results_of(second)) == 5
    assert not set(results_of(first)) & set(results_of(second))
    assert 'href="/find?kind=session&amp;sort=soonest&amp;page=2"' in first.text
    assert "25 things found" in text_of(first)


def test_without_an_index_the_page_comes_from_the_database(app, browser, community, bread_offer):
    shutil.rmtree(app.extensions["settings"].data_dir / "search")

    response = browser().get("/find?q=bread")

    assert response.status_code == 200
    assert f"/offers/{bread_offer.public_id}" in results_of(response)
    assert "being put in order" in response.text
    assert browser().get("/find?q=zeppelin").status_code == 200
    assert browser().get("/find/suggest?q=sour").status_code == 200


def test_suggestions(browser, community, bread, bread_offer):
    found = browser().get("/find/suggest?q=brea").json

    assert found[0] == {
        "value": "Sourdough bread",
        "label": "Sourdough bread",
        "hint": "Skill",
        "url": f"/skills/{bread.slug}",
    }
    assert {"value", "label", "hint", "url"} == set(found[1])
    assert f"/offers/{bread_offer.public_id}" in {each["url"] for each in found}


def test_blocked_people_are_not_suggested(db, browser, dora, community, ana, bread_offer):
    address = f"/offers/{bread_offer.public_id}"
    block(dora, ana)
    db.session.commit()

    found = browser(dora).get("/find/suggest?q=brea").json

    assert found
    assert address not in {each["url"] for each in found}


@pytest.mark.parametrize("q", ["", "x" * 200, "***", "\u200b"])
def test_nothing_is_suggested_for_nothing(browser, community, q):
    assert browser().get("/find/suggest", query_string={"q": q}).json == []


def test_suggestions_speak_the_readers_language(browser, worked, ana, bread):
    bread.edit(
        by=ana, version=1, locale="es", name="Pan de masa madre", summary="Pan.", practice="Amasar.", theory="Gas."
    )
    worked()

    found = browser().get("/find/suggest?q=sourd&lang=es").json

    assert found[0]["label"] == "Pan de masa madre"
    assert "Sourdough bread" in found[0]["hint"]


def test_members_only_sites_are_closed(make_app, browser, app, community):
    app.config["SITE_MODE"] = "members_only"

    assert browser().get("/find?q=bread").status_code == 303
    assert browser().get("/find/suggest?q=bread").status_code == 303


def test_searching_writes_nothing_and_costs_the_same_for_one_or_twenty(browser, worked, queries, dora, ana, bread):
    titles = {"lone": 1, "few": 2, "many": 7}
    for title, times in titles.items():
        for number in range(times):
            somebody = person(f"{title}{number}")
            Offer.publish(by=somebody, skill=bread, title=title, practice="p", theory="t", language="en")
            Want.ask(by=somebody, skill=bread, title=title, language="en")
            make_session(somebody, [bread], title=title)
    worked()

    def cost(visit, words):
        visit.get(f"/find?q={words}&exact=1")
        queries.clear()
        found = len(results_of(visit.get(f"/find?q={words}&exact=1")))
        assert all(query.startswith("SELECT") for query in queries)
        return found, len(queries)

    visitor, member = browser(), browser(dora)
    assert cost(visitor, "few")[0] == 6
    assert cost(visitor, "many")[0] == 20
    assert cost(visitor, "few")[1] == cost(visitor, "many")[1] <= 6
    assert cost(member, "few")[1] == cost(member, "many")[1] <= 9
    assert cost(visitor, "lone")[0] == 3  # so little that more is looked for beside it
    assert cost(visitor, "lone")[1] <= 9
    assert cost(member, "lone")[1] <= 12


def why_of(response):
    """What the page says of why each thing stands there."""
    said = re.findall(r"<summary>Why this result</summary>\s*<p>(.*?)</p>", response.text, flags=re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", "", each).split()) for each in said]


def test_why_a_result_is_here_is_said_in_words(db, worked, browser, ana, dora, welding, area):
    welding.set_names("es", ["Soldadura"])
    dora.area = area
    make_session(ana, [welding], title="One clean bead", area=area)
    worked()

    assert why_of(browser(dora).get("/find?q=soldadura&kind=session")) == [
        "Has all your words. Another name of the skill: Soldadura. Near you. Starts within two weeks. Places left."
    ]
    assert why_of(browser().get("/find?q=welding+aluminium&kind=session")) == [
        "Has: welding. Starts within two weeks. Places left."
    ]
    assert why_of(browser().get("/find?kind=session")) == []


def test_the_half_that_holds_the_words_is_named(browser, worked, bread_offer):
    worked()

    rises = browser().get("/find?q=dough+rises&kind=offer").text
    folds = browser().get("/find?q=fold&kind=offer").text

    assert re.search(r"half--head.*?Why it works</span>\s*<span dir=\"auto\">Why <mark>dough</mark>", rises, re.DOTALL)
    assert re.search(
        r"half--hand.*?What you do</span>\s*<span dir=\"auto\">You mix, <mark>fold</mark>", folds, re.DOTALL
    )


def test_an_offer_in_another_language_says_so(worked, browser, ana, bread):
    Offer.publish(by=ana, skill=bread, title="Pan en casa", practice="Amasar.", theory="Gas.", language="es")
    worked()

    page = browser().get("/find?q=bread&kind=offer").text

    assert re.search(r'lang="es">Pan en casa</a> <span class="chip">.*?Spanish</span>', page)


def test_near_me_is_ones_own_area_and_those_beside_it(db, worked, browser, ana, dora, bread, area):
    beside, far = Area.add("Mill Quarter"), Area.add("Hillcrest")
    area.lies_beside(beside)
    for title, place in (("Here", area), ("Beside", beside), ("Far", far), ("Nowhere", None)):
        Offer.publish(by=ana, skill=bread, title=title, practice="p", theory="t", language="en", area=place)
    dora.area = beside
    worked()

    page = browser(dora).get("/find?q=bread&kind=offer&area=near").text

    assert set(re.findall(r">(Here|Beside|Far|Nowhere)</a>", page)) == {"Here", "Beside"}
    assert re.search(r'value="near" checked>\s*<label[^>]*>Near me <span class="facet__count">2</span>', page)
    assert re.search(r'chip--remove" href="/find\?q=bread&amp;kind=offer">Near me', page)
    assert "near" not in re.findall(r'name="area" value="([^"]+)"', browser().get("/find?q=bread&area=near").text)


def test_a_correction_keeps_quotes_operators_and_accents(worked, browser, ana, topic):
    shop = make_skill(topic, "Panadería artesana", locale="es")
    Offer.publish(by=ana, skill=shop, title="Panadería de barrio", practice="p", theory="t", language="es")
    worked()

    said = text_of(browser().get("/find", query_string={"q": 'lang:es panaderoa -"dulce fino"'}))

    assert "Did you mean “lang:es panadería -&#34;dulce fino&#34;”?" in said
    assert "Look for exactly “lang:es panaderoa -&#34;dulce fino&#34;”" in said


def test_a_thin_answer_leads_on(worked, browser, ben, topic, bread, bread_want):
    beside = make_skill(topic, "Rye crackers")
    worked()

    page = browser().get("/find?q=sourdough&kind=skill").text

    assert f'href="/skills/{beside.slug}"' in page
    assert f'href="/wants/{bread_want.public_id}"' in page
    assert "/wants/new?q=sourdough" in page
    assert "/sessions/new?q=sourdough&amp;together=1" in page


def test_filters_that_leave_nothing_can_be_taken_away_first(browser, community):
    page = browser().get("/find?q=bread&topic=food&language=es").text

    assert "Nothing fits all of this." in page
    assert re.search(r'button--primary" href="/find\?q=bread">Look without the filters', page)


def test_one_order_is_chosen_and_the_other_is_a_link(browser, community):
    best, soonest = browser().get("/find?q=bread").text, browser().get("/find?q=bread&sort=soonest").text

    assert re.search(r'aria-current="true" href="/find\?q=bread">Best match first', best)
    assert re.search(r'aria-current="true" href="/find\?q=bread&amp;sort=soonest">Soonest first', soonest)


def test_the_box_holds_no_more_than_is_looked_for(browser, community):
    assert f'maxlength="{limits.QUERY}"' in browser().get("/find").text


def test_the_page_is_small(browser, worked, ana, bread):
    for number in range(25):
        make_session(ana, [bread], title=f"Bread, evening {number}", practice="Mix and fold the bread. " * 60)
    worked()

    page = browser().get("/find?q=bread+evening", headers={"Accept-Encoding": "br"})

    assert len(page.data) <= 20_000
