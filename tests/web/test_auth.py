"""Coming in and going out: by password, by link, with a new password; the same answer whoever has the address."""

import re
from datetime import timedelta
from statistics import median
from time import perf_counter

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from skillshare import passwords
from skillshare.models.members import Member, MemberState
from skillshare.models.tokens import SignIn
from skillshare.web import rates
from tests.conftest import PASSWORD, Browser, person

LINK = re.compile(r"http://localhost(/\S+)")
NEW = "four new words together"


@pytest.fixture(scope="module")
def password_hash():
    """PASSWORD's hash, made once: it takes its time."""
    return passwords.hash_of(PASSWORD)


@pytest.fixture
def eva(db, password_hash):
    """Has a password."""
    eva = person("eva", password_hash=password_hash)
    db.session.commit()
    return eva


@pytest.fixture
def limited(app, monkeypatch):
    """Rates are counted, from nought; hashing is cheap, so that many tries are."""
    app.config["RATES"] = True
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    monkeypatch.setattr(passwords, "_nobodys", lambda: passwords._hasher.hash("nobody"))
    rates.limiter.reset()


def sign_in(browser, who="eva@example.org", password=PASSWORD, **kwargs):
    return browser.post("/sign-in", {"who": who, "password": password}, **kwargs)


def is_in(browser):
    return browser.get("/settings").status_code == 200


def link_in(mail):
    return LINK.search(mail.get_content()).group(1)


def again(db, whom):
    """A member, read again."""
    found = db.session.scalar(sa.select(Member).where(Member.id == whom.id).execution_options(populate_existing=True))
    db.session.expunge_all()
    db.session.rollback()
    return found


@pytest.mark.parametrize("who", ["eva@example.org", " EVA@example.org", "eva", "Eva"])
def test_handle_or_address_and_password_sign_in(browser, eva, who):
    evas = browser()

    answer = sign_in(evas, who)

    assert (answer.status_code, answer.location[-5:]) == (303, "/week")
    assert is_in(evas)


@pytest.mark.parametrize("who", ["eva@example.org", "eva", "nobody@example.org", "nobody", "wait@example.org"])
def test_what_does_not_go_together_is_one_sentence_and_keeps_who(db, browser, eva, password_hash, who):
    db.session.add(Member.join(handle="wait", name="W", email="wait@example.org", locale="en", zone="UTC"))
    db.session.commit()

    answer = sign_in(browser(), who, "not this one at all")

    assert answer.status_code == 422
    assert "These two do not go together" in answer.text
    assert f'value="{who}"' in answer.text
    assert "not this one at all" not in answer.text


def test_a_closed_account_is_answered_like_none(db, browser, eva):
    evas = db.session.get(Member, eva.id)
    evas.state = MemberState.CLOSED
    db.session.commit()

    assert "These two do not go together" in sign_in(browser()).text


def test_no_password_is_not_an_empty_password(db, browser):
    person("lin")
    db.session.commit()

    assert sign_in(browser(), "lin", "").status_code == 422
    assert sign_in(browser(), "lin", "x").status_code == 422


def test_composed_or_not_it_is_the_same_password(db, browser):
    person("lin", password_hash=passwords.hash_of("caf\u00e9 con leche y pan"))
    db.session.commit()

    assert sign_in(browser(), "lin", "cafe\u0301 con leche y pan").status_code == 303


def test_a_hash_of_weaker_days_is_made_anew(db, browser):
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    lin = person("lin", password_hash=old)
    db.session.commit()

    sign_in(browser(), "lin")

    assert not passwords.is_old(again(db, lin).password_hash)


def test_before_the_address_is_confirmed_the_mail_comes_again(db, browser, eva, mails):
    evas = db.session.get(Member, eva.id)
    evas.state = MemberState.UNCONFIRMED
    db.session.commit()
    browser_of_eva = browser()

    answer = sign_in(browser_of_eva)

    assert answer.location == "/look-in-your-mail"
    assert not is_in(browser_of_eva)
    browser_of_eva.post(link_in(mails()[0]))
    assert again(db, eva).is_active
    assert again(db, eva).password_hash is not None


