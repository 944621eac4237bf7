"""One segment of the index as arrays, with a bounded memory of what was decoded.

A segment's files never change, so nothing remembered of it goes stale; only the mask of what is alive does, and
that belongs to the snapshot.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cached_property, lru_cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .completion import Heads
from .joining import NO_IDS, NO_WEIGHTS
from .spelling import Spellings
from .whoosh_parts import FACT_NAMES, SCORED, Ids, Stored, Weights, weights_of

BYTES_A_DOCUMENT = 160
"""Bytes of decoded lists that are kept for each document of a large index."""
Arrays = tuple[NDArray[Any], ...]
Places = NDArray[np.uint32] | NDArray[np.uint64]

NAMES_KEPT = 1_024
"""Documents of a segment whose names stay in memory: those that lead often."""


class Memory:
    """The lists decoded last, up to so many bytes: `least_bytes`, or more in a large index (see `serve`)."""

    def __init__(self, least_bytes: int) -> None:
        self._least = self._limit = least_bytes
        self._used, self._lock = 0, Lock()
        self._lists: OrderedDict[Hashable, Arrays] = OrderedDict()

    def serve(self, documents: int) -> None:
        """Hold as much as an index of this size needs to remember its frequent words."""
        self._limit = max(self._least, documents * BYTES_A_DOCUMENT)

    def get(self, key: Hashable, decode: Callable[[], Arrays]) -> Arrays:
        with self._lock:
            if (known := self._lists.get(key)) is not None:
                self._lists.move_to_end(key)
                return known
        found = decode()  # two threads may both decode: harmless
        with self._lock:
            if key not in self._lists:
                self._lists[key] = found
                self._used += _size(found)
            while self._used > self._limit:
                _, oldest = self._lists.popitem(last=False)
                self._used -= _size(oldest)
        return found


def _size(arrays: Arrays) -> int:
    return sum(array.nbytes for array in arrays) + 300


class Segment:
    """One segment: ids here count from 0 within it."""

    def __init__(self, stored: Stored, memory: Memory) -> None:
        self.stored, self.name, self.size = stored, stored.name, stored.size
        self._memory = memory
        self._place_type: Any = np.uint32 if self.size <= 1 << 16 else np.uint64
        facts = stored.facts()
        self.facts = {name: facts[name].astype(np.int64) for name in FACT_NAMES}
        self.lengths = {field: stored.lengths(field) for field in SCORED}
        self.key = stored.text_reader("keys")
        self.names = lru_cache(maxsize=NAMES_KEPT)(stored.text_reader("heads"))
        self._facets: dict[str, tuple[list[str], list[NDArray[np.uint16]]]] = {}

    def postings(self, field: str, word: bytes) -> tuple[Ids, Weights]:
        """The documents that hold a word, ascending, and how heavily."""
        ids, weights = self._memory.get((self.name, field, "weights", word), lambda: self._decode(field, word))
        return ids, weights

    def _decode(self, field: str, word: bytes) -> Arrays:
        blocks = [(ids, weights_of(count, mass)) for count, ids, mass, _ in self.stored.blocks(field, word)]
        if not blocks:
            return NO_IDS, NO_WEIGHTS
        return tuple(np.concatenate(arrays) for arrays in zip(*blocks, strict=True))

    def places(self, field: str, word: bytes) -> Places:
        """Where a word stands (of a stem: in which halves): document × 65,536 + place, ascending."""
        return self._memory.get((self.name, field, "places", word), lambda: (self._places(field, word),))[0]

    def _places(self, field: str, word: bytes) -> Places:
        found = [np.empty(0, self._place_type)]
        for _, ids, _, payloads in self.stored.blocks(field, word):
            positions = np.frombuffer(b"".join(payloads), "<u2").astype(self._place_type)
            times = np.fromiter(map(len, payloads), np.int64, len(payloads)) // 2
            found.append(np.repeat(ids.astype(self._place_type) << 16, times) | positions)
        return np.concatenate(found)

    def number_of(self, key: str) -> int | None:
        """The document with this key, alive or not."""
        ids, _ = self._decode("key", key.encode())
        return int(ids[0]) if len(ids) else None

    def facet(self, name: str) -> tuple[list[str], list[NDArray[np.uint16]]]:
        """The values of a filter here, from 1 on, and which each document has: in as many columns as it has values."""
        if name not in self._facets:
            start = f"{name}=".encode()
            words = self.stored.words("filters", start)
            columns: list[NDArray[np.uint16]] = []
            for number, word in enumerate(words, 1):
                ids = self._decode("filters", word)[0]
                for column in columns:
                    free = column[ids] == 0
                    column[ids[free]] = number
                    ids = ids[~free]
                if len(ids):
                    columns.append(np.zeros(self.size, np.uint16))
                    columns[-1][ids] = number
            self._facets[name] = [word[len(start) :].decode("utf-8", "surrogatepass") for word in words], columns
        return self._facets[name]

    @cached_property
    def spellings(self) -> Spellings:
        return Spellings(self.stored.words("words"))

    @cached_property
    def heads(self) -> Heads:
        return Heads(self.stored.heads.get)
