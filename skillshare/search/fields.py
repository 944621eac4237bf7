"""From a document to what the index keeps of it: weighted words with their places, stems, names, filters, facts.

Title, names and texts share one field in which words weigh differently: BM25F adds weighted counts before it
saturates them, and a question reads one postings list a word. Each text has a range of places to itself, so the same
list also says whether a word stands in what one does or in why it works.
"""

from collections.abc import Iterator
from struct import pack
from zlib import crc32

import numpy as np

from .analysis import main_language, root_of, sounded_out, terms_of
from .engine import Document, Half
from .grouping import Postings
from .whoosh_parts import FACTS

TITLE, NAME, BODY, EXTRA = 4.0, 3.0, 1.0, 0.5
GAP = 50
"""Places left free between two texts, so that no phrase spans them."""
NEVER = -(1 << 62)
"""In place of a time that there is none of: earlier than all."""

NAMES_AT, PRACTICE_AT, THEORY_AT, EXTRA_AT, END = 0, 8_192, 24_576, 40_960, 65_500
"""Where the places of the names, the two halves and the rest begin; a word beyond a range counts, but has no place."""
PLACES: dict[Half, tuple[int, int]] = {"practice": (PRACTICE_AT, THEORY_AT), "theory": (THEORY_AT, EXTRA_AT)}
HALVES: dict[Half, int] = {"practice": 1, "theory": 2}
"""What stands in place of places in a stem's postings."""
HALVES_PACKED = (b"", pack("<H", 1), pack("<H", 2), pack("<HH", 1, 2))


def postings_of(document: Document, languages: frozenset[str]) -> dict[str, Postings]:
    """The postings of one document, by field; stems are made for texts in one of `languages` only."""
    counts = _Counts(languages)
    counts.read(document.title, document.language, TITLE, NAMES_AT, PRACTICE_AT)
    for language, name in document.names:
        counts.read(name, language, NAME, counts.at, PRACTICE_AT)
    counts.read(document.practice, document.language, BODY, PRACTICE_AT, THEORY_AT, 1)
    counts.read(document.theory, document.language, BODY, THEORY_AT, EXTRA_AT, 2)
    counts.read(document.extra, document.language, EXTRA, EXTRA_AT, END)
    filters = [filter_word(name, value) for name, values in document.all_filters().items() for value in values]
    return {
        "key": Postings({encoded(document.key): 1.0}),
        "words": Postings(
            counts.weights, tuple(pack(f"<{len(at)}H", *at) for at in counts.places.values()), counts.words
        ),
        "stems": Postings(
            counts.stems, tuple(HALVES_PACKED[halves] for halves in counts.halves.values()), counts.stemmed
        ),
        "names": Postings(dict.fromkeys(counts.names, 1.0)),
        "filters": Postings(dict.fromkeys(filters, 1.0)),
    }


def columns_of(document: Document) -> dict[str, bytes]:
    """What is looked up by document rather than by word."""
    starts = NEVER if document.starts_at is None else document.starts_at
    salt = crc32(encoded(document.key))
    return {
        "keys": document.key.encode(),
        "facts": np.array((document.version, starts, document.made_at, salt), FACTS).tobytes(),
        "heads": "\n".join(_heads(document)).encode(),
    }


def filter_word(name: str, value: str) -> bytes:
    """How a filter's value stands in the index."""
    return encoded(f"{name}={value}")


def encoded(word: str) -> bytes:
    """UTF-8, even of what is no proper text (a lone surrogate in a filter's value)."""
    return word.encode("utf-8", "surrogatepass")


def _heads(document: Document) -> Iterator[str]:
    """`es<tab>pan de masa` for each name that completion may offer: of a skill all, of others the title."""
    names = [(document.language, document.title), *(document.names if document.kind == "skill" else ())]
    for language, name in names:
        if head := sounded_out(name):
            yield f"{main_language(language)}\t{head}"


class _Counts:
    """What has been read of one document."""

    def __init__(self, languages: frozenset[str]) -> None:
        self.at = self.words = self.stemmed = 0
        self.weights: dict[bytes, float] = {}
        self.places: dict[bytes, list[int]] = {}
        self.stems: dict[bytes, float] = {}
        self.halves: dict[bytes, int] = {}
        self.names: set[bytes] = set()
        self._languages = languages

    def read(self, text: str, language: str, weight: float, at: int, end: int, half: int = 0) -> None:
        """Read a text whose places are `at` up to `end`."""
        weights, places, stems, halves = self.weights, self.places, self.stems, self.halves
        is_name = weight >= NAME
        language = main_language(language)
        for forms, found in terms_of(text, language if language in self._languages else ""):
            at += 1
            for form in forms:
                if form in weights:
                    weights[form] += weight
                else:
                    weights[form], places[form] = weight, []
                if at < end:
                    places[form].append(at)
            for stem in found:
                stems[stem] = stems.get(stem, 0.0) + weight
                halves[stem] = halves.get(stem, 0) | half
            self.words += len(forms)
            self.stemmed += len(found)
            if is_name:
                self.names.update(forms, found)
                if found and (root := root_of(forms[0].decode())):
                    self.names.add(root.encode())
        self.at = at + GAP
