"""Keep the index in step: outbox rows in, current documents out.

What is true is asked of the database each time, never carried in a row: so all of this may run twice, late, or in
several processes at once. A document's version is a fingerprint of all it says; equal versions are equal documents.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

import sqlalchemy as sa

from skillshare import clock
from skillshare.db import db
from skillshare.models.outbox import Outbox

from . import documents
from .engine import Document, IndexBusy, IndexUnavailable, SearchEngine

log = logging.getLogger(__name__)

TRIES = 3
LOOK_EVERY, SWEEP_EVERY = 1.0, 60.0
"""Seconds between two looks at the index's health, and at what time took off the lists."""
SWEEP_BACK = timedelta(days=30)
BACK_OFF = (60.0, 300.0, 1800.0)
"""Seconds until the next try after a rebuild has failed once, twice, more often."""


@dataclass(frozen=True)
class Difference:
    """What the index says otherwise than the database, as keys."""

    missing: frozenset[str]
    outdated: frozenset[str]
    leftover: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.missing or self.outdated or self.leftover)


def sync_rows(engine: SearchEngine, rows: list[Outbox]) -> list[Outbox]:
    """Bring the documents these rows name up to date; the rows whose documents were then seen in the index.

    Builds the index first when it is missing or damaged. Rows that could not be done stay for later.
    """
    keys = {row.id: row.key.removeprefix("index:") for row in rows}
    with _reading() as connection:
        followers = documents.following(connection, set(keys.values()))
    wanted = sorted(set().union(*followers.values()))
    try:
        late = {key for some in documents.chunks(wanted) for key in _bring(engine, some)}
    except IndexUnavailable as problem:
        log.warning("the index is built anew: %s", problem)
        late = set() if _rebuilt(engine) else set(wanted)
    except IndexBusy:
        late = set(wanted)
    return [row for row in rows if not followers[keys[row.id]] & late]


def rebuild(engine: SearchEngine, progress: Callable[[int], None] = lambda done: None) -> str:
    """Build the index anew beside the one that answers, and put it in its place; its name.

    The engine lets one process write at a time: a second rebuild raises IndexBusy. The documents are read once
    the engine asks for them, when nobody else writes: what is changed meanwhile is still in the outbox.
    """
    return engine.rebuild(_everything(), progress)


def check(engine: SearchEngine) -> Difference:
    """Compare every document with the index. Raises IndexUnavailable."""
    there, seen = dict(engine.versions()), set()
    missing, outdated = set(), set()
    for document in _everything():
        seen.add(document.key)
        if document.key not in there:
            missing.add(document.key)
        elif there[document.key] != document.version:
            outdated.add(document.key)
    return Difference(frozenset(missing), frozenset(outdated), frozenset(there.keys() - seen))


def repair(engine: SearchEngine, difference: Difference) -> set[str]:
    """Set right what `check` found; the keys that could not be. Raises IndexUnavailable, IndexBusy."""
    keys = sorted(difference.missing | difference.outdated | difference.leftover)
    return {key for some in documents.chunks(keys) for key in _bring(engine, some)}


class Tending:
    """What a worker does for the index besides syncing: build it when it is gone, remove what time has ended."""

    def __init__(self, engine: SearchEngine) -> None:
        self._engine = engine
        self._look_at = self._sweep_at = 0.0
        self._failed = 0
        self._swept = clock.now() - SWEEP_BACK

    def tend(self) -> None:
        """Do what is due; cheap, and never raises."""
        now = monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            self._build_if_needed(now)
        if now >= self._sweep_at and not self._failed:
            self._sweep_at = now + SWEEP_EVERY
            self._sweep()

    def _build_if_needed(self, now: float) -> None:
        problem = self._engine.status().problem
        if problem is None:
            self._failed = 0
            return
        log.warning("the index is built anew: %s", problem)
        try:
            _rebuilt(self._engine)
            self._failed = 0
        except Exception:  # any: a full disk, a folder that cannot be written
            log.exception("the index could not be built")
            self._look_at = now + BACK_OFF[min(self._failed, len(BACK_OFF) - 1)]
            self._failed += 1

    def _sweep(self) -> None:
        began = clock.now()
        with _reading() as connection:
            keys = sorted(documents.ended(connection, self._swept))
        try:
            for some in documents.chunks(keys):
                _bring(self._engine, some)
            self._swept = began - timedelta(days=2)  # a day on the calendar ends later elsewhere; twice is harmless
        except (IndexUnavailable, IndexBusy) as problem:
            log.info("what has ended stays in the index for now: %s", problem)


def _bring(engine: SearchEngine, keys: Iterable[str]) -> set[str]:
    """Make the index say what is true of these keys; those of which it does not say so yet.

    Looks again after each change: another process may have read before us and written after us.
    """
    keys = tuple(keys)
    for _ in range(TRIES):
        changed, gone = _differing(engine, keys)
        if not changed and not gone:
            return set()
        engine.apply(changed, gone)
    changed, gone = _differing(engine, keys)
    return {*gone, *(document.key for document in changed)}


def _differing(engine: SearchEngine, keys: tuple[str, ...]) -> tuple[list[Document], list[str]]:
    with _reading() as connection:
        true = documents.load(connection, keys)
    there = engine.versions(keys)
    changed = [document for key, document in true.items() if there.get(key) != document.version]
    return changed, [key for key in there if key not in true]


def _rebuilt(engine: SearchEngine) -> bool:
    """Build the index anew, unless somebody else is doing it."""
    try:
        rebuild(engine)
    except IndexBusy:
        return False
    return True


def _everything() -> Iterator[Document]:
    with _reading() as connection:
        yield from documents.everything(connection)


@contextmanager
def _reading() -> Iterator[sa.Connection]:
    """A connection that only reads, apart from the session: it sees what is committed, and holds up nobody."""
    with db.engine.execution_options(reads_only=True).connect() as connection:
        yield connection
