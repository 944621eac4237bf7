"""The derived index: it finds keys, and never shows text. The database stays the truth."""

from flask import Flask

from skillshare.config import BadSetting, Settings

from .engine import IndexUnavailable
from .whoosh_engine import WhooshEngine


def start(app: Flask, settings: Settings) -> None:
    """Choose the engine of this instance: `app.extensions["search"]`. Its folder is ours alone (0700), a cache.

    Raises `BadSetting` when others could write in that folder: what is read from it is trusted.
    """
    try:
        app.extensions["search"] = WhooshEngine(settings.data_dir / "search", languages=settings.locales)
    except IndexUnavailable as problem:
        raise BadSetting(str(problem)) from problem
