"""The headers of every answer (R-30, R-97 to R-100), and files that never change."""

import re

import pytest

from skillshare.web.headers import ALWAYS


@pytest.fixture
def visitor(browser):
    """Nobody in particular."""
    return browser()


@pytest.mark.parametrize("path", ["/how", "/nothing-here", "/healthz", "/week", "/how?x=%00"])
def test_every_answer_carries_the_policy(visitor, path):
    answer = visitor.get(path)

    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS


def test_the_policy_lets_nothing_of_others_in(visitor):
    policy = visitor.get("/how").headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?:", policy)


def test_a_page_of_a_member_is_kept_nowhere(db, ana, browser):
    db.session.commit()

    answer = browser(ana).get("/how")

    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Cookie" in answer.vary


def test_a_page_without_a_form_gives_a_visitor_no_cookie(visitor):
    answer = visitor.get("/how")

    assert "Set-Cookie" not in answer.headers


def test_no_page_loads_or_runs_anything_inline_or_from_elsewhere(visitor):
    page = visitor.get("/").text

    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]+src=)", page)
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page)


def test_what_carries_a_hash_is_kept_for_a_year(visitor):
    address = re.search(r"/assets/\w+/css/site\.css", visitor.get("/how").text).group()

    answer = visitor.get(address)

    assert answer.mimetype == "text/css"
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_wrong_hash_is_not_kept(visitor):
    assert visitor.get("/assets/0000/css/site.css").headers["Cache-Control"] == "no-cache"


def test_over_https_cookies_and_transport_are_strict(make_app):
    app = make_app(base_url="https://skills.example.org")
    client = app.test_client()

    answer = client.get("/sign-in", base_url="https://skills.example.org")

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


def test_a_language_chosen_in_the_address_is_remembered(visitor):
    visitor.get("/how?lang=es")

    assert 'lang="es"' in visitor.get("/how").text


def test_an_unknown_language_is_ignored(visitor):
    answer = visitor.get("/how?lang=xx")

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
