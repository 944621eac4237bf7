"""From text to the words it is found by: folded, stemmed in its language, and still as written.

A word is folded (case, accents and compatibility forms gone), so `SOLDADURA`, `soldadura` and a soldadura with a
stray accent are one. Beside it stand its stems, each marked with its language, so that word forms are found
without one language's rules bending another's words. Scripts written without spaces become pairs of characters.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, cast

from whoosh.lang import snowball, stopwords

TERMS_KEPT = 131_072
"""Words whose forms are remembered while texts are read: some 50 MB, given back after a rebuild."""
WORD_MAX = 40
"""Characters of a word that count; what follows is cut, when indexing and when asking alike."""

ROOT = 5
"""Letters by which words of one family know each other, where no stemmer does."""

# Scripts written without spaces (Thai, Lao, Myanmar, Khmer, kana, Han) or with endings glued on (Hangul).
PAIRED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
# Signs that people do not type alike: accents, Hebrew points, Arabic vowels, and what cannot be seen.
UNWRITTEN = (
    "\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u2069\u20d0-\u20f0\ufe00-\ufe0f\ufeff"
)
INDIC = "\u0900-\u0963\u0966-\u0dff"  # whole blocks, since \w leaves out their vowel signs
PICTURES = "\u2600-\u27bf\U0001f000-\U0001faff"

LETTERS = rf"(?:(?![{PAIRED}])[^\W_]|[{UNWRITTEN}{INDIC}])+"
TOKEN = re.compile(rf"(?P<spaced>{LETTERS}(?:[-'’‐‑·]{LETTERS})*)|(?P<paired>[{PAIRED}]+)|(?P<picture>[{PICTURES}])")
PLAIN_TOKEN = re.compile(r"[A-Za-z0-9]+(?:[-'][A-Za-z0-9]+)*")
"""TOKEN for a text of ASCII only, found several times as fast."""
PART = re.compile(LETTERS)
PAIR = re.compile(f"[{PAIRED}]")
UNWRITTEN_SIGN = re.compile(f"[{UNWRITTEN}\\s]")

# Letters that no Unicode decomposition takes apart.
PLAINER = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "þ": "th", "æ": "ae", "œ": "oe"})


class Word(NamedTuple):
    """A word of a text. `text[start:end]` is where it stands.

    `joined` is the whole of a compound written as one ("tshirt" for both parts of "t-shirt"), else empty;
    `beside` are further forms that are found at this place.
    """

    start: int
    end: int
    written: str
    folded: str
    joined: str = ""
    beside: tuple[str, ...] = ()


class QueryWord(NamedTuple):
    """A word that was asked for: any of `forms` as written, or any of `stems`, is a match.

    A small word ("the") helps to rank, but is not looked for where other words are.
    """

    forms: tuple[str, ...]
    stems: tuple[str, ...]
    small: bool


@lru_cache(maxsize=8_192)
def fold(word: str) -> str:
    """The word without case, accents and compatibility forms, at most WORD_MAX characters; folding twice is once."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word).casefold())
    text = UNWRITTEN_SIGN.sub("", text).translate(PLAINER)
    return unicodedata.normalize("NFC", text)[:WORD_MAX]


def words_of(text: str) -> Iterator[Word]:
    """The words of a text in their order, in linear time."""
    for token in TOKEN.finditer(text):
        if token["paired"]:
            yield from _pairs(token["paired"], token.start())
        elif token["picture"]:
            yield Word(*token.span(), token[0], token[0])
        else:
            yield from _parts(token[0], token.start())


def _parts(token: str, at: int) -> Iterator[Word]:
    parts = [(m.start() + at, m.end() + at, m[0], fold(m[0])) for m in PART.finditer(token)]
    parts = [part for part in parts if part[3]]
    if len(parts) == 1:
        yield Word(*parts[0])
        return
    joined = "".join(part[3] for part in parts)[:WORD_MAX]
    for number, part in enumerate(parts):
        yield Word(*part, joined, () if number else (joined,))


