"""The European Commission's classification of skills, as its official CSV files tell it (esco.ec.europa.eu).

It has descriptions, but nothing of why things work: such a page says so and asks its readers.
"""

from collections.abc import Iterable, Sequence

from skillshare import limits
from skillshare.models.skills import SkillState, plain_slug

from .entries import Entry, Shelf, Words
from .rows import BadRow, Row, Table, WrongRow, cut, line_of, lines_of

ATTRIBUTION = "This service uses the ESCO classification of the European Commission."

SKILLS = frozenset(("conceptUri", "preferredLabel", "altLabels", "description"))
GROUPS = frozenset(("Level 0 URI", "Level 0 code"))
BROADER = frozenset(("conceptUri", "broaderUri"))
RELATIONS = frozenset(("originalSkillUri", "relationType", "relatedSkillUri"))
NOT_SKILLS = frozenset(("SkillGroup", "ISCOGroup", "Occupation", "ConceptScheme"))

# ESCO's four top groups, by their code in the hierarchy.
SHELVES = {
    "S": Shelf("esco-skills", {"en": "Skills at work (ESCO)", "es": "Capacidades de trabajo (ESCO)"}, 201),
    "K": Shelf("esco-knowledge", {"en": "Knowledge (ESCO)", "es": "Conocimientos (ESCO)"}, 202),
    "T": Shelf("esco-transversal", {"en": "Skills for everything (ESCO)", "es": "Capacidades para todo (ESCO)"}, 203),
    "L": Shelf("esco-languages", {"en": "Languages (ESCO)", "es": "Idiomas (ESCO)"}, 204),
}
BROADER_STEPS = 12


def knows(table: Table) -> bool:
    """Whether this file lists skills as ESCO does."""
    return table.header >= SKILLS


def read(tables: Sequence[Table], languages: Sequence[str]) -> tuple[list[Entry], list[BadRow]]:
    """The skills of these files in `languages`, and the rows that could not be used."""
    bad: list[BadRow] = []
    entries: dict[str, Entry] = {}
    shelf_of = _Shelving(tables, bad)
    for table in tables:
        if not knows(table) or not (locale := _language(table, languages)):
            continue
        for line, row in table.rows(bad):
            try:
                _take(row, locale, entries, shelf_of)
            except WrongRow as error:
                bad.append(BadRow(table.name, line, str(error)))
    for entry in entries.values():
        entry.words.sort(key=lambda words: (not words.practice, languages.index(words.locale)))
        entry.slug = plain_slug(entry.words[0].name)
    _relate(tables, entries, bad)
    return list(entries.values()), bad


def _language(table: Table, languages: Sequence[str]) -> str | None:
    """The language of a file: its name says so; one that does not is in the only language asked for."""
    if table.language is None and len(languages) == 1:
        return languages[0]
    return table.language if table.language in languages else None


def _take(row: Row, locale: str, entries: dict[str, Entry], shelf_of: "_Shelving") -> None:
    if row.get("conceptType") in NOT_SKILLS or row.get("status", "released") not in ("released", ""):
        return
    uri, name = row["conceptUri"].strip(), line_of(row.get("preferredLabel", ""))
    if not uri.startswith(("http://", "https://")) or len(uri) > limits.URI or " " in uri:
        raise WrongRow(f"conceptUri is {uri[:80]!r}; it must be an address")
    if not name:
        raise WrongRow("there is no preferredLabel")
    if None in map(row.get, SKILLS):
        raise WrongRow("cells are missing at its end")
    entry = entries.get(uri) or Entry(slug="", shelf=shelf_of(row), uri=uri, state=SkillState.NEW)
    if any(words.locale == locale for words in entry.words):
        raise WrongRow(f"{uri} stands in this file already")
    description = lines_of(row["description"])
    words = Words(
        locale=locale,
        name=cut(name, limits.SKILL_NAME),
        other_names=_other_names(row["altLabels"], name),
        summary=cut(line_of(description), limits.SKILL_SUMMARY),
        practice=cut(description, limits.HALF),
    )
    entry.words.append(words)
    entries[uri] = entry


def _other_names(cell: str, name: str) -> list[str]:
    names = dict.fromkeys(line_of(line) for line in cell.splitlines())
    usable = [other for other in names if other and other != name and len(other) <= limits.SKILL_NAME]
    return usable[: limits.SKILL_OTHER_NAMES]


def _relate(tables: Iterable[Table], entries: dict[str, Entry], bad: list[BadRow]) -> None:
    """What is essential for a skill is learned before it."""
    for table in tables:
        if not table.header >= RELATIONS:
            continue
        for _line, row in table.rows(bad):
            entry = entries.get(row["originalSkillUri"])
            if entry and row.get("relationType") == "essential" and row.get("relatedSkillUri"):
                entry.learn_first.append(row["relatedSkillUri"])


class _Shelving:
    """Finds the top group of a concept: up its broader concepts where that file is there, else by its `skillType`."""

    def __init__(self, tables: Iterable[Table], bad: list[BadRow]) -> None:
        self.code_of: dict[str, str] = {}
        self.broader_of: dict[str, str] = {}
        for table in tables:
            header = table.header
            if header >= GROUPS:
                for _line, row in table.rows(bad):
                    self._add_group(row)
            elif header >= BROADER:
                for _line, row in table.rows(bad):
                    self.broader_of.setdefault(row["conceptUri"], row.get("broaderUri", ""))

    def __call__(self, row: Row) -> Shelf:
        """The topic for the skill in this row."""
        uri = row["conceptUri"]
        for _step in range(BROADER_STEPS):
            if uri in self.code_of:
                return SHELVES[self.code_of[uri]]
            uri = self.broader_of.get(uri, "")
        return SHELVES["K" if row.get("skillType") == "knowledge" else "S"]

    def _add_group(self, row: Row) -> None:
        code = row.get("Level 0 code") or ""
        if code not in SHELVES:
            return
        for column, uri in row.items():
            if column.startswith("Level ") and column.endswith(" URI") and uri:
                self.code_of[uri] = code
