"""`flask translations …`: the words of the pages in other languages."""

import re
import sys
from pathlib import Path

import click
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po
from flask import current_app
from flask.cli import AppGroup

from skillshare import i18n
from skillshare.config import ROOT

group = AppGroup("translations", help="The words of the pages in other languages.")
METHODS = [("skillshare/**.py", "python"), ("templates/**.html", "jinja2"), ("templates/**.txt", "jinja2")]
KEYWORDS = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None, "lazy_ngettext": (1, 2)}
# silent: a template that cannot be read must stop us; else all its words would leave the catalogues.
OPTIONS = {"templates/**": {"trimmed": "true", "encoding": "utf-8", "silent": "false"}}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")
# Headers that change at every run, or that nobody fills in.
UNTOLD = ('"POT-Creation-Date', '"PO-Revision-Date', '"Generated-By', '"Last-Translator', '"Report-Msgid-Bugs-To')


@group.command("update")
def update() -> None:
    """Bring every language's file up to date with the words in the code and the templates; keeps what is translated."""
    template = words_in_use()
    for po in sorted(i18n.SOURCES.glob("*/LC_MESSAGES/messages.po")):
        catalogue = _read(po)
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        _write(po, catalogue)
        click.echo(f"{po.parts[-3]}: {len(_missing(catalogue, template))} to translate")


@group.command("check")
def check() -> None:
    """Fail when a language lacks a word in use, or a translation would break its placeholders."""
    template = words_in_use()
    problems = []
    for po in sorted(i18n.SOURCES.glob("*/LC_MESSAGES/messages.po")):
        catalogue = _read(po)
        problems += [f"{po.parts[-3]}: not translated: {message!r}" for message in _missing(catalogue, template)]
        for message in catalogue:
            errors = [*message.check(catalogue), *_lost_placeholders(message)]
            problems += [f"{po.parts[-3]}: {message.id!r}: {error}" for error in errors]
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(1)
    click.echo(f"Translations complete: {len(template)} messages.")


@group.command("compile")
def compile_() -> None:
    """Compile the translations into the data folder, where they are read."""
    written = i18n.compile_translations(Path(current_app.config["BABEL_TRANSLATION_DIRECTORIES"]))
    click.echo(f"Compiled {written}.")


def words_in_use() -> Catalog:
    """All messages of the code and the templates."""
    catalogue = Catalog(charset="utf-8")
    found = extract_from_dir(ROOT, METHODS, OPTIONS, KEYWORDS, directory_filter=_ours)
    for filename, lineno, message, comments, context in found:
        catalogue.add(message, None, [(filename, lineno)], auto_comments=comments, context=context)
    return catalogue


def _ours(folder: str) -> bool:
    name = Path(folder).name
    return not name.startswith((".", "_")) and name not in ("instance", "tests", "static", "migrations", "benchmarks")


def _read(po: Path) -> Catalog:
    with po.open("rb") as source:
        return read_po(source, locale=po.parts[-3])


def _write(po: Path, catalogue: Catalog) -> None:
    with po.open("wb") as out:
        write_po(out, catalogue, width=110, omit_header=False, no_location=True, sort_output=True)
    text = po.read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.startswith(UNTOLD)]
    po.write_text("\n".join(kept) + "\n", encoding="utf-8")


def _lost_placeholders(message: Message) -> list[str]:
    """What a translation leaves out of `%(name)s` and the like. "One" may say its number in words."""
    asked = message.id if isinstance(message.id, str) else message.id[-1]
    said = message.string if isinstance(message.string, str) else (message.string or [""])[-1]
    lost = set(PLACEHOLDER.findall(asked)) - set(PLACEHOLDER.findall(said)) if said else set()
    return [f"the translation leaves out {name}" for name in sorted(lost)]


def _missing(catalogue: Catalog, template: Catalog) -> list[str]:
    missing = []
    for message in template:
        if not message.id:
            continue
        translated = catalogue.get(message.id, message.context)
        strings = translated.string if translated else ""
        whole = all(strings) if isinstance(strings, list | tuple) else bool(strings)
        if translated is None or not whole or translated.fuzzy:
            missing.append(str(message.id))
    return missing
