"""What may have been meant by a word that stands nowhere.

First the words one typing mistake away: a letter too many, too few, wrong, or two swapped. Where there is none, the
words that begin alike and share much of their trigrams: two mistakes, another ending, a word not typed to its end.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

SHORTEST = 4
"""Shorter words have too many neighbours to say which was meant."""
LONGEST_BYTES = 24
ALIKE_FROM = 0.4
"""Part of all trigrams of two words that both have, from which on one may be meant by the other."""
SPACE = 32
BEGINNING, MANY = 3, 1_000
"""Letters that both have at their beginning; one more where more than so many words begin so."""


class Spellings:
    """All words of a segment, to be looked up by their beginning and by their end.

    One mistake leaves the first half of a word or its second half untouched, or swaps the letters between them.
    """

    def __init__(self, words: list[bytes]) -> None:
        texts = [word.decode() for word in words if len(word) <= LONGEST_BYTES]
        texts = [text for text in texts if len(text) >= SHORTEST - 1 and text.isalpha()]
        self._forwards = _sorted(texts)
        self._backwards = _sorted([text[::-1] for text in texts])

    def near(self, word: str) -> set[str]:
        """The words at exactly one mistake from this one."""
        half = len(word) // 2
        found = set(_starting(self._forwards, word[:half]))
        found.update(near[::-1] for near in _starting(self._backwards, word[half:][::-1]))
        found.update(_starting(self._forwards, word[: half - 1] + word[half : half + 1] + word[half - 1 : half]))
        return found & one_away(word, set("".join(found)))

    def alike(self, word: str) -> dict[str, float]:
        """The words that begin as this one does and are like it, each with the part of their trigrams they share."""
        start = BEGINNING
        found = _range(self._forwards, word[:start])
        while len(found) > MANY and start < len(word):
            start += 1
            found = _range(self._forwards, word[:start])
        typed = np.unique(_trigrams(np.array([word.encode()[:LONGEST_BYTES]], f"S{LONGEST_BYTES}")))
        typed = typed[typed > 0]
        trigrams = _trigrams(found)
        shared = np.count_nonzero(np.isin(trigrams, typed), axis=1)
        likeness = shared / (np.count_nonzero(trigrams, axis=1) + len(typed) - shared)
        near = np.flatnonzero(likeness >= ALIKE_FROM)
        words = {text.decode(): float(part) for text, part in zip(found[near].tolist(), likeness[near], strict=True)}
        words.pop(word, None)
        return words


def one_away(word: str, letters: Iterable[str]) -> set[str]:
    """All that one mistake makes of a word, with one of these letters where it needs another.

    Few hundred, to be met with any number of words as sets: quicker than comparing the word with each.
    """
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    made = {start + end[1:] for start, end in cuts if end}
    made.update(start + end[1] + end[0] + end[2:] for start, end in cuts if len(end) > 1)
    for letter in letters:
        made.update([start + letter + end for start, end in cuts])
        made.update([start + letter + end[1:] for start, end in cuts])
    made.discard(word)
    return made


def one_mistake(a: str, b: str) -> bool:
    """Whether one letter added, left out, changed or swapped with its neighbour makes `a` into `b`."""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    if len(a) > len(b):
        a, b = b, a
    same = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(a) < len(b):
        return a[same:] == b[same + 1 :]
    if a[same + 1 :] == b[same + 1 :]:
        return True
    return a[same : same + 2] == b[same : same + 2][::-1] and a[same + 2 :] == b[same + 2 :]


def _sorted(texts: list[str]) -> NDArray[np.bytes_]:
    words = np.array([text.encode() for text in texts], f"S{LONGEST_BYTES}")
    words.sort()
    return words


def _starting(words: NDArray[np.bytes_], start: str) -> list[str]:
    return [word.decode() for word in _range(words, start).tolist()]


def _range(words: NDArray[np.bytes_], start: str) -> NDArray[np.bytes_]:
    low = start.encode()
    first, end = words.searchsorted(np.array([low, low + b"\xff"]))
    return words[first:end]


def _trigrams(words: NDArray[np.bytes_]) -> NDArray[np.uint32]:
    """Each word's trigrams as numbers, a row a word, filled up with zeros; two spaces stand before, one behind."""
    letters = words.view(np.uint8).reshape(len(words), LONGEST_BYTES)
    padded = np.zeros((len(words), LONGEST_BYTES + 3), np.uint32)
    padded[:, :2], padded[:, 2:-1] = SPACE, letters
    padded[np.arange(len(words)), 2 + np.count_nonzero(letters, axis=1)] = SPACE
    trigrams = padded[:, :-2] * np.uint32(1 << 16) + padded[:, 1:-1] * np.uint32(1 << 8) + padded[:, 2:]
    trigrams[padded[:, 2:] == 0] = 0
    return trigrams
