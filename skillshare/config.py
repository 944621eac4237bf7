"""Settings from the environment, each with a default that runs on one machine.

Read once, at start. Text stays text: a secret made of digits is still a secret.
"""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from .i18n import is_zone

SEARCH_ENGINES = ("auto", "whoosh", "postgres")
SITE_MODES = ("invite_only", "members_only", "open_catalogue", "public_profiles")
POSTGRES = "postgresql+psycopg://"
ROOT = Path(__file__).resolve().parent.parent


class BadSetting(Exception):
    """A setting that cannot be used; the message names it and says what would do."""


@dataclass(frozen=True)
class Settings:
    """All that an instance may set. `Settings.read()` makes one from the environment."""

    data_dir: Path
    database_url: str
    secret_key: str
    port: int = 8000
    base_url: str = "http://127.0.0.1:8000"
    site_name: str = "Teachback"
    site_mode: str = "open_catalogue"
    sign_up: str = "open"
    demo: bool = False
    testing: bool = False
    locales: tuple[str, ...] = ("en", "es")
    default_locale: str = "en"
    default_zone: str = "UTC"
    mail_url: str = "file"
    mail_from: str = "teachback@localhost"
    redis_url: str = ""
    search_engine: str = "whoosh"
    search_schema: str = "search"
    search_read_url: str = ""
    min_password: int = 12
    trusted_proxies: int = 0
    secret_key_fallbacks: tuple[str, ...] = field(default=())

    @property
    def secure(self) -> bool:
        """Whether the instance is reached by https, and cookies carry `Secure` and `__Host-`."""
        return self.base_url.startswith("https://")

    @classmethod
    def read(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """The settings of this process. Raises `BadSetting` naming the first one that cannot be used."""
        data_dir = Path(env.get("DATA_DIR") or ROOT / "instance").resolve()
        port = _whole(env, "PORT", 8000)
        database_url = _database_url(env.get("DATABASE_URL", ""), data_dir)
        settings = cls(
            data_dir=data_dir,
            database_url=database_url,
            secret_key=_secret(env, data_dir),
            port=port,
            base_url=(env.get("BASE_URL") or f"http://127.0.0.1:{port}").rstrip("/"),
            site_name=env.get("SITE_NAME") or "Teachback",
            site_mode=_one_of(env, "SITE_MODE", SITE_MODES, "open_catalogue"),
            sign_up=_one_of(env, "SIGN_UP", ("open", "closed"), "open"),
            demo=env.get("DEMO", "0") == "1",
            locales=tuple((env.get("LOCALES") or "en,es").replace(" ", "").split(",")),
            default_locale=env.get("DEFAULT_LOCALE") or "en",
            default_zone=env.get("DEFAULT_ZONE") or "UTC",
            mail_url=env.get("MAIL_URL") or "file",
            mail_from=env.get("MAIL_FROM") or "teachback@localhost",
            redis_url=env.get("REDIS_URL", ""),
            search_engine=_search_engine(env, database_url),
            search_schema=env.get("SEARCH_SCHEMA") or "search",
            search_read_url=_psycopg(env.get("SEARCH_READ_URL", "")),
            min_password=_whole(env, "MIN_PASSWORD", 12),
            trusted_proxies=_whole(env, "TRUSTED_PROXIES", 0),
            secret_key_fallbacks=tuple(env.get("SECRET_KEY_FALLBACKS", "").split()),
        )
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse what would be unsafe or could not work, with one clear line."""
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise BadSetting("BASE_URL must look like https://skills.example.org")
        if address.scheme == "http" and address.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise BadSetting("BASE_URL must be https:// anywhere but on this machine: sign-in cookies need it")
        if len(self.secret_key) < 32:
            raise BadSetting("SECRET_KEY must have at least 32 characters; leave it out and one is made")
        if not is_zone(self.default_zone):
            raise BadSetting("DEFAULT_ZONE must be a named zone such as Europe/Madrid")
        if self.default_locale not in self.locales:
            raise BadSetting("DEFAULT_LOCALE must be one of LOCALES")
        self._check_search()

    def _check_search(self) -> None:
        if self.search_engine == "postgres" and not self.database_url.startswith(POSTGRES):
            raise BadSetting("SEARCH_ENGINE can be postgres only where DATABASE_URL is PostgreSQL")
        if not re.fullmatch("[a-z_][a-z0-9_]{0,40}", self.search_schema):
            raise BadSetting("SEARCH_SCHEMA must be a plain name: small letters, digits and _")
        if self.search_read_url and not (
            self.search_engine == "postgres" and self.search_read_url.startswith(POSTGRES)
        ):
            raise BadSetting("SEARCH_READ_URL must be postgresql://…, and goes with SEARCH_ENGINE=postgres only")


def _one_of(env: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = env.get(name) or default
    if value not in allowed:
        raise BadSetting(f"{name} must be one of {', '.join(allowed)}")
    return value


def _whole(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name) or str(default)
    if not value.isascii() or not value.isdigit():
        raise BadSetting(f"{name} must be a whole number")
    return int(value)


def _database_url(url: str, data_dir: Path) -> str:
    """The embedded default, or the one given; `postgres://` and `postgresql://` mean psycopg 3."""
    return _psycopg(url) if url else f"sqlite:///{data_dir / 'teachback.db'}"


def _psycopg(url: str) -> str:
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return POSTGRES + url.removeprefix(scheme)
    return url


def _search_engine(env: Mapping[str, str], database_url: str) -> str:
    """Where the database is shared by many machines, so is the index, unless it is said otherwise."""
    engine = _one_of(env, "SEARCH_ENGINE", SEARCH_ENGINES, "auto")
    if engine == "auto":
        return "postgres" if database_url.startswith(POSTGRES) else "whoosh"
    return engine


def _secret(env: Mapping[str, str], data_dir: Path) -> str:
    """SECRET_KEY, or the file SECRET_KEY_FILE names, or `secret.key` in the data folder, made once (0600)."""
    if env.get("SECRET_KEY"):
        return env["SECRET_KEY"]
    path = Path(env.get("SECRET_KEY_FILE") or data_dir / "secret.key")
    if not path.exists():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = path.with_suffix(f".{secrets.token_hex(4)}")
        made.touch(mode=0o600)
        made.write_text(secrets.token_hex(32), encoding="ascii")
        try:
            os.link(made, path)
        except FileExistsError:
            pass  # Another process made it in the same moment: theirs is the one.
        finally:
            made.unlink()
    return path.read_text(encoding="ascii").strip()
