"""Marks on what was searched for. Text is escaped first; the only element that leaves here is <mark>.

Every engine uses this one marker, over texts just read from the database. Its time is linear in the text.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup, escape

from .analysis import TOKEN, Word, query_words, stems, words_of
from .engine import Text

CUT, NOTHING = Markup("…"), Markup()
SEEN_AT_MOST = 5_000
"""Tokens of which a search remembers what they say."""
READ_AT_MOST = 20_000
"""Characters of a text that are looked at; nothing people write here is longer."""


Standing = tuple[int, int, frozenset[str]]
"""Where a word stands, and the words of the search that it stands for."""


class Piece(NamedTuple):
    """A piece of a text, marked or not."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Read:
    """A text that was looked through: where words of the search stand in it, and which of them."""

    text: str
    spans: list[tuple[int, int]]
    found: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.spans)

    @property
    def pieces(self) -> list[Piece]:
        """The whole text, cut where marks begin and end."""
        return _pieces(self.text, self.spans, 0, len(self.text))

    @property
    def marked(self) -> Markup:
        """The whole text, escaped and marked."""
        return _markup(self.pieces)

    def snippet(self, width: int = 160) -> Markup:
        """About `width` characters around where most of the words stand together, escaped and marked."""
        start, end = _window(self.text, self.spans, width)
        before = CUT if start else NOTHING
        after = CUT if end < len(self.text) else NOTHING
        return before + _markup(_pieces(self.text, self.spans, start, end)) + after

    @property
    def written(self) -> Iterator[str]:
        """What was found, as it is written here."""
        return (self.text[left:right] for left, right in self.spans)


class Marker:
    """Marks the words of one search in texts of any language the instance speaks.

    `wanted` are the words by their folded form, each as it was typed: the small ones are left out beside others.
    """

    def __init__(self, text: Text, languages: Iterable[str]) -> None:
        self.languages = tuple(languages)
        asked = [
            word for said in (*text.words, *text.phrases, *text.skills) for word in query_words(said, self.languages)
        ]
        if not all(word.small for word in asked):
            asked = [word for word in asked if not word.small]
        typed = {w.folded: w.written for said in (*text.words, *text.phrases, *text.skills) for w in words_of(said)}
        self.wanted = {word.forms[0]: typed.get(word.forms[0], word.forms[0]) for word in asked}
        self._known: dict[str, set[str]] = defaultdict(set)
        for word in asked:
            for form in (*word.forms, *word.stems):
                self._known[form].add(word.forms[0])
        self._first_letters = frozenset(form.rpartition(":")[2][:1] for form in self._known)
        self._seen: dict[str, tuple[Standing, ...]] = {}

    def read(self, text: str) -> Read:
        """Look through a text."""
        text = text[:READ_AT_MOST]
        spans: list[tuple[int, int]] = []
        found: set[str] = set()
        for token in TOKEN.finditer(text) if self._known else ():
            for start, end, which in self._standing(token[0]):
                start, end = start + token.start(), end + token.start()
                found |= which
                if spans and start <= spans[-1][1]:
                    spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
                else:
                    spans.append((start, end))
        return Read(text, spans, frozenset(found))

    def pieces(self, text: str) -> list[Piece]:
        """The whole text, cut where marks begin and end."""
        return _pieces(text, self.read(text).spans, 0, len(text))

    def marked(self, text: str) -> Markup:
        """The whole text, escaped and marked."""
        return _markup(self.pieces(text))

    def snippet(self, text: str, width: int = 160) -> Markup:
        """About `width` characters around where most of the words stand together, escaped and marked."""
        return self.read(text).snippet(width)

    def found_in(self, text: str) -> bool:
        """Whether any word of the search stands in the text."""
        return bool(self.read(text))

    def _standing(self, token: str) -> tuple[Standing, ...]:
        """Where words of the search stand in a token; texts say the same ones again and again."""
        known = self._seen.get(token)
        if known is None:
            if len(self._seen) >= SEEN_AT_MOST:
                self._seen.clear()
            if token.isascii() and token.isalnum() and token[0].lower() not in self._first_letters:
                known = self._seen[token] = ()  # most tokens, at no cost
            else:
                read = ((word.start, word.end, frozenset(self._meant(word))) for word in words_of(token))
                known = self._seen[token] = tuple(standing for standing in read if standing[2])
        return known

    def _meant(self, word: Word) -> Iterator[str]:
        for form in (word.folded, word.joined):
            yield from self._known.get(form, ())
        if word.folded[:1] not in self._first_letters and word.joined[:1] not in self._first_letters:
            return  # a stem begins as its word does
        for language in self.languages:
            for stem in stems(word, language):
                yield from self._known.get(stem, ())


@lru_cache(maxsize=64)
def marker(text: Text, languages: tuple[str, ...]) -> Marker:
    """The marker of a search, kept for its next page."""
    return Marker(text, languages)


def _pieces(text: str, spans: list[tuple[int, int]], start: int, end: int) -> list[Piece]:
    pieces, at = [], start
    for left, right in spans:
        if left < start or right > end:
            continue
        if left > at:
            pieces.append(Piece(text[at:left], False))
        pieces.append(Piece(text[left:right], True))
        at = right
    if at < end:
        pieces.append(Piece(text[at:end], False))
    return pieces


def _markup(pieces: Iterable[Piece]) -> Markup:
    said = (f"<mark>{escape(text)}</mark>" if marked else escape(text) for text, marked in pieces)
    return Markup("".join(said))  # noqa: S704  each piece is escaped just above


def _window(text: str, spans: list[tuple[int, int]], width: int) -> tuple[int, int]:
    """The stretch of about `width` characters with the most marks, cut between words where there are spaces."""
    if len(text) <= width:
        return 0, len(text)
    best, first, begin = 0, 0, 0
    for last, (_, right) in enumerate(spans):
        while right - spans[first][0] > width and first < last:
            first += 1
        if last - first + 1 > best:
            best, begin = last - first + 1, max(0, spans[first][0] - width // 4)
    start, end = begin, min(len(text), begin + width)
    if end == len(text):
        start = max(0, end - width)
    return _after_a_space(text, start, spans), _before_a_space(text, end)


def _after_a_space(text: str, start: int, spans: list[tuple[int, int]]) -> int:
    """`start`, or just after the next space within 20 characters that no mark stands before."""
    if not start:
        return 0
    limit = min([start + 20, *(left for left, _ in spans if left >= start)])
    space = text.find(" ", start - 1, limit)
    return start if space < 0 else space + 1


def _before_a_space(text: str, end: int) -> int:
    if end >= len(text):
        return len(text)
    space = text.rfind(" ", end - 20, end + 1)
    return end if space < 0 else space
