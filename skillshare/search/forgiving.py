"""What may have been meant by words that find nothing."""

from collections.abc import Callable, Iterable

from .analysis import QueryWord
from .snapshot import Snapshot
from .spelling import SHORTEST
from .whoosh_parts import Ids

NEAR_WORDS = 5
"""Neighbours of a misspelt word that are looked for in its place."""
LOOKED_AT = 12
"""Words that are only like a misspelt one, of which it is asked whether they may be found: the most alike."""


def forgive(
    snapshot: Snapshot, words: list[QueryWord], allowed: Callable[[Ids], int], everything: bool
) -> dict[QueryWord, QueryWord]:
    """What may have been meant by words that nothing holds, or by any word where nothing was found at all.

    Words one mistake away come before those that are only like it. Only words of documents that may be found here
    are offered, the more common first: `allowed` counts those.
    """

    def found(nearby: Iterable[str]) -> list[str]:
        counts = {near: allowed(snapshot.holding("words", (near,))) for near in nearby}
        return sorted((near for near, count in counts.items() if count), key=lambda near: (-counts[near], near))

    meant = {}
    for word in set(words):
        typed = word.forms[0]
        if word.small or len(typed) < SHORTEST or not (everything or not len(snapshot.scored_word(word).ids)):
            continue
        if best := found(snapshot.near(typed)) or found(snapshot.alike(typed)[:LOOKED_AT]):
            meant[word] = QueryWord(tuple(best[:NEAR_WORDS]), (), False)
    return meant
