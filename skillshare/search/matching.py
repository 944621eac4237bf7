"""From a request to its page: which documents match, which come first, and how many there are of each."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .analysis import QueryWord, query_words, words_of
from .engine import ALIKE, NEARBY, OPEN, SOON, STARTING, Half, Hit, SearchPage, SearchRequest
from .fields import NEVER
from .snapshot import Mask, Snapshot
from .spelling import SHORTEST

NEAR_WORDS = 5
"""Neighbours of a misspelt word that are looked for in its place."""

Scores = NDArray[np.float32]
SortKey = NDArray[np.float64] | NDArray[np.int64]


class Found(NamedTuple):
    """Which documents match the words; how well; and which of them hold all of the words."""

    mask: Mask
    scores: Scores
    whole: Mask


def answer(snapshot: Snapshot, request: SearchRequest, languages: tuple[str, ...]) -> SearchPage:
    """The page that was asked for, but for the time it took."""
    filters = {name: snapshot.passing(name, values) for name, values in request.all_filters().items()}
    within = snapshot.alive & _starting_between(snapshot, request.starts_from, request.starts_before)
    if request.made_from is not None:
        within &= snapshot.facts["made_at"] >= request.made_from
    for name, values in request.without.items():
        within &= ~snapshot.passing(name, values)
    open_to_all = _all_of(within, *filters.values())
    words = [word for said in request.text.words for word in query_words(said, languages)]
    found = _find(snapshot, request, words, languages)
    chosen, correction = found.mask & open_to_all, None
    if not request.exact:
        meant = _forgive(snapshot, words, open_to_all, everything=not chosen.any())
        if meant:
            better = [meant.get(word, word) for word in words]
            found = _find(snapshot, request, better, languages)
            chosen = found.mask & open_to_all
            correction = " ".join(word.forms[0] for word in better) if chosen.any() else None
    return SearchPage(
        hits=_page(snapshot, request, chosen, found),
        total=int(np.count_nonzero(chosen)),
        facets={name: _facet(snapshot, name, found.mask & within, filters) for name in request.facets},
        correction=correction,
        generation=snapshot.generation,
    )


def _find(snapshot: Snapshot, request: SearchRequest, words: list[QueryWord], languages: tuple[str, ...]) -> Found:
    text = request.text
    phrases = [phrase for said in text.phrases if (phrase := [word.folded for word in words_of(said)])]
    skills = [word for said in text.skills for word in query_words(said, languages)]
    telling = {word for word in words if not word.small} or set(words)
    scores, matched = _added_up(snapshot, [*words, *skills], telling, request.within)
    for form in (form for phrase in phrases for form in phrase):
        ids, gain = snapshot.scored("words", form)
        scores[ids] += gain
    required = [snapshot.with_phrase(phrase, request.within) for phrase in phrases]
    required += [snapshot.holding("names", (*word.forms, *word.stems)) for word in skills]
    if required:
        mask = _all_of(*required)
    elif words:
        mask = matched > 0
    else:
        mask = np.full(snapshot.size, not (text.words or text.phrases or text.skills))
    return Found(mask & ~_excluded(snapshot, text.excluded, languages), scores, matched == len(telling))


def _added_up(
    snapshot: Snapshot, words: list[QueryWord], telling: set[QueryWord], half: Half | None
) -> tuple[Scores, NDArray[np.uint8]]:
    """Each document's score for all words, and how many of the telling ones it holds; in one half, if one is given."""
    scores, matched = np.zeros(snapshot.size, np.float32), np.zeros(snapshot.size, np.uint8)
    for word, times in Counter(words).items():  # a word said twice counts twice
        gain = score(snapshot, word)
        if half:
            gain *= snapshot.in_half(word, half)
        scores += gain * np.float32(times)
        if word in telling:
            matched += gain > 0
    return scores, matched


def score(snapshot: Snapshot, word: QueryWord) -> Scores:
    """Each document's score for a word: its best form as written, and its best stem besides."""
    return _best_of(snapshot, "words", word.forms) + _best_of(snapshot, "stems", word.stems)


def _best_of(snapshot: Snapshot, field: str, terms: tuple[str, ...]) -> Scores:
    best = np.zeros(snapshot.size, np.float32)
    for number, term in enumerate(terms):
        ids, gain = snapshot.scored(field, term)
        best[ids] = np.maximum(best[ids], gain) if number else gain
    return best


def _excluded(snapshot: Snapshot, excluded: tuple[str, ...], languages: tuple[str, ...]) -> Mask:
    mask = np.zeros(snapshot.size, np.bool_)
    for said in excluded:
        words = query_words(said, languages)
        if len(words) == 1:
            mask |= snapshot.matching(words[0])
        elif phrase := [word.folded for word in words_of(said)]:
            mask |= snapshot.with_phrase(phrase)
    return mask


