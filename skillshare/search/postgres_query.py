"""From a request to conditions in SQL. Nothing typed ever becomes a query: words are quoted and bound as parameters."""

from collections.abc import Iterable, Mapping
from itertools import combinations, pairwise
from math import log
from typing import Any, NamedTuple

from .analysis import QueryWord, query_words, words_of
from .engine import Half, SearchRequest, Text
from .postgres_rows import pair_of, quoted, storable

LABELS: Mapping[Half | None, str] = {None: "", "practice": ":B", "theory": ":C"}
NAMED = "@"
LEFT = "left=yes"
TOLD_APART = 4
"""Words, and the rest of them as one, of which each combination is looked for by itself."""
MANY = 200
"""Documents that hold a word, from which on it is asked first whether they hold it in their names."""
WEIGHED = 8_000
"""Places in lists of words that are read to weigh documents by the words they hold: some milliseconds a thousand."""
NAMED_WEIGHT = 0.5
"""What a word in a name weighs more, when candidates are chosen."""
ALL_WORDS = 1_000.0
"""What holds all words weighs more than anything that does not."""
MOST = 20
"""Tiers of one question."""

Params = dict[str, Any]
Groups = list[list[QueryWord]]


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


def match(asked: Wanted, counts: Mapping[str, int]) -> str:
    """The query that finds all that is asked for; empty where nothing can be found.

    `counts` says in how many documents each word stands.
    """
    found = _required(asked) or _or(_any_of(word, LABELS[asked.half]) for word in _known(asked, counts))
    return _and([found, *_but(asked)]) if found else ""


def tiers(asked: Wanted, counts: Mapping[str, int], documents: int) -> list[str]:
    """Queries that together find what `match` does, the best first: each has some of the words and none of the others.

    The rarer a word among all `documents`, the more it weighs; so what has this word and that comes before what has
    only the other. What has its words in its names comes before what has them in its texts, where there may be many.
    """
    known = _known(asked, counts)
    if required := _required(asked):
        best = [_in_names(known), _and(_any_of(word, LABELS[asked.half]) for word in known)] if known else []
        return [_and([required, *each, *_but(asked)]) for each in (*([some] for some in best), [])]
    found = []
    for some, others in _combinations(known, counts, documents):
        parts = [_or(_any_of(word, LABELS[asked.half]) for word in group) for group in some]
        parts += [f"!{_or(_any_of(word, LABELS[asked.half]) for word in group)}" for group in others]
        words = [word for group in some for word in group]
        if asked.half or min(held_by(word, counts) for word in words) < MANY:
            found.append(_and([*parts, *_but(asked)]))
        else:
            named = _in_names(words)
            found += [_and([*parts, named, *_but(asked)]), _and([*parts, f"!({named})", *_but(asked)])]
    return found if len(found) <= MOST else [*found[: MOST - 1], match(asked, counts)]


def weighed(asked: Wanted, counts: Mapping[str, int], documents: int) -> tuple[list[tuple[str, float]], bool]:
    """Queries for single words with what each weighs, of as many words as WEIGHED allows, and whether that is all.

    None, where the rarest word is too common or something else is required: then `tiers` says what to look for.
    """
    known, read = _known(asked, counts), 0
    every = whole(asked, counts) if len(known) > 1 else ""
    found: list[tuple[str, float]] = []
    for number, word in enumerate(known):
        read += sum(counts.get(lexeme, 0) for lexeme in (*word.forms, *word.stems))
        if _required(asked) or read > WEIGHED:
            rest = [_any_of(each, LABELS[asked.half]) for each in known[number:]]
            if found and len(rest) > 1:
                found.append((_and([*rest, *_but(asked)]), _rarity(known[-1], counts, documents)))
            return [*found, *([(every, ALL_WORDS)] if found and every else ())], False
        weight = _rarity(word, counts, documents)
        found.append((_and([_any_of(word, LABELS[asked.half]), *_but(asked)]), weight))
        if not asked.half:
            found.append((_and([_any_of(word, mark=NAMED), *_but(asked)]), weight * NAMED_WEIGHT))
    return [*found, *([(every, ALL_WORDS)] if every else ())], True


def _rarity(word: QueryWord, counts: Mapping[str, int], documents: int) -> float:
    return log(1 + documents / held_by(word, counts))


def whole(asked: Wanted, counts: Mapping[str, int]) -> str:
    """The query that finds what holds all words; empty where nothing can."""
    known = _known(asked, counts)
    if not known or len(known) < len(asked.telling):
        return ""
    required = [required] if (required := _required(asked)) else []
    return _and([*required, *(_any_of(word, LABELS[asked.half]) for word in known), *_but(asked)])


def _known(asked: Wanted, counts: Mapping[str, int]) -> list[QueryWord]:
    """The telling words that any document holds, the rarest first."""
    known = (word for word in asked.telling if held_by(word, counts))
    return sorted(known, key=lambda word: held_by(word, counts))


def _combinations(known: list[QueryWord], counts: Mapping[str, int], documents: int) -> list[tuple[Groups, Groups]]:
    """Each choice among the words, with those not chosen, the heaviest first; of many words, the last are as one."""
    groups = [[word] for word in known[: TOLD_APART - 1]]
    if rest := known[TOLD_APART - 1 :]:
        groups.append(rest)
    weights = [_rarity(group[0], counts, documents) for group in groups]
    choices = [choice for size in range(1, len(groups) + 1) for choice in combinations(range(len(groups)), size)]
    choices.sort(key=lambda choice: -sum(weights[at] for at in choice))
    return [
        ([groups[at] for at in choice], [group for at, group in enumerate(groups) if at not in choice])
        for choice in choices
    ]


def _required(asked: Wanted) -> str:
    phrases = [_phrase(each, LABELS[asked.half]) for each in asked.phrases]
    return _and([*phrases, *(_any_of(word, mark=NAMED) for word in asked.skills)])


def _in_names(words: Iterable[QueryWord]) -> str:
    return _and(_any_of(word, mark=NAMED) for word in words)


def _but(asked: Wanted) -> list[str]:
    return [f"!{each}" for each in asked.excluded]


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
