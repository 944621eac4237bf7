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
from .segments import NO_IDS, NO_WEIGHTS, Segment
from .whoosh_parts import FACT_NAMES, LENGTH_OF_BYTE, Ids, Weights

K1, B = 1.2, 0.5
"""BM25F's saturation and length norm; B measured best between 0.3 and 0.75 on six collections."""

PASSING_KEPT = 32

Mask = NDArray[np.bool_]


class Facet(NamedTuple):
    """The values of a filter, and the documents of each one after another; `firsts` is where each begins."""

    values: list[str]
    ids: Ids
    firsts: NDArray[np.intp]


class Snapshot:
    """Segments, with what is alive of each. Never changes; a commit makes another one."""

    def __init__(self, generation: str, segments: list[tuple[Segment, Mask | None]]) -> None:
        self.generation = generation
        self.segments = [segment for segment, _ in segments]
        sizes = [segment.size for segment in self.segments]
        self.starts = [sum(sizes[:at]) for at in range(len(sizes))]
        self.size = sum(sizes)
        masks = [np.ones(segment.size, np.bool_) if alive is None else alive for segment, alive in segments]
        self.alive: Mask = np.concatenate([np.empty(0, np.bool_), *masks])
        self._norms: dict[str, NDArray[np.float32]] = {}
        self._passing: dict[tuple[str, frozenset[str]], Mask] = {}
        self._facets: dict[str, Facet] = {}

    def alive_in(self, at: int) -> Mask:
        """What is alive of the segment at this place."""
        return self.alive[self.starts[at] : self.starts[at] + self.segments[at].size]

    def key(self, number: int) -> str:
        """The key of a document."""
        at = bisect_right(self.starts, number) - 1
        return self.segments[at].key(number - self.starts[at])

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

    @cached_property
    def facts(self) -> dict[str, NDArray[np.int64]]:
        """Each of FACTS for all documents."""
        none = np.empty(0, np.int64)
        return {
            name: np.concatenate([none, *(segment.facts[name] for segment in self.segments)]) for name in FACT_NAMES
        }

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

    def scored(self, field: str, word: str) -> tuple[Ids, Weights]:
        """The documents that hold a word, with their BM25F score for it: Whoosh's own formula and numbers."""
        ids, weights = self.postings(field, encoded(word))
        if not len(ids):
            return ids, weights
        idf = log(self.size / (len(ids) + 1)) + 1
        return ids, np.float32(idf * (K1 + 1)) * weights / (weights + self._norm(field)[ids])

    def _norm(self, field: str) -> NDArray[np.float32]:
        """BM25's share of the length, for each document."""
        if field not in self._norms:
            average = sum(segment.stored.field_length(field) for segment in self.segments) / self.size or 1
            table = (K1 * ((1 - B) + B * LENGTH_OF_BYTE / average)).astype(np.float32)
            lengths = [segment.lengths[field] for segment in self.segments]
            self._norms[field] = table[np.concatenate(lengths)]
        return self._norms[field]

    def holding(self, field: str, words: tuple[str, ...]) -> Mask:
        """Which documents hold any of these words in a field."""
        mask = np.zeros(self.size, np.bool_)
        for word in words:
            mask[self.postings(field, encoded(word))[0]] = True
        return mask

    def matching(self, word: QueryWord) -> Mask:
        """Which documents a word asked for matches."""
        return self.holding("words", word.forms) | self.holding("stems", word.stems)

    def with_phrase(self, words: list[str], half: Half | None = None) -> Mask:
        """Which documents hold these words as written, one after another; in one half only, if one is given."""
        mask = np.zeros(self.size, np.bool_)
        for segment, start in zip(self.segments, self.starts, strict=True):
            begins = [segment.places("words", encoded(word)) - step for step, word in enumerate(words)]
            begins.sort(key=len)
            found = begins[0]
            for others in begins[1:]:
                found = found[_stand_in(others, found)]
            if half:
                found = _in_half(found, half)
            mask[(found >> 16) + start] = True
        return mask

    def in_half(self, word: QueryWord, half: Half) -> Mask:
        """Which documents hold a word asked for in one half."""
        mask = np.zeros(self.size, np.bool_)
        for segment, start in zip(self.segments, self.starts, strict=True):
            for form in word.forms:
                mask[(_in_half(segment.places("words", encoded(form)), half) >> 16) + start] = True
            for stem in word.stems:
                halves = segment.places("stems", encoded(stem))
                mask[(halves[halves & 0xFFFF == HALVES[half]] >> 16) + start] = True
        return mask

    def passing(self, name: str, values: frozenset[str]) -> Mask:
        """Which documents pass a filter with any of these values. Not to be changed: the last few are kept."""
        if (known := self._passing.get((name, values))) is not None:
            return known
        mask = np.zeros(self.size, np.bool_)
        for value in values:
            mask[self.postings("filters", filter_word(name, value))[0]] = True
        if len(self._passing) >= PASSING_KEPT:
            self._passing = {}
        self._passing[name, values] = mask
        return mask

    def counts(self, name: str, mask: Mask) -> tuple[tuple[str, int], ...]:
        """How many of the masked documents have each value of a filter, most first."""
        facet = self._facet(name)
        if not facet.values:
            return ()
        counts = np.add.reduceat(mask.take(facet.ids), facet.firsts, dtype=np.int32).tolist()
        found = [(value, count) for value, count in zip(facet.values, counts, strict=True) if count]
        return tuple(sorted(found, key=lambda pair: (-pair[1], pair[0])))

    def _facet(self, name: str) -> Facet:
        if name not in self._facets:
            lists: dict[str, list[Ids]] = {}
            for segment, start in zip(self.segments, self.starts, strict=True):
                for value, ids in segment.facet(name):
                    lists.setdefault(value, []).append(ids + np.int32(start))
            sizes = [sum(map(len, found)) for found in lists.values()]
            firsts = np.array([0, *accumulate(sizes)][:-1], np.intp)
            every = [ids for found in lists.values() for ids in found]
            self._facets[name] = Facet(list(lists), np.concatenate([NO_IDS, *every]), firsts)
        return self._facets[name]

    def near(self, word: str) -> set[str]:
        """The words of all documents that are one typing mistake away."""
        return {near for segment in self.segments for near in segment.spellings.near(word)}


def _stand_in(sorted_places: NDArray[np.int64], places: NDArray[np.int64]) -> Mask:
    """Which of some places are among others, both ascending."""
    if not len(sorted_places):
        return np.zeros(len(places), np.bool_)
    at = np.searchsorted(sorted_places, places)
    at[at == len(sorted_places)] = 0
    return sorted_places[at] == places


def _in_half(places: NDArray[np.int64], half: Half) -> NDArray[np.int64]:
    first, end = PLACES[half]
    stands = places & 0xFFFF
    return places[(stands >= first) & (stands < end)]
