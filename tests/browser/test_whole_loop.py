"""The whole loop as three new members live it: with JavaScript, without it, on a small phone, and by keyboard alone."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from skillshare.db import db as database

pytestmark = pytest.mark.browser
PASSWORD = "warm bread at seven"
WAYS = {
    "with JavaScript": {},
    "without JavaScript": {"java_script_enabled": False},
    "at 320 px": {"viewport": {"width": 320, "height": 640}, "has_touch": True},
    "in the dark": {"color_scheme": "dark"},
}


class Hand:
    """Fills in and presses with the mouse."""

    def fill(self, field: Locator, text: str) -> None:
        field.fill(text)

    def fill_moment(self, field: Locator, moment: datetime) -> None:
        kind = field.get_attribute("type")
        field.fill(moment.strftime("%Y-%m-%d" if kind == "date" else "%H:%M"))

    def press(self, thing: Locator) -> None:
        thing.click()

    def tick(self, box: Locator) -> None:
        box.check()


class Keyboard(Hand):
    """Reaches everything with Tab alone, and fails when something cannot be reached."""

    def reach(self, thing: Locator) -> Page:
        page = thing.page
        thing.wait_for()
        for _ in range(150):
            if thing.evaluate("it => it === document.activeElement"):
                assert thing.evaluate("it => it.matches(':focus-visible')")
                return page
            page.keyboard.press("Tab")
        raise AssertionError(f"Tab never reaches {thing}")

    def fill(self, field: Locator, text: str) -> None:
        page = self.reach(field)
        page.keyboard.press("Control+A")
        page.keyboard.type(text)

    def fill_moment(self, field: Locator, moment: datetime) -> None:
        page = self.reach(field)
        kind = field.get_attribute("type")
        page.keyboard.type(moment.strftime("%m%d%Y" if kind == "date" else "%I%M%p"))

    def press(self, thing: Locator) -> None:
        self.reach(thing).keyboard.press("Enter")

    def tick(self, box: Locator) -> None:
        if not box.is_checked():
            self.reach(box).keyboard.press("Space")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("main").get_by_role("button", name=name, exact=True).first


def link(page: Page, name: str) -> Locator:
    return page.get_by_role("main").get_by_role("link", name=name).first


def door(page: Page, name: str) -> Locator:
    return page.get_by_role("navigation", name="Three doors").get_by_role("link", name=name)


def joins(hand, live, page, handle):
    """Join, confirm by the mailed link, and stand before the two lists."""
    page.goto("/join")
    hand.fill(page.locator("#name"), handle.capitalize())
    hand.fill(page.locator("#handle"), handle)
    hand.fill(page.locator("#email"), f"{handle}@example.org")
    hand.fill(page.locator("#password"), PASSWORD)
    hand.tick(page.locator("#is_adult"))
    hand.tick(page.locator("#keeps_rules"))
    hand.press(button(page, "Join"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("mail")
    page.goto(live.link_for(f"{handle}@example.org"))
    hand.press(button(page, "Yes, open my account"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Your two lists")


def offers_bread(hand, page, title):
    hand.press(door(page, "Teach something"))
    hand.fill(page.locator("main #q"), "Sourdough bread")
    hand.press(button(page, "Offer it"))
    hand.fill(page.locator("#practice"), "Mix, fold and bake a loaf.")
    hand.fill(page.locator("#theory"), "Why the dough rises.")
    title_field = page.locator("#title")
    if not title_field.is_visible():
        hand.press(page.locator("summary", has_text="More").first)
    hand.fill(title_field, title)
    hand.press(button(page, "Offer it"))
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def fixes_a_date(hand, page):
    hand.press(link(page, "Fix a date"))
    soon = datetime.now(UTC) + timedelta(minutes=10)
    hand.fill_moment(page.locator("#day"), soon)
    hand.fill_moment(page.locator("#time"), soon)
    hand.fill(page.locator("#place"), "12 Secret Lane")
    hand.press(page.locator("main form button[type=submit]").last)
    page.wait_for_url(re.compile(r"/sessions/[\w-]{22}$"))


def finds(hand, page, words, title):
    """Search by a name in another language."""
    hand.press(door(page, "Learn something"))
    hand.fill(page.locator("main #q"), words)
    hand.press(button(page, "Search"))
    hand.press(link(page, title))
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def time_passes(live, title):
    """The session that was ten minutes away began three hours ago."""
    with live.app.app_context():
        shift = timedelta(hours=-3)
        row = database.session.execute(
            sa.text("SELECT s.id, s.starts_at, s.ends_at FROM skill_session s JOIN offer o ON o.id = s.origin_offer_id "
                    "WHERE o.title = :title"), {"title": title},
        ).one()  # fmt: skip
        moments = [datetime.fromisoformat(str(moment)) + shift for moment in (row.starts_at, row.ends_at)]
        database.session.execute(
            sa.text("UPDATE skill_session SET starts_at = :a, ends_at = :b WHERE id = :id"),
            {"a": str(moments[0]), "b": str(moments[1]), "id": row.id},
        )
        database.session.commit()
        database.session.remove()


def whole_loop(hand, live, person, tag, **options):
    """Rita shows, Leo learns, and it ends in a teach-back that Rita saw."""
    rita_handle, leo_handle, title = f"rita_{tag}", f"leo_{tag}", f"Bread for patient people {tag}"
    rita = person(**options)
    joins(hand, live, rita, rita_handle)
    hand.fill(rita.locator("main input[type=text]").first, "Sourdough bread")
    hand.press(button(rita, "Go on"))
    page_title = rita.get_by_role("heading", level=1)
    expect(page_title).not_to_have_text("Your two lists")
    offers_bread(hand, rita, title)
    fixes_a_date(hand, rita)
    session_url = rita.url

    leo = person(**options)
    joins(hand, live, leo, leo_handle)
    hand.press(link(leo, "Nothing yet"))
    leo.wait_for_url("**/join/found")
    for _ in range(40):  # the index follows within moments
        leo.goto("/find?q=pan+de+masa+madre&sort=soonest")
        if leo.get_by_role("link", name=title).count():
            break
        leo.wait_for_timeout(250)
    finds(hand, leo, f"masa madre {tag}", title)
    leo.goto(session_url)
    expect(leo.locator("body")).not_to_contain_text("12 Secret Lane")
    hand.press(leo.get_by_role("main").locator(":is(a, button)", has_text="Keep my place").first)
    hand.fill(leo.locator("#goal"), "A loaf of my own.")
    hand.press(button(leo, "Keep my place"))
    expect(leo.locator("body")).to_contain_text("12 Secret Lane")

    time_passes(live, title)
    hand.press(door(leo, "Log it"))
    hand.press(link(leo, "Yes, log it"))
    hand.press(button(leo, "Log it"))
    leo.wait_for_url(re.compile(r"/log/[\w-]{22}$"))

    rita.goto("/week")
    hand.press(link(rita, "Look and answer"))
    hand.press(button(rita, "Yes, I agree"))
    expect(rita.get_by_role("main")).to_contain_text("You agreed")

    leo.goto("/week")
    leo.goto("/record")
    hand.press(link(leo, "Show it back"))
    hand.tick(leo.get_by_role("checkbox", name=re.compile("rita", re.IGNORECASE)))
    hand.press(button(leo, "Ask those who saw it"))
    leo.wait_for_url(re.compile(r"/teach-backs/[\w-]{22}$"))

    rita.goto("/week")
    hand.press(link(rita, "Look and answer"))
    hand.press(button(rita, "Clear"))
    expect(rita.get_by_role("main")).to_contain_text(re.compile(r"You:\s+clear"))

    leo.reload()
    expect(leo.get_by_role("main")).to_contain_text("You can pass this on now.")
    leo.goto("/record")
    expect(leo.get_by_role("main")).to_contain_text("showed it back")


@pytest.mark.parametrize("way", WAYS)
def test_from_joining_to_a_teach_back(live, person, way):
    tag = str(list(WAYS).index(way) + 2)

    whole_loop(Hand(), live, person, tag, **WAYS[way])


def test_from_joining_to_a_teach_back_by_keyboard_alone(live, person):
    whole_loop(Keyboard(), live, person, "9")
