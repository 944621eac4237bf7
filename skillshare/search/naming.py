"""What is called as somebody typed comes before what only holds the words somewhere.

Measured on known items: the names of the leading documents, compared with the words typed, are worth more than any
weight of a field. Words are compared by their first letters, so that "soldador" is near "soldadura".
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .analysis import ROOT, QueryWord, small_words
from .engine import ALIKE
from .snapshot import Mask
from .whoosh_parts import Ids, Weights

LEADING = 30
"""Documents that are looked at: the first page, and some that may come to stand on it."""
EQUALS = 300
"""Documents that are looked at when many are alike."""
CALLED_SO = 2.0
"""How much a name that is just what was typed adds to a weight, as a part of it; half a name adds half."""
KEPT = 4_096

Roots = frozenset[str]


def favour_names(
    names: Callable[[int], str], words: Sequence[QueryWord], ids: Ids, scores: Weights, whole: Mask
) -> Weights:
    """The scores, raised for the leading documents by how much of one of their names was typed, and little else.

    `names` gives those of a document as completion keeps them: a line each, language<tab>name.
    """
    asked = frozenset(word.forms[0][:ROOT] for word in words if not word.small)
    if not asked or not len(ids):
        return scores
    leading = _leading(scores, whole)
    called = [_called(asked, _names(names(number))) for number in ids[leading].tolist()]
    raised = scores.copy()
    raised[leading] *= 1 + np.float32(CALLED_SO) * np.array(called, np.float32)
    return raised


def _leading(scores: Weights, whole: Mask) -> NDArray[np.intp]:
    """The places of the greatest scores, of what holds all words first."""
    places = np.flatnonzero(whole)
    if len(places) >= LEADING:
        return places[_greatest(scores[places], LEADING)]
    rest = np.flatnonzero(~whole)
    return np.concatenate([places, rest[_greatest(scores[rest], LEADING - len(places))]])


def _greatest(scores: Weights, limit: int) -> NDArray[np.intp]:
    """The places of the `limit` greatest and of their equals: whoever is raised, the same is done to all alike.

    Where that would be more than EQUALS, only of what is greater.
    """
    if len(scores) <= limit:
        return np.arange(len(scores))
    least = np.partition(scores, -limit)[-limit]
    found = np.flatnonzero(scores >= least * (1 - ALIKE))
    return found if len(found) <= EQUALS else np.flatnonzero(scores > least * (1 + ALIKE))


def _called(asked: Roots, names: tuple[Roots, ...]) -> float:
    """How much of what was typed and of one name is the same: 1 where it is that name, 0 where nothing is."""
    best, size = 0.0, len(asked)
    for name in names:
        if shared := len(asked & name):
            best = max(best, 2 * shared / (size + len(name)))
    return best


@lru_cache(maxsize=KEPT)
def _names(heads: str) -> tuple[Roots, ...]:
    """The roots of each name of a document, small words left out."""
    found = []
    for line in heads.split("\n"):
        language, _, name = line.partition("\t")
        found.append(frozenset(word[:ROOT] for word in name.split() if word not in small_words(language)))
    return tuple(dict.fromkeys(found))
