"""One state of the index, all segments as one: a document's id here counts through all of them."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import accumulate
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .analysis import QueryWord
from .engine import Half
from .fields import HALVES, PLACES, encoded, filter_word
from .joining import NO_IDS, NO_WEIGHTS, Matches, best_of, either, holds
from .segments import Memory, Places, Segment
from .whoosh_parts import LENGTH_OF_BYTE, Ids, Weights

K1, B = 1.2, 0.75
"""BM25F's saturation and length norm, measured on known items: a B of 0.5 does worse on all, another K1 on some."""

PASSING_KEPT = 32

Mask = NDArray[np.bool_]


class Facet(NamedTuple):
    """The values of a filter, from 1 on, and which each document has: a column for its first value, its second, …"""

    values: list[str]
    columns: list[NDArray[np.uint16]]


class Snapshot:
    """Segments, with what is alive of each. Never changes; a commit makes another one."""

    def __init__(self, generation: str, segments: list[tuple[Segment, Mask | None]], memory: Memory) -> None:
        self.generation = generation
        self.segments = [segment for segment, _ in segments]
        sizes = [segment.size for segment in self.segments]
        self.starts = [0, *accumulate(sizes)][:-1]
        self.size = sum(sizes)
        masks = [np.ones(segment.size, np.bool_) if alive is None else alive for segment, alive in segments]
        self.alive: Mask = np.concatenate([np.empty(0, np.bool_), *masks])
        self.all_alive = all(alive is None for _, alive in segments)
        self._memory, self._own = memory, object()
        self._facts: dict[str, NDArray[np.int64]] = {}
        self._norms: dict[str, tuple[NDArray[np.float32], NDArray[np.uint8]]] = {}
        self._passing: dict[tuple[str, frozenset[str]], Mask | None] = {}
        self._facets: dict[str, Facet] = {}

    @cached_property
    def ids(self) -> Ids:
        """Every document, the dead ones too."""
        return np.arange(self.size, dtype=np.int32)

    def alive_in(self, at: int) -> Mask:
        """What is alive of the segment at this place."""
        return self.alive[self.starts[at] : self.starts[at] + self.segments[at].size]

    def key(self, number: int) -> str:
        """The key of a document."""
        at = bisect_right(self.starts, number) - 1
        return self.segments[at].key(number - self.starts[at])

    def names(self, number: int) -> str:
        """The names that a document is called by, as completion keeps them: a line each, language<tab>name."""
        at = bisect_right(self.starts, number) - 1
        return self.segments[at].names(number - self.starts[at])

    def living(self) -> Iterator[tuple[int, str]]:
        """Every living document's id and key."""
        for number in np.flatnonzero(self.alive).tolist():
            yield number, self.key(number)

    def living_of(self, keys: Iterable[str]) -> Iterator[tuple[int, str]]:
        """The living documents among these keys, each with its id."""
        for key in keys:
            for segment, start in zip(self.segments, self.starts, strict=True):
                number = segment.number_of(key)
                if number is not None and self.alive[start + number]:
                    yield start + number, key

    def fact(self, name: str) -> NDArray[np.int64]:
        """One of FACTS for all documents."""
        if name not in self._facts:
            found = [segment.facts[name] for segment in self.segments]
            self._facts[name] = found[0] if len(found) == 1 else np.concatenate([np.empty(0, np.int64), *found])
        return self._facts[name]

    def postings(self, field: str, word: bytes) -> tuple[Ids, Weights]:
        """The documents that hold a word, ascending (the dead ones too), and how heavily."""
        ids, weights = [], []
        for segment, start in zip(self.segments, self.starts, strict=True):
            some, mass = segment.postings(field, word)
            if len(some):
                ids.append(some + np.int32(start) if start else some)
                weights.append(mass)
        if len(ids) == 1:
            return ids[0], weights[0]
        return np.concatenate([NO_IDS, *ids]), np.concatenate([NO_WEIGHTS, *weights])

    def scored_word(self, word: QueryWord, half: Half | None = None) -> Matches:
        """The documents that a word asked for matches, in one half if one is given.

        Each gains the score of the word's best form as written, and of its best stem besides.
        """

        def score() -> tuple[Ids, Weights]:
            forms = best_of([self.scored("words", form) for form in word.forms])
            stems = best_of([self.scored("stems", stem) for stem in word.stems])
            ids, gains, _ = either(
                self.size, [(found, 1) for found in (forms, stems) if len(found.ids)] or [(forms, 1)]
            )
            if half is None:
                return ids, gains
            kept = holds(self._in_half(word, half), ids)
            return ids[kept], gains[kept]

        return Matches(*self._memory.get((self._own, word, half), score))

    def scored(self, field: str, word: str) -> Matches:
        """The documents that hold a word, with their BM25F score for it: Whoosh's own formula and numbers."""
        ids, weights = self.postings(field, encoded(word))
        if not len(ids):
            return Matches(ids, weights)
        idf = log(self.size / (len(ids) + 1)) + 1
        norms, lengths = self._norm(field)
        return Matches(ids, np.float32(idf * (K1 + 1)) * weights / (weights + norms[lengths[ids]]))

    def _norm(self, field: str) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """BM25's share of the length for each length there is, and every document's length."""
        if field not in self._norms:
            average = sum(segment.stored.field_length(field) for segment in self.segments) / self.size or 1
            norms = (K1 * ((1 - B) + B * LENGTH_OF_BYTE / average)).astype(np.float32)
            self._norms[field] = norms, np.concatenate([segment.lengths[field] for segment in self.segments])
        return self._norms[field]

    def holding(self, field: str, words: tuple[str, ...]) -> Ids:
        """The documents that hold any of these words in a field, ascending."""
        return best_of([Matches(*self.postings(field, encoded(word))) for word in words]).ids

    def with_phrase(self, words: list[str], half: Half | None = None) -> Ids:
        """The documents that hold these words as written, one after another; in one half only, if one is given."""
        ids = [NO_IDS]
        for segment, start in zip(self.segments, self.starts, strict=True):
            places = sorted(((segment.places("words", encoded(w)), step) for step, w in enumerate(words)), key=_count)
            found = places[0][0] - places[0][1]  # where the phrase would begin, by its rarest word
            for others, step in places[1:]:
                found = found[_stand_in(others, found + step)]
            ids.append(_documents(_places_in(found, half) if half else found) + np.int32(start))
        return np.concatenate(ids)

    def _in_half(self, word: QueryWord, half: Half) -> Ids:
        """The documents that hold a word asked for in one half, ascending."""
        ids = [NO_IDS]
        for segment, start in zip(self.segments, self.starts, strict=True):
            found = [_places_in(segment.places("words", encoded(form)), half) for form in word.forms]
            for stem in word.stems:
                halves = segment.places("stems", encoded(stem))
                found.append(halves[halves & 0xFFFF == HALVES[half]])
            ids.append(np.unique(np.concatenate([_documents(places) for places in found])) + np.int32(start))
        return np.concatenate(ids)

    def passing(self, name: str, values: frozenset[str]) -> Mask | None:
        """Which documents pass a filter with any of these values; None where all do. The last few are kept."""
        if (name, values) in self._passing:
            return self._passing[name, values]
        found: Mask = np.zeros(self.size, np.bool_)
        for value in values:
            found[self.postings("filters", filter_word(name, value))[0]] = True
        mask = None if found.all() else found
        if len(self._passing) >= PASSING_KEPT:
            self._passing = {}
        self._passing[name, values] = mask
        return mask

    def counts(self, name: str, ids: Ids) -> tuple[tuple[str, int], ...]:
        """How many of these documents have each value of a filter, most first."""
        values, columns = self._facet(name)
        if not values or not len(ids):
            return ()
        counts = np.zeros(len(values) + 1, np.intp)
        for column in columns:
            counts += np.bincount(column[ids], minlength=len(counts))
        found = [(value, count) for value, count in zip(values, counts[1:].tolist(), strict=True) if count]
        return tuple(sorted(found, key=lambda pair: (-pair[1], pair[0])))

    def _facet(self, name: str) -> Facet:
        if name not in self._facets:
            each = [segment.facet(name) for segment in self.segments]
            numbers: dict[str, int] = {}
            for values, _ in each:
                for value in values:
                    numbers.setdefault(value, len(numbers) + 1)
            columns = []
            for layer in range(max((len(columns) for _, columns in each), default=0)):
                here = [np.empty(0, np.uint16)]
                for segment, (values, known) in zip(self.segments, each, strict=True):
                    codes = np.array([0, *(numbers[value] for value in values)], np.uint16)
                    here.append(codes[known[layer]] if layer < len(known) else np.zeros(segment.size, np.uint16))
                columns.append(np.concatenate(here))
            self._facets[name] = Facet(list(numbers), columns)
        return self._facets[name]

    def near(self, word: str) -> set[str]:
        """The words of all documents that are one typing mistake away."""
        return {near for segment in self.segments for near in segment.spellings.near(word)}

    def alike(self, word: str) -> list[str]:
        """The words of all documents that begin as this one does and are like it, the most alike first."""
        found: dict[str, float] = {}
        for segment in self.segments:
            found |= segment.spellings.alike(word)
        return sorted(found, key=lambda near: (-found[near], near))


def _count(places: tuple[Places, int]) -> int:
    return len(places[0])


def _stand_in(sorted_places: Places, places: Places) -> Mask:
    """Which of some places are among others, both ascending."""
    if not len(sorted_places):
        return np.zeros(len(places), np.bool_)
    at = np.searchsorted(sorted_places, places)
    at[at == len(sorted_places)] = 0
    found: Mask = sorted_places[at] == places
    return found


def _documents(places: Places) -> Ids:
    """The documents of ascending places, each once."""
    ids = (places >> 16).astype(np.int32)
    return ids[np.diff(ids, prepend=np.int32(-1)) != 0]


def _places_in(places: Places, half: Half) -> Places:
    first, end = PLACES[half]
    stands = places & 0xFFFF
    return places[(stands >= first) & (stands < end)]
