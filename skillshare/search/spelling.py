"""Words one typing mistake away: a letter too many, too few, wrong, or two swapped."""

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

SHORTEST = 4
"""Shorter words have too many neighbours to say which was meant."""
LONGEST_BYTES = 32


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
        found = {near for near in _starting(self._forwards, word[:half]) if one_mistake(word, near)}
        turned = word[::-1]
        for near in _starting(self._backwards, turned[: len(word) - half]):
            if one_mistake(turned, near):
                found.add(near[::-1])
        swapped = word[: half - 1] + word[half : half + 1] + word[half - 1 : half] + word[half + 1 :]
        if swapped != word and swapped in _starting(self._forwards, swapped):
            found.add(swapped)
        return found


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
    low = start.encode()
    first = bisect_left(words, low)
    last = bisect_left(words, low + b"\xff", first)
    return [word.decode() for word in words[first:last].tolist()]
