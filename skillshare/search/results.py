"""From a search to its page: keys from an engine, rows from the database, read through who may see them.

What the viewer could not open is dropped, however old the index is. The total is what the engine counted less what
was dropped; where anything was dropped the counts beside the boxes are not shown at all, since they could hold more
of it. For blocked pairs nothing needs dropping: see `asking`.

Only the columns that a page shows are read, and each query is put together once: see `_query`.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from time import monotonic
from typing import Any

import sqlalchemy as sa
from markupsafe import Markup
from sqlalchemy.orm import load_only

from skillshare import clock, limits
from skillshare.db import db
from skillshare.models import browse
from skillshare.models.listings import Offer, Want
from skillshare.models.members import Member
from skillshare.models.places import Area
from skillshare.models.sessions import SessionSkill, SkillSession
from skillshare.models.skills import Skill, SkillName, SkillState, SkillText
from skillshare.models.visibility import AnyMember, Viewer

from . import from_database
from .analysis import query_words, sounded_out, words_of
from .asking import Asked, Reader, to_request, who_may_find, whose_not
from .engine import SOON, Half, IndexUnavailable, SearchEngine, SearchPage, SearchRequest, Text, kind_of
from .marks import Marker, Read, marker
from .parser import ParsedQuery

log = logging.getLogger(__name__)

NEAR = 5
"""Skills and wants that stand on an empty page."""
THIN = 3
"""So few things found want something beside them."""
SUGGESTIONS = 8
SHORTEST_START = 3
"""Letters of a word that a near name must share."""
OTHER_NAMES_READ = 20

QUOTED_FROM = 600
"""Characters of a text that are looked through for words to show."""

EVERY_KIND: frozenset[str] = frozenset()
NOT_READ = Read("", [], frozenset())


@dataclass(frozen=True, slots=True)
class Why:
    """Why something stands on the page: only what is true of it and of the search, nothing about what people did.

    `whole`: it holds all the words; else `some` of them, as typed. `left` are places, where they are counted.
    """

    whole: bool = False
    some: tuple[str, ...] = ()
    near: bool = False
    left: bool = False
    soon: bool = False

    def __bool__(self) -> bool:
        return self.whole or bool(self.some) or self.near or self.left or self.soon


@dataclass(frozen=True, slots=True)
class Result:
    """One thing found. `row` has the columns that its kind shows (see `COLUMNS`), `member` who it belongs to.

    `skill` is the name of what it is about (`named` with marks: of a session, every skill that was asked for);
    `also` the other name it was asked for by, `names` all its names in any language. `half` is where the words of the
    snippet stand. `written` are words of the search as they stand here; `is_called_so` when title and name hold all.
    """

    kind: str
    row: Any
    title: Markup
    snippet: Markup
    language: str
    skill: str
    named: tuple[Markup, ...]
    also: Markup | None = None
    names: tuple[str, ...] = ()
    half: Half | None = None
    member: Member | None = None
    why: Why = Why()
    written: tuple[str, ...] = ()
    skill_ids: tuple[int, ...] = ()
    is_called_so: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of what was found.

    `counts` are by group and value, None where they could tell of what may not be seen. `correction` is what was
    looked for instead of what was typed, whole. `from_index` is False when the database answered in its place.
    """

    results: Sequence[Result]
    total: int
    more: bool = False
    counts: Mapping[str, Mapping[str, int]] | None = None
    correction: str | None = None
    from_index: bool = True

    @property
    def rest_from(self) -> int | None:
        """The place of the first result from which on none holds all the words; None when the last one does."""
        whole = [place for place, result in enumerate(self.results) if result.why.whole]
        some = [place for place, result in enumerate(self.results) if result.why.some]
        rest = whole[-1] + 1 if whole else 0
        return rest if some and some[-1] >= rest else None

    @property
    def is_thin(self) -> bool:
        """Whether so little was found that something near should stand beside it."""
        return self.total <= THIN


@dataclass(frozen=True, slots=True)
class Nearby:
    """What a thin page leads to: skills by (name, slug) whose names are near, and beside them; waiting wants."""

    skills: Sequence[tuple[str, str]] = ()
    beside: Sequence[tuple[str, str]] = ()
    wants: Sequence[Result] = ()


class Outage:
    """Logs that the index cannot answer, once a minute however many search."""

    SAY_AGAIN_SECONDS = 60.0

    def __init__(self) -> None:
        self._said_at: float | None = None

    def note(self, problem: IndexUnavailable) -> None:
        """Somebody was answered from the database."""
        now = monotonic()
        if self._said_at is None or now - self._said_at >= self.SAY_AGAIN_SECONDS:
            self._said_at = now
            log.warning("the database answers searches: %s", problem)