def _forgive(snapshot: Snapshot, words: list[QueryWord], allowed: Mask, everything: bool) -> dict[QueryWord, QueryWord]:
    """What may have been meant by words that nothing holds, or by any word where nothing was found at all.

    Only words of documents that may be found here are offered, the more common first.
    """
    meant = {}
    for word in set(words):
        typed = word.forms[0]
        if word.small or len(typed) < SHORTEST or not (everything or not snapshot.matching(word).any()):
            continue
        counts = {
            near: int(np.count_nonzero(snapshot.holding("words", (near,)) & allowed)) for near in snapshot.near(typed)
        }
        best = sorted((near for near, count in counts.items() if count), key=lambda near: (-counts[near], near))
        if best:
            meant[word] = QueryWord(tuple(best[:NEAR_WORDS]), (), False)
    return meant


def _facet(snapshot: Snapshot, name: str, mask: Mask, filters: dict[str, Mask]) -> tuple[tuple[str, int], ...]:
    """The counts of one filter's values among what passes all the other filters."""
    return snapshot.counts(name, _all_of(mask, *(passed for other, passed in filters.items() if other != name)))


def _page(snapshot: Snapshot, request: SearchRequest, chosen: Mask, found: Found) -> tuple[Hit, ...]:
    """The hits of the page: what holds all words first, then the rest, each by the order asked for."""
    limit = request.page * request.per_page
    weights = _favoured(snapshot, request, found.scores, chosen)
    first, rest = np.flatnonzero(chosen & found.whole), np.flatnonzero(chosen & ~found.whole)
    best = first[leading(_sort_keys(snapshot, request, first, weights), len(first), limit)]
    if len(best) < limit:
        more = leading(_sort_keys(snapshot, request, rest, weights), len(rest), limit - len(best))
        best = np.concatenate([best, rest[more]])
    return tuple(
        Hit(snapshot.key(number), float(weights[number])) for number in best[limit - request.per_page :].tolist()
    )


def _favoured(snapshot: Snapshot, request: SearchRequest, scores: Scores, chosen: Mask) -> Scores:
    """The scores, corrected by what serves the reader."""
    if request.sort != "relevance" or not (request.near or request.now is not None):
        return scores
    weights = scores if request.text else np.ones_like(scores)
    factors = np.ones(snapshot.size, np.float32)
    if request.near:
        factors[snapshot.passing("area", request.near)] = NEARBY
    if request.now is not None:
        starts = snapshot.facts["starts_at"]
        factors[(starts >= request.now) & (starts < request.now + SOON)] *= np.float32(STARTING)
        factors[snapshot.passing("left", frozenset({"yes"}))] *= np.float32(OPEN)
    return weights * factors


def _sort_keys(snapshot: Snapshot, request: SearchRequest, ids: NDArray[np.intp], weights: Scores) -> list[SortKey]:
    """What to sort by, greatest first, the most important key first."""
    weight, made = weights[ids].astype(np.float64), snapshot.facts["made_at"][ids]
    if request.sort == "newest":
        return [made, weight]
    if request.sort == "soonest":
        starts = snapshot.facts["starts_at"][ids]
        return [np.where(starts == NEVER, NEVER, -starts), weight, made]
    if request.day is None:
        return [weight, made]
    step = ALIKE * float(weight.max(initial=0.0)) or 1.0
    return [np.floor(weight / step), shuffled(snapshot.facts["salt"][ids], request.day)]


def shuffled(salts: NDArray[np.int64], day: int) -> NDArray[np.int64]:
    """A number for each salt that is another one each day: Knuth's multiplicative hash of both."""
    mixed = (salts ^ (day * 0x9E3779B1 & 0xFFFFFFFF)).astype(np.uint32) * np.uint32(0x85EBCA6B)
    return (mixed ^ mixed >> np.uint32(15)).astype(np.int64)


def leading(keys: Sequence[SortKey], count: int, limit: int) -> NDArray[np.intp]:
    """The places of the `limit` greatest of `count` by the first key, then the next; among equals the first.

    Sorts only what is returned, so that page 1 of 100,000 costs little; the page after it goes on from there.
    """
    if count > limit and keys:
        chosen = np.sort(_greatest(keys, count, limit))
    else:
        chosen = np.arange(min(count, limit))
    return chosen[np.lexsort([-key[chosen] for key in reversed(keys)])]


def _greatest(keys: Sequence[SortKey], count: int, limit: int) -> NDArray[np.intp]:
    if not keys or count <= limit:
        return np.arange(min(count, limit))
    key = keys[0]
    bound = np.partition(key, count - limit)[count - limit]
    above, level = np.flatnonzero(key > bound), np.flatnonzero(key == bound)
    return np.concatenate([above, level[_greatest([k[level] for k in keys[1:]], len(level), limit - len(above))]])


def _starting_between(snapshot: Snapshot, first: int | None, before: int | None) -> Mask:
    mask = np.ones(snapshot.size, np.bool_)
    starts = snapshot.facts["starts_at"]
    if first is not None:
        mask &= (starts >= first) & (starts != NEVER)
    if before is not None:
        mask &= (starts < before) & (starts != NEVER)
    return mask


def _all_of(first: Mask, *others: Mask) -> Mask:
    mask = first.copy()
    for other in others:
        mask &= other
    return mask
