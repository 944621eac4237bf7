"""What stands beside a search: how its words go on, what is near when little was found, and who shows it by now."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from skillshare import clock
from skillshare.db import db
from skillshare.models import browse

from . import from_database
from .analysis import sounded_out
from .asking import Asked, Reader, who_may_find, whose_not
from .engine import IndexUnavailable, SearchEngine, SearchRequest, Text
from .marks import marker
from .shown import Result, Rows, shown

NEAR = 5
"""Skills and wants that stand on an empty page."""
SUGGESTIONS = 8
SHORTEST_START = 3
"""Letters of a word that a near name must share."""

EVERY_KIND: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Nearby:
    """What a thin page leads to: skills by (name, slug) whose names are near, and beside them; waiting wants."""

    skills: Sequence[tuple[str, str]] = ()
    beside: Sequence[tuple[str, str]] = ()
    wants: Sequence[Result] = ()


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
    named = {f"skill:{r.row.id}": (r.skill, r.row.slug) for r in shown([*like, *beside], Text(), reader)}
    return [named[key] for key in like if key in named], [named[key] for key in beside if key in named]


def _wants_like(engine: SearchEngine, text: Text, slugs: list[str], reader: Reader) -> list[Result]:
    filters, without = who_may_find(reader.viewer), whose_not(reader.viewer)
    wants = frozenset({"want"})
    asked = SearchRequest(text=text, kinds=wants, filters=filters, without=without, per_page=NEAR, exact=True)
    page = engine.search(asked) if text else None
    if (page is None or not page.hits) and slugs:
        page = engine.search(replace(asked, text=Text(), filters=filters | {"skill": frozenset(slugs)}))
    return shown([hit.key for hit in page.hits], text, reader) if page else []


def suggest(engine: SearchEngine, typed: str, reader: Reader) -> list[Result]:
    """What the letters typed could become, skills first: only what the reader could open."""
    try:
        found = engine.complete(typed, EVERY_KIND, reader.locale, SUGGESTIONS * 2)
        keys = [suggestion.key for suggestion in found]
    except IndexUnavailable:
        keys = from_database.skills_called(typed, SUGGESTIONS)
    return [_named_as(typed, result) for result in shown(keys, Text(), reader)[:SUGGESTIONS]]


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
    rows = Rows.load([key for keys in found.values() for key in keys], reader)
    there = set()
    for term, keys in found.items():
        mark = marker(Text(words=tuple(term.split())), tuple(reader.languages))
        if any(thing.holds >= mark.wanted.keys() for thing in rows.things(keys, mark)):
            there.add(term)
    return there
