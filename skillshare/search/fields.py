"""From a document to what the index keeps of it: weighted words with their places, stems, names, filters, facts.

Title, names and texts share one field in which words weigh differently: BM25F adds weighted counts before it
saturates them, and a question reads one postings list a word.
"""

from collections.abc import Iterator

import numpy as np

from .analysis import main_language, sounded_out, stems, words_of
from .engine import Document
from .whoosh_parts import FACTS, PackedPositions, Posting

TITLE, NAME, BODY, EXTRA = 4.0, 3.0, 1.0, 0.5
GAP = 50
"""Places left free between two texts, so that no phrase spans them."""
NEVER = -(1 << 62)
"""In place of a time that there is none of: earlier than all."""

POSITIONS = PackedPositions()


def postings_of(document: Document) -> dict[str, list[Posting]]:
    """The postings of one document, by field."""
    counts = _Counts()
    for weight, language, text in _texts(document):
        counts.read(text, language, weight)
    filters = [
        Posting(filter_word(name, value), 1, 1.0) for name, values in document.all_filters().items() for value in values
    ]
    return {
        "key": [Posting(encoded(document.key), 1, 1.0)],
        "words": [
            Posting(encoded(word), len(places), counts.weights[word], POSITIONS.encode(places))
            for word, places in counts.places.items()
        ],
        "stems": [Posting(encoded(stem), *found) for stem, found in counts.stems.items()],
        "names": [Posting(encoded(word), 1, 1.0) for word in counts.names],
        "filters": filters,
    }


def columns_of(document: Document) -> dict[str, bytes]:
    """What is looked up by document rather than by word."""
    starts = NEVER if document.starts_at is None else document.starts_at
    return {
        "keys": document.key.encode(),
        "facts": np.array((document.version, starts, document.made_at), FACTS).tobytes(),
        "heads": "\n".join(_heads(document)).encode(),
    }


def filter_word(name: str, value: str) -> bytes:
    """How a filter's value stands in the index."""
    return encoded(f"{name}={value}")


def encoded(word: str) -> bytes:
    """UTF-8, even of what is no proper text (a lone surrogate in a filter's value)."""
    return word.encode("utf-8", "surrogatepass")


def _texts(document: Document) -> Iterator[tuple[float, str, str]]:
    """(weight, language, text); a weight from NAME up makes it one of the names."""
    yield TITLE, document.language, document.title
    for language, name in document.names:
        yield NAME, language, name
    yield BODY, document.language, document.practice
    yield BODY, document.language, document.theory
    yield EXTRA, document.language, document.extra


def _heads(document: Document) -> Iterator[str]:
    """`es<tab>pan de masa` for each name that completion may offer: of a skill all, of others the title."""
    names = [(document.language, document.title), *(document.names if document.kind == "skill" else ())]
    for language, name in names:
        if head := sounded_out(name):
            yield f"{main_language(language)}\t{head}"


class _Counts:
    """What has been read of one document."""

    def __init__(self) -> None:
        self.at = 0
        self.places: dict[str, list[int]] = {}
        self.weights: dict[str, float] = {}
        self.stems: dict[str, tuple[int, float]] = {}
        self.names: set[str] = set()

    def read(self, text: str, language: str, weight: float) -> None:
        for word in words_of(text):
            self.at += 1
            forms = {form for form in (word.folded, *word.beside) if form}
            found = stems(word, language)
            for form in forms:
                self.places.setdefault(form, []).append(self.at)
                self.weights[form] = self.weights.get(form, 0.0) + weight
            for stem in found:
                times, mass = self.stems.get(stem, (0, 0.0))
                self.stems[stem] = (times + 1, mass + weight)
            if weight >= NAME:
                self.names.update(forms, found)
        self.at += GAP
