"""The protocol every search engine keeps. Engines find, rank, count and complete; they never show.

Rows, permissions, highlights and wording stay outside: a hit is a key to be read from the database,
and whoever reads it checks again who may see it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from .. import limits

KINDS = ("skill", "offer", "session", "want")
"""What can be found, in the order in which completion lists it."""

Sort = Literal["relevance", "soonest", "newest"]
Half = Literal["practice", "theory"]
Filters = Mapping[str, frozenset[str]]

SOON = 14 * 24 * 3600
"""Seconds: what starts within them comes before what starts later, other things alike."""
NEARBY, STARTING, OPEN = 1.15, 1.05, 1.05
"""What a weight is multiplied by for an area nearby, a start within SOON, and places that are left."""
ALIKE = 0.02
"""Weights closer than this part of the greatest are equals: each day they stand in another order."""


class IndexUnavailable(Exception):
    """The index is missing, damaged or unsafe to open: answer from the database, and rebuild."""


class IndexBusy(Exception):
    """Somebody else is writing, and did not finish in time: try again later."""


class TooDeep(ValueError):
    """A page beyond the first `limits.PAGES_DEEP` hits was asked for (404)."""


def kind_of(key: str) -> str:
    """The kind in a key such as `offer:7f3k`."""
    return key.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Document:
    """What can be found of one thing. `key` is `kind:public_id`; `language` is that of its texts.

    `filters` maps a filter's name (topic, area, how, care, state, audience, who, skill …) to the values it
    has here. `kind`, `language` and `left` are filled in by the engine where they are not given.
    Times are seconds since 1970 in UTC; `places_left` is None where places are not counted.
    """

    key: str
    version: int
    language: str
    title: str
    names: tuple[tuple[str, str], ...] = ()  # (language, other name)
    practice: str = ""
    theory: str = ""
    extra: str = ""
    filters: Filters = field(default_factory=dict)
    starts_at: int | None = None
    places_left: int | None = None
    made_at: int = 0

    @property
    def kind(self) -> str:
        return kind_of(self.key)

    def all_filters(self) -> dict[str, frozenset[str]]:
        """The filters given, and those that follow from the document itself."""
        own = {"kind": frozenset({self.kind}), "language": frozenset({self.language})}
        if self.places_left != 0:
            own["left"] = frozenset({"yes"})
        return own | dict(self.filters)


@dataclass(frozen=True, slots=True)
class Text:
    """The words somebody typed, sorted by what they ask; raw, each engine analyses them itself.

    Any of `words` may match, and what holds all of them comes first. Every phrase and every one of `skills`
    (words of a title or of another name) must match; nothing in `excluded` may.
    """

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.phrases or self.excluded or self.skills)


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One question to an engine.

    A document passes a filter with any of its values, and must pass all filters. What has any value in `without`
    is not there: neither found, nor counted, nor a reason for a correction. `left` keeps out what is known to be full.
    `starts` are the bounds of `starts_at`, from inclusive to exclusive; `made_from` is the first `made_at` that counts.
    `exact` turns off forgiveness for typing mistakes. `within` asks for words and phrases in one half only: what
    stands in a title or another name does not count then. Raises TooDeep.

    Sorted by relevance, weights are corrected by what serves the reader, never by what a person did: `near` are the
    areas close to them (NEARBY), and where `now` is given, what starts within SOON (STARTING) and has places left
    (OPEN) comes before. Where `day` is given, equals (ALIKE) stand in another order each day, the same for everybody
    and on every page of the answer, so that nobody owns the top; else, and sorted otherwise, the newest come first.
    """

    text: Text = Text()
    kinds: frozenset[str] = frozenset()  # none: all
    filters: Filters = field(default_factory=dict)
    without: Filters = field(default_factory=dict)
    starts_from: int | None = None
    starts_before: int | None = None
    left: bool = False
    sort: Sort = "relevance"
    facets: tuple[str, ...] = ()
    page: int = 1
    per_page: int = limits.PAGE_SIZE
    language: str = "en"
    exact: bool = False
    within: Half | None = None
    made_from: int | None = None
    near: frozenset[str] = frozenset()
    now: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        if self.page < 1 or self.per_page < 1 or self.page * self.per_page > limits.PAGES_DEEP:
            raise TooDeep(f"page {self.page} of {self.per_page}")

    def all_filters(self) -> dict[str, frozenset[str]]:
        """The filters, with the kinds and `left` as filters among them."""
        chosen = dict(self.filters)
        if self.kinds:
            chosen["kind"] = self.kinds
        if self.left:
            chosen["left"] = frozenset({"yes"})
        return chosen


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found; a greater weight is a better match, comparable within one answer only."""

    key: str
    weight: float

    @property
    def kind(self) -> str:
        return kind_of(self.key)


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of an answer.

    `facets` maps a filter's name to (value, count), most first; a facet ignores its own filter.
    `correction` is the plain words with misspelt ones set right, when these were searched for instead.
    """

    hits: tuple[Hit, ...]
    total: int
    facets: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    correction: str | None = None
    generation: str = ""
    took_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One thing whose name goes on as typed."""

    key: str

    @property
    def kind(self) -> str:
        return kind_of(self.key)


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How an engine is; `problem` is None when it answers."""

    generation: str
    documents: int
    size_bytes: int
    problem: str | None


class SearchEngine(Protocol):
    """Every method but `status` raises IndexUnavailable when the index cannot be read."""

    def search(self, request: SearchRequest) -> SearchPage: ...

    def complete(self, prefix: str, kinds: frozenset[str], language: str, limit: int = 8) -> tuple[Suggestion, ...]:
        """What the letters typed so far could become: skills first, then names in the reader's language."""

    def apply(self, upserts: Sequence[Document], deletions: Sequence[str] = ()) -> None:
        """Put these documents in place of any with their keys, and take out these keys.

        May be repeated without harm; durable and findable on return. Raises IndexBusy.
        """

    def rebuild(self, documents: Iterable[Document], progress: Callable[[int], None] = lambda done: None) -> str:
        """Fill a new generation beside the one that answers, put it in its place at once, and name it.

        Needs nothing of what was there before. `progress` is told how many documents are in. Raises IndexBusy.
        """

    def versions(self, keys: Iterable[str] | None = None) -> Mapping[str, int]:
        """Every key (or those of `keys` that are there) with the version findable now, to compare with the database."""

    def status(self) -> EngineStatus:
        """How the engine is; never raises."""
