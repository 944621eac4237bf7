"""Puts many skills into the catalogue at once, past the verbs but by their rules: in bulk, as rows.

One name is one skill in a language, first-learn links have no loops, and what stands in the catalogue is never
overwritten. The search index is told through the outbox, since bulk inserts raise no mapper events.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from skillshare.db import db
from skillshare.models.outbox import Outbox
from skillshare.models.skills import LinkKind, Skill, SkillLink, SkillName, SkillText, Topic, folded, numbered

from .entries import Entry, Shelf, Words
from .rows import BadRow

CHUNK = 250

# How long work is followed: given what is to be done and what it is called, gives it back one by one.
Progress = Callable[[Sequence[list[Entry]], str], Iterable[list[Entry]]]


def quietly(work: Sequence[list[Entry]], _words: str) -> Iterable[list[Entry]]:
    """A progress that nobody sees."""
    return work


@dataclass
class Report:
    """What an import did. A text is one skill in one language."""

    skills: int = 0
    texts: int = 0
    links: int = 0
    there: int = 0
    taken: list[str] = field(default_factory=list)
    other_names_taken: int = 0
    loops: int = 0
    bad: list[BadRow] = field(default_factory=list)
    attribution: str = ""


def put(entries: list[Entry], progress: Progress = quietly) -> Report:
    """Add what is new in `entries`, and say what was done. The caller commits, or rolls all of it back."""
    report = Report()
    known = _Known()
    new = [entry for entry in entries if known.claim(entry, report)]
    for entry in new:
        known.claim_other_names(entry, report)
    topics = _topics({entry.shelf for entry in new})
    chunks = [new[start : start + CHUNK] for start in range(0, len(new), CHUNK)]
    for chunk in progress(chunks, "skills"):
        _insert(chunk, known, topics, report)
    _link(entries, known, report)
    return report


class _Known:
    """What the catalogue holds, and what is about to be added to it. Skills go by their slug."""

    def __init__(self) -> None:
        skills = db.session.execute(sa.select(Skill.slug, Skill.id, Skill.uri)).all()
        self.ids = {slug: id_ for slug, id_, _uri in skills}
        self.slugs = set(self.ids)
        self.slug_of = {uri or slug: slug for slug, _id, uri in skills}
        texts = sa.select(Skill.slug, SkillText.locale).join(SkillText.skill)
        self.texts = {(slug, locale) for slug, locale in db.session.execute(texts)}
        names = sa.select(SkillName.folded, SkillName.locale, Skill.slug).join(SkillName.skill)
        self.owners = {(name, locale): slug for name, locale, slug in db.session.execute(names)}

    def id_of(self, key: str) -> int | None:
        """The id of the skill with this URI or slug."""
        return self.ids.get(self.slug_of.get(key, ""))

    def claim(self, entry: Entry, report: Report) -> bool:
        """Find a slug and names for `entry`, and leave out of it what is there already. False when nothing is left.

        A new skill whose first name another has would be a second page for one thing, and is left out whole.
        """
        is_new = entry.key not in self.slug_of
        entry.slug = numbered(entry.slug, self.slugs) if is_new else self.slug_of[entry.key]
        kept: list[Words] = []
        for words in entry.words:
            if (entry.slug, words.locale) in self.texts:
                report.there += 1
            elif self.owners.setdefault((folded(words.name), words.locale), entry.slug) == entry.slug:
                kept.append(words)
            else:
                report.taken.append(f"{words.name} ({words.locale})")
                if is_new and not kept:
                    break
        entry.words = kept
        if kept:
            self.slugs.add(entry.slug)
            self.slug_of[entry.key] = entry.slug
        return bool(kept)

    def claim_other_names(self, entry: Entry, report: Report) -> None:
        """Keep those other names that no skill has in that language. Call when all first names are claimed."""
        for words in entry.words:
            free = {}
            for name in words.other_names:
                key = folded(name)
                if key == folded(words.name) or key in free:
                    continue
                if self.owners.setdefault((key, words.locale), entry.slug) == entry.slug:
                    free[key] = name
                else:
                    report.other_names_taken += 1
            words.other_names = list(free.values())


def _topics(shelves: set[Shelf]) -> dict[str, int]:
    """The ids of topics by slug; those that are not there yet are made."""
    there = {topic.slug: topic for topic in db.session.scalars(Topic.listed())}
    for shelf in sorted(shelves, key=lambda shelf: shelf.position):
        if shelf.slug not in there:
            there[shelf.slug] = Topic(slug=shelf.slug, names=shelf.names, position=shelf.position)
            db.session.add(there[shelf.slug])
    db.session.flush()
    return {slug: topic.id for slug, topic in there.items()}


def _insert(chunk: list[Entry], known: _Known, topics: dict[str, int], report: Report) -> None:
    new = [entry for entry in chunk if entry.slug not in known.ids]
    _bulk(Skill, [_skill(entry, topics) for entry in new])
    slugs = [entry.slug for entry in new]
    ids = sa.select(Skill.slug, Skill.id).where(Skill.slug.in_(slugs))
    known.ids |= dict(db.session.execute(ids).all())
    texts = [(known.ids[entry.slug], words) for entry in chunk for words in entry.words]
    _bulk(SkillText, [_text(skill_id, words) for skill_id, words in texts])
    _bulk(SkillName, [name for skill_id, words in texts for name in _names(skill_id, words)])
    Outbox.put_many("index", [f"skill:{known.ids[entry.slug]}" for entry in chunk])
    report.skills += len(new)
    report.texts += len(texts)


def _bulk(model: type[Skill | SkillText | SkillName | SkillLink], rows: list[dict[str, Any]]) -> None:
    if rows:
        db.session.execute(sa.insert(model), rows)


def _skill(entry: Entry, topics: dict[str, int]) -> dict[str, Any]:
    return {
        "slug": entry.slug,
        "locale": entry.words[0].locale,
        "topic_id": topics[entry.shelf.slug],
        "care": entry.care,
        "refresh_days": entry.refresh_days,
        "uri": entry.uri,
        "state": entry.state,
    }


def _text(skill_id: int, words: Words) -> dict[str, Any]:
    return {
        "skill_id": skill_id,
        "locale": words.locale,
        "name": words.name,
        "summary": words.summary,
        "practice": words.practice,
        "theory": words.theory,
        "safety": words.safety,
    }


def _names(skill_id: int, words: Words) -> Iterator[dict[str, Any]]:
    for name in (words.name, *words.other_names):
        yield {"skill_id": skill_id, "locale": words.locale, "text": name, "folded": folded(name)}


def _link(entries: list[Entry], known: _Known, report: Report) -> None:
    """Link each entry to what is learned first, where both exist and no skill would come before itself."""
    kind = LinkKind.FIRST_LEARN
    links = sa.select(SkillLink.from_skill_id, SkillLink.to_skill_id).where(SkillLink.kind == kind)
    before: dict[int, set[int]] = {}
    for from_id, to_id in db.session.execute(links):
        before.setdefault(from_id, set()).add(to_id)
    rows = []
    for here, there in _wishes(entries, known):
        if there in before.get(here, ()):
            continue
        if _reaches(there, here, before):
            report.loops += 1
            continue
        before.setdefault(here, set()).add(there)
        rows.append({"from_skill_id": here, "to_skill_id": there, "kind": kind})
    _bulk(SkillLink, rows)
    report.links = len(rows)


def _wishes(entries: list[Entry], known: _Known) -> Iterator[tuple[int, int]]:
    """The ids of each skill and of what its list says is learned before it, where both are in the catalogue."""
    for entry in entries:
        for key in entry.learn_first:
            here, there = known.id_of(entry.key), known.id_of(key)
            if here is not None and there is not None:
                yield here, there


def _reaches(start: int, goal: int, before: dict[int, set[int]]) -> bool:
    """Whether links lead from `start` to `goal`, however far."""
    seen, ahead = {start}, [start]
    while ahead:
        here = ahead.pop()
        if here == goal:
            return True
        further = before.get(here, set()) - seen
        seen |= further
        ahead.extend(further)
    return False
