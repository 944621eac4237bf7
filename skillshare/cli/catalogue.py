"""`flask catalogue …`: many skills at once, from the starter list or from ESCO."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click
from flask.cli import AppGroup
from tqdm import tqdm

from skillshare import catalogue, i18n
from skillshare.catalogue.entries import Entry
from skillshare.catalogue.rows import NotACatalogue
from skillshare.catalogue.shelves import Report
from skillshare.db import db

group = AppGroup("catalogue", help="Many skills at once.")
FILE = click.Path(exists=True, path_type=Path)
SHOWN = 20


@group.command("starter")
@click.argument("path", type=FILE, required=False)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
def starter(path: Path | None, dry_run: bool) -> None:
    """Add our starter list of everyday skills, or the list at PATH instead."""
    _run(lambda: catalogue.starter(path, _bar), dry_run)


@group.command("import")
@click.argument("path", type=FILE)
@click.option("--language", "languages", multiple=True, help="Of ESCO, take only this language (may be repeated).")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
def import_(path: Path, languages: tuple[str, ...], dry_run: bool) -> None:
    """Add the skills of PATH: a list like the starter's, or ESCO's official CSV files (one, a folder, or the zip).

    All of it happens in one transaction or not at all; running it again adds only what is missing.
    """
    _run(lambda: catalogue.bring_in(path, languages or i18n.locales(), _bar), dry_run)


def _run(work: Callable[[], Report], dry_run: bool) -> None:
    """Do the work, commit it unless this is a dry run, and say what was done."""
    try:
        report = work()
    except NotACatalogue as error:
        db.session.rollback()
        raise click.ClickException(f"{error}.") from error
    if dry_run:
        db.session.rollback()
        click.echo("Dry run: nothing was changed. This is what would be done.")
    else:
        db.session.commit()
    for line in _told(report):
        click.echo(line)


def _told(report: Report) -> Iterable[str]:
    yield f"{report.skills} new skills, {report.texts} texts (one skill in one language), {report.links} links."
    if report.there:
        yield f"{report.there} texts were there already."
    if report.taken:
        yield f"{len(report.taken)} texts left out, because another skill has their name in that language:"
        yield from (f"  {name}" for name in report.taken[:SHOWN])
        if len(report.taken) > SHOWN:
            yield f"  … and {len(report.taken) - SHOWN} more."
    if report.other_names_taken:
        yield f"{report.other_names_taken} other names left out, because another skill has them."
    if report.loops:
        yield f"{report.loops} links left out: a skill would have come before itself."
    if report.bad:
        yield f"{len(report.bad)} rows could not be used and were skipped:"
        yield from (f"  {bad}" for bad in report.bad)
    if report.attribution:
        yield report.attribution


def _bar(work: Sequence[list[Entry]], words: str) -> Iterable[list[Entry]]:
    """A progress bar that counts skills; none where nobody watches."""
    with tqdm(total=sum(map(len, work)), unit=f" {words}", disable=None) as bar:
        for chunk in work:
            yield chunk
            bar.update(len(chunk))