@pytest.mark.parametrize(
    ("wish", "goes"),
    [
        ("/settings", "/settings"),
        ("/skills?topic=food&topic=craft", "/skills?topic=food&topic=craft"),
        ("/members/eva", "/members/eva"),
        *(
            (bad, "/week")
            for bad in (
                "https://evil.example",
                "//evil.example",
                "/\\evil.example",
                "\\\\evil.example",
                "/%09/evil.example",
                "/%2f/evil.example",
                "http:evil",
                "https:/evil.example",
                "@evil.example",
                "javascript:alert(1)",
                "/sign-out",
                "/sign-in",
                "/settings/password/link",
                "/nowhere",
                "/members/%00",
                "/skills?_external=1&_scheme=javascript",
                "x" * 600,
                "/" + "x" * 600,
                "",
            )
        ),
    ],
)
def test_next_goes_to_pages_of_ours_only(browser, eva, wish, goes):
    answer = browser().client.post("/sign-in", query_string={"next": wish}, data={"who": "eva", "password": PASSWORD})

    assert answer.status_code == 303
    assert answer.location.startswith("/")
    assert not answer.location.startswith(("//", "/\\"))
    assert answer.location.endswith(goes) or (wish.startswith("/skills?_") and answer.location == "/skills")


def test_who_is_in_needs_no_sign_in_page(browser, eva):
    assert browser(eva).get("/sign-in?next=/settings").location == "/settings"


def test_a_cookie_from_before_is_worth_nothing_after(app, browser, eva):
    evas = browser()
    with evas.client.session_transaction() as session:
        session.update(_user_id="planted", mine=1)
    before = evas.client.get_cookie("session").value

    sign_in(evas)

    with evas.client.session_transaction() as session:
        assert "mine" not in session
        assert session["_user_id"] != "planted"
    thief = Browser(app)
    thief.client.set_cookie("session", before)
    assert not is_in(thief)


def test_the_csrf_token_of_before_is_worth_nothing_after(app, eva):
    client = app.test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/sign-in").text).group(1)
    client.post("/sign-in", data={"who": "eva", "password": PASSWORD, "csrf_token": token})
    assert client.get("/settings").status_code == 200

    assert client.post("/sign-out", data={"csrf_token": token}).status_code == 400
    assert client.get("/settings").status_code == 200


def test_signing_in_and_out_need_a_token_of_the_page(app, eva):
    client = app.test_client()

    assert client.post("/sign-in", data={"who": "eva", "password": PASSWORD}).status_code == 400


def test_signed_out_an_old_copy_of_the_cookie_opens_nothing(app, browser, eva):
    evas = browser()
    sign_in(evas)
    copy = evas.client.get_cookie("session").value

    answer = evas.post("/sign-out")

    thief = Browser(app)
    thief.client.set_cookie("session", copy)
    assert answer.status_code == 303
    assert not is_in(evas)
    assert not is_in(thief)


@pytest.mark.parametrize(("idle", "stays"), [(13, True), (15, False)])
def test_a_device_left_alone_is_signed_out(browser, eva, frozen, idle, stays):
    evas = browser()
    sign_in(evas)

    frozen.shift(timedelta(days=idle))

    assert is_in(evas) is stays


def test_after_thirty_days_one_signs_in_again_however_busy(browser, eva, frozen):
    evas = browser()
    sign_in(evas)

    for _day in range(29):
        frozen.shift(timedelta(days=1))
        assert is_in(evas)
    frozen.shift(timedelta(days=2))

    assert not is_in(evas)


def test_cookies_are_strict(make_app, db, eva):
    app = make_app(base_url="https://teach.example.org")
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()

    answer = client.post("/sign-in", data={"who": "eva", "password": PASSWORD}, base_url="https://teach.example.org")

    cookies = answer.headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
        assert "Domain" not in cookie
        assert "eva" not in cookie


@pytest.mark.parametrize("page", ["/sign-in/link", "/forgot"])
def test_every_address_is_told_to_look_in_the_mail(db, browser, eva, mails, page):
    closed = person("cleo")
    closed.state = MemberState.CLOSED
    db.session.add(Member.join(handle="wait", name="W", email="wait@example.org", locale="en", zone="UTC"))
    db.session.commit()

    addresses = [f"{name}@example.org" for name in ("eva", "nobody", "cleo", "wait")]
    answers = [browser().post(page, {"email": address}) for address in addresses]

    assert len({(a.status_code, a.location, a.data, tuple(sorted(a.headers.keys()))) for a in answers}) == 1
    subjects = {mail["To"].rpartition("<")[2].rstrip(">"): mail["Subject"] for mail in mails()}
    assert set(subjects) == set(addresses)
    assert "no account" in subjects["nobody@example.org"]
    assert "no account" in subjects["cleo@example.org"]
    assert "open your account" in subjects["wait@example.org"]


