"""From a document to the rows PostgreSQL keeps of it.

The words are ours (see `analysis`), not those of PostgreSQL's dictionaries: a dictionary is chosen for a whole text,
while a query has no language, and its rules for compounds, accents and scripts without spaces differ from ours. So a
document is analysed in its own language here, once, and PostgreSQL is given finished words ("lexemes"): `bread` as
written, `en:bread` a stem, `@bread` and `@en:bread` what stands in a name, `~3fa2` two words that follow one another,
`#16:3` a sample of all documents.
"""

import re
from collections.abc import Iterable, Iterator
from struct import unpack
from typing import NamedTuple
from zlib import crc32

import numpy as np

from .completion import HEAD_BYTES, PER_NAME
from .engine import KINDS, Document
from .fields import EXTRA_AT, PRACTICE_AT, THEORY_AT, columns_of, postings_of
from .spelling import LONGEST_BYTES, SHORTEST

MASS = np.dtype([("word", "<u4"), ("mass", "<u2"), ("halves", "u1")])
"""What ranks: a word's fingerprint, its weight in sixteenths, and in which halves it stands (1, 2, both 3)."""
SIXTEENTH, MASS_MAX = 16, 65_535

SAMPLES = (4, 16, 64, 256)
"""One of so many documents can be asked for by one word, so that what is common is counted on a part of it."""

REGIONS = ((PRACTICE_AT, 1, "A"), (THEORY_AT, 4_096, "B"), (EXTRA_AT, 8_192, "C"), (1 << 16, 12_288, "D"))
"""Where our places end, where they begin in a tsvector, and their label: names, practice, theory, the rest."""
REGION = 4_000
"""Places of a region; PostgreSQL knows 16,383 in all, and 255 of each word."""
PLACES_MAX = 255
SOMEWHERE = "16383D"
"""The place of a word that has none: PostgreSQL finds a word without places in any half."""
HALF_PLACES = (SOMEWHERE, "4096B", "8192C", "4096B,8192C")
BYTES_MAX = 900_000
"""A tsvector may have a million; of a document with more, half of the words are found."""

UNSTORABLE = re.compile("[\\\\\x00\ud800-\udfff]")


class Row(NamedTuple):
    """A document's row, in the order of the columns of its table."""

    key: str
    version: int
    made_at: int
    starts_at: int | None
    words: int
    stems: int
    filters: list[str]
    names: str
    masses: bytes
    lexemes: str


class Head(NamedTuple):
    """One of the words from which on a name can be completed."""

    kind: int
    start: str
    language: str
    inner: bool
    size: int
    key: str


class Kept(NamedTuple):
    """All that is kept of a document, with the words that count it."""

    row: Row
    heads: list[Head]
    counted: list[str]


def kept_of(document: Document, languages: frozenset[str]) -> Kept:
    """The rows of a document; stems are made for texts in one of `languages` only."""
    postings = postings_of(document, languages)
    words, stems = postings["words"], postings["stems"]
    names = [f"@{word.decode()}" for word in postings["names"].weights]
    stands = {word.decode(): places_of(at) for word, at in zip(words.weights, words.places, strict=True)}
    places = {word: ",".join(f"{place}{label}" for place, label in at) or SOMEWHERE for word, at in stands.items()}
    halves = {
        word.decode(): HALF_PLACES[sum(unpack(f"<{len(at) // 2}H", at))]
        for word, at in zip(stems.weights, stems.places, strict=True)
    }
    filters = [
        storable(f"{name}={value}") for name, values in document.all_filters().items() for value in sorted(values)
    ]
    counted = [*places, *halves, *names]
    row = Row(
        key=storable(document.key),
        version=document.version,
        made_at=document.made_at,
        starts_at=document.starts_at,
        words=words.length,
        stems=stems.length,
        filters=filters,
        names=columns_of(document)["heads"].decode(),
        masses=_masses(words.weights | stems.weights, [*places.values(), *halves.values()]),
        lexemes=_vector(places | halves | dict.fromkeys([*names, *_pairs(stands), *samples_of(document.key)], "")),
    )
    return Kept(row, list(_heads(row.names, document.kind, row.key)), counted + [f"={value}" for value in filters])


def places_of(packed: bytes) -> list[tuple[int, str]]:
    """Places as a tsvector has them, each with its label."""
    found = []
    for place in unpack(f"<{len(packed) // 2}H", packed)[:PLACES_MAX]:
        begins = 0
        for ends, start, label in REGIONS:
            if place < ends:
                if place - begins < REGION:
                    found.append((start + place - begins, label))
                break
            begins = ends
    return found


def pair_of(first: str, second: str) -> str:
    """The lexeme for two words that follow one another, shared with a few others."""
    return f"~{crc32(f'{first} {second}'.encode()) & 0xFFFF:x}"


def _pairs(stands: dict[str, list[tuple[int, str]]]) -> set[str]:
    words: dict[int, list[str]] = {}
    for word, places in stands.items():
        for place, _ in places:
            words.setdefault(place, []).append(word)
    return {
        pair_of(first, second) for place, here in words.items() for second in words.get(place + 1, ()) for first in here
    }


def _masses(weights: dict[bytes, float], places: list[str]) -> bytes:
    found = np.empty(len(weights), MASS)
    found["word"] = [crc32(word) for word in weights]
    found["mass"] = [min(MASS_MAX, round(weight * SIXTEENTH)) for weight in weights.values()]
    found["halves"] = [("B" in at) + 2 * ("C" in at) for at in places]
    return found.tobytes()


def _vector(places: dict[str, str]) -> str:
    vector = " ".join(f"{quoted(word)}:{at}" if at else quoted(word) for word, at in places.items())
    if len(vector.encode()) <= BYTES_MAX:
        return vector
    return _vector(dict(list(places.items())[: len(places) // 2]))


def samples_of(key: str) -> list[str]:
    """The samples a document belongs to."""
    number = crc32(key.encode("utf-8", "surrogatepass"))
    return [f"#{one_of}:{number % one_of}" for one_of in SAMPLES]


def _heads(names: str, kind: str, key: str) -> Iterator[Head]:
    """Each name from each of its first words on."""
    number = KINDS.index(kind) if kind in KINDS else len(KINDS)
    for line in names.split("\n") if names else ():
        language, _, name = line.partition("\t")
        words = name.split(" ")
        for at in range(min(len(words), PER_NAME)):
            yield Head(number, cut(" ".join(words[at:])), language, at > 0, min(len(name), 255), key)


def cut(start: str) -> str:
    """As much of a name as is compared."""
    return start.encode()[:HEAD_BYTES].decode(errors="ignore")


def quoted(word: str) -> str:
    """A lexeme that can be nothing else, whatever stands in it."""
    if "'" in word or "\\" in word:
        word = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{word}'"


def can_be_meant(word: str) -> bool:
    """Whether a word may be offered in place of a misspelt one."""
    return len(word) >= SHORTEST - 1 and len(word.encode()) <= LONGEST_BYTES and word.isalpha()


def storable(text: str) -> str:
    """The text, or an unmistakable copy of it where PostgreSQL could not keep it: a NUL, half a character."""
    return text.encode("unicode_escape").decode() if UNSTORABLE.search(text) else text


def as_given(text: str) -> str:
    """What `storable` was given."""
    return text.encode().decode("unicode_escape") if "\\" in text else text


def distinct(documents: Iterable[Document]) -> Iterator[Document]:
    """Of documents with one key the first."""
    seen: set[str] = set()
    for document in documents:
        if document.key not in seen:
            seen.add(document.key)
            yield document