def _pairs(run: str, at: int) -> Iterator[Word]:
    """Overlapping pairs of characters, with the single characters beside them."""
    if len(run) == 1:
        yield Word(at, at + 1, run, fold(run))
        return
    last = len(run) - 2
    for number in range(last + 1):
        pair = run[number : number + 2]
        single = (fold(pair[0]), fold(pair[1])) if number == last else (fold(pair[0]),)
        yield Word(at + number, at + number + 2, pair, fold(pair), "", tuple(filter(None, single)))


def stems(word: Word, language: str) -> tuple[str, ...]:
    """The stems of a word in a language, marked `en:bak`; none of a small word or in a language not known.

    An accent may change the stem ("panadería", "panaderia"), so the word counts with and without its accents.
    """
    found = _stems(word.written.lower(), word.folded, main_language(language))
    if word.joined and word.beside:
        found += _stems(word.joined, word.joined, main_language(language))
    return found


@lru_cache(maxsize=8_192)
def _stems(lowered: str, folded: str, language: str) -> tuple[str, ...]:
    stem = _stemmer(language)
    if stem is None or not folded.isalpha() or PAIR.match(folded) or folded in small_words(language):
        return ()
    ways = (unicodedata.normalize("NFC", lowered)[:WORD_MAX], folded)
    return tuple(dict.fromkeys(f"{language}:{fold(stem(way))}" for way in dict.fromkeys(ways)))


@lru_cache(maxsize=64)
def _stemmer(language: str) -> Callable[[str], str] | None:
    if language not in snowball.classes:
        return None
    return cast(Callable[[str], str], snowball.classes[language]().stem)


@lru_cache(maxsize=64)
def small_words(language: str) -> frozenset[str]:
    """The words of a language that say little by themselves, folded."""
    return frozenset(fold(word) for word in stopwords.stoplists.get(main_language(language), ()))


def main_language(language: str) -> str:
    """`es` for `es-MX` and `es_MX`."""
    return re.split("[-_]", language, maxsplit=1)[0].lower()


def terms_of(text: str, language: str) -> Iterator[tuple[tuple[bytes, ...], tuple[bytes, ...]]]:
    """The words of a text as an index keeps them: for each the forms and the stems it is found by, encoded."""
    if text.isascii():
        for plain in PLAIN_TOKEN.findall(text):
            yield from _terms(plain, language)
        return
    for token in TOKEN.finditer(text):
        if token.lastgroup == "paired":
            yield from _terms.__wrapped__(token[0], language)
        else:
            yield from _terms(token[0], language)


@lru_cache(maxsize=TERMS_KEPT)
def _terms(token: str, language: str) -> tuple[tuple[tuple[bytes, ...], tuple[bytes, ...]], ...]:
    found = []
    for word in words_of(token):
        forms = dict.fromkeys(form.encode() for form in (word.folded, *word.beside) if form)
        found.append((tuple(forms), tuple(stem.encode() for stem in stems(word, language)) if language else ()))
    return tuple(found)


def forget_terms() -> None:
    """Give back the memory that reading many texts has filled."""
    _terms.cache_clear()


def query_words(text: str, languages: Iterable[str]) -> list[QueryWord]:
    """What to look for, in all these languages at once, since nobody says in which one they type."""
    languages = tuple(languages)
    words = list(words_of(text))
    compounds = {word.joined for word in words if word.joined and len(word.folded) > 1}
    return [
        _query_word(word, languages)
        for word in words
        if word.folded and not (word.joined in compounds and len(word.folded) == 1)  # the t of t-shirt
    ]


def _query_word(word: Word, languages: tuple[str, ...]) -> QueryWord:
    forms = (word.folded, word.joined) if word.joined else (word.folded,)
    found = dict.fromkeys(stem for language in languages for stem in stems(word, language))
    small = any(word.folded in small_words(language) for language in languages)
    return QueryWord(forms, tuple(found), small)


def root_of(word: str) -> str:
    """What soldar, soldador and soldadura share, marked `~solda`: the first letters of a folded word, unless short."""
    return f"~{word[:ROOT]}" if len(word) >= ROOT and word.isalpha() else ""


def sounded_out(text: str) -> str:
    """The folded words of a name with one space between them, as completion compares them."""
    return " ".join(word.folded for word in words_of(text) if word.folded)
