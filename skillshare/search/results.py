"""A search answered: an engine finds keys, the database says what the reader may see of them.

The total is what the engine counted less what the reader could not open; where anything was dropped the counts beside
the boxes are not shown at all, since they could hold more of it. For blocked pairs nothing needs dropping: see
`asking`.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from skillshare import limits

from . import from_database
from .analysis import query_words, words_of
from .asking import Asked, Reader, to_request
from .engine import IndexUnavailable, SearchEngine, SearchPage, SearchRequest, Text
from .parser import ParsedQuery
from .shown import Result, shown

log = logging.getLogger(__name__)

THIN = 3
"""So few things found want something beside them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of what was found.

    `counts` are by group and value, None where they could tell of what may not be seen. `correction` is what was
    looked for instead of what was typed, whole. `from_index` is False when the database answered in its place.
    """

    results: Sequence[Result]
    total: int
    more: bool = False
    counts: Mapping[str, Mapping[str, int]] | None = None
    correction: str | None = None
    from_index: bool = True

    @property
    def rest_from(self) -> int | None:
        """The place of the first result from which on none holds all the words; None when the last one does."""
        whole = [place for place, result in enumerate(self.results) if result.why.whole]
        some = [place for place, result in enumerate(self.results) if result.why.some]
        rest = whole[-1] + 1 if whole else 0
        return rest if some and some[-1] >= rest else None

    @property
    def is_thin(self) -> bool:
        """Whether so little was found that something near should stand beside it."""
        return self.total <= THIN


class Outage:
    """Logs that the index cannot answer, once a minute however many search."""

    SAY_AGAIN_SECONDS = 60.0

    def __init__(self) -> None:
        self._said_at: float | None = None

    def note(self, problem: IndexUnavailable) -> None:
        """Somebody was answered from the database."""
        now = monotonic()
        if self._said_at is None or now - self._said_at >= self.SAY_AGAIN_SECONDS:
            self._said_at = now
            log.warning("the database answers searches: %s", problem)


outage = Outage()


def find(engine: SearchEngine, asked: Asked, reader: Reader) -> Answer:
    """Answer a search. Raises parser.QueryTooLong and engine.TooDeep; a broken index only makes it plainer."""
    parsed = asked.parsed(reader)
    request = to_request(asked, parsed, reader)
    try:
        page = _search(engine, request, asked, parsed, reader)
    except IndexUnavailable as problem:
        outage.note(problem)
        return _from_database(request, reader)
    text = replace(parsed.text, words=tuple(page.correction.split())) if page.correction else parsed.text
    found = shown([hit.key for hit in page.hits], text, reader)
    dropped = len(page.hits) - len(found)
    return Answer(
        results=found,
        total=page.total - dropped,
        more=_goes_on(request, page.total),
        counts=None if dropped else {group: dict(values) for group, values in page.facets.items()},
        correction=_corrected(asked.q, parsed, page, found, reader) if page.correction else None,
    )


def _search(
    engine: SearchEngine, request: SearchRequest, asked: Asked, parsed: ParsedQuery, reader: Reader
) -> SearchPage:
    """The engine's answer. A word that is written right, and only hidden by boxes or operators, is not set right."""
    page = engine.search(request)
    wide = replace(parsed, filters={}, left=False, after=None, before=None)
    if page.correction is None or not (asked.ticked or parsed != wide):
        return page
    changed = [said for said, meant in _meant(parsed, page.correction, reader) if meant is not None]
    anywhere = replace(to_request(asked.without_boxes(), wide, reader), exact=True, facets=(), per_page=1)
    known = (engine.search(replace(anywhere, text=Text(words=(said,)))).total for said in changed)
    return engine.search(replace(request, exact=True)) if changed and all(known) else page


def _from_database(request: SearchRequest, reader: Reader) -> Answer:
    keys, total = from_database.keys(request, reader.viewer)
    found = shown(keys, request.text, reader)
    return Answer(found, total, more=_goes_on(request, total), from_index=False)


def _goes_on(request: SearchRequest, total: int) -> bool:
    seen = request.page * request.per_page
    return seen < total and seen + request.per_page <= limits.PAGES_DEEP


def _corrected(typed: str, parsed: ParsedQuery, page: SearchPage, found: Iterable[Result], reader: Reader) -> str:
    """What was typed with the misspelt words set right, as what was found writes them; all else as it was typed."""
    seen = (word for result in found for said in result.written for word in words_of(said))
    written = {word.folded: word.written.lower() for word in seen}
    words, at, pieces = _meant(parsed, page.correction or "", reader), 0, []
    if not words:
        return " ".join(written.get(word, word) for word in (page.correction or "").split())
    for (said, meant), (start, end) in zip(words, parsed.spans, strict=True):
        put = said if meant is None else " ".join(written.get(word, word) for word in meant)
        pieces += [typed[at:start], put]
        at = end
    return "".join([*pieces, typed[at:]])


def _meant(parsed: ParsedQuery, correction: str, reader: Reader) -> list[tuple[str, list[str] | None]]:
    """Each plain word as typed, and what was looked for in its place (None: itself). Empty if they do not match."""
    meant, words = correction.split(), []
    for said in parsed.text.words:
        forms = [word.forms[0] for word in query_words(said, reader.languages)]
        mine, meant = meant[: len(forms)], meant[len(forms) :]
        if len(mine) < len(forms):
            return []
        words.append((said, None if mine == forms else mine))
    return [] if meant else words
