"""What the letters typed so far could become: names, found by any of their words, ordered for choosing."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .engine import KINDS, kind_of

HEAD_BYTES = 32
"""What counts of a name: enough to tell apart what a person will go on typing."""
PER_NAME = 6
"""Words of a name that it is found by."""


class Completion(NamedTuple):
    """One candidate; the smallest come first."""

    order: int
    head: bytes
    number: int


class Heads:
    """All names of a segment, each once from each of its words on, sorted to be looked up by their beginning.

    Built from the folded names when the first letters are typed, then kept as flat arrays: 40 bytes a name's word.
    """

    def __init__(self, heads: list[str], keys: list[str]) -> None:
        rows = [
            (start[:HEAD_BYTES], number, language, at > 0, min(len(head), 255))
            for number, lines in enumerate(heads)
            for language, head in _names(lines)
            for at, start in enumerate(_starts(head))
        ]
        texts = np.array([row[0] for row in rows], f"S{HEAD_BYTES}")
        order = np.argsort(texts, kind="stable")
        self._texts = texts[order]
        self._numbers = np.array([row[1] for row in rows], np.int32)[order]
        self._languages = sorted({row[2] for row in rows})
        codes = {language: code for code, language in enumerate(self._languages)}
        self._codes = np.array([codes[row[2]] for row in rows], np.uint8)[order]
        self._inner = np.array([row[3] for row in rows], np.uint16)[order]
        self._sizes = np.array([row[4] for row in rows], np.uint16)[order]
        self._kinds = np.array([_kind_order(key) for key in keys], np.uint16)

    def complete(
        self, typed: str, allowed: NDArray[np.bool_], kinds: frozenset[str], language: str, limit: int
    ) -> list[Completion]:
        """The first `limit` documents among the allowed: by kind, the reader's language, whole names, short ones."""
        low = typed.encode()[:HEAD_BYTES]
        first, last = np.searchsorted(self._texts, [low, low + b"\xff"])
        numbers = self._numbers[first:last]
        own = self._languages.index(language) if language in self._languages else -1
        kind = self._kinds[numbers]
        order = kind << 10 | (self._codes[first:last] != own).astype(np.uint16) << 9
        order |= self._inner[first:last] << 8 | self._sizes[first:last]
        fits = allowed[numbers]
        if kinds:
            fits &= np.isin(kind, [_kind_order(wanted) for wanted in kinds])
        return list(self._best(np.flatnonzero(fits), order, int(first), limit))

    def _best(self, rows: NDArray[np.intp], order: NDArray[np.uint16], first: int, limit: int) -> Iterator[Completion]:
        seen: set[int] = set()
        for row in rows[np.argsort(order[rows], kind="stable")].tolist():
            number = int(self._numbers[first + row])
            if number not in seen:
                seen.add(number)
                yield Completion(int(order[row]), bytes(self._texts[first + row]), number)
            if len(seen) == limit:
                return


def _names(lines: str) -> Iterator[tuple[str, str]]:
    for line in lines.split("\n") if lines else ():
        language, _, head = line.partition("\t")
        yield language, head


def _starts(head: str) -> Iterator[bytes]:
    """The name from its first word on, from its second, and so on."""
    words = head.encode().split(b" ")
    for at in range(min(len(words), PER_NAME)):
        yield b" ".join(words[at:])


def _kind_order(key: str) -> int:
    kind = kind_of(key)
    return KINDS.index(kind) if kind in KINDS else len(KINDS)
