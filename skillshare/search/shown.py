"""From keys to what a page shows of them: rows read through who may see them, marked where they hold the words.

What the viewer could not open is left out, however old the index is. Only the columns that a page shows are read, and
each query is put together once: see `_query`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Self

import sqlalchemy as sa
from markupsafe import Markup
from sqlalchemy.orm import load_only

from skillshare import clock
from skillshare.db import db
from skillshare.models.listings import Offer, Want
from skillshare.models.members import Member
from skillshare.models.places import Area
from skillshare.models.sessions import SessionSkill, SkillSession
from skillshare.models.skills import Skill, SkillName, SkillState, SkillText
from skillshare.models.visibility import AnyMember, Viewer

from .asking import Reader
from .engine import SOON, Half, Text, kind_of
from .marks import Marker, Read, marker

OTHER_NAMES_READ = 20
QUOTED_FROM = 600
"""Characters of a text that are looked through for words to show."""

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


def shown(keys: Sequence[str], text: Text, reader: Reader) -> list[Result]:
    """What these keys name, in their order, as far as the reader may see it: one query a kind, and one for words."""
    mark = marker(text, tuple(reader.languages))
    return [thing.result(reader) for thing in Rows.load(keys, reader).things(keys, mark)]


class Rows:
    """What some keys name, as far as a reader may find it, with the names of the skills it is about."""

    def __init__(self, rows: Mapping[str, Any], words: "_Words") -> None:
        self._rows, self._words = rows, words

    @classmethod
    def load(cls, keys: Iterable[str], reader: Reader) -> Self:
        """Read them: one query a kind, and one for words."""
        rows = _rows(keys, reader.viewer)
        return cls(rows, _Words.load(rows, reader.locale))

    def things(self, keys: Iterable[str], mark: Marker) -> list["Thing"]:
        """Those of these keys that there are, in their order, looked through for words."""
        found = [Thing(key, self._rows[key], self._words, mark) for key in keys if key in self._rows]
        return [thing for thing in found if thing.about]


class Thing:
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
        quoted, half = max(self.reads or [(NOT_READ, None)], key=lambda each: len(each[0].found))
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
