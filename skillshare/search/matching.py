"""From a request to its page: which documents match the words, and which of them may be found.

Works on the ids of what matches, never on all documents, so that a rare word costs as little in a million documents
as in a thousand.
"""

from collections import Counter
from collections.abc import Iterable
from math import log
from typing import NamedTuple, Self

import numpy as np

from .analysis import QueryWord, query_words, root_of, words_of
from .engine import SearchPage, SearchRequest, Text
from .fields import NEVER
from .forgiving import forgive
from .joining import either, gain_at, holds
from .naming import LEADING, favour_names
from .ranking import page_of
from .snapshot import Mask, Snapshot
from .whoosh_parts import Ids, Weights

RELATED = 1.5
"""How much a word of the same family in a name counts, measured as the weight of names was: on known items."""


class Found(NamedTuple):
    """The documents that match, ascending; how well each does; and whether it holds all of the words."""

    ids: Ids
    scores: Weights
    whole: Mask

    def only(self, masks: Iterable[Mask]) -> Self:
        """Those for which every mask says yes."""
        found = self
        kept = all_of(masks)
        return found if kept is None else found._replace(**{name: each[kept] for name, each in found._asdict().items()})


def answer(snapshot: Snapshot, request: SearchRequest, languages: tuple[str, ...]) -> SearchPage:
    """The page that was asked for, but for the time it took."""
    words = [word for said in request.text.words for word in query_words(said, languages)]
    found, passed = _within(snapshot, request, _find(snapshot, request, words, languages))
    chosen, correction = found.only(passed.values()), None
    if not request.exact:
        meant = forgive(snapshot, words, lambda ids: _allowed(snapshot, request, ids), everything=not len(chosen.ids))
        if meant:
            better = [meant.get(word, word) for word in words]
            found, passed = _within(snapshot, request, _find(snapshot, request, better, languages))
            chosen = found.only(passed.values())
            correction = " ".join(word.forms[0] for word in better) if len(chosen.ids) else None
            words = better
    return SearchPage(
        hits=page_of(snapshot, request, chosen.ids, _weighed(snapshot, request, words, chosen), chosen.whole),
        total=len(chosen.ids),
        facets={name: _facet(snapshot, name, found, chosen, passed) for name in request.facets},
        correction=correction,
        generation=snapshot.generation,
    )


def _weighed(snapshot: Snapshot, request: SearchRequest, words: list[QueryWord], chosen: Found) -> Weights:
    """How well each does, its names included where that decides the order."""
    if request.sort != "relevance":
        return chosen.scores
    if len(chosen.ids) and np.count_nonzero(chosen.whole) < LEADING:
        chosen = chosen._replace(scores=chosen.scores + _rooted(snapshot, words, chosen.ids))
    return favour_names(snapshot.names, words, *chosen)


def _rooted(snapshot: Snapshot, words: list[QueryWord], ids: Ids) -> Weights:
    """What each gains by names with words of the same families, as rare as these are; it is found by others."""
    gains = np.zeros(len(ids), np.float32)
    for root in {root_of(word.forms[0]) for word in words if not word.small} - {""}:
        named = snapshot.holding("names", (root,))
        if len(named):
            gains[holds(named, ids)] += np.float32(RELATED * (log(snapshot.size / (len(named) + 1)) + 1))
    return gains


def all_of(masks: Iterable[Mask]) -> Mask | None:
    """Where all of these say yes; None where there are none."""
    kept: Mask | None = None
    for mask in masks:
        kept = mask if kept is None else kept & mask
    return kept


def _within(snapshot: Snapshot, request: SearchRequest, found: Found) -> tuple[Found, dict[str, Mask]]:
    """What may be found at all, and of that what passes each filter that holds anything back."""
    found = found.only(_bounds(snapshot, request, found.ids))
    return found, _filtered(snapshot, request, found.ids)


def _allowed(snapshot: Snapshot, request: SearchRequest, ids: Ids) -> int:
    """How many of these documents the request could find, whatever its words."""
    ids = ids[kept] if (kept := all_of(_bounds(snapshot, request, ids))) is not None else ids
    kept = all_of(_filtered(snapshot, request, ids).values())
    return len(ids) if kept is None else int(np.count_nonzero(kept))


