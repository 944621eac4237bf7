"""What a saved search has found since it was last looked at, and what of that may still be told.

A search is looked at as a whole, and what it found before is left out: so a thing is found when it is made, and as well
when it is opened again, moved, renamed or shown to more people. Engines find, the database says who may see. What is
one's own, over or full is never news.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from skillshare import clock, limits
from skillshare.db import db
from skillshare.models.listings import Offer, Want
from skillshare.models.searches import SavedMatch, SavedSearch
from skillshare.models.sessions import SkillSession
from skillshare.models.skills import Skill
from skillshare.models.visibility import Viewer

from . import words
from .analysis import query_words
from .asking import Asked, Reader, to_request
from .engine import SearchEngine, SearchRequest, kind_of


@dataclass(frozen=True)
class Look:
    """What one look found: news, and what was there before the search was saved; more than is kept when `broad`."""

    new: Collection[str]
    known: Collection[str] = ()
    broad: bool = False


@dataclass(frozen=True)
class Find:
    """One thing that was found. `row` is the offer, want, session or skill, ready to be listed."""

    key: str
    row: Any

    @property
    def kind(self) -> str:
        """What it is."""
        return kind_of(self.key)

    @property
    def skills(self) -> list[Skill]:
        """What it is about."""
        if self.kind == "skill":
            return [self.row]
        return list(self.row.skills) if self.kind == "session" else [self.row.skill]


@dataclass(frozen=True)
class Group:
    """The news of one search or want."""

    search: SavedSearch
    finds: list[Find]
    reader: Reader

    @property
    def words(self) -> str:
        """What is looked for, in words: of a want the name of its skill, since its title may be another's."""
        want = self.search.want
        return want.skill.name(self.reader.locale) if want else words.of(asked_of(self.search), self.reader)

    @property
    def arguments(self) -> dict[str, Any]:
        """What stands in the address of the search."""
        return arguments_of(asked_of(self.search))


@dataclass(frozen=True)
class News:
    """All that may be told to one member now, each thing once; and the finds that cannot be told any more."""

    member_id: int
    groups: list[Group]
    gone: list[int]

    @property
    def finds(self) -> list[Find]:
        """All of it."""
        return [find for group in self.groups for find in group.finds]

    @property
    def skills(self) -> list[Skill]:
        """What it is about, each once."""
        return list(dict.fromkeys(skill for find in self.finds for skill in find.skills))

    def settle(self) -> None:
        """It was told, or there was nothing to tell."""
        SavedMatch.were_told(self.member_id, [find.key for find in self.finds])
        SavedMatch.forget(self.gone)


def boxes_of(asked: Asked) -> dict[str, list[str]]:
    """What of a search is kept beside its words."""
    return {group: sorted(values) for group, values in asked.ticked.items() if values}


def arguments_of(asked: Asked) -> dict[str, Any]:
    """What stands in the address of a search: words and boxes, without order and page."""
    return {"q": asked.q or None, **boxes_of(asked)}


def asked_of(search: SavedSearch) -> Asked:
    """The search that was kept."""
    return Asked(q=search.q, ticked={group: frozenset(values) for group, values in search.boxes.items()})


def look(engine: SearchEngine, search: SavedSearch, reader: Reader) -> Look:
    """What `search` finds that it has not found before. Raises engine.IndexUnavailable."""
    first = search.last_run_at is None
    request = _request(search, reader)
    if search.is_broad and not first:
        request = replace(request, made_from=int(search.created_at.timestamp()))
    held = _held(engine, request, tuple(reader.languages))
    kept = _kept(search, held)
    found = findable([key for key in held if key not in kept], reader.viewer)
    if not first and not search.is_broad:
        return Look(list(found))
    new = [key for key, made_at in found.items() if made_at > search.created_at]
    known = [key for key in found if key not in new] if first else []
    return Look(new, known, broad=len(held) >= limits.FOUND_AT_ONCE)


def findable(keys: Iterable[str], viewer: Viewer) -> dict[str, datetime]:
    """Those of these keys that are news for a member, with when each was made."""
    found = {}
    for kind, query in _queries(keys, viewer):
        model = MODELS[kind]
        for id_, made_at in db.session.execute(query.with_only_columns(model.id, model.created_at).order_by(None)):
            found[f"{kind}:{id_}"] = made_at
    return found


