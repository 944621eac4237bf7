"""The search box by keyboard and by what a screen reader is told: the accessibility tree of a real browser."""

import contextlib

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, Page, expect

from tests.browser.test_every_page import RULES

pytestmark = pytest.mark.browser


@pytest.fixture
def box(person):
    """The search box of a visitor on the page Learn something, in focus."""
    page = person()
    page.goto("/find")
    box = page.get_by_role("combobox", name="What do you want to learn?")
    box.focus()
    return box


def options(page: Page):
    return page.get_by_role("option")


def told(page: Page) -> dict[str, list[dict]]:
    """What a screen reader is told of the page, by role: name, and properties by name."""
    client = page.context.new_cdp_session(page)
    found: dict[str, list[dict]] = {}
    for node in client.send("Accessibility.getFullAXTree")["nodes"]:
        if not node.get("ignored"):
            about = {each["name"]: each["value"].get("value") for each in node.get("properties", [])}
            about |= {"name": node.get("name", {}).get("value"), "node": node.get("backendDOMNodeId")}
            about["leads to"] = [
                related["backendDOMNodeId"]
                for each in node.get("properties", [])
                if each["name"] == "activedescendant"
                for related in each["value"].get("relatedNodes", [])
            ]
            found.setdefault(node["role"]["value"], []).append(about)
    client.detach()
    return found


def test_a_screen_reader_is_told_what_a_combobox_with_a_list_is(box):
    page = box.page
    closed = told(page)["combobox"][0]
    page.keyboard.type("bread", delay=20)
    expect(options(page).first).to_be_visible()

    before = told(page)
    page.keyboard.press("ArrowDown")
    after = told(page)

    assert (closed["name"], closed["expanded"]) == ("What do you want to learn?", False)
    assert (before["combobox"][0]["expanded"], before["combobox"][0]["hasPopup"]) == (True, "listbox")
    assert before["combobox"][0]["leads to"] == []
    assert [list_["name"] for list_ in before["listbox"]] == ["What do you want to learn?"]
    assert before["option"][0]["name"] == "Sourdough bread Skill"
    assert [option["selected"] for option in after["option"]].count(True) == 1
    assert after["combobox"][0]["leads to"] == [after["option"][0]["node"]]


def test_how_many_suggestions_there_are_is_said_aloud(box):
    page = box.page
    said = page.locator(".combobox [role=status]")

    page.keyboard.type("sourdough", delay=20)
    expect(options(page).first).to_be_visible()
    expect(said).to_have_text(f"{options(page).count()} suggestion{'s' * (options(page).count() > 1)}")

    page.keyboard.type("xyz", delay=20)
    expect(said).to_have_text("No suggestions")
    expect(options(page)).to_have_count(0)
    expect(box).to_have_attribute("aria-expanded", "false")


def test_every_key_does_what_it_does_in_other_comboboxes(box):
    page, key = box.page, box.page.keyboard.press
    page.keyboard.type("se", delay=20)
    expect(options(page).nth(2)).to_be_visible()
    chosen = page.locator("[role=option][aria-selected=true]")
    last = options(page).count() - 1

    key("ArrowUp")
    expect(chosen).to_have_attribute("id", f"q-list-{last}")
    key("ArrowDown")
    expect(chosen).to_have_attribute("id", "q-list-0")
    key("Home")
    expect(chosen).to_have_count(0)
    assert box.evaluate("it => it.selectionStart") == 0
    key("End")
    assert box.evaluate("it => it.selectionStart") == 2
    key("Escape")
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(box).to_have_value("se")
    key("ArrowDown")
    expect(chosen).to_have_attribute("id", "q-list-0")
    key("Alt+ArrowUp")
    expect(box).to_have_attribute("aria-expanded", "false")
    key("Tab")
    expect(page.get_by_role("main").get_by_role("button", name="Search")).to_be_focused()


def test_enter_opens_what_is_chosen_else_it_searches(box):
    page = box.page
    page.keyboard.type("sourdough", delay=20)
    expect(options(page).first).to_be_visible()

    page.keyboard.press("Enter")
    page.wait_for_url("**/find?q=sourdough")
    page.get_by_role("combobox").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[aria-selected=true]")).to_have_count(1)
    page.keyboard.press("Enter")

    page.wait_for_url("**/skills/sourdough-bread")


def test_an_answer_that_comes_late_is_dropped(box):
    page, held = box.page, []

    def answer(route):
        q = route.request.url.partition("q=")[2]
        if q == "br":
            held.append(route)  # a slow line
        else:
            route.fulfill(json=[{"value": q, "label": q, "hint": "", "url": ""}])

    page.route("**/find/suggest?*", answer)
    page.keyboard.type("br")
    page.wait_for_timeout(300)
    page.keyboard.type("ead", delay=20)
    expect(options(page)).to_have_text(["bread"])

    with contextlib.suppress(Error):  # the browser has given up on it
        held[0].fulfill(json=[{"value": "brakes", "label": "brakes", "hint": "", "url": ""}])
    page.wait_for_timeout(100)

    assert held
    expect(options(page)).to_have_text(["bread"])


def test_a_line_that_is_down_leaves_a_plain_form(box):
    page = box.page
    page.route("**/find/suggest?*", lambda route: route.abort())

    page.keyboard.type("sourdough", delay=20)
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")

    page.wait_for_url("**/find?q=sourdough")


def test_without_javascript_the_box_and_the_filters_are_plain_forms(person):
    page = person(java_script_enabled=False)
    page.goto("/find")

    page.get_by_label("What do you want to learn?").fill("bread")
    page.get_by_role("main").get_by_role("button", name="Search").click()
    page.get_by_label("Why it works").check()
    page.get_by_role("button", name="Show these").click()

    page.wait_for_url("**/find?q=bread&half=theory")
    expect(page.get_by_role("link", name="Only in why it works (remove)")).to_be_visible()
    expect(page.get_by_label("Why it works")).to_be_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out_by_any_kind_of_answer(person, scheme):
    page, wrong = person(color_scheme=scheme, viewport={"width": 360, "height": 740}), []
    for address in ("/find?q=brakes", "/find?q=beekeeping", "/find?q=zeppelin+repair", "/find?q=xyzzy", "/gaps"):
        page.goto(address)
        if page.locator(".why > summary").count():
            page.locator(".why > summary").first.click()
        if address == "/find?q=brakes":
            page.get_by_role("combobox").press("ArrowDown")
            expect(options(page).first).to_be_visible()
        found = Axe().run(page, options=RULES).response["violations"]
        wrong += [f"{address}: {each['id']} {each['nodes'][0]['html'][:100]}" for each in found]
        if page.evaluate("document.documentElement.scrollWidth > 360"):
            wrong.append(f"{address} is wider than the screen")

    assert wrong == []
