"""What the letters typed so far could become: names, found by any of their words, ordered for choosing.

Sorted once, when a segment is written, and kept in a file of its own: a look-up reads only the rows that begin as
typed, so that the first letters after a start are answered as fast as the next, and no memory holds the names.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from struct import Struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .engine import KINDS, kind_of

HEAD_BYTES = 24
"""What counts of a name: enough to tell apart what a person will go on typing."""
PER_NAME = 6
"""Words of a name that it is found by."""
STEP = 256
"""Rows between two that are kept in memory to find the others by."""

ROW = np.dtype(
    [("head", f"S{HEAD_BYTES}"), ("number", "<u4"), ("language", "u1"), ("kind", "u1"), ("inner", "u1"), ("size", "u1")]
)
LANGUAGE_BYTES, LANGUAGES_MAX = 8, 255
COUNTS = Struct("<BI")
"""What such a file begins with: how many languages, and how many rows."""


class Completion(NamedTuple):
    """One candidate; the smallest come first."""

    order: int
    head: bytes
    number: int


def packed(heads: Sequence[str], keys: Sequence[str]) -> bytes:
    """All names of a segment, each once from each of its words on, sorted to be looked up by their beginning.

    `heads` are each document's folded names, a line each: its language, a tab, the name.
    """
    names = [(number, *name) for number, lines in enumerate(heads) for name in _names(lines)]
    languages = sorted({language for _, language, _ in names})[:LANGUAGES_MAX]
    codes = {language: code for code, language in enumerate(languages)}
    kinds = [_kind_order(key) for key in keys]
    rows = [
        (start[:HEAD_BYTES], number, codes.get(language, LANGUAGES_MAX), kinds[number], at > 0, min(len(head), 255))
        for number, language, head in names
        for at, start in enumerate(_starts(head))
    ]
    table = np.array(rows, ROW)
    table = table[np.argsort(table["head"], kind="stable")]
    spoken = b"".join(language.encode()[:LANGUAGE_BYTES].ljust(LANGUAGE_BYTES) for language in languages)
    return COUNTS.pack(len(languages), len(table)) + spoken + table["head"][::STEP].tobytes() + table.tobytes()


class Heads:
    """Looks names up in what `packed` made; `read(position, length)` gives bytes of it."""

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._read = read
        languages, self._rows = COUNTS.unpack(read(0, COUNTS.size))
        at = COUNTS.size
        spoken = [read(at + number * LANGUAGE_BYTES, LANGUAGE_BYTES) for number in range(languages)]
        self._languages = [language.decode().rstrip() for language in spoken]
        at += languages * LANGUAGE_BYTES
        marks = -(-self._rows // STEP) * HEAD_BYTES
        self._marks = np.frombuffer(read(at, marks), f"S{HEAD_BYTES}")
        self._start = at + marks

    def complete(
        self, typed: str, allowed: NDArray[np.bool_], kinds: frozenset[str], language: str, limit: int
    ) -> list[Completion]:
        """The first `limit` documents among the allowed: by kind, the reader's language, whole names, short ones."""
        rows = self._beginning(typed.encode()[:HEAD_BYTES])
        own = self._languages.index(language) if language in self._languages else -1
        order = rows["kind"].astype(np.uint16) << 10 | (rows["language"] != own).astype(np.uint16) << 9
        order |= rows["inner"].astype(np.uint16) << 8 | rows["size"]
        fits = allowed[rows["number"]]
        if kinds:
            fits &= np.isin(rows["kind"], [_kind_order(wanted) for wanted in kinds])
        return list(_best(rows, np.flatnonzero(fits), order, limit))

    def _beginning(self, low: bytes) -> NDArray[np.void]:
        """The rows whose names begin so."""
        high = low + b"\xff"
        first = max(0, int(np.searchsorted(self._marks, low)) - 1) * STEP
        last = min(self._rows, int(np.searchsorted(self._marks, high)) * STEP)
        rows = self._between(first, last)
        return rows[slice(*np.searchsorted(rows["head"], [low, high]))]

    def _between(self, first: int, last: int) -> NDArray[np.void]:
        start, size = self._start + first * ROW.itemsize, max(0, last - first) * ROW.itemsize
        return np.frombuffer(self._read(start, size), ROW)


def _best(
    rows: NDArray[np.void], fitting: NDArray[np.intp], order: NDArray[np.uint16], limit: int
) -> Iterator[Completion]:
    seen: set[int] = set()
    for row in fitting[np.argsort(order[fitting], kind="stable")].tolist():
        number = int(rows["number"][row])
        if number not in seen:
            seen.add(number)
            yield Completion(int(order[row]), bytes(rows["head"][row]), number)
        if len(seen) == limit:
            return


def _names(lines: str) -> Iterable[tuple[str, str]]:
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
