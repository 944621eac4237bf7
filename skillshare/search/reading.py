"""The snapshot that answers now, shared by all threads of a process.

A commit is noticed by one small file. Unchanged segments are the same objects in the next snapshot; each segment's
files are checked against their checksums when they are first opened, since Whoosh notices no damage itself. Of a large
index that would take seconds: there, all sizes are checked at once and the checksums while it answers.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, Thread

from . import whoosh_parts as parts
from .engine import IndexBusy, IndexUnavailable
from .generations import Checks, Generations, Mark, read_checks, verify, verify_sizes
from .segments import Memory, Segment
from .snapshot import Snapshot

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 2.0
"""How long a damaged state is taken to be damaged without another look."""
CHECKED_AT_ONCE = 64 << 20
"""Bytes of new files up to which their checksums are checked before any answer: about a tenth of a second."""
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
        self._bad_segments: set[str] = set()

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
        if known and self._bad_segments.intersection(segment.name for segment in known[1].segments):
            known = self._open = None
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
        self._verify(folder, checks, [name for name in checks if parts.segment_of(name) not in known])
        opened = []
        for each in parts.segments_of(folder, mark.contents):
            segment = known.get(each.segment_id()) or Segment(parts.Stored(folder, each), self._memory)
            opened.append((segment, parts.alive_in(each, segment.size)))
        snapshot = Snapshot(str(mark), opened, self._memory)
        self._memory.serve(snapshot.size)
        return snapshot

    def _verify(self, folder: Path, checks: Checks, names: list[str]) -> None:
        """Raises IndexUnavailable if these files are damaged, as far as can be said soon."""
        if self._bad_segments.intersection(map(parts.segment_of, checks)):
            raise IndexUnavailable(f"a segment in {folder} is damaged")
        if sum(checks[name][0] for name in names) <= CHECKED_AT_ONCE:
            verify(folder, checks, names)
        else:
            verify_sizes(folder, checks, names)
            Thread(target=self._verify_later, args=(folder, checks, names), name="checksums", daemon=True).start()

    def _verify_later(self, folder: Path, checks: Checks, names: list[str]) -> None:
        for name in names:
            try:
                verify(folder, checks, [name])
            except FileNotFoundError:
                return  # another generation has come
            except (IndexUnavailable, OSError) as problem:
                log.error("what answers is damaged: %s", problem)
                self._bad_segments.add(parts.segment_of(name))  # whoever reads next sees it
                return
