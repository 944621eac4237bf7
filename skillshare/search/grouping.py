"""Postings as they arrive document by document, handed on word by word: flat arrays, sorted once.

Nothing here knows Whoosh. A posting costs some sixteen bytes until it is written.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NO_SIZES: NDArray[np.uint16] = np.empty(0, np.uint16)
NO_STARTS: NDArray[np.int64] = np.empty(0, np.int64)
RUN = 32_768
"""Postings that are turned into Python's own numbers at a time."""


class Postings(NamedTuple):
    """One document's words in a field with their weights, where each stands in the same order, and their number."""

    weights: dict[bytes, float]
    places: tuple[bytes, ...] = ()
    length: int = 0


class WordPostings(NamedTuple):
    """One word's postings in order of their documents. `places` is None in a field that keeps none."""

    word: bytes
    ids: Sequence[int]
    weights: Sequence[float]
    places: Sequence[bytes] | None
    lengths: tuple[int, int]
    """The least and the greatest length, as Whoosh's byte, of the documents."""


class Numbered(dict[bytes, int]):
    """Gives each new word the next number."""

    def __missing__(self, word: bytes) -> int:
        number = self[word] = len(self)
        return number


class FieldPostings:
    """All postings of one field."""

    def __init__(self, placed: bool) -> None:
        self.placed = placed
        self.words = Numbered()
        self._terms, self._ids, self._weights = array("I"), array("I"), array("f")
        self._places, self._sizes = bytearray(), array("H")

    def add(self, number: int, weights: Mapping[bytes, float], places: Sequence[bytes] = ()) -> None:
        """One document's words with their weights; in a placed field with where each stands, in the same order."""
        words = self.words
        self._terms.extend([words[word] for word in weights])
        self._weights.extend(weights.values())
        self._ids.extend([number] * len(weights))
        if self.placed:
            self._places += b"".join(places)
            self._sizes.extend(map(len, places))

    def extend(self, word: bytes, ids: NDArray[np.int32], weights: NDArray[np.float32], places: list[bytes]) -> None:
        """Many documents that hold one word, all later than those it was given before."""
        self._terms.extend([self.words[word]] * len(ids))
        self._ids.extend(ids.tolist())
        self._weights.extend(weights.tolist())
        if self.placed:
            self._places += b"".join(places)
            self._sizes.extend(map(len, places))

    def by_word(self, lengths: NDArray[np.uint8]) -> Iterator[WordPostings]:
        """Each word's postings, in order of the words' bytes. `lengths` is each document's length in this field."""
        words = sorted(self.words)
        if not words:
            return
        place_of = np.empty(len(words), np.int32)
        place_of[[self.words[word] for word in words]] = np.arange(len(words), dtype=np.int32)
        terms = place_of[np.frombuffer(self._terms, np.uint32)]
        order = np.argsort(terms, kind="stable")
        ends = np.cumsum(np.bincount(terms, minlength=len(words))).tolist()
        del terms  # millions of numbers
        ids, weights = np.frombuffer(self._ids, np.uint32)[order], np.frombuffer(self._weights, np.float32)[order]
        firsts = np.array([0, *ends[:-1]])
        shortest = np.minimum.reduceat(lengths[ids], firsts).tolist()
        longest = np.maximum.reduceat(lengths[ids], firsts).tolist()
        sizes = np.frombuffer(self._sizes, np.uint16)[order] if self.placed else NO_SIZES
        starts = np.cumsum(self._sizes, dtype=np.int64)[order] - sizes if self.placed else NO_STARTS
        for first, last in _runs(ends):
            start = ends[first - 1] if first else 0
            run = slice(start, ends[last])
            some_ids, some_weights = ids[run].tolist(), weights[run].tolist()
            places = self._cut(starts[run], sizes[run])
            for at in range(first, last + 1):
                part = slice(start - run.start, ends[at] - run.start)
                yield WordPostings(
                    words[at],
                    some_ids[part],
                    some_weights[part],
                    places[part] if places is not None else None,
                    (shortest[at], longest[at]),
                )
                start = ends[at]

    def _cut(self, starts: NDArray[np.int64], sizes: NDArray[np.uint16]) -> list[bytes] | None:
        if not self.placed:
            return None
        whole = self._places
        return [bytes(whole[at : at + size]) for at, size in zip(starts.tolist(), sizes.tolist(), strict=True)]


def _runs(ends: list[int]) -> Iterator[tuple[int, int]]:
    """The first and last word of each run of about RUN postings; at least one word each."""
    first = start = 0
    for at, end in enumerate(ends):
        if end - start >= RUN or at == len(ends) - 1:
            yield first, at
            first, start = at + 1, end