def _bounds(snapshot: Snapshot, request: SearchRequest, ids: Ids) -> list[Mask]:
    """What keeps documents out that no facet counts: one mask for each reason there is."""
    masks = [] if snapshot.all_alive else [snapshot.alive[ids]]
    if request.starts_from is not None or request.starts_before is not None:
        starts = snapshot.fact("starts_at")[ids]
        masks.append(starts != NEVER)
        if request.starts_from is not None:
            masks.append(starts >= request.starts_from)
        if request.starts_before is not None:
            masks.append(starts < request.starts_before)
    if request.made_from is not None:
        masks.append(snapshot.fact("made_at")[ids] >= request.made_from)
    for name, values in request.without.items():
        passing = snapshot.passing(name, values)
        masks.append(np.zeros(len(ids), np.bool_) if passing is None else ~passing[ids])
    return masks


def _filtered(snapshot: Snapshot, request: SearchRequest, ids: Ids) -> dict[str, Mask]:
    passing = {name: snapshot.passing(name, values) for name, values in request.all_filters().items()}
    return {name: mask[ids] for name, mask in passing.items() if mask is not None}


def _facet(
    snapshot: Snapshot, name: str, found: Found, chosen: Found, passed: dict[str, Mask]
) -> tuple[tuple[str, int], ...]:
    """The counts of one filter's values among what passes all the other filters."""
    if name not in passed:
        return snapshot.counts(name, chosen.ids)
    kept = all_of(mask for other, mask in passed.items() if other != name)
    return snapshot.counts(name, found.ids if kept is None else found.ids[kept])


def _find(snapshot: Snapshot, request: SearchRequest, words: list[QueryWord], languages: tuple[str, ...]) -> Found:
    """What matches the words; any of the telling ones is enough, unless a phrase or a skill is required."""
    text, half = request.text, request.within
    telling = {word for word in words if not word.small} or set(words)
    skills = [word for said in text.skills for word in query_words(said, languages)]
    phrases = [phrase for said in text.phrases if (phrase := [word.folded for word in words_of(said)])]
    matches = {word: snapshot.scored_word(word, half) for word in (*words, *skills)}
    required = [snapshot.with_phrase(phrase, half) for phrase in phrases]
    required += [snapshot.holding("names", (*word.forms, *word.stems)) for word in skills]
    if required:
        ids = required[0]
        for other in required[1:]:
            ids = ids[holds(other, ids)]
    elif not words:
        ids = snapshot.ids if not (text.words or text.phrases or text.skills) else snapshot.ids[:0]
    else:
        said = {word: times for word, times in Counter(words).items() if word in telling}
        ids, scores, counts = either(snapshot.size, [(matches[word], times) for word, times in said.items()])
        found = Found(ids, scores, counts == len(telling))
        for word, times in Counter(words).items():
            if word not in telling:
                found.scores[:] += gain_at(snapshot.size, matches[word], ids) * np.float32(times)
        return _without_excluded(snapshot, found, text, languages)
    scores = np.zeros(len(ids), np.float32)
    counts = np.zeros(len(ids), np.uint8)
    for word, times in Counter([*words, *skills]).items():
        gain = gain_at(snapshot.size, matches[word], ids)
        scores += gain * np.float32(times)
        counts += (gain > 0) & (word in telling)
    for form in (form for phrase in phrases for form in phrase):
        scores += gain_at(snapshot.size, snapshot.scored_word(QueryWord((form,), (), False)), ids)
    return _without_excluded(snapshot, Found(ids, scores, counts == len(telling)), text, languages)


def _without_excluded(snapshot: Snapshot, found: Found, text: Text, languages: tuple[str, ...]) -> Found:
    for said in text.excluded:
        words = query_words(said, languages)
        if len(words) == 1:
            excluded = snapshot.scored_word(words[0]).ids
        elif phrase := [word.folded for word in words_of(said)]:
            excluded = snapshot.with_phrase(phrase)
        else:
            continue
        found = found.only([~holds(excluded, found.ids)])
    return found
