"""From a request to its page: candidates chosen by index and capped, ranked here, and what there is of each counted.

However common the words, a search reads at most some thousand rows: CANDIDATES from each tier (see `tiers`), and
COUNTED to count. Totals and counts are exact up to COUNTED; beyond they are taken from a sample of the documents,
and rounded so that they look like what they are.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from .. import limits
from .analysis import QueryWord
from .engine import Hit, SearchPage, SearchRequest
from .forgiving import NEAR_WORDS
from .postgres_query import LEFT, Params, conditions, held_by, match, tiers, values_of, wanted, weighed, whole
from .postgres_ranking import Candidates
from .postgres_rows import SAMPLES, as_given, quoted
from .postgres_schema import Generation
from .postgres_spelling import near_words
from .spelling import SHORTEST

CANDIDATES = 400
"""Documents of a tier that are ranked; so many hits are ranked together, and deeper pages follow after them."""
ALL_CANDIDATES = limits.PAGES_DEEP
"""Documents of a tier that are ranked for deeper pages: as many as there can be on all."""
ORDERED = 30_000
"""Documents that RUM puts in order: about a millisecond for each thousand."""
COUNTED = 4_000
"""Documents that are counted one by one."""
NEAR_COUNTED = 100
"""Documents of a near spelling that are counted, to choose the most common."""

ORDERS = {
    "relevance": "",
    "newest": "ORDER BY made_at DESC, key",
    "soonest": "ORDER BY starts_at, made_at DESC, key",
}
BROWSING = ORDERS["newest"]
COLUMNS = (
    "key, names, masses, words, stems, made_at, starts_at,"
    " filters && %(near)s::text[] AS near, filters && %(left)s::text[] AS open"
)

Counts = dict[str, int]
Ranks = tuple[Sequence[Any], Sequence[Any]]


class Question:
    """One request, put to one generation over one connection."""

    def __init__(
        self, connection: sa.Connection, of: Generation, request: SearchRequest, languages: tuple[str, ...]
    ) -> None:
        self._connection, self._of, self._request = connection, of, request
        self._asked = wanted(request.text, request.within, languages)
        filters = [f"={value}" for name, values in request.all_filters().items() for value in values_of(name, values)]
        self._counts = self._counted([*self._asked.lexemes, *filters])

    def answered(self) -> SearchPage:
        """The page that was asked for, but for the time it took."""
        correction = None
        ranks, total = self._candidates()
        if not self._request.exact and (meant := self._forgive(everything=not ranks[0])):
            self._asked = self._asked.instead(meant)
            self._counts |= self._counted(self._asked.lexemes)
            ranks, total = self._candidates()
            correction = " ".join(word.forms[0] for word in self._asked.words) if ranks[0] else None
        hits = self._ranked(ranks)
        facets, total = self._facets(total)
        last = self._request.page * self._request.per_page
        return SearchPage(
            hits=hits[last - self._request.per_page : last],
            total=max(total, len(hits)),
            facets=facets,
            correction=correction,
            generation=str(self._of),
        )

    def _counted(self, lexemes: Iterable[str]) -> Counts:
        """In how many documents each of these stands."""
        rows = self._all(
            f"SELECT word, documents FROM {self._of.table('word')} WHERE word = ANY(%(words)s::text[])",  # noqa: S608
            {"words": list(lexemes)},
        )
        return {row.word: row.documents for row in rows}

    # Candidates

    def _candidates(self) -> tuple[Ranks, int | None]:
        """The documents to rank, and how many match in all where these are all that do.

        They come as those ranked together for the first pages, the same whatever page is asked for, and those after.
        """
        last = self._request.page * self._request.per_page
        if self._request.sort != "relevance":  # only what the page needs
            queries = self._sorted_queries()
            rows, total = self._from_each(queries, last, last * len(queries), ORDERS[self._request.sort])
            return (rows, ()), total
        deep = last > CANDIDATES
        parts, complete = weighed(self._asked, self._counts, self._of.documents)
        first = self._weighed(parts, ALL_CANDIDATES if complete and deep else CANDIDATES) if parts else ()
        if complete and parts:
            return (first[:CANDIDATES], first[CANDIDATES:]), first[0].total if first else 0
        if len(first) == CANDIDATES and not deep:
            return (first, ()), None
        limit = ALL_CANDIDATES if deep else CANDIDATES
        rows, total = self._from_each(self._tiers(), limit, limit * 3 // 2)
        if len(first) == CANDIDATES:
            return (first, rows), total
        return _parted(rows), total

    def _from_each(
        self, queries: list[str], limit: int, enough: int, order: str = ""
    ) -> tuple[Sequence[Any], int | None]:
        """At most `limit` documents from each tier, until there are enough; how many there are if these are all."""
        if not queries:
            return (), 0
        found, params = self._passing()
        selects = []
        for number, query in enumerate(queries):
            params |= {f"tier{number}": query} if query else {}
            own_order = order or (self._order_by_rum(f"tier{number}") if query else BROWSING)
            where = _where([*([f"lexemes @@ %(tier{number})s::tsquery"] if query else ()), *found])
            read = f"SELECT {number} AS tier, {COLUMNS} FROM {self._of.table('document')}"  # noqa: S608
            selects.append(f"({read} {where} {own_order} LIMIT {limit})")
        rows = self._all(f"SELECT * FROM ({' UNION ALL '.join(selects)}) AS candidate LIMIT {enough}", params)  # noqa: S608
        all_read = len(rows) < enough and max(Counter(row.tier for row in rows).values(), default=0) < limit
        return rows, len({row.key for row in rows}) if all_read else None

    def _weighed(self, parts: list[tuple[str, float]], limit: int) -> Sequence[Any]:
        """The documents whose words weigh most, each with how many there are in all."""
        document, (found, params) = self._of.table("document"), self._passing()
        lists = []
        for number, (query, weight) in enumerate(parts):
            params[f"part{number}"] = query
            where = _where([f"lexemes @@ %(part{number})s::tsquery", *found])
            lists.append(f"SELECT ctid AS place, {weight:.4f}::real AS weight FROM {document} {where}")  # noqa: S608
        return self._all(
            f"WITH best AS (SELECT place, sum(weight) AS weight, count(*) OVER () AS total"  # noqa: S608
            f" FROM ({' UNION ALL '.join(lists)}) AS held GROUP BY place ORDER BY weight DESC, place LIMIT {limit})"
            f" SELECT 0 AS tier, best.total, {COLUMNS} FROM best JOIN {document} ON {document}.ctid = best.place"
            " ORDER BY best.weight DESC, best.place",
            params,
        )

    def _passing(self) -> tuple[list[str], Params]:
        found, params = conditions(self._request, self._asked)
        return found, params | {"near": values_of("area", self._request.near), "left": [LEFT]}

    def _ranked(self, ranks: Ranks) -> tuple[Hit, ...]:
        """The candidates in their order, each once."""
        hits: list[Hit] = []
        seen: set[str] = set()
        for rows in ranks:
            new = {row.key: row for row in rows if row.key not in seen}
            if new:
                seen |= new.keys()
                hits += Candidates(list(new.values()), self._of, self._counts).hits(self._request, self._asked)
        return tuple(hits)

    def _order_by_rum(self, name: str) -> str:
        """Where RUM can say it in time, the documents with the heaviest words come first, else any."""
        if not self._of.ordered_in or not CANDIDATES < self._expected() <= ORDERED:
            return ""
        return f'ORDER BY lexemes OPERATOR("{self._of.ordered_in}".<=>) %({name})s::tsquery'

    def _match(self) -> str | None:
        """The query for all that is asked for: empty for everything, None for nothing."""
        asked = self._asked
        if asked.words or asked.phrases or asked.skills or asked.nothing:
            return match(asked, self._counts) or None
        return ""

    def _tiers(self) -> list[str]:
        found = self._match()
        return tiers(self._asked, self._counts, self._of.documents) if found else [] if found is None else [found]

    def _sorted_queries(self) -> list[str]:
        """What holds all words, then everything."""
        found = self._match()
        return [] if found is None else [*filter(None, (whole(self._asked, self._counts),)), found]

    # Misspelt words

    def _forgive(self, everything: bool) -> dict[QueryWord, QueryWord]:
        """What may have been meant by words that nothing holds, or by any word where nothing was found at all.

        Only words of documents that may be found here are offered, the more common first.
        """
        meant = {}
        for word in dict.fromkeys(self._asked.words):
            typed = word.forms[0]
            if word.small or len(typed) < SHORTEST or not (everything or not held_by(word, self._counts)):
                continue
            for near in near_words(self._connection, self._of, typed):
                if best := self._open_to_all(near)[:NEAR_WORDS]:
                    meant[word] = QueryWord(tuple(best), (), False)
                    break
        return meant

    def _open_to_all(self, words: Sequence[str]) -> list[str]:
        """Those of these words that stand in documents that may be found here, the more common first."""
        if not words:
            return []
        found, params = conditions(self._request, self._asked)
        where = _where(["lexemes @@ near.word::tsquery", *found])
        rows = self._all(
            "SELECT near.place, (SELECT count(*) FROM (SELECT 1"  # noqa: S608
            f" FROM {self._of.table('document')} {where} LIMIT {NEAR_COUNTED}) AS hit) AS times"
            " FROM unnest(%(words)s::text[]) WITH ORDINALITY AS near (word, place)",
            params | {"words": [quoted(word) for word in words]},
        )
        times = {words[row.place - 1]: row.times for row in rows if row.times}
        return sorted(times, key=lambda word: (-times[word], words.index(word)))

    # Counts

    def _facets(self, total: int | None) -> tuple[dict[str, tuple[tuple[str, int], ...]], int]:
        """For each facet its values with their counts, most first, and how many match in all."""
        filtered = self._request.all_filters().keys()
        free = [name for name in self._request.facets if name not in filtered]
        counts: dict[str, Counts] = {}
        if free or total is None:
            total, counts = self._scan(free)
        for name in self._request.facets:
            if name in filtered:  # a facet ignores its own filter
                counts |= self._scan([name], but=name)[1]
        return {
            name: tuple(sorted(counts.get(name, {}).items(), key=lambda pair: (-pair[1], pair[0])))
            for name in self._request.facets
        }, total

    def _scan(self, names: list[str], but: str | None = None) -> tuple[int, dict[str, Counts]]:
        """How many documents match, and how many of them have each value of these filters."""
        query = self._match()
        if query is None:
            return 0, {}
        expected = self._expected(but)
        one_of = 1
        if expected > COUNTED:
            one_of = next((size for size in SAMPLES if expected / size <= COUNTED / 2), SAMPLES[-1])
        total, values = self._scan_part(query, names, but, one_of)
        if one_of == 1 and total >= COUNTED:
            total, values = self._scan_part(query, names, but, 16)
        elif one_of > 1 and total < COUNTED:  # rarer than was thought: all of it can be counted
            total, values = self._scan_part(query, names, but, 1)
        return total, values

    def _scan_part(self, query: str, names: list[str], but: str | None, one_of: int) -> tuple[int, dict[str, Counts]]:
        found, params = conditions(self._request, self._asked, but)
        match = " & ".join(filter(None, (query, f"'#{one_of}:0'" if one_of > 1 else "")))
        where = _where([*(["lexemes @@ %(match)s::tsquery"] if match else ()), *found])
        rows = self._all(
            f"WITH hit AS MATERIALIZED (SELECT filters FROM {self._of.table('document')} {where} LIMIT {COUNTED})"  # noqa: S608
            " SELECT NULL, count(*) FROM hit UNION ALL SELECT value, count(*) FROM hit, unnest(filters) AS value"
            " GROUP BY value HAVING split_part(value, '=', 1) = ANY(%(names)s::text[])",
            params | {"match": match, "names": names},
        )
        values: dict[str, Counts] = {}
        for value, count in rows[1:]:
            name, _, own = as_given(value).partition("=")
            values.setdefault(name, {})[own] = _rounded(count * one_of) if one_of > 1 else count
        total = rows[0][1]
        return _rounded(total * one_of) if one_of > 1 else total, values

    def _expected(self, but: str | None = None) -> float:
        """About how many documents match."""
        documents = max(self._of.documents, 1)
        held = [held_by(word, self._counts) for word in self._asked.telling]
        found = min(sum(held), documents) if held else documents
        for lexeme in (word for phrase in self._asked.phrases for word in phrase):
            found = min(found, self._counts.get(lexeme, 0))
        part = float(found)
        for name, values in self._request.all_filters().items():
            if name != but:
                held = [self._counts.get(f"={value}", 0) for value in values_of(name, values)]
                part *= min(1.0, sum(held) / documents)
        return part

    def _all(self, sql: str, params: Params) -> Sequence[Any]:
        return self._connection.exec_driver_sql(sql, params).all()


def _where(found: Sequence[str]) -> str:
    return f"WHERE {' AND '.join(found)}" if found else ""


def _parted(rows: Sequence[Any]) -> Ranks:
    """What would have been read for the first pages, and the rest."""
    first: list[Any] = []
    rest: list[Any] = []
    places = Counter[int]()
    for number, row in enumerate(rows):
        places[row.tier] += 1
        early = number < CANDIDATES * 3 // 2 and places[row.tier] <= CANDIDATES
        (first if early else rest).append(row)
    return first, rest


def _rounded(count: int) -> int:
    """To two digits that count, as an estimate is said."""
    return round(count, 2 - len(str(count)))
