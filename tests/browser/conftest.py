"""A real server on a free port and a real Chromium: what a person meets, JavaScript and all."""

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import waitress
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from skillshare import create_app, i18n, jobs
from skillshare.demo import community
from tests.conftest import settings_for

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


class Live:
    """A running instance: its address, and the mail it sent."""

    def __init__(self, url: str, folder: Path, app: Any) -> None:
        self.url, self.folder, self.app = url, folder, app

    def link_for(self, address: str) -> str:
        """The address in the newest mail to `address`, once the worker has sent it; at most 10 s away."""
        for _ in range(200):
            for file in sorted((self.folder / "mail").glob("*.eml"), reverse=True):
                mail = message_from_bytes(file.read_bytes(), policy=policy.default)
                if address in mail["To"]:
                    file.unlink()
                    return re.search(rf"{self.url}/\S+", mail.get_content()).group()
            threading.Event().wait(0.05)
        raise AssertionError(f"no mail to {address}")


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory, told_demo: Path) -> Iterator[Live]:
    """The demo community, served with its worker. Tests join as new members and leave Ana's world alone."""
    folder = tmp_path_factory.mktemp("live")
    shutil.copytree(told_demo, folder, dirs_exist_ok=True)
    folder.joinpath("mail").mkdir(exist_ok=True)
    holder: dict[str, Any] = {}

    def serve(environ: Any, start: Any) -> Any:
        return holder["app"](environ, start)

    server = waitress.create_server(serve, host="127.0.0.1", port=0)
    url = f"http://127.0.0.1:{server.effective_port}"
    app = create_app(settings_for(folder, base_url=url, demo=True))
    holder["app"] = app
    i18n.compile_translations(folder / "translations")
    stop = jobs.start_beside(app)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield Live(url, folder, app)
    stop.set()
    server.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for all tests of this process."""
    if not CHROMIUM:
        pytest.skip("no Chromium: run bin/test")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def person(chromium: Browser, live: Live) -> Iterator[Callable[..., Page]]:
    """`person(**options)` is a new browser of its own at the front page; options are Playwright's for a context.

    At the end no page may have raised a script error or been stopped by the content policy.
    """
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def come(**options: Any) -> Page:
        context = chromium.new_context(**{"base_url": live.url, "locale": "en", **options})
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto("/")
        return page

    yield come
    for context in contexts:
        context.close()
    assert wrong == []


def sign_in(page: Page, address: str = community.DEMO_EMAIL, password: str = community.PASSWORD) -> Page:
    """Sign in by password, as a person does."""
    page.goto("/sign-in")
    page.fill("#who", address)
    page.fill("[name=password]", password)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/week|/$"))
    return page
