"""The instance every test gets, and a small cast: Ana shows, Ben learns, Cleo saw it, Dora has no part in it.

Each test runs in a fresh database made from the models (one test holds the migrations equal to them): SQLite in a
file, and PostgreSQL for those who ask for `both_databases`. Nothing reaches a network.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask, g, has_app_context
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache

from skillshare import catalogue, clock, create_app, i18n, jobs, search
from skillshare.config import Settings
from skillshare.db import db as database
from skillshare.demo import community
from skillshare.models.listings import Offer, Want
from skillshare.models.members import Member
from skillshare.models.places import Area
from skillshare.models.sessions import SkillSession
from skillshare.models.skills import Care, Skill, Topic
from skillshare.models.tokens import SignIn
from skillshare.web import rates

pytest_plugins = ["tests.loopback"]

PASSWORD = "a loaf of good bread"
BROWSER = {"User-Agent": "Test", "Accept-Language": "en"}


def settings_for(folder: Path, url: str | None = None, **changes: Any) -> Settings:
    """Settings of a test instance with its data in `folder`."""
    return Settings(
        **{
            "data_dir": folder,
            "database_url": url or f"sqlite:///{folder / 'test.db'}",
            "secret_key": "s" * 64,
            "base_url": "http://localhost",
            "testing": True,
            "mail_from": "teachback@example.org",
            **changes,
        }
    )


@pytest.fixture(scope="session")
def translations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled translations, once a run."""
    folder = tmp_path_factory.mktemp("translations")
    i18n.compile_translations(folder)
    return folder


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables and no row, to be copied."""
    folder = tmp_path_factory.mktemp("empty")
    app = create_app(settings_for(folder))
    with app.app_context():
        database.create_all()
        into_one_file()
    return folder / "test.db"


@pytest.fixture(scope="session")
def told_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a demo instance: its database, in which no mail waits, and its index. To be copied.

    The story is long: it is told once a run, by whichever process needs it first.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "told"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            tell(folder.with_suffix(".part"))
            folder.with_suffix(".part").rename(folder)
    return folder


def tell(folder: Path) -> None:
    """Make a demo instance in a new folder."""
    app = create_app(settings_for(folder, demo=True))
    with app.app_context():
        database.create_all()
        catalogue.starter()
        community.tell("UTC")
        database.session.execute(sa.text("DELETE FROM outbox WHERE kind = 'mail'"))
        database.session.commit()
        while jobs.work_once():
            pass
        into_one_file()


def into_one_file() -> None:
    """Leave the whole SQLite database in its main file."""
    database.session.remove()
    with database.engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.engine.dispose()


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Each template is compiled once a run, not once a test."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


class Kept:
    """An instance that serves one test after the other: its routes and statements are compiled once a run.

    Each test gets it as new: an empty database and folder (`instance` is a link to the test's own), and the
    configuration as it was made.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.config, self.extensions = dict(app.config), dict(app.extensions)

    def as_new(self) -> Flask:
        """The instance, with nothing left of the test before."""
        self.app.config.clear()
        self.app.config.update(self.config)
        self.app.extensions.clear()
        self.app.extensions.update(self.extensions)
        rates.limiter._storage_dead = False  # as it would stay after a test with a Redis that is not there
        rates.limiter.reset()
        search.start(self.app, self.app.extensions["settings"])
        return self.app


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's tests first: they are long, and what is short fills the gaps at the end."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)


def let_go(app: Flask) -> None:
    """Close what a test opened in the database."""
    with app.app_context():
        database.session.remove()
        database.engine.dispose()


@pytest.fixture(scope="session")
def kept() -> Iterator[dict[str, Kept]]:
    """The instances that tests share, by the database they stand on."""
    kept: dict[str, Kept] = {}
    yield kept
    for each in kept.values():
        let_go(each.app)


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the shared instances believe their data to be."""
    return tmp_path_factory.mktemp("kept") / "instance"


@pytest.fixture
def own_folder(tmp_path: Path, empty_sqlite: Path, translations: Path, instance: Path) -> Path:
    """The test's own folder, with an empty database file in it."""
    (tmp_path / "test.db").write_bytes(empty_sqlite.read_bytes())
    (tmp_path / "translations").symlink_to(translations)
    instance.unlink(missing_ok=True)
    instance.symlink_to(tmp_path)
    return tmp_path


@pytest.fixture
def make_app(
    own_folder: Path, compiled_templates: FileSystemBytecodeCache, kept: dict[str, Kept]
) -> Iterator[Callable[..., Flask]]:
    """Makes an instance with the settings given. All of them share the test's database file."""
    apps = []

    def make(url: str | None = None, **changes: Any) -> Flask:
        app = create_app(settings_for(own_folder, url, **changes))
        app.jinja_env.bytecode_cache = compiled_templates
        apps.append(app)
        return app

    yield make
    for app in apps:
        let_go(app)
    if apps:  # extensions are one for all instances of a process, and were set up for these
        kept.clear()


@pytest.fixture
def shared_app(
    own_folder: Path, instance: Path, compiled_templates: FileSystemBytecodeCache, kept: dict[str, Kept]
) -> Iterator[Callable[..., Flask]]:
    """Gives the instance kept for a database, as new."""
    given = []

    def give(name: str = "sqlite", url: str | None = None) -> Flask:
        if name not in kept:
            app = create_app(settings_for(instance, url))
            app.jinja_env.bytecode_cache = compiled_templates
            kept[name] = Kept(app)
        given.append(kept[name].as_new())
        return given[-1]

    yield give
    for app in given:
        let_go(app)


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """The address of a PostgreSQL in which anything may be made."""
    server = os.environ.get("TEST_POSTGRES_URL")
    if not server:
        pytest.skip("no PostgreSQL: run bin/test")
    return server


@contextmanager
def schema_in(server: str) -> Iterator[str]:
    """The address of a new PostgreSQL schema, dropped afterwards."""
    name = "t" + os.urandom(6).hex()
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {name}"))
    yield f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{name}"
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP SCHEMA {name} CASCADE"))
    engine.dispose()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A PostgreSQL schema of this test's own, dropped afterwards."""
    with schema_in(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def kept_postgres_url(postgres_server: str) -> Iterator[str]:
    """A PostgreSQL schema with all tables, emptied between tests."""
    with schema_in(postgres_server) as url:
        engine = sa.create_engine(url)
        database.metadata.create_all(engine)
        engine.dispose()
        yield url


@pytest.fixture
def emptied_postgres_url(kept_postgres_url: str) -> Iterator[str]:
    """The same, with no row in it."""
    yield kept_postgres_url
    tables = ", ".join(f'"{table.name}"' for table in database.metadata.sorted_tables)
    engine = sa.create_engine(kept_postgres_url)
    with engine.begin() as connection:
        connection.execute(sa.text("SET lock_timeout = '10s'"))
        connection.execute(sa.text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def both_databases(request: pytest.FixtureRequest) -> Flask:
    """An instance on SQLite, then the same test on PostgreSQL. Ask for it before `app`: it is what `app` gives."""
    if request.param == "sqlite":
        return request.getfixturevalue("shared_app")()
    url = request.getfixturevalue("emptied_postgres_url")  # first: it is emptied when the instance has let go
    return request.getfixturevalue("shared_app")("postgres", url)


@pytest.fixture
def app(request: pytest.FixtureRequest, shared_app: Callable[..., Flask]) -> Flask:
    """The instance under test: SQLite, unless the test asked for `both_databases`."""
    if "both_databases" in request.fixturenames:
        return request.getfixturevalue("both_databases")
    return shared_app()


@pytest.fixture
def db(app: Flask) -> Iterator[Any]:
    """The database, in an application context and a language of the test's own (English)."""
    with app.test_request_context(method="POST", headers=BROWSER):
        yield database
        database.session.remove()


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    """A clock that stands at noon of a Tuesday, 10 November 2026 (UTC), and moves when told to."""
    with time_machine.travel(datetime(2026, 11, 10, 12, tzinfo=UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def queries(app: Flask) -> Iterator[list[str]]:
    """Every statement sent to the database (not BEGIN, PRAGMA, SAVEPOINT); `clear()` it before what you count."""
    said: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, _p: Any, _context: Any, _many: bool) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            said.append(statement)

    with app.app_context():
        engine = database.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield said
    sa.event.remove(engine, "before_cursor_execute", note)


def person(handle: str, **changes: Any) -> Member:
    """An active member called `handle`, with PASSWORD (hashed cheaply) and an address at example.org."""
    member = Member.join(
        **{
            "handle": handle,
            "name": handle.capitalize(),
            "email": f"{handle}@example.org",
            "locale": "en",
            "zone": "UTC",
            **changes,
        }
    )
    member.confirm()
    database.session.flush()
    return member


@pytest.fixture
def ana(db: Any) -> Member:
    """Shows."""
    return person("ana")


@pytest.fixture
def ben(db: Any) -> Member:
    """Learns."""
    return person("ben")


@pytest.fixture
def cleo(db: Any) -> Member:
    """Was there."""
    return person("cleo")


@pytest.fixture
def dora(db: Any) -> Member:
    """Has no part in it."""
    return person("dora")


@pytest.fixture
def topic(db: Any) -> Topic:
    """A shelf of the catalogue."""
    topic = Topic(slug="food", names={"en": "Food and growing", "es": "Comida y huerto"})
    db.session.add(topic)
    db.session.flush()
    return topic


@pytest.fixture
def area(db: Any) -> Area:
    """A place."""
    area = Area(name="Northside")
    db.session.add(area)
    db.session.flush()
    return area


def make_skill(topic: Topic, name: str, **changes: Any) -> Skill:
    """A shared page called `name`."""
    skill = Skill.make(
        **{
            "locale": "en",
            "topic": topic,
            "name": name,
            "summary": f"About {name}.",
            "practice": f"What hands do for {name}.",
            "theory": f"Why {name} works.",
            **changes,
        }
    )
    database.session.flush()
    return skill


@pytest.fixture
def bread(topic: Topic) -> Skill:
    """A harmless skill."""
    return make_skill(topic, "Sourdough bread", other_names=["Baking bread"])


@pytest.fixture
def brakes(topic: Topic) -> Skill:
    """Another."""
    return make_skill(topic, "Bicycle brakes")


@pytest.fixture
def welding(topic: Topic) -> Skill:
    """A hazard."""
    return make_skill(topic, "Welding", care=Care.HAZARD, safety="Mask, gloves, fresh air.")


@pytest.fixture
def bread_offer(ana: Member, bread: Skill) -> Offer:
    """Ana can show bread."""
    offer = Offer.publish(
        by=ana,
        skill=bread,
        title="Bread with three ingredients",
        practice="You mix, fold and bake.",
        theory="Why dough rises.",
        language="en",
    )
    database.session.flush()
    return offer


@pytest.fixture
def bread_want(ben: Member, bread: Skill) -> Want:
    """Ben wants to learn bread."""
    want = Want.ask(by=ben, skill=bread, title="I want to bake bread", language="en")
    database.session.flush()
    return want


def make_session(host: Member, skills: list[Skill], **changes: Any) -> SkillSession:
    """A session of two hours that starts in two days, with three places."""
    starts_at = changes.pop("starts_at", clock.now() + timedelta(days=2))
    session = SkillSession.schedule(
        **{
            "by": host,
            "title": "Bread at the hall",
            "skills": skills,
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(hours=2),
            "zone": "UTC",
            "capacity": 3,
            "practice": "Mix, fold, bake.",
            "theory": "Why dough rises.",
            "language": "en",
            "place": "12 Secret Lane",
            **changes,
        }
    )
    database.session.flush()
    return session


@pytest.fixture
def bread_session(ana: Member, bread: Skill) -> SkillSession:
    """Ana shows bread in two days."""
    return make_session(ana, [bread])


class Browser:
    """A test client that keeps cookies and follows nothing by itself."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()
        self.client.environ_base.update({f"HTTP_{k.upper().replace('-', '_')}": v for k, v in BROWSER.items()})

    def get(self, url: str, **kwargs: Any) -> Any:
        """Open a page."""
        forget_the_last_request()
        return self.client.get(url, **kwargs)

    def post(self, url: str, data: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        """Send a form. CSRF is switched off for these tests except where `csrf` is asked for."""
        forget_the_last_request()
        return self.client.post(url, data=data or {}, **kwargs)


def forget_the_last_request() -> None:
    """Empty `g`: a request inside the `db` fixture's context shares it, and would know who asked before."""
    if has_app_context():
        vars(g._get_current_object()).clear()


@pytest.fixture
def browser(app: Flask) -> Callable[..., Browser]:
    """`browser()` is a visitor's; `browser(ana)` is signed in as Ana. Commit what the test made before using it."""
    app.config["WTF_CSRF_ENABLED"] = False

    def open_(member: Member | None = None) -> Browser:
        browser = Browser(app)
        if member is not None:
            sign_in(browser, member)
        return browser

    return open_


def sign_in(browser: Browser, member: Member) -> None:
    """Give `browser` the cookie of a new sign-in of `member`."""
    from_cookie = SignInCookie(browser.app, member)
    with browser.client.session_transaction() as session:
        session.update(from_cookie.contents)


class SignInCookie:
    """A sign-in made straight in the database, for tests about something else."""

    def __init__(self, app: Flask, member: Member) -> None:
        with app.test_request_context(method="POST"):
            _row, secret = SignIn.start(database.session.get_one(Member, member.id), "Test")
            database.session.commit()
        self.contents = {"_user_id": secret, "_fresh": True, "seen": int(clock.now().timestamp())}


@pytest.fixture
def mails(app: Flask) -> Callable[[], list[EmailMessage]]:
    """`mails()` lets the worker do what is due and returns every mail sent so far, oldest first."""

    def read() -> list[EmailMessage]:
        with app.app_context():
            assert any(not jobs.work_once() for _ in range(100)), "the worker never comes to rest"
        folder = app.extensions["settings"].data_dir / "mail"
        files = sorted(folder.glob("*.eml")) if folder.exists() else []
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

    return read