@pytest.mark.parametrize("page", ["/sign-in/link", "/forgot"])
def test_what_is_no_address_is_said_beside_it(browser, page):
    answer = browser().post(page, {"email": "eva"})

    assert answer.status_code == 422
    assert "does not look like an e-mail address" in answer.text


def test_a_mailed_link_signs_in_with_one_press_and_once(both_databases, db, browser, eva, mails):
    browser().post("/sign-in/link", {"email": "eva@example.org"})
    link = link_in(mails()[0])
    evas, other = browser(), browser()

    assert evas.get(link).status_code == 200
    assert not is_in(evas)
    assert evas.post(link).status_code == 303
    assert is_in(evas)
    assert other.post(link).status_code == 404
    assert not is_in(other)


def test_a_newer_link_ends_the_older_and_half_an_hour_ends_both(browser, eva, mails, frozen):
    browser().post("/sign-in/link", {"email": "eva@example.org"})
    older = link_in(mails()[-1])
    frozen.shift(timedelta(minutes=1))
    browser().post("/sign-in/link", {"email": "eva@example.org"})
    newer = link_in(mails()[-1])

    assert browser().get(older).status_code == 404
    assert browser().get(newer).status_code == 200
    frozen.shift(timedelta(minutes=31))
    assert browser().post(newer).status_code == 404


def reset_link(browser, mails):
    browser().post("/forgot", {"email": "eva@example.org"})
    return link_in(mails()[-1])


def test_a_new_password_by_link_ends_what_was_and_signs_nobody_in(both_databases, db, browser, eva, mails):
    before = browser(eva)
    link = reset_link(browser, mails)
    someone = browser()

    assert someone.get(link).status_code == 200
    answer = someone.post(link, {"password": NEW})

    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert not is_in(someone)
    assert not is_in(before)
    assert sign_in(browser()).status_code == 422
    assert sign_in(browser(), password=NEW).status_code == 303
    assert "password was changed" in mails()[-1]["Subject"]


def test_the_link_of_a_new_password_works_once_for_an_hour(browser, eva, mails, frozen):
    used = reset_link(browser, mails)
    browser().post(used, {"password": NEW})
    assert browser().post(used, {"password": NEW}).status_code == 404
    mails()

    frozen.shift(timedelta(minutes=1))
    late = reset_link(browser, mails)
    frozen.shift(timedelta(minutes=61))
    assert browser().post(late, {"password": NEW}).status_code == 404


def test_a_link_for_one_thing_opens_no_other(browser, eva, mails):
    secret = reset_link(browser, mails).rpartition("/")[2]

    assert browser().post(f"/sign-in/link/{secret}").status_code == 404
    assert browser().post(f"/join/confirm/{secret}").status_code == 404


def test_a_password_that_will_not_do_leaves_the_link_alive(browser, eva, mails):
    link = reset_link(browser, mails)

    answer = browser().post(link, {"password": "short"})

    assert answer.status_code == 422
    assert "at least 12" in answer.text
    assert browser().post(link, {"password": NEW}).status_code == 303


def test_mailed_links_never_come_from_the_request(app, eva, mails):
    app.config["WTF_CSRF_ENABLED"] = False
    answer = app.test_client().post("/forgot", data={"email": "eva@example.org"}, headers={"Host": "evil.example"})

    assert answer.status_code == 400
    assert mails() == []


def test_the_eleventh_wrong_try_waits_and_so_does_the_right_one(limited, browser, eva, frozen):
    tries = [sign_in(browser(), "eva", "wrong", environ_base=at(n)) for n in range(11)]

    assert [t.status_code for t in tries] == [422] * 10 + [429]
    assert 0 < int(tries[-1].headers["Retry-After"]) <= 301
    assert sign_in(browser(), "eva", environ_base=at(99)).status_code == 429
    frozen.shift(timedelta(minutes=5, seconds=1))
    assert sign_in(browser(), "eva", environ_base=at(99)).status_code == 303


def test_a_known_device_is_not_locked_out_by_strangers(limited, browser, eva):
    evas = browser()
    sign_in(evas, "eva", environ_base=at(200))
    evas.post("/sign-out")
    for n in range(10):
        sign_in(browser(), "eva", "wrong", environ_base=at(n))

    assert sign_in(browser(), "eva", environ_base=at(201)).status_code == 429
    assert sign_in(evas, "eva", environ_base=at(200)).status_code == 303


