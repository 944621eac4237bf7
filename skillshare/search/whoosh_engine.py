"""The embedded engine: a Whoosh index in a folder of ours, executed with array operations over its postings.

Never Whoosh's `Searcher.refresh()` or `reader(reuse=…)`: all its forks then go on serving deleted documents.
Reading stands in reading.py and snapshot.py, finding in matching.py, committing in writing.py.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from . import writing
from .analysis import main_language, sounded_out
from .engine import (
    Document,
    EngineStatus,
    IndexUnavailable,
    SearchPage,
    SearchRequest,
    Suggestion,
)
from .generations import Generations
from .matching import answer
from .reading import Reader, unavailable_if_damaged
from .segments import Memory

MEMORY_BYTES = 24 << 20
BUSY_SECONDS = 5.0


class WhooshEngine:
    """Keeps the SearchEngine protocol; safe to share between threads, with one writer among all processes.

    `languages` are those of the instance: questions are stemmed in each of them. `memory_bytes` bounds what is
    kept of decoded postings, unless the index is large; `busy_seconds` is how long a writer waits for another.
    Raises IndexUnavailable at once if others could write in the folder.
    """

    def __init__(
        self,
        folder: Path,
        languages: Sequence[str] = ("en", "es"),
        memory_bytes: int = MEMORY_BYTES,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self.languages = tuple(dict.fromkeys(main_language(language) for language in languages))
        self._busy_seconds = busy_seconds
        self._generations = Generations(folder, self.languages)
        self._generations.prepare()
        self._reader = Reader(self._generations, Memory(memory_bytes))

    def search(self, request: SearchRequest) -> SearchPage:
        """See SearchEngine."""
        began = time.perf_counter()
        with self._reader.reading() as snapshot:
            page = answer(snapshot, request, self.languages)
        return replace(page, took_ms=(time.perf_counter() - began) * 1000)

    def complete(self, prefix: str, kinds: frozenset[str], language: str, limit: int = 8) -> tuple[Suggestion, ...]:
        """See SearchEngine."""
        typed = sounded_out(prefix)
        if not typed:
            return ()
        with self._reader.reading() as snapshot:
            found = [
                (each.order, each.head, segment.key(each.number))
                for at, segment in enumerate(snapshot.segments)
                for each in segment.heads.complete(typed, snapshot.alive_in(at), kinds, main_language(language), limit)
            ]
        return tuple(Suggestion(key) for _, _, key in sorted(found)[:limit])

    def apply(self, upserts: Sequence[Document], deletions: Sequence[str] = ()) -> None:
        """See SearchEngine. Of two documents with one key the last counts."""
        documents = {document.key: document for document in upserts}
        gone, added = (
            {*documents, *deletions},
            [writing.prepared(each, frozenset(self.languages)) for each in documents.values()],
        )
        if not gone:
            return
        with self._generations.writing(self._busy_seconds):
            with self._reader.reading(newest=True) as snapshot:
                mark = self._generations.mark()
            with unavailable_if_damaged():
                writing.replace(self._generations, mark, snapshot, gone, added)

    def rebuild(self, documents: Iterable[Document], progress: Callable[[int], None] = lambda done: None) -> str:
        """See SearchEngine."""
        with self._generations.writing(self._busy_seconds):
            return str(writing.rebuild(self._generations, documents, progress))

    def versions(self, keys: Iterable[str] | None = None) -> Mapping[str, int]:
        """See SearchEngine."""
        with self._reader.reading(newest=True) as snapshot:
            versions = snapshot.fact("version")
            living = snapshot.living() if keys is None else snapshot.living_of(keys)
            return {key: int(versions[number]) for number, key in living}

    def status(self) -> EngineStatus:
        """See SearchEngine. Also looks whether every file is still there and as long as it was."""
        size = self._generations.size_bytes()
        try:
            with self._reader.reading() as snapshot, unavailable_if_damaged():
                self._generations.check_sizes()
                return EngineStatus(snapshot.generation, int(np.count_nonzero(snapshot.alive)), size, None)
        except IndexUnavailable as problem:
            return EngineStatus("", 0, size, str(problem))
