"""`flask search …`: the search index, which can always be made again from the database."""

import sys
from time import perf_counter

import click
from flask import current_app
from flask.cli import AppGroup

from skillshare import jobs
from skillshare.search import sync
from skillshare.search.engine import IndexBusy, IndexUnavailable, SearchEngine

group = AppGroup("search", help="The search index: build it, bring it up to date, compare it with the database.")


@group.command("rebuild")
def rebuild() -> None:
    """Build the index anew beside the one that answers, then put it in its place."""
    began = perf_counter()
    try:
        generation = sync.rebuild(_engine(), lambda done: _tell(done, began))
    except IndexBusy:
        sys.exit("Another process writes to the index. Try again in a moment.")
    except IndexUnavailable as problem:
        sys.exit(f"The index cannot be built: {problem}")
    click.echo(f"\r{_pace(_engine().status().documents, began)}. Answering from {generation}.")


@group.command("sync")
def sync_() -> None:
    """Do now what the worker would do: bring the index up to date with all that has changed."""
    began, done = perf_counter(), 0
    while some := jobs.work_once("index"):
        done += some
        _tell(done, began)
    click.echo(f"\r{done} changes brought into the index.")


@group.command("check")
@click.option("--repair", is_flag=True, help="Set right what differs.")
def check(repair: bool) -> None:
    """Compare every document in the index with the database; fails when they differ."""
    try:
        difference = sync.check(_engine())
        rest = sync.repair(_engine(), difference) if repair else set()
    except (IndexBusy, IndexUnavailable) as problem:
        sys.exit(f"The index cannot be read: {problem}. `flask search rebuild` makes it anew.")
    for word in ("missing", "outdated", "leftover"):
        keys = sorted(getattr(difference, word))
        click.echo(f"{word}: {len(keys)} {' '.join(keys[:5])}".rstrip())
    if rest or (difference and not repair):
        sys.exit(1)


def _engine() -> SearchEngine:
    engine: SearchEngine = current_app.extensions["search"]
    return engine


def _tell(done: int, began: float) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{_pace(done, began)}", nl=False, err=True)


def _pace(done: int, began: float) -> str:
    return f"{done} documents, {done / max(perf_counter() - began, 0.001):.0f} a second"
