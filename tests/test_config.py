"""Settings: what cannot be used stops the start with one line that says which and why."""

import os
import stat

import pytest

from skillshare.config import BadSetting, Settings


def read(tmp_path, **env):
    return Settings.read({"DATA_DIR": str(tmp_path), **env})


def test_nothing_has_to_be_set(tmp_path):
    settings = read(tmp_path)

    assert settings.database_url == f"sqlite:///{tmp_path / 'teachback.db'}"
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.site_mode == "open_catalogue"
    assert settings.demo is False
    assert settings.secure is False


def test_the_secret_is_made_once_and_is_nobody_elses_to_read(tmp_path):
    first, second = read(tmp_path), read(tmp_path)

    kept = tmp_path / "secret.key"
    assert first.secret_key == second.secret_key == kept.read_text(encoding="ascii")
    assert len(first.secret_key) == 64
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["secret.key"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SITE_MODE", "open"),
        ("SIGN_UP", "maybe"),
        ("SECRET_KEY", "changeme"),
        ("BASE_URL", "http://skills.example.org"),
        ("BASE_URL", "skills.example.org"),
        ("DEFAULT_ZONE", "localtime"),
        ("DEFAULT_LOCALE", "fr"),
        ("PORT", "eighty"),
        ("MIN_PASSWORD", "-1"),
        ("TRUSTED_PROXIES", "*"),
        ("SEARCH_ENGINE", "lucene"),
        ("SEARCH_ENGINE", "postgres"),
        ("SEARCH_SCHEMA", "Search; --"),
        ("SEARCH_READ_URL", "postgresql://replica/x"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, name, value):
    with pytest.raises(BadSetting, match=name):
        read(tmp_path, **{name: value})


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgresql_means_psycopg_3(tmp_path, scheme):
    assert read(tmp_path, DATABASE_URL=f"{scheme}://u:p@db/x").database_url == "postgresql+psycopg://u:p@db/x"


def test_a_secret_of_digits_is_text(tmp_path):
    assert read(tmp_path, SECRET_KEY="1" * 40).secret_key == "1" * 40


def test_the_port_is_in_mailed_links(tmp_path):
    assert read(tmp_path, PORT="8123").base_url == "http://127.0.0.1:8123"


def test_https_makes_cookies_strict(tmp_path):
    assert read(tmp_path, BASE_URL="https://skills.example.org/").secure


@pytest.mark.parametrize(
    ("database", "asked", "engine"),
    [
        ("", "", "whoosh"),
        ("postgresql://db/x", "", "postgres"),
        ("postgresql://db/x", "whoosh", "whoosh"),
        ("postgresql://db/x", "postgres", "postgres"),
    ],
)
def test_the_index_is_shared_where_the_database_is(tmp_path, database, asked, engine):
    assert read(tmp_path, DATABASE_URL=database, SEARCH_ENGINE=asked).search_engine == engine


def test_a_replica_to_search_means_psycopg_3_too(tmp_path):
    settings = read(tmp_path, DATABASE_URL="postgresql://db/x", SEARCH_READ_URL="postgres://replica/x")

    assert settings.search_read_url == "postgresql+psycopg://replica/x"