outage = Outage()


def find(engine: SearchEngine, asked: Asked, reader: Reader) -> Answer:
    """Answer a search. Raises parser.QueryTooLong and engine.TooDeep; a broken index only makes it plainer."""
    parsed = asked.parsed(reader)
    request = to_request(asked, parsed, reader)
    try:
        page = _search(engine, request, asked, parsed, reader)
    except IndexUnavailable as problem:
        outage.note(problem)
        return _from_database(request, reader)
    text = replace(parsed.text, words=tuple(page.correction.split())) if page.correction else parsed.text
    found = _results([hit.key for hit in page.hits], text, reader)
    dropped = len(page.hits) - len(found)
    return Answer(
        results=found,
        total=page.total - dropped,
        more=_goes_on(request, page.total),
        counts=None if dropped else {group: dict(values) for group, values in page.facets.items()},
        correction=_corrected(asked.q, parsed, page, found, reader) if page.correction else None,
    )


def _search(
    engine: SearchEngine, request: SearchRequest, asked: Asked, parsed: ParsedQuery, reader: Reader
) -> SearchPage:
    """The engine's answer. A word that is written right, and only hidden by boxes or operators, is not set right."""
    page = engine.search(request)
    wide = replace(parsed, filters={}, left=False, after=None, before=None)
    if page.correction is None or not (asked.ticked or parsed != wide):
        return page
    changed = [said for said, meant in _meant(parsed, page.correction, reader) if meant is not None]
    anywhere = replace(to_request(asked.without_boxes(), wide, reader), exact=True, facets=(), per_page=1)
    known = (engine.search(replace(anywhere, text=Text(words=(said,)))).total for said in changed)
    return engine.search(replace(request, exact=True)) if changed and all(known) else page


def _from_database(request: SearchRequest, reader: Reader) -> Answer:
    keys, total = from_database.keys(request, reader.viewer)
    found = _results(keys, request.text, reader)
    return Answer(found, total, more=_goes_on(request, total), from_index=False)


def _goes_on(request: SearchRequest, total: int) -> bool:
    seen = request.page * request.per_page
    return seen < total and seen + request.per_page <= limits.PAGES_DEEP


def _corrected(typed: str, parsed: ParsedQuery, page: SearchPage, found: Iterable[Result], reader: Reader) -> str:
    """What was typed with the misspelt words set right, as what was found writes them; all else as it was typed."""
    seen = (word for result in found for said in result.written for word in words_of(said))
    written = {word.folded: word.written.lower() for word in seen}
    words, at, pieces = _meant(parsed, page.correction or "", reader), 0, []
    if not words:
        return " ".join(written.get(word, word) for word in (page.correction or "").split())
    for (said, meant), (start, end) in zip(words, parsed.spans, strict=True):
        put = said if meant is None else " ".join(written.get(word, word) for word in meant)
        pieces += [typed[at:start], put]
        at = end
    return "".join([*pieces, typed[at:]])


def _meant(parsed: ParsedQuery, correction: str, reader: Reader) -> list[tuple[str, list[str] | None]]:
    """Each plain word as typed, and what was looked for in its place (None: itself). Empty if they do not match."""
    meant, words = correction.split(), []
    for said in parsed.text.words:
        forms = [word.forms[0] for word in query_words(said, reader.languages)]
        mine, meant = meant[: len(forms)], meant[len(forms) :]
        if len(mine) < len(forms):
            return []
        words.append((said, None if mine == forms else mine))
    return [] if meant else words