def news_for(reader: Reader) -> News | None:
    """What may be told to a member now; None where nothing waits to be told."""
    rows = db.session.scalars(SavedMatch.untold(reader.viewer.id)).all()
    if not rows:
        return None
    left = {}
    for kind, query in _queries({row.key for row in rows}, reader.viewer):
        for thing in db.session.scalars(query.options(*TO_NAME[kind])).unique():
            left[f"{kind}:{thing.id}"] = thing
    gone = [row.id for row in rows if row.key not in left]
    groups: dict[int, Group] = {}
    for row in sorted(rows, key=lambda row: (row.search.want_id is None, row.saved_search_id, row.id)):
        if (thing := left.pop(row.key, None)) is not None:
            groups.setdefault(row.saved_search_id, Group(row.search, [], reader)).finds.append(Find(row.key, thing))
    return News(reader.viewer.id, list(groups.values()), gone)


MODELS: dict[str, Any] = {"skill": Skill, "offer": Offer, "want": Want, "session": SkillSession}
TO_NAME: dict[str, tuple[Any, ...]] = {
    "skill": (),
    "offer": (),
    "want": (),
    "session": (selectinload(SkillSession.skills).options(*Skill.to_name()),),
}
"""What beside its row is needed to say what a thing is about."""


def _queries(keys: Iterable[str], viewer: Viewer) -> Iterator[tuple[str, sa.Select[Any]]]:
    """For each kind its things with these keys that are listed for `viewer`, another's, and not full or begun."""
    ids: dict[str, list[int]] = {}
    for key in keys:
        ids.setdefault(kind_of(key), []).append(int(key.partition(":")[2]))
    for kind, some in ids.items():
        model = MODELS[kind]
        query = _listed(kind, viewer).where(model.id.in_(some))
        if kind in ("offer", "want"):
            query = query.where(model.member_id != viewer.id)
        elif kind == "session":
            query = query.where(
                SkillSession.host_id != viewer.id,
                SkillSession.starts_at > clock.now(),
                SkillSession.capacity > SkillSession.taken,
            )
        yield kind, query


def _listed(kind: str, viewer: Viewer) -> sa.Select[Any]:
    if kind == "skill":
        return Skill.listed()
    return SkillSession.upcoming(viewer) if kind == "session" else MODELS[kind].open_to(viewer)


def _request(search: SavedSearch, reader: Reader) -> SearchRequest:
    """The newest first, as typed, and nothing of one's own."""
    asked = asked_of(search)
    request = to_request(asked, asked.parsed(reader), reader)
    own = request.without.get("owner", frozenset()) | {str(reader.viewer.id)}
    return replace(
        request,
        without={**request.without, "owner": own},
        facets=(),
        sort="newest",
        exact=True,
        per_page=limits.FOUND_AT_ONCE,
    )


def _held(engine: SearchEngine, request: SearchRequest, languages: tuple[str, ...]) -> list[str]:
    """The keys of what holds most of the words, the newest first, up to `limits.FOUND_AT_ONCE`.

    A page may show what holds any of the words, last; news of that would be noise. Two words must both be there, of
    more two thirds.
    """
    telling = [word for word in request.text.words if not _is_small(word, languages)] or list(request.text.words)
    if len(telling) < 2:
        text = replace(request.text, words=tuple(telling))
        return [hit.key for hit in engine.search(replace(request, text=text)).hits]
    times: Counter[str] = Counter()
    for word in dict.fromkeys(telling):
        asked = replace(request, text=replace(request.text, words=(word,)), per_page=limits.PAGES_DEEP)
        times.update(hit.key for hit in engine.search(asked).hits)
    words_wanted = len(dict.fromkeys(telling))
    needed = words_wanted if words_wanted <= 2 else -(-words_wanted * 2 // 3)
    return [key for key, count in times.items() if count >= needed][: limits.FOUND_AT_ONCE]


def _is_small(word: str, languages: tuple[str, ...]) -> bool:
    return all(part.small for part in query_words(word, languages))


def _kept(search: SavedSearch, keys: Collection[str]) -> set[str]:
    query = sa.select(SavedMatch.key).where(SavedMatch.saved_search_id == search.id, SavedMatch.key.in_(keys))
    return set(db.session.scalars(query))
