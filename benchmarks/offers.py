"""A synthetic instance to search in, and what is asked of it: the same for every engine and in every run.

Offers of 40 to 120 words out of 120,000, as often as Zipf says, in eight languages and hundreds of areas, with a
practice and a theory half. Made chunk by chunk, each from a seed of its own, so that a million need no memory.
"""

from collections.abc import Iterator
from functools import cache
from itertools import islice, product
from typing import NamedTuple

import numpy as np

from skillshare.search.engine import Document

SEED = 7
VOCABULARY = 120_000
CHUNK = 1_000
AREAS, TOPICS, SKILLS = 300, 20, 2_000
LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "nl", "sv")
SHARES = (0.45, 0.25, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05)
NEWEST = 1_760_000_000
QUERIES = 60
"""Of each kind."""

COMMON, MIDDLING, RARE = range(40, 120), range(1_000, 5_000), range(40_000, 90_000)
"""Ranks of words: in about a tenth of the documents, in a few of a thousand, in about one of 10,000."""


class Question(NamedTuple):
    """What is asked for. Filters and areas are used by some kinds only."""

    words: tuple[str, ...]
    area: str = ""
    language: str = ""
    areas: tuple[str, ...] = ()


@cache
def words() -> list[str]:
    """The vocabulary, the most frequent word first; the frequent ones are short."""
    onsets, vowels, ends = "b c d f g h j l m n p r s t v br cl dr gr pl st tr".split(), "aeiou", ["", "n", "r", "s"]
    syllables = ["".join(parts) for parts in product(onsets, vowels, ends)]
    draw = np.random.default_rng(SEED)
    found: dict[str, None] = {}
    while len(found) < VOCABULARY:
        count = min(2 + len(found) * 3 // VOCABULARY, 4)
        found.setdefault("".join(syllables[at] for at in draw.integers(len(syllables), size=count)))
    return list(found)


@cache
def _often() -> np.ndarray:
    """How often any word up to each rank occurs."""
    sums = np.cumsum(1 / np.arange(1, VOCABULARY + 1))
    return sums / sums[-1]


@cache
def _skills() -> list[tuple[tuple[str, str], ...]]:
    """Names of each skill: two in English, one in Spanish."""
    draw = np.random.default_rng(SEED + 1)
    return [tuple((code, _text(draw, int(draw.integers(1, 4)))) for code in ("en", "en", "es")) for _ in range(SKILLS)]


def offers(count: int) -> Iterator[Document]:
    """The first `count` offers."""
    for first in range(0, count, CHUNK):
        yield from islice(_chunk(first), min(CHUNK, count - first))


def changed(number: int, version: int) -> Document:
    """Another version of the offer with this number."""
    return next(_made(np.random.default_rng((SEED, number, version)), number, 1, version))


def _chunk(first: int) -> Iterator[Document]:
    return _made(np.random.default_rng((SEED, first)), first, CHUNK, 1)


def _made(draw: np.random.Generator, first: int, count: int, version: int) -> Iterator[Document]:
    """Drawn all at once: one by one would take as long as indexing them."""
    sizes = draw.integers(40, 117, count)
    said = np.searchsorted(_often(), draw.random(int(sizes.sum()))).tolist()
    skills, areas = draw.integers(SKILLS, size=count).tolist(), draw.integers(AREAS, size=count).tolist()
    languages = draw.choice(len(LANGUAGES), size=count, p=SHARES).tolist()
    ages, at = draw.integers(50_000_000, size=count).tolist(), 0
    for row, size in enumerate(sizes.tolist()):
        text = [words()[rank] for rank in said[at : at + size]]
        at, half, skill = at + size, 4 + (size - 4) // 2, skills[row]
        yield Document(
            key=f"offer:{first + row}",
            version=version,
            language=LANGUAGES[languages[row]],
            title=" ".join(text[:4]),
            names=_skills()[skill],
            practice=" ".join(text[4:half]),
            theory=" ".join(text[half:]),
            filters={
                "area": frozenset({area(areas[row])}),
                "topic": frozenset({f"topic-{skill % TOPICS}"}),
                "skill": frozenset({f"skill-{skill}"}),
                "audience": frozenset({"listed"}),
                "who": frozenset({"shows"}),
            },
            made_at=NEWEST - ages[row],
        )


def area(number: int) -> str:
    """The public id of an area."""
    return f"area-{number}"


def _text(draw: np.random.Generator, size: int) -> str:
    return " ".join(words()[rank] for rank in np.searchsorted(_often(), draw.random(size)))


def questions(documents: int) -> dict[str, list[Question]]:
    """QUERIES of each kind, all with an answer; the same whatever the engine."""
    draw = np.random.default_rng(SEED + 2)
    some = list(islice(offers(min(documents, CHUNK)), CHUNK))
    ranks = {word: rank for rank, word in enumerate(words())}

    def of(which: range) -> list[str]:
        return [words()[int(rank)] for rank in draw.choice(which, QUERIES, replace=False)]

    def together(size: int) -> list[tuple[str, ...]]:
        """Words that stand in one document, neither of the most frequent nor of the rarest."""
        found = []
        while len(found) < QUERIES:
            text = {word for word in _picked(draw, some).practice.split() if 20 <= ranks[word] < 20_000}
            if len(text) >= size:
                found.append(tuple(str(word) for word in draw.choice(sorted(text), size, replace=False)))
        return found

    phrases = []
    while len(phrases) < QUERIES:
        text = _picked(draw, some).practice.split()
        at = int(draw.integers(len(text) - 1))
        if text[at] != text[at + 1]:
            phrases.append((text[at], text[at + 1]))
    near = [tuple(area((first + step) % AREAS) for step in range(6)) for first in draw.integers(AREAS, size=QUERIES)]
    heads = [str(draw.choice(_picked(draw, some).title.split()))[:3] for _ in range(QUERIES)]
    frequent = of(COMMON)
    return {
        "common word": [Question((word,)) for word in frequent],
        "middling word": [Question((word,)) for word in of(MIDDLING)],
        "rare word": [Question((word,)) for word in _held(of(RARE), some, ranks, draw)],
        "two words": [Question(pair) for pair in together(2)],
        "four words, any": [Question(four) for four in together(4)],
        "phrase": [Question(phrase) for phrase in phrases],
        "prefix": [Question((head,)) for head in heads],
        "one edit": [Question((_mistyped(word, draw, ranks),)) for word in of(MIDDLING)],
        "filter": [
            Question((word,), area=area(int(draw.integers(AREAS))), language=str(draw.choice(LANGUAGES[:2])))
            for word in frequent
        ],
        "sort": [Question((word,)) for word in frequent],
        "facets": [Question((word,)) for word in frequent],
        "highlights": [Question((word,)) for word in frequent],
        "near an area": [Question((word,), areas=areas) for word, areas in zip(frequent, near, strict=True)],
    }


def _picked(draw: np.random.Generator, some: list[Document]) -> Document:
    return some[int(draw.integers(len(some)))]


def _held(rare: list[str], some: list[Document], ranks: dict[str, int], draw: np.random.Generator) -> list[str]:
    """Rare words that some document holds, for those of `rare` that may stand in none."""
    there = sorted({word for each in some for word in each.practice.split() if ranks[word] in RARE})
    return [str(word) for word in draw.choice(there, len(rare), replace=len(there) < len(rare))] if there else rare


def _mistyped(word: str, draw: np.random.Generator, ranks: dict[str, int]) -> str:
    """The word with one letter changed, so that it is none of the vocabulary."""
    while True:
        at, letter = int(draw.integers(len(word))), str(draw.choice(list("abcdefghijklmnopqrstuvwxyz")))
        if (made := word[:at] + letter + word[at + 1 :]) not in ranks:
            return made
