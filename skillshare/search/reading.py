"""The snapshot that answers now, shared by all threads of a process.

A commit is noticed by one small file. Unchanged segments are the same objects in the next snapshot; each segment's
files are checked against their checksums when they are first opened, since Whoosh notices no damage itself.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from . import whoosh_parts as parts
from .engine import IndexBusy, IndexUnavailable
from .generations import Generations, Mark, read_checks, verify
from .segments import Memory, Segment
from .snapshot import Snapshot

LOOK_AGAIN_SECONDS = 2.0
"""How long a damaged state is taken to be damaged without another look."""
TRIES = 5
"""How often a state may be replaced while it is being opened."""


@contextmanager
def unavailable_if_damaged() -> Iterator[None]:
    """Turn whatever damaged files make Whoosh, numpy or pickle raise into IndexUnavailable."""
    try:
        yield
    except (IndexUnavailable, IndexBusy):
        raise
    except Exception as error:  # any: nothing in a damaged file says which
        raise IndexUnavailable("the index is damaged") from error


class Reader:
    """Opens snapshots, and keeps the last one."""

    def __init__(self, generations: Generations, memory: Memory) -> None:
        self._generations, self._memory = generations, memory
        self._opening = Lock()
        self._open: tuple[Mark, Snapshot] | None = None
        self._damaged: tuple[Mark, float] | None = None

    @contextmanager
    def reading(self, newest: bool = False) -> Iterator[Snapshot]:
        """The snapshot to read from; raises IndexUnavailable, also when reading from it fails.

        While another thread opens the newest, the one before it answers, unless `newest` is asked for.
        """
        mark = self._generations.mark()
        try:
            with unavailable_if_damaged():
                yield self._latest(mark, newest)
        except IndexUnavailable:
            if not self._known_damaged(mark):
                self._open, self._damaged = None, (mark, time.monotonic() + LOOK_AGAIN_SECONDS)
            raise

    def _known_damaged(self, mark: Mark) -> bool:
        damaged = self._damaged
        return damaged is not None and damaged[0] == mark and time.monotonic() < damaged[1]

    def _latest(self, mark: Mark, newest: bool) -> Snapshot:
        known = self._open
        if known and known[0] == mark:
            return known[1]
        if self._known_damaged(mark):
            raise IndexUnavailable("the index is damaged")
        if not self._opening.acquire(blocking=newest or known is None):
            return known[1] if known else self._latest(mark, newest=True)
        try:
            return self._reopened()
        finally:
            self._opening.release()

    def _reopened(self) -> Snapshot:
        for _ in range(TRIES):
            mark, known = self._generations.mark(), self._open
            if known and known[0] == mark:  # another thread was first
                return known[1]
            try:
                snapshot = self._opened(mark, known[1].segments if known else [])
            except Exception:
                if self._generations.mark() == mark:  # not replaced meanwhile: it is damaged
                    raise
            else:
                self._open = mark, snapshot
                return snapshot
        raise IndexUnavailable("the index changes too fast")

    def _opened(self, mark: Mark, open_already: list[Segment]) -> Snapshot:
        self._generations.check_safe()
        folder = self._generations.path(mark)
        checks = read_checks(folder, mark.contents)
        known = {segment.name: segment for segment in open_already}
        verify(folder, checks, [name for name in checks if parts.segment_of(name) not in known])
        opened = []
        for each in parts.segments_of(folder, mark.contents):
            segment = known.get(each.segment_id()) or Segment(parts.Stored(folder, each), self._memory)
            opened.append((segment, parts.alive_in(each, segment.size)))
        return Snapshot(str(mark), opened, self._memory)
