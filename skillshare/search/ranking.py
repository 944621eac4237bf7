"""Which matches come first: what holds all words, then the order asked for; and only what the page needs is sorted."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .engine import ALIKE, NEARBY, OPEN, SOON, STARTING, Hit, SearchRequest
from .fields import NEVER
from .snapshot import Mask, Snapshot
from .whoosh_parts import Ids, Weights

SortKey = NDArray[np.float64] | NDArray[np.int64]
HASH, MIX = 0x9E3779B1, 0x85EBCA6B
"""Odd numbers of 32 bits: of Knuth's multiplicative hash, and of MurmurHash3's last step."""


def page_of(snapshot: Snapshot, request: SearchRequest, ids: Ids, scores: Weights, whole: Mask) -> tuple[Hit, ...]:
    """The hits of the page asked for: what holds all words first, then the rest, each by the order asked for."""
    limit = request.page * request.per_page
    weights = _favoured(snapshot, request, ids, scores)
    best = np.empty(0, np.intp)
    for part in (np.flatnonzero(whole), np.flatnonzero(~whole)):
        if len(best) < limit:
            keys = _sort_keys(snapshot, request, ids[part], weights[part])
            best = np.concatenate([best, part[leading(keys, len(part), limit - len(best))]])
    return tuple(
        Hit(snapshot.key(int(ids[at])), float(weights[at])) for at in best[limit - request.per_page :].tolist()
    )


def _favoured(snapshot: Snapshot, request: SearchRequest, ids: Ids, scores: Weights) -> Weights:
    """The scores, corrected by what serves the reader."""
    if request.sort != "relevance" or not (request.near or request.now is not None):
        return scores
    weights = scores.copy() if request.text else np.ones_like(scores)
    if request.near and (near := snapshot.passing("area", request.near)) is not None:
        weights[near[ids]] *= np.float32(NEARBY)
    if request.now is not None:
        starts = snapshot.fact("starts_at")[ids]
        weights[(starts >= request.now) & (starts < request.now + SOON)] *= np.float32(STARTING)
        if (left := snapshot.passing("left", frozenset({"yes"}))) is not None:
            weights[left[ids]] *= np.float32(OPEN)
    return weights


def _sort_keys(snapshot: Snapshot, request: SearchRequest, ids: Ids, weights: Weights) -> list[SortKey]:
    """What to sort by, greatest first, the most important key first."""
    weight = weights.astype(np.float64)
    if request.sort == "relevance" and request.day is not None:
        step = ALIKE * float(weight.max(initial=0.0)) or 1.0
        return [np.floor(weight / step), shuffled(snapshot.fact("salt")[ids], request.day)]
    made = snapshot.fact("made_at")[ids]
    if request.sort == "relevance":
        return [weight, made]
    if request.sort == "newest":
        return [made, weight]
    starts = snapshot.fact("starts_at")[ids]
    return [np.where(starts == NEVER, NEVER, -starts), weight, made]


def shuffled(salts: NDArray[np.int64], day: int) -> NDArray[np.int64]:
    """A number for each salt that is another one each day."""
    mixed = (salts ^ (day * HASH & 0xFFFFFFFF)).astype(np.uint32) * np.uint32(MIX)
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
