"""What must hold for any bytes whatever, of what is typed and of what it is looked for in.

The first line of the bytes is the query, the rest a text that somebody stored. Bytes that are no UTF-8 become lone
surrogates, which a form or a database can hold too.
"""

import html
import re
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from markupsafe import escape

from skillshare import limits
from skillshare.search.analysis import query_words, sounded_out, stems, terms_of, words_of
from skillshare.search.engine import Document, SearchRequest, Text
from skillshare.search.marks import Marker
from skillshare.search.parser import QueryTooLong, parse
from skillshare.search.whoosh_engine import WhooshEngine
from skillshare.search.writing import prepared

LANGUAGES = ("en", "es", "fr", "ru", "ar")
ELEMENT = re.compile("</?mark>")
LONGEST_TEXT = 2_000


def keep(data: bytes) -> None:
    """Raises unless everything holds for these bytes."""
    typed, _, stored = data.decode("utf-8", "surrogateescape").partition("\n")
    stored = stored[:LONGEST_TEXT]
    taken_apart(typed)
    taken_apart(stored)
    text = parsed(typed)
    marked(Marker(text, LANGUAGES), stored)
    indexed(stored)
    answered(text)


def taken_apart(text: str) -> None:
    """Words stand where they say, one after another, and have forms and stems that can be written."""
    at = 0
    for word in words_of(text):
        assert at <= word.end
        assert 0 <= word.start < word.end <= len(text)
        assert word.folded
        at = word.start
        for language in LANGUAGES:
            assert all(stem.encode("utf-8", "surrogatepass") for stem in stems(word, language))
    for language in LANGUAGES:
        assert all(form for forms, _ in terms_of(text, language) for form in forms)
    for asked in query_words(text, LANGUAGES):
        assert asked.forms
        hash(asked)
    assert isinstance(sounded_out(text), str)


def parsed(typed: str) -> Text:
    """Only words, phrases, what is left out and skills; never more of them than were typed; or it is too long."""
    too_long = len(typed) > limits.QUERY or len(typed.split()) > limits.QUERY_TERMS
    try:
        query = parse(typed, {"Northside": "n"}, {"English": "en"})
    except QueryTooLong:
        assert too_long
        return parsed(" ".join(typed[: limits.QUERY].split()[: limits.QUERY_TERMS])[: limits.QUERY])
    assert not too_long
    text = query.text
    pieces = (*text.words, *text.phrases, *text.excluded, *text.skills)
    assert all(type(piece) is str and piece in typed for piece in pieces)
    assert sum(map(len, pieces)) <= len(typed)
    assert set(query.filters) <= {"area", "language", "who"}
    return text


def marked(marker: Marker, stored: str) -> None:
    """Marks only add <mark>: without them the text is as it was, escaped."""
    whole = str(marker.marked(stored))
    assert ELEMENT.sub("", whole) == str(escape(stored))
    snippet = str(marker.snippet(stored))
    for shown in (whole, snippet):
        assert not re.search("[<>]", ELEMENT.sub("", shown))
        assert shown.count("<mark>") == shown.count("</mark>")
        assert "<mark></mark>" not in shown
    bare = html.unescape(ELEMENT.sub("", snippet))
    assert bare.removeprefix("…").removesuffix("…") in html.unescape(str(escape(stored))) + "…"


def indexed(stored: str) -> None:
    """A document with this text in all its places can be written."""
    document = Document(
        "offer:1", 1, "en", stored, (("es", stored),), stored, stored, stored, {"topic": frozenset({stored})}
    )
    prepared(document, frozenset(LANGUAGES))


@cache
def engine() -> WhooshEngine:
    """A small index, made once in a folder of its own."""
    made = WhooshEngine(Path(mkdtemp(prefix="teachback-fuzz-")) / "search", languages=LANGUAGES)
    words = ["bread and butter", "rye", "pan de centeno", "日本語", "t-shirt", "хлеб", "🎸 guitar"]
    made.rebuild(
        Document(f"offer:{number}", 1, "en", said, practice=f"How to {said}.", theory=f"Why {said}.")
        for number, said in enumerate(words * 3)
    )
    return made


def answered(text: Text) -> None:
    """Any search has an answer, and its parts agree."""
    for request in (SearchRequest(text, facets=("kind",)), SearchRequest(text, exact=True, within="theory")):
        page = engine().search(request)
        assert page.total >= len(page.hits)
        assert len({hit.key for hit in page.hits}) == len(page.hits)
        for facet in page.facets.values():
            assert sum(count for _, count in facet) >= page.total
    for start in (*text.words, *text.phrases):
        engine().complete(start, frozenset(), "en")
