"""Every page as a visitor and as a member: nobody is shut out by it (axe), it fits a phone, it runs nothing foreign."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import sign_in

pytestmark = pytest.mark.browser
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # what is right is counted, not described: half the time
    "preload": False,  # no rule of these reads style sheets or media
}
LINK = re.compile(r'<a\b[^>]*?\shref="(/[^"]*)"')
IDS = re.compile(r"(?<=/)[\w-]{22}(?=/|$)")
MOST_KILOBYTES, MOST_REQUESTS, MOST_HTML_KILOBYTES = 60, 8, 20
ALWAYS = [
    "/",
    "/how",
    "/rules",
    "/join",
    "/sign-in",
    "/sign-in/link",
    "/forgot",
    "/nothing-here",
    "/find?q=bread",
    "/find?q=xyzzy",
]
OF_A_MEMBER = [
    "/week", "/record", "/settings", "/teach", "/offers/new", "/wants/new", "/sessions/new", "/log", "/log/new",
    "/teach-backs/new", "/skills/new", "/join/lists", "/join/found", "/members/ben", "/members/ben/block",
    "/skills/sourdough-bread/edit", "/skills/sourdough-bread/history", "/settings/sign-ins", "/settings/password",
    "/settings/blocked",
]  # fmt: skip
DO_NOT_FOLLOW = re.compile(r"/dev/mail|/assets/|/sign-out|#|\?")


def shape(path: str) -> str:
    """What kind of page an address is: the same for all offers, all skills, all members."""
    path = IDS.sub("ID", path.split("?")[0])
    path = re.sub(r"^/skills/(?!new|suggest)[^/]+", "/skills/SLUG", path)
    return re.sub(r"^/members/[^/]+", "/members/HANDLE", path)


def pages_from(page: Page, first: list[str]) -> list[str]:
    """One address of every kind of page that links lead to, at most two links from `first`."""
    found = {shape(path) + ("?" if "?" in path else ""): path for path in first}
    waiting = list(first)
    for _ in range(2):
        further = []
        for path in waiting:
            for link in LINK.findall(page.request.get(path).text()):
                if not DO_NOT_FOLLOW.search(link) and shape(link) not in found:
                    found[shape(link)] = link
                    further.append(link)
        waiting = further
    return list(found.values())


def wrong_with(page: Page, where: str) -> list[str]:
    """What axe and a ruler find on the page as it stands."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(Axe().axe_script)
    found = [
        f"{where}: {problem['id']}: {problem['nodes'][0]['html'][:160]}"
        for problem in page.evaluate("rules => axe.run(rules).then(answer => answer.violations)", RULES)
    ]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found + ([f"{where}: {wide} px too wide"] if wide > 0 else [])


@pytest.mark.parametrize(
    ("who", "locale", "looks"),
    [
        ("member", "en", [("light", 320), ("dark", 1280)]),
        ("member", "es", [("dark", 1280), ("light", 320)]),
        ("visitor", "en", [("dark", 1280)]),
        ("visitor", "es", [("light", 320)]),
    ],
)
def test_every_page_is_open_to_everybody(live, person, who, locale, looks):
    """A member meets every page in both themes and both languages; a visitor's few differ only in what is left out."""
    page = person(locale=locale, reduced_motion="reduce")
    if who == "member":
        sign_in(page)
    page.goto(f"/how?lang={locale}")
    addresses = pages_from(page, ALWAYS + (OF_A_MEMBER if who == "member" else []))
    assert len(addresses) >= (40 if who == "member" else 15)

    wrong = []
    for path in addresses:
        answer = page.goto(path)
        for scheme, width in looks:
            page.set_viewport_size({"width": width, "height": 640})
            page.emulate_media(color_scheme=scheme)
            wrong += wrong_with(page, f"{path} {scheme} {width}")
        if answer.status >= 500 or (answer.status == 404) != (path == "/nothing-here"):
            wrong.append(f"{path}: {answer.status}")
        if page.locator("html").get_attribute("lang") != locale:
            wrong.append(f"{path}: in another language")

    assert wrong == []


@pytest.mark.parametrize("path", ["/", "/skills", "/sessions", "/find?q=bread", "/skills/sourdough-bread"])
def test_a_first_visit_is_light(live, person, path):
    page = person()
    page.context.clear_cookies()
    sizes, html = [], []

    def weigh(answer):
        size = answer.request.sizes()["responseBodySize"]
        sizes.append(size)
        if "text/html" in answer.headers.get("content-type", ""):
            html.append(size)

    fresh = page.context.browser.new_context(base_url=live.url)
    visit = fresh.new_page()
    visit.on("requestfinished", lambda request: weigh(request.response()))
    visit.goto(path, wait_until="networkidle")
    fresh.close()

    assert len(sizes) <= MOST_REQUESTS
    assert sum(sizes) <= MOST_KILOBYTES * 1024
    assert sum(html) <= MOST_HTML_KILOBYTES * 1024


def test_axe_would_notice(person):
    page = person()
    page.set_content("<!doctype html><html><body><main><img src='data:,'></main></body></html>")

    assert any("image-alt" in line for line in wrong_with(page, "a bad page"))
