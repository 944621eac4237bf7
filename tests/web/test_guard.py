"""What is refused before any view: impossible bytes, doubled fields, too much, other sites' forms (R-09 to R-39)."""

import pytest

from skillshare import limits

A_FORM = "/sign-in"


@pytest.fixture
def visitor(browser):
    """Nobody in particular."""
    return browser()


@pytest.mark.parametrize(
    "path", ["/how?x=%00", "/how?x=%FF%FE", "/how?%00=1", "/skills/%00", "/how?x=%C2%80", "/how?x=%1B"]
)
def test_impossible_bytes_in_an_address_are_refused(visitor, path):
    assert visitor.get(path).status_code in (400, 404)
    assert b"\x00" not in visitor.get(path).data


@pytest.mark.parametrize("value", ["a\x00b", "a\x08b", "\ud800".encode("utf-8", "surrogatepass"), b"\xff\xfe"])
def test_impossible_bytes_in_a_form_are_refused(visitor, value):
    assert visitor.post(A_FORM, {"email": value, "password": "x"}).status_code == 400


def test_ordinary_text_in_any_script_passes(visitor):
    assert visitor.get("/how?x=ñandú 面包 خبز 🍞\r\n\ttab").status_code == 200


@pytest.mark.parametrize("name", ["csrf_token", "once", "version"])
def test_a_hidden_field_sent_twice_is_refused(visitor, name):
    assert visitor.post(A_FORM, {name: ["a", "b"]}).status_code == 400


def test_a_form_over_the_cap_is_refused(visitor):
    body = "x=" + "a" * limits.FORM_BYTES

    answer = visitor.client.post(A_FORM, data=body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 413


def test_a_form_of_twenty_thousand_keys_is_refused(visitor):
    body = "&".join(f"{n:x}=" for n in range(20_000))[: limits.FORM_BYTES]

    answer = visitor.client.post(A_FORM, data=body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/xml"])
def test_what_is_not_a_form_is_refused(visitor, kind):
    assert visitor.client.post(A_FORM, data=b'{"email": "a"}', content_type=kind).status_code == 415


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
    ],
)
def test_a_form_from_another_site_is_refused(visitor, headers):
    assert visitor.post(A_FORM, {"email": "a@example.org"}, headers=headers).status_code == 403


def test_a_form_from_our_own_page_passes(visitor):
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}

    assert visitor.post(A_FORM, {"email": "a@example.org", "password": "x"}, headers=headers).status_code == 422


def test_a_form_without_its_token_is_refused(app, visitor):
    app.config["WTF_CSRF_ENABLED"] = True

    assert visitor.post(A_FORM, {"email": "a@example.org", "password": "x"}).status_code == 400


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "good@evil"])
def test_another_host_is_refused(visitor, host):
    assert visitor.get("/how", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    "path", ["/.git/config", "/static/../app.py", "/assets/x/../../app.py", "/assets/x/%2e%2e/app.py", "/console"]
)
def test_files_that_are_not_ours_to_show_do_not_exist(visitor, path):
    assert visitor.get(path).status_code == 404
