"""From a search to its page: keys from an engine, rows from the database, read through who may see them.

What the viewer could not open is dropped, however old the index is. The total is what the engine counted less what
was dropped; where anything was dropped the counts beside the boxes are not shown at all, since they could hold more
of it. For blocked pairs nothing needs dropping: see `asking`.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from markupsafe import Markup
from sqlalchemy.orm import joinedload

from skillshare import limits
from skillshare.db import db
from skillshare.models.listings import Offer, Want
from skillshare.models.sessions import SessionSkill, SkillSession
from skillshare.models.skills import Skill, SkillName, SkillText
from skillshare.models.visibility import Viewer

from . import from_database
from .analysis import sounded_out
from .asking import Asked, Reader, to_request, who_may_find, whose_not
from .engine import IndexUnavailable, SearchEngine, SearchRequest, Text, kind_of
from .marks import Marker, marker

log = logging.getLogger(__name__)

NEAR = 5
"""Skills and wants that stand on an empty page."""
SUGGESTIONS = 8
SHORTEST_START = 3
"""Letters of a word that a near name must share."""

QUOTED_FROM = 600
"""Characters of a text that are looked through for words to show."""

EVERY_KIND: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Result:
    """One thing found. `row` is the offer, want, session or skill; `also` the other name it was asked for by.

    `skill` is the name of what it is about (`named` with marks), `names` are all its names in any language.
    """

    kind: str
    row: Any
    title: Markup
    snippet: Markup
    language: str
    skill: str
    named: Markup
    also: Markup | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of what was found.

    `counts` are by group and value, None where they could tell of what may not be seen. `correction` are the words
    that were looked for instead of those typed. `from_index` is False when the database answered in its place.
    """

    results: Sequence[Result]
    total: int
    more: bool = False
    counts: Mapping[str, Mapping[str, int]] | None = None
    correction: str | None = None
    from_index: bool = True


@dataclass(frozen=True, slots=True)
class Nearby:
    """What an empty page leads to: skills by (name, slug), and what others wait to learn."""

    skills: Sequence[tuple[str, str]] = ()
    wants: Sequence[Result] = ()


def find(engine: SearchEngine, asked: Asked, reader: Reader) -> Answer:
    """Answer a search. Raises parser.QueryTooLong and engine.TooDeep; a broken index only makes it plainer."""
    parsed = asked.parsed(reader)
    request = to_request(asked, parsed, reader)
    try:
        page = engine.search(request)
    except IndexUnavailable as problem:
        log.warning("the database answers a search: %s", problem)
        found = _results(from_database.keys(asked, parsed, reader), parsed.text, reader)
        return Answer(found, len(found), from_index=False)
    text = replace(parsed.text, words=tuple(page.correction.split())) if page.correction else parsed.text
    found = _results([hit.key for hit in page.hits], text, reader)
    dropped = len(page.hits) - len(found)
    return Answer(
        results=found,
        total=page.total - dropped,
        more=page.total > request.page * request.per_page < limits.PAGES_DEEP,
        counts=None if dropped else {group: dict(values) for group, values in page.facets.items()},
        correction=page.correction,
    )


