"""The index in PostgreSQL: whatever is typed or stored, whoever writes at once, and whatever is missing or gone."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skillshare import jobs, limits
from skillshare.db import db as database
from skillshare.search import postgres_engine, postgres_matching, postgres_query, postgres_schema, sync
from skillshare.search.engine import Document, IndexBusy, IndexUnavailable, SearchRequest, Text
from skillshare.search.parser import QueryTooLong, parse
from skillshare.search.postgres_engine import PostgresEngine

pytestmark = pytest.mark.postgres

BREAD = SearchRequest(Text(("bread",)))
NOBODY = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
ANY_TEXT = st.text(st.characters(), max_size=limits.QUERY)
reuse = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)


def breads(count, version=1):
    return [Document(f"offer:{number}", version, "en", f"Bread number {number}") for number in range(count)]


def named(url, name):
    """The address, with a name by which the server knows its connections."""
    return sa.make_url(url).update_query_dict({"application_name": name}).render_as_string(hide_password=False)


@pytest.fixture
def engine(postgres):
    postgres.rebuild(breads(3))
    return postgres


@pytest.fixture
def sql(postgres_server):
    """Run a statement on the server, and see the rows."""
    server = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT")

    def run(statement):
        with server.connect() as connection:
            result = connection.exec_driver_sql(statement)
            return result.all() if result.returns_rows else []

    yield run
    server.dispose()


@pytest.fixture
def opened():
    """Open an engine, closed again afterwards."""
    engines = []

    def opened(url, **options):
        engines.append(PostgresEngine(url, **options))
        return engines[-1]

    yield opened
    for each in engines:
        each.close()


@pytest.fixture
def another(opened, postgres_server, postgres_schema):
    """Another process's engine on the same index."""

    def another(name="another", **options):
        return opened(named(postgres_server, name), **{"schema": postgres_schema, **options})

    return another


@pytest.fixture
def own_database(postgres_server, sql):
    """A database in which no extension is installed."""
    name = f"own_{time.monotonic_ns()}"
    sql(f"CREATE DATABASE {name}")
    yield sa.make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    sql(f"DROP DATABASE {name} WITH (FORCE)")


# What is typed and stored


@given(typed=ANY_TEXT)
@reuse
def test_anything_typed_is_answered(engine, typed):
    try:
        text = parse(typed).text
    except QueryTooLong:
        return
    page = engine.search(SearchRequest(text, facets=("kind",)))
    assert page.total >= len(page.hits)
    engine.complete(typed, frozenset(), "en")


@given(stored=st.text(st.characters(), max_size=200))
@reuse
def test_anything_stored_can_be_found(engine, stored):
    filters = {"topic": frozenset({stored})}
    engine.apply([Document("want:x", 1, "en", f"findme {stored}", (("es", stored),), stored, stored, stored, filters)])

    page = engine.search(SearchRequest(Text(("findme",)), filters=filters, facets=("topic",), exact=True))

    assert [hit.key for hit in page.hits] == ["want:x"]
    assert page.facets["topic"] == ((stored, 1),)


@pytest.mark.parametrize("schema", ["", "Search", "a b", 'x"; DROP', "1st", "s" * 60])
def test_a_schema_has_a_plain_name(schema):
    with pytest.raises(ValueError, match="plain name"):
        PostgresEngine(NOBODY, schema=schema)


# Several at once


def test_two_rebuild_at_once_one_after_the_other(engine, another):
    with ThreadPoolExecutor(2) as pool:
        built = list(pool.map(lambda each: each.rebuild(breads(50)), (engine, another())))

    assert len(set(built)) == 2
    assert engine.status().generation in built
    assert engine.status().documents == len(engine.versions()) == 50


def test_changes_from_many_at_once_all_arrive_and_are_counted(engine, another, sql):
    engines = [engine, another(), another(), another()]

    def change(number):
        engines[number % 4].apply([Document(f"want:{number}", 1, "en", f"Bread wish{number % 3}")], [f"offer:{number}"])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(change, range(16)))

    assert engine.versions() == {f"want:{number}": 1 for number in range(16)}
    schema, number = engine.status().generation.split()
    counted = dict(sql(f"SELECT word, documents FROM {schema}.word_{number}"))
    true = dict(sql(f"SELECT word, ndoc FROM ts_stat('SELECT lexemes FROM {schema}.document_{number}')"))
    assert {word: n for word, n in true.items() if word[0] not in "#~"} == {
        word: n for word, n in counted.items() if not word.startswith("=")
    }
    assert counted["=kind=want"] == engine.status().documents == 16
    assert "=kind=offer" not in counted


