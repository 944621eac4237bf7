"""The words in other languages: none missing, none broken, and none that the extraction overlooks."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskCliRunner
from flask_babel import force_locale, gettext, ngettext

from skillshare import i18n
from skillshare.cli import translations
from skillshare.config import ROOT

LANGUAGES = sorted(po.parts[-3] for po in i18n.SOURCES.glob("*/LC_MESSAGES/messages.po"))
FLASK_BABEL_WORDS = {"gettext", "ngettext", "lazy_gettext", "lazy_ngettext"}


@pytest.fixture(scope="module")
def words() -> Catalog:
    return translations.words_in_use()


@pytest.fixture
def run(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


@pytest.fixture
def spanish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the Spanish words that a test may break."""
    copy = tmp_path / "sources/es/LC_MESSAGES/messages.po"
    copy.parent.mkdir(parents=True)
    copy.write_bytes((i18n.SOURCES / "es/LC_MESSAGES/messages.po").read_bytes())
    monkeypatch.setattr(i18n, "SOURCES", tmp_path / "sources")
    return copy


def catalogue_of(language: str) -> Catalog:
    po = i18n.SOURCES / language / "LC_MESSAGES/messages.po"
    with po.open("rb") as source:
        return read_po(source, locale=language)


def spoil(po: Path, words: str, by: str) -> None:
    text = po.read_text(encoding="utf-8")
    assert text.count(words) == 1
    po.write_text(text.replace(words, by), encoding="utf-8")


def python_words() -> Iterator[tuple[Path, str]]:
    """The first text of every call of a gettext function, however it is broken over lines, found by Python itself."""
    for path in sorted((ROOT / "skillshare").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "flask_babel"
            for alias in node.names
            if alias.name in FLASK_BABEL_WORDS
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                first = node.args[0]
                assert isinstance(first, ast.Constant), f"{path}:{node.lineno}: words that nobody can find beforehand"
                yield path, first.value


def template_words() -> Iterator[tuple[Path, str]]:
    for path in sorted((ROOT / "templates").rglob("*.*")):
        text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for call in re.finditer(r"""(?<![\w.])(?:_|n?gettext)\(\s*(?:"([^"]+)"|'([^']+)')""", text):
            yield path, call[1] or call[2]


def test_there_is_spanish() -> None:
    assert LANGUAGES == ["es"]


@pytest.mark.parametrize("found", [python_words, template_words])
def test_every_word_of_code_and_templates_is_found(
    words: Catalog, found: Callable[[], Iterator[tuple[Path, str]]]
) -> None:
    seen = list(found())
    assert len(seen) > 300
    assert [(str(path), text) for path, text in seen if text not in words] == []


def test_the_mails_are_among_them(words: Catalog) -> None:
    files = {name for message in words for name, _line in message.locations}
    assert any(name.startswith("templates/mail/") for name in files)


def test_the_catalogues_are_complete_and_whole(run: FlaskCliRunner) -> None:
    result = run.invoke(args=["translations", "check"])
    assert result.exit_code == 0, result.output
    assert "complete" in result.output


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_holds_nothing_that_is_not_used(words: Catalog, language: str) -> None:
    assert [message.id for message in catalogue_of(language) if message.id and message.id not in words] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_the_ends_of_their_words(language: str) -> None:
    """A question stays a question, a colon leads on to what follows, and no blank is added."""
    for message in filter(lambda message: message.id, catalogue_of(language)):
        asked = message.id if isinstance(message.id, str) else message.id[-1]
        said = message.string if isinstance(message.string, str) else message.string[-1]
        if asked.endswith(("?", ":")):
            assert said.endswith(asked[-1]), asked
        assert said == said.strip(), asked
        assert "  " not in said, asked


@pytest.mark.parametrize(
    ("words", "by", "said"),
    [
        ('msgstr "Guardar mi plaza"', 'msgstr ""', "not translated: 'Keep my place'"),
        ('msgstr "%(day)s, %(time)s"', 'msgstr "%(day)s"', "leaves out %(time)s"),
        ('msgstr "%(day)s, %(time)s"', 'msgstr "%(day)s, %(hora)s"', "%(hora)s|hora"),
        ('msgid "Keep my place"', '#, fuzzy\nmsgid "Keep my place"', "not translated: 'Keep my place'"),
        ('msgid "Keep my place"', 'msgid "Keep a place"', "not translated: 'Keep my place'"),
    ],
    ids=["empty", "placeholder lost", "placeholder unknown", "unsure", "words changed"],
)
def test_a_broken_catalogue_is_noticed(run: FlaskCliRunner, spanish: Path, words: str, by: str, said: str) -> None:
    spoil(spanish, words, by)
    result = run.invoke(args=["translations", "check"])
    assert result.exit_code == 1
    assert any(part in result.output for part in said.split("|"))


def test_update_adds_what_is_new_drops_what_is_gone_and_keeps_the_rest(run: FlaskCliRunner, spanish: Path) -> None:
    before = spanish.read_bytes()
    spoil(spanish, 'msgid "Keep my place"', 'msgid "Long gone"')
    result = run.invoke(args=["translations", "update"])
    assert "es: 1 to translate" in result.output
    assert "Long gone" not in spanish.read_text(encoding="utf-8")
    spoil(spanish, 'msgid "Keep my place"\nmsgstr ""', 'msgid "Keep my place"\nmsgstr "Guardar mi plaza"')
    assert spanish.read_bytes() == before


def test_a_template_that_cannot_be_read_stops_the_extraction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/broken.html").write_text('{% if %}{{ _("Words") }}', encoding="utf-8")
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    with pytest.raises(Exception, match="Expected an expression"):
        translations.words_in_use()


def test_words_and_plurals_are_said(app: Flask) -> None:
    with app.test_request_context(), force_locale("es"):
        assert gettext("Keep my place") == "Guardar mi plaza"
        assert ngettext("%(num)d place left", "%(num)d places left", 1) == "Queda 1 plaza"
        assert ngettext("%(num)d place left", "%(num)d places left", 3) == "Quedan 3 plazas"
