"""From a request to conditions in SQL. Nothing typed ever becomes a query: words are quoted and bound as parameters."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from .analysis import QueryWord, query_words, words_of
from .engine import Half, SearchRequest, Text
from .postgres_rows import pair_of, quoted, storable

LABELS: Mapping[Half | None, str] = {None: "", "practice": ":B", "theory": ":C"}
NAMED = "@"
LEFT = "left=yes"

Params = dict[str, Any]


class Wanted(NamedTuple):
    """What a text asks for, analysed; `nothing` when it has words of which none can be looked for."""

    words: tuple[QueryWord, ...]
    phrases: tuple[tuple[str, ...], ...]
    skills: tuple[QueryWord, ...]
    excluded: tuple[str, ...]
    half: Half | None
    nothing: bool

    @property
    def telling(self) -> tuple[QueryWord, ...]:
        """The words that say something, each once: all, where all are small."""
        return tuple(dict.fromkeys(word for word in self.words if not word.small)) or tuple(dict.fromkeys(self.words))

    @property
    def lexemes(self) -> set[str]:
        """All that documents are ranked by."""
        found = {lexeme for word in (*self.words, *self.skills) for lexeme in (*word.forms, *word.stems)}
        return found.union(*self.phrases)

    def instead(self, meant: Mapping[QueryWord, QueryWord]) -> "Wanted":
        """The same with misspelt words set right."""
        return self._replace(words=tuple(meant.get(word, word) for word in self.words))


def wanted(text: Text, half: Half | None, languages: tuple[str, ...]) -> Wanted:
    """Analyse what was typed."""
    words = tuple(word for said in text.words for word in query_words(said, languages))
    phrases = tuple(phrase for said in text.phrases if (phrase := _folded(said)))
    skills = tuple(word for said in text.skills for word in query_words(said, languages))
    nothing = bool(text.words or text.phrases or text.skills) and not (words or phrases or skills)
    excluded = tuple(filter(None, (_excluded(said, languages) for said in text.excluded)))
    return Wanted(words, phrases, skills, excluded, half, nothing)


def tiers(asked: Wanted, counts: Mapping[str, int], by_weight: bool = True) -> list[str]:
    """Queries of which each finds a part of what the last one finds, the best first; none: nothing can be found.

    `counts` says in how many documents each word stands. The rarer a word, the more it weighs: what holds the rarest
    comes before what only holds the others, and what has the words in its names before what has them in its texts.
    Where weight is not what counts, what holds all words still comes first.
    """
    label = LABELS[asked.half]
    known = sorted((word for word in asked.telling if held_by(word, counts)), key=lambda word: held_by(word, counts))
    all_known = bool(known) and len(known) == len(asked.telling)
    whole = [_and(_any_of(word, label) for word in known)] if all_known else []
    named = [_and(_any_of(word, mark=NAMED) for word in known)] if all_known and not asked.half else []
    required = _and(
        [*(_phrase(each, label) for each in asked.phrases), *(_any_of(w, mark=NAMED) for w in asked.skills)]
    )
    better = [*named, *whole] if by_weight else whole
    if required:
        found = [*(f"{required} & {each}" for each in better), required]
    elif len(known) > 1:
        rarest, others = _any_of(known[0], label), _or(_any_of(word, label) for word in known[1:])
        found = [*better, *([f"{rarest} & {others}", rarest] if by_weight else ()), f"({rarest} | {others})"]
    else:
        found = [*(named if by_weight else ()), *(_any_of(word, label) for word in known)]
    return [" & ".join([each, *(f"!{each_not}" for each_not in asked.excluded)]) for each in found]


def held_by(word: QueryWord, counts: Mapping[str, int]) -> int:
    """In how many documents a word stands, at least."""
    return max(counts.get(lexeme, 0) for lexeme in (*word.forms, *word.stems))


def conditions(request: SearchRequest, asked: Wanted, but: str | None = None) -> tuple[list[str], Params]:
    """What a document must pass apart from the words; `but` names one filter that does not count."""
    found: list[str] = []
    params: Params = {}
    filters = [values_of(name, values) for name, values in request.all_filters().items() if name != but]
    for number, values in enumerate(filters):
        found.append(f"filters && %(filter{number})s::text[]")
        params[f"filter{number}"] = values
    for number, (name, some) in enumerate(request.without.items()):
        found.append(f"NOT filters && %(without{number})s::text[]")
        params[f"without{number}"] = values_of(name, some)
    bounds = (
        ("starts_at >=", "starts_from", request.starts_from),
        ("starts_at <", "starts_before", request.starts_before),
        ("made_at >=", "made_from", request.made_from),
    )
    for condition, name, bound in bounds:
        if bound is not None:
            found.append(f"{condition} %({name})s")
            params[name] = bound
    if asked.excluded and not (asked.words or asked.phrases or asked.skills):
        found.append("NOT lexemes @@ %(excluded)s::tsquery")
        params["excluded"] = _or(asked.excluded)
    return found, params


def values_of(name: str, values: Iterable[str]) -> list[str]:
    """The values of a filter as documents have them."""
    return [storable(f"{name}={value}") for value in values]


def _folded(said: str) -> tuple[str, ...]:
    return tuple(word.folded for word in words_of(said) if word.folded)


def _excluded(said: str, languages: tuple[str, ...]) -> str:
    words = query_words(said, languages)
    return _any_of(words[0]) if len(words) == 1 else _phrase(_folded(said))


def _any_of(word: QueryWord, label: str = "", mark: str = "") -> str:
    return _or(quoted(mark + lexeme) + label for lexeme in (*word.forms, *word.stems))


def _phrase(words: tuple[str, ...], label: str = "") -> str:
    """Words that follow one another. The index knows which do, or nearly: so few texts have to be looked into."""
    if not words:
        return ""
    pairs = dict.fromkeys(pair_of(first, second) for first, second in pairwise(words))
    places = " <-> ".join(quoted(word) + label for word in words)
    return f"({_and([f'({places})', *map(quoted, pairs)])})"


def _and(parts: Iterable[str]) -> str:
    return " & ".join(parts)


def _or(parts: Iterable[str]) -> str:
    found = " | ".join(parts)
    return f"({found})" if found else ""
