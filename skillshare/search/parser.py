"""What people type, read by an allow-list: what it does not know is plain words, and it never fails.

Known are "quoted phrases", -without, skill:bread, area:north, lang:es, who:shows, who:wants, left:yes,
before:2026-05-01 and after:2026-05-01. There are no wildcards, ranges, fields or nesting, and nothing typed
ever reaches a query language.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from .. import limits
from .analysis import fold
from .engine import Text

TERM = re.compile(r'(?P<minus>-?)(?:(?P<name>[A-Za-z]+):)?(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s"]+))|"')
NO_VALUES: Mapping[str, str] = {}


class QueryTooLong(ValueError):
    """More than `limits.QUERY` characters or `limits.QUERY_TERMS` words were typed (422)."""


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """What was asked. `after` and `before` are days in the reader's zone, from inclusive to exclusive.

    `spans` say where each of the text's plain words stands in what was typed.
    """

    text: Text
    filters: Mapping[str, frozenset[str]]
    left: bool = False
    after: date | None = None
    before: date | None = None
    spans: tuple[tuple[int, int], ...] = ()


def parse(typed: str, areas: Mapping[str, str] = NO_VALUES, languages: Mapping[str, str] = NO_VALUES) -> ParsedQuery:
    """Read what was typed; raises QueryTooLong and nothing else.

    `areas` and `languages` say which names people may use for which filter values; names are compared folded.
    """
    if len(typed) > limits.QUERY or len(typed.split()) > limits.QUERY_TERMS:
        raise QueryTooLong
    reading = _Reading({"area": _folded(areas), "language": _folded(languages)})
    for term in TERM.finditer(typed):
        reading.take(term)
    return reading.result()


def _folded(values: Mapping[str, str]) -> dict[str, str]:
    return {fold(name): value for name, value in values.items()}


@dataclass
class _Reading:
    """What has been read so far."""

    values: Mapping[str, Mapping[str, str]]
    words: list[str] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    skills: list[str] = field(default_factory=list)
    filters: dict[str, frozenset[str]] = field(default_factory=dict)
    left: bool = False
    after: date | None = None
    before: date | None = None

    def take(self, term: re.Match[str]) -> None:
        minus, name, quoted, plain = term.group("minus", "name", "quoted", "plain")
        value = plain if quoted is None else quoted
        if not value:
            return
        if minus and not name and _says_something(value):
            self.excluded.append(value)
        elif name and not minus and self._understands(name.lower(), value):
            return
        elif quoted is not None and not name:
            self.phrases.append(value)
        else:
            self.words.append(term.group())
            self.spans.append(term.span())

    def _understands(self, name: str, value: str) -> bool:
        return name in OPERATORS and OPERATORS[name](self, value)

    def skill(self, value: str) -> bool:
        self.skills.append(value)
        return True

    def area(self, value: str) -> bool:
        return self._filter("area", self.values["area"].get(fold(value)))

    def lang(self, value: str) -> bool:
        return self._filter("language", self.values["language"].get(fold(value)))

    def who(self, value: str) -> bool:
        asked = value.lower()
        return self._filter("who", asked if asked in ("shows", "wants") else None)

    def only_left(self, value: str) -> bool:
        yes = value.lower() == "yes"
        self.left = self.left or yes
        return yes

    def starts_after(self, value: str) -> bool:
        day = _day(value)
        self.after = day or self.after
        return day is not None

    def starts_before(self, value: str) -> bool:
        day = _day(value)
        self.before = day or self.before
        return day is not None

    def _filter(self, name: str, value: str | None) -> bool:
        if value is None:
            return False
        self.filters[name] = self.filters.get(name, frozenset()) | {value}
        return True

    def result(self) -> ParsedQuery:
        text = Text(tuple(self.words), tuple(self.phrases), tuple(self.excluded), tuple(self.skills))
        return ParsedQuery(text, self.filters, self.left, self.after, self.before, tuple(self.spans))


OPERATORS: dict[str, Callable[[_Reading, str], bool]] = {
    "skill": _Reading.skill,
    "area": _Reading.area,
    "lang": _Reading.lang,
    "who": _Reading.who,
    "left": _Reading.only_left,
    "after": _Reading.starts_after,
    "before": _Reading.starts_before,
}


def _says_something(value: str) -> bool:
    return any(letter.isalnum() for letter in value)


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
