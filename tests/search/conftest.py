"""An empty engine of each kind, and a small catalogue to search."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from skillshare.search.engine import Document, SearchEngine, SearchPage, SearchRequest
from skillshare.search.parser import parse
from skillshare.search.postgres_engine import PostgresEngine
from skillshare.search.whoosh_engine import WhooshEngine

LANGUAGES = ("en", "es")


@pytest.fixture
def whoosh(tmp_path: Path) -> SearchEngine:
    """The embedded engine, in a folder of the test's own."""
    return WhooshEngine(tmp_path / "search", languages=LANGUAGES)


@pytest.fixture(scope="session")
def postgres_schema(postgres_server: str) -> Iterator[str]:
    """A schema for the indexes of this run, dropped afterwards."""
    schema = "search_" + secrets.token_hex(6)
    yield schema
    engine = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
    engine.dispose()


@pytest.fixture(scope="session")
def shared_postgres(postgres_server: str, postgres_schema: str) -> Iterator[PostgresEngine]:
    """One engine for all tests, so that each only costs a generation."""
    engine = PostgresEngine(postgres_server, languages=LANGUAGES, schema=postgres_schema)
    yield engine
    engine.close()


@pytest.fixture
def postgres(shared_postgres: PostgresEngine) -> SearchEngine:
    """The engine past one machine."""
    return shared_postgres


ENGINES = ["whoosh", pytest.param("postgres", marks=pytest.mark.postgres)]
"""Every engine there is, by the fixture that makes it; each keeps the whole contract."""


def tags(**values: str) -> dict[str, frozenset[str]]:
    """Filter values, several in one string parted by spaces."""
    return {name: frozenset(value.split()) for name, value in values.items()}


CATALOGUE = (
    Document(
        "skill:welding",
        version=3,
        language="en",
        title="Welding",
        names=(("es", "Soldadura"), ("en", "Arc welding")),
        practice="Join two plates of steel with a clean bead.",
        theory="Why the pool of metal must stay shielded from air.",
        filters=tags(topic="metal", care="hazard", audience="public"),
        made_at=10,
    ),
    Document(
        "skill:bread",
        version=1,
        language="en",
        title="Baking sourdough bread",
        names=(("es", "Pan de masa madre"),),
        practice="Fold the dough and bake it until the crust sings.",
        theory="Why does bread rise? Yeast makes gas.",
        filters=tags(topic="kitchen", audience="public"),
        made_at=20,
    ),
    Document(
        "offer:pan",
        version=1,
        language="es",
        title="Enseño a hacer pan en casa",
        names=(("es", "Pan de masa madre"), ("en", "Baking sourdough bread")),
        practice="Amasar, esperar y hornear juntas.",
        filters=tags(topic="kitchen", area="north", how="in_person", audience="public", who="shows"),
        made_at=30,
    ),
    Document(
        "offer:guitar",
        version=1,
        language="en",
        title="Guitar for beginners",
        names=(("es", "Guitarra"),),
        practice="Three open chords and a song.",
        filters=tags(topic="music", area="south", how="in_person online", audience="public", who="shows"),
        made_at=40,
    ),
    Document(
        "session:dough",
        version=1,
        language="en",
        title="An evening of dough",
        names=(("en", "Baking sourdough bread"),),
        filters=tags(topic="kitchen", area="north", how="in_person", audience="public"),
        starts_at=1_000,
        places_left=0,
        made_at=50,
    ),
    Document(
        "session:chords",
        version=1,
        language="en",
        title="Open chords in the park",
        names=(("en", "Guitar"),),
        filters=tags(topic="music", area="south", how="in_person", audience="public"),
        starts_at=2_000,
        places_left=4,
        made_at=60,
    ),
    Document(
        "want:solder",
        version=1,
        language="es",
        title="Quiero aprender soldadura",
        filters=tags(topic="metal", area="north", audience="community", who="wants"),
        made_at=70,
    ),
)


@pytest.fixture(params=ENGINES)
def empty(request: pytest.FixtureRequest) -> SearchEngine:
    """An engine with nothing in it."""
    engine: SearchEngine = request.getfixturevalue(request.param)
    engine.rebuild(())
    return engine


@pytest.fixture
def engine(empty: SearchEngine) -> SearchEngine:
    """An engine with the catalogue in it."""
    empty.apply(CATALOGUE)
    return empty


@pytest.fixture
def search(engine: SearchEngine) -> Callable[..., SearchPage]:
    """Type something, and see the page."""

    def search(typed: str = "", **options: object) -> SearchPage:
        return engine.search(SearchRequest(text=parse(typed).text, **options))

    return search


@pytest.fixture
def found(search: Callable[..., SearchPage]) -> Callable[..., list[str]]:
    """Type something, and see the keys in their order."""

    def found(typed: str = "", **options: object) -> list[str]:
        return [hit.key for hit in search(typed, **options).hits]

    return found
