"""Teachback: everybody teaches and everybody learns.

The folder is the layer, the file name is the feature, the noun is the same in every layer:

    clock errors limits config db i18n  ←  models  ←  search mail  ←  forms jobs demo catalogue  ←  web | cli  ←  here

A module imports from its own layer or from the left. `web` and `cli` are skins over the same forms and verbs and
never import one another. `tests/test_architecture.py` says so.
"""

import os
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask
from flask_compress import Compress
from werkzeug.middleware.proxy_fix import ProxyFix

from . import cli, db, i18n, limits, search, web
from .config import ROOT, Settings

compress = Compress()


def create_app(settings: Settings | None = None) -> Flask:
    """The application for `settings` (read from the environment when None). Raises `config.BadSetting`."""
    settings = settings or Settings.read()
    os.umask(0o077)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    app = Flask(__name__, template_folder=ROOT / "templates", static_folder=None)
    app.config.from_mapping(_flask_config(settings))
    app.extensions["settings"] = settings
    web.templates.start(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    db.start(app)
    i18n.start(app, settings.data_dir / "translations")
    search.start(app, settings)
    compress.init_app(app)
    web.register(app)
    cli.register(app)
    if settings.trusted_proxies:
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    return app


def _flask_config(settings: Settings) -> dict[str, object]:
    address = urlsplit(settings.base_url)
    hosts = [address.hostname] + (["127.0.0.1", "localhost"] if not settings.secure else [])
    return {
        "SECRET_KEY": settings.secret_key,
        "SECRET_KEY_FALLBACKS": list(settings.secret_key_fallbacks),
        "TESTING": settings.testing,
        "DEMO": settings.demo,
        "SITE_NAME": settings.site_name,
        "SITE_MODE": settings.site_mode,
        "LOCALES": settings.locales,
        "DEFAULT_LOCALE": settings.default_locale,
        "DEFAULT_ZONE": settings.default_zone,
        "BABEL_DEFAULT_LOCALE": settings.default_locale,
        "BABEL_DEFAULT_TIMEZONE": settings.default_zone,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": db.engine_options(settings.database_url),
        "MAX_CONTENT_LENGTH": limits.FORM_BYTES,
        "MAX_FORM_MEMORY_SIZE": limits.FORM_BYTES,
        "MAX_FORM_PARTS": limits.FORM_KEYS,
        "TRUSTED_HOSTS": hosts,
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_SSL_STRICT": True,
        "SESSION_COOKIE_NAME": "__Host-session" if settings.secure else "session",
        "SESSION_COOKIE_SECURE": settings.secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "SESSION_REFRESH_EACH_REQUEST": False,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=30),
        "COMPRESS_ALGORITHM": ["zstd", "br", "gzip"],
        "COMPRESS_BR_LEVEL": 1,
        "COMPRESS_ZSTD_LEVEL": 3,
        "COMPRESS_MIMETYPES": ["text/html", "text/css", "text/javascript", "application/json", "image/svg+xml"],
        "COMPRESS_MIN_SIZE": 1000,
        "JSON_SORT_KEYS": False,
        "MIGRATIONS": str(ROOT / "migrations"),
    }