def nearby(engine: SearchEngine, asked: Asked, reader: Reader, found: Sequence[Result] = ()) -> Nearby:
    """What stands near what was hardly found: skills whose names begin alike, those beside them, wants that say it."""
    text = asked.parsed(reader).text
    words = [word for word in (*text.skills, *text.phrases, *text.words) if len(word) >= SHORTEST_START]
    there = {f"{result.kind}:{result.row.id}" for result in found}
    try:
        starts = words if found else [word[: max(SHORTEST_START, len(word) // 2)] for word in words]
        keys = [s.key for start in starts for s in engine.complete(start, frozenset({"skill"}), reader.locale, NEAR)]
        like = [key for key in dict.fromkeys(keys) if key not in there][:NEAR]
        skills, beside = _skills_beside(like, found, reader)
        wants = _wants_like(engine, text, [slug for _, slug in skills], reader)
    except IndexUnavailable:
        return Nearby()
    return Nearby(skills, beside, [want for want in wants if f"want:{want.row.id}" not in there])


def _skills_beside(
    like: Sequence[str], found: Sequence[Result], reader: Reader
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The names and slugs of these skills, and of those that stand in the catalogue beside what was found or them."""
    about = {id_ for result in found for id_ in result.skill_ids} or {int(key.partition(":")[2]) for key in like}
    day = clock.today(reader.home_zone).toordinal()
    ids = list(db.session.scalars(browse.beside(sorted(about), day, NEAR * 2))) if about else []
    beside = [key for key in (f"skill:{id_}" for id_ in ids) if key not in like][:NEAR]
    named = {f"skill:{r.row.id}": (r.skill, r.row.slug) for r in _results([*like, *beside], Text(), reader)}
    return [named[key] for key in like if key in named], [named[key] for key in beside if key in named]


def _wants_like(engine: SearchEngine, text: Text, slugs: list[str], reader: Reader) -> list[Result]:
    filters, without = who_may_find(reader.viewer), whose_not(reader.viewer)
    wants = frozenset({"want"})
    asked = SearchRequest(text=text, kinds=wants, filters=filters, without=without, per_page=NEAR, exact=True)
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


def offered(engine: SearchEngine, terms: Sequence[str], reader: Reader) -> set[str]:
    """Those of these words that somebody offers or shows by now, as far as the reader may find it."""
    filters, without = who_may_find(reader.viewer), whose_not(reader.viewer)
    kinds, found = frozenset({"offer", "session"}), {}
    try:
        for term in terms:
            text = Text(words=tuple(term.split()))
            asked = SearchRequest(text=text, kinds=kinds, filters=filters, without=without, per_page=1, exact=True)
            found[term] = [hit.key for hit in engine.search(asked).hits]
    except IndexUnavailable:
        return set()
    rows = _rows([key for keys in found.values() for key in keys], reader.viewer)
    words = _Words.load(rows, reader.locale)
    there = set()
    for term, keys in found.items():
        mark = marker(Text(words=tuple(term.split())), tuple(reader.languages))
        if any(key in rows and _Found(key, rows[key], words, mark).holds >= mark.wanted.keys() for key in keys):
            there.add(term)
    return there


def _start_of(column: Any, name: str) -> Any:
    """As much of a long text as is looked through."""
    return sa.func.substr(column, 1, QUOTED_FROM).label(name)


COLUMNS: dict[str, tuple[Any, ...]] = {
    "skill": (Skill.id, Skill.slug),
    "offer": (
        *(Offer.id, Offer.public_id, Offer.title, Offer.language, Offer.where, Offer.skill_id, Offer.member_id),
        *(_start_of(Offer.practice, "practice"), _start_of(Offer.theory, "theory"), Offer.before.label("more")),
    ),
    "want": (
        *(Want.id, Want.public_id, Want.title, Want.language, Want.where, Want.skill_id, Want.member_id),
        *(Want.for_what.label("practice"), sa.literal("").label("theory"), Want.know_already.label("more")),
        Want.me_too_count.label("me_too_count"),
    ),
    "session": (
        *(SkillSession.id, SkillSession.public_id, SkillSession.title, SkillSession.language, SkillSession.where),
        *(SkillSession.host_id.label("member_id"), SkillSession.starts_at),
        *(_start_of(SkillSession.practice, "practice"), _start_of(SkillSession.theory, "theory")),
        *(SkillSession.before.label("more"), SkillSession.capacity, SkillSession.taken.label("taken")),
    ),
}
"""What a page shows or looks through of each kind, beside its area (`area`, `area_name`) and its member."""


@cache
def _query(kind: str, viewer: Viewer | AnyMember) -> sa.Select[*tuple[Any, ...]]:
    """The rows with `ids` of a kind that such a viewer may find, ready to be shown. Built once for all members."""
    ids = sa.bindparam("ids", type_=sa.Integer(), expanding=True)
    if kind == "skill":
        return sa.select(*COLUMNS[kind]).where(Skill.id.in_(ids), Skill.state != SkillState.ARCHIVED)
    model: Any = {"offer": Offer, "want": Want, "session": SkillSession}[kind]
    owner = SkillSession.host if kind == "session" else model.member
    may = SkillSession.is_on_for(viewer) if kind == "session" else model.is_open_to(viewer)
    query = sa.select(*COLUMNS[kind], Area.public_id.label("area"), Area.name.label("area_name"))
    if isinstance(viewer, AnyMember):
        named = load_only(Member.handle, Member.name, Member.state, Member.seen_as, Member.name_seen_by)
        query = query.add_columns(Member).options(named)
    return query.join(owner).outerjoin(model.area).where(model.id.in_(ids), may)


def _rows(keys: Iterable[str], viewer: Viewer) -> dict[str, Any]:
    """What these keys name, as far as the viewer may find it: one query a kind."""
    ids: dict[str, list[int]] = defaultdict(list)
    for key in keys:
        ids[kind_of(key)].append(int(key.partition(":")[2]))
    found: dict[str, Any] = {}
    for kind, some in ids.items():
        rows = db.session.execute(_query(kind, viewer.kind), {**viewer.as_any_member, "ids": some})
        found |= {f"{kind}:{row.id}": row for row in rows}
    return found


def _results(keys: Sequence[str], text: Text, reader: Reader) -> list[Result]:
    """What these keys name, in their order, as far as the reader may see it: one query a kind, and one for words."""
    rows = _rows(keys, reader.viewer)
    words = _Words.load(rows, reader.locale)
    mark = marker(text, tuple(reader.languages))
    found = [_Found(key, rows[key], words, mark) for key in keys if key in rows]
    return [each.result(reader) for each in found if each.about]


class _Found:
    """One thing while it is read: its title, the skills it is about, and its texts as far as needed."""

    def __init__(self, key: str, row: Any, words: "_Words", mark: Marker) -> None:
        self.kind, self.row, self.mark = kind_of(key), row, mark
        abouts = words.abouts(key, row)
        asked_for = [about for about in abouts if about.name_read(mark)]
        self.about = (asked_for or abouts)[:1]
        self.abouts = asked_for or self.about
        if not self.about:
            return
        skill = self.kind == "skill"
        self.title = self.about[0].name_read(mark) if skill else mark.read(row.title)
        self.texts: tuple[tuple[str, Half | None], ...] = (
            (("summary", None), ("practice", "practice"), ("theory", "theory"))
            if skill
            else (("practice", "practice"), ("theory", "theory"), ("more", None))
        )
        self.reads = [
            (mark.read(text[:QUOTED_FROM]), half)
            for name, half in self.texts
            if (text := getattr(self.about[0] if skill else row, name))
        ]

    @property
    def holds(self) -> frozenset[str]:
        """The words of the search that were seen in it."""
        seen = [self.title, *(about.name_read(self.mark) for about in self.abouts), *(read for read, _ in self.reads)]
        holds = frozenset().union(*(read.found for read in seen))
        if not holds >= self.mark.wanted.keys():
            holds |= frozenset().union(*(about.others_found(self.mark) for about in self.abouts))
        return holds

    def result(self, reader: Reader) -> Result:
        """What the page shows of it."""
        row, about, mark = self.row, self.about[0], self.mark
        by_name = bool(self.title) or any(one.name_read(mark) for one in self.abouts)
        also = None if by_name else about.other_read(mark)
        quoted, half = next((each for each in self.reads if each[0]), (self.reads or [(NOT_READ, None)])[0])
        seen = [self.title, about.name_read(mark), *([also] if also else []), *(read for read, _ in self.reads)]
        return Result(
            kind=self.kind,
            row=row,
            title=self.title.marked,
            snippet=quoted.snippet() if quoted.text else Markup(),
            language=about.locale if self.kind == "skill" else row.language,
            skill=about.name,
            named=tuple(one.name_read(mark).marked for one in self.abouts),
            also=also.marked if also else None,
            names=tuple(about.others),
            half=half if quoted and self.kind != "want" else None,
            member=getattr(row, "Member", None),
            why=self._why(reader) if mark.wanted else Why(),
            written=tuple(said for read in seen for said in read.written),
            skill_ids=tuple(one.id for one in self.abouts),
            is_called_so=self.title.found | about.name_read(mark).found >= mark.wanted.keys() > set(),
        )

    def _why(self, reader: Reader) -> Why:
        holds, wanted = self.holds, self.mark.wanted
        whole = holds >= wanted.keys()
        session = self.row if self.kind == "session" else None
        until = (session.starts_at - clock.now()).total_seconds() if session else -1
        return Why(
            whole=whole,
            some=() if whole else tuple(typed for form, typed in wanted.items() if form in holds),
            near=self.kind != "skill" and self.row.area in reader.shelves.near,
            left=session is not None and session.taken < session.capacity,
            soon=0 <= until <= SOON,
        )


@dataclass(slots=True)
class _About:
    """A skill in the reader's words. What was read of it is kept: many things found are about the same."""

    id: int = 0
    name: str = ""
    locale: str = ""
    summary: str = ""
    practice: str = ""
    theory: str = ""
    others: list[str] = field(default_factory=list)
    _name: Read | None = None
    _others: list[Read] | None = None

    def name_read(self, mark: Marker) -> Read:
        """Its name for the reader."""
        if self._name is None:
            self._name = mark.read(self.name)
        return self._name

    def other_read(self, mark: Marker) -> Read | None:
        """The first other name that holds a word of the search."""
        return next(filter(None, self._read_others(mark)), None)

    def others_found(self, mark: Marker) -> frozenset[str]:
        """The words of the search that other names hold."""
        return frozenset().union(*(read.found for read in self._read_others(mark)))

    def _read_others(self, mark: Marker) -> list[Read]:
        if self._others is None:
            self._others = [mark.read(name) for name in self.others[:OTHER_NAMES_READ]]
        return self._others


class _Words:
    """The names of the skills that rows are about, in one query."""

    def __init__(self) -> None:
        self._skills: dict[int, _About] = defaultdict(_About)
        self._of_session: dict[int, list[int]] = defaultdict(list)

    @classmethod
    def load(cls, rows: Mapping[str, Any], locale: str) -> "_Words":
        words = cls()
        if not rows:
            return words
        shown = {row.id for key, row in rows.items() if kind_of(key) == "skill"}
        skills = shown | {row.skill_id for key, row in rows.items() if kind_of(key) in ("offer", "want")}
        sessions = [row.id for key, row in rows.items() if kind_of(key) == "session"]
        query = _names(bool(sessions), bool(shown))
        asked = {"skills": sorted(skills), "sessions": sessions, "shown": sorted(shown)}
        for part, skill_id, session_id, code, name, is_first, *texts in db.session.execute(query, asked):
            about = words._skills[skill_id]
            if part == "about":
                words._of_session[session_id].append(skill_id)
            elif part == "name":
                about.others.append(name)
            elif code == locale or (is_first and about.locale != locale):
                about.id, about.name, about.locale = skill_id, name, code
                about.summary, about.practice, about.theory = texts
        return words

    def abouts(self, key: str, row: Any) -> list[_About]:
        """The skills a row is about, as far as they have a name."""
        if kind_of(key) == "session":
            found = [self._skills[skill_id] for skill_id in self._of_session[row.id]]
        else:
            found = [self._skills[row.id if kind_of(key) == "skill" else row.skill_id]]
        return [about for about in found if about.name]


@cache
def _names(of_sessions: bool, with_texts: bool) -> sa.CompoundSelect[*tuple[Any, ...]]:
    """The texts and all names of `skills` and of what `sessions` are about, and which session is about which.

    The long texts only of the skills `shown` themselves. Built once.
    """

    def some(name: str) -> Any:
        return sa.bindparam(name, type_=sa.Integer(), expanding=True)

    about = sa.select(SessionSkill.skill_id).where(SessionSkill.skill_session_id.in_(some("sessions")))

    def here(column: Any) -> sa.ColumnElement[bool]:
        known: sa.ColumnElement[bool] = column.in_(some("skills"))
        return sa.or_(known, column.in_(about)) if of_sessions else known

    def text(column: Any) -> Any:
        if not with_texts:
            return sa.literal("")
        return sa.case((SkillText.skill_id.in_(some("shown")), sa.func.substr(column, 1, QUOTED_FROM)), else_="")

    none, empty, no = sa.literal(0), sa.literal(""), sa.false()
    parts: list[Any] = [
        sa.select(
            sa.literal("text"),
            SkillText.skill_id,
            none,
            SkillText.locale,
            SkillText.name,
            Skill.locale == SkillText.locale,
            *map(text, (SkillText.summary, SkillText.practice, SkillText.theory)),
        )
        .join(Skill, Skill.id == SkillText.skill_id)
        .where(here(SkillText.skill_id)),
        sa.select(
            *(sa.literal("name"), SkillName.skill_id, none, SkillName.locale, SkillName.text),
            *(no, empty, empty, empty),
        ).where(here(SkillName.skill_id)),
    ]
    if of_sessions:
        parts.append(
            sa.select(
                *(sa.literal("about"), SessionSkill.skill_id, SessionSkill.skill_session_id, empty, empty),
                *(no, empty, empty, empty),
            ).where(SessionSkill.skill_session_id.in_(some("sessions")))
        )
    return sa.union_all(*parts)
