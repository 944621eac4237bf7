"""The derived index: it finds keys, and never shows text. The database stays the truth."""

from flask import Flask

from skillshare.config import BadSetting, Settings

from .engine import IndexUnavailable, SearchEngine
from .postgres_engine import PostgresEngine
from .whoosh_engine import WhooshEngine


def start(app: Flask, settings: Settings) -> None:
    """Choose the engine of this instance: `app.extensions["search"]`."""
    app.extensions["search"] = _postgres(settings) if settings.search_engine == "postgres" else _whoosh(settings)


def _postgres(settings: Settings) -> SearchEngine:
    """An index in the database's own server, shared by all machines."""
    return PostgresEngine(
        settings.database_url,
        languages=settings.locales,
        schema=settings.search_schema,
        read_url=settings.search_read_url,
    )


def _whoosh(settings: Settings) -> SearchEngine:
    """An index of this machine. Its folder is ours alone (0700), a cache.

    Raises `BadSetting` when others could write in that folder: what is read from it is trusted.
    """
    try:
        return WhooshEngine(settings.data_dir / "search", languages=settings.locales)
    except IndexUnavailable as problem:
        raise BadSetting(str(problem)) from problem
