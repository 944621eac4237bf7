"""Marks on what was searched for. Text is escaped first; the only element that leaves here is <mark>.

Every engine uses this one marker, over texts just read from the database. Its time is linear in the text.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup, escape

from .analysis import Word, query_words, stems, words_of
from .engine import Text

CUT, NOTHING = Markup("…"), Markup("")
READ_AT_MOST = 20_000
"""Characters of a text that are looked at; nothing people write here is longer."""


class Piece(NamedTuple):
    """A piece of a text, marked or not."""

    text: str
    marked: bool


class Marker:
    """Marks the words of one search in texts of any language the instance speaks."""

    def __init__(self, text: Text, languages: Iterable[str]) -> None:
        self.languages = tuple(languages)
        wanted = [
            word for said in (*text.words, *text.phrases, *text.skills) for word in query_words(said, self.languages)
        ]
        if not all(word.small for word in wanted):
            wanted = [word for word in wanted if not word.small]
        self._forms = {form for word in wanted for form in word.forms}
        self._stems = {stem for word in wanted for stem in word.stems}

    def pieces(self, text: str) -> list[Piece]:
        """The whole text, cut where marks begin and end."""
        return _pieces(text, self._spans(text), 0, len(text))

    def marked(self, text: str) -> Markup:
        """The whole text, escaped and marked."""
        return _markup(self.pieces(text))

    def snippet(self, text: str, width: int = 160) -> Markup:
        """About `width` characters around where most of the words stand together, escaped and marked."""
        text = text[:READ_AT_MOST]
        spans = self._spans(text)
        start, end = _window(text, spans, width)
        before = CUT if start else NOTHING
        after = CUT if end < len(text) else NOTHING
        return before + _markup(_pieces(text, spans, start, end)) + after

    def found_in(self, text: str) -> bool:
        """Whether any word of the search stands in the text."""
        return bool(self._spans(text))

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Where marked words stand, joined where they touch or overlap."""
        spans: list[tuple[int, int]] = []
        for word in words_of(text[:READ_AT_MOST]) if self._forms else ():
            if not self._wants(word):
                continue
            if spans and word.start <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(word.end, spans[-1][1]))
            else:
                spans.append((word.start, word.end))
        return spans

    def _wants(self, word: Word) -> bool:
        if word.folded in self._forms or (word.joined and word.joined in self._forms):
            return True
        return any(stem in self._stems for language in self.languages for stem in stems(word, language))


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
    return NOTHING.join(_elements(pieces))


def _elements(pieces: Iterable[Piece]) -> Iterator[Markup]:
    for piece in pieces:
        yield Markup("<mark>{}</mark>").format(piece.text) if piece.marked else escape(piece.text)


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
