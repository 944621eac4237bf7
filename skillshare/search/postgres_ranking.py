"""From candidates to their order, by the very formula and weights that the embedded engine ranks with."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from .analysis import QueryWord
from .engine import ALIKE, NEARBY, OPEN, SOON, STARTING, Hit, SearchRequest
from .fields import HALVES, NEVER
from .naming import favour_names
from .postgres_query import Wanted
from .postgres_rows import MASS, SIXTEENTH, as_given
from .postgres_schema import Generation
from .ranking import SortKey, shuffled
from .snapshot import K1, B

Scores = NDArray[np.float32]


class Candidates:
    """Some documents, at least one, with what ranks them. `counts` says in how many documents of all a word stands."""

    def __init__(self, rows: Sequence[Any], of: Generation, counts: Mapping[str, int]) -> None:
        self._columns = dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))
        self._of, self._counts = of, counts
        self._size = len(rows)
        sizes = [len(masses) // MASS.itemsize for masses in self._columns["masses"]]
        entries = np.frombuffer(b"".join(self._columns["masses"]), MASS)
        self._owners = np.repeat(np.arange(len(sizes)), sizes)
        self._words, self._halves = entries["word"].copy(), entries["halves"].copy()
        self._masses = entries["mass"].astype(np.float32) / SIXTEENTH
        self._norms = {
            name: np.float32(K1) * ((1 - B) + B * self._column(name, np.float32) / (total / max(of.documents, 1) or 1))
            for name, total in (("words", of.words), ("stems", of.stems))
        }

    def _column(self, name: str, kind: Any) -> NDArray[Any]:
        return np.array(self._columns[name], kind)

    def hits(self, request: SearchRequest, asked: Wanted) -> list[Hit]:
        """All of them in their order: what holds all words first, then the rest, each by the order asked for."""
        scores, whole = self._scored(asked)
        if request.sort == "relevance":
            every = np.arange(self._size, dtype=np.int32)
            scores = favour_names(self._columns["names"].__getitem__, asked.words, every, scores, whole)
        weights = self._favoured(request, scores)
        best: list[int] = []
        for part in (np.flatnonzero(whole), np.flatnonzero(~whole)):
            if request.sort == "relevance":  # else they come in their order
                part = part[np.lexsort([-key for key in reversed(self._sort_keys(request, part, weights))])]
            best += part.tolist()
        keys = self._columns["key"]
        return [Hit(as_given(keys[number]), float(weights[number])) for number in best]

    def _scored(self, asked: Wanted) -> tuple[Scores, NDArray[np.bool_]]:
        """Each one's score for all words, and whether it holds all that say something."""
        scores, matched = self._zeros(), np.zeros(self._size, np.uint8)
        telling = set(asked.telling)
        for word, times in Counter((*asked.words, *asked.skills)).items():  # a word said twice counts twice
            gain = self._best_of("words", word.forms) + self._best_of("stems", word.stems)
            if asked.half:
                gain *= self._in_half(word, HALVES[asked.half])
            scores += gain * np.float32(times)
            if word in telling:
                matched += gain > 0
        for form in (form for phrase in asked.phrases for form in phrase):
            scores += self._best_of("words", (form,))
        return scores, matched == len(telling)

    def _best_of(self, field: str, lexemes: tuple[str, ...]) -> Scores:
        best = self._zeros()
        for lexeme in lexemes:
            at = np.flatnonzero(self._words == crc32(lexeme.encode()))
            owners, masses = self._owners[at], self._masses[at]
            idf = log(max(self._of.documents, 1) / (self._counts.get(lexeme, 0) + 1)) + 1
            gain = np.float32(idf * (K1 + 1)) * masses / (masses + self._norms[field][owners])
            best[owners] = np.maximum(best[owners], gain)
        return best

    def _in_half(self, word: QueryWord, half: int) -> NDArray[np.bool_]:
        found = np.zeros(self._size, np.bool_)
        for lexeme in (*word.forms, *word.stems):
            found[self._owners[(self._words == crc32(lexeme.encode())) & (self._halves & half > 0)]] = True
        return found

    def _favoured(self, request: SearchRequest, scores: Scores) -> Scores:
        """The scores, corrected by what serves the reader."""
        if request.sort != "relevance" or not (request.near or request.now is not None):
            return scores
        weights = scores if request.text else np.ones_like(scores)
        if request.near:
            weights = weights * np.where(self._column("near", np.bool_), np.float32(NEARBY), np.float32(1))
        if request.now is not None:
            starts = self._starts()
            soon = (starts >= request.now) & (starts < request.now + SOON)
            weights = weights * np.where(soon, np.float32(STARTING), np.float32(1))
            weights = weights * np.where(self._column("open", np.bool_), np.float32(OPEN), np.float32(1))
        return weights

    def _sort_keys(self, request: SearchRequest, ids: NDArray[np.intp], weights: Scores) -> list[SortKey]:
        """What to sort by, greatest first, the most important key first; at last the key, so that pages follow on."""
        keys = self._columns["key"]
        salts = np.array([crc32(keys[number].encode()) for number in ids], np.int64)
        weight = weights[ids].astype(np.float64)
        if request.day is None:
            return [weight, self._column("made_at", np.int64)[ids], salts]
        step = ALIKE * float(weight.max(initial=0.0)) or 1.0
        return [np.floor(weight / step), shuffled(salts, request.day), salts]

    def _starts(self) -> NDArray[np.int64]:
        return np.array([NEVER if at is None else at for at in self._columns["starts_at"]], np.int64)

    def _zeros(self) -> Scores:
        return np.zeros(self._size, np.float32)
