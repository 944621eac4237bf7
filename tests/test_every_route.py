"""Promises that hold for every route of the URL map, whoever wrote it (REQUIREMENTS 4, meta-tests 1 and 2).

A small world with one thing of each kind, and five people: its owner Ana, Ben who takes part, Dora who has no part in
it, Eve whom Ana blocked, and a visitor. What each is answered stands in `access_matrix.txt`; a change there is a change
of who may do what, and wants a second look: `UPDATE_MATRIX=1 pytest tests/test_every_route.py` writes it anew.
"""

import hashlib
import os
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine

from skillshare import clock, i18n
from skillshare.db import db as database
from skillshare.db import new_public_id
from skillshare.models.blocking import block
from skillshare.models.listings import Offer, Want
from skillshare.models.log import LogEntry, Said
from skillshare.models.searches import SavedSearch
from skillshare.models.seats import take_place
from skillshare.models.sessions import PartKind
from skillshare.models.skills import SkillRevision
from skillshare.models.teachbacks import TeachBack
from skillshare.models.tokens import SignIn
from skillshare.web import access
from tests.conftest import Browser, make_session, make_skill, person, sign_in

MATRIX = Path(__file__).parent / "access_matrix.txt"
ROLES = ("visitor", "ana", "ben", "dora", "eve")
SHARED_PAGES = {"skills", "assets"}


@pytest.fixture
def world(app, db, topic):
    """One thing of each kind, Ana's where it has an owner; gives route arguments by blueprint, and people by name."""
    app.config["WTF_CSRF_ENABLED"] = False
    ana, ben, dora, eve = (person(handle) for handle in ("ana", "ben", "dora", "eve"))
    bread = make_skill(topic, "Sourdough bread")
    halves = {"practice": "Mix, fold, bake.", "theory": "Why dough rises."}
    bread.edit(by=ben, version=1, locale="en", name="Sourdough bread", summary="Better.", note="Better", **halves)
    offer = Offer.publish(by=ana, skill=bread, title="Bread", language="en", **halves)
    want = Want.ask(by=ana, skill=make_skill(topic, "Welding"), title="I want to weld", language="en")
    with time_machine.travel(clock.now() - timedelta(days=3)):
        past = make_session(ana, [bread], starts_at=clock.now() + timedelta(hours=1), title="Bread that was")
        take_place(past, by=ben)
    coming = make_session(ana, [bread], title="Bread to come")
    place = take_place(coming, by=ben)
    said = [Said(ana, bread, PartKind.SHOWS), Said(ben, bread, PartKind.LEARNS)]
    entry = LogEntry.write(
        by=ana, happened_on=clock.today("UTC"), said=said, practice_minutes=40, theory_minutes=20, line="Good."
    )
    entry.agree(by=ben)
    teach_back = TeachBack.attempt(by=ana, skill=bread, witnesses=[ben], on=clock.today("UTC"), log_entry=entry)
    search = SavedSearch.save(by=ana, q="bread", boxes={})
    db.session.flush()
    revision = db.session.scalars(sa.select(SkillRevision)).first()
    signed_in, _secret = SignIn.start(ana, "Elsewhere")
    db.session.commit()
    block(ana, eve)
    db.session.commit()
    things = {
        "offers": {"public_id": offer.public_id},
        "wants": {"public_id": want.public_id},
        "sessions": {"public_id": coming.public_id, "registration_id": place.public_id, "place_id": place.public_id},
        "log": {"public_id": entry.public_id},
        "log.session": {"public_id": past.public_id},
        "teachbacks": {"public_id": teach_back.public_id},
        "skills": {"slug": bread.slug, "revision_id": revision.id},
        "members": {"handle": "ana"},
        "settings": {"public_id": signed_in.public_id, "handle": "eve"},
        "auth": {"secret": "x" * 43},
        "join": {"secret": "x" * 43},
        "searches": {"public_id": search.public_id},
        "searches.choose_for_want": {"public_id": want.public_id},
        "notices": {"token": "x" * 43},
        "assets": {"digest": "x", "name": "css/site.css"},
    }
    return {"app": app, "people": {m.handle: m for m in (ana, ben, dora, eve)}, "things": things}