def test_a_writer_that_has_waited_long_enough_says_so(engine, another):
    held, done = Event(), Event()

    def documents():
        held.set()
        done.wait(10)
        yield from breads(1)

    with ThreadPoolExecutor(1) as pool:
        building = pool.submit(engine.rebuild, documents())
        held.wait(10)
        waiting = another(busy_seconds=0.05)
        with pytest.raises(IndexBusy):
            waiting.apply(breads(1))
        with pytest.raises(IndexBusy):
            waiting.rebuild(())
        assert waiting.search(BREAD).total == 3  # who only reads waits for nobody
        done.set()
        building.result()

    assert engine.search(BREAD).total == 1


def test_readers_see_the_old_generation_or_the_new_one_whole(engine, another):
    ended = Event()
    readers = [another() for _ in range(3)]

    def read(reader):
        seen = set()
        while not ended.is_set():
            seen.add(reader.search(BREAD).total)
        return seen

    with ThreadPoolExecutor(3) as pool:
        reading = [pool.submit(read, reader) for reader in readers]
        for round_ in range(5):
            engine.rebuild(breads(4 if round_ % 2 else 7, round_))
        ended.set()
        seen = set().union(*(each.result() for each in reading))

    assert seen <= {3, 4, 7}


def test_only_one_generation_is_kept(engine, sql):
    engine.rebuild(breads(2))
    engine.rebuild(breads(1))

    schema, number = engine.status().generation.split()
    tables = {name for (name,) in sql(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'")}
    assert tables == {"answering_1", *(f"{name}_{number}" for name in postgres_schema.TABLES)}


def test_a_rebuild_that_breaks_off_changes_nothing(engine, sql):
    before = engine.status()

    def broken():
        yield from breads(2)
        raise RuntimeError("the database is gone")

    with pytest.raises(RuntimeError):
        engine.rebuild(broken())

    assert engine.status() == before
    assert engine.search(BREAD).total == 3
    assert engine.apply(breads(4)) is None


# What is missing or gone


def test_without_an_index_all_say_so(another):
    engine = another(schema="never_built")

    for ask in (lambda: engine.search(BREAD), lambda: engine.apply(breads(1)), engine.versions):
        with pytest.raises(IndexUnavailable):
            ask()
    assert engine.status().problem


@pytest.mark.parametrize("name", postgres_schema.TABLES)
def test_a_table_that_is_missing_is_noticed_and_made_anew(engine, sql, name):
    schema, number = engine.status().generation.split()
    sql(f"DROP TABLE {schema}.{name}_{number}")

    assert engine.status().problem == "a table of the index is missing"
    with pytest.raises(IndexUnavailable):
        engine.complete("bre", frozenset(), "en") if name == "head" else engine.search(BREAD)

    engine.rebuild(breads(2))

    assert engine.search(BREAD).total == 2


def test_a_server_that_is_gone_is_noticed_at_once_and_not_asked_again_soon():
    engine = PostgresEngine(NOBODY)
    began = time.perf_counter()

    asked = [lambda: engine.search(BREAD), lambda: engine.apply(breads(1)), engine.versions]
    for ask in (*asked, lambda: engine.rebuild(())):
        with pytest.raises(IndexUnavailable):
            ask()
    assert engine.status().problem
    assert time.perf_counter() - began < 3


def test_a_connection_that_was_cut_is_made_again(engine, another, sql):
    other = another("to_be_cut")
    assert other.search(BREAD).total == len(other.versions()) == 3
    assert len(sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to_be_cut'")) == 2

    assert other.search(BREAD).total == 3
    other.apply(breads(4))
    assert len(other.versions()) == 4


def test_what_takes_too_long_is_broken_off(engine):
    def slow(connection):
        connection.exec_driver_sql("BEGIN; SET LOCAL statement_timeout = 20")
        try:
            connection.exec_driver_sql("SELECT pg_sleep(5)")
        finally:
            connection.exec_driver_sql("ROLLBACK")

    with pytest.raises(IndexUnavailable):
        engine._connections.read(slow)


def test_a_replica_is_read_and_never_asked_what_is_true_now(engine, another, sql, postgres_server):
    def readers():
        return sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'a_replica'")[0][0]

    other = another(read_url=named(postgres_server, "a_replica"))

    other.apply(breads(4))
    assert (other.status().documents, len(other.versions()), readers()) == (4, 4, 0)
    assert other.search(BREAD).total == 4
    assert readers() == 1


def test_a_replica_that_is_gone_or_empty_is_done_without(engine, another, own_database):
    assert another(read_url=NOBODY).search(BREAD).total == 3
    assert another(read_url=own_database).complete("bre", frozenset(), "en")


# Extensions


def test_without_extensions_one_mistake_is_forgiven(own_database, opened, monkeypatch):
    monkeypatch.setattr(postgres_engine, "EXTENSION", "CREATE EXTENSION there_is_none")
    engine = opened(own_database)
    engine.rebuild(breads(1))

    assert engine.search(SearchRequest(Text(("braed",)))).correction == "bread"


def test_trigrams_forgive_more(engine):
    engine.apply([Document("want:x", 1, "en", "Photosynthesis")])

    page = engine.search(SearchRequest(Text(("fotosyntesis",))))

    assert (page.correction, [hit.key for hit in page.hits]) == ("photosynthesis", ["want:x"])


def test_rum_orders_what_is_common_where_it_is_installed(own_database, opened, sql, monkeypatch):
    if not sql("SELECT 1 FROM pg_available_extensions WHERE name = 'rum'"):
        pytest.skip("RUM is not installed")
    server = sa.create_engine(own_database, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql("CREATE EXTENSION rum")
    server.dispose()
    monkeypatch.setattr(postgres_matching, "CANDIDATES", 5)
    monkeypatch.setattr(postgres_query, "WEIGHED", 0)
    engine = opened(own_database)
    engine.rebuild(
        Document(f"offer:{number}", 1, "en", "Baking", practice="bread " * (1 + 4 * (number == 30)))
        for number in range(40)
    )

    page = engine.search(BREAD)

    assert page.hits[0].key == "offer:30"
    assert page.total == 40


# What is common is counted on a part


def test_counts_of_what_is_common_are_near_the_truth(postgres, monkeypatch):
    monkeypatch.setattr(postgres_matching, "COUNTED", 200)
    postgres.rebuild(
        Document(f"offer:{n}", 1, "en", "Bread", filters={"topic": frozenset({"rare" if n % 200 == 0 else "often"})})
        for n in range(2_000)
    )
    rare = {"topic": frozenset({"rare"})}

    page = postgres.search(SearchRequest(Text(("bread",)), facets=("topic", "kind")))

    assert 1_500 < page.total < 2_500
    assert 1_500 < dict(page.facets["topic"])["often"] < 2_500
    assert dict(page.facets["kind"]) == {"offer": page.total}
    assert postgres.search(SearchRequest(Text(("bread",)), filters=rare, facets=("kind",))).total == 10


@pytest.mark.parametrize("weighed", [0, 400, 15_000])
def test_however_candidates_are_chosen_all_words_come_first_and_pages_follow_on(postgres, monkeypatch, weighed):
    monkeypatch.setattr(postgres_query, "WEIGHED", weighed)
    monkeypatch.setattr(postgres_query, "MANY", 10)
    monkeypatch.setattr(postgres_matching, "CANDIDATES", 50)
    said = {0: "Guitar chords song", 1: "Guitar song", 2: "Song", 3: "Chords"}
    postgres.rebuild(Document(f"offer:{n}", 1, "en", said[n % 4], extra="tune " * (n % 9)) for n in range(200))

    pages = [
        [
            hit.key
            for hit in postgres.search(SearchRequest(Text(("guitar", "chords", "song")), page=n, per_page=40)).hits
        ]
        for n in range(1, 6)
    ]

    listed = [int(key.partition(":")[2]) for page in pages for key in page]
    assert len(listed) == len(set(listed)) == 200
    assert {number % 4 for number in listed[:50]} == {0}


# In an instance


@pytest.fixture
def app(make_app, postgres_url, postgres_schema):
    """An instance whose database and index are in PostgreSQL."""
    app = make_app(url=postgres_url, search_engine="postgres", search_schema=postgres_schema)
    with app.app_context():
        database.create_all()
        database.session.commit()
    yield app
    app.extensions["search"].close()


def test_an_instance_keeps_its_index_in_step(app, db, bread_offer):
    engine = app.extensions["search"]
    db.session.commit()
    run = app.test_cli_runner()

    assert "documents" in run.invoke(args=["search", "rebuild"]).output
    bread_offer.title = "Sourdough for sailors"
    db.session.commit()
    while jobs.work_once("index"):
        pass

    assert [hit.key for hit in engine.search(SearchRequest(Text(("sailors",)))).hits] == [f"offer:{bread_offer.id}"]
    assert not sync.check(engine)
    assert run.invoke(args=["search", "check"]).exit_code == 0


def test_no_migration_sees_the_index(app):
    with app.app_context():
        app.extensions["search"].rebuild(())
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, database.metadata) == []