def test_a_sign_in_that_works_forgets_the_tries_before(limited, browser, eva):
    for n in range(9):
        sign_in(browser(), "eva", "wrong", environ_base=at(n))
    sign_in(browser(), "eva", environ_base=at(50))

    assert [sign_in(browser(), "eva", "wrong", environ_base=at(n)).status_code for n in range(5)] == [422] * 5


@pytest.mark.parametrize(
    ("near", "far"),
    [("203.0.113.{}", "198.51.100.7"), ("2001:db8::{}", "2001:db8:0:1::7"), ("::ffff:203.0.113.{}", "::1")],
)
def test_a_network_that_tries_many_accounts_waits(limited, browser, near, far):
    tries = [
        sign_in(browser(), f"somebody{n}", "wrong", environ_base={"REMOTE_ADDR": near.format(n)}) for n in range(1, 22)
    ]

    assert [t.status_code for t in tries] == [422] * 20 + [429]
    assert sign_in(browser(), "eva", "wrong", environ_base={"REMOTE_ADDR": far}).status_code == 422


def test_a_forged_address_changes_nothing(limited, browser):
    def forged(n):
        names = ("X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP")
        return {"Forwarded": f"for=198.51.{n}.1", **dict.fromkeys(names, f"198.51.{n}.1")}

    tries = [sign_in(browser(), f"somebody{n}", "wrong", headers=forged(n)).status_code for n in range(21)]

    assert tries == [422] * 20 + [429]


def test_behind_as_many_proxies_as_were_said_the_network_is_the_real_one(make_app, limited, db):
    app = make_app(trusted_proxies=1)
    app.config.update(WTF_CSRF_ENABLED=False, RATES=True)

    def try_from(real):
        return sign_in(Browser(app), f"x{real}", "wrong", headers={"X-Forwarded-For": f"6.6.6.6, {real}"}).status_code

    assert [try_from(f"203.0.113.{n}") for n in range(21)] == [422] * 20 + [429]
    assert try_from("198.51.100.1") == 422


def test_as_many_links_to_known_and_unknown_addresses(limited, browser, eva):
    def ask(address):
        return [browser().post("/forgot", {"email": address}, environ_base=at(n)) for n in range(4)]

    known, unknown = ask("eva@example.org"), ask("nobody@example.org")

    assert [a.status_code for a in known] == [a.status_code for a in unknown] == [303] * 3 + [429]
    assert known[-1].data == unknown[-1].data


def test_sixty_forms_a_minute_are_enough(limited, browser, eva):
    evas = browser(eva)

    answers = [evas.post("/settings/sign-ins/nothing/end").status_code for _n in range(61)]

    assert answers == [404] * 60 + [429]


def test_a_dead_redis_leaves_the_rates_in_memory(make_app, limited, db, eva):
    app = make_app(redis_url="redis://127.0.0.1:1/0")
    app.config.update(WTF_CSRF_ENABLED=False, RATES=True)

    tries = [sign_in(Browser(app), "eva", "wrong").status_code for _n in range(11)]

    assert tries == [422] * 10 + [429]


def test_an_unknown_address_takes_as_long(browser, eva):
    """Coarse on purpose (machines differ): without the hash of nobody, it would be ten times as fast."""
    sign_in(browser(), "warm up", "x")
    known, unknown = ([seconds(browser(), who) for _n in range(5)] for who in ("eva", "nobody"))

    assert 0.5 < median(known) / median(unknown) < 2


def seconds(browser, who):
    began = perf_counter()
    sign_in(browser, who, "wrong")
    return perf_counter() - began


def at(n):
    """A request from one of many networks."""
    return {"REMOTE_ADDR": f"203.{n}.113.9"}


def test_no_hash_is_made_while_the_database_is_held(monkeypatch, browser, eva, db):
    held = []

    def watch(kept, password):
        held.append(db.session().in_transaction())
        return False

    monkeypatch.setattr(passwords, "matches", watch)
    sign_in(browser())

    assert held == [False]


def test_a_visitor_who_signs_out_loses_nothing(browser):
    assert browser().post("/sign-out").status_code == 303


def test_twenty_devices_at_most(db, browser, eva):
    first = browser(eva)
    for _n in range(20):
        browser(eva)

    assert not is_in(first)
    count = db.session.scalar(sa.select(sa.func.count(SignIn.id)).where(SignIn.member_id == eva.id))
    assert count == 20
