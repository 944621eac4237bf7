"""A list of skills as we write it: one row a skill and language, `|` between several names or skills in a cell."""

import re

from skillshare import limits
from skillshare.models.skills import Care, plain_slug

from .entries import Entry, Shelf, Words
from .rows import BadRow, Row, Table, WrongRow, line_of, lines_of

COLUMNS = frozenset(
    "slug topic care refresh_days first_learn locale name other_names summary practice theory safety".split()
)
SLUG = re.compile(rf"[a-z0-9-]{{1,{limits.SLUG}}}")
LOCALE = re.compile(r"[a-z]{2}(_[A-Z][a-z]{3})?")
LENGTHS = {"name": limits.SKILL_NAME, "summary": limits.SKILL_SUMMARY, "practice": limits.HALF, "theory": limits.HALF}


def knows(table: Table) -> bool:
    """Whether this is such a list."""
    return table.header >= COLUMNS


def read(tables: list[Table], topics: Table | None) -> tuple[list[Entry], list[BadRow]]:
    """The skills of these lists, and the rows that could not be used."""
    bad: list[BadRow] = []
    shelves = _shelves(topics, bad) if topics else {}
    entries: dict[str, Entry] = {}
    for table in tables:
        for line, row in table.rows(bad):
            try:
                _take(row, entries, shelves)
            except WrongRow as error:
                bad.append(BadRow(table.name, line, str(error)))
    return list(entries.values()), bad


def _shelves(topics: Table, bad: list[BadRow]) -> dict[str, Shelf]:
    """Topics by their English name."""
    shelves = {}
    for _line, row in topics.rows(bad):
        names = {locale: name for locale, name in row.items() if LOCALE.fullmatch(locale) and name}
        shelves[row["en"]] = Shelf(row["slug"], names, int(row["position"]))
    return shelves


def _take(row: Row, entries: dict[str, Entry], shelves: dict[str, Shelf]) -> None:
    slug, care = row.get("slug", ""), row.get("care", "")
    if not SLUG.fullmatch(slug):
        raise WrongRow(f"the slug {slug!r} must be small letters, digits and -")
    if care not in set(Care):
        raise WrongRow(f"care is {care!r}; it must be none, careful or hazard")
    words = _words(row)
    if care == Care.HAZARD and not words.safety:
        raise WrongRow("a hazard needs its safety text")
    topic = line_of(row["topic"])
    if not topic:
        raise WrongRow("there is no topic")
    new = Entry(
        slug=slug,
        shelf=shelves.get(topic) or Shelf(plain_slug(topic), {"en": topic}),
        care=Care(care),
        refresh_days=_days(row["refresh_days"]),
        learn_first=_several(row["first_learn"]),
    )
    entry = entries.get(slug, new)
    if any(there.locale == words.locale for there in entry.words):
        raise WrongRow(f"{slug} stands in this list already in this language")
    entry.words.append(words)
    entries[slug] = entry


def _words(row: Row) -> Words:
    locale = row.get("locale", "")
    if not LOCALE.fullmatch(locale):
        raise WrongRow(f"locale is {locale!r}; it must be a code such as en")
    for column, most in LENGTHS.items():
        if not 0 < len(row.get(column, "").strip()) <= most:
            raise WrongRow(f"{column} must have 1 to {most} characters")
    others = [line_of(name) for name in _several(row.get("other_names", ""))]
    if len(others) > limits.SKILL_OTHER_NAMES or any(len(name) > limits.SKILL_NAME for name in others):
        raise WrongRow(f"at most {limits.SKILL_OTHER_NAMES} other names of at most {limits.SKILL_NAME} characters")
    return Words(
        locale=locale,
        name=line_of(row["name"]),
        other_names=others,
        summary=line_of(row["summary"]),
        practice=lines_of(row["practice"]),
        theory=lines_of(row["theory"]),
        safety=lines_of(row.get("safety", "")),
    )


def _several(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("|") if part.strip()]


def _days(cell: str) -> int | None:
    if not cell:
        return None
    if not (cell.isascii() and cell.isdigit() and 0 < int(cell) < 10_000):
        raise WrongRow(f"refresh_days is {cell!r}; it must be a number of days")
    return int(cell)
