"""Lists of documents put together: ascending ids with a gain for each, joined without looking at all documents.

Short lists are sorted together; where they make up much of the index, arrays over all of it are quicker.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .whoosh_parts import Ids, Weights

DENSE_FROM = 16
"""Lists that together hold more than this part (one in …) of all documents are joined over all of them."""

NO_IDS: Ids = np.empty(0, np.int32)
NO_WEIGHTS: Weights = np.empty(0, np.float32)


class Matches(NamedTuple):
    """The documents that hold something, ascending, and what each gains by it."""

    ids: Ids
    gains: Weights


NOTHING = Matches(NO_IDS, NO_WEIGHTS)


def either(size: int, lists: Sequence[tuple[Matches, int]]) -> tuple[Ids, Weights, NDArray[np.uint8]]:
    """What stands in any of some lists, out of `size` documents: ids, gains times so many added up, and in how many."""
    if len(lists) == 1:
        (ids, gains), times = lists[0]
        return ids, gains * np.float32(times), np.ones(len(ids), np.uint8)
    if sum(len(matches.ids) for matches, _ in lists) * DENSE_FROM > size:
        return _either_over_all(size, lists)
    ids, firsts, order = _sorted_together([matches.ids for matches, _ in lists])
    if not len(ids):
        return NO_IDS, NO_WEIGHTS, np.empty(0, np.uint8)
    gains = np.concatenate([matches.gains * np.float32(times) for matches, times in lists])[order]
    return ids, np.add.reduceat(gains, firsts), np.diff(firsts, append=len(order)).astype(np.uint8)


def _either_over_all(size: int, lists: Sequence[tuple[Matches, int]]) -> tuple[Ids, Weights, NDArray[np.uint8]]:
    scores, counts = np.zeros(size, np.float32), np.zeros(size, np.uint8)
    for (ids, gains), times in lists:
        scores[ids] += gains * np.float32(times)
        counts[ids] += 1
    found = np.flatnonzero(counts != 0).astype(np.int32)  # numpy looks for True much faster than for numbers
    return found, scores[found], counts[found]


def best_of(lists: Sequence[Matches]) -> Matches:
    """What stands in any of some lists, each with its greatest gain."""
    lists = [matches for matches in lists if len(matches.ids)]
    if len(lists) < 2:
        return lists[0] if lists else NOTHING
    ids, firsts, order = _sorted_together([matches.ids for matches in lists])
    return Matches(ids, np.maximum.reduceat(np.concatenate([matches.gains for matches in lists])[order], firsts))


def _sorted_together(lists: Sequence[Ids]) -> tuple[Ids, NDArray[np.intp], NDArray[np.intp]]:
    """Each id once, where it first stands in the order of all, and that order."""
    every = np.concatenate([NO_IDS, *lists])
    order = np.argsort(every, kind="stable")  # of lists sorted already: little more than a merge
    every = every[order]
    firsts = np.flatnonzero(np.diff(every, prepend=np.int32(-1)))
    return every[firsts], firsts, order


def holds(ids: Ids, wanted: Ids) -> NDArray[np.bool_]:
    """Which of the wanted are among some ids, both ascending and each once; the shorter list is looked up."""
    found = np.zeros(len(wanted), np.bool_)
    if not len(ids) or not len(wanted):
        return found
    if len(ids) < len(wanted):
        at = np.searchsorted(wanted, ids)
        at[at == len(wanted)] = 0
        found[at[wanted[at] == ids]] = True
        return found
    at = np.searchsorted(ids, wanted)
    at[at == len(ids)] = 0
    return np.equal(ids[at], wanted, out=found)


def gain_at(size: int, matches: Matches, ids: Ids) -> Weights:
    """What each of some ascending ids gains; nothing where the list does not hold it."""
    if (len(ids) + len(matches.ids)) * DENSE_FROM > size:
        gains = np.zeros(size, np.float32)
        gains[matches.ids] = matches.gains
        return gains[ids]
    if not len(matches.ids):
        return np.zeros(len(ids), np.float32)
    at = np.searchsorted(matches.ids, ids)
    at[at == len(matches.ids)] = 0
    return np.where(matches.ids[at] == ids, matches.gains[at], np.float32(0))