def rules(app, only=None):
    """Every rule of ours, with the methods a browser may send."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint):
        for method in sorted(rule.methods & {"GET", "POST"}):
            if only is None or method == only:
                yield rule, method


def arguments(world, rule):
    """What stands in the places of a rule: names of things that are there."""
    blueprint = rule.endpoint.partition(".")[0]
    known = world["things"].get(rule.endpoint) or world["things"].get(blueprint, {})
    missing = rule.arguments - known.keys()
    assert not missing, f"{rule.endpoint}: tell this test what {missing} is"
    return {name: known[name] for name in rule.arguments}


def unknown(rule, given):
    """The same place with an id that nobody has."""
    return {name: {"handle": "nobody_at_all", "revision_id": 999_999}.get(name, new_public_id()) for name in given}


def address(app, rule, given):
    return app.url_map.bind("localhost").build(rule.endpoint, given)


def come_as(world, role):
    browser = Browser(world["app"])
    if role != "visitor":
        sign_in(browser, world["people"][role])
    return browser


def ask(browser, method, url):
    return browser.get(url) if method == "GET" else browser.post(url)


def kept(answer):
    """An answer without what is new in every one: tokens, and the address that was asked for."""
    text = re.sub(r'(name="(csrf_token|once)"[^>]*value=")[^"]*', r"\1", answer.text)
    return answer.status_code, re.sub(r"/[\w-]+/[\w-]{22}[^\"]*|nobody_at_all|\bana\b|(lang|next)=[^\"]*", "", text)


def contents():
    """A digest of every row that people made."""
    digest = hashlib.sha256()
    for table in database.metadata.sorted_tables:
        if table.name not in ("sign_in", "alembic_version"):
            for row in database.session.execute(sa.select(table).order_by(table.c.id)):
                digest.update(repr(tuple(row)).encode())
    database.session.rollback()
    return digest.hexdigest()


@pytest.fixture
def fresh(world, tmp_path):
    """Puts the database back as the world began, after a form was sent."""
    live, kept_file = tmp_path / "test.db", tmp_path / "kept.db"
    database.session.remove()
    with database.engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.engine.dispose()
    shutil.copy(live, kept_file)

    def restore():
        database.session.remove()
        database.engine.dispose()
        for leftover in (live, Path(f"{live}-wal"), Path(f"{live}-shm")):
            leftover.unlink(missing_ok=True)
        shutil.copy(kept_file, live)

    return restore


def test_every_view_says_who_may_come(app):
    with app.app_context():
        undeclared = [rule.endpoint for rule, _method in rules(app) if access.access_of(rule.endpoint) is None]

    assert undeclared == []


def test_a_view_that_does_not_say_is_closed(make_app):
    app = make_app()
    app.add_url_rule("/undeclared", "undeclared", lambda: "open")

    with pytest.raises(RuntimeError, match="declares no access"):
        app.test_client().get("/undeclared")


def test_no_address_counts(app):
    counting = [rule.rule for rule, _method in rules(app) if "<int" in rule.rule and "revision" not in rule.rule]

    assert counting == []


def test_who_is_answered_what_is_as_reviewed(world, fresh):
    lines = []
    for rule, method in rules(world["app"]):
        url = address(world["app"], rule, arguments(world, rule))
        answers = []
        for role in ROLES:
            answers.append(f"{role}={ask(come_as(world, role), method, url).status_code}")
            if method == "POST":
                fresh()
        lines.append(f"{rule.endpoint} {method} {' '.join(answers)}")
    if os.environ.get("UPDATE_MATRIX"):
        MATRIX.write_text("\n".join(lines) + "\n", encoding="utf-8")

    assert [line for line in lines if "=500" in line] == []
    assert lines == MATRIX.read_text(encoding="utf-8").splitlines()


def test_for_who_is_blocked_nothing_of_the_other_exists(world, fresh):
    told_apart = []
    for rule, method in rules(world["app"]):
        given = arguments(world, rule)
        if not given or rule.endpoint.partition(".")[0] in SHARED_PAGES:
            continue
        real = kept(ask(come_as(world, "eve"), method, address(world["app"], rule, given)))
        fresh()
        nothing = kept(ask(come_as(world, "eve"), method, address(world["app"], rule, unknown(rule, given))))
        fresh()
        if real != nothing:
            told_apart.append(f"{rule.endpoint} {method}: {real[0]} {nothing[0]}")

    assert told_apart == []


def test_private_things_do_not_exist_for_who_has_no_part_in_them(world, fresh):
    told_apart = []
    for rule, method in rules(world["app"]):
        given = arguments(world, rule)
        if not given or rule.endpoint.partition(".")[0] not in ("log", "teachbacks", "settings", "searches"):
            continue
        if rule.endpoint == "log.session":
            continue  # a session is everybody's to see; who may log it stands in the matrix
        real = kept(ask(come_as(world, "dora"), method, address(world["app"], rule, given)))
        nothing = kept(ask(come_as(world, "dora"), method, address(world["app"], rule, unknown(rule, given))))
        fresh()
        if real != nothing:
            told_apart.append(f"{rule.endpoint} {method}: {real[0]} {nothing[0]}")

    assert told_apart == []


@pytest.mark.parametrize("role", ["visitor", "ana", "ben", "eve"])
def test_looking_changes_nothing(world, role):
    browser = come_as(world, role)
    before = contents()

    changed = []
    for rule, _method in rules(world["app"], only="GET"):
        ask(browser, "GET", address(world["app"], rule, arguments(world, rule)))
        if contents() != before:
            changed.append(rule.endpoint)
            before = contents()

    assert changed == []


def test_no_stranger_changes_anything_of_anothers(world, fresh):
    """Dora, Eve and a visitor send every form that names something of Ana's: nothing of Ana's is another afterwards."""
    changed = []
    for rule, method in rules(world["app"], only="POST"):
        given = arguments(world, rule)
        if not given or rule.endpoint.partition(".")[0] in (SHARED_PAGES | {"auth", "join"}):
            continue
        for role in ("visitor", "eve"):
            before = contents()
            ask(come_as(world, role), method, address(world["app"], rule, given))
            if contents() != before:
                changed.append(f"{rule.endpoint} by {role}")
            fresh()

    assert changed == []


def test_no_member_of_a_closed_site_is_seen_from_outside(make_app, world):
    """R-46: in `members_only` a visitor finds no handle, name or text of any member, whatever they ask for."""
    closed = make_app(site_mode="members_only")
    visitor = Browser(closed)

    leaks = []
    for rule, _method in rules(closed, only="GET"):
        text = visitor.get(address(closed, rule, arguments(world, rule))).text
        leaks += [f"{rule.endpoint}: {word}" for word in ("Mix, fold", "I want to weld", "Secret Lane") if word in text]

    assert leaks == []


def test_every_language_has_every_page(world):
    browser = come_as(world, "ana")

    for locale in i18n.SOURCES.iterdir():
        for rule, _method in rules(world["app"], only="GET"):
            url = address(world["app"], rule, arguments(world, rule))
            assert browser.get(f"{url}?lang={locale.name}").status_code < 500, rule.endpoint