def nearby(engine: SearchEngine, asked: Asked, reader: Reader) -> Nearby:
    """What stands near what was not found: skills whose names begin alike, and wants that say the same."""
    text = asked.parsed(reader).text
    words = [word for word in (*text.skills, *text.phrases, *text.words) if len(word) >= SHORTEST_START]
    try:
        starts = [word[: max(SHORTEST_START, len(word) // 2)] for word in words]
        keys = [s.key for start in starts for s in engine.complete(start, frozenset({"skill"}), reader.locale, NEAR)]
        skills = _results(list(dict.fromkeys(keys))[:NEAR], Text(), reader)
        wants = _wants_like(engine, text, [result.row.slug for result in skills], reader)
    except IndexUnavailable:
        return Nearby()
    return Nearby([(result.skill, result.row.slug) for result in skills], wants)


def _wants_like(engine: SearchEngine, text: Text, slugs: list[str], reader: Reader) -> list[Result]:
    filters, without = who_may_find(reader.viewer), whose_not(reader.viewer)
    asked = SearchRequest(text=text, kinds=frozenset({"want"}), filters=filters, without=without, per_page=NEAR)
    page = engine.search(asked) if text else None
    if (page is None or not page.hits) and slugs:
        page = engine.search(replace(asked, text=Text(), filters=filters | {"skill": frozenset(slugs)}))
    return _results([hit.key for hit in page.hits], text, reader) if page else []


def suggest(engine: SearchEngine, typed: str, reader: Reader) -> list[Result]:
    """What the letters typed could become, skills first: only what the reader could open."""
    try:
        found = engine.complete(typed, EVERY_KIND, reader.locale, SUGGESTIONS * 2)
        keys = [suggestion.key for suggestion in found]
    except IndexUnavailable:
        keys = from_database.skills_called(typed, SUGGESTIONS)
    return [_named_as(typed, result) for result in _results(keys, Text(), reader)[:SUGGESTIONS]]


def _named_as(typed: str, result: Result) -> Result:
    """With the other name that goes on as typed, where what the reader will see does not."""
    start = sounded_out(typed)
    if f" {start}" in f" {sounded_out(result.skill)}" or f" {start}" in f" {sounded_out(result.title)}":
        return result
    also = next((name for name in result.names if f" {start}" in f" {sounded_out(name)}"), None)
    return replace(result, also=Markup.escape(also)) if also else result


LISTED: dict[str, tuple[Any, Callable[[Viewer], Any], tuple[Any, ...]]] = {
    "skill": (Skill, lambda viewer: Skill.listed(), ()),
    "offer": (Offer, Offer.open_to, (joinedload(Offer.member), joinedload(Offer.area))),
    "want": (Want, Want.open_to, (joinedload(Want.member), joinedload(Want.area))),
    "session": (SkillSession, SkillSession.upcoming, SkillSession.to_list()),
}
"""For each kind its model, the named query of what a viewer may find, and what a result needs of a row."""


def _results(keys: Sequence[str], text: Text, reader: Reader) -> list[Result]:
    """What these keys name, in their order, as far as the reader may see it: one query a kind, and one for words."""
    rows = _rows(keys, reader.viewer)
    words = _Words.load(rows, reader.locale)
    mark = marker(text, tuple(reader.languages))
    return [_result(key, rows[key], words, mark) for key in keys if key in rows and words.has(key, rows[key])]


def _rows(keys: Iterable[str], viewer: Viewer) -> dict[str, Any]:
    ids: dict[str, list[int]] = defaultdict(list)
    for key in keys:
        ids[kind_of(key)].append(int(key.partition(":")[2]))
    found: dict[str, Any] = {}
    for kind, some in ids.items():
        model, listed, needed = LISTED[kind]
        allowed = listed(viewer).where(model.id.in_(some)).with_only_columns(model.id).order_by(None)
        query = sa.select(model).where(model.id.in_(allowed)).options(*needed)
        found |= {f"{kind}:{row.id}": row for row in db.session.scalars(query)}
    return found


def _result(key: str, row: Any, words: "_Words", mark: Marker) -> Result:
    kind, about = kind_of(key), words.about(key, row)
    title, language = (about.name, about.locale) if kind == "skill" else (row.title, row.language)
    said, named = mark.marked(title), mark.marked(about.name)
    by_name = _is_marked(said) or _is_marked(named)
    also = None if by_name else next(filter(_is_marked, map(mark.marked, about.others)), None)
    return Result(
        kind=kind,
        row=row,
        title=said,
        snippet=_snippet(_texts(kind, row, about), mark),
        language=language,
        skill=about.name,
        named=named,
        also=also,
        names=tuple(about.others),
    )


def _snippet(texts: Iterable[str], mark: Marker) -> Markup:
    """Some of the first text that holds a word that was asked for, else the beginning of the first there is."""
    first = Markup()
    for text in filter(None, texts):
        snippet = mark.snippet(text[:QUOTED_FROM])
        if _is_marked(snippet):
            return snippet
        first = first or snippet
    return first


def _is_marked(text: Markup) -> bool:
    return "<mark>" in text


def _texts(kind: str, row: Any, about: "_About") -> tuple[str, ...]:
    """What of a thing may be quoted below its title."""
    if kind == "skill":
        return (about.summary,)
    if kind == "want":
        return row.for_what, row.know_already
    return row.practice, row.theory, row.before


@dataclass(slots=True)
class _About:
    """A skill in the reader's words."""

    name: str = ""
    locale: str = ""
    summary: str = ""
    others: list[str] = field(default_factory=list)


class _Words:
    """The names of the skills that rows are about, in one query."""

    def __init__(self) -> None:
        self._skills: dict[int, _About] = defaultdict(_About)
        self._of_session: dict[int, int] = {}

    @classmethod
    def load(cls, rows: Mapping[str, Any], locale: str) -> "_Words":
        words = cls()
        if not rows:
            return words
        skills = {
            row.id if kind_of(key) == "skill" else row.skill_id for key, row in rows.items() if not _is_session(key)
        }
        sessions = [row.id for key, row in rows.items() if _is_session(key)]
        for part, skill_id, session_id, code, name, summary, is_first in db.session.execute(_names(skills, sessions)):
            if part == "about":
                words._of_session.setdefault(session_id, skill_id)
            elif part == "name":
                words._skills[skill_id].others.append(name)
            elif code == locale or (is_first and words._skills[skill_id].locale != locale):
                about = words._skills[skill_id]
                about.name, about.locale, about.summary = name, code, summary
        return words

    def has(self, key: str, row: Any) -> bool:
        return bool(self.about(key, row).name)

    def about(self, key: str, row: Any) -> _About:
        """The skill a row is about; of a session, the first."""
        if _is_session(key):
            return self._skills[self._of_session.get(row.id, 0)]
        return self._skills[row.id if kind_of(key) == "skill" else row.skill_id]


def _names(skills: set[int], sessions: list[int]) -> sa.CompoundSelect[*tuple[Any, ...]]:
    """The texts and all names of these skills and of those the sessions are about, and which session is about which."""
    about = sa.select(SessionSkill.skill_id).where(SessionSkill.skill_session_id.in_(sessions))

    def here(column: Any) -> sa.ColumnElement[bool]:
        return sa.or_(column.in_(skills), column.in_(about)) if sessions else column.in_(skills)

    none, empty, no = sa.literal(0), sa.literal(""), sa.false()
    texts = (
        sa.select(
            sa.literal("text"),
            SkillText.skill_id,
            none,
            SkillText.locale,
            SkillText.name,
            SkillText.summary,
            Skill.locale == SkillText.locale,
        )
        .join(Skill, Skill.id == SkillText.skill_id)
        .where(here(SkillText.skill_id))
    )
    names = sa.select(sa.literal("name"), SkillName.skill_id, none, SkillName.locale, SkillName.text, empty, no).where(
        here(SkillName.skill_id)
    )
    of_sessions = sa.select(
        sa.literal("about"), SessionSkill.skill_id, SessionSkill.skill_session_id, empty, empty, empty, no
    ).where(SessionSkill.skill_session_id.in_(sessions))
    return sa.union_all(texts, names, of_sessions) if sessions else sa.union_all(texts, names)


def _is_session(key: str) -> bool:
    return kind_of(key) == "session"
